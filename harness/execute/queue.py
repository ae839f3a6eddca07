"""The queue: which worker asks which cells, and what becomes of them when a worker dies.

Cells of one operation, device and dtype, which come in a row, go to one worker, because they share the oracle. Every cell is
answered once: by its worker, or by its worker's death.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from itertools import groupby

from harness.execute.shard import group_of_key


class Queue:
    """Hands out groups of cells in their order; a group's rest goes to another worker where its own died."""

    def __init__(self, cells: Sequence[str]) -> None:
        self._waiting = deque(list(group) for _, group in groupby(cells, group_of_key))
        self._given: dict[str, deque[str]] = {}

    @property
    def is_done(self) -> bool:
        """Whether every cell is answered."""
        return not self._waiting and not any(self._given.values())

    @property
    def waiting(self) -> list[list[str]]:
        """The groups that no worker has, in their order."""
        return list(self._waiting)

    @property
    def has_waiting(self) -> bool:
        """Whether there are cells that no worker has."""
        return bool(self._waiting)

    def next(self, worker: str) -> list[str]:
        """The cells that a worker is to ask next; none where it has not begun the last that it has, or all are given out."""
        mine = self._given.setdefault(worker, deque())
        if len(mine) > 1 or not self._waiting:
            return []
        group = self._waiting.popleft()
        mine.extend(group)
        return group

    def has(self, worker: str, cell: str) -> bool:
        """Whether a worker is to answer a cell."""
        return cell in self._given.get(worker, ())

    def answered(self, worker: str, cell: str) -> None:
        """A worker has answered a cell."""
        self._given[worker].remove(cell)

    def first_left(self, worker: str) -> str | None:
        """The cell that a worker was asking, or was to ask next; None where there is none."""
        left = self._given.get(worker)
        return left[0] if left else None

    def lost(self, worker: str, blamed: bool) -> None:
        """A worker has ended. blamed: whether the first cell that it left is answered by that; others ask the rest."""
        left = self._given.pop(worker, deque())
        if blamed:
            left.popleft()
        if left:
            self._waiting.appendleft(list(left))
