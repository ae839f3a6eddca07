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
def Tensor_contiguous(x: Float[Tensor, "batch n d"]) -> Float[Tensor, "batch n d"]:
    """What torch.Tensor.contiguous computes."""
    return torch.Tensor.contiguous(x)


Tensor_contiguous.implementation(Tensor_contiguous.definition, name="transformed")


@Tensor_contiguous.implementation(name="torch._refs.contiguous", forward_only=True)
def Tensor_contiguous_torch__refs_contiguous(x):
    return torch._refs.contiguous(x)


@harness.operation
def Tensor_sum_to_size(x: Float[Tensor, "batch n d"], z: int = 1) -> Float[Tensor, "batch 1 d"]:
    """What torch.Tensor.sum_to_size computes."""
    return torch.Tensor.sum_to_size(x, x.shape[0], z, x.shape[2])


Tensor_sum_to_size.implementation(Tensor_sum_to_size.definition, name="transformed")


@Tensor_sum_to_size.implementation(name="torch._refs.sum_to_size", forward_only=True)
def Tensor_sum_to_size_torch__refs_sum_to_size(x, z):
    return torch._refs.sum_to_size(x, x.shape[0], z, x.shape[2])


@Tensor_sum_to_size.implementation(name="decomposed")
def Tensor_sum_to_size_decomposed(x, z):
    with Decomposed():
        return torch.Tensor.sum_to_size(x, x.shape[0], z, x.shape[2])


# x's axis 1 is always 1
@harness.operation
def Tensor_expand(x: Float[Tensor, "batch 1 d"]) -> Float[Tensor, "batch 5 d"]:
    """What torch.Tensor.expand computes."""
    return torch.Tensor.expand(x, (x.shape[0], 5, x.shape[2]))


Tensor_expand.implementation(Tensor_expand.definition, name="transformed")


@Tensor_expand.implementation(name="torch._refs.expand", forward_only=True)
def Tensor_expand_torch__refs_expand(x):
    return torch._refs.expand(x, (x.shape[0], 5, x.shape[2]))


@harness.operation
def Tensor_expand_as(x: Float[Tensor, ""], y: Float[Tensor, ""]) -> Float[Tensor, ""]:
    """What torch.Tensor.expand_as computes."""
    return torch.Tensor.expand_as(x, y)


Tensor_expand_as.implementation(Tensor_expand_as.definition, name="transformed")


@Tensor_expand_as.implementation(name="torch._refs.expand_as", forward_only=True)
def Tensor_expand_as_torch__refs_expand_as(x, y):
    return torch._refs.expand_as(x, y)


@harness.operation
def Tensor_to(x: Float[Tensor, "batch n m d"], y: str = 'cpu', u: Literal[True] = True, v: Literal[True] = True) -> Annotated[Float[Tensor, "batch n m d"], harness.dtype('float64')]:
    """What torch.Tensor.to computes."""
    return torch.Tensor.to(x, y, torch.float64, u, v, memory_format=torch.preserve_format)


Tensor_to.implementation(Tensor_to.definition, name="transformed")


@Tensor_to.implementation(name="torch._refs.to", forward_only=True)
def Tensor_to_torch__refs_to(x, y, u, v):
    return torch._refs.to(x, y, torch.float64, u, v, memory_format=torch.preserve_format)


@harness.operation
def Tensor___radd(x: Float[Tensor, "batch n d"], y: Float[Tensor, "batch n d"]) -> Float[Tensor, "batch n d"]:
    """What torch.Tensor.__radd__ computes."""
    return torch.Tensor.__radd__(x, y)


Tensor___radd.implementation(Tensor___radd.definition, name="transformed")


@harness.operation
def Tensor___rdiv(x: Float[Tensor, "batch n d"], y: Float[Tensor, "batch n d"]) -> Float[Tensor, "batch n d"]:
    """What torch.Tensor.__rdiv__ computes."""
    return torch.Tensor.__rdiv__(x, y)


Tensor___rdiv.implementation(Tensor___rdiv.definition, name="transformed")


@harness.operation
def Tensor___rmul(x: Float[Tensor, "batch n d"], y: Float[Tensor, "batch n d"]) -> Float[Tensor, "batch n d"]:
    """What torch.Tensor.__rmul__ computes."""
    return torch.Tensor.__rmul__(x, y)


Tensor___rmul.implementation(Tensor___rmul.definition, name="transformed")


