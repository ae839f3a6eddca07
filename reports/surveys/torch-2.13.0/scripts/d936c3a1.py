# Tensor_resize/definition is ERROR, by the property agreement: torch_Tensor_operators.py: Tensor_resize: the
# definition gives something else when it is called again, on d=1, m=2, n=1, pattern normal, seed 2, float32;
# let it follow from its arguments alone, and give it as one of them what is drawn or remembered
# Why: it fails (changed)
# Largest difference seen: inf
# Found with harness 0.1.0, torch 2.13.0+cpu, numpy 2.4.6, Python 3.11.7,
# Linux-6.18.44-fc-v669-x86_64-with-glibc2.36, on cpu.
# Needs the harness, since this property looks at more than one result.


import platform
import sys
from pathlib import Path
import harness
import harness.candidates
import torch


def reproduce(candidate):
    made = harness.candidates.candidates(Path(__file__).with_name("torch_Tensor_operators.py"))  # lies beside this script
    operation = next(each for each in made.operations if each.name == 'Tensor_resize')
    implementation = operation.find('definition')
    case = harness.Case.rebuild({'operation': 'Tensor_resize', 'sizes': {'d': 1, 'm': 2, 'n': 1}, 'options': {}, 'pattern': 'normal', 'layout': 'contiguous', 'seed': 2, 'dtype': 'float32', 'device': 'cpu', 'grid': '', 'nudge': 0, 'reach': 0.0}, {operation.name: operation})
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
