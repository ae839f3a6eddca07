# special_log_ndtr/transformed is UNSTABLE, by the property double_backward: second gradient in argument x: off
# by 2.8e7 × the noise floor in float32, where rounding explains 64 ×; by 0 × in float64: the error shrinks with
# higher precision
# The noise floor, what rounding the arguments to float32 makes of the result, is 0.00025 here.
# Why: loses up to 6.9 of float32's 6.9 digits, more than the conditioning of the problem explains, only where
# the pattern of values is magnitudes (1 of 1)
# Largest difference seen: 6.96e+03
# Found with harness 0.1.0, torch 2.13.0+cpu, numpy 2.4.6, Python 3.11.7,
# Linux-6.18.44-fc-v669-x86_64-with-glibc2.36, on cpu.


import platform
import sys
import torch
import torch._refs


def special_log_ndtr(x):
    """What torch.special.log_ndtr computes."""
    return torch.special.log_ndtr(x)


def reproduce(candidate):
    def case():
        return dict(
            x=torch.tensor([-741.0], dtype=torch.float32),
        )

    expected = torch.tensor([-2.923217515228316], dtype=torch.float64)
    arguments = case()
    ways = [torch.tensor([-2.125996], dtype=torch.float32)]  # directions of the arguments
    floats = [arguments['x']]
    directions = [torch.tensor([-1.375], dtype=torch.float64)]  # in which the results are differentiated
    for each in (*floats, *directions):
        each.requires_grad_(each.is_floating_point() or each.is_complex())
    wanted = (*floats, *directions)[0]
    results = candidate(**arguments)
    results = results if isinstance(results, (tuple, list)) else (results,)
    told = [(r, d.to(r)) for r, d in zip(results, directions) if r.requires_grad]
    given = [d for _, d in told]
    first = torch.autograd.grad([r for r, _ in told], floats, given, create_graph=True, allow_unused=True)
    pairs = [(g, way.to(g)) for g, way in zip(first, ways) if g is not None and g.requires_grad]
    actual, = torch.autograd.grad([g for g, _ in pairs], [wanted], [way for _, way in pairs], allow_unused=True)
    actual = torch.zeros_like(wanted) if actual is None else actual

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


reproduce(special_log_ndtr)
