"""Declaring a library: every operator in turn, in a process of its own, which one of them may end without harm to the others."""

from __future__ import annotations

import importlib
import itertools
import os
import warnings
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import msgspec
import torch

from harness.errors import HarnessError
from harness.execute.fork_server import fork_server
from harness.execute.scratch import scratch
from harness.execute.watchdog import Watchdog, crash_reason
from harness.explain.visible import visible
from harness.record.reading import parsed, shown, structured
from harness.survey import database, signatures
from harness.survey.declarations import Undeclared, Written, declared, head
from harness.survey.operator import Operator

ENDED = "called at other sizes than its example's, it"
"""How the reason begins of an operator that has ended the process in which it was declared."""

_NAME = "declaring"
_ANSWERS = "declared.jsonl"


@dataclass(frozen=True)
class Declared:
    """What was told of one operator: its operations, or why there is none. area: the file in which they are written."""

    path: str
    variant: str
    area: str
    operations: list[Written] = field(default_factory=list)
    reason: str = ""


@dataclass(frozen=True)
class _Refusal:
    refusal: str


def operators_of(library: str) -> Iterator[Operator]:
    """The operators of a library by its module's name. Raises HarnessError where it can't be imported."""
    try:
        module = importlib.import_module(library)
    except Exception as failure:
        raise HarnessError(
            f"{visible(library, 100)} can't be surveyed: importing it raised {type(failure).__name__}: {visible(str(failure), 200)}"
        ) from None
    return database.operators() if module is torch else signatures.operators(module)


def declare_all(library: str, most: int, limit: float, memory: int | None) -> list[Declared]:
    """What is told of every operator of a library, up to so many operations of each.

    limit: seconds that one operator may take; memory: bytes that may be held meanwhile. Raises HarnessError where the library
    can't be read.
    """
    server = fork_server()
    told: list[Declared] = []
    with scratch() as folder:
        while True:
            child = server.fork(
                f"{__name__}:answer",
                library=library,
                most=most,
                first=len(told),
                folder=str(folder),
                limit=limit,
                memory=memory,
            )
            child.wait()
            child.end()
            found = _answers(folder)
            told += found[1::2]
            if child.status == 0:
                return told
            words = crash_reason(folder, _NAME, limit, child.status)
            if len(found) % 2 == 0:
                raise HarnessError(f"{library} {words} as its operators were listed")
            told.append(replace(found[-1], reason=f"{ENDED} {words}"))


def _answers(folder: Path) -> list[Declared]:
    """What the process has left: each operator as it began, and as it was declared. Raises HarnessError for its refusal."""
    path = folder / _ANSWERS
    found: list[Declared] = []
    for line in path.read_bytes().splitlines(keepends=True) if path.exists() else ():
        if line.endswith(b"\n"):
            told = parsed(line)
            if isinstance(told, dict) and "refusal" in told:
                raise HarnessError(structured(told, _Refusal).refusal)
            found.append(structured(told, Declared))
    return found


def answer(
    line: Connection, library: str, most: int, first: int, folder: str, limit: float, memory: int | None
) -> None:
    """Declare the operators from the first on, and leave two lines of each in the folder: that it began, and what it gave."""
    torch.set_num_threads(1)
    watchdog = Watchdog(Path(folder), _NAME, limit, memory)
    names: dict[str, Any] = {}
    with (Path(folder) / _ANSWERS).open("wb", buffering=0) as answers, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            operators = operators_of(library)
            exec(head(library), names)
            for operator in itertools.islice(operators, first, None):
                begun = Declared(operator.path, operator.variant, operator.area)
                _say(answers, begun)
                with watchdog.within(limit):
                    made = _declared(operator, most, names)
                _say(answers, replace(begun, **made))
        except HarnessError as refusal:
            _say(answers, _Refusal(str(refusal)))
    os._exit(0)  # whatever the library would still do at its end


def _declared(operator: Operator, most: int, names: dict[str, Any]) -> dict[str, Any]:
    try:
        return {"operations": declared(operator, most, names)}
    except Undeclared as reason:
        return {"reason": str(reason)}
    except Exception as failure:
        return {"reason": f"declaring it raised {type(failure).__name__}: {failure}"}


def _say(answers: Any, told: Declared | _Refusal) -> None:
    answers.write(msgspec.json.encode(shown(asdict(told))) + b"\n")
