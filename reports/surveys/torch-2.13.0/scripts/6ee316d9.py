# Tensor_resize_as/transformed is ERROR, by the property vmap: torch_Tensor_operators.py: Tensor_resize_as: the
# result has shape [1, 1, 1], expected [1, 2, 1] (k p q)
# Why: it fails (shape)
# Largest difference seen: inf
# Found with harness 0.1.0, torch 2.13.0+cpu, numpy 2.4.6, Python 3.11.7,
# Linux-6.18.44-fc-v657-x86_64-with-glibc2.36, on cpu.


import platform
import sys
import torch
import torch._refs


def Tensor_resize_as(x, y):
    """What torch.Tensor.resize_as_ computes."""
    return torch.Tensor.resize_as_(x, y)


def reproduce(candidate):
    def case():
        return dict(
            x=torch.tensor([[[0.0]]], dtype=torch.float32),
            y=torch.tensor([[[0.0], [0.0]]], dtype=torch.float32),
        )

    def other():
        return dict(
            x=torch.tensor([[[-0.11469698]]], dtype=torch.float32),
            y=torch.tensor([[[-0.9806671], [-0.68746734]]], dtype=torch.float32),
        )

    def call(arguments):
        with torch.no_grad():
            return candidate(**arguments)

    calls = [case(), other()]
    stacked = [torch.stack([arguments['x'] for arguments in calls], 0), torch.stack([arguments['y'] for arguments in calls], 0)]
    expected = torch.stack([call(each) for each in (case(), other())])
    def one(*given):
        arguments = case()
        arguments['x'], arguments['y'], = given
        return call(arguments)

    try:
        actual = torch.func.vmap(one, in_dims=(0, 0))(*stacked)
    except BaseException as failure:
        actual = repr(failure)

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


reproduce(Tensor_resize_as)
