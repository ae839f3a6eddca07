"""The copies of a worker, which an implementation may fork: none may hold the pipes over which the worker is heard.

As long as one did, nobody would see from a pipe's end that the worker is gone.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from contextlib import suppress
from functools import partial


def silence_copies() -> None:
    """From here on, what this process forks lets go of the pipes that are open now."""
    pipes = [each for each in map(int, os.listdir("/dev/fd")) if _is_pipe(each)]
    os.register_at_fork(after_in_child=partial(_let_go, pipes))


def _is_pipe(descriptor: int) -> bool:
    try:
        return stat.S_ISFIFO(os.fstat(descriptor).st_mode)
    except OSError:  # the one by which the folder was read
        return False


def _let_go(pipes: Iterable[int]) -> None:
    """Put nothing in the place of each; were they closed, the next file to be opened would get their numbers."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for each in pipes:
        with suppress(OSError):
            os.dup2(nowhere, each, inheritable=False)
    os.close(nowhere)
