# Tensor_resize/transformed is ERROR, by the property vmap: torch_Tensor_operators.py: Tensor_resize: the
# definition gives something else when it is called again, on d=1, m=1, n=1, pattern constant, seed 2, given x,
# float32; let it follow from its arguments alone, and give it as one of them what is drawn or remembered
# Why: it fails (changed)
# Largest difference seen: inf
# Found with harness 0.1.0, torch 2.13.0+cpu, numpy 2.4.6, Python 3.11.7,
# Linux-6.18.44-fc-v669-x86_64-with-glibc2.36, on cpu.


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
            x=torch.tensor([[[0.0]]], dtype=torch.float32),
        )

    def other():
        return dict(
            x=torch.tensor([[[0.8462806]]], dtype=torch.float32),
        )

    def call(arguments):
        with torch.no_grad():
            return candidate(**arguments)

    calls = [case(), other()]
    stacked = [torch.stack([arguments['x'] for arguments in calls], 0)]
    expected = torch.stack([call(each) for each in (case(), other())])
    def one(*given):
        arguments = case()
        arguments['x'], = given
        return call(arguments)

    try:
        actual = torch.func.vmap(one, in_dims=(0,))(*stacked)
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


reproduce(Tensor_resize)
