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
def sub(x: Float[Tensor, "batch d"], y: Float[Tensor, "batch d"], alpha: int = 2) -> Float[Tensor, "batch d"]:
    """What torch.sub computes."""
    return torch.sub(x, y, alpha=alpha)


sub.implementation(sub.definition, name="transformed")


@sub.implementation(name="out", out="memory")
def sub_out(x, y, alpha, memory):
    torch.sub(x, y, alpha=alpha, out=memory)


@sub.implementation(name="in_place", mutates="x")
def sub_in_place(x, y, alpha):
    torch.Tensor.sub_(x, y, alpha=alpha)


@sub.implementation(name="torch._refs.sub", forward_only=True)
def sub_torch__refs_sub(x, y, alpha):
    return torch._refs.sub(x, y, alpha=alpha)


# x's axis 0 is always 2
# x's axis 1 is always 100
# window's axis 0 is always 16
@harness.operation
def stft(x: Float[Tensor, "2 100"], window: Float[Tensor, "16"], n_fft: int = 16, return_complex: Literal[True] = True, center: Literal[True] = True) -> Complex[Tensor, "2 9 26"]:
    """What torch.stft computes."""
    return torch.stft(x, n_fft=n_fft, window=window, return_complex=return_complex, center=center)


stft.implementation(stft.definition, name="transformed")


@stft.implementation(name="torch._refs.stft", forward_only=True)
def stft_torch__refs_stft(x, window, n_fft, return_complex, center):
    return torch._refs.stft(x, n_fft=n_fft, window=window, return_complex=return_complex, center=center)


@stft.implementation(name="decomposed")
def stft_decomposed(x, window, n_fft, return_complex, center):
    with Decomposed():
        return torch.stft(x, n_fft=n_fft, window=window, return_complex=return_complex, center=center)


@harness.operation
def std_mean(x: Float[Tensor, "batch n d"], dim: int = 1, unbiased: Literal[True] = True, keepdim: Literal[True] = True) -> tuple[Float[Tensor, "batch 1 d"], Float[Tensor, "batch 1 d"]]:
    """What torch.std_mean computes."""
    return torch.std_mean(x, dim=dim, unbiased=unbiased, keepdim=keepdim)


std_mean.implementation(std_mean.definition, name="transformed")


@std_mean.implementation(name="torch._refs.std_mean", forward_only=True)
def std_mean_torch__refs_std_mean(x, dim, unbiased, keepdim):
    return torch._refs.std_mean(x, dim=dim, unbiased=unbiased, keepdim=keepdim)


@std_mean.implementation(name="decomposed")
def std_mean_decomposed(x, dim, unbiased, keepdim):
    with Decomposed():
        return torch.std_mean(x, dim=dim, unbiased=unbiased, keepdim=keepdim)


@harness.operation
def std_mean_unbiased(x: Float[Tensor, "n d"], y: Literal[True] = True) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
    """What torch.std_mean computes."""
    return torch.std_mean(x, y)


std_mean_unbiased.implementation(std_mean_unbiased.definition, name="transformed")


@std_mean_unbiased.implementation(name="decomposed")
def std_mean_unbiased_decomposed(x, y):
    with Decomposed():
        return torch.std_mean(x, y)


@harness.operation
def softmax(x: Float[Tensor, "batch n d"], y: int = 2) -> Float[Tensor, "batch n d"]:
    """What torch.softmax computes."""
    return torch.softmax(x, y)


softmax.implementation(softmax.definition, name="transformed")


@softmax.implementation(name="out", out="memory")
def softmax_out(x, y, memory):
    torch.softmax(x, y, out=memory)


@harness.operation
def softmax_with_dtype(x: Float[Tensor, "batch n d"], y: int = 2) -> Annotated[Float[Tensor, "batch n d"], harness.dtype('float64')]:
    """What torch.softmax computes."""
    return torch.softmax(x, y, dtype=torch.float64)


softmax_with_dtype.implementation(softmax_with_dtype.definition, name="transformed")


@softmax_with_dtype.implementation(name="out", out="memory")
def softmax_with_dtype_out(x, y, memory):
    torch.softmax(x, y, dtype=torch.float64, out=memory)


@softmax_with_dtype.implementation(name="torch._refs.softmax", forward_only=True)
def softmax_with_dtype_torch__refs_softmax(x, y):
    return torch._refs.softmax(x, y, dtype=torch.float64)


