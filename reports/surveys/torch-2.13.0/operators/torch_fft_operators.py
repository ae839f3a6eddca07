"""Operators of torch 2.13.0, as example calls of them tell. Written by `harness survey`."""

from math import inf, nan
from typing import Annotated, Literal

import numpy
import scipy.special
import torch
import torch._refs
from jaxtyping import Bool, Complex, Float, Int, Int8, Int16, Int32, UInt8, UInt16, UInt32, UInt64
from torch import Tensor
from torch._decomp import core_aten_decompositions
from torch.utils._python_dispatch import TorchDispatchMode

import harness

DECOMPOSITIONS = core_aten_decompositions()


class Decomposed(TorchDispatchMode):
    """Calls what an operator is made of in its place, as exporters and compilers do."""

    @classmethod
    def _should_skip_dynamo(cls):
        return False

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if func not in DECOMPOSITIONS:
            return func(*args, **(kwargs or {}))
        with self:
            return DECOMPOSITIONS[func](*args, **(kwargs or {}))


@harness.operation
def fft_fft(x: Float[Tensor, "batch n d"], n: int = 10, dim: int = 1, norm: str = 'ortho') -> Complex[Tensor, "batch 10 d"]:
    """What torch.fft.fft computes."""
    return torch.fft.fft(x, n=n, dim=dim, norm=norm)


fft_fft.implementation(fft_fft.definition, name="transformed")


@fft_fft.implementation(name="out", out="memory")
def fft_fft_out(x, n, dim, norm, memory):
    torch.fft.fft(x, n=n, dim=dim, norm=norm, out=memory)


@fft_fft.implementation(name="torch._refs.fft.fft", forward_only=True)
def fft_fft_torch__refs_fft_fft(x, n, dim, norm):
    return torch._refs.fft.fft(x, n=n, dim=dim, norm=norm)


@harness.operation
def fft_fft2(x: Float[Tensor, "batch n d"], norm: str = 'ortho') -> Complex[Tensor, "batch 3 10"]:
    """What torch.fft.fft2 computes."""
    return torch.fft.fft2(x, s=(3, 10), dim=(1, 2), norm=norm)


fft_fft2.implementation(fft_fft2.definition, name="transformed")


@fft_fft2.implementation(name="out", out="memory")
def fft_fft2_out(x, norm, memory):
    torch.fft.fft2(x, s=(3, 10), dim=(1, 2), norm=norm, out=memory)


@fft_fft2.implementation(name="torch._refs.fft.fft2", forward_only=True)
def fft_fft2_torch__refs_fft_fft2(x, norm):
    return torch._refs.fft.fft2(x, s=(3, 10), dim=(1, 2), norm=norm)


@harness.operation
def fft_fftn(x: Float[Tensor, "batch n d"], norm: str = 'ortho') -> Complex[Tensor, "batch 3 10"]:
    """What torch.fft.fftn computes."""
    return torch.fft.fftn(x, s=(3, 10), dim=(1, 2), norm=norm)


fft_fftn.implementation(fft_fftn.definition, name="transformed")


@fft_fftn.implementation(name="out", out="memory")
def fft_fftn_out(x, norm, memory):
    torch.fft.fftn(x, s=(3, 10), dim=(1, 2), norm=norm, out=memory)


@fft_fftn.implementation(name="torch._refs.fft.fftn", forward_only=True)
def fft_fftn_torch__refs_fft_fftn(x, norm):
    return torch._refs.fft.fftn(x, s=(3, 10), dim=(1, 2), norm=norm)


@harness.operation
def fft_hfft(x: Float[Tensor, "batch n d"], n: int = 10, dim: int = 1, norm: str = 'ortho') -> Float[Tensor, "batch 10 d"]:
    """What torch.fft.hfft computes."""
    return torch.fft.hfft(x, n=n, dim=dim, norm=norm)


fft_hfft.implementation(fft_hfft.definition, name="transformed")


@fft_hfft.implementation(name="out", out="memory")
def fft_hfft_out(x, n, dim, norm, memory):
    torch.fft.hfft(x, n=n, dim=dim, norm=norm, out=memory)


@fft_hfft.implementation(name="torch._refs.fft.hfft", forward_only=True)
def fft_hfft_torch__refs_fft_hfft(x, n, dim, norm):
    return torch._refs.fft.hfft(x, n=n, dim=dim, norm=norm)


