# softmax_backward_data/decomposed is WRONG, by the property result_dtype: falsified: result 0 has the
# arguments' dtype (it is float32)
# Why: it computes in float32 where float64 is asked
# Largest difference seen: inf
# Found with harness 0.1.0, torch 2.13.0+cpu, numpy 2.4.6, Python 3.11.7,
# Linux-6.18.44-fc-v669-x86_64-with-glibc2.36, on cpu.


import platform
import sys
import torch
from torch._decomp import core_aten_decompositions
from torch.utils._python_dispatch import TorchDispatchMode
import torch._refs


DECOMPOSITIONS = core_aten_decompositions()


class Decomposed(TorchDispatchMode):
    """Calls what an operator is made of in its place, as exporters and compilers do."""

    @classmethod
    def _should_skip_dynamo(cls):
        return False

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if func not in DECOMPOSITIONS:
            return func(*args, **kwargs or {})
        with self:
            return DECOMPOSITIONS[func](*args, **kwargs or {})


def softmax_backward_data_decomposed(x, y, z):
    with Decomposed():
        return torch._softmax_backward_data(x, y, z, torch.float32)


def reproduce(candidate):
    def case():
        return dict(
            x=torch.tensor([[[0.0]]], dtype=torch.bfloat16),
            y=torch.tensor([[[0.0]]], dtype=torch.bfloat16),
            z=-1,
        )

    def call(arguments):
        with torch.no_grad():
            return candidate(**arguments)

    expected = torch.bfloat16, 'cpu'
    result = call(case())
    actual = result.dtype, result.device.type

    torch.set_printoptions(precision=9)
    print("expected:", expected, sep="\n")
    print("actual:", actual, sep="\n")
    largest = float("inf")  # where nothing came that could be compared
    if actual == expected:
        largest = 0.0
    print(f"largest difference: {largest:.3g}")
    versions = [f"{name} {sys.modules[name].__version__}" for name in ('torch', 'numpy') if name in sys.modules]
    print("versions:", ", ".join([*versions, f"Python {platform.python_version()}", platform.platform()]))


reproduce(softmax_backward_data_decomposed)
