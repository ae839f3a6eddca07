"""Memory as a kernel sees it in Triton's interpreter: every tensor in an address space of its own.

A kernel is given addresses that no memory has. Each tensor's lie so far apart from every other's that an address tells from which
tensor it was counted, however far beyond its end it is, and a load or store is carried out where it lies within the tensor, and
nowhere else. What is loaded from outside is a value that nobody mistakes for a number of the kernel's; what is stored there is
dropped, so that a kernel which writes beside its tensors damages nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from harness.declare.program_order import Clash, Kind, ProgramOrder

_BITS = 44
"""Of an address, those that say where in the space of a tensor it lies."""

_HALF = np.uint64(1 << (_BITS - 1))

_FIRST = 16
"""The first space: below 2⁴⁸ are addresses of the process itself, which a kernel may make of integers."""

_ALIGNED = 4096
"""A tensor's address is as far from a multiple of this as it really is."""

_LARGEST_INTEGER = 2**31 - 1

_VERBS = {"load": "loads", "store": "stores", "atomic": "changes atomically"}


class Place(NamedTuple):
    """A line of a kernel."""

    file: str
    line: int
    function: str

    def __str__(self) -> str:
        return f"line {self.line} of {Path(self.file).name} ({self.function})"


@dataclass
class AccessFault:
    """What a kernel does to memory that it may not do.

    kind: `load` or `store` (which what is atomic is as well) outside of a tensor, or `race`; place: the line; tensor: the kernel's
    name for it, and whose argument it is; before, beyond: by how many entries it reaches out at most, before the first entry and
    beyond the last; program: one that does it; earlier: of a race, the other side.
    """

    kind: str
    place: Place
    verb: str
    tensor: str
    program: str
    before: int = 0
    beyond: int = 0
    earlier: str = ""

    def __str__(self) -> str:
        if self.kind == "race":
            return f"{self.place} {self.verb} {self.tensor} in program {self.program}, {self.earlier}"
        reach = [
            f"{count:,} entr{'y' if count == 1 else 'ies'} {where}"
            for count, where in ((self.before, "before the beginning"), (self.beyond, "beyond the end"))
            if count
        ]
        return f"{self.place} {self.verb} up to {' and '.join(reach)} of {self.tensor}, in program {self.program}"


@dataclass(frozen=True)
class _Space:
    """The addresses of one tensor of a launch.

    base: the address that the kernel is given; pointer: the real one; least, most: the bytes that may be touched, from there;
    tensor: its name; storage, start: the memory in which it lies, and where; entry: bytes of each; entries: of the memory;
    held: the tensor itself, so that its memory is nobody else's as long as a kernel may know the address.
    """

    base: int
    pointer: int
    least: int
    most: int
    tensor: str
    storage: int
    start: int
    entry: int
    entries: int
    held: Tensor


@dataclass(frozen=True)
class _Span:
    """An argument of the function under test: its name, and the bytes from the first of its entries to beyond the last."""

    name: str
    first: int
    last: int


def _span(name: str, tensor: Tensor) -> _Span:
    reach = sum(stride * (size - 1) for stride, size in zip(tensor.stride(), tensor.shape, strict=True))
    size = tensor.element_size()
    return _Span(name, tensor.data_ptr(), tensor.data_ptr() + (reach + 1) * size)


