"""The domain of an argument, read off its annotation.

| annotation                                             | domain                                            |
|--------------------------------------------------------|---------------------------------------------------|
| `Float[Tensor, "batch time"]`                          | a tensor of drawn sizes, filled by value patterns |
| `Int[Tensor, "batch"]`                                 | integers, which need a structure                  |
| `Annotated[Int[Tensor, "batch"], below("classes")]`    | a tensor whose values `harness.domains` knows     |
| `Annotated[Float[Tensor, "n n"], orthonormal]`         | a tensor made by a named structure                |
| `Annotated[..., when("batch_first", "batch time d")]`  | other axes when an option is true                 |
| `bool`, `Literal["mean", "max"]`                       | an option with those values                       |
| `Annotated[int, Interval(ge=1, le=3)]`, also `float`   | an option in a range                              |
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, get_args, get_origin

import annotated_types
import numpy as np
from jaxtyping import AbstractArray
from numpy.typing import NDArray

from harness.declare.axes import Axis, parse_axes
from harness.declare.structure import RandomSource
from harness.errors import DeclarationError

OptionValue = bool | int | float | str | None
Structure = Callable[[Any], Any]
_DTYPE_KINDS = {"int": "iu", "bool": "b"}


@dataclass(frozen=True)
class When:
    """Other axes, for the calls in which an option is true."""

    option: str
    axes: tuple[Axis, ...]


def when(option: str, axes: str) -> When:
    """`Annotated[Float[Tensor, "time batch d"], when("batch_first", "batch time d")]`: these axes if the option is true."""
    return When(option, parse_axes(axes))


@dataclass(frozen=True)
class TensorDomain:
    """A tensor: its kind of number, its axes, and the structure that fills it (None: value patterns do)."""

    kind: Literal["float", "complex", "int", "bool"]
    default_axes: tuple[Axis, ...]
    alternative: When | None = None
    structure: Structure | None = None

    def axes(self, options: Mapping[str, OptionValue]) -> tuple[Axis, ...]:
        """The axes that hold under these options."""
        if self.alternative is not None and options.get(self.alternative.option):
            return self.alternative.axes
        return self.default_axes

    def shape(self, known: Mapping[str, Any]) -> tuple[int, ...]:
        """The shape, given sizes and options by name."""
        return tuple(axis.size(known) for axis in self.axes(known))

    def axis_of(self, name: str, options: Mapping[str, OptionValue]) -> int | None:
        """The position of a named axis, None where the tensor has none."""
        texts = [axis.text for axis in self.axes(options)]
        return texts.index(name) if name in texts else None

    @property
    def takes_any_numbers(self) -> bool:
        """Whether every float is in the domain: value patterns fill it, or a structure that only chooses typical ones."""
        return self.kind == "float" and (self.structure is None or self.is_typical)

    @property
    def is_typical(self) -> bool:
        """Whether its structure only chooses typical values."""
        return bool(getattr(self.structure, "any_numbers", False))

    @property
    def may_be_rearranged(self) -> bool:
        """Whether its entries may stand in any other order: floats, and integers of which any in their range will do."""
        return self.kind == "float" or self.is_typical or bool(getattr(self.structure, "in_any_order", False))

    def in_kind(self, values: Any) -> NDArray[Any]:
        """Values as the kind of number that the tensor holds: one domain may fill floats, integers and bools."""
        array = np.asarray(values)
        wanted = {"int": np.int64, "bool": np.bool_}.get(self.kind, array.dtype)
        return array if array.dtype.kind in _DTYPE_KINDS.get(self.kind, array.dtype.kind) else array.astype(wanted)

    @property
    def can_tell(self) -> bool:
        """Whether it can be told of any values whether they are in the domain."""
        return self.takes_any_numbers or hasattr(self.structure, "admits")

    def admits(self, values: NDArray[Any], known: Mapping[str, Any]) -> bool:
        """Whether values of the right shape are in the domain; where that can't be told, whether they are among the simpler ones."""
        if (
            self.kind in ("int", "bool")
            and not np.isin(values, (0, 1) if self.kind == "bool" else np.rint(values)).all()
        ):
            return False
        if self.takes_any_numbers:
            return True
        admits = getattr(self.structure, "admits", None)
        if admits is not None:
            return bool(admits(values, known))
        return any(np.array_equal(values, each) for each in self.simpler(known))

    def simpler(self, known: Mapping[str, Any]) -> tuple[NDArray[Any], ...]:
        """Values to put in place of drawn ones, simplest first; none where the structure knows of none."""
        shape = self.shape(known)
        given = getattr(self.structure, "simpler", lambda stream: ())(RandomSource(shape, known, 0, ""))
        return tuple(np.broadcast_to(each, shape) for each in given)

    @property
    def every_axis(self) -> tuple[Axis, ...]:
        """The axes of all layouts, for checks that must hold in each."""
        return self.default_axes + (self.alternative.axes if self.alternative else ())


