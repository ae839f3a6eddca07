"""Shards: a run divided among machines that know nothing of one another, each of which asks its part and no other.

Who asks what follows from the cells alone, and from how long they took in an earlier run, so that all take about as long: the
groups of cells that share an oracle, the longest first, each to the shard that has least so far (R. L. Graham, Bounds on
multiprocessing timing anomalies, 1969: at most 4/3 of the best division).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import median

from harness.errors import HarnessError
from harness.verify.cell import Cell


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
        each = (
            median(seconds[group] / count for group, count in counted.items() if group in seconds)
            if (seconds.keys() & counted.keys())
            else 1.0
        )
        weights = {group: seconds.get(group, each * count) for group, count in counted.items()}
        mine = _divided(weights, self.count)[self.number - 1]
        return [cell for cell in known if group_of(cell) in mine]


def group_of(cell: Cell) -> str:
    """What the cells that share an oracle have in common."""
    return group_name(cell.operation.name, cell.device, cell.dtype)


def group_name(operation: str, device: str, dtype: str) -> str:
    """The name of the group of cells of an operation, a device and a dtype."""
    return f"{operation}-{device}-{dtype}"


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