@softmax_with_dtype.implementation(name="torch._refs.special.softmax", forward_only=True)
def softmax_with_dtype_torch__refs_special_softmax(x, y):
    return torch._refs.special.softmax(x, y, dtype=torch.float64)


@softmax_with_dtype.implementation(name="torch._refs.nn.functional.softmax", forward_only=True)
def softmax_with_dtype_torch__refs_nn_functional_softmax(x, y):
    return torch._refs.nn.functional.softmax(x, y, dtype=torch.float64)


@harness.operation
def softmax_backward_data(x: Float[Tensor, "batch n d"], y: Float[Tensor, "batch n d"], z: int = -1) -> Float[Tensor, "batch n d"]:
    """What torch._softmax_backward_data computes."""
    return torch._softmax_backward_data(x, y, z, torch.float32)


softmax_backward_data.implementation(softmax_backward_data.definition, name="transformed")


@softmax_backward_data.implementation(name="decomposed")
def softmax_backward_data_decomposed(x, y, z):
    with Decomposed():
        return torch._softmax_backward_data(x, y, z, torch.float32)


@harness.operation
def sin(x: Float[Tensor, "batch d"]) -> Float[Tensor, "batch d"]:
    """What torch.sin computes."""
    return torch.sin(x)


sin.implementation(sin.definition, name="transformed")


@sin.implementation(name="out", out="memory")
def sin_out(x, memory):
    torch.sin(x, out=memory)


@sin.implementation(name="in_place", mutates="x")
def sin_in_place(x):
    torch.Tensor.sin_(x)


@sin.implementation(name="torch._refs.sin", forward_only=True)
def sin_torch__refs_sin(x):
    return torch._refs.sin(x)


@sin.implementation(name="numpy.sin", backend="numpy")
def sin_numpy_sin(x):
    return numpy.sin(x)


@harness.operation
def sinc(x: Float[Tensor, "batch"]) -> Float[Tensor, "batch"]:
    """What torch.sinc computes."""
    return torch.sinc(x)


sinc.implementation(sinc.definition, name="transformed")


@sinc.implementation(name="out", out="memory")
def sinc_out(x, memory):
    torch.sinc(x, out=memory)


@sinc.implementation(name="in_place", mutates="x")
def sinc_in_place(x):
    torch.Tensor.sinc_(x)


@sinc.implementation(name="torch._refs.sinc", forward_only=True)
def sinc_torch__refs_sinc(x):
    return torch._refs.sinc(x)


@sinc.implementation(name="decomposed")
def sinc_decomposed(x):
    with Decomposed():
        return torch.sinc(x)


@harness.operation
def sinh(x: Float[Tensor, "batch d"]) -> Float[Tensor, "batch d"]:
    """What torch.sinh computes."""
    return torch.sinh(x)


sinh.implementation(sinh.definition, name="transformed")


@sinh.implementation(name="out", out="memory")
def sinh_out(x, memory):
    torch.sinh(x, out=memory)


@sinh.implementation(name="in_place", mutates="x")
def sinh_in_place(x):
    torch.Tensor.sinh_(x)


@sinh.implementation(name="torch._refs.sinh", forward_only=True)
def sinh_torch__refs_sinh(x):
    return torch._refs.sinh(x)


@harness.operation
def sign(x: Float[Tensor, "batch d"]) -> Float[Tensor, "batch d"]:
    """What torch.sign computes."""
    return torch.sign(x)


sign.implementation(sign.definition, name="transformed")


@sign.implementation(name="out", out="memory")
def sign_out(x, memory):
    torch.sign(x, out=memory)


@sign.implementation(name="in_place", mutates="x")
def sign_in_place(x):
    torch.Tensor.sign_(x)


@sign.implementation(name="torch._refs.sign", forward_only=True)
def sign_torch__refs_sign(x):
    return torch._refs.sign(x)


@harness.operation
def sgn(x: Float[Tensor, "batch d"]) -> Float[Tensor, "batch d"]:
    """What torch.sgn computes."""
    return torch.sgn(x)


sgn.implementation(sgn.definition, name="transformed")


@sgn.implementation(name="out", out="memory")
def sgn_out(x, memory):
    torch.sgn(x, out=memory)


@sgn.implementation(name="in_place", mutates="x")
def sgn_in_place(x):
    torch.Tensor.sgn_(x)


@sgn.implementation(name="torch._refs.sgn", forward_only=True)
def sgn_torch__refs_sgn(x):
    return torch._refs.sgn(x)


