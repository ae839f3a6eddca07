"""The worklist: a survey's findings as files to read and to commit, each with its script and the text of an issue."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.record.reading import shown
from harness.report.markdown import code, fenced, plain
from harness.report.site import STYLE, page
from harness.report.template import raw
from harness.survey.declaring import ENDED
from harness.survey.findings import Found, Held
from harness.survey.states import State

_SCRIPTS = "scripts"


@dataclass(frozen=True)
class Worklist:
    """What a survey tells. left_out: operators that are not surveyed, and why; total: how many operators there are."""

    library: str
    version: str
    found: tuple[Found, ...]
    states: Mapping[str, State]
    held: Held
    left_out: tuple[tuple[str, str], ...]
    total: int

    @property
    def gone(self) -> list[State]:
        """What earlier surveys found, and this one does not."""
        here = {each.id for each in self.found}
        return [each for each in self.states.values() if each.id not in here]

    @property
    def ended(self) -> list[tuple[str, str]]:
        """The operators that ended the process in which they were declared, and how."""
        return [(path, reason) for path, reason in self.left_out if reason.startswith(ENDED)]

    def state(self, found: Found) -> State:
        """What was made of a finding."""
        return self.states.get(found.id, State(found.id))

    @property
    def summary(self) -> str:
        """All of it in a sentence."""
        fresh = sum(self.state(each).state == "new" for each in self.found)
        return (
            f"{len(self.found)} findings in {self.library} {self.version}, {fresh} of them new; {self.held.operators} of {self.total} "
            f"operators asked, {self.held.passing:,} of {self.held.cells:,} cells hold in {self.held.comparisons:,} comparisons"
        )

    def write(self, folder: Path, files: Iterable[Path]) -> None:
        """Write worklist.md, .html and .json, and a script for each finding, into a folder.

        files: those of operations, of which some scripts need one beside them.
        """
        scripts = folder / _SCRIPTS
        scripts.mkdir(parents=True, exist_ok=True)
        for each in self.found:
            if each.script:
                (scripts / f"{each.id}.py").write_text(each.script, encoding="utf-8")
        for file in files:
            if any(f'"{file.name}"' in each.script for each in self.found):
                shutil.copyfile(file, scripts / file.name)
        (folder / STYLE).write_text(raw(STYLE), encoding="utf-8")
        (folder / "worklist.html").write_text(page("worklist.html", worklist=self), encoding="utf-8")
        (folder / "worklist.md").write_text("\n".join(self._lines()) + "\n", encoding="utf-8")
        entries = [self._entry(each) for each in self.found]
        (folder / "worklist.json").write_text(json.dumps(shown(entries), indent=1) + "\n", encoding="utf-8")

    def _entry(self, found: Found) -> dict[str, Any]:
        state = self.state(found)
        return {
            "id": found.id,
            "title": found.title,
            "state": state.state,
            "note": state.note,
            "since": state.since,
            "verdict": found.verdict.value,
            "operators": list(found.operators),
            "ways": found.ways,
            "properties": found.properties,
            "dtypes": found.dtypes,
            "sentence": found.causes[0].sentence,
            "script": f"{_SCRIPTS}/{found.id}.py" if found.script else "",
        }

    def _lines(self) -> Iterator[str]:
        yield f"# {plain(self.library)} {plain(self.version)}: worklist\n"
        yield plain(self.summary, 600) + ".\n"
        yield "| | finding | state | operators | properties | dtypes |\n|---|---|---|---|---|---|"
        for each in self.found:
            state = self.state(each)
            row = (
                f"[{each.id}](#{each.id})",
                plain(each.title),
                plain(f"{state.state} {state.note}".strip()),
                str(len(each.operators)),
                plain(", ".join(each.properties)),
                plain(", ".join(each.dtypes)),
            )
            yield f"| {' | '.join(row)} |"
        for each in self.found:
            yield from self._section(each)
        if self.ended:
            yield "\n## Ended the process in which they were declared\n"
            yield from (f"- {code(path)}: {plain(reason)}" for path, reason in self.ended)
        yield "\n## What held\n\n| property | cells that hold | cells asked |\n|---|---|---|"
        yield from (
            f"| {name} | {held:,} | {asked:,} |" for name, (held, asked) in sorted(self.held.properties.items())
        )
        if self.gone:
            yield "\n## Found earlier, and not this time\n"
            yield from (
                f"- {each.id} {plain(each.title)} ({plain(f'{each.state} {each.note}'.strip())})" for each in self.gone
            )
        yield f"\n## Left out: {len(self.left_out)} of {self.total}\n"
        yield from (f"- {code(path)}: {plain(reason)}" for path, reason in self.left_out)

    def _section(self, found: Found) -> Iterator[str]:
        """A finding as the text of an issue."""
        shown, state = found.shown, self.state(found)
        yield f'\n## <a id="{found.id}"></a>{plain(found.title)}\n'
        yield f"{found.verdict.value}, {plain(state.state)} {plain(state.note)}\n"
        yield f"- found: {plain(found.causes[0].sentence, 600)}"
        if found.causes[0].diagnosis:
            yield f"- cause: {plain(str(found.causes[0].diagnosis), 600)}"
        yield f"- operators: {', '.join(map(code, _some(found.operators)))}"
        yield f"- called: {', '.join(map(plain, found.ways))}"
        if shown.counterexample:
            yield f"- case: {plain(shown.counterexample.summary, 600)}"
            yield "\n" + fenced(shown.counterexample.source, "python", 2_000)
            if shown.counterexample.expected:
                yield f"\nexpected {code(shown.counterexample.expected)}, actual {code(shown.counterexample.actual)}"
        if found.script:
            yield f"\n[{_SCRIPTS}/{found.id}.py]({_SCRIPTS}/{found.id}.py) shows it"


def _some(names: Iterable[str]) -> list[str]:
    names = list(names)
    return names if len(names) <= 12 else [*names[:11], f"{len(names) - 11} more"]
