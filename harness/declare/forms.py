r"""Forms: what varies from call to call beside sizes and options, and is drawn and covered as options are.

| annotation                             | varies                | called, in a case | its values                                |
|----------------------------------------|-----------------------|-------------------|-------------------------------------------|
| `Float[Tensor, "*batch d"]`            | the rank              | `*batch`          | the axes: `batch`, none, `batch batch_2`  |
| `y: Float[Tensor, "#batch d"]`         | whether an axis is 1  | `#batch of y`     | `batch`, `1`                              |
| `bias: Float[Tensor, "d"] \| None`     | whether there is one  | `bias given`      | False, True                               |
| `parts: list[Float[Tensor, "?n d"]]`   | how many there are    | `len(parts)`      | 1 to 4                                    |
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

from harness.declare.axes import Axis, parse_axes
from harness.errors import DeclarationError

MOST_AXES = 3
"""The axes that `*batch` stands for at most."""

MOST_PARTS = 4
"""The tensors that a list holds at most."""

Form = Mapping[str, Any]


@dataclass(frozen=True)
class Axes(Axis):
    """`*batch`: any number of axes, none to three; the samples of a batch may lie along each of them."""

    @property
    def name(self) -> str:
        """The name that the first of them has."""
        return self.text.removeprefix("*")

    @cached_property
    def possible(self) -> tuple[Axis, ...]:
        """All of them: `batch`, `batch_2`, `batch_3`."""
        return tuple(Axis(self.name if place == 1 else f"{self.name}_{place}") for place in range(1, MOST_AXES + 1))

    @cached_property
    def values(self) -> tuple[str, ...]:
        """The axes of every form, simplest first: of the batch each place among them, since all must be independent."""
        names = [axis.text for axis in self.possible]
        turned = [[*names[1:place], names[0], *names[place:count]] for count in (2, 3) for place in range(1, count + 1)]
        ways = turned if self.name == "batch" else [names[:2], names]
        return (self.name, "", *map(" ".join, ways))

    def under(self, form: Form) -> tuple[Axis, ...]:
        """The axes that the form names."""
        return _named(form.get(self.text, self.name))


@dataclass(frozen=True)
class OneOr(Axis):
    """`#batch` of an argument: an axis that is as long as it is called, or 1."""

    argument: str = ""

    @property
    def name(self) -> str:
        """The name of its size."""
        return self.text.removeprefix("#")

    @property
    def option(self) -> str:
        """What its form is called."""
        return f"{self.text} of {self.argument}"

    @property
    def values(self) -> tuple[str, ...]:
        """As long as it is called, or 1."""
        return (self.name, "1")

    @property
    def possible(self) -> tuple[Axis, ...]:
        """The axis of that name."""
        return _named(self.name)

    def under(self, form: Form) -> tuple[Axis, ...]:
        """The axis of that name, or one of a single entry."""
        return _named(form.get(self.option, self.name))


_NAMED: dict[str, tuple[Axis, ...]] = {}


def _named(names: str) -> tuple[Axis, ...]:
    """The axes of these names; made once, since an axis is parsed when it is first asked for its size."""
    if names not in _NAMED:
        _NAMED[names] = parse_axes(names)
    return _NAMED[names]


class Presence(Protocol):
    """In which forms a tensor is there at all."""

    def holds(self, form: Form) -> bool:
        """Whether the tensor is there in calls of this form."""


@dataclass(frozen=True)
class WhereOption:
    """A tensor that is there where `option` has one of these values."""

    option: str
    values: tuple[Any, ...]

    def holds(self, form: Form) -> bool:
        """Whether the tensor is there in calls of this form."""
        return form.get(self.option, self.values[0]) in self.values


@dataclass(frozen=True)
class AmongOptions:
    """A tensor that is there where several options together have one of these rows of values."""

    options: tuple[str, ...]
    rows: frozenset[tuple[Any, ...]]

    def holds(self, form: Form) -> bool:
        """Whether the tensor is there in calls of this form."""
        return tuple(form[name] for name in self.options) in self.rows


def optional(argument: str) -> WhereOption:
    """The presence of an argument which may be None."""
    return WhereOption(f"{argument} given", (True,))


def in_list(argument: str, place: int) -> WhereOption:
    """The presence of one of the tensors in a list."""
    return WhereOption(f"len({argument})", tuple(range(place + 1, MOST_PARTS + 1)))


def parse_form(text: str, argument: str, place: int | None = None) -> tuple[Axis, ...]:
    """The axes of a jaxtyping dimension string.

    argument: of which `#batch` says that it may be 1 there; place: of the tensor in its list, which has sizes of its own for
    the names that are written `?n`. Raises DeclarationError for `...` and for axes without a name, and for `?` outside a
    list. Two of any number in one tensor are refused by jaxtyping.
    """
    return tuple(_axis(token, argument, place) for token in text.split())


def _axis(token: str, argument: str, place: int | None) -> Axis:
    name = token.strip("*#?")
    if token.startswith("*") and name.isidentifier():
        return Axes(token)
    if token.startswith("#") and name.isidentifier():
        return OneOr(token, argument)
    if token.startswith("?") or token.endswith("?"):
        if place is None:
            raise DeclarationError(
                f"axis {token!r} differs from tensor to tensor of a list, and this is none; leave the ? out"
            )
        return Axis(name if not place else f"{name}_{place + 1}")
    if token.startswith(("_", "...", "*", "#")):
        raise DeclarationError(f"axis {token!r} has no name to be known by; write *batch for any number of axes")
    return Axis(token)