@harness.operation
def fft_hfft2(x: Float[Tensor, "batch n d"], norm: str = 'ortho') -> Float[Tensor, "batch 3 10"]:
    """What torch.fft.hfft2 computes."""
    return torch.fft.hfft2(x, s=(3, 10), dim=(1, 2), norm=norm)


fft_hfft2.implementation(fft_hfft2.definition, name="transformed")


@fft_hfft2.implementation(name="out", out="memory")
def fft_hfft2_out(x, norm, memory):
    torch.fft.hfft2(x, s=(3, 10), dim=(1, 2), norm=norm, out=memory)


@fft_hfft2.implementation(name="torch._refs.fft.hfft2", forward_only=True)
def fft_hfft2_torch__refs_fft_hfft2(x, norm):
    return torch._refs.fft.hfft2(x, s=(3, 10), dim=(1, 2), norm=norm)


@harness.operation
def fft_hfftn(x: Float[Tensor, "batch n d"], norm: str = 'ortho') -> Float[Tensor, "batch 3 10"]:
    """What torch.fft.hfftn computes."""
    return torch.fft.hfftn(x, s=(3, 10), dim=(1, 2), norm=norm)


fft_hfftn.implementation(fft_hfftn.definition, name="transformed")


@fft_hfftn.implementation(name="out", out="memory")
def fft_hfftn_out(x, norm, memory):
    torch.fft.hfftn(x, s=(3, 10), dim=(1, 2), norm=norm, out=memory)


@fft_hfftn.implementation(name="torch._refs.fft.hfftn", forward_only=True)
def fft_hfftn_torch__refs_fft_hfftn(x, norm):
    return torch._refs.fft.hfftn(x, s=(3, 10), dim=(1, 2), norm=norm)


@harness.operation
def fft_rfft(x: Float[Tensor, "batch n d"], n: int = 10, dim: int = 1, norm: str = 'ortho') -> Complex[Tensor, "batch 6 d"]:
    """What torch.fft.rfft computes."""
    return torch.fft.rfft(x, n=n, dim=dim, norm=norm)


fft_rfft.implementation(fft_rfft.definition, name="transformed")


@fft_rfft.implementation(name="out", out="memory")
def fft_rfft_out(x, n, dim, norm, memory):
    torch.fft.rfft(x, n=n, dim=dim, norm=norm, out=memory)


@fft_rfft.implementation(name="torch._refs.fft.rfft", forward_only=True)
def fft_rfft_torch__refs_fft_rfft(x, n, dim, norm):
    return torch._refs.fft.rfft(x, n=n, dim=dim, norm=norm)


@harness.operation
def fft_rfft2(x: Float[Tensor, "batch n d"], norm: str = 'ortho') -> Complex[Tensor, "batch 3 6"]:
    """What torch.fft.rfft2 computes."""
    return torch.fft.rfft2(x, s=(3, 10), dim=(1, 2), norm=norm)


fft_rfft2.implementation(fft_rfft2.definition, name="transformed")


@fft_rfft2.implementation(name="out", out="memory")
def fft_rfft2_out(x, norm, memory):
    torch.fft.rfft2(x, s=(3, 10), dim=(1, 2), norm=norm, out=memory)


@fft_rfft2.implementation(name="torch._refs.fft.rfft2", forward_only=True)
def fft_rfft2_torch__refs_fft_rfft2(x, norm):
    return torch._refs.fft.rfft2(x, s=(3, 10), dim=(1, 2), norm=norm)


@harness.operation
def fft_rfftn(x: Float[Tensor, "batch n d"], norm: str = 'ortho') -> Complex[Tensor, "batch 3 6"]:
    """What torch.fft.rfftn computes."""
    return torch.fft.rfftn(x, s=(3, 10), dim=(1, 2), norm=norm)


fft_rfftn.implementation(fft_rfftn.definition, name="transformed")


@fft_rfftn.implementation(name="out", out="memory")
def fft_rfftn_out(x, norm, memory):
    torch.fft.rfftn(x, s=(3, 10), dim=(1, 2), norm=norm, out=memory)


@fft_rfftn.implementation(name="torch._refs.fft.rfftn", forward_only=True)
def fft_rfftn_torch__refs_fft_rfftn(x, norm):
    return torch._refs.fft.rfftn(x, s=(3, 10), dim=(1, 2), norm=norm)


@harness.operation
def fft_ifft(x: Float[Tensor, "batch n d"], n: int = 10, dim: int = 1, norm: str = 'ortho') -> Complex[Tensor, "batch 10 d"]:
    """What torch.fft.ifft computes."""
    return torch.fft.ifft(x, n=n, dim=dim, norm=norm)


