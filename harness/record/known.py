"""Known findings: what is wrong with somebody else's code, tolerated for a stated reason until a stated day.

They stand in `properties/known_findings.toml`, one table each:

    [[finding]]
    operation = "dot_axes"
    implementation = "keras"
    properties = ["result_dtype"]     # dtypes and devices alike; left out: all
    verdict = "wrong"
    reason = "keras computes in float32 whatever it is given"
    reference = "keras-team/keras#23704"
    expires = 2027-11-01
    rare = false                      # true: few cases show it, so nobody is told when a run does not

A finding that matches one in every field, verdict included, does not fail a run. One that shows another verdict does.
"""

from __future__ import annotations

import tomllib
from dataclasses import fields, replace
from datetime import UTC, date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from harness.errors import HarnessError
from harness.record.events import CellFinished, FindingListed
from harness.record.reading import as_declared, read_text, shown
from harness.verify.suite import known_findings_file

_MEND = "see the head of harness/record/known.py"
_FIELDS = [each.name for each in fields(FindingListed)]


@lru_cache(maxsize=1)
def known_findings() -> tuple[FindingListed, ...]:
    """The findings of the file beside the properties, none where there is no file. Raises HarnessError."""
    path = known_findings_file()
    return read_findings(path) if path.exists() else ()


def read_findings(path: Path) -> tuple[FindingListed, ...]:
    """The findings of a file. Raises HarnessError with the file, the entry and the mend."""
    try:
        content = tomllib.loads(read_text(path, "known findings"))
    except (tomllib.TOMLDecodeError, RecursionError) as failure:
        raise HarnessError(f"{path} is no TOML: {failure}; {_MEND}") from None
    entries = content.pop("finding", [])
    if content or not isinstance(entries, list):
        told = next(iter(content), "finding")
        raise HarnessError(f"{path}: {told!r} is no list of tables, each below a line [[finding]]; {_MEND}")
    return tuple(_finding(path, number, entry) for number, entry in enumerate(entries, 1))


def recognised(outcome: CellFinished, today: str = "") -> CellFinished:
    """The outcome, with the reason and the reference where it is a known finding that has not expired."""
    today = today or datetime.now(UTC).date().isoformat()
    for finding in known_findings():
        if finding.verdict == outcome.verdict and finding.expires > today and in_scope(finding, outcome):
            return replace(outcome, known=f"{finding.reason} ({finding.reference})")
    return outcome


def in_scope(finding: FindingListed, outcome: CellFinished) -> bool:
    """Whether a finding is about a cell, whatever the cell's verdict."""
    same = (finding.operation, finding.implementation) == (outcome.operation, outcome.implementation)
    fields = (
        (finding.properties, outcome.prop),
        (finding.dtypes, outcome.dtype),
        (finding.devices, outcome.device),
    )
    return same and all(not wanted or seen in wanted for wanted, seen in fields)


def _finding(path: Path, number: int, entry: Any) -> FindingListed:
    try:
        made = as_declared(_with_days(shown(entry)), FindingListed)
        date.fromisoformat(made.expires)
    except ValueError as failure:
        raise HarnessError(f"{path}, finding {number}: {failure}; {_MEND}") from None
    unknown = [name for name in entry if name not in _FIELDS]
    if unknown:
        raise HarnessError(f"{path}, finding {number}: nothing is called {unknown[0]!r}; {_MEND}")
    return made


def _with_days(entry: Any) -> Any:
    """An entry in which TOML's days are words, as they are in a log."""
    if not isinstance(entry, dict):
        return entry
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in entry.items()}
