"""A case: one concrete call, rebuilt from its recorded parameters alone."""

from __future__ import annotations

import dataclasses
import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from harness.declare.axes import Axis
from harness.declare.devices import device_named
from harness.declare.domain import OptionValue, TensorDomain
from harness.declare.operation import Operation
from harness.declare.structure import RandomSource
from harness.errors import HarnessError
from harness.generate.layouts import Layout, contiguous, whole_memory
from harness.generate.memory import Memory
from harness.generate.patterns import EXACT, PATTERNS, SPECIAL
from harness.generate.precision import PRECISIONS, Precision


@dataclass(frozen=True)
class _Filled:
    """The tensors of a case, as they are remembered."""

    tensors: dict[str, Tensor]

    @property
    def nbytes(self) -> int:
        return sum(tensor.nbytes for tensor in self.tensors.values())


SEEDS = 2**16
"""Different seeds that are drawn; what lies above is a case's turn."""

_filled: Memory[_Filled] = Memory(256 * 2**20)


@dataclass(frozen=True)
class Call:
    """The concrete arguments of one call. Tensors are in the case's dtype, device and layout.

    precision: how they are multiplied; sizes: of the case from which the call derives, for the names that its tensors leave
    open; reversed: the arguments that an array library gets with negative strides, which torch's tensors can't have; layout:
    that of all arguments, which memory for results has as well; device: where it is computed.
    """

    operation: Operation
    arguments: dict[str, Tensor]
    options: Mapping[str, OptionValue]
    precision: Precision = PRECISIONS["float32"]
    sizes: Mapping[str, int] = field(default_factory=dict)
    reversed: frozenset[str] = frozenset()
    layout: str = "contiguous"
    device: str = "cpu"

    def fresh(self) -> Call:
        """The same call in memory of its own, strides kept, so that nobody's writes reach another call."""
        return self.map(_copy)

    def replace(self, **arguments: Tensor) -> Call:
        """The same call with some tensors exchanged."""
        return dataclasses.replace(self, arguments={**self.arguments, **arguments})

    def take(self, indices: Any) -> Call:
        """The call on these samples of the batch: an index, a slice or a list of indices along every batch axis."""
        wanted = torch.as_tensor(range(self.batch_size)[indices] if isinstance(indices, slice) else indices).reshape(-1)
        return self.along_batch(lambda tensor, axis: tensor.index_select(axis, wanted.to(tensor.device)))

    def along_batch(self, change: Callable[[Tensor, int], Tensor]) -> Call:
        """The call with a change made to every argument that has a batch axis."""
        return self.replace(**{name: change(self.arguments[name], axis) for name, axis in self.batch_axes.items()})

    @property
    def batch_axes(self) -> dict[str, int]:
        """Where the samples lie in each argument that holds some; empty where this call has no batch."""
        axes = {name: domain.batch_axis(self.options) for name, domain in self.given.items()}
        return {name: axis for name, axis in axes.items() if axis is not None}

    @property
    def given(self) -> Mapping[str, TensorDomain]:
        """The domains of the tensors that this call has, by name."""
        return self.operation.given(self.options)

    @property
    def batch_size(self) -> int:
        """The number of samples. Raises HarnessError where the operation has no batch axis."""
        for name, axis in self.batch_axes.items():
            return int(self.arguments[name].shape[axis])
        raise HarnessError(f"operation {self.operation.name} has no batch axis")

    @property
    def checksum(self) -> str:
        """The same for calls of which options and arguments have the same bits."""
        told = hashlib.blake2b(repr(sorted(self.options.items())).encode(), digest_size=16)
        for name, tensor in self.arguments.items():
            told.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
            values = tensor.detach().cpu().clone(memory_format=torch.contiguous_format)
            told.update(values.reshape(-1).view(torch.uint8).numpy().tobytes())
        return told.hexdigest()

    def map(self, change: Callable[[Tensor], Tensor]) -> Call:
        """The call with a change made to every tensor."""
        changed = {name: change(tensor) for name, tensor in self.arguments.items()}
        return dataclasses.replace(self, arguments=changed)