@dataclass(frozen=True)
class OptionDomain:
    """An option: its values, simplest first. Floats and long ranges are represented by ends and middles, within `bounds`."""

    values: tuple[OptionValue, ...]
    bounds: tuple[Any, Any] | None = None

    def admits(self, value: OptionValue) -> bool:
        """Whether the value is one of those, or within the bounds and whole where they are."""
        if value in self.values or self.bounds is None:
            return value in self.values
        numbers = int if all(isinstance(each, int) for each in self.values) else (int, float)
        return isinstance(value, numbers) and self.bounds[0] <= value <= self.bounds[1]

    def simpler(self, value: OptionValue) -> tuple[OptionValue, ...]:
        """The values that are simpler than this one, simplest first; for one that is not listed, the smaller ones."""
        if value in self.values:
            return self.values[: self.values.index(value)]
        return tuple(each for each in self.values if each < value)  # type: ignore[operator]


Domain = TensorDomain | OptionDomain


def parse_domain(annotation: Any) -> Domain:
    """The domain that an annotation describes. Raises DeclarationError where it describes none."""
    base, extras = _split(annotation)
    if isinstance(base, type) and issubclass(base, AbstractArray):
        return _tensor(base, extras)
    if base is bool:
        return OptionDomain((False, True))
    if get_origin(base) is Literal:
        return OptionDomain(get_args(base))
    if base in (int, float):
        return _range(base, extras)
    raise DeclarationError(
        f"annotation {annotation!r} names no domain; use a jaxtyping array, bool, Literal[...] or Annotated[int, Interval(ge=…, le=…)]"
    )


def parse_results(annotation: Any) -> tuple[TensorDomain, ...]:
    """The result's tensors: one, or a tuple of them."""
    parts = get_args(annotation) if get_origin(annotation) is tuple else (annotation,)
    results = tuple(parse_domain(part) for part in parts)
    for result in results:
        if not isinstance(result, TensorDomain):
            raise DeclarationError("a result must be a jaxtyping array or a tuple of them")
    return results  # type: ignore[return-value]


def _split(annotation: Any) -> tuple[Any, tuple[Any, ...]]:
    if get_origin(annotation) is Annotated:
        base, *extras = get_args(annotation)
        return base, tuple(extras)
    return annotation, ()


def _tensor(array: Any, extras: tuple[Any, ...]) -> TensorDomain:
    alternative, structure = None, None
    for extra in extras:
        if isinstance(extra, When):
            alternative = extra
        elif callable(extra):
            structure = extra
        else:
            raise DeclarationError(
                f"{extra!r} beside an array is neither when(...) nor a structure (a function that fills it)"
            )
    kind = _kind(array)
    return TensorDomain(kind, parse_axes(array.dim_str), alternative, structure)


def _kind(array: Any) -> Literal["float", "complex", "int", "bool"]:
    dtypes = array.dtypes
    if isinstance(dtypes, str) or not dtypes:
        return "float"
    first = str(dtypes[0])
    if first.startswith("bool"):
        return "bool"
    if first.startswith(("int", "uint")):
        return "int"
    return "complex" if first.startswith("complex") else "float"


def _range(base: type, extras: tuple[Any, ...]) -> OptionDomain:
    low: Any = None
    high: Any = None
    for extra in extras:
        parts = list(extra) if isinstance(extra, annotated_types.GroupedMetadata) else [extra]
        for part in parts:
            low = part.ge if isinstance(part, annotated_types.Ge) else low
            high = part.le if isinstance(part, annotated_types.Le) else high
    if low is None or high is None:
        raise DeclarationError(
            f"a bare {base.__name__} has no range; write Annotated[{base.__name__}, Interval(ge=…, le=…)]"
        )
    if base is float:
        return OptionDomain((low, (low + high) / 2, high), (low, high))
    if high - low < 8:
        return OptionDomain(tuple(range(low, high + 1)))
    return OptionDomain((low, low + 1, (low + high) // 2, high - 1, high), (low, high))
