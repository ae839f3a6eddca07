"""The fork server: a process that has paid for the imports once, and forks for whatever is to run in a process of its own.

It has one thread, has computed nothing and uses no device, so that what it forks is as good as new. Where a command begins
it is forked from the command itself, which has imported everything; elsewhere, where threads and libraries may be at work
already, it is started anew. What it forked ends when it does, and it ends when the process that uses it does.

One way out and one way back: a request is the name of a function; the answers are the number of the process that was
forked, and, when that ends, its number with how it ended.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import json
import os
import selectors
import signal
import socket
import struct
import subprocess
import sys
import threading
import traceback
import warnings
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from pathlib import Path
from time import monotonic
from types import MappingProxyType
from typing import Any, NoReturn

import numpy as np
import psutil
import torch

from harness.catalogue import catalogue
from harness.errors import InfrastructureError
from harness.verify.suite import every_claim, every_property

_ROOM = 256
"""Bytes of a request; a name is padded to them."""

_ANSWER = struct.Struct("<ii")
_FORKED = -1_000
"""In place of how a process ended: it was forked. Signals are negative too, and smaller."""

_LOOKING_SECONDS = 0.5
"""How often it is looked whether a server that says nothing is at work."""

_PR_SET_PDEATHSIG = 1
"""From Linux's prctl.h."""


class ServerEnded(InfrastructureError):
    """The server is gone, and with it everything that it forked."""

    def __init__(self) -> None:
        super().__init__("the process that starts others has ended (killed, or out of memory); run it again")


@dataclass
class Child:
    """A process that was forked, and the line to it.

    status: how it ended, below 0 by a signal, which is one of those that stop where it was stopped and then ended; None
    while it lives.
    """

    server: ForkServer
    pid: int
    line: Connection
    status: int | None = None

    def wait(self, seconds: float | None = None) -> int | None:
        """How it ended, once it has; None where it takes longer. Raises ServerEnded where nobody can tell any more."""
        end = None if seconds is None else monotonic() + seconds
        while self.status is None and (end is None or monotonic() < end):
            self.server.listen(None if end is None else max(0.0, end - monotonic()))
        return self.status

    def end(self) -> None:
        """End it, if it lives, and what it started, as far as that stayed in its group."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)


@dataclass
class ForkServer:
    """A fork server, as the process that uses it sees it. process: what was started anew; None for one that was forked."""

    control: socket.socket
    pid: int
    process: subprocess.Popen[bytes] | None = None
    _children: dict[int, Child] = field(default_factory=dict)
    _forked: list[int] = field(default_factory=list)

    @staticmethod
    def forked(prepare: Callable[[], object]) -> ForkServer:
        """A server that has this process' imports, which must have one thread yet and have computed nothing.

        prepare: what it does before it forks.
        """
        ours, theirs = socket.socketpair()
        server = _fork()
        if server == 0:
            ours.close()
            _serve(theirs, prepare)
        theirs.close()
        return ForkServer(ours, server)

    @staticmethod
    def started(environment: Mapping[str, str]) -> ForkServer:
        """A server that is started anew, with these variables. Raises InfrastructureError where nothing can be started."""
        ours, theirs = socket.socketpair()
        package = str(Path(__file__).parents[2])
        paths = os.pathsep.join(filter(None, (package, os.environ.get("PYTHONPATH", ""))))
        try:
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", __name__, str(theirs.fileno())],
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={**os.environ, **environment, "PYTHONPATH": paths},
            )
        except OSError as failure:
            raise InfrastructureError(
                f"{sys.executable} can't be started: {failure.strerror or failure}; end some processes, and run it again"
            ) from None
        finally:
            theirs.close()
        return ForkServer(ours, process.pid, process)

    @property
    def is_alive(self) -> bool:
        """Whether there is a server at the other end."""
        try:
            return not wait([self.control], 0) or bool(self.control.recv(1, socket.MSG_PEEK))
        except OSError:
            return False

    def fork(self, function: str, environment: Mapping[str, str] | None = None, **orders: Any) -> Child:
        """Have a function of a module (`module:function`) called in a process of its own, with a line to here and orders.

        environment: variables over those of this process. The process is in the folder that this one is in, and the first
        of a group. Raises ServerEnded where there is no server any more.
        """
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                socket.send_fds(self.control, [function.encode().ljust(_ROOM)], [theirs.fileno()])
            except OSError:
                raise ServerEnded from None
        while not self._forked:
            self.listen()
        child = Child(self, self._forked.pop(), Connection(ours.detach()))
        self._children[child.pid] = child
        meant = {"environment": {**os.environ, **(environment or {})}, "folder": str(Path.cwd()), "path": sys.path}
        with suppress(OSError):  # it has ended already, and its status says how
            child.line.send_bytes(json.dumps({**meant, "orders": orders}).encode())
        return child

    def listen(self, seconds: float | None = None) -> None:
        """Wait for one answer, and take it down. Raises ServerEnded where the server is gone, or was stopped."""
        if not self.ready(seconds=seconds):
            return
        try:
            answer = self.control.recv(_ANSWER.size, socket.MSG_WAITALL)
        except OSError:
            answer = b""
        if len(answer) < _ANSWER.size:
            raise ServerEnded
        pid, status = _ANSWER.unpack(answer)
        if status == _FORKED:
            self._forked.append(pid)
        elif pid in self._children:
            self._children.pop(pid).status = status

    def ready(self, others: Iterable[Any] = (), seconds: float | None = None) -> list[Any]:
        """Its control and others, as far as they can be read from; waits for the first, and ends a server that is stopped meanwhile."""
        end, watched = None if seconds is None else monotonic() + seconds, [self.control, *others]
        while not (
            found := wait(watched, _LOOKING_SECONDS if end is None else min(_LOOKING_SECONDS, end - monotonic()))
        ):
            self._end_if_stopped()
            if end is not None and monotonic() >= end:
                break
        return found

    def _end_if_stopped(self) -> None:
        """End a server that a signal has stopped, as what it forked may do to it: it would be waited for without an end."""
        with suppress(psutil.Error):
            process = psutil.Process(self.pid)
            if process.status() == psutil.STATUS_STOPPED:
                process.kill()


# in the server


def _serve(control: socket.socket, prepare: Callable[[], object]) -> NoReturn:
    """Fork for every request until there is nobody who could make one."""
    os.setpgrp()  # so that a signal to all that stand in a terminal is for the command alone
    # terminal and files are the command's, and no candidate's to write to
    let_go_of({0, 1, 2, *map(int, os.listdir("/dev/fd"))} - {control.fileno()})
    sys.stdin, sys.stdout, sys.stderr = os.fdopen(0), os.fdopen(1, "w"), os.fdopen(2, "w")  # not what pytest has there
    prepare()
    alarm = on_the_end_of_children()
    with selectors.DefaultSelector() as selector:
        selector.register(control, selectors.EVENT_READ)
        selector.register(alarm, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fileobj is alarm:
                    alarm.recv(_ROOM)
                    _tell_of_ends(control)
                elif not _served(control):
                    _end_everything()
                    os._exit(0)


def let_go_of(files: Iterable[int]) -> None:
    """Put nothing in the place of open files, by their numbers; were they closed, the next to be opened would get those."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for each in files:
        with suppress(OSError):  # the one by which a folder of them was read
            os.dup2(nowhere, each)
    os.close(nowhere)


