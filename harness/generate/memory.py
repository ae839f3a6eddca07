"""Memory of what is costly to make and asked for again: the least recently used is dropped first."""

from __future__ import annotations

import ctypes
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, Generic, Protocol, TypeVar
from weakref import WeakSet


class Sized(Protocol):
    """Anything that knows how many bytes it holds."""

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        ...


Held = TypeVar("Held", bound=Sized)


class Memory(Generic[Held]):
    """Values by key, within a bound on their bytes."""

    def __init__(self, most_bytes: int) -> None:
        self._kept: OrderedDict[Hashable, Held] = OrderedDict()
        self._most, self._bytes = most_bytes, 0
        _memories.add(self)

    def recall(self, key: Hashable, make: Callable[[], Held]) -> Held:
        """The value of a key, made where it is not there yet."""
        held = self._kept.get(key)
        if held is not None:
            self._kept.move_to_end(key)
            return held
        made = self._kept[key] = make()
        self._bytes += made.nbytes + _PER_ENTRY
        while self._bytes > self._most and len(self._kept) > 1:
            self._bytes -= self._kept.popitem(last=False)[1].nbytes + _PER_ENTRY
        return made

    def clear(self) -> None:
        """Drop all values."""
        self._kept.clear()
        self._bytes = 0


_PER_ENTRY = 1024

_memories: WeakSet[Memory[Any]] = WeakSet()


def forget() -> None:
    """Drop the values of all memories, and give the system back what is free.

    The GNU C library keeps freed pieces between those in use, so that a process stays as large as it ever was (malloc_trim(3));
    others have no such function, and need none.
    """
    for memory in _memories:
        memory.clear()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