@harness.operation(differentiable=False)
def Tensor___rand(x: Annotated[Int[Tensor, "batch n d"], harness.within(-9, 9)], y: Annotated[Int[Tensor, "batch n d"], harness.within(-9, 9)]) -> Int[Tensor, "batch n d"]:
    """What torch.Tensor.__rand__ computes."""
    return torch.Tensor.__rand__(x, y)


Tensor___rand.implementation(Tensor___rand.definition, name="transformed")


@harness.operation(differentiable=False)
def Tensor___ror(x: Annotated[Int[Tensor, "batch n d"], harness.within(-9, 9)], y: Annotated[Int[Tensor, "batch n d"], harness.within(-9, 9)]) -> Int[Tensor, "batch n d"]:
    """What torch.Tensor.__ror__ computes."""
    return torch.Tensor.__ror__(x, y)


Tensor___ror.implementation(Tensor___ror.definition, name="transformed")


@harness.operation(differentiable=False)
def Tensor___rxor(x: Annotated[Int[Tensor, "batch n d"], harness.within(-9, 9)], y: Annotated[Int[Tensor, "batch n d"], harness.within(-9, 9)]) -> Int[Tensor, "batch n d"]:
    """What torch.Tensor.__rxor__ computes."""
    return torch.Tensor.__rxor__(x, y)


Tensor___rxor.implementation(Tensor___rxor.definition, name="transformed")


@harness.operation
def Tensor___rmatmul(x: Float[Tensor, "batch n m d"], y: Float[Tensor, "batch n k m"]) -> Float[Tensor, "batch n k d"]:
    """What torch.Tensor.__rmatmul__ computes."""
    return torch.Tensor.__rmatmul__(x, y)


Tensor___rmatmul.implementation(Tensor___rmatmul.definition, name="transformed")


@Tensor___rmatmul.implementation(name="decomposed")
def Tensor___rmatmul_decomposed(x, y):
    with Decomposed():
        return torch.Tensor.__rmatmul__(x, y)


@harness.operation
def Tensor___rmod(x: Float[Tensor, "batch n d"], y: Float[Tensor, "batch n d"]) -> Float[Tensor, "batch n d"]:
    """What torch.Tensor.__rmod__ computes."""
    return torch.Tensor.__rmod__(x, y)


Tensor___rmod.implementation(Tensor___rmod.definition, name="transformed")


@harness.operation
def Tensor___rpow(x: Float[Tensor, "batch n d"], y: Float[Tensor, "batch n d"]) -> Float[Tensor, "batch n d"]:
    """What torch.Tensor.__rpow__ computes."""
    return torch.Tensor.__rpow__(x, y)


Tensor___rpow.implementation(Tensor___rpow.definition, name="transformed")


@harness.operation
def Tensor___rsub(x: Float[Tensor, "batch n d"], y: Float[Tensor, "batch n d"]) -> Float[Tensor, "batch n d"]:
    """What torch.Tensor.__rsub__ computes."""
    return torch.Tensor.__rsub__(x, y)


Tensor___rsub.implementation(Tensor___rsub.definition, name="transformed")


@Tensor___rsub.implementation(name="decomposed")
def Tensor___rsub_decomposed(x, y):
    with Decomposed():
        return torch.Tensor.__rsub__(x, y)


@harness.operation
def Tensor_polygamma_polygamma_n_0(x: Float[Tensor, "batch d"], y: int = 1) -> Float[Tensor, "batch d"]:
    """What torch.Tensor.polygamma computes."""
    return torch.Tensor.polygamma(x, y)


Tensor_polygamma_polygamma_n_0.implementation(Tensor_polygamma_polygamma_n_0.definition, name="transformed")


@Tensor_polygamma_polygamma_n_0.implementation(name="in_place", mutates="x")
def Tensor_polygamma_polygamma_n_0_in_place(x, y):
    torch.Tensor.polygamma_(x, y)


@harness.operation
def Tensor_polygamma_polygamma_n_1(x: Float[Tensor, "batch d"], y: int = 1) -> Float[Tensor, "batch d"]:
    """What torch.Tensor.polygamma computes."""
    return torch.Tensor.polygamma(x, y)


Tensor_polygamma_polygamma_n_1.implementation(Tensor_polygamma_polygamma_n_1.definition, name="transformed")


@Tensor_polygamma_polygamma_n_1.implementation(name="in_place", mutates="x")
def Tensor_polygamma_polygamma_n_1_in_place(x, y):
    torch.Tensor.polygamma_(x, y)


