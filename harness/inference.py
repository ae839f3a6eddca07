"""A declaration that is told from one example call, by trying others.

Axes of the same length are one axis until a call with another length says no; what is no tensor stays as it is. Values tell
whether integers are indices of an axis, and whether numbers have to be positive. What can't be told is said, so that a person
can put it right: `harness.declare(slow, example=(x, w))` prints the declaration to be pasted.
"""

from __future__ import annotations

import inspect
import itertools
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated, Any, Literal

import torch
from jaxtyping import Bool, Complex, Float, Int
from torch import Tensor

from harness.declare.axes import Axis
from harness.declare.callables import name_of, place_of, plain
from harness.declare.declaration import operation
from harness.declare.domains import below
from harness.declare.operation import Operation
from harness.declare.ranges import Range, positive, within
from harness.errors import DeclarationError

Slot = tuple[str, int]
"""An axis of an argument, by the argument's name and the place."""

Shapes = Mapping[str, tuple[int, ...]]

_NAMES = ("n", "m", "k", "p", "q", "r", "s", "t")
_LETTERS = ("x", "y", "z", "u", "v", "w")
_MOST_SLOTS = 8
"""Axes of one length of which every combination is tried."""

_ROUNDING = 1e-3
"""The share of a result that another kernel for another number of samples may change, in any dtype of an example."""

_SCALARS = (bool, int, float, str)


