"""The run log: one JSON line per event, compressed and flushed as it happens, so that a killed run keeps what it found."""

from __future__ import annotations

import fcntl
import gzip
import math
import os
import re
import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import MISSING, dataclass, fields, is_dataclass
from functools import cache, partial
from io import BufferedReader
from pathlib import Path
from types import TracebackType
from typing import IO, Any, get_args

import msgspec

from harness.errors import HarnessError
from harness.record.earlier import in_todays_words
from harness.record.events import FORMAT, Event, RunFinished, RunStarted
from harness.record.reading import LONGEST, Unreadable, opened, parsed, shown, structured

SUFFIX = ".jsonl.gz"
"""How a log's name ends; a log may also lie there unpacked, as .jsonl."""

_MAGIC = b"\x1f\x8b"
_PIECE, _MOST = 2**16, 2**20
"""Bytes that are read, and unpacked, at once."""

_RATIO, _LEAST = 100, 2**26
"""How many times its size a log may have when it is unpacked, ten times what one has, and the bytes that any may have."""

_KINDS: dict[str, type[Event]] = {kind.__name__: kind for kind in get_args(Event)}

_encode = msgspec.json.encode
"""Bound here: what a candidate does to the standard library's json keeps no worker from speaking."""


def encode(event: Event) -> str:
    """One line of JSON. Infinite and undefined figures become strings, since JSON has no word for them.

    What is as its declaration has it anyway is left out; of a text, what can't be seen is spelled out.
    """
    return _encode({"event": type(event).__name__, **shown(plain(event))}).decode()


def decode(line: str | bytes) -> Event:
    """The event of a line. Raises HarnessError where it is none."""
    try:
        return _event(parsed(line))
    except Unreadable as failure:
        raise HarnessError(f"not an event of a run log: {line[:80]!r} ({failure})") from None