@sgn.implementation(name="decomposed")
def sgn_decomposed(x):
    with Decomposed():
        return torch.sgn(x)


# x's axis 0 is always 5
# x's axis 1 is always 5
# x's axis 2 is always 5
@harness.operation
def split(x: Float[Tensor, "5 5 5"], y: int = 5, z: int = 1) -> Float[Tensor, "5 5 5"]:
    """What torch.split computes."""
    return torch.split(x, y, z)


split.implementation(split.definition, name="transformed")


@split.implementation(name="decomposed")
def split_decomposed(x, y, z):
    with Decomposed():
        return torch.split(x, y, z)


# x's axis 2 is always 5
@harness.operation
def split_list_args(x: Float[Tensor, "batch n 5"], z: int = 2) -> tuple[Float[Tensor, "batch n 2"], Float[Tensor, "batch n 1"], Float[Tensor, "batch n 2"]]:
    """What torch.split computes."""
    return torch.split(x, (2, 1, 2), z)


split_list_args.implementation(split_list_args.definition, name="transformed")


# x's axis 2 is always 5
@harness.operation
def split_with_sizes(x: Float[Tensor, "batch n 5"], z: int = 2) -> tuple[Float[Tensor, "batch n 1"], Float[Tensor, "batch n 3"], Float[Tensor, "batch n 1"]]:
    """What torch.split_with_sizes computes."""
    return torch.split_with_sizes(x, (1, 3, 1), z)


split_with_sizes.implementation(split_with_sizes.definition, name="transformed")


@split_with_sizes.implementation(name="torch._refs.split_with_sizes", forward_only=True)
def split_with_sizes_torch__refs_split_with_sizes(x, z):
    return torch._refs.split_with_sizes(x, (1, 3, 1), z)


# x's axis 2 is always 5
@harness.operation
def split_with_sizes_copy(x: Float[Tensor, "batch n 5"], z: int = 2) -> tuple[Float[Tensor, "batch n 1"], Float[Tensor, "batch n 3"], Float[Tensor, "batch n 1"]]:
    """What torch.split_with_sizes_copy computes."""
    return torch.split_with_sizes_copy(x, (1, 3, 1), z)


split_with_sizes_copy.implementation(split_with_sizes_copy.definition, name="transformed")


@split_with_sizes_copy.implementation(name="out", out="memory")
def split_with_sizes_copy_out(x, z, memory):
    torch.split_with_sizes_copy(x, (1, 3, 1), z, out=memory)


@split_with_sizes_copy.implementation(name="decomposed")
def split_with_sizes_copy_decomposed(x, z):
    with Decomposed():
        return torch.split_with_sizes_copy(x, (1, 3, 1), z)


@harness.operation(sizes={'n': (3, 1025)})
def select(x: Float[Tensor, "batch n d"], y: int = 1, z: int = 2) -> Float[Tensor, "batch d"]:
    """What torch.select computes."""
    return torch.select(x, y, z)


select.implementation(select.definition, name="transformed")


@harness.operation(sizes={'n': (3, 1025)})
def select_scatter(x: Float[Tensor, "batch n d"], y: Float[Tensor, "batch d"], z: int = 1, u: int = 2) -> Float[Tensor, "batch n d"]:
    """What torch.select_scatter computes."""
    return torch.select_scatter(x, y, z, u)


select_scatter.implementation(select_scatter.definition, name="transformed")


@select_scatter.implementation(name="torch._refs.select_scatter", forward_only=True)
def select_scatter_torch__refs_select_scatter(x, y, z, u):
    return torch._refs.select_scatter(x, y, z, u)


@select_scatter.implementation(name="decomposed")
def select_scatter_decomposed(x, y, z, u):
    with Decomposed():
        return torch.select_scatter(x, y, z, u)


# y's axis 0 is always 20
@harness.operation(sizes={'n': (20, 1025)})
def slice_scatter(x: Float[Tensor, "n m d"], y: Float[Tensor, "20 m d"], z: int = 0, u: int = 0, v: int = 20, w: int = 1) -> Float[Tensor, "n m d"]:
    """What torch.slice_scatter computes."""
    return torch.slice_scatter(x, y, z, u, v, w)


slice_scatter.implementation(slice_scatter.definition, name="transformed")


@slice_scatter.implementation(name="out", out="memory")
def slice_scatter_out(x, y, z, u, v, w, memory):
    torch.slice_scatter(x, y, z, u, v, w, out=memory)


