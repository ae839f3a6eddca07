"""The file that was checked, as a log names it: by its path from the current folder, and by the checksum of its content.

A log is data. What it names is imported only where it is a file of the same path below the current folder, with the
content that was recorded: code that the user has here already.
"""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path

from harness.errors import HarnessError
from harness.explain.visible import visible
from harness.readable import leads_out
from harness.record.reading import read_bytes

_MEND = "name the file that declares it with --candidates, if you trust it"


def seen_from(folder: Path, file: Path) -> str:
    """The path of a file from a folder, the same on every system."""
    return Path(os.path.relpath(file, folder)).as_posix()


def checksum(file: Path) -> str:
    """The SHA-256 of a file's content, in hexadecimal digits. Raises HarnessError where it can't be read."""
    return sha256(read_bytes(file, "candidate file")).hexdigest()


def _is_file(file: Path) -> bool:
    try:
        return file.is_file()
    except OSError:  # a name that is too long
        return False


def recorded_file(path: str, recorded: str, mend: str = _MEND) -> Path:
    """The file below the current folder that has this path and this checksum. Raises HarnessError with the mend where none has."""
    file, shown = Path(path), visible(path, 200)
    if file.is_absolute() or ".." in file.parts or "\0" in path:
        raise HarnessError(f"it was found in {shown}, which is not below the current folder; {mend}")
    if not _is_file(file):
        raise HarnessError(f"it was found in {shown}, which is not here; {mend}")
    if leads_out(file, Path()):
        raise HarnessError(f"it was found in {shown}, where a link leads out of the current folder; {mend}")
    if checksum(file) != recorded:
        raise HarnessError(f"it was found in {shown}, which has other content now; {mend}")
    return file
