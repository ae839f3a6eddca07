"""A module's public functions as operators to survey, told from their signatures alone.

A function says nothing of the shapes that it takes; so it is called with tensors of a few, and each call that it takes and that
gives tensors is an example.
"""

from __future__ import annotations

import inspect
import itertools
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

from harness.inference.example import Example, parts_of
from harness.survey.operator import Operator

_SHAPES = ((3, 5), (5,), (2, 3, 5), (5, 4), (4, 5), (2, 3, 8, 8))
_MOST_TENSORS = 3


def operators(module: ModuleType) -> Iterator[Operator]:
    """Every public function of a module that says what it takes, in the order of their names."""
    for name in sorted(getattr(module, "__all__", None) or (each for each in vars(module) if not each.startswith("_"))):
        function = getattr(module, name, None)
        if callable(function) and not inspect.isclass(function):
            yield Operator(f"{module.__name__}.{name}", "", function, partial(_examples, function))


def _examples(function: Callable[..., Any]) -> Iterator[Example]:
    """The calls with tensors of a few shapes that a function takes."""
    names = _required(function)
    if not names or len(names) > _MOST_TENSORS:
        return
    generator = torch.Generator().manual_seed(0)
    for shapes in itertools.product(_SHAPES, repeat=len(names)):
        given = {name: torch.rand(shape, generator=generator) for name, shape in zip(names, shapes, strict=True)}
        if _takes(function, given):
            yield Example(given)


def _required(function: Callable[..., Any]) -> list[str]:
    """The parameters that have no default, in order; none where it does not say."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return []
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [each.name for each in parameters if each.default is each.empty and each.kind in positional]


def _takes(function: Callable[..., Any], given: dict[str, Tensor]) -> bool:
    try:
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            made = function(*given.values())
    except Exception:
        return False
    return all(isinstance(each, Tensor) for each in parts_of(made))
