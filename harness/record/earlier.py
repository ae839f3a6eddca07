"""Earlier logs: what they call otherwise, in today's words."""

from __future__ import annotations

from typing import Any

_VERDICTS = {"uninformative": "inconclusive"}


def in_todays_words(values: dict[str, Any]) -> dict[str, Any]:
    """An event's plain values as they would be written now."""
    told = dict(values)
    if isinstance(told.get("verdict"), str):
        told["verdict"] = _VERDICTS.get(told["verdict"], told["verdict"])
    if isinstance(told.get("tally"), dict):
        told["tally"] = {_VERDICTS.get(verdict, verdict): count for verdict, count in told["tally"].items()}
    return told
