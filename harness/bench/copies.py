"""The copies of a worker, which an implementation may fork: none may hold the pipes over which the worker is heard.

As long as one did, nobody would see from a pipe's end that the worker is gone.
"""

from __future__ import annotations

import os
import stat
from functools import partial

from harness.execute.fork_server import let_go_of


def silence_copies() -> None:
    """From here on, what this process forks lets go of the pipes that are open now."""
    pipes = [each for each in map(int, os.listdir("/dev/fd")) if _is_pipe(each)]
    os.register_at_fork(after_in_child=partial(let_go_of, pipes))


def _is_pipe(descriptor: int) -> bool:
    try:
        return stat.S_ISFIFO(os.fstat(descriptor).st_mode)
    except OSError:  # the one by which the folder was read
        return False