class RunLog:
    """A listener that writes a run's events to a file, and closes it at the last one.

    Use as a context manager, for runs that have no last one.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        packed = path.name.endswith(SUFFIX) or path.name.endswith(f"{SUFFIX}.draft")
        self._file: Any = gzip.open(path, "ab") if packed else path.open("ab")  # noqa: SIM115 - open as long as the run
        _locked(self._file)

    @staticmethod
    def continued(path: Path, events: Iterable[Event]) -> RunLog:
        """The log of a run that goes on: these events, which are all that could be read of it, and what is still to come.

        What a kill has cut off can't be appended to, so it is written anew, and takes the old one's place when it is whole.
        Raises HarnessError where somebody still writes it.
        """
        with path.open("rb") as there:
            if not _locked(there):
                raise HarnessError(f"the run of {path} still goes on; wait until it has ended")
        draft = path.with_name(f"{path.name}.draft")
        draft.unlink(missing_ok=True)
        log = RunLog(draft)
        for event in events:
            log._write(event)
        draft.replace(path)
        log.path = path
        return log

    def __call__(self, event: Event) -> None:
        """Append one line and flush it."""
        self._write(event)
        if isinstance(event, RunFinished):
            self._file.close()

    def _write(self, event: Event) -> None:
        self._file.write(encode(event).encode() + b"\n")
        self._file.flush()

    def __enter__(self) -> RunLog:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):  # on a full disk, which writing has told before
            self._file.close()


def _locked(file: gzip.GzipFile | IO[bytes]) -> bool:
    """Lock a file as long as it is open; whether that could be done, as it can where the system knows no locks."""
    try:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


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
    words = [word.encode() for word in naming]
    events: list[Event] = []
    damaged: dict[int, str] = {}
    number, ended = 0, True
    with opened(path, "run log") as file:
        pieces = _Pieces(file)
        for number, (line, ended) in enumerate(_lines(pieces), 1):  # noqa: B007 - whether the last one ends
            if words and number > 1 and not any(word in line for word in words):
                continue  # but for the first line, by which a log is known
            try:
                values = parsed(line)
                _refuse_newer(path, values)
                events.append(_event(values))
            except Unreadable as failure:
                damaged[number] = str(failure)
                if len(damaged) > _MOST_DAMAGED:
                    pieces.cut = f"more than {_MOST_DAMAGED:,} lines are no events"
                    break
            if not events and (number >= _LINES_WITHOUT or pieces.read > LONGEST):
                break
    if not events and (damaged or not number):
        told = f"its first line is no event: {next(iter(damaged.values()))}" if damaged else "it is empty"
        raise HarnessError(f"run log {path} can't be read: {told}")
    if not ended:  # cut off by a kill
        damaged.pop(number, None)
    return Reading(events, _complaint(path, damaged, pieces.cut, number))


def is_log(path: Path) -> bool:
    """Whether a file looks like a run log: packed, or its first line names an event."""
    try:
        with opened(path, "run log") as file:
            head = file.read(1000)
    except HarnessError:
        return False  # whoever reads it says what is wrong
    return head.startswith(_MAGIC) or re.search(rb'"event": ?"\w+"', head.partition(b"\n")[0]) is not None


def _event(values: Any) -> Event:
    """Plain values as the event that they name. Raises Unreadable."""
    name = values.get("event") if isinstance(values, dict) else None
    kind = _KINDS.get(name) if isinstance(name, str) else None
    if kind is None:
        raise Unreadable("it names no event")
    return structured(in_todays_words(values), kind)


_LINES_WITHOUT = 1_000
"""Lines, of which none is an event, from which nothing more is read: it is no log."""


_MOST_DAMAGED = 10_000
"""Lines that are no events, from which nothing more is read."""


class _Pieces:
    """The bytes of a log, piece by piece and unpacked; `cut` says afterwards what is wrong where they end before it does.

    Where a member breaks off, nothing is wrong: its writer was killed, or is still writing.
    """

    def __init__(self, file: BufferedReader) -> None:
        self._file = file
        self.cut = ""
        self.read = 0

    def __iter__(self) -> Iterator[bytes]:
        pieces = iter(partial(self._file.read, _PIECE), b"")
        unpacked = self._measured(pieces) if self._file.peek(2).startswith(_MAGIC) else pieces
        for piece in unpacked:
            self.read += len(piece)
            yield piece

    def _measured(self, packed: Iterator[bytes]) -> Iterator[bytes]:
        """What is unpacked, as long as it is no more than a log can be: a megabyte may expand to a gigabyte."""
        left = max(_LEAST, _RATIO * os.fstat(self._file.fileno()).st_size)
        for piece in self._unpacked(packed):
            yield piece
            left -= len(piece)
            if left < 0:
                self.cut = f"it expands to more than {_RATIO} times its size"
                return

    def _unpacked(self, packed: Iterator[bytes]) -> Iterator[bytes]:
        """The members of the file, one after the other, as far as they can be unpacked."""
        member = _member()
        for left in packed:
            while left:
                if member.eof:
                    member, left = _member(), left.lstrip(b"\0")  # noqa: PLW2901 - what of a piece is left
                before = member.copy()
                try:
                    yield member.decompress(left, _MOST)
                except zlib.error as failure:
                    yield from _bytewise(before, left)
                    self.cut = str(failure)
                    return
                left = member.unconsumed_tail or member.unused_data  # noqa: PLW2901


def _member() -> Any:
    return zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)


def _bytewise(member: Any, packed: bytes) -> Iterator[bytes]:
    """What comes before the damage, which a decompressor keeps to itself if it is given more at once."""
    with suppress(zlib.error):
        for place in range(len(packed)):
            yield member.decompress(packed[place : place + 1])


def _lines(pieces: Iterable[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Lines, and whether they end: at a newline alone, since a message may contain what Python counts as other ends."""
    rest = b""
    for piece in pieces:
        *whole, rest = (rest + piece).split(b"\n")
        yield from ((line, True) for line in whole)
        if len(rest) > LONGEST:  # nothing writes such lines: what follows is no log either
            break
    if rest:
        yield rest, False


def _refuse_newer(path: Path, values: Any) -> None:
    """Raise HarnessError where a line begins a log of a newer format, whose other fields may be unknown here."""
    version = values.get("format") if isinstance(values, dict) and values.get("event") == RunStarted.__name__ else None
    if isinstance(version, int) and version > FORMAT:
        raise HarnessError(
            f"run log {path} has format {version}, this harness reads up to {FORMAT}; install a newer one"
        )


def _complaint(path: Path, damaged: dict[int, str], cut: str, lines: int) -> str:
    told = []
    if damaged:
        named = ", ".join(map(str, [*damaged][:3])) + (f" and {len(damaged) - 3} more" if len(damaged) > 3 else "")
        why = next(iter(damaged.values()))
        told.append(f"line{'s' * (len(damaged) > 1)} {named} of {lines} left out ({why})")
    if cut:
        told.append(f"nothing can be read after line {lines} ({cut})")
    return f"run log {path} is damaged: {'; '.join(told)}" if told else ""


def plain(value: Any) -> Any:
    """Plain values for JSON; of what is declared, the fields that are not as they are when nobody gives them."""
    if is_dataclass(value) and not isinstance(value, type):
        given = ((name, getattr(value, name), unless) for name, unless in _declared(type(value)))
        return {name: plain(inner) for name, inner, unless in given if inner != unless}
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    return value


@cache
def _declared(kind: type) -> list[tuple[str, Any]]:
    """The names of the fields with what they are when nobody gives them."""
    return [
        (each.name, each.default if each.default_factory is MISSING else each.default_factory())
        for each in fields(kind)
    ]
