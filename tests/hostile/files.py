"""Candidate files: what is no Python, what does harm while it is imported, and what does harm when it is called."""

from __future__ import annotations

import os
from collections.abc import Iterator

from tests.hostile.row import Maker, Row, file, folder, link, pipe

FILE = "candidate.py"
_FITTING = "import os, sys\nfrom harness.operations.linear import linear\n"
_SECONDS = 300
"""What is imported in a process of its own, or asked in workers, takes seconds."""


def source(text: str | bytes) -> Maker:
    """Puts a file of candidates there."""
    return file(FILE, text if isinstance(text, bytes) else text.encode())


_REFUSED: dict[str, tuple[str | bytes, str]] = {
    "no UTF-8": (b"x = '\xff\xfe'\n", FILE),
    "NULs": (b"x = 1\n\0\0", FILE),
    "a syntax error": ("def f(:\n", "line 1.*not valid Python"),
    "200,000 brackets": ("(" * 200_000, FILE),
    "nothing": ("", "declares nothing"),
    "an exception named by controls": (
        r"raise type('\x1b[31mred\x1b[2J', (Exception,), {})('no\x07\u202e')" + "\n",
        "line 1",
    ),
    "a message of 10 MB": ("raise ValueError('A' * 10_000_000)\n", "ValueError"),
    "a message that raises": (
        "class E(Exception):\n    def __str__(self): raise RuntimeError\nraise E\n",
        "importing it raised E",
    ),
    "a message that leaves": (
        "import os\nclass E(Exception):\n    def __str__(self): os._exit(0)\nraise E\n",
        "its import",
    ),
    "an exit": ("import sys\nsys.exit('\\x1b[31m')\n", "sys.exit"),
    "an end without a word": ("import os\nos._exit(0)\n", "its import"),
    "megabytes of output": (
        "import os\nprint('x' * 5_000_000)\nos.write(1, b'y' * 5_000_000)\nraise ValueError('no')\n",
        "ValueError: no",
    ),
    "a process that stays": (
        "import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\nraise ValueError('no')\n",
        "ValueError",
    ),
}
"""The source of a file that can't be used, and what is said of it."""

_CALLED = (
    _FITTING
    + """
class Odd(Exception):
    def __str__(self):
        raise RuntimeError("a message that raises")

@linear.implementation
def named_by_controls(x, W, b):
    raise type("\\x1b[31mred\\x1b[2J\\u202e", (Exception,), {})("<script>alert(1)</script>\\x07")

@linear.implementation
def long_message(x, W, b):
    raise ValueError("A" * 10_000_000)

@linear.implementation
def message_that_raises(x, W, b):
    raise Odd

@linear.implementation
def prints(x, W, b):
    os.write(1, b"\\x1b[31m" * 100_000)
    os.write(2, b"\\x1b[31m" * 100_000)
    print("<b>" * 1_000_000)
    return x @ W.mT + b
"""
)


def _rows() -> Iterator[Row]:
    for name, (text, says) in _REFUSED.items():
        yield Row(f"candidates with {name}", ("check", FILE, "--json"), (2,), says, source(text), _SECONDS)
    for command in ("check", "list", "bench"):
        yield Row(f"a pipe of candidates: {command}", (command, FILE), (2,), FILE, pipe(FILE))
        yield Row(f"a folder of candidates: {command}", (command, FILE), (2,), FILE, folder(FILE))
        yield Row(f"candidates that are not there: {command}", (command, FILE), (2,), "not there")
    yield Row(
        "candidates behind a link to itself",
        ("check", FILE),
        (2,),
        FILE,
        link(FILE, FILE),
    )
    yield Row("a device of candidates", ("check", "/dev/zero"), (2,), "zero")
    yield Row("a name of 300 letters", ("check", "a" * 300 + ".py"), (2,), "aaa")
    yield Row("a name of 5,000 letters", ("check", "a" * 5000 + ".py"), (2,), "aaa")
    yield Row("a name of controls", ("check", "\x1b[31m\n\u202e.py"), (2,), "not there")
    yield Row("a name of bytes", ("check", os.fsdecode(b"\xff.py")), (2,), "not there")
    yield Row("a name of markup", ("check", "[bold]<b>.py"), (2,), "not there")
    yield Row("no name", ("check", ""), (2,), ".")
    few = ("-k", "agreement", "--dtype", "float32", "--examples", "1", "--profile", "quick", "--jobs", "1")
    yield Row(
        "candidates that do harm when they are called",
        ("check", FILE, *few),
        (1,),
        "long_message",
        source(_CALLED),
        _SECONDS,
    )


ROWS = [*_rows()]
