# Tensor_resize_as/definition is WRONG, by the property uninitialised_memory: falsified: result 0 holds no NaN
# of fresh memory
# Why: it writes to its argument x
# Largest difference seen: inf
# Found with harness 0.1.0, torch 2.13.0+cpu, numpy 2.4.6, Python 3.11.7,
# Linux-6.18.44-fc-v669-x86_64-with-glibc2.36, on cpu.


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

    def call(arguments):
        with torch.no_grad():
            return candidate(**arguments)

    expected = call(case())
    torch.set_deterministic_debug_mode("warn")  # what is allocated from here on holds NaN
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


reproduce(Tensor_resize_as)
