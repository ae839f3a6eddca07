# histc/out is UNSTABLE, by the property agreement: against the oracle: off by 64 × the noise floor in bfloat16,
# where rounding explains 32 × (a systematic error: the result is multiplied by 0.118 (m ≥ 64), by 1.1e+02 ± 4
# eps of bfloat16 over 26 fresh cases, where rounding leaves none)
# The noise floor, what rounding the arguments to bfloat16 makes of the result, is 4 here.
# Why: the result is multiplied by 0.118, only where m ≥ 64
# Largest difference seen: 256
# Found with harness 0.1.0, torch 2.13.0+cpu, numpy 2.4.6, Python 3.11.7,
# Linux-6.18.44-fc-v657-x86_64-with-glibc2.36, on cpu.


import platform
import sys
import base64
import zlib
import torch
import torch._refs


def histc_out(x, bins, min, max, memory):
    torch.histc(x, bins=bins, min=min, max=max, out=memory)


def reproduce(candidate):
    from torch import inf, nan

    def case():
        return dict(
            x=torch.frombuffer(bytearray(zlib.decompress(base64.b85decode('c-m8OP#J}za1@SE2moVn$N>'))), dtype=torch.bfloat16).reshape((1, 64, 8)),
            bins=1,
            min=0,
            max=10,
            memory=torch.full((33,), 77.0, dtype=torch.bfloat16).as_strided((1,), (1,), 16).copy_(torch.tensor([nan], dtype=torch.bfloat16)),
        )

    def call(arguments):
        with torch.no_grad():
            results = candidate(**arguments)
        result = arguments['memory']
        return result

    expected = torch.tensor([512.0], dtype=torch.float64)
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


reproduce(histc_out)
