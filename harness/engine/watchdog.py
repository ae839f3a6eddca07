"""The watchdog: what a worker process leaves behind when it dies, and the limit on how long an item may take.

faulthandler works below Python: it writes the stack of a segmentation fault, and its timer ends a process that loops
for ever even where the loop never returns to the interpreter.
"""

from __future__ import annotations

import faulthandler
import re
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Watchdog:
    """A worker's watch over itself; its notes lie in `scratch` under the worker's name."""

    def __init__(self, scratch: Path, worker: str, limit: float, memory: int | None) -> None:
        self._file = (scratch / f"{worker}.fault").open("w+")
        self._limit = limit
        faulthandler.enable(file=self._file, all_threads=False)
        if memory is not None:
            _, hard = resource.getrlimit(resource.RLIMIT_DATA)
            resource.setrlimit(resource.RLIMIT_DATA, (memory, hard))

    @contextmanager
    def over(self) -> Iterator[None]:
        """End this process if what is inside takes longer than the limit."""
        self._file.seek(0)
        self._file.truncate()
        faulthandler.dump_traceback_later(self._limit, exit=True, file=self._file)
        try:
            yield
        finally:
            faulthandler.cancel_dump_traceback_later()


def last_words(scratch: Path, worker: str, limit: float) -> str:
    """Why a worker died, in one sentence, from what its watchdog noted."""
    try:
        notes = (scratch / f"{worker}.fault").read_text(errors="replace")
    except OSError:
        notes = ""
    if notes.startswith("Timeout"):
        return f"did not return within {limit:.0f} s and was stopped{_where(notes)}"
    fatal = re.match(r"Fatal Python error: (.+)", notes)
    if fatal:
        return f"crashed the interpreter: {fatal.group(1)}{_where(notes)}"
    return "ended the process without a word (killed, out of memory, or os._exit)"


def _where(notes: str) -> str:
    """The innermost frame that is neither the harness' nor a library's."""
    for file, line, function in re.findall(r'File "([^"]+)", line (\d+) in (\S+)', notes):
        if "site-packages" not in file and "/lib/python" not in file:
            return f" in {Path(file).name}, line {line}, {function}"
    return ""
