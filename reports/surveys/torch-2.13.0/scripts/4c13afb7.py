# index_copy/transformed is WRONG, by the property forward_mode: forward derivative along u: off by 677,053 ×
# the noise floor in float32, where rounding explains 64 ×; by 3.6e14 × in float64: the error does not shrink
# with higher precision
# The noise floor, what rounding the arguments to float32 makes of the result, is 5e-07 here.
# Why: the forward derivative along u is wrong, and no multiple of the right one, only where n ≥ 2
# Largest difference seen: 0.246
# Found with harness 0.1.0, torch 2.13.0+cpu, numpy 2.4.6, Python 3.11.7,
# Linux-6.18.44-fc-v669-x86_64-with-glibc2.36, on cpu.


import platform
import sys
import torch
import torch._refs


def index_copy(x, z, u, y=-1):
    """What torch.index_copy computes."""
    return torch.index_copy(x, y, z, u)


def reproduce(candidate):
    def case():
        return dict(
            x=torch.tensor([[0.0]], dtype=torch.float32),
            z=torch.tensor([0, 0], dtype=torch.int64),
            u=torch.tensor([[0.0, 0.0]], dtype=torch.float32),
            y=-1,
        )

    expected = torch.tensor([[-1.0036647319793701]], dtype=torch.float64)
    arguments = case()
    ways = [torch.tensor([[-0.0]], dtype=torch.float32), torch.tensor([[0.24630475, -1.2499695]], dtype=torch.float32)]  # directions of the arguments
    with torch.autograd.forward_ad.dual_level():
        arguments['x'] = torch.autograd.forward_ad.make_dual(arguments['x'], ways[0])
        arguments['u'] = torch.autograd.forward_ad.make_dual(arguments['u'], ways[1])
        results = candidate(**arguments)
        results = results if isinstance(results, (tuple, list)) else (results,)
        actual = torch.autograd.forward_ad.unpack_dual(results[0]).tangent.clone()

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


reproduce(index_copy)