@harness.operation(differentiable=False)
def signbit(x: Float[Tensor, "batch d"]) -> Bool[Tensor, "batch d"]:
    """What torch.signbit computes."""
    return torch.signbit(x)


signbit.implementation(signbit.definition, name="transformed")


@signbit.implementation(name="out", out="memory")
def signbit_out(x, memory):
    torch.signbit(x, out=memory)


@signbit.implementation(name="torch._refs.signbit", forward_only=True)
def signbit_torch__refs_signbit(x):
    return torch._refs.signbit(x)


@signbit.implementation(name="numpy.signbit", backend="numpy")
def signbit_numpy_signbit(x):
    return numpy.signbit(x)


@harness.operation
def sqrt(x: Annotated[Float[Tensor, "batch d"], harness.positive]) -> Float[Tensor, "batch d"]:
    """What torch.sqrt computes."""
    return torch.sqrt(x)


sqrt.implementation(sqrt.definition, name="transformed")


@sqrt.implementation(name="out", out="memory")
def sqrt_out(x, memory):
    torch.sqrt(x, out=memory)


@sqrt.implementation(name="in_place", mutates="x")
def sqrt_in_place(x):
    torch.Tensor.sqrt_(x)


@sqrt.implementation(name="torch._refs.sqrt", forward_only=True)
def sqrt_torch__refs_sqrt(x):
    return torch._refs.sqrt(x)


@sqrt.implementation(name="numpy.sqrt", backend="numpy")
def sqrt_numpy_sqrt(x):
    return numpy.sqrt(x)


@harness.operation
def square(x: Float[Tensor, "batch"]) -> Float[Tensor, "batch"]:
    """What torch.square computes."""
    return torch.square(x)


square.implementation(square.definition, name="transformed")


@square.implementation(name="out", out="memory")
def square_out(x, memory):
    torch.square(x, out=memory)


@square.implementation(name="in_place", mutates="x")
def square_in_place(x):
    torch.Tensor.square_(x)


@square.implementation(name="torch._refs.square", forward_only=True)
def square_torch__refs_square(x):
    return torch._refs.square(x)


@square.implementation(name="numpy.square", backend="numpy")
def square_numpy_square(x):
    return numpy.square(x)


# x's axis 0 is always 3
# x's axis 1 is always 3
# x's axis 2 is always 3
@harness.operation
def svd(x: Float[Tensor, "3 3 3"], some: Literal[True] = True) -> tuple[Float[Tensor, "3 3 3"], Float[Tensor, "3 3"], Float[Tensor, "3 3 3"]]:
    """What torch.svd computes."""
    return torch.svd(x, some=some)


svd.implementation(svd.definition, name="transformed")


@svd.implementation(name="out", out="memory")
def svd_out(x, some, memory):
    torch.svd(x, some=some, out=memory)


@svd.implementation(name="decomposed")
def svd_decomposed(x, some):
    with Decomposed():
        return torch.svd(x, some=some)


@harness.operation
def sort(x: Float[Tensor, "n m d"], dim: int = -3, descending: Literal[True] = True, stable: Literal[True] = True) -> tuple[Float[Tensor, "n m d"], Annotated[Int[Tensor, "n m d"], harness.picks('x', -3)]]:
    """What torch.sort computes."""
    return torch.sort(x, dim=dim, descending=descending, stable=stable)


sort.implementation(sort.definition, name="transformed")


@sort.implementation(name="out", out="memory")
def sort_out(x, dim, descending, stable, memory):
    torch.sort(x, dim=dim, descending=descending, stable=stable, out=memory)


# z's axis 1 is always 5
@harness.operation(sizes={'d': (5, 1025), 'k': (5, 1025)}, differentiable=False)
def scatter(x: Float[Tensor, "n d"], z: Annotated[Int[Tensor, "m 5"], harness.below('n')], u: Float[Tensor, "m k"], y: int = 0, reduce: str = 'add') -> Float[Tensor, "n d"]:
    """What torch.scatter computes."""
    return torch.scatter(x, y, z, u, reduce=reduce)


scatter.implementation(scatter.definition, name="transformed")


@scatter.implementation(name="out", out="memory")
def scatter_out(x, z, u, y, reduce, memory):
    torch.scatter(x, y, z, u, reduce=reduce, out=memory)


