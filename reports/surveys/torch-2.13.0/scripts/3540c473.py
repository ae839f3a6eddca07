# grid_sampler_3d/definition is WRONG, by the property nonfinite_propagation: NaN and infinities of result 0: 1
# of 1 entries differ, where nothing but equality will do
# Why: NaN and infinity are in other places than they should be
# Largest difference seen: inf
# Found with harness 0.1.0, torch 2.13.0+cpu, numpy 2.4.6, Python 3.11.7,
# Linux-6.18.44-fc-v669-x86_64-with-glibc2.36, on cpu.


import platform
import sys
import torch
import torch._refs


def grid_sampler_3d(x, y, z=0, u=0, v=False):
    """What torch.grid_sampler_3d computes."""
    return torch.grid_sampler_3d(x, y, z, u, v)


def reproduce(candidate):
    from torch import inf, nan

    def case():
        return dict(
            x=torch.tensor([[[[[0.0]]]]], dtype=torch.bfloat16),
            y=torch.tensor([[[[[0.0, nan, 0.0]]]]], dtype=torch.bfloat16),
            z=0,
            u=0,
            v=False,
        )

    def call(arguments):
        with torch.no_grad():
            return candidate(**arguments)

    expected = torch.tensor([[[[[0.0]]]]], dtype=torch.float64)
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


reproduce(grid_sampler_3d)
