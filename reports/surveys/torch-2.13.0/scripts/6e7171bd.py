# view_copy/torch._refs.view_copy is ERROR, by the property layouts: torch_v_operators.py:
# view_copy_torch__refs_view_copy: it raised RuntimeError in line 136: view size is not compatible with input
# tensor's size and stride (at least one dimension spans across two contiguous subspaces). Use .reshape(...)
# instead.
# Why: it fails (raised RuntimeError)
# Largest difference seen: inf
# Found with harness 0.1.0, torch 2.13.0+cpu, numpy 2.4.6, Python 3.11.7,
# Linux-6.18.44-fc-v669-x86_64-with-glibc2.36, on cpu.


import platform
import sys
import torch
import torch._refs


def view_copy_torch__refs_view_copy(x):
    return torch._refs.view_copy(x, (25, x.shape[0]))


def reproduce(candidate):
    def case():
        return dict(
            x=torch.full((25,), 0, dtype=torch.float32).as_strided((1, 5, 5), (25, 1, 5), 0).copy_(torch.tensor([[[0.0, 0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 0.0]]], dtype=torch.float32)),
        )

    def call(arguments):
        with torch.no_grad():
            return candidate(**arguments)

    expected = torch.tensor([[0.0], [0.0], [0.0], [0.0], [0.0], [0.0], [0.0], [0.0], [0.0], [0.0], [0.0], [0.0], [0.0], [0.0], [0.0], [0.0], [0.0], [0.0], [0.0], [0.0], [0.0], [0.0], [0.0], [0.0], [0.0]], dtype=torch.float64)
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


reproduce(view_copy_torch__refs_view_copy)
