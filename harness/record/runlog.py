"""The run log: one JSON line per event, compressed and flushed as it happens, so that a killed run keeps what it found."""

from __future__ import annotations

import gzip
import json
import math
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from cattrs import Converter
from cattrs.strategies import configure_tagged_union

from harness.errors import HarnessError
from harness.readable import unreadable
from harness.record.events import FORMAT, Event, RunFinished, RunStarted

SUFFIX = ".jsonl.gz"
"""How a log's name ends; a log may also lie there unpacked, as .jsonl."""

_MAGIC = b"\x1f\x8b"

_converter = Converter(omit_if_default=True)
configure_tagged_union(Event, _converter, tag_name="event")


def encode(event: Event) -> str:
    """One line of JSON. Infinite and undefined figures become strings, since JSON has no word for them."""
    return json.dumps(_spelled(_converter.unstructure(event, Event)), ensure_ascii=False, allow_nan=False)


def decode(line: str) -> Event:
    """The event of a line. Raises HarnessError where it is none."""
    try:
        return _converter.structure(json.loads(line), Event)  # type: ignore[arg-type]
    except Exception as failure:
        raise HarnessError(f"not an event of a run log: {line[:80]!r} ({type(failure).__name__})") from None


class RunLog:
    """A listener that writes a run's events to a file, and closes it at the last one.

    Use as a context manager, for runs that have no last one.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        packed = path.suffix == ".gz"
        self._file: Any = gzip.open(path, "ab") if packed else path.open("ab")  # noqa: SIM115 - open as long as the run

    def __call__(self, event: Event) -> None:
        """Append one line and flush it."""
        self._file.write(encode(event).encode("utf-8", "backslashreplace") + b"\n")  # which JSON reads as what it was
        self._file.flush()
        if isinstance(event, RunFinished):
            self._file.close()

    def __enter__(self) -> RunLog:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()


@dataclass(frozen=True)
class Reading:
    """The events of a log as far as they can be read, and a sentence about what could not be, empty where all could."""

    events: list[Event]
    complaint: str = ""


def read(path: Path, naming: tuple[str, ...] = ()) -> Reading:
    """Read a log. A last line cut off by a kill is left out quietly, damage is told.

    naming: words of which a line must have one to be looked at (none: any), for those who need a few events of many.

    Raises HarnessError for a missing file, one in which no event can be read, or a newer format.
    """
    if reason := unreadable(path):
        raise HarnessError(f"run log {path} can't be read: {reason}")
    try:
        lines, cut = _lines(path)
    except OSError as failure:
        raise HarnessError(f"run log {path} can't be read: {failure.strerror or failure}") from None
    events: list[Event] = []
    damaged: list[int] = []
    for number, line in enumerate(lines, 1):
        if naming and not any(word in line for word in naming):
            continue
        try:
            event = decode(line)
        except HarnessError:
            _refuse_newer(path, line)
            if number < len(lines):
                damaged.append(number)
            continue
        _refuse_newer(path, line, event)
        events.append(event)
    if not events and damaged:
        raise HarnessError(f"{path} is no run log: line 1 is no event")
    return Reading(events, _complaint(path, damaged, cut, len(lines)))


def is_log(path: Path) -> bool:
    """Whether a file looks like a run log: packed, or its first line names an event."""
    try:
        with path.open("rb") as file:
            head = file.read(1000)
    except OSError:
        return False  # whoever reads it says what is wrong
    return head.startswith(_MAGIC) or re.search(rb'"event": "\w+"', head.partition(b"\n")[0]) is not None


def _lines(path: Path) -> tuple[list[str], str]:
    """The lines of a log, packed or not, and why they end before the file does."""
    content, cut = path.read_bytes(), ""
    if content.startswith(_MAGIC):
        content, cut = _unpacked(content)
    return _split(content), cut


def _split(content: bytes) -> list[str]:
    """Lines end at a newline alone: a message may contain what Python counts as other ends of lines."""
    text = content.decode("utf-8", "replace")
    return text.removesuffix("\n").split("\n") if text else []


def _unpacked(packed: bytes) -> tuple[bytes, str]:
    """Unpack the members of a file as far as it goes, and say what is wrong where it ends before they do.

    Where a member breaks off, nothing is wrong: its writer was killed, or is still writing.
    """
    parts: list[bytes] = []
    while packed:
        member = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        try:
            parts.append(member.decompress(packed))
        except zlib.error as failure:
            return b"".join((*parts, *_bytewise(packed))), str(failure)
        packed = member.unused_data.lstrip(b"\0")
    return b"".join(parts), ""


def _bytewise(packed: bytes) -> Iterator[bytes]:
    """What comes before the damage, which a decompressor keeps to itself if it is given more at once."""
    member = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    for place in range(len(packed)):
        try:
            yield member.decompress(packed[place : place + 1])
        except zlib.error:
            return


def _refuse_newer(path: Path, line: str, event: Event | None = None) -> None:
    """Raise HarnessError where a line begins a log of a newer format, whose other fields may be unknown here."""
    if event is not None:
        version = event.format if isinstance(event, RunStarted) else 0
    else:
        version = _version(line)
    if version > FORMAT:
        raise HarnessError(
            f"run log {path} has format {version}, this harness reads up to {FORMAT}; install a newer one"
        )


def _version(line: str) -> int:
    try:
        fields = json.loads(line)
    except ValueError:
        return 0
    found = fields.get("format", 0) if isinstance(fields, dict) and fields.get("event") == "RunStarted" else 0
    return found if isinstance(found, int) else 0


def _complaint(path: Path, damaged: list[int], cut: str, lines: int) -> str:
    told = []
    if damaged:
        named = ", ".join(map(str, damaged[:3])) + (f" and {len(damaged) - 3} more" if len(damaged) > 3 else "")
        told.append(f"line{'s' * (len(damaged) > 1)} {named} of {lines} left out")
    if cut:
        told.append(f"nothing can be read after line {lines} ({cut})")
    return f"run log {path} is damaged: {'; '.join(told)}" if told else ""


def _spelled(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, dict):
        return {key: _spelled(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_spelled(inner) for inner in value]
    return value
