"""The diagnosis: why a property fails, in words."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Diagnosis:
    """Why a property fails.

    cause: the name of the cause, empty where none explains it; sentence: what is done instead of what should be;
    where: under which circumstances, empty where always; evidence: on how many cases it was seen; proven: whether what
    is computed instead is known, and agrees with the implementation's results within rounding, wherever it was asked.
    """

    sentence: str
    evidence: str = ""
    cause: str = ""
    where: str = ""
    proven: bool = False

    def __str__(self) -> str:
        only = f", only where {self.where}" if self.where else ""
        return f"{self.sentence}{only}"
