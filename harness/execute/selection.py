"""The selection: what a run asks, as it travels to the workers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.candidates import Candidates, candidates
from harness.catalogue import catalogue, choose
from harness.declare.implementation import Implementation
from harness.declare.operation import Operation
from harness.errors import HarnessError
from harness.execute.shard import Shard, group_of
from harness.record.example_store import ExampleStore
from harness.record.saved_counterexamples import SavedCounterexample
from harness.verify.cell import Cell, cells
from harness.verify.property import Property
from harness.verify.suite import every_claim, every_property

if TYPE_CHECKING:
    from _pytest.mark.expression import Expression

_DEEPER = 100
"""Levels of an expression that a worker's stack has no room for, where this process' has."""


def check_keyword(expression: str) -> None:
    """Raise HarnessError for what can't be read as an expression of `-k`, which is pytest's, before a worker has to."""
    if expression:
        _compiled("not " * _DEEPER + f"({expression})")


def _compiled(expression: str) -> Expression:
    from _pytest.mark.expression import Expression  # a fifth of all imports, for those alone who use -k

    try:
        return Expression.compile(expression)
    except (RecursionError, MemoryError):
        raise HarnessError(
            "-k is nested too deeply to be read; write fewer `not`, `or`, `and` and parentheses"
        ) from None
    except Exception:  # whatever pytest's parser raises, which differs by version
        raise HarnessError(_NO_EXPRESSION) from None


_NO_EXPRESSION = "-k takes words, `and`, `or`, `not` and parentheses, as in 'layouts and not float16'"


def _matching(keyword: str) -> Callable[[str], bool]:
    """Whether a cell's name is one that an expression of `-k` means: as in pytest, words may be any part of it."""
    if not keyword:
        return lambda name: True
    expression = _compiled(keyword)

    def matches(name: str) -> bool:
        def contains(word: str, /, **_: object) -> bool:
            return word.lower() in name.lower()

        return expression.evaluate(contains)

    return matches


@dataclass(frozen=True)
class Selection:
    """What is asked: operations, devices, dtypes, backends, derived properties (none: all), cases and seconds per cell, seed, file.

    `worker_seconds` is the time of all workers together, to be shared by the cells; 0 for no limit. `priorities`: by a
    cell's key, how much of it the cell gets over a cell that is not named there. `claims`: whether the statements of
    claims are asked too; `only`: the pairs of property and operation to ask (none: all); `examples_folder`: where
    Hypothesis' database of earlier counterexamples lies; `first`: counterexamples of earlier runs to try before anything
    else; `replaying`: whether nothing but them is asked, at most one in each cell; `keys`: the names of the cells that
    are asked (none: all); `shard`: which part of all that is asked (`3/8`; empty: all of it), `durations`: the seconds
    that groups of cells took, by which the parts are balanced.
    """

    operations: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    dtypes: tuple[str, ...] = ()
    backends: tuple[str, ...] = ()
    properties: tuple[str, ...] = ()
    examples: int = 50
    cell_seconds: float = 10.0
    worker_seconds: float = 0.0
    priorities: Mapping[str, float] = field(default_factory=dict)
    seed: int = 0
    nightly: bool = False
    candidates: str = ""
    claims: bool = False
    only: tuple[tuple[str, str], ...] = ()
    examples_folder: str = ""
    first: tuple[SavedCounterexample, ...] = ()
    replaying: bool = False
    keys: tuple[str, ...] = ()
    shard: str = ""
    durations: Mapping[str, float] = field(default_factory=dict)

    def to_json(self) -> str:
        """As a text."""
        return json.dumps(asdict(self))

    @staticmethod
    def from_json(text: str) -> Selection:
        """The selection of such a text."""
        fields = json.loads(text)
        for name in ("operations", "devices", "dtypes", "backends", "properties", "keys"):
            fields[name] = tuple(fields.get(name, ()))
        fields["only"] = tuple(tuple(pair) for pair in fields.get("only", ()))
        fields["first"] = tuple(SavedCounterexample(**entry) for entry in fields.get("first", ()))
        return Selection(**fields)

    def shares(self, keys: Iterable[str]) -> dict[str, float]:
        """By cell, the seconds of the whole time that it may take: twice its share, since most take less than theirs."""
        due = {key: self.priorities.get(key, 1.0) for key in keys}
        most = 2 * self.worker_seconds / max(sum(due.values()), 1e-9) if self.worker_seconds else float("inf")
        return {key: most * each for key, each in due.items()}

    def statements(self) -> tuple[Property, ...]:
        """What is asked: every property, what the catalogue's claims state if they are meant to be settled, and the file's own."""
        claimed = [each.own for each in every_claim() if each.own is not None] if self.claims else []
        own = self._brought.statements if self._brought else ()
        derived = [prop for prop in every_property() if not self.properties or prop.name in self.properties]
        return (*derived, *claimed, *own)

    def in_order(self, keyword: str) -> list[Cell]:
        """The cells whose names match an expression of `-k`: those together that share an oracle, and last those that cost most.

        Raises HarnessError for an expression that can't be read.
        """
        matches = _matching(keyword)
        asked = (prop for prop in self.statements() if not prop.nightly or self.nightly or prop.name in keyword)
        found = [cell for prop in asked for cell in self.cells(prop) if matches(cell.key)]
        if self.keys:
            chosen = frozenset(self.keys)
            found = [cell for cell in found if cell.key in chosen]
        if self.shard:
            found = Shard.named(self.shard).of(found, self.durations)
        groups: dict[str, int] = {}
        found.sort(key=lambda cell: groups.setdefault(group_of(cell), len(groups)))
        return sorted(found, key=lambda cell: cell.is_costly)

    def cells(self, prop: Property, operations: Iterable[Operation] | None = None) -> list[Cell]:
        """The cells of a property within this selection, of these operations or of the chosen ones."""
        asked = self._asked(prop) if operations is None else [(operations, None)]
        made = [
            cell
            for chosen, implementations in asked
            for cell in cells(prop, chosen, implementations, self.devices, self.dtypes, self.backends)
            if not self.only or (prop.name, cell.operation.name) in self.only
        ]
        return [cell for cell in made if cell.key in self.records] if self.replaying else made

    def _asked(self, prop: Property) -> list[tuple[list[Operation], tuple[Implementation, ...] | None]]:
        """The operations, with the implementations where not all of them are asked."""
        if self._brought is None:
            return [(choose(self.operations, catalogue()), None)]
        named = self._brought.only_stated_by(prop)
        wanted = choose(self.operations, {each.name: each for each in (*self._brought.operations, *named)})
        brought = [each for each in wanted if each not in named]
        return [(brought, self._brought.implementations), ([each for each in wanted if each in named], None)]

    @property
    def _brought(self) -> Candidates | None:
        """What the candidate file declares, if there is one."""
        return candidates(Path(self.candidates)) if self.candidates else None

    @cached_property
    def records(self) -> dict[str, dict[str, Any]]:
        """The recorded case by cell, where nothing but them is asked."""
        return {each.key: each.case for each in self.first}

    @cached_property
    def store(self) -> ExampleStore:
        """What earlier runs found."""
        return ExampleStore(self.examples_folder, self.first)