@harness.operation
def Tensor_polygamma_polygamma_n_2(x: Float[Tensor, "batch d"], y: int = 1) -> Float[Tensor, "batch d"]:
    """What torch.Tensor.polygamma computes."""
    return torch.Tensor.polygamma(x, y)


Tensor_polygamma_polygamma_n_2.implementation(Tensor_polygamma_polygamma_n_2.definition, name="transformed")


@Tensor_polygamma_polygamma_n_2.implementation(name="in_place", mutates="x")
def Tensor_polygamma_polygamma_n_2_in_place(x, y):
    torch.Tensor.polygamma_(x, y)


@harness.operation
def Tensor_polygamma_polygamma_n_3(x: Float[Tensor, "batch d"], y: int = 1) -> Float[Tensor, "batch d"]:
    """What torch.Tensor.polygamma computes."""
    return torch.Tensor.polygamma(x, y)


Tensor_polygamma_polygamma_n_3.implementation(Tensor_polygamma_polygamma_n_3.definition, name="transformed")


@Tensor_polygamma_polygamma_n_3.implementation(name="in_place", mutates="x")
def Tensor_polygamma_polygamma_n_3_in_place(x, y):
    torch.Tensor.polygamma_(x, y)


@harness.operation
def Tensor_polygamma_polygamma_n_4(x: Float[Tensor, "batch d"], y: int = 1) -> Float[Tensor, "batch d"]:
    """What torch.Tensor.polygamma computes."""
    return torch.Tensor.polygamma(x, y)


Tensor_polygamma_polygamma_n_4.implementation(Tensor_polygamma_polygamma_n_4.definition, name="transformed")


@Tensor_polygamma_polygamma_n_4.implementation(name="in_place", mutates="x")
def Tensor_polygamma_polygamma_n_4_in_place(x, y):
    torch.Tensor.polygamma_(x, y)


# x's axis 1 is always 5
# x's axis 2 is always 5
# y's axis 0 is always 25
@harness.operation
def Tensor_reshape_as(x: Float[Tensor, "n 5 5"], y: Float[Tensor, "25 n"]) -> Float[Tensor, "25 n"]:
    """What torch.Tensor.reshape_as computes."""
    return torch.Tensor.reshape_as(x, y)


Tensor_reshape_as.implementation(Tensor_reshape_as.definition, name="transformed")


@Tensor_reshape_as.implementation(name="torch._refs.reshape_as", forward_only=True)
def Tensor_reshape_as_torch__refs_reshape_as(x, y):
    return torch._refs.reshape_as(x, y)


# x's axis 1 is always 5
# x's axis 2 is always 5
@harness.operation
def Tensor_view(x: Float[Tensor, "n 5 5"]) -> Float[Tensor, "25 n"]:
    """What torch.Tensor.view computes."""
    return torch.Tensor.view(x, (25, x.shape[0]))


Tensor_view.implementation(Tensor_view.definition, name="transformed")


@Tensor_view.implementation(name="torch._refs.view", forward_only=True)
def Tensor_view_torch__refs_view(x):
    return torch._refs.view(x, (25, x.shape[0]))


# x's axis 1 is always 5
# x's axis 2 is always 5
# y's axis 0 is always 25
@harness.operation
def Tensor_view_as(x: Float[Tensor, "n 5 5"], y: Float[Tensor, "25 n"]) -> Float[Tensor, "25 n"]:
    """What torch.Tensor.view_as computes."""
    return torch.Tensor.view_as(x, y)


Tensor_view_as.implementation(Tensor_view_as.definition, name="transformed")


@Tensor_view_as.implementation(name="torch._refs.view_as", forward_only=True)
def Tensor_view_as_torch__refs_view_as(x, y):
    return torch._refs.view_as(x, y)


# y_2's axis 0 is always 3
@harness.operation(sizes={'n': (4, 1025), 'm': (4, 1025)})
def Tensor___getitem(x: Float[Tensor, "n m d"], y_2: Annotated[Int[Tensor, "3"], harness.below('d')]) -> Float[Tensor, "3"]:
    """What torch.Tensor.__getitem__ computes."""
    return torch.Tensor.__getitem__(x, ([0, 2, 3], [1, 3, 3], y_2))


Tensor___getitem.implementation(Tensor___getitem.definition, name="transformed")


@harness.operation
def Tensor_bfloat16(x: Float[Tensor, "batch n m d"]) -> Annotated[Float[Tensor, "batch n m d"], harness.dtype('bfloat16')]:
    """What torch.Tensor.bfloat16 computes."""
    return torch.Tensor.bfloat16(x, memory_format=torch.channels_last)


