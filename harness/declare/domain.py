r"""The domain of an argument, read off its annotation.

| annotation                                             | domain                                            |
|--------------------------------------------------------|---------------------------------------------------|
| `Float[Tensor, "batch time"]`                          | a tensor of drawn sizes, filled by value patterns |
| `Complex[Tensor, "n"]`                                 | the same, of complex numbers                      |
| `Int[Tensor, "batch"]`, `Int8[…]`, `Bool[…]`           | small and extreme integers; both truth values     |
| `Annotated[Int[Tensor, "batch"], below("classes")]`    | a tensor whose values `harness.domains` knows     |
| `Annotated[Float[Tensor, "n"], positive]`              | value patterns brought into a range               |
| `Annotated[Float[Tensor, "n n"], orthonormal]`         | a tensor made by a named structure                |
| `Annotated[Float[Tensor, "n"], dtype("float32")]`      | a dtype of its own, whatever the working precision |
| `Float[Tensor, "d"] \| None`                           | a tensor in some calls, None in others            |
| `list[Float[Tensor, "?n d"]]`                          | one to four tensors                               |
| `Annotated[..., when("batch_first", "batch time d")]`  | other axes when an option is true                 |
| `bool`, `Literal["mean", "max"]`                       | an option with those values                       |
| `Annotated[int, Interval(ge=1, le=3)]`, also `float`   | an option in a range                              |

How `*batch` and `#batch` vary is told in `harness.declare.forms`.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import annotated_types
import numpy as np
import torch
from jaxtyping import AbstractArray
from numpy.typing import NDArray

from harness.declare.axes import Axis, parse_axes
from harness.declare.constraint import Constraint, Symmetric
from harness.declare.domains import whole_of
from harness.declare.forms import MOST_PARTS, Form, Presence, in_list, optional, parse_form
from harness.declare.picks import Picks
from harness.declare.ranges import Range
from harness.declare.structure import RandomSource, name_of
from harness.errors import DeclarationError

STATE = "state"
"""The group of what a module holds."""

OptionValue = bool | int | float | str | None
Structure = Callable[[Any], Any]
Kind = Literal["float", "complex", "int", "bool"]
_DTYPE_KINDS = {"int": "iu", "bool": "b"}


@dataclass(frozen=True)
class OwnDtype:
    """A dtype that a tensor has whatever the working precision."""

    name: str

    def __repr__(self) -> str:
        return f"dtype({self.name!r})"


def dtype(name: str | torch.dtype) -> OwnDtype:
    """`Annotated[Float[Tensor, "m n"], harness.dtype("float32")]`: that dtype, whatever precision is asked.

    Raises DeclarationError for a name that is none of torch's dtypes.
    """
    told = str(name).removeprefix("torch.")
    if not isinstance(getattr(torch, told, None), torch.dtype):
        raise DeclarationError(f'dtype({name!r}) is none of torch\'s dtypes; write one as "float32"')
    return OwnDtype(told)


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
    """A tensor: its kind of number, its axes, and what fills it.

    structure: makes the values (None: value patterns do, brought to where the `constraint` holds, if there is one); dtype: of
    its own, empty where it has the working precision; presence: in which forms it is there, None where always; group: the
    argument that is a list or dict of several such tensors, and its key there; picks: of a result, that its indices are right
    where what they pick is; independent: whether samples along `batch` have nothing to do with one another.
    """

    kind: Kind
    default_axes: tuple[Axis, ...]
    alternative: When | None = None
    structure: Structure | None = None
    constraint: Constraint | None = None
    dtype: str = ""
    presence: Presence | None = None
    group: tuple[str, Any] | None = None
    picks: Picks | None = None
    independent: bool = True

    @property
    def words(self) -> str:
        """The domain for people: `float "batch d", positive`, `int "tokens", below('classes')`, `float "d", or None`."""
        written = " ".join(axis.text for axis in self.default_axes)
        filled = [str(self.constraint)] if self.constraint else [name_of(self.structure)] if self.structure else []
        lacking = ["or None"] if self.presence and not self.group else []
        return ", ".join([f'{self.dtype or self.kind} "{written}"', *filled, *lacking])

    def axes(self, form: Form) -> tuple[Axis, ...]:
        """The axes that hold under these options and in this form."""
        axes = self.default_axes
        if self.alternative is not None and form.get(self.alternative.option):
            axes = self.alternative.axes
        if not self._varies:
            return axes
        return tuple(one for axis in axes for one in axis.under(form))

    @cached_property
    def _varies(self) -> bool:
        return any(axis.possible != (axis,) for axis in self.every_axis_declared)

    def is_given(self, form: Form) -> bool:
        """Whether it is there in calls of this form."""
        return self.presence is None or self.presence.holds(form)

    def shape(self, known: Mapping[str, Any]) -> tuple[int, ...]:
        """The shape, given sizes and options by name."""
        return tuple(axis.size(known) for axis in self.axes(known))

    def axis_of(self, name: str, form: Form) -> int | None:
        """The position of a named axis, None where the tensor has none."""
        texts = [axis.text for axis in self.axes(form)]
        return texts.index(name) if name in texts else None

    @property
    def is_state(self) -> bool:
        """Whether a module holds it, which has laid it out in memory itself."""
        return self.group is not None and self.group[0] == STATE

    def batch_axis(self, form: Form) -> int | None:
        """Where independent samples lie, None where the tensor holds none, or where samples are meant to interact."""
        return self.axis_of("batch", form) if self.independent else None

    @property
    def is_inexact(self) -> bool:
        """Whether its numbers are rounded: real ones, and complex ones."""
        return self.kind in ("float", "complex")

    @property
    def takes_any_numbers(self) -> bool:
        """Whether every float is in the domain: value patterns fill it, or a structure that only chooses typical ones."""
        return self.kind == "float" and self.constraint is None and (self.structure is None or self.is_typical)

    @property
    def is_typical(self) -> bool:
        """Whether its structure only chooses typical values."""
        return bool(getattr(self.structure, "any_numbers", False))

    @property
    def may_be_rearranged(self) -> bool:
        """Whether its entries may stand in any other order: floats, and integers of which any in their range will do."""
        return self.is_inexact or self.is_typical or bool(getattr(self.structure, "in_any_order", False))

    def torch_dtype(self, precision: torch.dtype) -> torch.dtype:
        """What its entries are in a call whose working precision is this dtype."""
        if self.dtype:
            return getattr(torch, self.dtype)
        if self.kind == "complex":
            return precision.to_complex()
        return {"int": torch.int64, "bool": torch.bool}.get(self.kind, precision)

    def in_kind(self, values: Any) -> NDArray[Any]:
        """Values as the kind of number that the tensor holds: one domain may fill floats, integers and bools."""
        array = np.asarray(values)
        wanted = {"int": np.int64, "bool": np.bool_}.get(self.kind, array.dtype)
        return array if array.dtype.kind in _DTYPE_KINDS.get(self.kind, array.dtype.kind) else array.astype(wanted)

    @property
    def can_tell(self) -> bool:
        """Whether it can be told of any values whether they are in the domain."""
        if self.structure is None and self.is_inexact:
            return True
        return self.takes_any_numbers or hasattr(self.structure, "admits")

    def admits(self, values: NDArray[Any], known: Mapping[str, Any]) -> bool:
        """Whether values of the right shape are in the domain; where that can't be told, whether they are among the simpler ones."""
        if (
            self.kind in ("int", "bool")
            and not np.isin(values, (0, 1) if self.kind == "bool" else np.rint(values)).all()
        ):
            return False
        if self.structure is None and self.is_inexact:
            return self.constraint is None or self.constraint.admits(values)
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

    def brought(self, values: NDArray[Any]) -> NDArray[Any]:
        """Values where its constraint holds, made of any of the same shape."""
        return values if self.constraint is None else self.constraint.brought(values)

    def kept(self, tensor: torch.Tensor) -> torch.Tensor:
        """A tensor whose entries were moved, by rounding or on purpose, where its constraint holds still."""
        return tensor if self.constraint is None else self.constraint.kept(tensor)

    @property
    def every_axis_declared(self) -> tuple[Axis, ...]:
        """The axes of all layouts, as they are written."""
        return self.default_axes + (self.alternative.axes if self.alternative else ())

    @property
    def every_axis(self) -> tuple[Axis, ...]:
        """The axes of all layouts and forms, for checks that must hold in each."""
        return tuple(one for axis in self.every_axis_declared for one in axis.possible)


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


