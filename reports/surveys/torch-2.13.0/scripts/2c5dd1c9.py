# native_batch_norm/out is WRONG, by the property layouts: falsified: nothing is written outside the memory for
# the result
# Largest difference seen: 1
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
    made = harness.candidates.candidates(Path(__file__).with_name("torch_n_operators.py"))  # lies beside this script
    operation = next(each for each in made.operations if each.name == 'native_batch_norm')
    implementation = operation.find('out')
    case = harness.Case.rebuild({'operation': 'native_batch_norm', 'sizes': {'d': 1, 'k': 1, 'm': 1, 'n': 1, 'p': 1, 'q': 1, 'r': 1, 's': 1}, 'options': {'w': True, 'x6': -1.0, 'x7': 0.5}, 'pattern': 'normal', 'layout': 'channels_last', 'seed': 0, 'dtype': 'float32', 'device': 'cpu', 'grid': '', 'nudge': 0, 'reach': 0.0, 'values': {'x': [0.0], 'y': [0.0], 'z': [0.0], 'u': [0.0], 'v': [0.0]}}, {operation.name: operation})
    from harness.verify.suite import every_claim, every_property
    known = [*every_property(), *(each.own for each in every_claim() if each.own)]
    prop = next(each for each in known if each.name == 'layouts')
    subject = harness.Subject(operation, implementation)
    compared = next(each for each in prop(subject, case) if each.label == 'nothing is written outside the memory for the result')
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
