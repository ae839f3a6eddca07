"""Earlier logs: what they call otherwise, in today's words."""

from __future__ import annotations

from typing import Any

_VERDICTS = {"uninformative": "inconclusive"}
_FIELDS = {"crew": "build", "canary": "aa_test", "fraction": "roofline"}


def in_todays_words(values: dict[str, Any]) -> dict[str, Any]:
    """An event's plain values as they would be written now."""
    told = {_FIELDS.get(name, name): value for name, value in values.items()}
    if isinstance(told.get("verdict"), str):
        told["verdict"] = _VERDICTS.get(told["verdict"], told["verdict"])
    if isinstance(told.get("tally"), dict):
        told["tally"] = {_VERDICTS.get(verdict, verdict): count for verdict, count in told["tally"].items()}
    return told
