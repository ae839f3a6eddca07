# linalg_eig/definition is UNSTABLE, by the property agreement: result 1 against the oracle: off by 1.3e7 × the
# noise floor in float32, where rounding explains 32 ×; by 0 × in float64: the error shrinks with higher
# precision
# The noise floor, what rounding the arguments to float32 makes of the result, is 2.1e-07 here.
# Why: loses up to 6.9 of float32's 6.9 digits, more than the conditioning of the problem explains, only where
# the pattern of values is normal (9 of 10), offset (3 of 3), integers (2 of 2), sparse (1 of 1)
# Largest difference seen: 1.63
# Found with harness 0.1.0, torch 2.13.0+cpu, numpy 2.4.6, Python 3.11.7,
# Linux-6.18.44-fc-v669-x86_64-with-glibc2.36, on cpu.


import platform
import sys
import torch
import torch._refs


def linalg_eig(x):
    """What torch.linalg.eig computes."""
    return torch.linalg.eig(x)


def reproduce(candidate):
    def case():
        return dict(
            x=torch.tensor([[[0.0, 1.0], [-2.0, 1.0]]], dtype=torch.float32),
        )

    def call(arguments):
        with torch.no_grad():
            results = candidate(**arguments)
        result = results[1] if isinstance(results, (tuple, list)) and len(results) == 2 else results
        return result

    expected = torch.full((8,), 0, dtype=torch.float64).as_strided((1, 2, 2, 2), (8, 2, 4, 1), 0).copy_(torch.tensor([[[[0.20412414523193148, -0.5400617248673217], [0.20412414523193148, 0.5400617248673217]], [[0.816496580927726, 0.0], [0.816496580927726, -0.0]]]], dtype=torch.float64))
    actual = call(case())

    if isinstance(actual, torch.Tensor) and actual.is_complex() and not expected.is_complex():
        expected = torch.view_as_complex(expected.contiguous())  # of pairs of numbers
    torch.set_printoptions(precision=9)
    print("expected:", expected, sep="\n")
    print("actual:", actual, sep="\n")
    largest = float("inf")  # where nothing came that could be compared
    kind = lambda tensor: (tensor.shape, tensor.layout, tensor.is_floating_point(), tensor.is_complex())
    if isinstance(actual, torch.Tensor) and kind(actual) == kind(expected) and actual.device.type == 'cpu':
        actual, expected = (tensor.detach().cpu().to(torch.complex128) for tensor in (actual, expected))
        same = (actual == expected) | (actual.isnan() & expected.isnan())
        apart = torch.where(same, 0.0, (actual - expected).abs()).nan_to_num(nan=largest, posinf=largest)
        largest = max(apart.flatten().tolist(), default=0.0)
    print(f"largest difference: {largest:.3g}")
    versions = [f"{name} {sys.modules[name].__version__}" for name in ('torch', 'numpy') if name in sys.modules]
    print("versions:", ", ".join([*versions, f"Python {platform.python_version()}", platform.platform()]))


reproduce(linalg_eig)
