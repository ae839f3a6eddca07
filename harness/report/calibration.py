"""The calibration of the measure of error: how often it was wrong about correct code, and how small a fault it caught.

The figures lie beside this file; `tox -e calibration` measures and writes them.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

import msgspec

FIGURES = Path(__file__).with_suffix(".json")
"""Where the figures are."""


@dataclass(frozen=True)
class Alarms:
    """Correct implementations (`of`: whose) that were asked in so many cases, and how many were called wrong."""

    of: str
    operations: int
    cases: int
    wrong: int


@dataclass(frozen=True)
class Caught:
    """The smallest relative error that is noticed, and that is called wrong: median of operations, and in every one."""

    dtype: str
    eps: float
    noticed: float
    everywhere: float
    wrong: float
    wrong_everywhere: float


@dataclass(frozen=True)
class Calibration:
    """What was measured."""

    alarms: list[Alarms]
    caught: list[Caught]


@lru_cache(maxsize=1)
def calibration() -> Calibration:
    """The figures that come with this version."""
    return msgspec.json.decode(FIGURES.read_bytes(), type=Calibration)


def save_calibration(measured: Calibration) -> None:
    """Put new figures in place of those."""
    FIGURES.write_text(json.dumps(asdict(measured), indent=2) + "\n", encoding="utf-8")
