"""The companion of a run: however the run ends, it ends the processes that are left of it and removes its folder.

`python companion.py FOLDER RUN` waits for the end of its standard input, of which its parent alone holds the other side: the
parent closes it, or dies. Workers, and what they fork, hold files in the folder; what is started anew carries its path in its
environment, and so does whatever that starts: the system shows of each process the environment with which it began. A process
that does neither is found by its parent, by its group, or among those that the system gave to the run when their parents died.

Folders of earlier runs of which neither the process nor its companion is left are removed first.

Run by its path, with psutil alone, so that it starts in a moment and holds little memory.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import sleep

import psutil

PREFIX = "harness-"
"""What the names of all folders of runs begin with."""

VARIABLE = "HARNESS_SCRATCH"
"""The environment variable with the folder's path, by which the processes of a run are known."""

OWNER = "owner"
"""The file in the folder on which there is a lock as long as the run or its companion lives."""

_BETWEEN = 0.01
"""Seconds until a process that was killed is likely to be gone."""


def inscription(folder: Path) -> bytes:
    """What the owner's file says: that the folder is a run's, and which, since a copy of it is somebody else's."""
    return b"made by tensor-harness, and removed with all that is in it when nobody locks this file: " + os.fsencode(
        folder
    )


def clear(folder: Path, run: int | None = None) -> None:
    """End every process that is left of a run, and remove its folder. run: the process that made the folder, if known."""
    beyond: set[int] = set()  # of those that have become another user's
    while found := [each for each in left_of(folder, run) if each.pid not in beyond]:
        for process in found:
            try:
                process.kill()
            except psutil.AccessDenied:
                beyond.add(process.pid)
            except psutil.NoSuchProcess:
                pass
        sleep(_BETWEEN)
    shutil.rmtree(folder, ignore_errors=True)


def left_of(folder: Path, run: int | None = None) -> list[psutil.Process]:
    """The processes that a run started and that are not over.

    run: the process that made the folder; what it started, or was given, after this one is its run's too, as long as it
    is this one's parent. Once it is gone, that number may be another's.
    """
    known = {each.pid: each for each in psutil.process_iter(["ppid", "environ", "status", "create_time"])}
    known = {pid: each for pid, each in known.items() if each.info["status"] != psutil.STATUS_ZOMBIE}
    found = {pid for pid, each in known.items() if _belongs(each, str(folder))}
    if run == os.getppid():
        began = psutil.Process().create_time()
        children = (each for each in known.values() if each.info["ppid"] == run)
        found |= {each.pid for each in children if each.info["create_time"] > began}
    rest = {pid: {each.info["ppid"], _group(pid)} for pid, each in known.items() if pid not in found}
    while more := {pid for pid, origins in rest.items() if origins & found}:
        found |= more
        rest = {pid: origins for pid, origins in rest.items() if pid not in more}
    return [known[pid] for pid in found - {os.getpid()}]


def _belongs(process: psutil.Process, folder: str) -> bool:
    """Whether a process began with the folder in its environment, or holds a file in it, other than the owner's."""
    if (process.info["environ"] or {}).get(VARIABLE) == folder:
        return True
    try:
        held = {Path(each.path) for each in process.open_files()}
        return any(each.parent == Path(folder) and each.name != OWNER for each in held)
    except psutil.Error:  # it is over, or another user's
        return False


def _group(pid: int) -> int | None:
    """The process that began the group of this one; None where it is over by now."""
    try:
        return os.getpgid(pid)
    except OSError:
        return None


def remove_stale(within: Path) -> None:
    """Remove the folders of runs whose owners are gone, with the processes that are left of them.

    A folder counts as a run's if it is this user's and in it lies the file that says so of this very folder.
    """
    for folder in within.glob(f"{PREFIX}*"):
        with suppress(OSError), _claimed(folder) as is_stale:
            if is_stale:
                clear(folder)


@contextmanager
def _claimed(folder: Path) -> Iterator[bool]:
    """Whether a folder is a run's whose owner is gone; it is locked meanwhile, so that two don't remove it."""
    if folder.is_symlink() or folder.stat().st_uid != os.getuid():
        yield False
        return
    owner = os.open(folder / OWNER, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        fcntl.flock(owner, fcntl.LOCK_EX | fcntl.LOCK_NB)
        expected = inscription(folder)
        yield os.read(owner, len(expected) + 1) == expected
    finally:
        os.close(owner)


def main() -> None:
    """Wait for the end of the run and clear up after it; signals that end other processes mean the run, not this one."""
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)
    folder, run = Path(sys.argv[1]), int(sys.argv[2])
    remove_stale(folder.parent)
    sys.stdin.buffer.read()
    clear(folder, run)


if __name__ == "__main__":
    main()
