"""The last case: what a worker was asking when it died, in a file mapped to memory, which outlives the worker.

A case is put down before every question, so this takes microseconds. What a dying worker may have scribbled over is told
by its checksum.
"""

from __future__ import annotations

import json
import marshal
import mmap
import struct
import tempfile
import zlib
from dataclasses import asdict
from pathlib import Path
from typing import Any

from harness.errors import HarnessError
from harness.execute.fork_server import fork_server
from harness.explain.counterexample import Counterexample
from harness.generate.case import Case
from harness.record.events import CellFinished

_ROOM = 2**20
_HEAD = struct.Struct("<II")
_DESCRIBING_SECONDS = 60.0

ANSWER = "answer"
"""The file in which the description of a case is left."""

_NOTHING = bytes(_HEAD.size)


class LastCase:
    """An observer that puts down which case is asked, and nothing once it is answered."""

    def __init__(self, path: Path) -> None:
        with path.open("w+b") as file:
            file.truncate(_ROOM)
            self._room = mmap.mmap(file.fileno(), _ROOM)

    def __call__(self, case: Case | None) -> None:
        """Put a case down where it has room; its record is plain values, which marshal writes fastest."""
        self._room[: _HEAD.size] = _NOTHING
        if case is None:
            return
        record = marshal.dumps(case.record())
        end = _HEAD.size + len(record)
        if end <= _ROOM:
            self._room[_HEAD.size : end] = record
            self._room[: _HEAD.size] = _HEAD.pack(len(record), zlib.crc32(record))


def last_case(path: Path) -> dict[str, Any] | None:
    """The record that was put down last, None where nothing was or nothing is left of it."""
    try:
        noted = path.read_bytes()
    except OSError:
        return None
    length, checksum = _HEAD.unpack_from(noted) if len(noted) >= _HEAD.size else (0, 0)
    record = noted[_HEAD.size : _HEAD.size + length]
    return marshal.loads(record) if length and zlib.crc32(record) == checksum else None


def died_over(record: dict[str, Any], reason: str, cell: CellFinished, candidates: str, limit: float) -> Counterexample:
    """The counterexample of a case that ended its worker, described in a process of its own: it imports what the file declares.

    Where that fails too, its parameters alone. limit: seconds that the case's script waits.
    """
    orders = {"record": record, "reason": reason, "cell": asdict(cell), "candidates": candidates, "limit": limit}
    try:
        return Counterexample(record, **_described(orders), sentence=reason)
    except (HarnessError, OSError, ValueError, TypeError):
        known = {**record["sizes"], **record["options"]}
        told = [*(f"{name}={value}" for name, value in known.items()), f"pattern {record['pattern']}"]
        told += [f"layout {record['layout']}", f"seed {record['seed']}", record["dtype"]]
        return Counterexample(record, ", ".join(told), "", reason)


def _described(orders: dict[str, Any]) -> dict[str, Any]:
    """The answer of the process that describes; in a file, since a file's import may do anything to a line."""
    with tempfile.TemporaryDirectory() as folder:
        child = fork_server().fork("harness.execute.describing:describe", folder=folder, **orders)
        child.wait(_DESCRIBING_SECONDS)
        child.end()
        return dict(json.loads(Path(folder, ANSWER).read_bytes()))
