"""`harness serve`: keep everything imported, and run the commands that other processes hand over (`handover.py`)."""

from __future__ import annotations

import os
import selectors
import signal
import site
import socket
import struct
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic
from typing import NoReturn

import click
import msgspec

from harness.command.options import Duration, examples
from harness.errors import InfrastructureError
from harness.execute.fork_server import end_with, forget_children, import_everything, on_the_end_of_children
from harness.execute.selection import check_keyword
from harness.explain.visible import visible
from harness.handover import ACCEPTED, BEGAN_WITH, LENGTH, PASSED_ON, STATUS, address, read_on_loading
from harness.record.environment import imported

_LONGEST = 2**24
"""Bytes of a request, more than which nobody has to say."""

_PATIENCE = 5.0
"""Seconds in which a request must be said."""

_EXAMPLES = examples(
    ("harness serve &", "from now on, every command begins at once"),
    ("harness check mine.py --profile smoke", "an answer in a few seconds, beside it"),
    ("harness serve --idle 8h", "for a working day"),
)


@click.command(epilog=_EXAMPLES)
@click.option(
    "--idle",
    type=Duration(),
    default=3600.0,
    metavar="TIME",
    show_default="1h",
    help="End after this time without a command.",
)
@click.pass_context
def serve(ctx: click.Context, /, idle: float) -> None:
    """Keep everything imported, so that other commands of this user begin at once.

    They notice it by themselves. What was changed since, of the harness or of what it imports, is imported anew; your own
    files always are.
    """
    import_everything()
    imported()  # what is read and imported here is there for all
    check_keyword("layouts")
    with _listening() as listening:
        click.echo("commands of this user and this Python are run here; Ctrl-C ends it", err=True)
        words = Server(listening, idle).serve()
    if words is not None:  # in a process of its own, as that command
        ctx.find_root().command.main(words, prog_name="harness")


def _listening() -> socket.socket:
    """What listens at the address. Raises InfrastructureError where nothing can, or another server does."""
    if not hasattr(socket, "send_fds"):
        raise InfrastructureError("`harness serve` needs Unix sockets, which this system does not have")
    where = address()
    if where is None:
        raise InfrastructureError("the folder for sockets is not this user's alone; remove it, or set XDG_RUNTIME_DIR")
    with socket.socket(socket.AF_UNIX) as asked, suppress(OSError):
        asked.connect(str(where))
        raise InfrastructureError("`harness serve` runs already for this user and this Python; end that one first")
    listening = socket.socket(socket.AF_UNIX)
    try:
        where.unlink(missing_ok=True)  # of one that was killed
        listening.bind(str(where))
        listening.listen()
    except OSError as failure:
        raise InfrastructureError(
            f"{where} can't be listened at: {failure.strerror or failure}; set XDG_RUNTIME_DIR to another, short folder"
        ) from None
    return listening


def _imported() -> dict[str, int]:
    """When each file that was imported, and each folder of installed packages, was changed last."""
    files = {str(file) for module in list(sys.modules.values()) if (file := getattr(module, "__file__", None))}
    changed: dict[str, int] = {}
    for each in (*files, *site.getsitepackages()):
        with suppress(OSError):
            changed[each] = os.stat(each).st_mtime_ns
    return changed