Tensor_bfloat16.implementation(Tensor_bfloat16.definition, name="transformed")


@Tensor_bfloat16.implementation(name="torch._refs._conversions.bfloat16", forward_only=True)
def Tensor_bfloat16_torch__refs__conversions_bfloat16(x):
    return torch._refs._conversions.bfloat16(x, memory_format=torch.channels_last)


@harness.operation(differentiable=False)
def Tensor_bool(x: Float[Tensor, "batch n m d"]) -> Bool[Tensor, "batch n m d"]:
    """What torch.Tensor.bool computes."""
    return torch.Tensor.bool(x, memory_format=torch.channels_last)


Tensor_bool.implementation(Tensor_bool.definition, name="transformed")


@Tensor_bool.implementation(name="torch._refs._conversions.bool", forward_only=True)
def Tensor_bool_torch__refs__conversions_bool(x):
    return torch._refs._conversions.bool(x, memory_format=torch.channels_last)


@harness.operation(differentiable=False)
def Tensor_byte(x: Float[Tensor, "batch n m d"]) -> UInt8[Tensor, "batch n m d"]:
    """What torch.Tensor.byte computes."""
    return torch.Tensor.byte(x, memory_format=torch.channels_last)


Tensor_byte.implementation(Tensor_byte.definition, name="transformed")


@Tensor_byte.implementation(name="torch._refs._conversions.byte", forward_only=True)
def Tensor_byte_torch__refs__conversions_byte(x):
    return torch._refs._conversions.byte(x, memory_format=torch.channels_last)


@harness.operation(differentiable=False)
def Tensor_char(x: Float[Tensor, "batch n m d"]) -> Int8[Tensor, "batch n m d"]:
    """What torch.Tensor.char computes."""
    return torch.Tensor.char(x, memory_format=torch.channels_last)


Tensor_char.implementation(Tensor_char.definition, name="transformed")


@Tensor_char.implementation(name="torch._refs._conversions.char", forward_only=True)
def Tensor_char_torch__refs__conversions_char(x):
    return torch._refs._conversions.char(x, memory_format=torch.channels_last)


@harness.operation
def Tensor_double(x: Float[Tensor, "batch n m d"]) -> Annotated[Float[Tensor, "batch n m d"], harness.dtype('float64')]:
    """What torch.Tensor.double computes."""
    return torch.Tensor.double(x, memory_format=torch.channels_last)


Tensor_double.implementation(Tensor_double.definition, name="transformed")


@Tensor_double.implementation(name="torch._refs._conversions.double", forward_only=True)
def Tensor_double_torch__refs__conversions_double(x):
    return torch._refs._conversions.double(x, memory_format=torch.channels_last)


@harness.operation
def Tensor_float(x: Float[Tensor, "batch n m d"]) -> Annotated[Float[Tensor, "batch n m d"], harness.dtype('float32')]:
    """What torch.Tensor.float computes."""
    return torch.Tensor.float(x, memory_format=torch.channels_last)


Tensor_float.implementation(Tensor_float.definition, name="transformed")


@Tensor_float.implementation(name="torch._refs._conversions.float", forward_only=True)
def Tensor_float_torch__refs__conversions_float(x):
    return torch._refs._conversions.float(x, memory_format=torch.channels_last)


@harness.operation
def Tensor_half(x: Float[Tensor, "batch n m d"]) -> Annotated[Float[Tensor, "batch n m d"], harness.dtype('float16')]:
    """What torch.Tensor.half computes."""
    return torch.Tensor.half(x, memory_format=torch.channels_last)


Tensor_half.implementation(Tensor_half.definition, name="transformed")


@Tensor_half.implementation(name="torch._refs._conversions.half", forward_only=True)
def Tensor_half_torch__refs__conversions_half(x):
    return torch._refs._conversions.half(x, memory_format=torch.channels_last)


@harness.operation(differentiable=False)
def Tensor_int(x: Float[Tensor, "batch n m d"]) -> Int32[Tensor, "batch n m d"]:
    """What torch.Tensor.int computes."""
    return torch.Tensor.int(x, memory_format=torch.channels_last)


Tensor_int.implementation(Tensor_int.definition, name="transformed")


@Tensor_int.implementation(name="torch._refs._conversions.int", forward_only=True)
def Tensor_int_torch__refs__conversions_int(x):
    return torch._refs._conversions.int(x, memory_format=torch.channels_last)


