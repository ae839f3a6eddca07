"""The oracle's own rounding: how far a result moves when every operator's result is rounded at random.

A definition is evaluated in float64, and may itself lose digits there: 1 + erf x in the tail, where an implementation by
erfc loses none. So that a correct implementation is not held to the definition's errors, each float64 result of PyTorch's
operators is multiplied by 1 ± eps at random, a few times over, and the result's moves tell how many digits it has (Monte
Carlo arithmetic: Parker, Monte Carlo Arithmetic, 1997; Vignes, Discrete Stochastic Arithmetic, 2004). An operator that is
a whole formula of entries (GELU is x/2 times 1 + erf) loses digits within: as many eps as it loses in float32 of what it
makes of the same numbers in float64. What is not made of operators (NumPy, SciPy) moves with what comes out of them alone.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_map

from harness.measure.operators import EagerMode

_ROUNDINGS = 3
_EPS = torch.finfo(torch.float64).eps
_SINGLE = torch.finfo(torch.float32)

_NONE_LEFT = 0.1
"""The part of itself that an entry loses where no digit of it is left."""


class RandomRounding(EagerMode):  # type: ignore[no-untyped-call]
    """Rounds whatever operators compute in float64 inside another way; views and what is written in place stay."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self._generator = torch.Generator().manual_seed(seed)

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = func(*args, **(kwargs or {}))
        if any(each.alias_info is not None for each in func._schema.returns):
            return made
        entrywise = torch.Tag.pointwise in func.tags and torch.Tag.nondeterministic_seeded not in func.tags
        within = _lost_within(func, args, kwargs or {}) if entrywise else None
        return tree_map(lambda each: self._rounded(each, within), made)

    def _rounded(self, made: Any, within: Tensor | None) -> Any:
        if not isinstance(made, Tensor) or made.dtype is not torch.float64 or not made.is_cpu:
            return made
        ways = 2 * torch.randint(0, 2, made.shape, generator=self._generator, dtype=torch.float64) - 1
        by = _EPS if within is None or within.shape != made.shape else within.clamp_min(_EPS)
        return made * (1 + by * ways)


def _lost_within(func: Any, args: Any, kwargs: Any) -> Tensor | None:
    """The part of itself that each entry of a result may have lost within its operator, by what it loses in float32.

    None where that can't be told: 0 for an entry out of float32's range, 1 where float32 keeps no digit.
    """
    single = tree_map(partial(_cast, torch.float32), (args, kwargs))
    found = func(*single[0], **single[1])
    if not isinstance(found, Tensor) or found.dtype is not torch.float32:
        return None
    wide = tree_map(partial(_cast, torch.float64), single)
    right = func(*wide[0], **wide[1])
    size = right.abs()
    lost = (found.double() - right).abs() / (size * _SINGLE.eps)
    told = (size >= _SINGLE.smallest_normal) & (size <= _SINGLE.max) & lost.isfinite()
    return torch.where(told, torch.where(lost < _NONE_LEFT / _SINGLE.eps, lost * _EPS, 1.0), 0.0)


def _cast(dtype: torch.dtype, given: Any) -> Any:
    return given.to(dtype) if isinstance(given, Tensor) and given.is_floating_point() else given


def rounded_at_random(evaluate: Callable[[], list[Any]]) -> list[list[Any]]:
    """What is evaluated with its operators rounded at random, a few times; nothing where it does not bear that."""
    try:
        return [_once(evaluate, seed) for seed in range(_ROUNDINGS)]
    except Exception:  # what notices a change of one eps, such as a check of symmetry
        return []


def _once(evaluate: Callable[[], list[Any]], seed: int) -> list[Any]:
    with RandomRounding(seed):
        return evaluate()
