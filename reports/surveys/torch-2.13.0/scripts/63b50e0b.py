# Tensor_resize/definition is WRONG, by the property layouts: result 0 in layout transposed against contiguous:
# off by ∞ × the noise floor in bfloat16, where rounding explains 64 × (judged by magnitude: no other precision
# to compare with)
# The noise floor, what rounding the arguments to bfloat16 makes of the result, is 20 here.
# Why: its result depends on earlier calls
# Largest difference seen: 1.11e+03
# Found with harness 0.1.0, torch 2.13.0+cpu, numpy 2.4.6, Python 3.11.7,
# Linux-6.18.44-fc-v657-x86_64-with-glibc2.36, on cpu.


import platform
import sys
import torch
import torch._refs


def Tensor_resize(x):
    """What torch.Tensor.resize_ computes."""
    return torch.Tensor.resize_(x.clone(), (25, 5))


def reproduce(candidate):
    def case():
        return dict(
            x=torch.full((24,), 0, dtype=torch.bfloat16).as_strided((4, 2, 3), (1, 4, 8), 0).copy_(torch.tensor([[[-0.09033203, 0.0017776489, 130.0], [101.0, 0.00018119812, 180.0]], [[-0.8125, -9.125, -137.0], [-1.0234375, -2.859375, 81.5]], [[364.0, -0.007873535, -5.75], [-0.0025482178, -0.003540039, -7.96875]], [[-1.6171875, -1.1484375, -14.125], [255.0, 1104.0, 0.095214844]]], dtype=torch.bfloat16)),
        )

    def call(arguments):
        with torch.no_grad():
            return candidate(**arguments)

    expected = torch.tensor([[-0.09033203125, 0.00177764892578125, 130.0, 101.0, 0.0001811981201171875], [180.0, -0.8125, -9.125, -137.0, -1.0234375], [-2.859375, 81.5, 364.0, -0.00787353515625, -5.75], [-0.0025482177734375, -0.0035400390625, -7.96875, -1.6171875, -1.1484375], [-14.125, 255.0, 1104.0, 0.09521484375, 1.1225462473648955], [0.0, 0.0, 4e-323, 4e-323, 5e-324], [-0.0, -0.0, -0.0, 4.6497874666351e-310, 4.6497878961102e-310], [4.6497886280119e-310, 0.0, 4.6497878961102e-310, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 0.0], [6.91276513841234e-310, 4.64978778672247e-310, 0.0, 0.0, 0.0], [6.91276690221484e-310, 6.91276690218954e-310, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 4.6497874666351e-310, 4.64978719934956e-310], [4.6497886280119e-310, 0.0, 4.6497874666351e-310, 4.6497878961102e-310, 4.6497886280119e-310], [0.0, 6.2e-322, 0.0, 4e-323, 2e-323], [5e-324, 0.0, 1.24e-322, 0.0, 2e-322]], dtype=torch.float64)
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


reproduce(Tensor_resize)
