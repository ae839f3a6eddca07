# linalg_eigh/transformed is UNSTABLE, by the property forward_mode: forward derivative along x: off by 85,879 ×
# the noise floor in float32, where rounding explains 64 ×; by 0.019 × in float64: the error shrinks with higher
# precision
# The noise floor, what rounding the arguments to float32 makes of the result, is 6.4e-06 here.
# Why: loses up to 4.8 of float32's 6.9 digits, more than the conditioning of the problem explains
# Largest difference seen: 1.74
# Found with harness 0.1.0, torch 2.13.0+cpu, numpy 2.4.6, Python 3.11.7,
# Linux-6.18.44-fc-v669-x86_64-with-glibc2.36, on cpu.


import platform
import sys
import torch
import torch._refs


def linalg_eigh(x, UPLO='U'):
    """What torch.linalg.eigh computes."""
    return torch.linalg.eigh(x, UPLO=UPLO)


def reproduce(candidate):
    def case():
        return dict(
            x=torch.tensor([[[1.0, 1.0, 0.7], [1.0, 0.0, -0.54], [0.7, -0.54, 0.0]]], dtype=torch.float32),
            UPLO='U',
        )

    def call(arguments):
        with torch.no_grad():
            results = candidate(**arguments)
        result = results[1] if isinstance(results, (tuple, list)) and len(results) == 2 else results
        return result

    expected = torch.full((9,), 0, dtype=torch.float64).as_strided((1, 3, 3), (1, 1, 3), 0).copy_(torch.tensor([[[0.48242209342222114, 0.11279402620105139, 0.8686463212559401], [-0.6594939774664259, -0.6058852240001741, 0.4449390846214476], [-0.5764864416997458, 0.7875154620651048, 0.21790543716197164]]], dtype=torch.float64))
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


reproduce(linalg_eigh)
