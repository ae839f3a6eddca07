# linalg_cond/definition is UNSTABLE, by the property agreement: against the oracle: off by 4,127 × the noise
# floor in float32, where rounding explains 32 ×; by 0 × in float64: the error shrinks with higher precision
# The noise floor, what rounding the arguments to float32 makes of the result, is 2.1 here.
# Why: loses up to 3.6 of float32's 6.9 digits, more than the conditioning of the problem explains, only where
# the pattern of values is magnitudes (1 of 4)
# Largest difference seen: 8.58e+03
# Found with harness 0.1.0, torch 2.13.0+cpu, numpy 2.4.6, Python 3.11.7,
# Linux-6.18.44-fc-v669-x86_64-with-glibc2.36, on cpu.


import platform
import sys
import torch
import torch._refs


def linalg_cond(x):
    """What torch.linalg.cond computes."""
    return torch.linalg.cond(x)


def reproduce(candidate):
    def case():
        return dict(
            x=torch.tensor([[[0.01, 0.0], [-208.0, 1.0]]], dtype=torch.float32),
        )

    def call(arguments):
        with torch.no_grad():
            return candidate(**arguments)

    expected = torch.tensor([4326500.106735332], dtype=torch.float64)
    actual = call(case())

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


reproduce(linalg_cond)
