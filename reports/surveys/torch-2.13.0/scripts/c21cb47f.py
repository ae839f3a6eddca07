# linalg_ldl_factor/definition is ERROR, by the property agreement: torch_linalg_operators.py:
# linalg_ldl_factor: it raised RuntimeError in line 238: false INTERNAL ASSERT FAILED at
# "/__w/pytorch/pytorch/aten/src/ATen/native/BatchLinearAlgebra.cpp":1642, please report a bug to PyTorch.
# torch.linalg.ldl_factor: Unknown error code: 1.
# Why: it fails (raised RuntimeError)
# Largest difference seen: inf
# Found with harness 0.1.0, torch 2.13.0+cpu, numpy 2.4.6, Python 3.11.7,
# Linux-6.18.44-fc-v657-x86_64-with-glibc2.36, on cpu.
# Needs the harness, since this property looks at more than one result.


import platform
import sys
from pathlib import Path
import harness
import harness.candidates
import torch


def reproduce(candidate):
    made = harness.candidates.candidates(Path(__file__).with_name("torch_linalg_operators.py"))  # lies beside this script
    operation = next(each for each in made.operations if each.name == 'linalg_ldl_factor')
    implementation = operation.find('definition')
    case = harness.Case.rebuild({'operation': 'linalg_ldl_factor', 'sizes': {'batch': 1, 'd': 1}, 'options': {'hermitian': False}, 'pattern': 'sparse', 'layout': 'contiguous', 'seed': 0, 'dtype': 'float32', 'device': 'cpu', 'grid': '', 'nudge': 0, 'reach': 0.0}, {operation.name: operation})
    from harness.verify.suite import every_claim, every_property
    known = [*every_property(), *(each.own for each in every_claim() if each.own)]
    prop = next(each for each in known if each.name == 'agreement')
    subject = harness.Subject(operation, implementation)
    expected = "no error"
    try:
        prop(subject, case)
        actual = expected
    except BaseException as failure:
        actual = repr(failure)

    torch.set_printoptions(precision=9)
    print("expected:", expected, sep="\n")
    print("actual:", actual, sep="\n")
    largest = float("inf")  # where nothing came that could be compared
    if actual == expected:
        largest = 0.0
    print(f"largest difference: {largest:.3g}")
    versions = [f"{name} {sys.modules[name].__version__}" for name in ('torch', 'numpy') if name in sys.modules]
    print("versions:", ", ".join([*versions, f"Python {platform.python_version()}", platform.platform()]))


reproduce(None)
