# as_strided/definition is WRONG, by the property agreement: against the oracle: off by ∞ × the noise floor in
# float32, where rounding explains 32 ×; by ∞ × in float64: the error does not shrink with higher precision
# The noise floor, what rounding the arguments to float32 makes of the result, is 2.9e-07 here.
# Why: wrong only where layout is guarded or offset or strided or transposed
# Largest difference seen: inf
# Found with harness 0.1.0, torch 2.13.0+cpu, numpy 2.4.6, Python 3.11.7,
# Linux-6.18.44-fc-v669-x86_64-with-glibc2.36, on cpu.


import platform
import sys
import torch
import torch._refs


def as_strided(x, storage_offset=0):
    """What torch.as_strided computes."""
    return torch.as_strided(x, (2, 2), (1, 2), storage_offset=storage_offset)


def reproduce(candidate):
    from torch import inf, nan

    def case():
        return dict(
            x=torch.full((132,), nan, dtype=torch.float32).as_strided((2, 2), (2, 1), 64).copy_(torch.tensor([[0.0, 0.0], [0.0, 1.0]], dtype=torch.float32)),
            storage_offset=0,
        )

    def call(arguments):
        with torch.no_grad():
            return candidate(**arguments)

    expected = torch.full((4,), 0, dtype=torch.float64).as_strided((2, 2), (1, 2), 0).copy_(torch.tensor([[0.0, 0.0], [0.0, 1.0]], dtype=torch.float64))
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


reproduce(as_strided)
