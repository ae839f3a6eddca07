"""Reading: what a file says, as plain values of a bounded size, depth and type, and never anything to be obeyed.

Logs, counterexamples and lists of known findings come from colleagues, caches and other machines. Whatever is read of
them passes through here: msgspec holds it to the types that are declared, and every text is one that can be shown.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from harness.errors import HarnessError
from harness.explain.visible import visible
from harness.readable import unreadable

LONGEST = 2**24
"""Bytes of a line, and of a file that is no log."""

_DEEPEST = 50
_LARGEST = 2**63
"""Of whole numbers: what SQLite holds, and a seed."""

T = TypeVar("T")


class Unreadable(ValueError):
    """What was read is not what it should be; the message says why."""


@contextmanager
def opened(path: Path, what: str) -> Iterator[BufferedReader]:
    """A file to be read, a regular one: a pipe would never end. Raises HarnessError that calls it `what`."""
    name = f"{what} {visible(str(path), 200)}"
    if reason := unreadable(path):
        raise HarnessError(f"{name} can't be read: {reason}")
    try:
        with path.open("rb") as file:
            yield file
    except OSError as failure:
        raise HarnessError(f"{name} can't be read: {failure.strerror or failure}") from None


def read_bytes(path: Path, what: str) -> bytes:
    """The content of a file of at most 16 MiB. Raises HarnessError that calls it `what`."""
    with opened(path, what) as file:
        content = file.read(LONGEST + 1)
    if len(content) > LONGEST:
        raise HarnessError(f"{what} {path} can't be read: it is longer than {LONGEST:,} bytes")
    return content


def read_text(path: Path, what: str) -> str:
    """The text of such a file. Raises HarnessError."""
    try:
        return read_bytes(path, what).decode("utf-8")
    except UnicodeDecodeError as failure:
        raise HarnessError(f"{what} {path} can't be read: it is no text in UTF-8 ({failure})") from None


def parsed(text: bytes | str) -> Any:
    """The plain values of a JSON text. Raises Unreadable."""
    if len(text) > LONGEST:
        raise Unreadable(f"it is longer than {LONGEST:,} bytes")
    try:
        return shown(msgspec.json.decode(text))
    except RecursionError:
        raise Unreadable("it is nested too deeply") from None
    except (msgspec.MsgspecError, UnicodeError):
        raise Unreadable("it is no JSON") from None


def structured(value: Any, kind: type[T]) -> T:
    """Plain values as what they are declared to be; `"inf"` is a number where one is expected. Raises Unreadable."""
    try:
        return msgspec.convert(value, kind, strict=False)
    except msgspec.ValidationError as failure:
        raise Unreadable(_told(failure)) from None


def as_declared(value: Any, kind: type[T]) -> T:
    """The same, where a text is no number and no truth value: for what people write by hand. Raises Unreadable."""
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as failure:
        raise Unreadable(_told(failure)) from None


def shown(value: Any, depth: int = 0) -> Any:
    """Plain values in which every text can be shown, with lines in it. Raises Unreadable where they are without measure."""
    if isinstance(value, str):
        return value if value.isascii() and value.isprintable() else visible(value, len(value), lines=True)
    if depth > _DEEPEST:
        raise Unreadable("it is nested too deeply")
    if isinstance(value, dict):
        return {shown(key, depth + 1): shown(inner, depth + 1) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [shown(inner, depth + 1) for inner in value]
    if isinstance(value, int) and not -_LARGEST <= value < _LARGEST:
        raise Unreadable("a whole number in it has more than 64 bits")
    return value


def _told(failure: msgspec.ValidationError) -> str:
    """Where something is not what it should be, in msgspec's words."""
    told, _, place = str(failure).partition(" - at `$")
    field = place.rstrip("`").lstrip(".")
    told = "it has another form than it should have" if "matching regex" in told else told
    return f"{field}: {told}" if field else told
