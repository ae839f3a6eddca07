"""The command line as a user meets it: in a process of its own, from a folder of its own.

The process is forked from one that has imported the command already; `test_package.py`, `test_outside_package.py` and
some tests of `test_command.py` and `test_isolation.py` start it anew, as a shell does.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

import harness as package
from harness.record.events import CellFinished, Event, RunFinished
from harness.record.runlog import read
from tests.forkserver import SECONDS, Server, server

CANDIDATES = Path(__file__).with_name("candidates")


def surroundings(**more: str) -> dict[str, str]:
    """The environment in which the harness under test is the one that gets imported."""
    root = str(Path(package.__file__).parents[1])
    paths = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
    own = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    return {**own, "PYTHONPATH": paths, **more}


@dataclass(frozen=True)
class Answer:
    """What a command left: exit code, both outputs, and the events of its log, if it wrote one."""

    code: int
    out: str
    err: str
    folder: Path

    @property
    def summary(self) -> dict:
        """Standard output as the JSON that --json promises."""
        return json.loads(self.out)

    @property
    def events(self) -> list[Event]:
        (log,) = (self.folder / "reports" / "runs").glob("*.jsonl.gz")
        return read(log).events

    @property
    def cells(self) -> list[CellFinished]:
        return [event for event in self.events if isinstance(event, CellFinished)]

    @property
    def finished(self) -> RunFinished:
        (event,) = (event for event in self.events if isinstance(event, RunFinished))
        return event

    def of(self, implementation: str) -> list[CellFinished]:
        return [cell for cell in self.cells if cell.implementation == implementation]


def command_server() -> Server:
    """The fork server that has imported what a command imports."""
    return server("tests.imported")


def ask(folder: Path, *arguments: str, **environment: str) -> Answer:
    """Run `harness` with these arguments in a folder. Nothing it says may be a traceback or pytest's own words."""
    command = ("-m", "harness", *arguments)
    done = command_server().run(command, folder, surroundings(**environment), SECONDS)
    answer = Answer(done.returncode, done.stdout, done.stderr, folder)
    told = re.sub(r"pytest-of-\w+/pytest-\d+", "", answer.out + answer.err)  # folders of tests, which files may name
    for noise in ("Traceback", "INTERNALERROR", "Warning", "pytest", "xdist", "worker 'gw"):
        assert noise not in told, answer
    return answer
