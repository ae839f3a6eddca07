"""A declaration that was told from an example. Prints as Python that declares the operation."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated, Any, Literal

import jaxtyping
import torch
from torch import Tensor

from harness.declare.axes import Axis
from harness.declare.callables import name_of, plain, public_path, signature_of
from harness.declare.declaration import operation
from harness.declare.domain import OwnDtype
from harness.declare.operation import Operation
from harness.declare.picks import Picks
from harness.inference.example import Example

_INTEGERS = {
    torch.int8: "Int8",
    torch.int16: "Int16",
    torch.int32: "Int32",
    torch.uint8: "UInt8",
    torch.uint16: "UInt16",
    torch.uint32: "UInt32",
    torch.uint64: "UInt64",
}
"""What annotates integers that are not 64 bits wide: they keep their dtype."""


@dataclass(frozen=True)
class Declaration:
    """What was told of a function from an example call.

    function: what was called; example: its arguments; axes: of each tensor, in words; results: of each tensor of the result;
    numbers: of whole numbers that are sizes the axis that has the same; domains: what the annotation of an argument has beside
    its axes; notes: what could not be told; name: of the operation, where it is not the function's own; path: how
    Python calls the function: by its module where that is a library's, by a name to be put in where nothing is said; about:
    what the annotations of results have beside their axes, by their place; copied: the tensors of which the function is given
    a copy, because it writes to them.
    """

    function: Callable[..., Any]
    example: Example
    axes: Mapping[str, tuple[str, ...]]
    results: tuple[tuple[tuple[str, ...], torch.dtype], ...]
    numbers: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    domains: Mapping[str, Any] = field(default_factory=dict)
    sizes: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    differentiable: bool = True
    notes: tuple[str, ...] = ()
    name: str = ""
    path: str = ""
    about: Mapping[int, Picks | OwnDtype] = field(default_factory=dict)
    copied: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if not self.path:
            known = public_path(self.function) or _identifier(name_of(self.function), "function")
            object.__setattr__(self, "path", known)

    def __str__(self) -> str:
        said = ", ".join(self._said())
        parameters = ", ".join((*map(self._tensor, self.example.tensors), *map(self._option, self._options)))
        results = [*map(self._result, range(len(self.results)))]
        returned = results[0] if len(results) == 1 else f"tuple[{', '.join(results)}]"
        lines = [
            f"@harness.operation({said})" if said else "@harness.operation",
            f"def {self.called}({parameters}) -> {returned}:",
            f'    """What {self.path} computes."""',
            f"    return {self.call_of(self.path)}",
        ]
        return "\n".join([*(f"# {note}" for note in self.notes), *lines])

    @property
    def called(self) -> str:
        """What the function that declares it is called, which is not what it calls."""
        name = self.name or _identifier(name_of(self.function))
        return name if name != self.path else f"{name}_operation"

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of its arguments and options, in order."""
        return (*self.example.tensors, *self._options)

    def call_of(self, path: str) -> str:
        """The call of a function that takes the same, as Python."""
        sizes = {number: f"{tensor}.shape[{place}]" for number, (tensor, place) in self.numbers.items()}
        copies = {name: f"{name}.clone()" for name in self.copied}
        return f"{path}({self.example.spelled({**sizes, **copies})})"

    def _said(self) -> Iterator[str]:
        """What the decorator is given."""
        if self.sizes:
            yield f"sizes={dict(self.sizes)!r}"
        if self._differences:
            yield f"where=lambda {', '.join(self._bounded)}: {' and '.join(f'{each} > 0' for each in self._differences)}"
        if not self.differentiable:
            yield "differentiable=False"

    def _tensor(self, name: str) -> str:
        text = _annotation_text(" ".join(self.axes[name]), self.example.tensors[name].dtype)
        return (
            f"{name}: Annotated[{text}, harness.{self.domains[name]!r}]" if name in self.domains else f"{name}: {text}"
        )

    def _result(self, place: int) -> str:
        axes, dtype = self.results[place]
        text = _annotation_text(" ".join(axes), dtype)
        return f"Annotated[{text}, harness.{self.about[place]!r}]" if place in self.about else text

    def _option(self, name: str) -> str:
        value = self._options[name]
        kind = f"Literal[{value}]" if isinstance(value, bool) else type(value).__name__
        return f"{name}: {kind} = {value!r}"

    @cached_property
    def _options(self) -> dict[str, Any]:
        """The arguments that are options of one value."""
        return {name: value for name, value in self.example.scalars.items() if name not in self.numbers}

    @property
    def _differences(self) -> list[str]:
        """The axes of results that might come to nothing, as those of a convolution."""
        return list(dict.fromkeys(axis for axes, _ in self.results for axis in axes if "-" in axis))

    @property
    def _bounded(self) -> list[str]:
        """The sizes of which these are made."""
        return sorted({name for axis in self._differences for name in Axis(axis).names})

    @cached_property
    def operation(self) -> Operation:
        """The operation that is declared so."""

        def where(**sizes: int) -> bool:
            return all(Axis(axis).size(sizes) > 0 for axis in self._differences)

        where.__signature__ = signature_of(self._bounded)  # type: ignore[attr-defined]
        made: Operation = operation(
            name=self.called,
            sizes=self.sizes,
            where=where if self._differences else None,
            differentiable=self.differentiable,
        )(self.of(self.function))
        return made

    def of(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """A function that takes what the example's does, as one with these parameters and annotations."""

        def call(**given: Any) -> Any:
            sizes = {number: given[tensor].shape[place] for number, (tensor, place) in self.numbers.items()}
            copies = {name: given[name].clone() for name in self.copied}
            return self.example.call(function, {**given, **sizes, **copies})

        annotations = {name: self._annotation(name) for name in self.example.tensors}
        annotations |= {
            name: Literal[value] if isinstance(value, bool) else type(value) for name, value in self._options.items()
        }
        call.__signature__ = signature_of(annotations, self._options)  # type: ignore[attr-defined]
        call.__annotations__ = {**annotations, "return": self._returned}
        call.__name__, call.__doc__ = _identifier(name_of(function)), f"What {name_of(function)} computes."
        if (code := plain(function)) is not None:
            call.__wrapped__, call.__module__ = code, code.__module__  # type: ignore[attr-defined]
        return call

    def _annotation(self, name: str) -> Any:
        made = _annotation(" ".join(self.axes[name]), self.example.tensors[name].dtype)
        return Annotated[made, self.domains[name]] if name in self.domains else made

    @property
    def _returned(self) -> Any:
        made = [_annotation(" ".join(axes), dtype) for axes, dtype in self.results]
        made = [Annotated[each, self.about[place]] if place in self.about else each for place, each in enumerate(made)]
        return made[0] if len(made) == 1 else tuple[*made]  # type: ignore[valid-type]


def _kind(dtype: torch.dtype) -> str:
    """The name of what annotates a tensor of a dtype, in jaxtyping."""
    if dtype.is_complex:
        return "Complex"
    return "Float" if dtype.is_floating_point else "Bool" if dtype is torch.bool else _INTEGERS.get(dtype, "Int")


def _annotation(axes: str, dtype: torch.dtype) -> Any:
    return getattr(jaxtyping, _kind(dtype))[Tensor, axes]


def _annotation_text(axes: str, dtype: torch.dtype) -> str:
    return f'{_kind(dtype)}[Tensor, "{axes}"]'


def _identifier(name: str, otherwise: str = "operation") -> str:
    return name if name.isidentifier() else otherwise
