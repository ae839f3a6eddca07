# stack/out is WRONG, by the property layouts: result 0 in layout strided against contiguous: off by ∞ × the
# noise floor in float32, where rounding explains 64 ×; by ∞ × in float64: the error does not shrink with higher
# precision
# The noise floor, what rounding the arguments to float32 makes of the result, is 3.1e-07 here.
# Why: wrong only where layout is strided and batch = 1 and d = 1
# Largest difference seen: inf
# Found with harness 0.1.0, torch 2.13.0+cpu, numpy 2.4.6, Python 3.11.7,
# Linux-6.18.44-fc-v669-x86_64-with-glibc2.36, on cpu.


import platform
import sys
import torch
import torch._refs


def stack_out(x_0, y, memory):
    torch.stack([x_0], y, out=memory)


def reproduce(candidate):
    from torch import inf, nan

    def case():
        return dict(
            x_0=torch.full((2,), 0.0, dtype=torch.float32).as_strided((1, 1), (2, 2), 0).copy_(torch.tensor([[1.0]], dtype=torch.float32)),
            y=-1,
            memory=torch.full((33,), 77.0, dtype=torch.float32).as_strided((1, 1, 1), (2, 2, 2), 16).copy_(torch.tensor([[[nan]]], dtype=torch.float32)),
        )

    def call(arguments):
        with torch.no_grad():
            results = candidate(**arguments)
        result = arguments['memory']
        return result

    expected = torch.tensor([[[1.0]]], dtype=torch.float64)
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


reproduce(stack_out)
