# as_strided_copy/transformed is WRONG, by the property vmap: the result of call 1, mapped over x alone: off by
# 4.2e6 × the noise floor in float32, where rounding explains 64 ×; by 2.2e15 × in float64: the error does not
# shrink with higher precision
# The noise floor, what rounding the arguments to float32 makes of the result, is 5e-08 here.
# Why: wrong in float32, right in bfloat16
# Largest difference seen: 0.175
# Found with harness 0.1.0, torch 2.13.0+cpu, numpy 2.4.6, Python 3.11.7,
# Linux-6.18.44-fc-v669-x86_64-with-glibc2.36, on cpu.


import platform
import sys
import torch
import torch._refs


def as_strided_copy(x, storage_offset=0):
    """What torch.as_strided_copy computes."""
    return torch.as_strided_copy(x, (2, 2), (1, 2), storage_offset=storage_offset)


def reproduce(candidate):
    def case():
        return dict(
            x=torch.tensor([[0.0, 0.0], [0.0, 0.0]], dtype=torch.float32),
            storage_offset=0,
        )

    def other():
        return dict(
            x=torch.tensor([[-0.11469698, -0.07738209], [0.09760094, 0.081166506]], dtype=torch.float32),
            storage_offset=0,
        )

    def call(arguments):
        with torch.no_grad():
            return candidate(**arguments)

    calls = [case(), other()]
    stacked = [torch.stack([arguments['x'] for arguments in calls], -1)]
    expected = torch.stack([call(each) for each in (case(), other())])
    def one(*given):
        arguments = case()
        arguments['x'], = given
        return call(arguments)

    actual = torch.func.vmap(one, in_dims=(-1,))(*stacked)

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


reproduce(as_strided_copy)
