"""The selection: what a run asks, as it travels on pytest's command line to the workers."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from harness.candidates import Candidates, candidates
from harness.catalogue import catalogue, choose
from harness.declare.implementation import Implementation
from harness.declare.operation import Operation
from harness.record.experience import Experience
from harness.record.recalled import Recalled
from harness.verify.battery import claim_files, property_files
from harness.verify.cell import Cell, cells
from harness.verify.property import Property


@dataclass(frozen=True)
class Selection:
    """What is asked: operations, devices, dtypes, backends (none: all), cases and seconds per cell, seed, a candidate file.

    `worker_seconds` is the time of all workers together, to be shared by the cells; 0 for no limit. `attention`: by a
    cell's key, how much of it the cell gets over a cell that is not named there. `claims`: whether
    the statements of claims are asked too; `only`: the pairs of property and operation to ask (none: all);
    `examples_folder`: where Hypothesis' database of earlier counterexamples lies; `first`: counterexamples of earlier
    runs to try before anything else; `replaying`: whether nothing but them is asked, at most one in each cell.
    """

    operations: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    dtypes: tuple[str, ...] = ()
    backends: tuple[str, ...] = ()
    examples: int = 50
    cell_seconds: float = 10.0
    worker_seconds: float = 0.0
    attention: Mapping[str, float] = field(default_factory=dict)
    seed: int = 0
    nightly: bool = False
    candidates: str = ""
    claims: bool = False
    only: tuple[tuple[str, str], ...] = ()
    examples_folder: str = ""
    first: tuple[Recalled, ...] = ()
    replaying: bool = False

    def to_json(self) -> str:
        """One word for a command line."""
        return json.dumps(asdict(self))

    @staticmethod
    def from_json(text: str) -> Selection:
        """The selection of such a word."""
        fields = json.loads(text)
        for name in ("operations", "devices", "dtypes", "backends"):
            fields[name] = tuple(fields.get(name, ()))
        fields["only"] = tuple(tuple(pair) for pair in fields.get("only", ()))
        fields["first"] = tuple(Recalled(**entry) for entry in fields.get("first", ()))
        return Selection(**fields)

    def files(self) -> list[Path]:
        """The modules in which everything stands that is asked."""
        return property_files() + (claim_files() if self.claims else [])

    def shares(self, keys: Iterable[str]) -> dict[str, float]:
        """By cell, the seconds of the whole time that it may take: twice its share, since most take less than theirs."""
        due = {key: self.attention.get(key, 1.0) for key in keys}
        most = 2 * self.worker_seconds / max(sum(due.values()), 1e-9) if self.worker_seconds else float("inf")
        return {key: most * each for key, each in due.items()}

    def chosen(self) -> tuple[list[Operation], list[Implementation] | None]:
        """The operations, and the implementations where only a candidate file's are asked."""
        if self.candidates:
            brought: Candidates = candidates(Path(self.candidates))
            return choose(self.operations, {op.name: op for op in brought.operations}), list(brought.implementations)
        return choose(self.operations, catalogue()), None

    def cells(self, prop: Property, operations: Iterable[Operation] | None = None) -> list[Cell]:
        """The cells of a property within this selection, of these operations or of the chosen ones."""
        chosen, implementations = (operations, None) if operations is not None else self.chosen()
        wanted = [operation for operation in chosen if not self.only or (prop.name, operation.name) in self.only]
        made = cells(prop, wanted, implementations, self.devices, self.dtypes, self.backends)
        return [cell for cell in made if cell.key in self.records] if self.replaying else list(made)

    @cached_property
    def records(self) -> dict[str, dict[str, Any]]:
        """The recorded case by cell, where nothing but them is asked."""
        return {each.key: each.case for each in self.first}

    @cached_property
    def experience(self) -> Experience:
        """What earlier runs found."""
        return Experience(self.examples_folder, self.first)
