"""Starting: what the command says where somebody presses Ctrl-C while it is still being imported."""

from __future__ import annotations

import sys
from types import TracebackType

_PROGRAMS = ("-m", "harness", "harness.exe")


def _told(kind: type[BaseException], failure: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        print("harness: interrupted", file=sys.stderr)
    else:
        sys.__excepthook__(kind, failure, trace)


if sys.argv and sys.argv[0].replace("\\", "/").rpartition("/")[2] in _PROGRAMS:  # and no library in another program
    sys.excepthook = _told
