"""The oracle's own rounding: how far a result moves when every operator's result is rounded at random.

A definition is evaluated in float64, and may itself lose digits there: 1 + erf x in the tail, where an implementation by
erfc loses none. So that a correct implementation is not held to the definition's errors, each float64 result of PyTorch's
operators is multiplied by 1 ± eps at random, a few times over, and the result's moves tell how many digits it has (Monte
Carlo arithmetic: Parker, Monte Carlo Arithmetic, 1997; Vignes, Discrete Stochastic Arithmetic, 2004). An operator that is
a whole formula of entries (GELU) is taken apart as PyTorch's own table says. What is not made of operators (NumPy, SciPy)
moves with what comes out of them alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch._decomp import decomposition_table
from torch.utils._pytree import tree_map

from harness.measure.operators import EagerMode

_ROUNDINGS = 3
_EPS = torch.finfo(torch.float64).eps


class RandomRounding(EagerMode):  # type: ignore[no-untyped-call]
    """Rounds whatever operators compute in float64 inside another way; views and what is written in place stay."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self._generator = torch.Generator().manual_seed(seed)

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        within = decomposition_table.get(func) if torch.Tag.pointwise in func.tags else None
        if within is not None:
            with self:  # a kernel for a whole formula, such as GELU's 1 + erf, loses digits within
                return within(*args, **(kwargs or {}))
        made = func(*args, **(kwargs or {}))
        if any(each.alias_info is not None for each in func._schema.returns):
            return made
        return tree_map(self._rounded, made)

    def _rounded(self, made: Any) -> Any:
        if not isinstance(made, Tensor) or made.dtype is not torch.float64 or made.device.type != "cpu":
            return made
        ways = torch.randint(0, 2, made.shape, generator=self._generator, dtype=torch.float64)
        return made * (1 + _EPS * (2 * ways - 1))


def rounded_at_random(evaluate: Callable[[], list[Any]]) -> list[list[Any]]:
    """What is evaluated with its operators rounded at random, a few times; nothing where it does not bear that."""
    try:
        return [_once(evaluate, seed) for seed in range(_ROUNDINGS)]
    except Exception:  # what notices a change of one eps, such as a check of symmetry
        return []


def _once(evaluate: Callable[[], list[Any]], seed: int) -> list[Any]:
    with RandomRounding(seed):
        return evaluate()
