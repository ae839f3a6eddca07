"""What is demanded of every row, whatever its input.

The exit code and the words that it names. No traceback, and no fault of the harness' own. Nothing in an output that a
terminal obeys or an eye does not see, nor in a file that was written. Nothing outside the folder of reports created,
changed or deleted, nor any log, nor anybody else's file. Nothing left in TMPDIR, and no process. Less than half a
gigabyte and ten seconds of a processor, workers not counted.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import psutil

from tests.command_line import surroundings
from tests.forkserver import Server, server
from tests.hostile.row import SENTINEL, Place, Row
from tests.hostile.valid import make_reports

_COMMAND = "from tests.hostile.measured import main; main()"
MOST_BYTES, MOST_SECONDS = 500e6, 10.0
TRACEBACK, CODE, WORDS, UNSEEN, TOUCHED, LEFT, COST = (
    "traceback",
    "exit code",
    "words",
    "unseen characters",
    "touched outside",
    "left behind",
    "cost",
)
"""The kinds of complaints."""

_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
_ENDING = 5
"""Seconds that a process may take to be gone once its command has ended."""

Snapshot = dict[str, tuple[int, str]]


@dataclass(frozen=True)
class Judged:
    """What became of a row: the exit code (None: it hung), what was said, complaints, each of a kind, and seconds."""

    row: Row
    code: int | None
    said: str
    complaints: tuple[tuple[str, str], ...]
    seconds: float

    def __str__(self) -> str:
        told = "\n".join(f"  {kind}: {what}" for kind, what in self.complaints)
        return f"{self.row.name}: harness {' '.join(self.row.words)[:200]}\n{told}\n{self.said[:2000]}"


def judged(row: Row) -> Judged:
    """Make the input, run the command, and look at what it left."""
    with tempfile.TemporaryDirectory(prefix="hostile-") as folder:
        place = _place(Path(folder))
        row.make(place)
        before, began = _snapshot(place), time.monotonic()
        code, out, err = _run(row, place)
        seconds = time.monotonic() - began
        said = " ".join(f"{out}\n{err}".split())
        complaints = (
            *_of_what_is_said(row, code, out, err, said),
            *_of_what_is_written(place),
            *_of_what_is_touched(before, _snapshot(place)),
            *_of_what_is_left(place),
            *_of_the_cost(place),
        )
        return Judged(row, code, f"{out}\n{err}", complaints, seconds)


@lru_cache(maxsize=1)
def _server() -> Server:
    return server("harness.command.main", "tests.hostile.measured")


@lru_cache(maxsize=1)
def _reports() -> tempfile.TemporaryDirectory[str]:
    """The valid reports, made once."""
    made = tempfile.TemporaryDirectory(prefix="hostile-")
    make_reports(Path(made.name, "reports"))
    return made


def _place(base: Path) -> Place:
    place = Place(base)
    for folder in (place.outside, place.scratch, place.work):
        folder.mkdir()
    place.written.mkdir()
    shutil.copytree(Path(_reports().name, "reports"), place.reports)
    for name in ("index.html", "keep.txt", "20261101-000000-abcdef.jsonl"):
        (place.outside / name).write_bytes(SENTINEL)
        (place.base / name).write_bytes(SENTINEL)
    (place.work / "mine.html").write_bytes(SENTINEL)
    return place


def _run(row: Row, place: Place) -> tuple[int | None, str, str]:
    """The exit code, None where it hung, and both outputs."""
    words = ("-c", _COMMAND, str(_cost(place)), row.module, *row.words)
    environment = surroundings(TMPDIR=str(place.scratch), COLUMNS="100", PYTHONDONTWRITEBYTECODE="1")
    try:
        done = _server().run(words, place.work, environment, row.seconds)
    except subprocess.TimeoutExpired as late:
        return None, str(late.output or ""), str(late.stderr or "")
    except UnicodeDecodeError as failure:
        return None, "", f"what it says is no UTF-8: {failure}"
    return done.returncode, done.stdout, done.stderr


def _cost(place: Place) -> Path:
    return place.base / "cost"


def _of_what_is_said(row: Row, code: int | None, out: str, err: str, said: str) -> Iterator[tuple[str, str]]:
    if "Traceback" in said or "a fault of the harness" in said:
        yield (
            TRACEBACK,
            next(iter(re.findall(r"a fault of the harness[^;]*", said)), err.strip().splitlines()[-1])[:300],
        )
    if code not in row.codes:
        yield CODE, f"{'it hung' if code is None else code}, where {' or '.join(map(str, row.codes))} is right"
    if not re.search(row.says, said):
        yield WORDS, f"nothing matches {row.says!r}"
    for name, text in (("standard output", out), ("standard error", err)):
        if found := _UNSEEN.search(text):
            yield UNSEEN, f"{found[0]!r} in {name}: {text[max(0, found.start() - 40) : found.start() + 20]!r}"
    if "--json" in row.words and not err.startswith("Usage:") and not _is_json(out):
        yield WORDS, f"no JSON: {out[:80]!r}"


def _is_json(text: str) -> bool:
    def refuse(constant: str) -> None:
        raise ValueError(constant)

    try:
        json.loads(text, parse_constant=refuse)
    except ValueError:
        return False
    return True


def _of_what_is_written(place: Place) -> Iterator[tuple[str, str]]:
    for file in (*place.reports.rglob("*"), *place.written.rglob("*")):
        if file.suffix in (".html", ".xml", ".md", ".json") and file.is_file() and not file.is_symlink():
            text = file.read_bytes().decode("utf-8", "surrogateescape")
            if found := _UNSEEN.search(text):
                where = text[max(0, found.start() - 40) : found.start() + 20]
                yield UNSEEN, f"{found[0]!r} in {file.relative_to(place.base)}: {where!r}"


def _snapshot(place: Place) -> Snapshot:
    """What may not change: all outside the reports and what was asked for, and the logs and foreign files among them."""
    found = {}
    for path in _paths(place):
        mode = path.lstat().st_mode
        content = path.read_bytes() if stat.S_ISREG(mode) else b""
        inside = path.is_relative_to(place.reports) or path.is_relative_to(place.written)
        if not inside or path.parent.name in ("runs", "baseline") or SENTINEL in content:
            told = os.readlink(path) if stat.S_ISLNK(mode) else hashlib.sha256(content).hexdigest()
            found[str(path.relative_to(place.base))] = (stat.S_IFMT(mode), told)
    return found


def _paths(place: Place) -> Iterator[Path]:
    """Everything below a place, links not followed, but what Python and this table leave there."""
    for folder, folders, files in os.walk(place.base):
        folders[:] = [each for each in folders if each != "__pycache__" and Path(folder, each) != place.scratch]
        yield from (Path(folder, each) for each in (*folders, *files) if Path(folder, each) != _cost(place))


def _of_what_is_touched(before: Snapshot, after: Snapshot) -> Iterator[tuple[str, str]]:
    for name in sorted(before.keys() | after.keys()):
        if name not in after:
            yield TOUCHED, f"{name} is gone"
        elif name not in before:
            if not name.startswith(("work/reports/", "work/written/")):
                yield TOUCHED, f"{name} is new"
        elif before[name] != after[name]:
            yield TOUCHED, f"{name} is another"


def _of_what_is_left(place: Place) -> Iterator[tuple[str, str]]:
    left = list(_processes(place))
    _, alive = psutil.wait_procs(left, timeout=_ENDING)
    for each in alive:
        with contextlib.suppress(psutil.Error):
            yield LEFT, f"process {each.pid}: {' '.join(each.cmdline())[:100]}"
            each.kill()
    for path in place.scratch.glob("harness-*"):
        if not path.name.startswith("harness-fault-"):  # which is told already
            yield LEFT, f"TMPDIR/{path.name}"


def _processes(place: Place) -> Iterator[psutil.Process]:
    """The processes that have the row's TMPDIR, or work in its folders."""
    for each in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if each.environ().get("TMPDIR") == str(place.scratch) or each.cwd().startswith(f"{place.base}/"):
                yield each


def _of_the_cost(place: Place) -> Iterator[tuple[str, str]]:
    if not _cost(place).exists():
        return
    taken, seconds = json.loads(_cost(place).read_text())
    if taken > MOST_BYTES:
        yield COST, f"{taken / 1e6:.0f} MB"
    if seconds > MOST_SECONDS:
        yield COST, f"{seconds:.0f} s of a processor"
