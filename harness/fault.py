"""A fault of the harness itself: a sentence that says where, and a file to attach to a report of it."""

from __future__ import annotations

import hashlib
import tempfile
import traceback
from pathlib import Path


def fault(failure: BaseException) -> str:
    """An exception in a line, with the place where it was raised."""
    frames = traceback.extract_tb(failure.__traceback__)
    place = f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""
    return f"{type(failure).__name__}: {message(failure).strip().partition(chr(10))[0]}{place}"


def message(failure: BaseException) -> str:
    """What an exception says, whose words may be code that fails as well."""
    try:
        return str(failure)
    except Exception:
        return "(its message can't be read)"


def with_traceback(failure: BaseException) -> str:
    """The same with the file that holds the whole traceback, one file for equal faults."""
    text = "".join(traceback.format_exception(failure))
    name = f"harness-fault-{hashlib.sha256(text.encode()).hexdigest()[:8]}.txt"
    file = Path(tempfile.gettempdir()) / name
    try:
        file.write_text(text, encoding="utf-8", errors="backslashreplace")
    except OSError as refusal:
        return f"{fault(failure)}; its traceback can't be kept: {refusal.strerror}"
    return f"{fault(failure)}; attach {file} to a report of it"
