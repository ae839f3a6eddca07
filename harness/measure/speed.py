"""Speed: what is said of the times of two implementations."""

from __future__ import annotations

from enum import StrEnum


class Speed(StrEnum):
    """What is said of a ratio."""

    SLOWER = "slower"
    FASTER = "faster"
    SAME = "same"
    UNSURE = "unsure"
    NO_DATA = "no data"

    @property
    def symbol(self) -> str:
        """Its sign, so that no colour is needed."""
        return {"slower": "▲", "faster": "▼", "same": "=", "unsure": "?", "no data": "·"}[self.value]
