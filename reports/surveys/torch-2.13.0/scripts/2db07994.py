# nn_functional_max_unpool3d/transformed is WRONG, by the property forward_mode: forward derivative along x: off
# by 16,703 × the noise floor in float32, where rounding explains 64 ×; by 9.0e12 × in float64: the error does
# not shrink with higher precision
# The noise floor, what rounding the arguments to float32 makes of the result, is 1.2e-06 here.
# Why: the forward derivative along x is wrong, and no multiple of the right one
# Largest difference seen: 0.062
# Found with harness 0.1.0, torch 2.13.0+cpu, numpy 2.4.6, Python 3.11.7,
# Linux-6.18.44-fc-v669-x86_64-with-glibc2.36, on cpu.


import platform
import sys
import torch
import torch._refs


def nn_functional_max_unpool3d(x, y, kernel_size=3, stride=2, padding=1):
    """What torch.nn.functional.max_unpool3d computes."""
    return torch.nn.functional.max_unpool3d(x, y, kernel_size=kernel_size, stride=stride, padding=padding, output_size=(2, 2, 3, 6, 5))


def reproduce(candidate):
    def case():
        return dict(
            x=torch.tensor([[[[[0.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]], [[0.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]]]], dtype=torch.float32),
            y=torch.tensor([[[[[4, 4, 4], [4, 4, 4], [4, 4, 4], [4, 4, 4]], [[4, 4, 4], [4, 4, 4], [4, 4, 4], [4, 4, 4]]]]], dtype=torch.int64),
            kernel_size=3,
            stride=2,
            padding=1,
        )

    expected = torch.tensor([[[[[0.0, 0.0, 0.0, 0.0, 0.20925450325012207], [0.0, 0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 0.0]], [[0.0, 0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 0.0]], [[0.0, 0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 0.0]]]]], dtype=torch.float64)
    arguments = case()
    ways = [torch.tensor([[[[[-0.35359168, -0.47170258, -1.306577], [-0.44788456, -1.666626, 1.2867286], [1.2445972, 0.08735919, 0.8630326], [2.2636378, -1.4575567, 0.8775351]], [[-0.21139812, -0.16511178, 0.8724804], [1.3201797, 0.44817567, -0.34475255], [-0.9747391, -1.8254657, 1.7979162], [-0.26038384, -1.5138466, 0.14724827]]]]], dtype=torch.float32)]  # directions of the arguments
    with torch.autograd.forward_ad.dual_level():
        arguments['x'] = torch.autograd.forward_ad.make_dual(arguments['x'], ways[0])
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


reproduce(nn_functional_max_unpool3d)
