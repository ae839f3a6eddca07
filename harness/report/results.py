"""All results, packed for the page that filters them: column by column, names as codes into a dictionary."""

from __future__ import annotations

import gzip
import json
from base64 import b64encode
from collections.abc import Callable, Iterable
from typing import Any

from markupsafe import Markup

from harness.explain.visible import visible
from harness.measure.verdict import Verdict
from harness.record.events import CellFinished
from harness.report.run_summary import RunSummary
from harness.report.template import counterexample_page, operation_page

_LEVEL = 6
"""Of compression: the highest takes three times as long for 1 % less."""

_BADNESS = {each.value: each.severity * (each.severity >= Verdict.UNSTABLE.severity) for each in Verdict}

_REASON = 200
"""Characters of a reason."""


def packed(summary: RunSummary) -> Markup:
    """Every cell, worst verdict first, as JSON in gzip in base64.

    fields: by name, the distinct values and each cell's index among them; symbols, pages: of verdicts and operations;
    scores: the largest error in multiples of the noise floor, two digits; cases: how many were asked; extents: `3 of 48 cases` where
    they were fewer than planned.
    """
    cells = sorted(summary.outcomes, key=_place)
    shown = {cell.key: counterexample_page(cause.shown) for cause in summary.causes for cell in cause.cells}
    fields: dict[str, Callable[[CellFinished], str]] = {
        "verdict": lambda cell: cell.verdict,
        "operation": lambda cell: cell.operation,
        "implementation": lambda cell: cell.implementation,
        "property": lambda cell: cell.prop,
        "device": lambda cell: cell.device,
        "dtype": lambda cell: cell.dtype,
        "backend": lambda cell: cell.backend,
        "known": lambda cell: "yes" if cell.known else "no",
        "reason": lambda cell: cell.reason,
        "page": lambda cell: shown.get(cell.key, ""),
    }
    encoded = {name: _encoded(map(value, cells)) for name, value in fields.items()}
    told = {
        "fields": encoded,
        "symbols": [Verdict(name).symbol for name in encoded["verdict"]["names"]],
        "pages": [operation_page(name) for name in dict.fromkeys(cell.operation for cell in cells)],
        "scores": [_two_digits(cell.score_max) for cell in cells],
        "cases": [sum(cell.tally.values()) for cell in cells],
        "extents": [cell.extent for cell in cells],
    }
    content = json.dumps(told, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "replace")
    return Markup(b64encode(gzip.compress(content, _LEVEL, mtime=0)).decode())


def _place(cell: CellFinished) -> tuple[int, str, str, str, str, str]:
    """Bad ones come first; the others by name, which packs best."""
    return -_BADNESS[cell.verdict], cell.operation, cell.implementation, cell.prop, cell.device, cell.dtype


def _encoded(values: Iterable[str]) -> dict[str, list[Any]]:
    """The distinct values, spelled out and cut, in the order in which they come, and an index among them for each."""
    places: dict[str, int] = {}
    codes = [places.setdefault(value, len(places)) for value in values]
    return {"names": [visible(value, _REASON) for value in places], "codes": codes}


def _two_digits(score: float | None) -> float | str | None:
    if score is None:
        return None
    return float(f"{score:.2g}") if score < 1e100 else "∞"
