"""An operator of a library, with example calls of it, and the other ways in which the library computes the same."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from harness.inference.example import SCALARS, Example

_MOST_EXAMPLES = 500
"""Example calls of one operator that are looked at."""


@dataclass(frozen=True)
class Operator:
    """One operator that is surveyed.

    path: how Python calls it, as `torch.linalg.svd`; variant: which use of it, empty where there is one; function: it, called
    with an example's arguments; examples: calls of it, made when they are asked for; writes_to: the argument that it may be
    given memory by, empty where it takes none; in_place, references: paths of functions that take the same arguments and
    compute the same, the first in the memory of the first one; unavailable: why it can't be surveyed, empty where it can.
    """

    path: str
    variant: str
    function: Callable[..., Any]
    examples: Callable[[], Iterable[Example]]
    writes_to: str = ""
    in_place: str = ""
    references: tuple[str, ...] = ()
    unavailable: str = ""

    @property
    def name(self) -> str:
        """What its operation is called."""
        whole = f"{self.path}_{self.variant}" if self.variant else self.path
        return identifier(whole.removeprefix("torch.")).strip("_")

    @property
    def area(self) -> str:
        """The file in which it is declared: its module, and of a large one the operator's first letter."""
        module, _, name = self.path.rpartition(".")
        return f"{module}.{name.strip('_')[:1].lower() or '_'}" if module == "torch" else module


def identifier(path: str) -> str:
    """A path as the part of a name in Python, or of a file's."""
    return "".join(letter if letter.isalnum() else "_" for letter in path)


def telling(examples: Iterable[Example], most: int) -> list[Example]:
    """So many of the examples, as unlike each other as there are; those first whose tensors have axes to vary."""
    kinds: dict[Any, Example] = {}
    for example in (each for each, _ in zip(examples, range(_MOST_EXAMPLES), strict=False)):
        kind = frozenset(_features(example))
        if kind not in kinds or _telling(example) > _telling(kinds[kind]):
            kinds[kind] = example
    chosen: list[Example] = []
    seen: set[Any] = set()
    while kinds and len(chosen) < most:
        best = max(kinds, key=lambda kind: (_telling(kinds[kind])[:1], len(kind - seen), _telling(kinds[kind])))
        chosen.append(kinds.pop(best))
        seen |= best
    return chosen


def _telling(example: Example) -> tuple[int, int]:
    """How much an example tells: less for axes that may not be told from others, more for each that may vary."""
    axes = [size for tensor in example.tensors.values() for size in tensor.shape]
    return -sum(size < 2 for size in axes) - (not axes), len(axes)


def _features(example: Example) -> Iterator[tuple[Any, ...]]:
    """What makes a call one of its kind: ranks and dtypes of tensors, and values of what is no number."""
    for name, value in example.arguments.items():
        yield name, _kind(value)


def _kind(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.ndim, str(value.dtype)
    if isinstance(value, list | tuple):
        return tuple(map(_kind, value))
    return type(value).__name__ if type(value) in (int, float, complex) else repr(value)


def can_be_written(example: Example) -> bool:
    """Whether every argument is a dense tensor, or something that Python writes as it reads it."""
    return all(map(_can_be_written, example.arguments.values()))


def _can_be_written(value: Any) -> bool:
    if isinstance(value, Tensor):
        return value.layout is torch.strided and not value.is_quantized and value.device.type == "cpu"
    if isinstance(value, list | tuple):
        return type(value) in (list, tuple) and all(map(_can_be_written, value))
    return value is None or isinstance(value, SCALARS) or "<" not in repr(value)
