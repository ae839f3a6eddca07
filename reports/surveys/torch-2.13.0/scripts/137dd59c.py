# as_strided_scatter/transformed is WRONG, by the property forward_mode: forward derivative along x: off by
# 365,551 × the noise floor in float32, where rounding explains 64 ×; by 2.0e14 × in float64: the error does not
# shrink with higher precision
# The noise floor, what rounding the arguments to float32 makes of the result, is 2.2e-06 here.
# Why: the forward derivative along x is wrong, and no multiple of the right one
# Largest difference seen: 2.26
# Found with harness 0.1.0, torch 2.13.0+cpu, numpy 2.4.6, Python 3.11.7,
# Linux-6.18.44-fc-v669-x86_64-with-glibc2.36, on cpu.


import platform
import sys
import torch
import torch._refs


def as_strided_scatter(x, y, storage_offset=0):
    """What torch.as_strided_scatter computes."""
    return torch.as_strided_scatter(x, y, (2, 2, 2, 2), (8, 4, 2, 1), storage_offset=storage_offset)


def reproduce(candidate):
    def case():
        return dict(
            x=torch.tensor([0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0], dtype=torch.float32),
            y=torch.tensor([[[[0.0, 0.0], [0.0, 0.0]], [[0.0, 0.0], [0.0, 0.0]]], [[[0.0, 0.0], [0.0, 0.0]], [[0.0, 0.0], [0.0, 0.0]]]], dtype=torch.float32),
            storage_offset=0,
        )

    expected = torch.tensor([-2.18636155128479, -1.283738136291504, -3.8487796783447266, -0.21147751808166504, -1.7016119956970215, 1.1712641716003418, 2.7426974773406982, -0.9750301837921143, -0.3043942451477051, 2.119882822036743, -3.269551992416382, -0.12263631820678711, -1.001044750213623, -1.2037360668182373, 2.268718957901001, 3.1916935443878174], dtype=torch.float64)
    arguments = case()
    ways = [torch.tensor([-0.35359168, -0.47170258, -1.306577, -0.44788456, -1.666626, 1.2867286, 1.2445972, 0.08735919, 0.8630326, 2.2636378, -1.4575567, 0.8775351, -0.21139812, -0.16511178, 0.8724804, 1.3201797], dtype=torch.float32), torch.tensor([[[[-1.8327699, -0.81203556], [-2.5422027, 0.23640704]], [[-0.03498602, -0.11546445], [1.4981003, -1.0623894]]], [[[-1.1674268, -0.14375496], [-1.8119953, -1.0001714]], [[-0.7896466, -1.0386243], [1.3962386, 1.8715138]]]], dtype=torch.float32)]  # directions of the arguments
    with torch.autograd.forward_ad.dual_level():
        arguments['x'] = torch.autograd.forward_ad.make_dual(arguments['x'], ways[0])
        arguments['y'] = torch.autograd.forward_ad.make_dual(arguments['y'], ways[1])
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


reproduce(as_strided_scatter)
