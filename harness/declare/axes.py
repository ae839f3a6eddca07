"""Axes as jaxtyping writes them: `"layers*directions batch hidden"`.

A name is a size that is drawn, a number is fixed, and an expression of both follows from them. Which axes a tensor has may
vary from call to call (`"*batch d"`, `"#batch d"`): the form of a call says so, like an option (see harness.declare.forms).
"""

from __future__ import annotations

import ast
import contextlib
import operator
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Any

from harness.errors import DeclarationError

_OPERATORS = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv,
}


_MOST_TAKEN_OFF = 64
"""How far a name's value may lie beyond twice the size of the axis in whose expression it is: "n-3" lies 3 beyond."""


@dataclass(frozen=True)
class Axis:
    """One axis of a tensor: a name, a number, or an integer expression in +, -, * and //."""

    text: str

    def under(self, form: Mapping[str, Any]) -> tuple[Axis, ...]:
        """The axes that it stands for in calls of this form: itself, where it does not vary."""
        return (self,)

    @property
    def possible(self) -> tuple[Axis, ...]:
        """The axes that it stands for in some form."""
        return (self,)

    @cached_property
    def _tree(self) -> ast.expr:
        try:
            return ast.parse(self.text, mode="eval").body
        except SyntaxError:
            raise DeclarationError(f"axis {self.text!r} is not a name, a number or an expression of them") from None

    @cached_property
    def names(self) -> frozenset[str]:
        """The names that the size depends on."""
        return frozenset(node.id for node in ast.walk(self._tree) if isinstance(node, ast.Name))

    @cached_property
    def is_name(self) -> bool:
        """Whether the axis is a plain name, so that its size is free to be drawn."""
        return isinstance(self._tree, ast.Name)

    def size(self, known: Mapping[str, Any]) -> int:
        """The size, given a value for every name. Raises DeclarationError for anything but integer arithmetic."""
        if self.is_name and self.text in known:  # most axes are
            return int(known[self.text])
        return self._evaluate(self._tree, known)

    def solved(self, name: str, size: int, known: Mapping[str, Any], likely: int | None = None) -> dict[str, int]:
        """The value of a name with which the axis has this size, while the others are known; empty where there is none.

        likely: what is taken where it fits, though others do too, as in "n//2".
        """

        def fits(value: int) -> bool:
            try:
                return self.size({**known, name: value}) == size
            except ZeroDivisionError:
                return False

        if likely is not None and fits(likely):
            return {name: likely}
        return next(
            ({name: value} for value in chain(self._straight(name, size, known), _beyond(size)) if fits(value)), {}
        )

    def _straight(self, name: str, size: int, known: Mapping[str, Any]) -> Iterator[int]:
        """The value, if the expression is a multiple of the name and something: nearly all are."""
        with contextlib.suppress(ZeroDivisionError):
            start, next_ = (self.size({**known, name: value}) for value in (1, 2))
            value = 1 + (size - start) // (next_ - start)
            if value >= 0:
                yield value

    @cached_property
    def factor_names(self) -> tuple[str, ...]:
        """What a product's factors are called, outermost first; the axis' own text where it is no product."""
        return tuple(ast.unparse(node) for node in _multiplied(self._tree))

    def factors(self, known: Mapping[str, Any]) -> tuple[int, ...]:
        """The sizes of a product's factors, outermost first; the size alone where it is no product."""
        return tuple(self._evaluate(node, known) for node in _multiplied(self._tree))

    def _evaluate(self, node: ast.expr, known: Mapping[str, Any]) -> int:
        match node:
            case ast.Constant(value=int() as number):
                return number
            case ast.Name(id=name) if name in known:
                return int(known[name])
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
                return _OPERATORS[type(op)](self._evaluate(left, known), self._evaluate(right, known))
            case ast.Name(id=name):
                raise DeclarationError(f"axis {self.text!r} uses {name!r}, which is neither a drawn size nor an option")
        raise DeclarationError(f"axis {self.text!r} may use names, integers, +, -, * and // only")


class ComputedAxis(Axis):
    """An axis whose length is computed from all sizes and options, as that of a module's parameter is.

    name: what it is called; length: computes it; sizes: the names of the sizes on which it may depend.
    """

    is_name = False
    factor_names = ()

    def __init__(self, name: str, length: Callable[[Mapping[str, Any]], int], sizes: Iterable[str]) -> None:
        super().__init__(name)
        object.__setattr__(self, "_told", (length, frozenset(sizes)))

    @property
    def names(self) -> frozenset[str]:
        """The sizes on which it may depend."""
        return self._told[1]  # type: ignore[attr-defined]

    def size(self, known: Mapping[str, Any]) -> int:
        """Its length for these sizes and options."""
        return int(self._told[0](known))  # type: ignore[attr-defined]

    def factors(self, known: Mapping[str, Any]) -> tuple[int, ...]:
        """Its length alone."""
        return (self.size(known),)

    def solved(self, name: str, size: int, known: Mapping[str, Any], likely: int | None = None) -> dict[str, int]:
        """Nothing: no size is told from it."""
        return {}


def _beyond(size: int) -> range:
    return range(2 * size + _MOST_TAKEN_OFF)


def _multiplied(node: ast.expr) -> Iterator[ast.expr]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        yield from _multiplied(node.left)
        yield from _multiplied(node.right)
    else:
        yield node


def parse_axes(text: str) -> tuple[Axis, ...]:
    """The axes of a dimension string in which none varies. Raises DeclarationError for one that does."""
    axes = tuple(Axis(token) for token in text.split())
    for axis in axes:
        if axis.text.startswith(("*", "#", "?", "_", "...")):
            raise DeclarationError(f"axis {axis.text!r} has no fixed rank or size; name each axis")
    return axes
