# scatter_reduce_prod/transformed is WRONG, by the property forward_mode: forward derivative along u: off by
# 314,467 × the noise floor in float32, where rounding explains 64 ×; by 1.7e14 × in float64: the error does not
# shrink with higher precision
# The noise floor, what rounding the arguments to float32 makes of the result, is 1e-06 here.
# Why: the forward derivative along u is cut: it is zero; the forward derivative along x is cut: it is zero
# Largest difference seen: 1.47
# Found with harness 0.1.0, torch 2.13.0+cpu, numpy 2.4.6, Python 3.11.7,
# Linux-6.18.44-fc-v669-x86_64-with-glibc2.36, on cpu.


import platform
import sys
import torch
import torch._refs


def scatter_reduce_prod(x, z, u, y=0, v='prod', include_self=False):
    """What torch.scatter_reduce computes."""
    return torch.scatter_reduce(x, y, z, u, v, include_self=include_self)


def reproduce(candidate):
    def case():
        return dict(
            x=torch.tensor([[0.0, 0.0, 0.0, 0.0, 0.0]], dtype=torch.float32),
            z=torch.tensor([[0, 0, 0, 0, 0]], dtype=torch.int64),
            u=torch.tensor([[1.0, 1.0, 1.0, 1.0, 1.0]], dtype=torch.float32),
            y=0,
            v='prod',
            include_self=False,
        )

    expected = torch.tensor([[0.24630475044250488, -1.249969482421875, 1.4656548500061035, -0.051764488220214844, 0.8202924728393555]], dtype=torch.float64)
    arguments = case()
    ways = [torch.tensor([[-0.0, -0.0, -0.0, -0.0, -0.0]], dtype=torch.float32), torch.tensor([[0.24630475, -1.2499695, 1.4656549, -0.05176449, 0.8202925]], dtype=torch.float32)]  # directions of the arguments
    def of_floats(*floats):
        arguments = case()
        arguments['x'], arguments['u'], = floats
        results = candidate(**arguments)
        results = results if isinstance(results, (tuple, list)) else (results,)
        return results[0]

    actual = torch.func.jvp(of_floats, (arguments['x'], arguments['u'],), tuple(ways))[1]

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


reproduce(scatter_reduce_prod)
