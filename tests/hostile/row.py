"""A row of the table, and the place into which its input is put."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

SENTINEL = b"nobody may touch this"
"""What is in a file that has to stay as it is, wherever it lies."""


@dataclass(frozen=True)
class Place:
    """The folders of one row.

    work: where the command runs; reports: where it writes; written: where it may write besides; outside: what is none
    of its business; scratch: its TMPDIR.
    """

    base: Path

    @property
    def work(self) -> Path:
        return self.base / "work"

    @property
    def reports(self) -> Path:
        return self.work / "reports"

    @property
    def runs(self) -> Path:
        return self.reports / "runs"

    @property
    def written(self) -> Path:
        return self.work / "written"

    @property
    def outside(self) -> Path:
        return self.base / "outside"

    @property
    def scratch(self) -> Path:
        return self.base / "tmp"


Maker = Callable[[Place], object]
"""Puts an input into a place."""


def nothing(place: Place) -> None:
    """The input is the words of the command alone."""


def file(name: str, content: bytes) -> Maker:
    """Puts a file into the folder in which the command runs."""
    return lambda place: (place.work / name).write_bytes(content)


def folder(name: str) -> Maker:
    """Puts a folder there."""
    return lambda place: (place.work / name).mkdir()


def pipe(name: str) -> Maker:
    """Puts a named pipe there, on which whoever opens it waits without end."""
    return lambda place: os.mkfifo(place.work / name)


def link(name: str, to: str) -> Maker:
    """Puts a link there, which leads on from where it lies."""

    def made(place: Place) -> None:
        (place.work / name).parent.mkdir(parents=True, exist_ok=True)
        (place.work / name).symlink_to(to)

    return made


@dataclass(frozen=True)
class Row:
    """An input, and the answer that is right.

    words: the command, after `harness`; codes: the exit codes, of which any will do; says: a pattern that has to occur
    in what is said, spaces and ends of lines taken as one space; seconds: after which the command counts as hanging;
    module: what is run instead of the command.
    """

    name: str
    words: tuple[str, ...]
    codes: tuple[int, ...]
    says: str
    make: Maker = nothing
    seconds: int = 60
    module: str = "harness"