@scatter.implementation(name="in_place", mutates="x")
def scatter_in_place(x, z, u, y, reduce):
    torch.Tensor.scatter_(x, y, z, u, reduce=reduce)


# z's axis 1 is always 5
@harness.operation(sizes={'d': (5, 1025), 'k': (5, 1025)})
def scatter_add(x: Float[Tensor, "n d"], z: Annotated[Int[Tensor, "m 5"], harness.below('n')], u: Float[Tensor, "m k"], y: int = 0) -> Float[Tensor, "n d"]:
    """What torch.scatter_add computes."""
    return torch.scatter_add(x, y, z, u)


scatter_add.implementation(scatter_add.definition, name="transformed")


@scatter_add.implementation(name="out", out="memory")
def scatter_add_out(x, z, u, y, memory):
    torch.scatter_add(x, y, z, u, out=memory)


@scatter_add.implementation(name="in_place", mutates="x")
def scatter_add_in_place(x, z, u, y):
    torch.Tensor.scatter_add_(x, y, z, u)


@harness.operation
def stack(x_0: Float[Tensor, "batch d"], y: int = -1) -> Float[Tensor, "batch d 1"]:
    """What torch.stack computes."""
    return torch.stack([x_0], y)


stack.implementation(stack.definition, name="transformed")


@stack.implementation(name="out", out="memory")
def stack_out(x_0, y, memory):
    torch.stack([x_0], y, out=memory)


@stack.implementation(name="torch._refs.stack", forward_only=True)
def stack_torch__refs_stack(x_0, y):
    return torch._refs.stack([x_0], y)


@stack.implementation(name="decomposed")
def stack_decomposed(x_0, y):
    with Decomposed():
        return torch.stack([x_0], y)


@harness.operation(differentiable=False)
def searchsorted(x: Float[Tensor, "batch n d"], y: Float[Tensor, "batch n m"], sorter: Annotated[Int[Tensor, "batch n d"], harness.below('batch')], out_int32: Literal[False] = False, right: Literal[False] = False) -> Int[Tensor, "batch n m"]:
    """What torch.searchsorted computes."""
    return torch.searchsorted(x, y, out_int32=out_int32, right=right, sorter=sorter)


searchsorted.implementation(searchsorted.definition, name="transformed")


@searchsorted.implementation(name="out", out="memory")
def searchsorted_out(x, y, sorter, out_int32, right, memory):
    torch.searchsorted(x, y, out_int32=out_int32, right=right, sorter=sorter, out=memory)


@harness.operation
def squeeze(x: Float[Tensor, ""], y: int = 0) -> Float[Tensor, ""]:
    """What torch.squeeze computes."""
    return torch.squeeze(x, y)


squeeze.implementation(squeeze.definition, name="transformed")


@squeeze.implementation(name="in_place", mutates="x")
def squeeze_in_place(x, y):
    torch.Tensor.squeeze_(x, y)


@squeeze.implementation(name="torch._refs.squeeze", forward_only=True)
def squeeze_torch__refs_squeeze(x, y):
    return torch._refs.squeeze(x, y)


@squeeze.implementation(name="decomposed")
def squeeze_decomposed(x, y):
    with Decomposed():
        return torch.squeeze(x, y)


@harness.operation
def squeeze_multiple(x: Float[Tensor, ""]) -> Float[Tensor, ""]:
    """What torch.squeeze computes."""
    return torch.squeeze(x, (0,))


squeeze_multiple.implementation(squeeze_multiple.definition, name="transformed")


@squeeze_multiple.implementation(name="in_place", mutates="x")
def squeeze_multiple_in_place(x):
    torch.Tensor.squeeze_(x, (0,))


@squeeze_multiple.implementation(name="torch._refs.squeeze", forward_only=True)
def squeeze_multiple_torch__refs_squeeze(x):
    return torch._refs.squeeze(x, (0,))


@squeeze_multiple.implementation(name="decomposed")
def squeeze_multiple_decomposed(x):
    with Decomposed():
        return torch.squeeze(x, (0,))


@harness.operation
def squeeze_copy(x: Float[Tensor, ""], y: int = 0) -> Float[Tensor, ""]:
    """What torch.squeeze_copy computes."""
    return torch.squeeze_copy(x, y)


squeeze_copy.implementation(squeeze_copy.definition, name="transformed")


@squeeze_copy.implementation(name="out", out="memory")
def squeeze_copy_out(x, y, memory):
    torch.squeeze_copy(x, y, out=memory)


