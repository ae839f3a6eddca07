"""Handing over: where `harness serve` runs, it runs the commands, since it has imported already what takes seconds.

The command that somebody typed passes on its words, its folder, its environment and its three standard files, and ends as
that one ends; signals go the same way. It comes before all imports, and needs none but the standard library's.

The server listens in a folder that is this user's alone, under a name that tells the interpreter and the package. It declines
what it would run otherwise than a new process: where a variable that is read as libraries are loaded has another value than
its own, or a file that it has imported has changed. Then the command runs in its own process, as it would without a server.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import struct
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

LENGTH, STATUS = struct.Struct("<I"), struct.Struct("<i")
"""Before a request, with the files: how many bytes it has. At the end: how the command ended, below 0 by a signal."""

ACCEPTED = b"+"

PASSED_ON = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""What is sent to a command reaches it through a byte each."""

_READ_ON_LOADING = (
    *("ATEN", "CUDA", "DNNL", "GOMP", "HARNESS", "HYPOTHESIS", "JAX", "KERAS", "KMP", "LANG", "LC_", "LD_", "MKL"),
    *("NPY", "NUMEXPR", "NVIDIA", "OMP", "ONEDNN", "OPENBLAS", "PYTHON", "PYTORCH", "TF_", "TORCH", "TRITON", "XLA"),
)
"""How the names of variables begin that libraries read as they are loaded."""


def folder() -> Path | None:
    """Where servers listen; None where what is there can't be trusted to be this user's alone."""
    place = Path(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()) / f".harness-serve-{os.getuid()}"
    with suppress(FileExistsError):
        place.mkdir(mode=0o700)
    found = place.lstat()
    mine = stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not stat.S_IMODE(found.st_mode) & 0o077
    return place if mine else None


def address() -> Path | None:
    """Where the server of this interpreter and this package listens."""
    place = folder()
    known = sha256(f"{sys.executable}\n{Path(__file__).resolve()}".encode()).hexdigest()[:16]
    return None if place is None else place / f"{known}.socket"


def read_on_loading(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables of an environment that must be the server's own."""
    return {name: value for name, value in environment.items() if name.startswith(_READ_ON_LOADING)}


BEGAN_WITH = dict(os.environ)
"""The environment of this process, before any library has set a variable."""


def hand_over(words: list[str]) -> int | None:
    """The exit status of a command that the server has run; None where there is no server that would."""
    if not hasattr(socket, "send_fds"):
        return None
    with suppress(OSError), socket.socket(socket.AF_UNIX) as line:
        listening = address()
        if listening is None:
            return None
        line.connect(str(listening))
        _ask(line, words)
        if line.recv(1) == ACCEPTED:
            return _followed(line)
    return None


def _ask(line: socket.socket, words: list[str]) -> None:
    mask = os.umask(0)
    os.umask(mask)
    told: dict[str, Any] = {"words": words, "folder": os.getcwd(), "path": sys.path, "umask": mask}
    request = json.dumps({**told, "environment": dict(os.environ)}).encode()
    socket.send_fds(line, [LENGTH.pack(len(request))], [0, 1, 2])
    line.sendall(request)


def _followed(line: socket.socket) -> int:
    """How the command ends that a server runs, which gets the signals that this process gets."""

    def pass_on(number: int, frame: object) -> None:
        with suppress(OSError):
            line.send(bytes([number]))

    for each in PASSED_ON:
        if signal.getsignal(each) is not signal.SIG_IGN:  # as by nohup
            signal.signal(each, pass_on)
    try:
        told = line.recv(STATUS.size, socket.MSG_WAITALL)
    except OSError:
        told = b""
    if len(told) < STATUS.size:
        print(
            "harness: the process of `harness serve` has ended, and the command with it; run it again", file=sys.stderr
        )
        return 3
    (status,) = STATUS.unpack(told)
    return int(status) if status >= 0 else 128 - int(status)
