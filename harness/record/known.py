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
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from cattrs import Converter, transform_error

from harness.errors import HarnessError
from harness.measure.verdict import Verdict
from harness.record.events import CellFinished, FindingListed
from harness.verify.battery import properties_folder

_converter = Converter(forbid_extra_keys=True)


@lru_cache(maxsize=1)
def known_findings() -> tuple[FindingListed, ...]:
    """The findings of the file beside the properties, none where there is no file. Raises HarnessError."""
    path = properties_folder() / "known_findings.toml"
    return read_findings(path) if path.exists() else ()


def read_findings(path: Path) -> tuple[FindingListed, ...]:
    """The findings of a file. Raises HarnessError with the file, the entry and the mend."""
    try:
        entries = tomllib.loads(path.read_text(encoding="utf-8")).get("finding", [])
    except (OSError, tomllib.TOMLDecodeError) as failure:
        raise HarnessError(f"{path} can't be read: {failure}") from None
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


def _finding(path: Path, number: int, entry: dict[str, Any]) -> FindingListed:
    if isinstance(entry.get("expires"), date):
        entry = {**entry, "expires": entry["expires"].isoformat()}
    try:
        made = _converter.structure(entry, FindingListed)
        Verdict(made.verdict)
        date.fromisoformat(made.expires)
    except Exception as failure:
        told = failure if isinstance(failure, ValueError) else "; ".join(transform_error(failure, path="finding"))
        raise HarnessError(f"{path}, finding {number}: {told}; see the head of harness/record/known.py") from None
    return made
