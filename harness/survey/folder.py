"""The folder of a survey: the operators of one version of a library as files of operations, what was left out, logs and the worklist.

reports/surveys/torch-2.13.0/
    operators.json          every operator: its operations, or why there are none
    operators/torch_fft_operators.py  operations, to be read, changed, and given to `harness check` one by one
    runs/                   reports and logs of the runs, a run for each file
    worklist.md, .html, .json, scripts/
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from harness.errors import HarnessError
from harness.record.reading import Unreadable, parsed, read_text, shown, structured
from harness.survey.declarations import head
from harness.survey.declaring import Declared
from harness.survey.operator import identifier

_INDEX = "operators.json"


_File = Annotated[str, Meta(pattern=r"\A\w{1,100}_operators\.py\Z")]
"""The name of a file of operations, which leads to no other folder."""


@dataclass(frozen=True)
class _Entry:
    """An operator as the index has it. operations: what its operations call, by their names; reason: why there are none."""

    path: str
    variant: str
    file: _File
    operations: dict[str, list[str]]
    reason: str = ""


@dataclass(frozen=True)
class _Index:
    """uses: how many of each operator were declared at most."""

    uses: Annotated[int, Meta(ge=1)]
    operators: list[_Entry]


@dataclass(frozen=True)
class SurveyFolder:
    """The folder of a survey of one version of a library."""

    path: Path
    library: str
    version: str

    @property
    def runs(self) -> Path:
        """Where its runs are written."""
        return self.path / "runs"

    @property
    def operators(self) -> Path:
        """Where the files of operations lie."""
        return self.path / "operators"

    @property
    def index(self) -> Path:
        """The list of its operators."""
        return self.path / _INDEX

    @property
    def is_declared(self) -> bool:
        """Whether its operators were declared."""
        return self.index.exists()

    @cached_property
    def _indexed(self) -> _Index:
        path = self.index
        try:
            return structured(parsed(read_text(path, "index of operators")), _Index)
        except Unreadable as failure:
            raise HarnessError(f"{path} can't be read: {failure}; remove it, and the survey declares anew") from None

    @property
    def entries(self) -> list[_Entry]:
        """Every operator. Raises HarnessError where the index can't be read."""
        return self._indexed.operators

    @property
    def uses(self) -> int:
        """How many uses of each operator were declared at most. Raises HarnessError where the index can't be read."""
        return self._indexed.uses

    @property
    def files(self) -> dict[Path, list[_Entry]]:
        """The files of operations, each with its operators."""
        found: dict[Path, list[_Entry]] = {}
        for each in self.entries:
            if each.operations:
                found.setdefault(self.operators / each.file, []).append(each)
        return found

    @cached_property
    def calls(self) -> Mapping[str, frozenset[str]]:
        """What each operation calls of PyTorch's core."""
        return {name: frozenset(calls) for each in self.entries for name, calls in each.operations.items()}

    @cached_property
    def paths(self) -> Mapping[str, str]:
        """The operator that each operation is about."""
        return {name: each.path for each in self.entries for name in each.operations}

    @cached_property
    def entry_of(self) -> Mapping[str, int]:
        """The place among the operators of the one that each operation is a use of."""
        return {name: place for place, each in enumerate(self.entries) for name in each.operations}

    def written(self, told: Iterable[Declared], uses: int) -> SurveyFolder:
        """Write the operations, a file for each area of the library, and the index of all operators; the folder as it is then."""
        told = list(told)
        self.operators.mkdir(parents=True, exist_ok=True)
        for area in dict.fromkeys(each.area for each in told if each.operations):
            texts = [written.text for each in told if each.area == area for written in each.operations]
            whole = "\n\n\n".join((head(self.library, self.version).rstrip(), *texts)) + "\n"
            (self.operators / _file(area)).write_text(whole, encoding="utf-8")
        entries = [
            _Entry(
                each.path, each.variant, _file(each.area), {one.name: one.calls for one in each.operations}, each.reason
            )
            for each in told
        ]
        lines = ",\n".join(msgspec.json.encode(shown(asdict(each))).decode() for each in entries)
        self.index.write_text(f'{{"uses": {uses}, "operators": [\n{lines}\n]}}\n', encoding="utf-8")
        return replace(self)

    def left_out(self) -> Iterator[tuple[str, str]]:
        """The operators that are not surveyed, and why."""
        for each in self.entries:
            if not each.operations:
                yield f"{each.path} ({each.variant})" if each.variant else each.path, each.reason


def _file(area: str) -> str:
    """The name of a file, which no module's import may find in its place."""
    return f"{identifier(area)}_operators.py"
