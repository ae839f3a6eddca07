# linalg_ldl_factor_ex/definition is WRONG, by the property agreement: result 1 against the oracle: 2 of 3
# entries differ, where nothing but equality will do
# Why: NaN or infinity is invented
# Largest difference seen: 6
# Found with harness 0.1.0, torch 2.13.0+cpu, numpy 2.4.6, Python 3.11.7,
# Linux-6.18.44-fc-v669-x86_64-with-glibc2.36, on cpu.


import platform
import sys
import torch
import torch._refs


def linalg_ldl_factor_ex(x, hermitian=False):
    """What torch.linalg.ldl_factor_ex computes."""
    return torch.linalg.ldl_factor_ex(x, hermitian=hermitian)


def reproduce(candidate):
    def case():
        return dict(
            x=torch.tensor([[[-2.126521e-39, 1.335423e-39, 0.0], [1.335423e-39, 0.0, 0.0], [0.0, 0.0, 0.0]]], dtype=torch.float32),
            hermitian=False,
        )

    def call(arguments):
        with torch.no_grad():
            results = candidate(**arguments)
        result = results[1] if isinstance(results, (tuple, list)) and len(results) == 3 else results
        return result

    expected = torch.tensor([[1, 2, 3]], dtype=torch.int32)
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


reproduce(linalg_ldl_factor_ex)
