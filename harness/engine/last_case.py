"""The last case: what a worker was asking when it died, in a file mapped to memory, which outlives the worker.

A case is put down before every question, so this takes microseconds. What a dying worker may have scribbled over is told
by its checksum.
"""

from __future__ import annotations

import marshal
import mmap
import struct
import zlib
from pathlib import Path
from typing import Any

from harness.catalogue import catalogue
from harness.errors import HarnessError
from harness.explain.counterexample import Counterexample
from harness.explain.literal import literal
from harness.generate.case import Case

_ROOM = 2**20
_HEAD = struct.Struct("<II")
_NOTHING = bytes(_HEAD.size)


class LastCase:
    """A witness that puts down which case is asked, and nothing once it is answered."""

    def __init__(self, path: Path) -> None:
        with path.open("w+b") as file:
            file.truncate(_ROOM)
            self._room = mmap.mmap(file.fileno(), _ROOM)

    def __call__(self, case: Case | None) -> None:
        """Put a case down where it has room; its record is plain values, which marshal writes fastest."""
        self._room[: _HEAD.size] = _NOTHING
        if case is None:
            return
        record = marshal.dumps((case.operation.module, case.record()))
        end = _HEAD.size + len(record)
        if end <= _ROOM:
            self._room[_HEAD.size : end] = record
            self._room[: _HEAD.size] = _HEAD.pack(len(record), zlib.crc32(record))


Left = tuple[str, dict[str, Any]]
"""The module that declares the operation, and the case's record."""


def last_case(path: Path) -> Left | None:
    """What was put down last, None where nothing was or nothing is left of it."""
    try:
        noted = path.read_bytes()
    except OSError:
        return None
    length, checksum = _HEAD.unpack_from(noted) if len(noted) >= _HEAD.size else (0, 0)
    record = noted[_HEAD.size : _HEAD.size + length]
    return marshal.loads(record) if length and zlib.crc32(record) == checksum else None


def died_over(left: Left, reason: str) -> Counterexample:
    """The counterexample of a case that ended its worker; as Python where that takes nobody's file to be imported."""
    module, record = left
    try:
        ours = {name: operation for name, operation in catalogue().items() if operation.module == module}
        case = Case.rebuild({**record, "device": "cpu"}, ours)
    except HarnessError:
        known = {**record["sizes"], **record["options"]}
        told = [*(f"{name}={value}" for name, value in known.items()), f"seed {record['seed']}", record["dtype"]]
        return Counterexample(record, ", ".join(told), "", reason)
    return Counterexample(record, case.replace(device=record["device"]).describe(), literal(case), reason)