@dataclass
class KernelMemory:
    """What stands for the memory of the interpreter during one call of a function that launches kernels.

    own: the interpreter's own memory; outside: what a float is that is loaded from outside; arguments: of the function, by
    name; faults: what was seen, each line and tensor once; narrowed: the lines that round, and to how many bits.
    """

    own: Any
    outside: float = float("nan")
    arguments: Mapping[str, Tensor] = field(default_factory=dict)
    faults: dict[Hashable, AccessFault] = field(default_factory=dict)
    narrowed: dict[Place, str] = field(default_factory=dict)
    _spaces: dict[int, _Space] = field(default_factory=dict)
    _order: ProgramOrder | None = None
    _program: int = 0
    _program_name: str = "0"
    _volatile: bool = False
    _bfloat16: bool = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self.own, name)

    # what the launch tells

    def launched(self, programs: int) -> None:
        """Another launch begins, of so many programs."""
        self._order = ProgramOrder() if programs > 1 else None

    def running(self, program: int, name: str) -> None:
        """The program that runs now."""
        self._program, self._program_name = program, name

    def loading(self, volatile: bool, bfloat16: bool) -> None:
        """The next load: whether it waits for another program, and does not race with it; whether its integers are bfloat16's bits."""
        self._volatile, self._bfloat16 = volatile, bfloat16

    def rounded(self, dtype: str) -> None:
        """A kernel rounds floats to a narrower dtype."""
        self.narrowed[_place()] = dtype

    def address(self, name: str, tensor: Tensor) -> int:
        """The address that a kernel is given for a tensor, which it calls by this name."""
        storage, pointer = tensor.untyped_storage(), tensor.data_ptr()
        first, last = storage.data_ptr(), storage.data_ptr() + storage.nbytes()
        owners = [
            span
            for span in (_span(argument, each) for argument, each in self.arguments.items() if each.numel())
            if first <= span.first < last
        ]
        if owners:
            first, last = min(span.first for span in owners), max(span.last for span in owners)
            known = [span.name for span in owners if span.first <= pointer < span.last] or [owners[0].name]
            name = name if known == [name] else f"{name} (its argument {' or '.join(known)})"
        base = ((_FIRST + len(self._spaces)) << _BITS) + pointer % _ALIGNED
        self._spaces[base >> _BITS] = _Space(
            base,
            pointer,
            first - pointer,
            last - pointer,
            name,
            storage.data_ptr(),
            pointer - storage.data_ptr(),
            max(1, tensor.element_size()),
            storage.nbytes() // max(1, tensor.element_size()) + 1,
            tensor,
        )
        return base

    # the four ways to memory, as the interpreter has them

    def load(self, addresses: Any, mask: Any, other: Any, dtype: Any) -> Any:
        """The values at addresses; `other` where they are masked off."""
        real, inside = self._reached("load", addresses, mask, np.dtype(dtype).itemsize)
        lost = np.broadcast_to(mask, inside.shape).astype(bool) & ~inside
        if lost.any():
            other = np.where(lost, self._foreign(np.dtype(dtype)), other).astype(dtype)
        return self.own.load(real, inside, other, dtype)

    def store(self, addresses: Any, values: Any, mask: Any) -> Any:
        """Store values at addresses, where they are not masked off."""
        real, inside = self._reached("store", addresses, mask, values.dtype.itemsize, values)
        return self.own.store(real, values, inside)

    def atomic_rmw(self, operation: Any, addresses: Any, values: Any, mask: Any, semantic: Any) -> Any:
        """Change values at addresses, and give those before."""
        real, inside = self._reached("atomic", addresses, mask, values.dtype.itemsize)
        self._synchronised(real)
        return self.own.atomic_rmw(operation, real, values, inside, semantic)

    def atomic_cas(self, addresses: Any, compared: Any, values: Any, semantic: Any) -> Any:
        """Exchange values at addresses where they are those compared, and give those before."""
        real, inside = self._reached("atomic", addresses, np.ones_like(addresses, dtype=bool), values.dtype.itemsize)
        self._synchronised(real)
        if inside.all():
            return self.own.atomic_cas(real, compared, values, semantic)
        found = np.full(inside.shape, self._foreign(values.dtype), dtype=values.dtype)
        compared, values = (np.broadcast_to(each, inside.shape)[inside] for each in (compared, values))
        found[inside] = self.own.atomic_cas(real[inside], compared, values, semantic)
        return found

    def _foreign(self, dtype: np.dtype[Any]) -> Any:
        """What an entry outside holds: NaN, or the largest integer by which an index is still told to be one of this tensor.

        Where other floats are asked for, it is another integer as well.
        """
        if dtype.kind == "f":
            return dtype.type(np.clip(self.outside, np.finfo(dtype).min, np.finfo(dtype).max))
        if self._bfloat16:
            return np.float32(self.outside).view(np.uint32) >> 16
        if dtype.kind == "b" or self.outside < 0:
            return not self.outside < 0
        largest = min(int(np.iinfo(dtype).max), _LARGEST_INTEGER)
        return largest if np.isnan(self.outside) else largest // 2

    # where an address lies

    def _reached(self, kind: Kind, addresses: Any, mask: Any, size: int, values: Any = None) -> tuple[Any, Any]:
        """The real addresses, and which of them may be touched."""
        inside = np.broadcast_to(mask, addresses.shape).astype(bool)
        real = addresses.copy()
        numbers = (addresses + _HALF) >> np.uint64(_BITS)
        for number in np.unique(numbers[inside]):
            here = inside & (numbers == number)
            space = self._spaces.get(int(number))
            if space is None:
                inside &= ~here | (addresses >= _ALIGNED) & (number < _FIRST)
                continue
            offsets = (addresses[here] - np.uint64(space.base)).astype(np.int64)
            real[here] = (offsets + space.pointer).astype(np.uint64)
            allowed = (offsets >= space.least) & (offsets + size <= space.most)
            if not allowed.all():
                self._note_outside(kind, space, offsets[~allowed], size)
                inside[here] = allowed
            if self._order is not None and allowed.any():
                told = None if values is None else np.broadcast_to(values, here.shape)[here][allowed]
                self._note_order(kind, space, offsets[allowed], told)
        return real, inside

    def _note_outside(self, kind: Kind, space: _Space, offsets: NDArray[np.int64], size: int) -> None:
        place = _place()
        key = (kind, place, space.tensor)
        found = self.faults.get(key)
        if found is None:
            outside = "load" if kind == "load" else "store"
            found = self.faults[key] = AccessFault(outside, place, _VERBS[kind], space.tensor, self._program_name)
        found.before = max(found.before, -((int(offsets.min()) - space.least) // space.entry))
        found.beyond = max(found.beyond, -((space.most - int(offsets.max()) - size) // space.entry))

    # in which order

    def _note_order(self, kind: Kind, space: _Space, offsets: NDArray[np.int64], values: Any) -> None:
        order = self._order
        if order is None:
            return
        entries = (space.start + offsets) // space.entry
        if self._volatile and kind == "load":
            self._synchronised(offsets + space.pointer)
            return
        here = (_place(), self._program_name)
        memory = ((space.storage, space.entry), space.entries)
        if values is not None:
            changed = self._changed(space, offsets, values)
            order.stored_again((space.storage, space.entry), entries[~changed], self._program, here)
            entries = entries[changed]
        clash = order.note(kind, memory, entries, self._program, here)
        if clash is not None:
            self._note_race(kind, space, clash)

    def _changed(self, space: _Space, offsets: NDArray[np.int64], values: Any) -> NDArray[np.bool_]:
        """Which entries a store changes: of two programs that store the same value either may come first."""
        bits = np.dtype(f"u{values.dtype.itemsize}")
        real = (offsets + space.pointer).astype(np.uint64)
        before = self.own.load(real, np.ones(real.shape, dtype=bool), np.zeros(real.shape, dtype=bits), bits)
        return np.asarray(before != np.ascontiguousarray(values).view(bits))

    def _note_race(self, kind: Kind, space: _Space, clash: Clash) -> None:
        place, (earlier, program) = _place(), clash.place
        key = ("race", place, space.tensor, earlier)
        entry = clash.entry - space.start // space.entry
        told = f"which program {program} {_VERBS[clash.kind]} in line {earlier.line}, and nothing says which is first"
        verb = f"{_VERBS[kind]} entry {entry} of"
        self.faults.setdefault(key, AccessFault("race", place, verb, space.tensor, self._program_name, earlier=told))

    def _synchronised(self, addresses: Any) -> None:
        """A program that waits at one address, or counts there, learns how far the others are."""
        if self._order is not None and np.size(addresses) == 1:
            self._order.synchronised(self._program, int(np.ravel(addresses)[0]))


_MACHINERY = ("triton.", f"{__package__}.")
"""How the names of the modules begin that lie between a line of a kernel and what it does to memory."""


def _place() -> Place:
    """The line of the kernel that is being interpreted: the innermost one outside of Triton and of this room."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith(_MACHINERY):
        frame = frame.f_back
    return Place(frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name)
