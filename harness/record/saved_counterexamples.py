"""Counterexamples of earlier runs: their short ids, and the file in which they can be kept and committed."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec

from harness.errors import HarnessError
from harness.measure.verdict import Verdict
from harness.record.checked_file import seen_from
from harness.record.events import CellFinished, Event, RunStarted, short_id
from harness.record.reading import Unreadable, parsed, read_text, structured
from harness.verify.cell_key import OfACell

_ASKED = ("property", "operation", "implementation", "device", "dtype")


@dataclass(frozen=True)
class SavedCounterexample(OfACell):
    """What was asked of what, the recorded case that falsified it, and what was seen.

    candidates: the file that declared the implementation, as seen from the current folder, empty for the catalogue's;
    checksum: of that file's content; claim: the id of the claim that it refutes, empty for none.
    """

    prop: str
    operation: str
    implementation: str
    device: str
    dtype: str
    case: dict[str, Any]
    sentence: str = ""
    verdict: Verdict = Verdict.WRONG
    candidates: str = ""
    claim: str = ""
    checksum: str = ""

    @property
    def id(self) -> str:
        """The counterexample's short id."""
        return short_id(self.cell, self.case)


def recalled(events: Iterable[Event]) -> list[SavedCounterexample]:
    """The counterexamples of a log, each once, those that refute claims among them."""
    found: dict[str, SavedCounterexample] = {}
    candidates = checksum = ""
    for event in events:
        if isinstance(event, RunStarted):
            candidates, checksum = event.candidates, event.checksum
        elif isinstance(event, CellFinished) and event.counterexample is not None:
            found[event.id] = SavedCounterexample(
                event.prop,
                event.operation,
                event.implementation,
                event.device,
                event.dtype,
                event.counterexample.case,
                event.counterexample.sentence,
                event.verdict,
                candidates,
                event.claim,
                checksum,
            )
    return list(found.values())


def read_counterexamples(path: Path) -> tuple[list[SavedCounterexample], list[str]]:
    """The counterexamples of a file, and a sentence for every line that is none.

    Raises HarnessError where the file can't be read at all.
    """
    found: dict[str, SavedCounterexample] = {}
    complaints = []
    for number, line in enumerate(read_text(path, "counterexamples").split("\n"), 1):
        if not line.strip():
            continue
        try:
            entry = _entry(parsed(line), path.parent)
        except Unreadable as failure:
            complaints.append(f"{path}, line {number}: no counterexample ({failure}); left out")
            continue
        found[entry.id] = entry
    return list(found.values()), complaints


def save_counterexamples(path: Path, entries: Iterable[SavedCounterexample]) -> int:
    """Add to a file the counterexamples that it lacks. Returns how many.

    Raises HarnessError where it can't be written, or holds anything else: then it is somebody's, and stays as it is.
    """
    there, complaints = read_counterexamples(path) if os.path.lexists(path) else ([], [])
    if complaints:
        raise HarnessError(f"{path} is not written to, since it holds more than counterexamples: {complaints[0]}")
    known = {each.id for each in there}
    added = [each for each in entries if each.id not in known]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as file:
            file.writelines(_line(each, path.parent) + b"\n" for each in added)
    except OSError as failure:
        raise HarnessError(f"{path} can't be written to: {failure.strerror}") from None
    return len(added)


def _line(each: SavedCounterexample, folder: Path) -> bytes:
    """One line; a candidate file is named as seen from the folder, so that both can be committed together."""
    entry = {"id": each.id, "property": each.prop, **{name: getattr(each, name) for name in _ASKED[1:]}}
    entry |= {"verdict": each.verdict, "sentence": each.sentence, "case": each.case}
    if each.candidates:
        entry |= {"candidates": seen_from(folder, Path(each.candidates)), "checksum": each.checksum}
    if each.claim:
        entry["claim"] = each.claim
    return msgspec.json.encode(entry)


def _entry(values: Any, folder: Path) -> SavedCounterexample:
    """The counterexample of a line's values. Raises Unreadable."""
    if not isinstance(values, dict):
        raise Unreadable("it is no object")
    entry = structured({**values, "prop": values.get("property")}, SavedCounterexample)
    return replace(entry, candidates=seen_from(Path(), folder / entry.candidates)) if entry.candidates else entry