def parse_domain(annotation: Any, argument: str) -> Domain | dict[str, TensorDomain]:
    """The domain that an annotation describes, or those of the tensors in a list, by name. Raises DeclarationError for none."""
    base, extras = _split(annotation)
    if get_origin(base) in (Union, types.UnionType):
        return _optional(base, argument)
    if get_origin(base) is list:
        (part,) = get_args(base)
        return {f"{argument}[{place}]": _part_of_list(part, argument, place) for place in range(MOST_PARTS)}
    if isinstance(base, type) and issubclass(base, AbstractArray):
        return _tensor(base, extras, argument)
    if base is bool:
        return OptionDomain((False, True))
    if get_origin(base) is Literal:
        return OptionDomain(get_args(base))
    if base in (int, float):
        return _range(base, extras)
    raise DeclarationError(
        f"annotation {annotation!r} names no domain; use a jaxtyping array, one that may be None, a list of them, bool, "
        "Literal[...] or Annotated[int, Interval(ge=…, le=…)]"
    )


def _optional(union: Any, argument: str) -> TensorDomain:
    """A tensor, or None. Raises DeclarationError for any other choice."""
    left = [each for each in get_args(union) if each is not type(None)]
    if len(left) == 1 and len(left) < len(get_args(union)):
        domain = parse_domain(left[0], argument)
        if isinstance(domain, TensorDomain):
            return replace(domain, presence=optional(argument))
    raise DeclarationError(f"{union} is more than one domain; write one array, or one array | None")


