"""The scheduling: which worker asks which cells, and what becomes of them when a worker dies.

Cells of one operation, device and dtype, which come in a row, go to one worker, because they share the oracle. pytest-xdist's own group
scheduling asks a cell again after it has crashed its worker, and with it the worker after that. Here every cell is
answered once: by its worker, or by its worker's death.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from harness.errors import InfrastructureError
from harness.verify.cell_key import CellKey

if TYPE_CHECKING:
    from xdist.workermanage import WorkerController  # type: ignore[import-untyped]


_AHEAD = 2
"""The cells before a worker, which asks one only when it knows the next or that there is none."""


class OnceEach:
    """Hands out groups of cells in their order; a group's rest goes to another worker where its own died.

    Follows the protocol of xdist's schedulers. `is_culprit` says of a dead worker and the first cell it had left whether
    the cell is to blame; a cell that is not is asked again.
    """

    def __init__(self, workers: int, is_culprit: Callable[[WorkerController, str], bool]) -> None:
        self._workers = workers
        self._is_culprit = is_culprit
        self._cells: list[str] = []
        self._collected: set[WorkerController] = set()
        self._waiting: deque[list[str]] = deque()
        self._given: dict[WorkerController, deque[str]] = {}
        self._divided = False

    @property
    def nodes(self) -> list[WorkerController]:
        """The workers that are alive."""
        return list(self._given)

    @property
    def collection_is_completed(self) -> bool:
        """Whether as many workers as were asked for have said which cells there are."""
        return len(self._collected) >= self._workers

    @property
    def tests_finished(self) -> bool:
        """Whether every cell is answered."""
        return self.collection_is_completed and not self.has_pending

    @property
    def has_pending(self) -> bool:
        """Whether a cell is not answered yet."""
        return bool(self._waiting) or any(self._given.values())

    def add_node(self, node: WorkerController) -> None:
        """A worker has started."""
        self._given[node] = deque()

    def add_node_collection(self, node: WorkerController, collection: Sequence[str]) -> None:
        """A worker has found the cells. Raises InfrastructureError where they are not those that others found."""
        found = list(collection)
        if self._collected and found != self._cells:
            odd = next(iter(set(found) ^ set(self._cells)), "their order")
            raise InfrastructureError(
                f"two workers found different cells ({odd}); declarations must be the same on every import"
            )
        self._cells = found
        self._collected.add(node)

    def schedule(self) -> None:
        """Hand out what there is to the workers that there are."""
        if not self._divided:
            self._divided = True
            self._waiting.extend(list(cells) for _, cells in groupby(self._cells, _group))
        for node in self.nodes:
            self._feed(node)

    def mark_test_complete(self, node: WorkerController, item_index: int, duration: float = 0) -> None:
        """A worker has answered a cell."""
        self._given[node].remove(self._cells[item_index])
        self._feed(node)

    def remove_node(self, node: WorkerController) -> str | None:
        """A worker has ended. Returns the cell that is to blame, None where it left nothing or none is."""
        left = self._given.pop(node)
        blamed = left.popleft() if left and self._is_culprit(node, left[0]) else None
        if left:
            self._waiting.appendleft(list(left))
            for other in self.nodes:
                self._feed(other)
        return blamed

    def mark_test_pending(self, item: str) -> None:
        """Not needed: no cell is asked twice."""
        raise NotImplementedError

    def remove_pending_tests_from_node(self, node: WorkerController, indices: Sequence[int]) -> None:
        """Not needed: no cell is stolen."""
        raise NotImplementedError

    def _feed(self, node: WorkerController) -> None:
        if node.shutting_down or node not in self._collected:
            return
        given = self._given[node]
        while self._waiting and len(given) < _AHEAD:
            group = self._waiting.popleft()
            given.extend(group)
            node.send_runtest_some([self._cells.index(cell) for cell in group])
        if not self._waiting and len(given) < _AHEAD:
            node.shutdown()


def _group(cell: str) -> tuple[str, ...]:
    """Operation, device and dtype of a cell's name, which pytest writes after `::`."""
    key = CellKey.parse(cell.partition("::")[2])
    return (key.operation, key.device, key.dtype) if key is not None else (cell,)
