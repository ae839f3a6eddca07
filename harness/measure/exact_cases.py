"""Exact cases: those in which nobody who adds and multiplies rounds anything, in whatever order.

Small whole numbers have exact sums and products as long as all partial sums fit into the precision, so that results are equal
or wrong there, however far rounding might have led elsewhere. Which cases these are is found by evaluating the definition
operator by operator: each must be one that adds, multiplies, compares or moves, its result must be a multiple of a power of
two, and the same operator on absolute values bounds all its partial sums (a condition for error-free summation: Rump, Ogita
and Oishi, Accurate floating-point summation, 2008). Who computes by way of a Fourier transform or the like rounds all the
same; so a result is wrong only where it is off by whole multiples, as no rounding of numbers that small is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves, tree_map

from harness.errors import DefinitionFault
from harness.generate.case import Case
from harness.measure.arrays import Array
from harness.measure.operators import EagerMode


def _named(names: str) -> frozenset[str]:
    """Operators by their names in PyTorch."""
    return frozenset(names.split())


_ADDING = _named(
    """
    sum mm bmm addmm addmv addbmm baddbmm mv dot vdot cumsum convolution index_add scatter_add scatter_reduce
    add sub rsub mul neg addcmul einsum kron outer index_put _index_put_impl trace
    """
)
_CHOOSING = _named(
    """
    abs amax amin max min maximum minimum relu clamp clamp_min clamp_max where sign argmax argmin sort topk
    cummax cummin eq ne lt le gt ge logical_and logical_or logical_not logical_xor bitwise_and bitwise_or
    bitwise_not any all isfinite floor ceil round trunc masked_fill max_pool2d_with_indices
    """
)
_MOVING = _named(
    """
    _to_copy _local_scalar_dense _unsafe_view alias arange as_strided cat clone constant_pad_nd copy detach
    diagonal diagonal_copy diag_embed embedding empty empty_like empty_strided expand eye fill flip full
    full_like gather im2col index index_copy index_select lift_fresh masked_select narrow new_empty new_full
    new_ones new_zeros nonzero ones ones_like permute pixel_shuffle reflection_pad1d reflection_pad2d repeat
    replication_pad1d replication_pad2d reshape roll scatter select slice slice_scatter select_scatter split
    split_with_sizes squeeze stack t take transpose tril tril_indices triu triu_indices unbind unfold unsqueeze
    upsample_nearest2d view zero zeros zeros_like item is_same_size rot90 repeat_interleave
    """
)
_MEAN = "mean"
"""An operator's name, and how one that adds into places may be told to do it."""

_FINEST = 24
"""Halvings of one, to which what is computed must be a multiple."""

_MARGIN = 2
"""The bits of a precision that partial sums leave free, so that what is off by a whole multiple is off by four spacings at least."""


class _Inexact(Exception):
    """An operator may round, or its partial sums do not fit."""


class _Exactly(EagerMode):  # type: ignore[no-untyped-call]
    """Raises _Inexact at the first operator that may round, or is none of those that add, choose or move.

    halvings: of one, by divisions alone: a quotient may be a multiple of less by chance, and others of its kind not.
    """

    def __init__(self, most: float) -> None:
        super().__init__()
        self._most = most
        self.has_computed = False
        self.halvings = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        made = func(*args, **kwargs)
        name = func.overloadpacket.__name__.removesuffix("_")
        self.has_computed |= name not in _MOVING
        if name in _ADDING and not _averages(args, kwargs):
            self._check_sums(func, args, kwargs)
        elif name == _MEAN:
            count = args[0].numel() // max(made.numel(), 1)
            self._check_divisor(args[0], count)
            self._check_sums(func, args, kwargs, count)
        elif name == "div":
            self._check_divisor(args[0], args[1])
        elif name not in _CHOOSING and name not in _MOVING:
            raise _Inexact
        for each in tree_leaves(made):
            if _is_float(each):
                _halvings(each)
        return made

    def _check_sums(self, func: Any, args: Any, kwargs: Any, divisor: int = 1) -> None:
        """The operator on absolute values bounds all partial sums; products are as fine as their factors together.

        divisor: by which it divides at the end.
        """
        positive = tree_map(_absolute, (args, kwargs))
        halvings = sum(_halvings(each) for each in tree_leaves((args, kwargs)) if _is_float(each))
        for each in tree_leaves(func(*positive[0], **positive[1])):
            if _is_float(each) and each.numel() and float(each.abs().max()) * divisor * 2.0**halvings > self._most:
                raise _Inexact

    def _check_divisor(self, dividend: Any, divisor: Any) -> None:
        """Raise _Inexact where a divisor is no power of two."""
        values = divisor.double().abs().numpy() if isinstance(divisor, Tensor) else np.abs(np.float64(divisor))
        parts, exponents = np.frexp(values)
        if not (parts == 0.5).all():
            raise _Inexact
        of_the_dividend = _halvings(dividend) if _is_float(dividend) else 0
        self.halvings = max(self.halvings, of_the_dividend + int(exponents.max(initial=1)) - 1)


def _averages(args: Any, kwargs: Any) -> bool:
    """Whether an operator that adds into places is told to divide by how many it has added."""
    return any(each == _MEAN for each in (*args, *kwargs.values()) if isinstance(each, str))


def _is_float(value: Any) -> bool:
    return isinstance(value, Tensor) and value.is_floating_point()


def _absolute(value: Any) -> Any:
    """A fresh tensor of absolute values, since the operator may work in place."""
    if _is_float(value):
        return value.abs()
    return value.clone() if isinstance(value, Tensor) else abs(value) if type(value) is float else value


def _halvings(values: Tensor) -> int:
    """How often one must be halved for these to be whole multiples. Raises _Inexact where that is too often, or never."""
    if not bool(values.isfinite().all()):
        raise _Inexact
    for halvings in range(_FINEST + 1):
        scaled = values * 2.0**halvings
        if bool((scaled == scaled.round()).all()):
            return halvings
    raise _Inexact


def spacing(case: Case, wide: dict[str, Tensor], evaluate: Callable[[dict[str, Tensor]], list[Array]]) -> float:
    """The power of two of which all results of an exact case are multiples; 0 where rounding may have a part in it.

    wide: the case's arguments as the oracle takes them.
    """
    floats = [tensor for tensor in wide.values() if tensor.is_floating_point()]
    if not floats or not all(bool((each == each.round()).all()) for each in floats):
        return 0.0
    mode = _Exactly(0.5**_MARGIN * 2 / case.precision.eps)
    try:
        with torch.no_grad(), mode:
            results = evaluate(wide)
    except (_Inexact, DefinitionFault, RuntimeError):
        return 0.0
    made = [torch.from_numpy(np.array(each)) for each in results if each.dtype.kind == "f"]
    if not made or not mode.has_computed:
        return 0.0  # what NumPy or a loop in C has made, nobody has seen
    return 0.5 ** max(mode.halvings, *map(_halvings, made))