@dataclass(frozen=True)
class Case:
    """One call's recorded parameters.

    sizes: size by axis name; options: value by option name; pattern, layout: names; seed: fills the tensors;
    dtype, device: where the implementation computes; grid: the dtype to which the values were rounded (another
    than `dtype` when a case is evaluated again in another precision); nudge, reach: which of the small moves of all
    float entries is made (0 for none), and by what part of each entry at most; values: the entries, in a row, of
    arguments that are given and not drawn.
    """

    operation: Operation
    sizes: Mapping[str, int]
    options: Mapping[str, OptionValue] = field(default_factory=dict)
    pattern: str = "normal"
    layout: str = "contiguous"
    seed: int = 0
    dtype: str = "float64"
    device: str = "cpu"
    grid: str = ""
    nudge: int = 0
    reach: float = 0.0
    values: Mapping[str, tuple[complex, ...]] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"<case of {self.operation.name}: {self.describe()}>"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """What Hypothesis and notebooks show."""
        printer.text(repr(self))

    @property
    def turn(self) -> int:
        """Its place in the plan, so that what is done with every n-th case meets all of them evenly; 0 by hand."""
        return self.seed // SEEDS

    @property
    def known(self) -> dict[str, Any]:
        """Sizes and options by name."""
        return {**self.sizes, **self.options}

    @property
    def precision(self) -> Precision:
        """How finely it is computed."""
        return PRECISIONS[self.dtype]

    @property
    def _layout(self) -> Layout:
        return Layout.parse(self.layout)

    @cached_property
    def key(self) -> tuple[Any, ...]:
        """What the values and the reference depend on: everything but device and layout (one that is expanded changes values)."""
        return (
            self.operation.name,
            tuple(self.sizes.items()),
            tuple(self.options.items()),
            self.pattern,
            self.seed,
            self.dtype,
            self.grid,
            self.layout if self._layout.name == "expanded" else "",
            self.nudge,
            self.reach,
            tuple(self.values.items()),
        )

    def replace(self, **changes: Any) -> Case:
        """The case with some parameters exchanged; with other sizes or options no values are given any more."""
        if self.values and ("sizes" in changes or "options" in changes):
            changes = {"values": {}, **changes}
        return dataclasses.replace(self, **changes)

    def without(self, name: str, places: Sequence[int]) -> Case | None:
        """The case without these places of an axis: given values are cut out there, the others drawn anew.

        None where the operation does not admit it, or where an axis of a given argument is neither the name nor a product
        with it but follows from it all the same.
        """
        sizes = {**self.sizes, name: self.sizes[name] - len(places)}
        axes = [axis for each in self.values for axis in self._axes(each)]
        followed = any(name in axis.names and name not in axis.factor_names for axis in axes)
        if followed or sizes[name] < 1 or not self.operation.admits(sizes, self.options):
            return None
        cut = self.replace(sizes=sizes, values={each: self._cut(each, name, places) for each in self.values})
        return cut if cut.is_admitted else None

    def _cut(self, argument: str, name: str, places: Sequence[int]) -> tuple[complex, ...]:
        """The entries of a given argument without these places of an axis."""
        axes = self._axes(argument)
        array = np.reshape(self.values[argument], [size for axis in axes for size in axis.factors(self.known)])
        for place, factor in enumerate(factor for axis in axes for factor in axis.factor_names):
            if factor == name:
                array = np.delete(array, places, place)
        return tuple(array.reshape(-1).tolist())

    def _axes(self, argument: str) -> tuple[Axis, ...]:
        return self.operation.tensors[argument].axes(self.options)

    def on(self, device: str, dtype: str) -> Case:
        """The case on a device in a dtype: made once for all implementations and properties, and its key with it."""
        place = (device, dtype)
        if place not in self._moved:
            self._moved[place] = self.replace(device=device, dtype=dtype)
        return self._moved[place]

    @cached_property
    def _moved(self) -> dict[tuple[str, str], Case]:
        return {}

    def another(self, step: int = 1) -> Case:
        """A case of the same form, filled from another seed."""
        return self.replace(seed=self.seed + step, values={})

    def at(self, dtype: str) -> Case:
        """The case evaluated in another precision, with the same values where that precision can hold them."""
        return self.replace(dtype=dtype, grid=self.grid or self.dtype)

    def record(self) -> dict[str, Any]:
        """The parameters as plain JSON values, enough for `Case.rebuild`."""
        named = ("pattern", "layout", "seed", "dtype", "device", "grid", "nudge", "reach")
        fields = {name: getattr(self, name) for name in named}
        given = {"values": {name: [*map(_spelled, row)] for name, row in self.values.items()}} if self.values else {}
        return {
            "operation": self.operation.name,
            "sizes": dict(self.sizes),
            "options": dict(self.options),
            **fields,
            **given,
        }

    @staticmethod
    def rebuild(record: Mapping[str, Any], operations: Mapping[str, Operation]) -> Case:
        """The case of a record. Raises HarnessError where the operation or a parameter is not known any more."""
        fields = dict(record)
        operation = operations.get(fields.pop("operation", ""))
        if operation is None:
            raise HarnessError(
                f"case of operation {record.get('operation')!r}: no such operation here; install what declares it"
            )
        try:
            given = fields.pop("values", {})
            values = {name: tuple(map(_read, entries)) for name, entries in given.items()}
            case = Case(operation, **fields, values=values)
            known = (
                (case.pattern in PATTERNS or case.pattern in SPECIAL)
                and case.dtype in PRECISIONS
                and case._layout.argument in ("", *operation.tensors)
            )
            objection = case.objection if known else f"{case.pattern}, {case.layout} or {case.dtype} is unknown"
        except (TypeError, KeyError, ValueError, AttributeError) as failure:
            raise HarnessError(f"case of {operation.name} does not fit its declaration: {failure}") from None
        if objection:
            raise HarnessError(f"case of {operation.name} does not fit its declaration: {objection}")
        return case

    @property
    def is_admitted(self) -> bool:
        """Whether it is in the domain that the operation declares, and so may be asked."""
        return not self.objection

    @cached_property
    def objection(self) -> str:
        """What the declaration has against the case, in words; empty where it is in its domain."""
        told = self.operation.objection(self.sizes, self.options)
        return told or next(filter(None, map(self._objection_to_values, self.values)), "")

    def allows(self, **sizes: int) -> bool:
        """Whether the operation admits the case with some sizes exchanged."""
        return self.operation.admits({**self.sizes, **sizes}, self.options)

    @property
    def has_batch(self) -> bool:
        """Whether its call holds samples of a batch, which an operation of any rank does in some forms alone."""
        return any(domain.batch_axis(self.options) is not None for domain in self.given.values())

    @property
    def tensors(self) -> dict[str, Tensor]:
        """The arguments' values on the CPU, contiguous, in the case's dtype; made once and shared by equal cases."""
        return _filled.recall((self.operation, self.key), self._fill).tensors

    def _fill(self) -> _Filled:
        grid, dtype = PRECISIONS[self.grid or self.dtype].dtype, PRECISIONS[self.dtype].dtype
        made = {}
        for name, domain in self.given.items():
            values = torch.from_numpy(np.asarray(self._values(name, domain, torch.finfo(grid)), order="C"))
            held = values.to(domain.torch_dtype(grid)).to(domain.torch_dtype(dtype))
            made[name] = self._nudged(name, domain.kept(held), domain) if domain.is_inexact else held
        return _Filled(made)

    def _nudged(self, name: str, tensor: Tensor, domain: TensorDomain) -> Tensor:
        """Every entry moved by a random part of itself, which changes how everything after it is rounded."""
        if not self.nudge:
            return tensor
        moves = torch.from_numpy(
            RandomSource(tuple(tensor.shape), {}, self.seed, f"{name}, nudge {self.nudge}").uniform()
        )
        wide = tensor if tensor.is_complex() else tensor.double()
        return domain.kept((wide * (1 + self.reach * (2 * moves - 1))).to(tensor.dtype))

    @property
    def given(self) -> Mapping[str, TensorDomain]:
        """The domains of the tensors that its call has, by name."""
        return self.operation.given(self.options)

    @property
    def axes(self) -> tuple[tuple[str, int], ...]:
        """The arguments that may lie in memory in any way, by name and number of axes."""
        handed = ((name, domain) for name, domain in self.given.items() if not domain.is_state)
        return tuple((name, len(domain.axes(self.options))) for name, domain in handed)

    @cached_property
    def entries(self) -> int:
        """How many entries the arguments have together."""
        return sum(math.prod(domain.shape(self.known)) for domain in self.given.values())

    def call(self) -> Call:
        """The call itself, in memory of its own, with this case's layout, on its device."""
        plain = self.plain_call()
        layout = self._layout
        handed = {name: each for name, each in plain.arguments.items() if not self.given[name].is_state}
        laid_out = layout.laid_out(handed)
        arguments = {
            name: laid_out[name] if name in laid_out else contiguous(each) for name, each in plain.arguments.items()
        }
        return dataclasses.replace(
            plain,
            arguments=arguments,
            reversed=layout.reversed_among(handed),
            layout="contiguous" if layout.argument else layout.name,
        )

    def holds(self, tensor: Tensor) -> bool:
        """Whether a tensor lies on the case's device."""
        return device_named(self.device).holds(tensor)

    def plain_call(self) -> Call:
        """The call on its device, contiguous, sharing the case's memory: for those who only read."""
        here = Call(self.operation, dict(self.tensors), self.options, self.precision, self.sizes, device=self.device)
        return here if device_named(self.device).is_cpu else here.map(lambda tensor: tensor.to(self.device))

    def _objection_to_values(self, name: str) -> str:
        row, domain = self.values[name], self.given.get(name)
        if domain is None:
            return f"{name} is given values, and is no tensor of this call"
        shape = domain.shape(self.known)
        if len(row) != math.prod(shape):
            return f"{name} is given {len(row)} entries for a shape of {shape}"
        admitted = domain.admits(np.reshape(np.asarray(row), shape), self.known)
        return "" if admitted else f"the values of {name} are not in its domain"

    def _values(self, name: str, domain: TensorDomain, precision: torch.finfo) -> Any:
        known = self.known
        stream = RandomSource(domain.shape(known), known, self.seed, name)
        if name in self.values:
            values = domain.in_kind(np.reshape(np.asarray(self.values[name]), stream.shape))
        elif domain.structure is not None and not (domain.takes_any_numbers and self.pattern in EXACT):
            values = domain.in_kind(domain.structure(stream))
        elif domain.kind == "complex":
            turned = dataclasses.replace(stream, name=f"{name}, imaginary")
            values = self._filled(stream, precision) + 1j * self._filled(turned, precision)
        else:
            values = domain.brought(self._filled(stream, precision))
        spread, axis = self._layout.name == "expanded" and self._layout.concerns(name), self._layout.axis
        if spread and domain.structure is None and axis < values.ndim and values.size:
            values = np.broadcast_to(np.take(values, [0], axis), values.shape).copy()
        return values

    def _filled(self, stream: RandomSource, precision: torch.finfo) -> Any:
        return (SPECIAL.get(self.pattern) or PATTERNS[self.pattern])(stream, precision)

    def describe(self) -> str:
        """One line for people: `batch=2, d=3, bias=True, pattern offset, float32`."""
        used = {name: self.sizes[name] for name in self.operation.used_sizes(self.options)}
        known = [f"{name}={value}" for name, value in {**used, **self.options}.items()]
        given = [f"given {', '.join(self.values)}"] if self.values else []
        shown = [*known, f"pattern {self.pattern}", f"seed {self.seed}", *given, self.dtype]
        if self.layout != "contiguous":
            shown.append(f"layout {self._layout.words}")
        if self.device != "cpu":
            shown.append(self.device)
        return ", ".join(shown)


def _spelled(entry: complex) -> float | str:
    """An entry as JSON can hold it, which has no word for what is not finite or complex."""
    return entry if isinstance(entry, float | int) and math.isfinite(entry) else str(entry)


def _read(entry: Any) -> complex:
    """What `_spelled` has written."""
    return complex(entry) if isinstance(entry, complex) or str(entry).endswith(("j", "j)")) else float(entry)


def _copy(tensor: Tensor) -> Tensor:
    """The tensor in memory of its own, amid what it lies in."""
    whole = whole_memory(tensor)
    if whole.shape == tensor.shape or (tensor.is_contiguous() and whole.numel() == tensor.numel()):
        return tensor.clone()
    return whole.clone().as_strided(tensor.shape, tensor.stride(), tensor.storage_offset())