@dataclass(frozen=True)
class Declaration:
    """What was told of a function from an example call. Prints as Python that declares the operation.

    function: what was called; example: its arguments by name, in order; axes: of each tensor, in words; results: of each
    tensor of the result; domains: what the annotation of an argument has beside its axes; notes: what could not be told.
    """

    function: Callable[..., Any]
    example: Mapping[str, Any]
    axes: Mapping[str, tuple[str, ...]]
    results: tuple[tuple[tuple[str, ...], torch.dtype], ...]
    domains: Mapping[str, Any] = field(default_factory=dict)
    sizes: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    differentiable: bool = True
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        name, called = _identifier(name_of(self.function)), _called(self.function)
        given = {
            f"sizes={dict(self.sizes)!r}": bool(self.sizes),
            f"where=lambda {', '.join(self._bounded)}: {' and '.join(f'{each} > 0' for each in self._differences)}": bool(
                self._differences
            ),
            "differentiable=False": not self.differentiable,
        }
        said = ", ".join(text for text, is_there in given.items() if is_there)
        tensors = [name for name, value in self.example.items() if isinstance(value, Tensor)]
        parameters = ", ".join(map(self._spelled, (*tensors, *(each for each in self.example if each not in tensors))))
        results = [_annotation_text(" ".join(axes), dtype) for axes, dtype in self.results]
        returned = results[0] if len(results) == 1 else f"tuple[{', '.join(results)}]"
        lines = [
            f"@harness.operation({said})" if said else "@harness.operation",
            f"def {name if name != called else f'{name}_operation'}({parameters}) -> {returned}:",
            f'    """What {called} computes."""',
            f"    return {called}({', '.join(self.example)})",
        ]
        return "\n".join([*(f"# {note}" for note in self.notes), *lines])

    def _spelled(self, name: str) -> str:
        value = self.example[name]
        if isinstance(value, Tensor):
            text = _annotation_text(" ".join(self.axes[name]), value.dtype)
            return (
                f"{name}: Annotated[{text}, harness.{self.domains[name]!r}]"
                if name in self.domains
                else f"{name}: {text}"
            )
        return f"{name}: {type(value).__name__} = {value!r}" if isinstance(value, _SCALARS) else f"{name}={value!r}"

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

        where.__signature__ = _signature(self._bounded)  # type: ignore[attr-defined]
        made: Operation = operation(
            name=_identifier(name_of(self.function)),
            sizes=self.sizes,
            where=where if self._differences else None,
            differentiable=self.differentiable,
        )(self.of(self.function))
        return made

    def of(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """A function that takes what the example's does, as one with these parameters and annotations."""
        constants = {
            name: value
            for name, value in self.example.items()
            if not isinstance(value, Tensor | bool | int | float | str)
        }
        names = tuple(self.example)

        def call(**given: Any) -> Any:
            return function(*({**constants, **given}[name] for name in names))

        annotations = {name: self._annotation(name) for name in names if name not in constants}
        call.__signature__ = _signature(annotations)  # type: ignore[attr-defined]
        call.__annotations__ = {**annotations, "return": self._returned}
        call.__name__, call.__doc__ = _identifier(name_of(function)), f"What {name_of(function)} computes."
        if (code := plain(function)) is not None:
            call.__wrapped__, call.__module__ = code, code.__module__  # type: ignore[attr-defined]
        return call

    def _annotation(self, name: str) -> Any:
        value = self.example[name]
        if not isinstance(value, Tensor):
            return Literal[value]
        made = _annotation(" ".join(self.axes[name]), value.dtype)
        return Annotated[made, self.domains[name]] if name in self.domains else made

    @property
    def _returned(self) -> Any:
        made = [_annotation(" ".join(axes), dtype) for axes, dtype in self.results]
        return made[0] if len(made) == 1 else tuple[*made]  # type: ignore[valid-type]


def _signature(names: Iterable[str]) -> inspect.Signature:
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    return inspect.Signature([inspect.Parameter(name, kind) for name in names])


def declare(function: Callable[..., Any], *, example: Sequence[Any] | Mapping[str, Any]) -> Declaration:
    """The declaration of an operation, told from one example call of its function. Print it, paste it, refine it.

    example: the arguments, in order or by name. Raises DeclarationError where the function can't be called with them, or
    where its results have a size that follows from none of theirs.
    """
    return _Trials(function, _named(function, example)).declaration()


def _named(function: Callable[..., Any], example: Sequence[Any] | Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of an example by their names; those of a function without a signature are called x, y, z."""
    if isinstance(example, Mapping):
        return _by_name(function, example)
    given = tuple(example) if isinstance(example, tuple | list) else (example,)
    try:
        bound = inspect.signature(function).bind(*given)
    except ValueError:  # a builtin
        return dict(zip(_LETTERS, given, strict=False))
    except TypeError as failure:
        raise DeclarationError(f"{place_of(function)}: it does not take the example: {failure}") from None
    several = any(each.kind is each.VAR_POSITIONAL for each in bound.signature.parameters.values())
    return dict(zip(_LETTERS, given, strict=False)) if several else dict(bound.arguments)


def _by_name(function: Callable[..., Any], example: Mapping[str, Any]) -> dict[str, Any]:
    """An example by name in the order of the function's parameters. Raises DeclarationError where it has none of the name."""
    try:
        return dict(inspect.signature(function).bind(**example).arguments)
    except ValueError:
        raise DeclarationError(
            f"{place_of(function)}: its parameters have no names; give the example in order"
        ) from None
    except TypeError as failure:
        raise DeclarationError(f"{place_of(function)}: it does not take the example: {failure}") from None


@dataclass
class _Trials:
    """Calls of a function with arguments like those of an example, but of other sizes and values."""

    function: Callable[..., Any]
    example: dict[str, Any]
    notes: list[str] = field(default_factory=list)

    def declaration(self) -> Declaration:
        """All that can be told. Raises DeclarationError."""
        if not self.tensors:
            raise DeclarationError(
                f"{place_of(self.function)}: the example has no tensor of its own to tell a declaration from; declare it by hand"
            )
        if self.call(self.shapes) is None:
            raise DeclarationError(f"{place_of(self.function)}: it can't be called with the example: {self._failure}")
        self._ranges = self._domains()
        groups = self._groups()
        names = self._names(groups)
        axes = self._axes(groups, names)
        results = self._results(groups, names)
        indices = self._indices(axes)
        return Declaration(
            self.function,
            self.example,
            axes,
            results,
            {**self._ranges, **indices},
            self._sizes(groups, names),
            self._is_differentiable(),
            tuple(self.notes),
        )

    @property
    def tensors(self) -> dict[str, Tensor]:
        return {name: value for name, value in self.example.items() if isinstance(value, Tensor)}

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        return {name: tuple(tensor.shape) for name, tensor in self.tensors.items()}

    _failure: str = ""
    _ranges: dict[str, Range] = field(default_factory=dict)

    def call(self, shapes: Shapes, **values: Tensor) -> list[Tensor] | None:
        """What the function gives for tensors of some shapes, with some of them given; None where it raises."""
        made = {name: self._filled(name, tensor, shapes[name]) for name, tensor in self.tensors.items()}
        try:
            with torch.no_grad(), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                returned = self.function(*{**self.example, **made, **values}.values())
        except Exception as failure:
            self._failure = f"{type(failure).__name__}: {failure}".splitlines()[0]
            return None
        parts = list(returned) if isinstance(returned, tuple | list) else [returned]
        odd = next((part for part in parts if not isinstance(part, Tensor)), None)
        self._failure = "" if odd is None else f"its result is {type(odd).__name__}, and no tensor"
        return parts if odd is None else None

    def _filled(self, name: str, like: Tensor, shape: tuple[int, ...]) -> Tensor:
        """A tensor of a shape: the example's own where it has it, other floats, or integers drawn from the example's."""
        if tuple(like.shape) == shape and name not in self._ranges:
            return like
        generator = torch.Generator().manual_seed(0)
        if like.is_floating_point() or like.is_complex():
            drawn = torch.randn(shape, generator=generator, dtype=torch.float64)
            kept = self._ranges.get(name)
            return (drawn if kept is None else torch.from_numpy(kept.brought(drawn.numpy()))).to(like.dtype)
        flat = like.reshape(-1)
        if not flat.numel():
            return torch.zeros(shape, dtype=like.dtype)
        return flat[torch.randint(0, flat.numel(), shape, generator=generator)]

    # Axes

    def _with(self, slots: Mapping[Slot, int]) -> dict[str, tuple[int, ...]]:
        return {
            name: tuple(slots.get((name, place), size) for place, size in enumerate(shape))
            for name, shape in self.shapes.items()
        }

    def _varies(self, slots: Sequence[Slot], size: int, step: int) -> bool:
        """Whether the function can be called with these axes longer by one and by two steps together."""
        others = (size + step, size + 2 * step)
        return all(self.call(self._with(dict.fromkeys(slots, other))) is not None for other in others)

    def _groups(self) -> list[_Group]:
        """The axes that vary together, in the order in which they stand."""
        found = []
        sizes = {(name, place): size for name, shape in self.shapes.items() for place, size in enumerate(shape)}
        for size in dict.fromkeys(sizes.values()):
            left = [slot for slot, each in sizes.items() if each == size]
            while left:
                group = self._group(left, size) if size > 1 else None
                if group is None:
                    left = left[1:]
                    continue
                found.append(group)
                left = [slot for slot in left if slot not in group.slots]
        return sorted(found, key=lambda group: [*sizes].index(group.slots[0]))

    def _group(self, left: list[Slot], size: int) -> _Group | None:
        """The fewest axes, the first of these among them, that can be of another length together; None where none can."""
        first, *others = left[:_MOST_SLOTS]
        steps = [1, *(step for step in range(2, size + 1) if size % step == 0)]
        for step in steps:
            for count in range(len(others) + 1):
                for more in itertools.combinations(others, count):
                    if self._varies((first, *more), size, step):
                        return _Group((first, *more), size, step)
        return None

    def _names(self, groups: list[_Group]) -> list[str]:
        """What the groups are called: batch where samples are independent, d for the last axis of the first argument."""
        free, names = iter(_NAMES), []
        first, shape = next(iter(self.shapes.items()))
        for group in groups:
            if "batch" not in names and group.step == 1 and self._is_batch(group):
                names.append("batch")
            elif (first, len(shape) - 1) in group.slots:
                names.append("d")
            else:
                names.append(next(free, f"n{len(names)}"))
        return names

    def _is_batch(self, group: _Group) -> bool:
        """Whether the axis is the first one wherever it is, and samples in another order, or one alone, give the same."""
        if any(place for _, place in group.slots):
            return False
        order = torch.arange(group.size).flip(0)
        before = self.call(self.shapes, **self.tensors)
        turned = self.call(self.shapes, **self._changed(group, lambda tensor: tensor[order]))
        alone = self.call(self.shapes, **self._changed(group, lambda tensor: tensor[:1]))
        if before is None or turned is None or alone is None:
            return False
        if any(not part.ndim or len(part) != group.size for part in before) or any(len(part) != 1 for part in alone):
            return False
        return all(
            _alike(one[order], other) and _alike(one[:1], first)
            for one, other, first in zip(before, turned, alone, strict=True)
        )

    def _changed(self, group: _Group, change: Callable[[Tensor], Tensor]) -> dict[str, Tensor]:
        """The example's tensors, those that have the axis first changed along it."""
        names = {name for name, _ in group.slots}
        return {name: change(tensor) if name in names else tensor for name, tensor in self.tensors.items()}

    def _axes(self, groups: list[_Group], names: list[str]) -> dict[str, tuple[str, ...]]:
        of = {slot: _times(group.step, name) for group, name in zip(groups, names, strict=True) for slot in group.slots}
        fixed = [
            f"{name}'s axis {place} is always {size}"
            for name, shape in self.shapes.items()
            for place, size in enumerate(shape)
            if (name, place) not in of
        ]
        self.notes += fixed
        return {
            name: tuple(of.get((name, place), str(size)) for place, size in enumerate(shape))
            for name, shape in self.shapes.items()
        }

    def _sizes(self, groups: list[_Group], names: list[str]) -> dict[str, tuple[int, int]]:
        """Bounds for sizes that may not be as small as 1: from the least that was found to work."""
        bounds = {}
        for group, name in zip(groups, names, strict=True):
            least = next(
                (n for n in (1, 2, 3, 4, 5, 8) if n * group.step <= group.size and self._works(group, n * group.step)),
                0,
            )
            if least > 1:
                bounds[name] = (least, 1025)
        return bounds

    def _works(self, group: _Group, size: int) -> bool:
        """Whether the function can be called with an axis of this size, and the first index of all that are indices."""
        shapes = self._with(dict.fromkeys(group.slots, size))
        first = {
            name: torch.zeros(shapes[name], dtype=each.dtype) for name, each in self.tensors.items() if _counts(each)
        }
        return self.call(shapes) is not None or self.call(shapes, **first) is not None

    # Results

    def _results(self, groups: list[_Group], names: list[str]) -> tuple[tuple[tuple[str, ...], torch.dtype], ...]:
        """The axes of each tensor of the result, as expressions of the arguments'."""
        trials = [*self._other_sizes(groups, names)]
        first = trials[0][1]
        found = []
        for index, part in enumerate(first):
            every = [(known, tuple(parts[index].shape)) for known, parts in trials]
            axes = tuple(
                self._expression(names, [(known, shape[place]) for known, shape in every], index, place)
                for place in range(part.ndim)
            )
            found.append((axes, part.dtype))
        return tuple(found)

    def _other_sizes(self, groups: list[_Group], names: list[str]) -> Iterator[tuple[dict[str, int], list[Tensor]]]:
        """Sizes by name, and what the function gives there."""
        moves = [dict.fromkeys(names, 0)]
        moves += [{**dict.fromkeys(names, 0), name: more} for name in names for more in (1, 2, 3)]
        moves += [{name: 1 + place % 2 for place, name in enumerate(names)}]
        for move in moves:
            known = {name: group.size // group.step + move[name] for group, name in zip(groups, names, strict=True)}
            slots = {
                slot: known[name] * group.step
                for group, name in zip(groups, names, strict=True)
                for slot in group.slots
            }
            parts = self.call(self._with(slots))
            if parts is not None:
                yield known, parts

    def _expression(self, names: list[str], told: list[tuple[dict[str, int], int]], index: int, place: int) -> str:
        """The plainest expression that gives an axis' size in every trial. Raises DeclarationError where there is none."""
        for text in _expressions(names):
            if all(Axis(text).size(known) == size for known, size in told):
                return text
        raise DeclarationError(
            f"{place_of(self.function)}: axis {place} of result {index} is {', '.join(str(size) for _, size in told)} long for "
            f"{'; '.join(str(known) for known, _ in told)}, and no plain expression says so; declare the operation by hand"
        )

    # Values

    def _domains(self) -> dict[str, Range]:
        """The float arguments that have to be positive, or between 0 and 1, for the result to be finite."""
        found: dict[str, Range] = {}
        for name, tensor in self.tensors.items():
            inside = [
                each for each in (within(0, 1), positive) if tensor.is_floating_point() and each.admits(tensor.numpy())
            ]
            drawn = torch.randn(tensor.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
            drawn = torch.where(torch.arange(drawn.numel()).reshape(drawn.shape) % 2 == 0, -drawn.abs(), drawn)
            if not inside or self._is_finite(name, drawn.to(tensor.dtype)):
                continue
            for each in (positive, within(0, 1)):
                if each in inside and self._is_finite(
                    name, torch.from_numpy(each.brought(drawn.numpy())).to(tensor.dtype)
                ):
                    found[name] = each
                    break
        return found

    def _is_finite(self, name: str, values: Tensor) -> bool:
        parts = self.call(self.shapes, **{name: values})
        return parts is not None and all(bool(part.isfinite().all()) for part in parts)

    def _indices(self, axes: Mapping[str, tuple[str, ...]]) -> dict[str, Any]:
        """The integer arguments that are indices of an axis; of others the range that the example has."""
        found: dict[str, Any] = {}
        for name, tensor in self.tensors.items():
            if not _counts(tensor) or not tensor.numel():
                continue
            found[name] = within(int(tensor.min()), int(tensor.max()))
            for other, place in ((each, place) for each in axes for place in range(len(axes[each])) if each != name):
                size = self.shapes[other][place]
                if int(tensor.min()) >= 0 and int(tensor.max()) < size and self._stops_at(name, tensor, size):
                    found[name] = below(axes[other][place])
                    break
        return found

    def _stops_at(self, name: str, tensor: Tensor, size: int) -> bool:
        """Whether one less than a size is the largest value that is taken."""
        last = self.call(self.shapes, **{name: torch.full_like(tensor, size - 1)})
        return last is not None and self.call(self.shapes, **{name: torch.full_like(tensor, size)}) is None

    def _is_differentiable(self) -> bool:
        """Whether autograd reaches through it from a float argument."""
        wide = {
            name: tensor.detach().double().requires_grad_() if tensor.is_floating_point() else tensor
            for name, tensor in self.tensors.items()
        }
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                returned = self.function(*{**self.example, **wide}.values())
            parts = returned if isinstance(returned, tuple | list) else (returned,)
            sum(part.abs().sum() for part in parts if part.requires_grad).backward()
        except Exception:
            return False
        return True


@dataclass(frozen=True)
class _Group:
    """Axes of one length that vary together, by steps."""

    slots: tuple[Slot, ...]
    size: int
    step: int


def _alike(one: Tensor, other: Tensor) -> bool:
    """Whether two results are the same but for rounding, by the largest entry of the first."""
    if one.shape != other.shape:
        return False
    size = float(one.abs().nan_to_num(0).max()) if one.numel() and one.dtype is not torch.bool else 0.0
    return torch.allclose(one, other, rtol=_ROUNDING, atol=_ROUNDING * size, equal_nan=True)


def _counts(tensor: Tensor) -> bool:
    """Whether a tensor holds whole numbers."""
    return not (tensor.is_floating_point() or tensor.is_complex() or tensor.dtype is torch.bool)


def _times(step: int, name: str) -> str:
    return name if step == 1 else f"{step}*{name}"


def _expressions(names: list[str]) -> Iterator[str]:
    """Expressions of sizes, plainest first."""
    yield from names
    yield from map(str, range(65))
    for name, number in itertools.product(names, range(1, 17)):
        yield from (f"{number}*{name}", f"{name}+{number}", f"{name}-{number}")
    for name, number in itertools.product(names, (2, 3, 4)):
        yield from (f"{name}//{number}", f"{name}//{number}+1")
        yield from (f"({name}-{less})//{number}+1" for less in range(1, 5))
    for one, other in itertools.permutations(names, 2):
        yield from (f"{one}*{other}", f"{one}+{other}", f"{one}-{other}+1", f"{one}+{other}-1", f"{one}-{other}")
        yield from (f"{one}-{other}+{number}" for number in range(2, 9))


_KINDS = {"float": Float, "int": Int, "bool": Bool, "complex": Complex}


def _kind(dtype: torch.dtype) -> str:
    if dtype.is_complex:
        return "complex"
    return "float" if dtype.is_floating_point else "bool" if dtype is torch.bool else "int"


def _annotation(axes: str, dtype: torch.dtype) -> Any:
    return _KINDS[_kind(dtype)][Tensor, axes]


def _annotation_text(axes: str, dtype: torch.dtype) -> str:
    return f'{_kind(dtype).capitalize()}[Tensor, "{axes}"]'


def _called(function: Callable[..., Any]) -> str:
    """How a function is called in Python: by its module where that is a library's, by a name to be put in where it has none."""
    name, module = name_of(function), getattr(function, "__module__", None) or ""
    if not name.isidentifier():
        return "function"
    if module.startswith("torch.nn.functional") or getattr(torch.nn.functional, name, None) is function:
        return f"torch.nn.functional.{name}"
    return f"torch.{name}" if getattr(torch, name, None) is function else name


def _identifier(name: str) -> str:
    return name if name.isidentifier() else "operation"