fft_ifft.implementation(fft_ifft.definition, name="transformed")


@fft_ifft.implementation(name="out", out="memory")
def fft_ifft_out(x, n, dim, norm, memory):
    torch.fft.ifft(x, n=n, dim=dim, norm=norm, out=memory)


@fft_ifft.implementation(name="torch._refs.fft.ifft", forward_only=True)
def fft_ifft_torch__refs_fft_ifft(x, n, dim, norm):
    return torch._refs.fft.ifft(x, n=n, dim=dim, norm=norm)


@harness.operation
def fft_ifft2(x: Float[Tensor, "batch n d"], norm: str = 'ortho') -> Complex[Tensor, "batch 3 10"]:
    """What torch.fft.ifft2 computes."""
    return torch.fft.ifft2(x, s=(3, 10), dim=(1, 2), norm=norm)


fft_ifft2.implementation(fft_ifft2.definition, name="transformed")


@fft_ifft2.implementation(name="out", out="memory")
def fft_ifft2_out(x, norm, memory):
    torch.fft.ifft2(x, s=(3, 10), dim=(1, 2), norm=norm, out=memory)


@fft_ifft2.implementation(name="torch._refs.fft.ifft2", forward_only=True)
def fft_ifft2_torch__refs_fft_ifft2(x, norm):
    return torch._refs.fft.ifft2(x, s=(3, 10), dim=(1, 2), norm=norm)


@harness.operation
def fft_ifftn(x: Float[Tensor, "batch n d"], norm: str = 'ortho') -> Complex[Tensor, "batch 3 10"]:
    """What torch.fft.ifftn computes."""
    return torch.fft.ifftn(x, s=(3, 10), dim=(1, 2), norm=norm)


fft_ifftn.implementation(fft_ifftn.definition, name="transformed")


@fft_ifftn.implementation(name="out", out="memory")
def fft_ifftn_out(x, norm, memory):
    torch.fft.ifftn(x, s=(3, 10), dim=(1, 2), norm=norm, out=memory)


@fft_ifftn.implementation(name="torch._refs.fft.ifftn", forward_only=True)
def fft_ifftn_torch__refs_fft_ifftn(x, norm):
    return torch._refs.fft.ifftn(x, s=(3, 10), dim=(1, 2), norm=norm)


@harness.operation
def fft_ihfft(x: Float[Tensor, "batch n d"], n: int = 10, dim: int = 1, norm: str = 'ortho') -> Complex[Tensor, "batch 6 d"]:
    """What torch.fft.ihfft computes."""
    return torch.fft.ihfft(x, n=n, dim=dim, norm=norm)


fft_ihfft.implementation(fft_ihfft.definition, name="transformed")


@fft_ihfft.implementation(name="out", out="memory")
def fft_ihfft_out(x, n, dim, norm, memory):
    torch.fft.ihfft(x, n=n, dim=dim, norm=norm, out=memory)


@fft_ihfft.implementation(name="torch._refs.fft.ihfft", forward_only=True)
def fft_ihfft_torch__refs_fft_ihfft(x, n, dim, norm):
    return torch._refs.fft.ihfft(x, n=n, dim=dim, norm=norm)


@harness.operation
def fft_ihfft2(x: Float[Tensor, "batch n d"], norm: str = 'ortho') -> Complex[Tensor, "batch 3 6"]:
    """What torch.fft.ihfft2 computes."""
    return torch.fft.ihfft2(x, s=(3, 10), dim=(1, 2), norm=norm)


fft_ihfft2.implementation(fft_ihfft2.definition, name="transformed")


@fft_ihfft2.implementation(name="out", out="memory")
def fft_ihfft2_out(x, norm, memory):
    torch.fft.ihfft2(x, s=(3, 10), dim=(1, 2), norm=norm, out=memory)


@fft_ihfft2.implementation(name="torch._refs.fft.ihfft2", forward_only=True)
def fft_ihfft2_torch__refs_fft_ihfft2(x, norm):
    return torch._refs.fft.ihfft2(x, s=(3, 10), dim=(1, 2), norm=norm)


@harness.operation
def fft_ihfftn(x: Float[Tensor, "batch n d"], norm: str = 'ortho') -> Complex[Tensor, "batch 3 6"]:
    """What torch.fft.ihfftn computes."""
    return torch.fft.ihfftn(x, s=(3, 10), dim=(1, 2), norm=norm)


fft_ihfftn.implementation(fft_ihfftn.definition, name="transformed")