@dataclass
class Server:
    """Runs each command in a process forked for it. idle: seconds without one after which it ends."""

    listening: socket.socket
    idle: float
    _running: dict[int, socket.socket] = field(default_factory=dict)
    _selector: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)

    def serve(self) -> list[str] | None:
        """Answer until nobody asks any more, or a signal ends it; returns in each process that it forks, with a command's words."""
        self._imported, self._asked_last = _imported(), monotonic()
        self._selector.register(self.listening, selectors.EVENT_READ, self._accept)
        alarm = on_the_end_of_children()
        self._selector.register(alarm, selectors.EVENT_READ, self._tell_of_ends)
        while self._running or monotonic() < self._asked_last + self.idle:
            for key, _ in self._selector.select(max(1.0, self._asked_last + self.idle - monotonic())):
                words = key.data(key.fileobj)
                if words is not None:
                    return list(words)
        return None

    def _accept(self, listening: socket.socket) -> list[str] | None:
        """Fork for a command, in whose process its words are returned, or decline it."""
        self._asked_last = monotonic()
        line, _ = listening.accept()
        line.settimeout(_PATIENCE)
        request, files = _received(line)
        why = self._declined(request.environment) if request else "what asked is no command"
        words = None if why or not request else self._forked(line, request, files)
        for each in files:
            os.close(each)
        if why:
            line.close()
            click.echo(f"declined: {visible(why, 400)}", err=True)
            if self._is_outdated and not self._running:
                _begin_anew()
        return words

    def _declined(self, environment: Mapping[str, str]) -> str:
        """Why a command would run otherwise here than in a new process; empty where it would not."""
        theirs, own = read_on_loading(environment), read_on_loading(BEGAN_WITH)
        other = sorted(name for name in theirs.keys() | own.keys() if theirs.get(name) != own.get(name))
        if other:
            return f"a command has other {', '.join(other)} than this process; it imports anew"
        return "files that were imported here have changed; they are imported anew" if self._is_outdated else ""

    @property
    def _is_outdated(self) -> bool:
        """Whether files have changed since they were imported."""
        return not _imported().items() >= self._imported.items()

    def _forked(self, line: socket.socket, request: Request, files: list[int]) -> list[str] | None:
        line.settimeout(None)
        child = os.fork()
        if child:
            with suppress(OSError):  # nobody is there any more
                line.sendall(ACCEPTED)
            self._running[child] = line
            self._selector.register(line, selectors.EVENT_READ, lambda _: self._pass_on(child))
            return None
        self._selector.close()
        for each in (self.listening, line, *self._running.values()):
            each.close()
        try:
            return _become(request, files)
        except OSError as failure:
            click.echo(f"harness: {failure.filename}: {failure.strerror or failure}", err=True)
            os._exit(InfrastructureError.exit_code)

    def _pass_on(self, child: int) -> None:
        """Give a command the signals that its user sends; where that process is gone, the command is to end."""
        line = self._running.get(child)
        if line is None:  # its end has just been told
            return
        try:
            sent = line.recv(64)
        except OSError:
            sent = b""
        if not sent:
            self._selector.unregister(line)
        for number in sent or (signal.SIGTERM,):
            if number in PASSED_ON:
                with suppress(ProcessLookupError):
                    os.kill(child, number)

    def _tell_of_ends(self, alarm: socket.socket) -> None:
        alarm.recv(64)
        with suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                line = self._running.pop(ended[0], None)
                if line is None:
                    continue
                with suppress(KeyError):
                    self._selector.unregister(line)
                with suppress(OSError):
                    line.sendall(STATUS.pack(os.waitstatus_to_exitcode(ended[1])))
                line.close()
        self._asked_last = monotonic()


class Request(msgspec.Struct, frozen=True):
    """What a command passes on of itself."""

    words: list[str]
    folder: str
    path: list[str]
    umask: int
    environment: dict[str, str]


def _received(line: socket.socket) -> tuple[Request | None, list[int]]:
    """A request, None where it is none, and the files that came with it."""
    files: list[int] = []
    try:
        head, files, _, _ = socket.recv_fds(line, LENGTH.size, 3)
        (length,) = LENGTH.unpack(head)
        request = msgspec.json.decode(line.recv(min(length, _LONGEST), socket.MSG_WAITALL), type=Request)
    except (OSError, struct.error, msgspec.MsgspecError):
        return None, files
    return (request if len(files) == 3 else None), files


def _begin_anew() -> NoReturn:
    os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], BEGAN_WITH)


def _become(request: Request, files: list[int]) -> list[str]:
    """Take on the place, the environment and the files of a command; its words."""
    forget_children()
    end_with(os.getppid())
    os.setpgrp()  # Ctrl-C in the server's terminal is for the server
    signal.signal(signal.SIGINT, signal.default_int_handler)  # which is ignored in what a shell begins with &
    for each in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.SIG_DFL)
    for number, given in enumerate(files):
        os.dup2(given, number)
    os.environ.clear()
    os.environ.update(request.environment)
    os.chdir(request.folder)
    os.umask(request.umask)
    time.tzset()
    tempfile.tempdir = None
    sys.argv, sys.path[:] = ["harness", *request.words], request.path
    for name, number in (("stdout", 1), ("stderr", 2)):
        before = getattr(sys, name)
        setattr(sys, name, os.fdopen(number, "w", 1, before.encoding, before.errors, closefd=False))
    return request.words
