# native_group_norm/definition is ERROR, by the property layouts: torch_n_operators.py: native_group_norm: it
# raised RuntimeError in line 66: Expected X.is_contiguous(memory_format) to be true, but got false.  (Could
# this error message be improved?  If so, please report an enhancement request to PyTorch.)
# Why: it fails (raised RuntimeError), only where an argument is not contiguous in memory
# Largest difference seen: inf
# Found with harness 0.1.0, torch 2.13.0+cpu, numpy 2.4.6, Python 3.11.7,
# Linux-6.18.44-fc-v669-x86_64-with-glibc2.36, on cpu.


import platform
import sys
import torch
import torch._refs


def native_group_norm(x, y, z, x6=2, x7=-0.5):
    """What torch.native_group_norm computes."""
    return torch.native_group_norm(x, y, z, x.shape[0], x.shape[1], x.shape[2], x6, x7)


def reproduce(candidate):
    from torch import inf, nan

    def case():
        return dict(
            x=torch.full((4,), 0.0, dtype=torch.bfloat16).as_strided((1, 2, 1), (4, 2, 2), 0).copy_(torch.tensor([[[0.0], [0.0]]], dtype=torch.bfloat16)),
            y=torch.full((4,), 0.0, dtype=torch.bfloat16).as_strided((2,), (2,), 0).copy_(torch.tensor([0.0, 0.0], dtype=torch.bfloat16)),
            z=torch.full((4,), 0.0, dtype=torch.bfloat16).as_strided((2,), (2,), 0).copy_(torch.tensor([0.0, 0.0], dtype=torch.bfloat16)),
            x6=2,
            x7=-0.5,
        )

    def call(arguments):
        with torch.no_grad():
            results = candidate(**arguments)
        result = results[0] if isinstance(results, (tuple, list)) and len(results) == 3 else results
        return result

    expected = torch.tensor([[[nan], [nan]]], dtype=torch.float64)
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


reproduce(native_group_norm)