@fft_ihfftn.implementation(name="out", out="memory")
def fft_ihfftn_out(x, norm, memory):
    torch.fft.ihfftn(x, s=(3, 10), dim=(1, 2), norm=norm, out=memory)


@fft_ihfftn.implementation(name="torch._refs.fft.ihfftn", forward_only=True)
def fft_ihfftn_torch__refs_fft_ihfftn(x, norm):
    return torch._refs.fft.ihfftn(x, s=(3, 10), dim=(1, 2), norm=norm)


@harness.operation
def fft_irfft(x: Float[Tensor, "batch n d"], n: int = 10, dim: int = 1, norm: str = 'ortho') -> Float[Tensor, "batch 10 d"]:
    """What torch.fft.irfft computes."""
    return torch.fft.irfft(x, n=n, dim=dim, norm=norm)


fft_irfft.implementation(fft_irfft.definition, name="transformed")


@fft_irfft.implementation(name="out", out="memory")
def fft_irfft_out(x, n, dim, norm, memory):
    torch.fft.irfft(x, n=n, dim=dim, norm=norm, out=memory)


@fft_irfft.implementation(name="torch._refs.fft.irfft", forward_only=True)
def fft_irfft_torch__refs_fft_irfft(x, n, dim, norm):
    return torch._refs.fft.irfft(x, n=n, dim=dim, norm=norm)


@harness.operation
def fft_irfft2(x: Float[Tensor, "batch n d"], norm: str = 'ortho') -> Float[Tensor, "batch 3 10"]:
    """What torch.fft.irfft2 computes."""
    return torch.fft.irfft2(x, s=(3, 10), dim=(1, 2), norm=norm)


fft_irfft2.implementation(fft_irfft2.definition, name="transformed")


@fft_irfft2.implementation(name="out", out="memory")
def fft_irfft2_out(x, norm, memory):
    torch.fft.irfft2(x, s=(3, 10), dim=(1, 2), norm=norm, out=memory)


@fft_irfft2.implementation(name="torch._refs.fft.irfft2", forward_only=True)
def fft_irfft2_torch__refs_fft_irfft2(x, norm):
    return torch._refs.fft.irfft2(x, s=(3, 10), dim=(1, 2), norm=norm)


@harness.operation
def fft_irfftn(x: Float[Tensor, "batch n d"], norm: str = 'ortho') -> Float[Tensor, "batch 3 10"]:
    """What torch.fft.irfftn computes."""
    return torch.fft.irfftn(x, s=(3, 10), dim=(1, 2), norm=norm)


fft_irfftn.implementation(fft_irfftn.definition, name="transformed")


@fft_irfftn.implementation(name="out", out="memory")
def fft_irfftn_out(x, norm, memory):
    torch.fft.irfftn(x, s=(3, 10), dim=(1, 2), norm=norm, out=memory)


@fft_irfftn.implementation(name="torch._refs.fft.irfftn", forward_only=True)
def fft_irfftn_torch__refs_fft_irfftn(x, norm):
    return torch._refs.fft.irfftn(x, s=(3, 10), dim=(1, 2), norm=norm)


@harness.operation
def fft_fftshift(x: Float[Tensor, "n m d"]) -> Float[Tensor, "n m d"]:
    """What torch.fft.fftshift computes."""
    return torch.fft.fftshift(x, dim=(0, 2))


fft_fftshift.implementation(fft_fftshift.definition, name="transformed")


@fft_fftshift.implementation(name="torch._refs.fft.fftshift", forward_only=True)
def fft_fftshift_torch__refs_fft_fftshift(x):
    return torch._refs.fft.fftshift(x, dim=(0, 2))


@fft_fftshift.implementation(name="decomposed")
def fft_fftshift_decomposed(x):
    with Decomposed():
        return torch.fft.fftshift(x, dim=(0, 2))


@harness.operation
def fft_ifftshift(x: Float[Tensor, "n m d"]) -> Float[Tensor, "n m d"]:
    """What torch.fft.ifftshift computes."""
    return torch.fft.ifftshift(x, dim=(0, 2))


fft_ifftshift.implementation(fft_ifftshift.definition, name="transformed")


@fft_ifftshift.implementation(name="torch._refs.fft.ifftshift", forward_only=True)
def fft_ifftshift_torch__refs_fft_ifftshift(x):
    return torch._refs.fft.ifftshift(x, dim=(0, 2))


@fft_ifftshift.implementation(name="decomposed")
def fft_ifftshift_decomposed(x):
    with Decomposed():
        return torch.fft.ifftshift(x, dim=(0, 2))
