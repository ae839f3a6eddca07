# native_group_norm/definition is WRONG, by the property layouts: result 0 in layout strided:z against
# contiguous: off by 3.2e6 × the noise floor in float32, where rounding explains 64 ×; by 1.7e15 × in float64:
# the error does not shrink with higher precision
# The noise floor, what rounding the arguments to float32 makes of the result, is 3.1e-07 here.
# Why: wrong only where z is not contiguous in memory
# Largest difference seen: 1
# Found with harness 0.1.0, torch 2.13.0+cpu, numpy 2.4.6, Python 3.11.7,
# Linux-6.18.44-fc-v669-x86_64-with-glibc2.36, on cpu.


import platform
import sys
import torch
import torch._refs


def native_group_norm(x, y, z, x6=2, x7=-0.5):
    """What torch.native_group_norm computes."""
    return torch.native_group_norm(x, y, z, x.shape[0], x.shape[1], x.shape[2], x6, x7)


def reproduce(candidate):
    from torch import inf, nan

    def case():
        return dict(
            x=torch.tensor([[[0.0], [0.0], [1.0], [-1.0]]], dtype=torch.float32),
            y=torch.tensor([0.0, 0.0, 0.0, 0.0], dtype=torch.float32),
            z=torch.full((8,), 0.0, dtype=torch.float32).as_strided((4,), (2,), 0).copy_(torch.tensor([0.0, 0.0, 0.0, 1.0], dtype=torch.float32)),
            x6=2,
            x7=-0.5,
        )

    def call(arguments):
        with torch.no_grad():
            results = candidate(**arguments)
        result = results[0] if isinstance(results, (tuple, list)) and len(results) == 3 else results
        return result

    expected = torch.tensor([[[nan], [nan], [0.0], [1.0]]], dtype=torch.float64)
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


reproduce(native_group_norm)
