"""Destinations: where an output goes, and the sentence where it can't."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from harness.errors import HarnessError
from harness.record.runlog import is_log

STANDARD_OUTPUT = "-"
"""The name of standard output."""

_STEP_SUMMARY = "GITHUB_STEP_SUMMARY"
"""The variable that names a file to which every command of a CI step adds."""


@dataclass(frozen=True)
class Destination:
    """A file that is written anew, or standard output as it is now, for `-`.

    The file that $GITHUB_STEP_SUMMARY names is added to, since a step may have written there before. Raises
    HarnessError where it can't be written, as far as that shows before anything is written.
    """

    name: str
    _output: IO[str] = field(default_factory=lambda: sys.stdout, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.is_file and (obstacle := _obstacle(self.path)):
            raise self._refusal(obstacle)

    @property
    def is_file(self) -> bool:
        """Whether it is a file, and not standard output."""
        return self.name != STANDARD_OUTPUT

    @property
    def path(self) -> Path:
        """The file."""
        return Path(self.name)

    def write(self, text: str) -> None:
        """Write a whole output. Raises HarnessError naming the file where it can't."""
        try:
            if self.is_file:
                with self.path.open("a" if self._is_shared else "w", encoding="utf-8", newline="\n") as file:
                    file.write(text)
            else:
                self._output.write(text)
                self._output.flush()
        except OSError as failure:
            raise self._refusal(failure.strerror or str(failure)) from None

    @property
    def _is_shared(self) -> bool:
        shared = os.environ.get(_STEP_SUMMARY)
        return shared is not None and self.path.resolve() == Path(shared).resolve()

    def _refusal(self, why: str) -> HarnessError:
        return HarnessError(f"{self.name} can't be written: {why}")


def _obstacle(path: Path) -> str:
    """Why a file can't be written, empty where nothing is in the way."""
    try:
        os.lstat(path)
    except FileNotFoundError:
        pass
    except OSError as failure:  # a name that is too long
        return failure.strerror or str(failure)
    if path.is_dir():
        return "it is a folder"
    if path.is_file() and is_log(path):
        return "it is a run log"
    if not path.parent.is_dir():
        return f"there is no folder {path.parent}"
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        return f"{'it' if path.exists() else f'the folder {path.parent}'} is read-only"
    return ""
