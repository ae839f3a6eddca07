"""The order of programs: accesses of one launch to one entry, of which nothing says which comes first.

The interpreter runs the programs of a launch one after another; a device runs them at once. Two accesses race where they are of
different programs, one of them stores another value, not both are atomic, and no atomic operation lies between them by which
the later program could know that the earlier one had come so far.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Times = NDArray[np.int64]
Kind = Literal["load", "store", "atomic"]


class Clash(NamedTuple):
    """An entry, and the earlier access to it: in which place, of what kind."""

    entry: int
    place: Any
    kind: Kind


class _Access(NamedTuple):
    program: int
    place: Any
    kind: Kind


@dataclass
class _History:
    """When each entry of a piece of memory was last stored, stored again as it was, changed atomically, and loaded.

    loaded_before: by another program than the last one.
    """

    stored: Times
    stored_again: Times
    changed: Times
    loaded: Times
    loaded_before: Times

    @staticmethod
    def of(entries: int) -> _History:
        return _History(*(np.zeros(entries, dtype=np.int64) for _ in range(5)))


@dataclass
class ProgramOrder:
    """The accesses of one launch so far. Time is counted in accesses; 0 is before all of them."""

    _accesses: list[_Access] = field(default_factory=list)
    _programs: Times = field(default_factory=lambda: np.zeros(64, dtype=np.int64))
    _histories: dict[Hashable, _History] = field(default_factory=dict)
    _known: dict[int, dict[int, int]] = field(default_factory=dict)
    _told: dict[int, dict[int, int]] = field(default_factory=dict)

    def note(self, kind: Kind, memory: tuple[Hashable, int], entries: Times, program: int, place: Any) -> Clash | None:
        """Note an access, and give the first earlier one that it races with.

        memory: what names the piece of memory, and how many entries it has; entries: those that are touched, of a store those
        alone that it changes.
        """
        name, length = memory
        history = self._histories.get(name)
        if history is None:
            history = self._histories[name] = _History.of(length)
        clash = self._clash(kind, history, entries, program)
        now = self._tick(_Access(program, place, kind))
        if kind == "load":
            before = history.loaded[entries]
            others = self._programs[before] != program
            history.loaded_before[entries[others]] = before[others]
            history.loaded[entries] = now
        else:
            (history.stored if kind == "store" else history.changed)[entries] = now
        return clash

    def stored_again(self, memory: Hashable, entries: Times, program: int, place: Any) -> None:
        """Note a store of the values that are there already, which races with nobody: whoever did it may rely on them."""
        history = self._histories.get(memory)
        if history is not None:
            history.stored_again[entries] = self._tick(_Access(program, place, "store"))

    def synchronised(self, program: int, address: int) -> None:
        """A program has met others at an address: it knows what was done before they were there, and they will know of it."""
        known, told = self._known.setdefault(program, {}), self._told.setdefault(address, {})
        for other, time in told.items():
            known[other] = max(time, known.get(other, 0))
        told.update(known)
        told[program] = len(self._accesses)

    def _tick(self, access: _Access) -> int:
        self._accesses.append(access)
        now = len(self._accesses)
        if now >= len(self._programs):
            self._programs = np.concatenate([self._programs, np.zeros_like(self._programs)])
        self._programs[now] = access.program
        return now

    def _clash(self, kind: Kind, history: _History, entries: Times, program: int) -> Clash | None:
        against = [history.stored]
        if kind != "atomic":
            against.append(history.changed)
        if kind != "load":
            against += [history.loaded, history.loaded_before]
        for each in against:
            times = each[entries]
            racing = (times > 0) & (self._programs[times] != program)
            if kind == "load":
                again = history.stored_again[entries]
                racing &= (self._programs[again] != program) | (again < times)
            for place in np.flatnonzero(racing) if racing.any() else ():
                time = int(times[place])
                earlier = self._accesses[time - 1]
                if time > self._known.get(program, {}).get(earlier.program, 0):
                    return Clash(int(entries[place]), earlier.place, earlier.kind)
        return None
