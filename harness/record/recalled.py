"""Counterexamples of earlier runs: their short ids, and the file in which they can be kept and committed."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.errors import HarnessError
from harness.explain.visible import visible
from harness.measure.verdict import Verdict
from harness.readable import unreadable
from harness.record.events import CellFinished, Event, RunStarted, short_id

_ASKED = ("property", "operation", "implementation", "device", "dtype")


@dataclass(frozen=True)
class Recalled:
    """What was asked of what, the recorded case that falsified it, and what was seen.

    candidates: the absolute path of the file that declared the implementation, empty for the catalogue's; claim: the id
    of the claim that it refutes, empty for none.
    """

    prop: str
    operation: str
    implementation: str
    device: str
    dtype: str
    case: dict[str, Any]
    sentence: str = ""
    verdict: str = Verdict.WRONG.value
    candidates: str = ""
    claim: str = ""

    @property
    def id(self) -> str:
        """The counterexample's short id."""
        return short_id(self.prop, self.operation, self.implementation, self.device, self.dtype, self.case)

    @property
    def key(self) -> str:
        """The cell's key."""
        return f"{self.prop}[{self.operation}/{self.implementation}-{self.device}-{self.dtype}]"


def recalled(events: Iterable[Event]) -> list[Recalled]:
    """The counterexamples of a log, each once, those that refute claims among them."""
    found: dict[str, Recalled] = {}
    candidates = ""
    for event in events:
        if isinstance(event, RunStarted):
            candidates = event.candidates
        elif isinstance(event, CellFinished) and event.counterexample is not None:
            found[event.id] = Recalled(
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
            )
    return list(found.values())


def read_recalled(path: Path) -> tuple[list[Recalled], list[str]]:
    """The counterexamples of a file, and a sentence for every line that is none.

    Raises HarnessError where the file can't be read at all.
    """
    if reason := unreadable(path):
        raise HarnessError(
            f"counterexamples {visible(str(path), 200)} can't be read: {reason}; give the path of a file"
        )
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as failure:
        told = failure.strerror if isinstance(failure, OSError) else "it is no text"
        raise HarnessError(f"counterexamples {path} can't be read: {told}") from None
    found: dict[str, Recalled] = {}
    complaints = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            entry = _entry(json.loads(line), path.parent)
        except (ValueError, TypeError, KeyError) as failure:
            complaints.append(f"{path}, line {number}: no counterexample ({_told(failure)}); left out")
            continue
        found[entry.id] = entry
    return list(found.values()), complaints


def save_recalled(path: Path, entries: Iterable[Recalled]) -> int:
    """Add to a file the counterexamples that it lacks. Returns how many; raises HarnessError where it can't be written."""
    known = {each.id for each in read_recalled(path)[0]} if path.exists() else set()
    added = [each for each in entries if each.id not in known]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8", errors="backslashreplace") as file:  # which JSON reads as what it was
            file.writelines(_line(each, path.parent) + "\n" for each in added)
    except OSError as failure:
        raise HarnessError(f"{path} can't be written to: {failure.strerror}") from None
    return len(added)


def _line(each: Recalled, folder: Path) -> str:
    """One line; a candidate file is named as seen from the folder, so that both can be committed together."""
    entry = {"id": each.id, "property": each.prop, **{name: getattr(each, name) for name in _ASKED[1:]}}
    entry |= {"verdict": each.verdict, "sentence": each.sentence, "case": each.case}
    if each.candidates:
        entry["candidates"] = Path(os.path.relpath(each.candidates, folder.resolve())).as_posix()
    if each.claim:
        entry["claim"] = each.claim
    return json.dumps(entry, ensure_ascii=False)


def _entry(entry: dict[str, Any], folder: Path) -> Recalled:
    case, words = entry["case"], {name: entry[name] for name in _ASKED}
    words |= {name: entry.get(name, "") for name in ("sentence", "candidates", "claim")}
    verdict = Verdict(entry.get("verdict", Verdict.WRONG.value)).value
    if not isinstance(case, dict) or not all(isinstance(word, str) for word in words.values()):
        raise TypeError("a field is of another type than it should be")
    if words["candidates"]:
        words["candidates"] = os.path.realpath(folder / words["candidates"])
    return Recalled(words.pop("property"), case=case, verdict=verdict, **words)


def _told(failure: Exception) -> str:
    if isinstance(failure, KeyError):
        return f"it lacks {failure.args[0]!r}"
    return "not JSON" if isinstance(failure, json.JSONDecodeError) else str(failure)