@squeeze_copy.implementation(name="torch._refs.squeeze_copy", forward_only=True)
def squeeze_copy_torch__refs_squeeze_copy(x, y):
    return torch._refs.squeeze_copy(x, y)


@squeeze_copy.implementation(name="decomposed")
def squeeze_copy_decomposed(x, y):
    with Decomposed():
        return torch.squeeze_copy(x, y)


@harness.operation
def sigmoid(x: Float[Tensor, "batch"]) -> Float[Tensor, "batch"]:
    """What torch.sigmoid computes."""
    return torch.sigmoid(x)


sigmoid.implementation(sigmoid.definition, name="transformed")


@sigmoid.implementation(name="out", out="memory")
def sigmoid_out(x, memory):
    torch.sigmoid(x, out=memory)


@sigmoid.implementation(name="in_place", mutates="x")
def sigmoid_in_place(x):
    torch.Tensor.sigmoid_(x)


@sigmoid.implementation(name="torch._refs.sigmoid", forward_only=True)
def sigmoid_torch__refs_sigmoid(x):
    return torch._refs.sigmoid(x)


@harness.operation
def std(x: Float[Tensor, "batch n d"], dim: int = 1, unbiased: Literal[True] = True, keepdim: Literal[True] = True) -> Float[Tensor, "batch 1 d"]:
    """What torch.std computes."""
    return torch.std(x, dim=dim, unbiased=unbiased, keepdim=keepdim)


std.implementation(std.definition, name="transformed")


@std.implementation(name="out", out="memory")
def std_out(x, dim, unbiased, keepdim, memory):
    torch.std(x, dim=dim, unbiased=unbiased, keepdim=keepdim, out=memory)


@std.implementation(name="torch._refs.std", forward_only=True)
def std_torch__refs_std(x, dim, unbiased, keepdim):
    return torch._refs.std(x, dim=dim, unbiased=unbiased, keepdim=keepdim)


@std.implementation(name="decomposed")
def std_decomposed(x, dim, unbiased, keepdim):
    with Decomposed():
        return torch.std(x, dim=dim, unbiased=unbiased, keepdim=keepdim)


@harness.operation
def std_unbiased(x: Float[Tensor, "n d"], y: Literal[True] = True) -> Float[Tensor, ""]:
    """What torch.std computes."""
    return torch.std(x, y)


std_unbiased.implementation(std_unbiased.definition, name="transformed")


@std_unbiased.implementation(name="decomposed")
def std_unbiased_decomposed(x, y):
    with Decomposed():
        return torch.std(x, y)


@harness.operation
def sum(x: Float[Tensor, "n d"], dim: int = 0, keepdim: Literal[True] = True) -> Float[Tensor, "1 d"]:
    """What torch.sum computes."""
    return torch.sum(x, dim=dim, keepdim=keepdim)


sum.implementation(sum.definition, name="transformed")


@sum.implementation(name="torch._refs.sum", forward_only=True)
def sum_torch__refs_sum(x, dim, keepdim):
    return torch._refs.sum(x, dim=dim, keepdim=keepdim)


@sum.implementation(name="decomposed")
def sum_decomposed(x, dim, keepdim):
    with Decomposed():
        return torch.sum(x, dim=dim, keepdim=keepdim)


# z's axis 1 is always 5
@harness.operation(sizes={'d': (5, 1025), 'k': (5, 1025)})
def scatter_reduce_sum(x: Float[Tensor, "n d"], z: Annotated[Int[Tensor, "m 5"], harness.below('n')], u: Float[Tensor, "m k"], y: int = 0, v: str = 'sum', include_self: Literal[False] = False) -> Float[Tensor, "n d"]:
    """What torch.scatter_reduce computes."""
    return torch.scatter_reduce(x, y, z, u, v, include_self=include_self)


scatter_reduce_sum.implementation(scatter_reduce_sum.definition, name="transformed")


@scatter_reduce_sum.implementation(name="out", out="memory")
def scatter_reduce_sum_out(x, z, u, y, v, include_self, memory):
    torch.scatter_reduce(x, y, z, u, v, include_self=include_self, out=memory)


@scatter_reduce_sum.implementation(name="in_place", mutates="x")
def scatter_reduce_sum_in_place(x, z, u, y, v, include_self):
    torch.Tensor.scatter_reduce_(x, y, z, u, v, include_self=include_self)