def _part_of_list(annotation: Any, argument: str, place: int) -> TensorDomain:
    base, extras = _split(annotation)
    if not (isinstance(base, type) and issubclass(base, AbstractArray)):
        raise DeclarationError(
            f'a list must be of jaxtyping arrays, as list[Float[Tensor, "?n d"]], and not of {base!r}'
        )
    domain = _tensor(base, extras, f"{argument}[{place}]", place)
    return replace(domain, presence=in_list(argument, place), group=(argument, place))


def parse_result(annotation: Any, name: str) -> TensorDomain:
    """The domain of one tensor of a result. Raises DeclarationError for what is none, or has an axis that may be 1."""
    base, extras = _split(annotation)
    if not (isinstance(base, type) and issubclass(base, AbstractArray)):
        raise DeclarationError(
            "a result must be a jaxtyping array, or a tuple, NamedTuple, TypedDict or dataclass of them, and each of fixed rank and size"
        )
    domain = _tensor(base, extras, name)
    loose = next((axis.text for axis in domain.every_axis_declared if axis.text.startswith("#")), None)
    if loose is not None:
        raise DeclarationError(f"axis {loose!r} of a result may not vary by itself; write {loose[1:]!r}")
    return domain


def _split(annotation: Any) -> tuple[Any, tuple[Any, ...]]:
    if get_origin(annotation) is Annotated:
        base, *extras = get_args(annotation)
        return base, tuple(extras)
    return annotation, ()


def _tensor(array: Any, extras: tuple[Any, ...], argument: str, place: int | None = None) -> TensorDomain:
    kind, own = _kind(array)
    made = TensorDomain(kind, parse_form(array.dim_str, argument, place), dtype=own)
    for extra in extras:
        made = _with(made, extra)
    if made.structure is None and not made.is_inexact:
        held, within = made.torch_dtype(torch.float64), made.constraint
        made = replace(
            made, structure=within.whole(held) if isinstance(within, Range) else whole_of(held), constraint=None
        )
    return made


def _with(domain: TensorDomain, extra: Any) -> TensorDomain:
    """The domain with what stands beside the array. Raises DeclarationError for what means nothing there."""
    match extra:
        case When():
            return replace(domain, alternative=extra)
        case OwnDtype(name) if _kind_of(getattr(torch, name)) == domain.kind:
            return replace(domain, dtype=name)
        case Picks():
            return replace(domain, picks=extra)
        case Range() if domain.kind in ("float", "int"):
            return replace(domain, constraint=extra)
        case Symmetric() if domain.kind == "float":
            return replace(domain, constraint=extra)
        case _ if callable(extra):
            return replace(domain, structure=extra)
    raise DeclarationError(
        f"{extra!r} beside {domain.kind} numbers is none of when(…), dtype(…), a domain and a structure (a function that fills it)"
    )


def _kind_of(held: torch.dtype) -> Kind:
    if held.is_complex:
        return "complex"
    return "float" if held.is_floating_point else "bool" if held is torch.bool else "int"


def _kind(array: Any) -> tuple[Kind, str]:
    """The kind of number that an array holds, and its dtype where it names a single one."""
    dtypes = array.dtypes
    if isinstance(dtypes, str) or not isinstance(dtypes, tuple | list) or not dtypes:
        return "float", ""
    first = str(dtypes[0])
    if first.startswith("bool"):
        return "bool", ""
    own = first if len(dtypes) == 1 and isinstance(getattr(torch, first, None), torch.dtype) else ""
    if first.startswith(("int", "uint")):
        return "int", own
    return ("complex" if first.startswith("complex") else "float"), own


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
            f"a bare {base.__name__} has no range; write Annotated[{base.__name__}, Interval(ge=…, le=…)], or give it the "
            "default that it always has"
        )
    if base is float:
        return OptionDomain((low, (low + high) / 2, high), (low, high))
    if high - low < 8:
        return OptionDomain(tuple(range(low, high + 1)))
    return OptionDomain((low, low + 1, (low + high) // 2, high - 1, high), (low, high))
