"""The folder of a run, and the end of everything that the run started.

Implementations may start processes that outlive the workers in which they run, and the run itself may be killed without a
word. So a companion beside it (`companion.py`) ends what is left and removes the folder.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from harness.errors import InfrastructureError
from harness.execute import companion

_PR_SET_CHILD_SUBREAPER = 36
"""From Linux's prctl.h."""

_CLEARING_SECONDS = 10.0
"""How long to wait for processes to be gone; one that the kernel holds longer is left to the companion."""


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder that is removed in the end, together with every process that was started meanwhile, however this one ends.

    Raises InfrastructureError where there is no place for it.
    """
    _adopt_orphans()
    folder, owner = _made()
    before = os.environ.get(companion.VARIABLE)
    try:
        beside = _companion(folder, owner)
        os.environ[companion.VARIABLE] = str(folder)
        try:
            yield folder
        finally:
            _restore(before)
            _dismiss(beside)
    finally:
        shutil.rmtree(folder, ignore_errors=True)  # where the companion was killed
        os.close(owner)


def _adopt_orphans() -> None:
    """Be given, where the system can do that, what is left by a process below this one that dies, instead of process 1."""
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _made() -> tuple[Path, int]:
    """The folder, and its owner's file, which has that name only once it is locked: until then it would count as stale."""
    try:
        folder = Path(tempfile.mkdtemp(prefix=companion.PREFIX)).resolve()
        draft = folder / f"{companion.OWNER}.draft"
        owner = os.open(draft, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(owner, fcntl.LOCK_EX)
        os.write(owner, companion.inscription(folder))
        draft.rename(folder / companion.OWNER)
    except OSError as failure:
        raise InfrastructureError(
            f"no folder for a run can be made in {tempfile.gettempdir()}: {failure.strerror or failure}; "
            "make room there, or name another place in TMPDIR"
        ) from None
    return folder, owner


def _companion(folder: Path, owner: int) -> subprocess.Popen[bytes]:
    """Start the companion: out of reach of Ctrl-C, with none of this process' outputs, and no part of the run itself."""
    try:
        return subprocess.Popen(
            [sys.executable, "-P", companion.__file__, str(folder), str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=(owner,),
            start_new_session=True,
            env={name: value for name, value in os.environ.items() if name != companion.VARIABLE},
        )
    except OSError as failure:
        raise InfrastructureError(
            f"{sys.executable} can't be started: {failure.strerror or failure}; end some processes, and run it again"
        ) from None


def _restore(before: str | None) -> None:
    if before is None:
        os.environ.pop(companion.VARIABLE, None)
    else:
        os.environ[companion.VARIABLE] = before


def _dismiss(beside: subprocess.Popen[bytes]) -> None:
    """Have the companion clear up, and wait until it has."""
    assert beside.stdin is not None
    beside.stdin.close()
    with suppress(subprocess.TimeoutExpired):
        beside.wait(_CLEARING_SECONDS)
