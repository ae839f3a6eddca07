# matrix_exp/definition is UNSTABLE, by the property agreement: against the oracle: off by 476 × the noise floor
# in float32, where rounding explains 126 ×; by 0 × in float64: the error shrinks with higher precision
# The noise floor, what rounding the arguments to float32 makes of the result, is 3.6e+10 here.
# Why: loses up to 2.7 of float32's 6.9 digits, more than the conditioning of the problem explains, only where
# the pattern of values is offset (1 of 4)
# Largest difference seen: 1.75e+11
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
    made = harness.candidates.candidates(Path(__file__).with_name("torch_m_operators.py"))  # lies beside this script
    operation = next(each for each in made.operations if each.name == 'matrix_exp')
    implementation = operation.find('definition')
    case = harness.Case.rebuild({'operation': 'matrix_exp', 'sizes': {'batch': 1, 'd': 1000}, 'options': {}, 'pattern': 'offset', 'layout': 'guarded', 'seed': 401946, 'dtype': 'float32', 'device': 'cpu', 'grid': '', 'nudge': 0, 'reach': 0.0}, {operation.name: operation})
    from harness.verify.suite import every_claim, every_property
    known = [*every_property(), *(each.own for each in every_claim() if each.own)]
    prop = next(each for each in known if each.name == 'agreement')
    subject = harness.Subject(operation, implementation)
    compared = next(each for each in prop(subject, case) if each.label == 'against the oracle')
    print(compared.label)
    expected, actual = (torch.as_tensor(each.astype(compared.actual.dtype)) for each in (compared.expected, compared.actual))

    torch.set_printoptions(precision=9)
    print("expected:", expected, sep="\n")
    print("actual:", actual, sep="\n")
    largest = float("inf")  # where nothing came that could be compared
    kind = lambda tensor: (tensor.shape, tensor.layout, tensor.is_floating_point(), tensor.is_complex())
    if isinstance(actual, torch.Tensor) and kind(actual) == kind(expected) and actual.device.type == 'cpu':
        actual, expected = (tensor.detach().cpu().to(torch.float64) for tensor in (actual, expected))
        same = (actual == expected) | (actual.isnan() & expected.isnan())
        apart = torch.where(same, 0.0, (actual - expected).abs()).nan_to_num(nan=largest, posinf=largest)
        largest = max(apart.flatten().tolist(), default=0.0)
    print(f"largest difference: {largest:.3g}")
    versions = [f"{name} {sys.modules[name].__version__}" for name in ('torch', 'numpy') if name in sys.modules]
    print("versions:", ", ".join([*versions, f"Python {platform.python_version()}", platform.platform()]))


reproduce(None)