@harness.operation(differentiable=False)
def Tensor_long(x: Float[Tensor, "batch n m d"]) -> Int[Tensor, "batch n m d"]:
    """What torch.Tensor.long computes."""
    return torch.Tensor.long(x, memory_format=torch.channels_last)


Tensor_long.implementation(Tensor_long.definition, name="transformed")


@Tensor_long.implementation(name="torch._refs._conversions.long", forward_only=True)
def Tensor_long_torch__refs__conversions_long(x):
    return torch._refs._conversions.long(x, memory_format=torch.channels_last)


@harness.operation(differentiable=False)
def Tensor_short(x: Float[Tensor, "batch n m d"]) -> Int16[Tensor, "batch n m d"]:
    """What torch.Tensor.short computes."""
    return torch.Tensor.short(x, memory_format=torch.channels_last)


Tensor_short.implementation(Tensor_short.definition, name="transformed")


@Tensor_short.implementation(name="torch._refs._conversions.short", forward_only=True)
def Tensor_short_torch__refs__conversions_short(x):
    return torch._refs._conversions.short(x, memory_format=torch.channels_last)


@harness.operation
def Tensor_cdouble(x: Float[Tensor, "batch n m d"]) -> Annotated[Complex[Tensor, "batch n m d"], harness.dtype('complex128')]:
    """What torch.Tensor.cdouble computes."""
    return torch.Tensor.cdouble(x, memory_format=torch.channels_last)


Tensor_cdouble.implementation(Tensor_cdouble.definition, name="transformed")


@Tensor_cdouble.implementation(name="torch._refs._conversions.cdouble", forward_only=True)
def Tensor_cdouble_torch__refs__conversions_cdouble(x):
    return torch._refs._conversions.cdouble(x, memory_format=torch.channels_last)


@harness.operation
def Tensor_cfloat(x: Float[Tensor, "batch n m d"]) -> Annotated[Complex[Tensor, "batch n m d"], harness.dtype('complex64')]:
    """What torch.Tensor.cfloat computes."""
    return torch.Tensor.cfloat(x, memory_format=torch.channels_last)


Tensor_cfloat.implementation(Tensor_cfloat.definition, name="transformed")


@Tensor_cfloat.implementation(name="torch._refs._conversions.cfloat", forward_only=True)
def Tensor_cfloat_torch__refs__conversions_cfloat(x):
    return torch._refs._conversions.cfloat(x, memory_format=torch.channels_last)


@harness.operation(differentiable=False)
def Tensor_new_zeros(x: Float[Tensor, "d"], device: str = 'cpu') -> Annotated[Float[Tensor, "2 3"], harness.dtype('float32')]:
    """What torch.Tensor.new_zeros computes."""
    return torch.Tensor.new_zeros(x, (2, 3), dtype=torch.float32, device=device)


Tensor_new_zeros.implementation(Tensor_new_zeros.definition, name="transformed")


@Tensor_new_zeros.implementation(name="torch._refs.new_zeros", forward_only=True)
def Tensor_new_zeros_torch__refs_new_zeros(x, device):
    return torch._refs.new_zeros(x, (2, 3), dtype=torch.float32, device=device)


@Tensor_new_zeros.implementation(name="decomposed")
def Tensor_new_zeros_decomposed(x, device):
    with Decomposed():
        return torch.Tensor.new_zeros(x, (2, 3), dtype=torch.float32, device=device)


@harness.operation(differentiable=False)
def Tensor_new_ones(x: Float[Tensor, "d"], device: str = 'cpu') -> Annotated[Float[Tensor, "2 3"], harness.dtype('float32')]:
    """What torch.Tensor.new_ones computes."""
    return torch.Tensor.new_ones(x, (2, 3), dtype=torch.float32, device=device)


Tensor_new_ones.implementation(Tensor_new_ones.definition, name="transformed")


@Tensor_new_ones.implementation(name="torch._refs.new_ones", forward_only=True)
def Tensor_new_ones_torch__refs_new_ones(x, device):
    return torch._refs.new_ones(x, (2, 3), dtype=torch.float32, device=device)


@Tensor_new_ones.implementation(name="decomposed")
def Tensor_new_ones_decomposed(x, device):
    with Decomposed():
        return torch.Tensor.new_ones(x, (2, 3), dtype=torch.float32, device=device)


