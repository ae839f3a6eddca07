"""What a path must be for a file to be read from it: a regular file, found out without opening anything that might wait."""

from __future__ import annotations

import os
import stat
from pathlib import Path


def leads_out(path: Path, folder: Path) -> bool:
    """Whether a link makes a path in a folder mean a place outside of it."""
    return not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder))


def unreadable(path: Path) -> str:
    """Why no file can be read at a path, as in "it is a folder"; empty where one can be."""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError) as failure:  # ValueError: a null byte
        return (getattr(failure, "strerror", None) or str(failure)).lower()
    if stat.S_ISDIR(mode):
        return "it is a folder"
    if not stat.S_ISREG(mode):
        return "it is a pipe, a socket or a device"
    return "" if os.access(path, os.R_OK) else "permission denied"
