"""The run log: one JSON line per event, appended and flushed as it happens, so that a killed run keeps what it found."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

from cattrs import Converter
from cattrs.strategies import configure_tagged_union

from harness.errors import HarnessError
from harness.record.events import FORMAT, Event, RunStarted

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
    """A listener that writes a run's events to a file. Use as a context manager."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._file = path.open("a", encoding="utf-8")

    def __call__(self, event: Event) -> None:
        """Append one line and flush it."""
        self._file.write(encode(event) + "\n")
        self._file.flush()

    def __enter__(self) -> RunLog:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()


def read(path: Path, naming: tuple[str, ...] = ()) -> Iterator[Event]:
    """The events of a log, as far as it can be read: a last line cut off by a kill ends it quietly.

    naming: words of which a line must have one to be looked at (none: any), for those who need a few events of many.

    Raises HarnessError for a missing file, a damaged line in the middle, or a newer format.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as failure:
        raise HarnessError(f"run log {path} can't be read: {failure.strerror}") from None
    for number, line in enumerate(lines, 1):
        if naming and not any(word in line for word in naming):
            continue
        try:
            event = decode(line)
        except HarnessError:
            if number == len(lines):
                return
            raise HarnessError(f"run log {path}, line {number}: damaged; the lines before it can be kept") from None
        if isinstance(event, RunStarted) and event.format > FORMAT:
            raise HarnessError(
                f"run log {path} has format {event.format}, this harness reads up to {FORMAT}; install a newer one"
            )
        yield event


def _spelled(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, dict):
        return {key: _spelled(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_spelled(inner) for inner in value]
    return value
