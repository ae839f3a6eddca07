"""Constants of the source: the numbers in the code that an implementation runs, as far as it stands in its own module.

What code compares with, divides by or cuts at stands in it as a number. Tests that are seeded with those reach branches which
chance does not (Fraser and Arcuri, The seed is strong: seeding strategies in search-based software testing, 2012).
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable, Iterator
from types import CodeType, FunctionType
from typing import Any

from harness.declare.callables import plain
from harness.declare.kernel_constants import bound_constants, is_of_triton


def constants_of(function: Callable[..., Any]) -> frozenset[float]:
    """The numbers in the code of a callable, in what that calls of its own module, and in the globals and attributes it names.

    Kernels that an object wraps as its `fn`, as Triton does, count as called, with the configurations by which they are tuned.
    Of a builtin there are none.
    """
    found: set[float] = set()
    seen: set[int] = set()
    left: list[Any] = [function]
    while left:
        each = left.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        code = _code_of(each)
        if code is None:
            continue
        found.update(_numbers(_values(each, code)))
        left += [named for named in _named(code) if _is_of(named, code.__module__)]
    return frozenset(found)


def _code_of(value: Any) -> FunctionType | None:
    """The Python function behind something that is called, or that a kernel is made of."""
    while not isinstance(value, FunctionType) and hasattr(value, "fn"):
        value = value.fn
    return plain(value) if callable(value) else None


def _values(owner: Any, function: FunctionType) -> Iterator[Any]:
    """What may be a number: constants, defaults, what is named, and what its object holds."""
    for code in _codes(function.__code__):
        yield from code.co_consts
    for default in (*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()):
        yield default
        yield from bound_constants(default)
    for named in (owner, *_named(function)):
        yield named
        yield from bound_constants(named)
    if isinstance(owner, functools.partial):
        yield from (*owner.args, *owner.keywords.values())
    if not is_of_triton(owner) and not isinstance(owner, type | FunctionType):
        yield from getattr(owner, "__dict__", {}).values()


def _codes(code: CodeType) -> Iterator[CodeType]:
    """A function's code, and that of the functions within."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def _named(function: FunctionType) -> Iterator[Any]:
    """What a function names of its module, and what it has of the functions around it."""
    for code in _codes(function.__code__):
        yield from (function.__globals__[name] for name in code.co_names if name in function.__globals__)
    for cell in function.__closure__ or ():
        try:
            yield cell.cell_contents
        except ValueError:  # nothing was put there yet
            continue


def _is_of(value: Any, module: str) -> bool:
    """Whether it is code of a module, of which the numbers count as well."""
    code = _code_of(value)
    return code is not None and code.__module__ == module


def _numbers(values: Iterable[Any]) -> Iterator[float]:
    for value in values:
        if isinstance(value, tuple | list):
            yield from _numbers(value)
        elif type(value) in (int, float) and math.isfinite(value):
            yield abs(value)
