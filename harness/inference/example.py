"""The example: the arguments of one call, with the tensors in them and the whole numbers that may be sizes."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from torch import Tensor

from harness.declare.callables import place_of
from harness.errors import DeclarationError

_LETTERS = ("x", "y", "z", "u", "v", "w")

SCALARS = (bool, int, float, str)
"""What may be the value of an option."""


@dataclass(frozen=True)
class Example:
    """The arguments of one call by name: tensors and other values, or lists and tuples of these.

    A tensor in a list is named after it and its place there, as in `tensors_0`. keywords: the names of those that are given
    by name, as a builtin's options are; the others are given in order.
    """

    arguments: Mapping[str, Any]
    keywords: frozenset[str] = frozenset()

    @cached_property
    def tensors(self) -> dict[str, Tensor]:
        """Every tensor by its name."""
        return {name: leaf for name, leaf in self._leaves if isinstance(leaf, Tensor)}

    @cached_property
    def numbers(self) -> dict[str, int]:
        """Every whole number from 2 on, which may be the length of an axis."""
        return {name: leaf for name, leaf in self._leaves if type(leaf) is int and leaf > 1}

    @property
    def scalars(self) -> dict[str, Any]:
        """The arguments that are numbers or words."""
        return {name: value for name, value in self.arguments.items() if isinstance(value, SCALARS)}

    @property
    def _leaves(self) -> Iterator[tuple[str, Any]]:
        for name, value in self.arguments.items():
            yield from _leaves(name, value)

    def call(self, function: Callable[..., Any], values: Mapping[str, Any]) -> Any:
        """What a function gives for the arguments, of which some tensors and numbers are exchanged, and the other tensors copied."""
        filled = {name: _filled(name, value, values) for name, value in self.arguments.items()}
        named = {name: filled.pop(name) for name in self.arguments if name in self.keywords}
        return function(*filled.values(), **named)

    def spelled(self, instead: Mapping[str, str]) -> str:
        """The arguments as Python: tensors by their names; instead: what stands for one, as for a number that is a size."""
        said = {name: _spelled(name, value, instead) for name, value in self.arguments.items()}
        return ", ".join(f"{name}={each}" if name in self.keywords else each for name, each in said.items())


def parts_of(returned: Any) -> list[Any]:
    """What a call has given, one result after another."""
    return list(returned) if isinstance(returned, tuple | list) else [returned]


def _parts(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    yield from ((f"{name}_{place}", part) for place, part in enumerate(value))


def _leaves(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    if not isinstance(value, list | tuple):
        yield name, value
        return
    for inner, part in _parts(name, value):
        yield from _leaves(inner, part)


def _filled(name: str, value: Any, values: Mapping[str, Any]) -> Any:
    if not isinstance(value, list | tuple):
        return values[name] if name in values else value.clone() if isinstance(value, Tensor) else value
    return type(value)(_filled(inner, part, values) for inner, part in _parts(name, value))


def _spelled(name: str, value: Any, instead: Mapping[str, str]) -> str:
    if not isinstance(value, list | tuple):
        return instead.get(name, name if isinstance(value, (Tensor, *SCALARS)) else repr(value))
    inside = [_within(inner, part, instead) for inner, part in _parts(name, value)]
    if isinstance(value, list):
        return f"[{', '.join(inside)}]"
    return f"({', '.join(inside)}{',' if len(inside) == 1 else ''})"


def _within(name: str, value: Any, instead: Mapping[str, str]) -> str:
    """A part of a list: a number there is no option, and stands for itself."""
    if isinstance(value, Tensor | list | tuple) or name in instead:
        return _spelled(name, value, instead)
    return repr(value)


def example_of(function: Callable[..., Any], given: Sequence[Any] | Mapping[str, Any]) -> Example:
    """An example by the names of a function's parameters; those of one without a signature are called x, y, z.

    Raises DeclarationError where the function does not take it.
    """
    if isinstance(given, Mapping):
        return _by_name(function, given)
    arguments = tuple(given) if isinstance(given, tuple | list) else (given,)
    try:
        bound = inspect.signature(function).bind(*arguments)
    except ValueError:  # a builtin
        return Example(dict(zip(_LETTERS, arguments, strict=False)))
    except TypeError as failure:
        raise DeclarationError(f"{place_of(function)}: it does not take the example: {failure}") from None
    several = any(each.kind is each.VAR_POSITIONAL for each in bound.signature.parameters.values())
    return Example(dict(zip(_LETTERS, arguments, strict=False)) if several else dict(bound.arguments))


def _by_name(function: Callable[..., Any], given: Mapping[str, Any]) -> Example:
    """An example by name, in the order of the function's parameters; a builtin, which does not tell them, is given all by name.

    Raises DeclarationError where the function has none of the name.
    """
    try:
        bound = inspect.signature(function).bind(**given)
    except ValueError:
        return Example(dict(given), frozenset(given))
    except TypeError as failure:
        raise DeclarationError(f"{place_of(function)}: it does not take the example: {failure}") from None
    return Example(dict(bound.arguments), frozenset(bound.kwargs))