@harness.operation(differentiable=False)
def Tensor_new_full(x: Float[Tensor, "d"], z: float = 3.611605167388916, device: str = 'cpu') -> Annotated[Float[Tensor, "2 3"], harness.dtype('float32')]:
    """What torch.Tensor.new_full computes."""
    return torch.Tensor.new_full(x, (2, 3), z, dtype=torch.float32, device=device)


Tensor_new_full.implementation(Tensor_new_full.definition, name="transformed")


@Tensor_new_full.implementation(name="torch._refs.new_full", forward_only=True)
def Tensor_new_full_torch__refs_new_full(x, z, device):
    return torch._refs.new_full(x, (2, 3), z, dtype=torch.float32, device=device)


@Tensor_new_full.implementation(name="decomposed")
def Tensor_new_full_decomposed(x, z, device):
    with Decomposed():
        return torch.Tensor.new_full(x, (2, 3), z, dtype=torch.float32, device=device)


@harness.operation(where=lambda n: n-2 > 0)
def Tensor_unfold(x: Float[Tensor, "n m k d"], y: int = 0, z: int = 3, u: int = 1) -> Float[Tensor, "n-2 m k d 3"]:
    """What torch.Tensor.unfold computes."""
    return torch.Tensor.unfold(x, y, z, u)


Tensor_unfold.implementation(Tensor_unfold.definition, name="transformed")


@Tensor_unfold.implementation(name="torch._refs.unfold", forward_only=True)
def Tensor_unfold_torch__refs_unfold(x, y, z, u):
    return torch._refs.unfold(x, y, z, u)


@harness.operation
def Tensor_repeat(x: Float[Tensor, "n d"]) -> Float[Tensor, "0 2*d"]:
    """What torch.Tensor.repeat computes."""
    return torch.Tensor.repeat(x, (0, 2))


Tensor_repeat.implementation(Tensor_repeat.definition, name="transformed")


@Tensor_repeat.implementation(name="torch._refs.repeat", forward_only=True)
def Tensor_repeat_torch__refs_repeat(x):
    return torch._refs.repeat(x, (0, 2))


@Tensor_repeat.implementation(name="numpy.tile", backend="numpy")
def Tensor_repeat_numpy_tile(x):
    return numpy.tile(x, (0, 2))


# it writes to x, which it is given copies of
@harness.operation(differentiable=False)
def Tensor_resize(x: Float[Tensor, "n m d"]) -> Float[Tensor, "25 5"]:
    """What torch.Tensor.resize_ computes."""
    return torch.Tensor.resize_(x.clone(), (25, 5))


Tensor_resize.implementation(Tensor_resize.definition, name="transformed")


@harness.operation(differentiable=False)
def Tensor_resize_as(x: Float[Tensor, "n m d"], y: Float[Tensor, "k p q"]) -> Float[Tensor, "k p q"]:
    """What torch.Tensor.resize_as_ computes."""
    return torch.Tensor.resize_as_(x, y)


Tensor_resize_as.implementation(Tensor_resize_as.definition, name="transformed")


# it writes to x, which it is given copies of
@harness.operation
def Tensor_zero(x: Float[Tensor, "batch n d"]) -> Float[Tensor, "batch n d"]:
    """What torch.Tensor.zero_ computes."""
    return torch.Tensor.zero_(x.clone())


Tensor_zero.implementation(Tensor_zero.definition, name="transformed")


@Tensor_zero.implementation(name="in_place", mutates="x")
def Tensor_zero_in_place(x):
    torch.Tensor.zero_(x)


@Tensor_zero.implementation(name="decomposed")
def Tensor_zero_decomposed(x):
    with Decomposed():
        return torch.Tensor.zero_(x.clone())


@harness.operation
def Tensor_where(x: Float[Tensor, "batch d"], y: Bool[Tensor, "batch d"], z: Float[Tensor, "batch d"]) -> Float[Tensor, "batch d"]:
    """What torch.Tensor.where computes."""
    return torch.Tensor.where(x, y, z)


Tensor_where.implementation(Tensor_where.definition, name="transformed")


@Tensor_where.implementation(name="decomposed")
def Tensor_where_decomposed(x, y, z):
    with Decomposed():
        return torch.Tensor.where(x, y, z)


@harness.operation
def Tensor_polygamma_special_polygamma_n_0(x: Float[Tensor, "batch d"], y: int = 1) -> Float[Tensor, "batch d"]:
    """What torch.Tensor.polygamma computes."""
    return torch.Tensor.polygamma(x, y)


Tensor_polygamma_special_polygamma_n_0.implementation(Tensor_polygamma_special_polygamma_n_0.definition, name="transformed")
