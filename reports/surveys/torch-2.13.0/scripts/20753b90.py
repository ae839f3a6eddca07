# linalg_ldl_factor/out is ERROR, by the property agreement: torch_linalg_operators.py: linalg_ldl_factor_out:
# it raised RuntimeError in line 246: false INTERNAL ASSERT FAILED at
# "/__w/pytorch/pytorch/aten/src/ATen/native/BatchLinearAlgebra.cpp":1642, please report a bug to PyTorch.
# torch.linalg.ldl_factor: Unknown error code: 2.
# Why: it fails (raised RuntimeError), only where d = 2
# Largest difference seen: inf
# Found with harness 0.1.0, torch 2.13.0+cpu, numpy 2.4.6, Python 3.11.7,
# Linux-6.18.44-fc-v657-x86_64-with-glibc2.36, on cpu.


import platform
import sys
import torch
import torch._refs


def linalg_ldl_factor_out(x, hermitian, memory):
    torch.linalg.ldl_factor(x, hermitian=hermitian, out=memory)


def reproduce(candidate):
    from torch import inf, nan

    def case():
        return dict(
            x=torch.tensor([[[-0.046471596, -0.046471596], [-0.046471596, -0.046471596]]], dtype=torch.float32),
            hermitian=False,
            memory=[torch.full((36,), 77.0, dtype=torch.float32).as_strided((1, 2, 2), (4, 2, 1), 16).copy_(torch.tensor([[[nan, nan], [nan, nan]]], dtype=torch.float32)), torch.full((34,), 77, dtype=torch.int32).as_strided((1, 2), (2, 1), 16).copy_(torch.tensor([[77, 77]], dtype=torch.int32))],
        )

    def call(arguments):
        with torch.no_grad():
            results = candidate(**arguments)
        result = arguments['memory'][0]
        return result

    expected = torch.full((4,), 0, dtype=torch.float64).as_strided((1, 2, 2), (1, 1, 2), 0).copy_(torch.tensor([[[-0.046471595764160156, 0.0], [0.9999999999999999, -6.938893903907228e-18]]], dtype=torch.float64))
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


reproduce(linalg_ldl_factor_out)
