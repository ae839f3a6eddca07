"""A declaration that is told from one example call, by trying others.

Axes of the same length are one axis until a call with another length says no; so are whole numbers among the arguments, as
those of a shape. Values tell whether integers are indices of an axis, and whether numbers have to be positive. What can't be
told is said, so that a person can put it right: `harness.declare(slow, example=(x, w))` prints the declaration to be pasted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from harness.inference.declaration import Declaration
from harness.inference.example import example_of
from harness.inference.trials import Trials

__all__ = ["Declaration", "declare"]


def declare(function: Callable[..., Any], *, example: Sequence[Any] | Mapping[str, Any]) -> Declaration:
    """The declaration of an operation, told from one example call of its function. Print it, paste it, refine it.

    example: the arguments, in order or by name; lists and tuples of them may hold tensors. Raises DeclarationError where the
    function can't be called with them, or where its results have a size that follows from none of theirs.
    """
    return Trials(function, example_of(function, example)).declaration()
