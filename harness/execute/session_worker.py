"""A worker of a pytest session: a session of its own, which collects one module anew and answers the cells that it is told to.

So what conftest files and plugins do to a session is done to it too, and what a cell does to its process is not done to theirs.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NoReturn

import pytest

from harness.execute.selection import Selection
from harness.execute.watchdog import Watchdog
from harness.execute.worker import PROBLEM, answer_all, compute_in, say
from harness.verify.cell import Cell

CELL = pytest.StashKey[Cell]()
"""Where an item has its cell."""

_NOT_HERE: Mapping[str, Any] = {
    **{"numprocesses": None, "maxprocesses": None, "dist": "no", "tx": []},  # xdist's
    **{"lf": False, "failedfirst": False, "deselect": None, "usepdb": False, "trace": False},
}
"""Options of the session whose worker this is that are not for it: who asks has chosen already."""


_MARK = "harness_worker"
"""The option that a worker's session alone has."""


def is_worker(config: pytest.Config) -> bool:
    """Whether a session is that of a worker, and no user's."""
    return hasattr(config.option, _MARK)


def session_options(config: pytest.Config) -> dict[str, Any]:
    """The options of a session that another process can be given, those which are not for a worker of it left out."""
    known = {**vars(config.option), **{name: value for name, value in _NOT_HERE.items() if name in vars(config.option)}}
    return {name: value for name, value in known.items() if _travels(value)}


def _travels(value: Any) -> bool:
    try:
        return bool(json.loads(json.dumps(value)) == value)
    except (TypeError, ValueError):
        return False


def work(
    line: Connection, module: str, options: dict[str, Any], selection: str, keyword: str, threads: int, **watch: Any
) -> None:
    """Collect a module as a session with these options does, and answer its cells."""
    compute_in(threads)
    try:
        config = pytest.Config.fromdictargs({**options, _MARK: True}, [module])
        config.pluginmanager.register(_Answering(line, Selection.from_json(selection), watch))
        ended = repr(config.hook.pytest_cmdline_main(config=config))
    except BaseException as failure:  # what a conftest file raises, pytest.exit among it
        ended = f"{type(failure).__name__}: {failure}"
    say(line, PROBLEM, f"pytest can't collect {module} in a worker, though it could here; it ended with {ended}")


class _Answering:
    """In place of the session's tests, answers cells."""

    def __init__(self, line: Connection, selection: Selection, watch: Mapping[str, Any]) -> None:
        self._line, self._selection, self._watch = line, selection, watch

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> NoReturn:
        found = {item.stash[CELL].key: item.stash[CELL] for item in session.items if CELL in item.stash}
        scratch = Path(self._watch["scratch"])
        watchdog = Watchdog(scratch, self._watch["name"], self._watch["limit"], self._watch["memory"])
        with suppress(EOFError):  # whoever asks is gone
            answer_all(self._line, found, self._selection, watchdog)
        os._exit(0)  # what a session does in the end, such as writing its results, is the other one's to do
