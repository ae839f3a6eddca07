# histc/definition is UNSTABLE, by the property agreement: against the oracle: off by 128 × the noise floor in
# bfloat16, where rounding explains 32 ×; by 0 × in float64: the error shrinks with higher precision
# The noise floor, what rounding the arguments to bfloat16 makes of the result, is 2e+03 here.
# Why: loses up to 2.1 of bfloat16's 2.1 digits, more than the conditioning of the problem explains, only where
# the pattern of values is normal (18 of 26), constant (4 of 6), magnitudes (3 of 4), dominant (1 of 1)
# Largest difference seen: 2.62e+05
# Found with harness 0.1.0, torch 2.13.0+cpu, numpy 2.4.6, Python 3.11.7,
# Linux-6.18.44-fc-v657-x86_64-with-glibc2.36, on cpu.


import platform
import sys
import base64
import zlib
import torch
import torch._refs


def histc(x, bins=1, min=0, max=10):
    """What torch.histc computes."""
    return torch.histc(x, bins=bins, min=min, max=max)


def reproduce(candidate):
    def case():
        return dict(
            x=torch.frombuffer(bytearray(zlib.decompress(base64.b85decode('c-rm4feZiu00J<yT=Iv=AcF623IG5A000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000a1HPHCA|'))), dtype=torch.bfloat16).reshape((1, 512, 512)),
            bins=1,
            min=0,
            max=10,
        )

    def call(arguments):
        with torch.no_grad():
            return candidate(**arguments)

    expected = torch.tensor([262144.0], dtype=torch.float64)
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


reproduce(histc)
