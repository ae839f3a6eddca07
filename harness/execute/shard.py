"""Shards: a run divided among machines that know nothing of one another, each of which asks its part and no other.

Who asks what follows from the cells alone, and from how long they took in an earlier run, so that all take about as long: the
groups of cells that share an oracle, the longest first, each to the shard that has least so far (R. L. Graham, Bounds on
multiprocessing timing anomalies, 1969: at most 4/3 of the best division).
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from harness.errors import HarnessError
from harness.verify.cell import Cell
from harness.verify.cell_key import CellKey


@dataclass(frozen=True)
class Shard:
    """One of some parts of a run, by its number, which begins with 1."""

    number: int
    count: int

    @staticmethod
    def named(text: str) -> Shard:
        """The shard that `3/8` means. Raises HarnessError for anything else."""
        found = re.fullmatch(r"([1-9]\d{0,3})/([1-9]\d{0,3})", text)
        shard = Shard(*map(int, found.groups())) if found else Shard(1, 0)
        if shard.number > shard.count:
            raise HarnessError(f"{text[:40]!r} is no shard; write its number and how many there are, as in 3/8")
        return shard

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"

    def of(self, cells: Iterable[Cell], seconds: Mapping[str, float]) -> list[Cell]:
        """The cells of this shard, in their order. seconds: what groups took, by their names."""
        known = list(cells)
        counted: dict[str, int] = {}
        for cell in known:
            counted[group_of(cell)] = counted.get(group_of(cell), 0) + 1
        mine = _divided(_weights(counted, seconds), self.count)[self.number - 1]
        return [cell for cell in known if group_of(cell) in mine]


def group_of(cell: Cell) -> str:
    """What the cells that share an oracle have in common."""
    return group_name(cell.operation.name, cell.device, cell.dtype)


def group_name(operation: str, device: str, dtype: str) -> str:
    """The name of the group of cells of an operation, a device and a dtype."""
    return f"{operation}-{device}-{dtype}"


def group_of_key(key: str) -> str:
    """The group of the cell of this key."""
    found = CellKey.parse(key)
    return group_name(found.operation, found.device, found.dtype) if found is not None else key


def pieces(groups: Iterable[Sequence[str]], seconds: Mapping[str, float], workers: int) -> list[list[str]]:
    """Groups of cells, by their keys, as tasks for so many workers at once.

    The longest come first, and one that would keep a worker longer than half its part of the whole is cut, though every
    piece computes the oracle anew. seconds: what groups took, by their names.
    """
    named: dict[str, list[str]] = {}
    for group in groups:  # what is costly of a group comes after all others, as another one
        named.setdefault(group_of_key(group[0]), []).extend(group)
    weights = _weights({name: len(group) for name, group in named.items()}, seconds)
    most = sum(weights.values()) / (2 * workers)
    made = [
        (weights[name] * len(piece) / len(group), piece)
        for name, group in named.items()
        for piece in _cut(group, math.ceil(weights[name] / most) if most else 1)
    ]
    return [piece for _, piece in sorted(made, key=lambda each: -each[0])]


def _cut(group: Sequence[str], parts: int) -> list[list[str]]:
    """A group in so many pieces of about as many cells, in their order; in fewer where it has not so many."""
    size = math.ceil(len(group) / max(1, parts))
    return [list(group[begin : begin + size]) for begin in range(0, len(group), size)]


def _weights(counted: Mapping[str, int], seconds: Mapping[str, float]) -> dict[str, float]:
    """About how long groups of so many cells take: as long as they did, or as long as a cell of others did in the median."""
    known = [seconds[group] / count for group, count in counted.items() if group in seconds]
    each = median(known) if known else 1.0
    return {group: seconds.get(group, each * count) for group, count in counted.items()}


def _divided(weights: Mapping[str, float], count: int) -> list[set[str]]:
    """The groups in so many parts, of about the same weight."""
    parts: list[set[str]] = [set() for _ in range(count)]
    loads = [0.0] * count
    for group in sorted(weights, key=lambda group: (-weights[group], group)):
        least = loads.index(min(loads))
        parts[least].add(group)
        loads[least] += weights[group]
    return parts


def told_apart(seconds: Mapping[str, float]) -> str:
    """A checksum of what shards were balanced by, which has to be the same for all of them; empty for nothing."""
    return hashlib.sha256(json.dumps(sorted(seconds.items())).encode()).hexdigest()[:12] if seconds else ""
