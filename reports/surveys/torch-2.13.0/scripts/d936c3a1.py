# Tensor_resize/definition is ERROR, by the property agreement: torch_Tensor_operators.py: Tensor_resize: the
# definition gives something else when it is called again, on d=2, m=2, n=1, pattern sparse, seed 3, bfloat16,
# layout guarded; let it follow from its arguments alone, and give it as one of them what is drawn or remembered
# Why: it fails (changed)
# Largest difference seen: inf
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
    from torch import inf, nan

    def case():
        return dict(
            x=torch.full((132,), nan, dtype=torch.bfloat16).as_strided((1, 2, 2), (4, 2, 1), 64).copy_(torch.tensor([[[0.0, 0.0], [1.140625, 0.0]]], dtype=torch.bfloat16)),
        )

    def call(arguments):
        with torch.no_grad():
            return candidate(**arguments)

    expected = torch.tensor([[0.0, 0.0, 1.140625, 0.0, 5.04342478007324e+180], [9.82220279565748e+252, 1.417676508073109e+190, 4.932466472562661e+180, -3.384606609527148e+125, 2.0465672703367365e-265], [1.1942929996144444e-47, 2.517195062111414e+180, 1.8146932884210305e+188, 9.873464684850498e+221, 4.952655606986e-312], [7.073773708559152e+194, 1.14e-321, 6.91272539137737e-310, 1.5495546501359568e+21, 1.534e-320], [6.9127675584178e-310, 6.9127675584178e-310, 0.0, 0.0, 5.819839906189715e-47], [0.0, 0.0, 0.0, 0.0, 0.0], [-0.0, -0.0, -0.0, 4.649787795471e-310, 4.649787197646e-310], [4.649787795471e-310, 0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 4.649787795471e-310, 4.649787197646e-310], [4.649787795471e-310, 0.0, 4.649787795471e-310, 4.649787197646e-310, 4.649787795471e-310], [0.010687730461671263, 5e-324, 0.0, 0.0, 0.0], [0.0, -2.6435948813794522e-92, 1.5088140504961545e-140, 1.123e-320, 6.9127675584178e-310]], dtype=torch.float64)
    try:
        actual = call(case())
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