# z's axis 1 is always 5
@harness.operation(sizes={'d': (5, 1025), 'k': (5, 1025)})
def scatter_reduce_prod(x: Float[Tensor, "n d"], z: Annotated[Int[Tensor, "m 5"], harness.below('n')], u: Float[Tensor, "m k"], y: int = 0, v: str = 'prod', include_self: Literal[False] = False) -> Float[Tensor, "n d"]:
    """What torch.scatter_reduce computes."""
    return torch.scatter_reduce(x, y, z, u, v, include_self=include_self)


scatter_reduce_prod.implementation(scatter_reduce_prod.definition, name="transformed")


@scatter_reduce_prod.implementation(name="out", out="memory")
def scatter_reduce_prod_out(x, z, u, y, v, include_self, memory):
    torch.scatter_reduce(x, y, z, u, v, include_self=include_self, out=memory)


@scatter_reduce_prod.implementation(name="in_place", mutates="x")
def scatter_reduce_prod_in_place(x, z, u, y, v, include_self):
    torch.Tensor.scatter_reduce_(x, y, z, u, v, include_self=include_self)


# z's axis 1 is always 5
@harness.operation(sizes={'d': (5, 1025), 'k': (5, 1025)})
def scatter_reduce_mean(x: Float[Tensor, "n d"], z: Annotated[Int[Tensor, "m 5"], harness.below('n')], u: Float[Tensor, "m k"], y: int = 0, v: str = 'mean', include_self: Literal[False] = False) -> Float[Tensor, "n d"]:
    """What torch.scatter_reduce computes."""
    return torch.scatter_reduce(x, y, z, u, v, include_self=include_self)


scatter_reduce_mean.implementation(scatter_reduce_mean.definition, name="transformed")


@scatter_reduce_mean.implementation(name="out", out="memory")
def scatter_reduce_mean_out(x, z, u, y, v, include_self, memory):
    torch.scatter_reduce(x, y, z, u, v, include_self=include_self, out=memory)


@scatter_reduce_mean.implementation(name="in_place", mutates="x")
def scatter_reduce_mean_in_place(x, z, u, y, v, include_self):
    torch.Tensor.scatter_reduce_(x, y, z, u, v, include_self=include_self)


# z's axis 1 is always 5
@harness.operation(sizes={'d': (5, 1025), 'k': (5, 1025)})
def scatter_reduce_amin(x: Float[Tensor, "n d"], z: Annotated[Int[Tensor, "m 5"], harness.below('n')], u: Float[Tensor, "m k"], y: int = 0, v: str = 'amin', include_self: Literal[False] = False) -> Float[Tensor, "n d"]:
    """What torch.scatter_reduce computes."""
    return torch.scatter_reduce(x, y, z, u, v, include_self=include_self)


scatter_reduce_amin.implementation(scatter_reduce_amin.definition, name="transformed")


@scatter_reduce_amin.implementation(name="out", out="memory")
def scatter_reduce_amin_out(x, z, u, y, v, include_self, memory):
    torch.scatter_reduce(x, y, z, u, v, include_self=include_self, out=memory)


@scatter_reduce_amin.implementation(name="in_place", mutates="x")
def scatter_reduce_amin_in_place(x, z, u, y, v, include_self):
    torch.Tensor.scatter_reduce_(x, y, z, u, v, include_self=include_self)


# z's axis 1 is always 5
@harness.operation(sizes={'d': (5, 1025), 'k': (5, 1025)})
def scatter_reduce_amax(x: Float[Tensor, "n d"], z: Annotated[Int[Tensor, "m 5"], harness.below('n')], u: Float[Tensor, "m k"], y: int = 0, v: str = 'amax', include_self: Literal[False] = False) -> Float[Tensor, "n d"]:
    """What torch.scatter_reduce computes."""
    return torch.scatter_reduce(x, y, z, u, v, include_self=include_self)


scatter_reduce_amax.implementation(scatter_reduce_amax.definition, name="transformed")


@scatter_reduce_amax.implementation(name="out", out="memory")
def scatter_reduce_amax_out(x, z, u, y, v, include_self, memory):
    torch.scatter_reduce(x, y, z, u, v, include_self=include_self, out=memory)


@scatter_reduce_amax.implementation(name="in_place", mutates="x")
def scatter_reduce_amax_in_place(x, z, u, y, v, include_self):
    torch.Tensor.scatter_reduce_(x, y, z, u, v, include_self=include_self)
