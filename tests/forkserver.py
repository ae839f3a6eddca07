"""A fork server: a process that has imported what takes seconds, and forks for every command.

`python -m tests.forkserver MODULE...` imports the modules, then reads an order from each line of its standard input and
answers it with an exit status. What is forked runs the command to its end as a process of its own: its own folder,
environment, outputs, signals, and end of the interpreter. Only the imports are not its own, so a few tests of each
command start it anew.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import runpy
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[1]

HEAVY = ("torch", "numpy")
"""What everything imports that knows nothing of the harness."""

SECONDS = 900
"""After which a process counts as hanging, however busy the machine is; nothing is meant to take a tenth of it."""


@dataclass(frozen=True)
class Server:
    """The tests' end of a fork server."""

    process: subprocess.Popen[str]

    def run(
        self, arguments: Sequence[str], folder: Path, environment: dict[str, str], seconds: int
    ) -> subprocess.CompletedProcess[str]:
        """`python ARGUMENTS`, which begin with a script, with -m and a module, or with -c and a source. Raises TimeoutExpired."""
        with TemporaryDirectory() as scratch:
            out, err = Path(scratch, "out"), Path(scratch, "err")
            order = (list(arguments), str(folder), environment, str(out), str(err), seconds)
            assert self.process.stdin is not None and self.process.stdout is not None
            print(json.dumps(order), file=self.process.stdin, flush=True)
            code = json.loads(self.process.stdout.readline())
            if code == -signal.SIGALRM:
                raise subprocess.TimeoutExpired(arguments, seconds, out.read_text(), err.read_text())
            return subprocess.CompletedProcess(arguments, code, out.read_text(), err.read_text())


@lru_cache(maxsize=4)
def server(*modules: str) -> Server:
    """The server of this test process that has imported these modules; it ends when this process does."""
    return Server(
        subprocess.Popen(
            [sys.executable, "-m", __name__, *modules],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
    )


def _serve() -> list[str]:
    """Answer orders; returns in the forked process, with the command that it is to run."""
    for line in sys.stdin:
        arguments, folder, environment, out, err, seconds = json.loads(line)
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM})  # the child may send it before it is waited for
        child = os.fork()
        if child == 0:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGALRM})
            _become(folder, environment, out, err)
            return arguments
        print(_status(child, seconds), flush=True)
    sys.exit()


def _become(folder: str, environment: dict[str, str], out: str, err: str) -> None:
    """Take on the place, the environment and the outputs of a new process."""
    os.chdir(folder)
    mine = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    wanted = [path for path in environment.get("PYTHONPATH", "").split(os.pathsep) if path]
    sys.path[:] = ["", *wanted, *(path for path in sys.path[1:] if path not in mine)]
    os.environ.clear()
    os.environ.update(environment)
    for number, path, mode in ((0, os.devnull, os.O_RDONLY), (1, out, os.O_WRONLY), (2, err, os.O_WRONLY)):
        os.dup2(os.open(path, mode | os.O_CREAT), number)
    sys.stdin = os.fdopen(0)


def _status(child: int, seconds: int) -> int:
    """How the command ended: an exit status, or a signal's negative number, SIGALRM's where its time was over."""
    too_late = False

    def end(number: int, frame: object) -> None:
        nonlocal too_late
        too_late = True
        os.kill(child, signal.SIGKILL)

    signal.signal(signal.SIGALRM, end)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGALRM})
    signal.alarm(seconds)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    signal.alarm(0)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    return -signal.SIGALRM if too_late else code


def _run(arguments: list[str]) -> None:
    """What the interpreter does with its command line."""
    match arguments:
        case ["-m", module, *_]:
            sys.path[0], sys.argv = os.getcwd(), arguments[1:]
            runpy.run_module(module, run_name="__main__", alter_sys=True)
        case ["-c", source, *_]:
            sys.path[0], sys.argv = "", ["-c", *arguments[2:]]
            exec(source, {"__name__": "__main__"})
        case [script, *_]:
            sys.path[0], sys.argv = str(Path(script).parent), arguments
            runpy.run_path(script, run_name="__main__")


if __name__ == "__main__":
    for module in sys.argv[1:]:
        importlib.import_module(module)
    gc.freeze()  # so that no fork copies all of it to find nothing to collect
    _run(_serve())
