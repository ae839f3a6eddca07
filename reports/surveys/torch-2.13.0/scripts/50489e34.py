# narrow_copy/out is WRONG, by the property layouts: result 0 in layout channels_last against contiguous: off by
# 5.0e6 × the noise floor in float32, where rounding explains 64 ×; by 2.7e15 × in float64: the error does not
# shrink with higher precision
# The noise floor, what rounding the arguments to float32 makes of the result, is 2.8e-07 here.
# Why: wrong only where x is not contiguous in memory
# Largest difference seen: 1
# Found with harness 0.1.0, torch 2.13.0+cpu, numpy 2.4.6, Python 3.11.7,
# Linux-6.18.44-fc-v669-x86_64-with-glibc2.36, on cpu.


import platform
import sys
import torch
import torch._refs


def narrow_copy_out(x, y, z, u, memory):
    torch.narrow_copy(x, y, z, u, out=memory)


def reproduce(candidate):
    from torch import inf, nan

    def case():
        return dict(
            x=torch.full((8,), 0, dtype=torch.float32).as_strided((1, 4, 2), (8, 1, 4), 0).copy_(torch.tensor([[[0.0, 0.0], [0.0, 0.0], [0.0, 0.0], [1.0, 0.0]]], dtype=torch.float32)),
            y=1,
            z=2,
            u=2,
            memory=torch.full((36,), 77.0, dtype=torch.float32).as_strided((1, 2, 2), (4, 1, 2), 16).copy_(torch.tensor([[[nan, nan], [nan, nan]]], dtype=torch.float32)),
        )

    def call(arguments):
        with torch.no_grad():
            results = candidate(**arguments)
        result = arguments['memory']
        return result

    expected = torch.tensor([[[0.0, 0.0], [1.0, 0.0]]], dtype=torch.float64)
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


reproduce(narrow_copy_out)