def import_everything() -> None:
    """Import what everybody needs, to fork from here on; what can't be imported is told where it is needed."""
    torch.set_num_threads(1)  # what is imported may compute, and a pool of OpenMP's threads does not survive a fork
    gc.disable()
    with suppress(Exception):
        catalogue(), every_property(), every_claim()
    gc.freeze()  # so that no fork copies all of it to find nothing to collect
    gc.enable()


def on_the_end_of_children() -> socket.socket:
    """What can be read from whenever a process that this one has forked has ended."""
    alarm, rings = socket.socketpair()
    for each in (alarm, rings):
        each.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    signal.set_wakeup_fd(rings.detach(), warn_on_full_buffer=False)
    return alarm


def _tell_of_ends(control: socket.socket) -> None:
    """Tell who has ended, and end who was stopped: no watch of its own would do it."""
    with suppress(ChildProcessError, OSError):
        while (changed := os.waitpid(-1, os.WNOHANG | os.WUNTRACED))[0]:
            pid, status = changed
            if os.WIFSTOPPED(status):
                os.kill(pid, signal.SIGKILL)
            told = -os.WSTOPSIG(status) if os.WIFSTOPPED(status) else os.waitstatus_to_exitcode(status)
            control.sendall(_ANSWER.pack(pid, told))


def _served(control: socket.socket) -> bool:
    """Answer one request; whether there was one."""
    try:
        function, lines, _, _ = socket.recv_fds(control, _ROOM, 1)
    except OSError:
        return False
    if not function:
        return False
    (line,) = lines
    child = _fork()
    if child == 0:
        _run(function.decode().strip(), Connection(line), control)
    os.close(line)
    with suppress(OSError):
        control.sendall(_ANSWER.pack(child, _FORKED))
    return True


def _end_everything() -> None:
    for each in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            each.kill()


def _fork() -> int:
    with warnings.catch_warnings(
        action="ignore", category=DeprecationWarning
    ):  # of libraries' threads, which know forks
        return os.fork()


# in what is forked


def _run(function: str, line: Connection, control: socket.socket) -> NoReturn:
    """Call the function with the line and its orders, and end, whatever it leaves to be done at an end."""
    status = 1
    try:
        os.setpgrp()
        end_with(os.getppid())
        forget_children()
        control.close()
        np.random.seed()
        told = json.loads(line.recv_bytes())
        os.environ.clear()
        os.environ.update(told["environment"])
        os.chdir(told["folder"])
        sys.path[:] = told["path"]
        module, _, name = function.partition(":")
        getattr(importlib.import_module(module), name)(line, **told["orders"])
        status = 0
    except SystemExit as leaving:
        status = leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


def forget_children() -> None:
    """Be told no more, in a process that was forked, of those that its parent has forked."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)


def end_with(parent: int) -> None:
    """Have the system end this process when its parent ends, where it can do that."""
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


# the server of this process


_of_this_process: dict[tuple[int, frozenset[tuple[str, str]]], ForkServer] = {}
"""By the number of the process and the variables that it was started with."""


def begin(prepare: Callable[[], object] = import_everything) -> None:
    """Fork the server of this process from it, if it is a command that begins: before it computes, or asks for devices."""
    key = os.getpid(), frozenset[tuple[str, str]]()
    if sys.platform == "linux" and threading.active_count() == 1 and key not in _of_this_process:
        _of_this_process[key] = ForkServer.forked(prepare)


def fork_server(environment: Mapping[str, str] = MappingProxyType({})) -> ForkServer:
    """The server of this process that has these variables, started anew where there is none, or none any more."""
    key = os.getpid(), frozenset(environment.items())
    there = _of_this_process.get(key)
    if there is None or not there.is_alive:
        there = _of_this_process[key] = ForkServer.started(environment)
    return there


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])), import_everything)
