"""Starting: what the command does before it imports what takes seconds.

Where a server has that already, the command is handed over to it. Where somebody presses Ctrl-C meanwhile, it says a word.
"""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path
from types import TracebackType

from harness.handover import hand_over

_PROGRAMS = ("harness", "harness.exe")


def _words() -> list[str] | None:
    """What the command was given; None where this is another program, which uses the package."""
    before = sys.orig_argv[: -len(sys.argv[1:]) or None]
    if sys.argv[:1] == ["-m"]:  # the module is being looked for
        return sys.argv[1:] if before[-2:] == ["-m", "harness"] else None
    return sys.argv[1:] if sys.argv and Path(sys.argv[0].replace("\\", "/")).name in _PROGRAMS else None


def _told(kind: type[BaseException], failure: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        print("harness: interrupted", file=sys.stderr)
    else:
        sys.__excepthook__(kind, failure, trace)


if (words := _words()) is not None:  # and this is no library in another program
    sys.excepthook = _told
    gc.disable()  # until all is imported, through which it would look again and again
    if words[:1] != ["serve"] and (status := hand_over(words)) is not None:
        os._exit(status)  # which has nothing to clear up
