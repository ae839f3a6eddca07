"""Run logs: among others, which have to be read nevertheless, and alone."""

from __future__ import annotations

import dataclasses
import gzip
import itertools
import json
import os
import shutil
import socket
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from tests.byhand import CONTROLS, DIRECTIONS, MARKUP
from tests.hostile.row import SENTINEL, Maker, Place, Row
from tests.hostile.valid import BAD, EVENTS, GOOD, MILLION, changed, line, lines, packed, text, without

LOG = f"{BAD}.jsonl.gz"
NAMED = BAD
OUTPUTS = ("--junit", "written/a.xml", "--markdown", "written/a.md", "--mail", "written/a.html", "--annotations")
REPORT = ("report", *OUTPUTS)
ASKED = {
    "history": ("history",),
    "history in JSON": ("history", "--json"),
    "report": REPORT,
    "report in JSON": (*REPORT, "--json"),
    "compare": ("compare", "20261101"),
    "compare in JSON": ("compare", "20261101", "--json"),
    "issues": ("issues",),
    "issues in JSON": ("issues", "--json"),
    "replay": ("replay", "--save", "written/kept.jsonl"),
    "replay in JSON": ("replay", "--save", "written/kept.jsonl", "--json"),
}
"""The commands that read logs."""

BOMB_BYTES = 2**30
DEEP = 100
BRACKETS = 200_000
HUGE = 10_000_000


def log(told: Callable[[], bytes], name: str = LOG) -> Maker:
    """Puts a log beside the others, as the latest."""
    return lambda place: (place.runs / name).write_bytes(told())


def alone(make: Maker) -> Maker:
    """Takes the other logs away first."""

    def made(place: Place) -> None:
        for each in place.runs.iterdir():
            each.unlink()
        make(place)

    return made


def started(*path: Any, to: Any) -> Callable[[], bytes]:
    """A run whose first event has another value somewhere."""
    return lambda: packed([changed(line("RunStarted"), *path, to=to), *lines()[1:]])


def told(*more: Any) -> Callable[[], bytes]:
    """A run with more lines before its end."""
    return lambda: packed([*lines()[:-1], *more, lines()[-1]])


def nested(depth: int) -> Any:
    made: Any = "x"
    for _ in range(depth):
        made = {"a": [made]}
    return made


# a run is called what no run is called: the log is left out, and named

_NAMES = {
    "the folder above the reports": "../..",
    "the folder above": "..",
    "the folder itself": ".",
    "another folder": "a/../../../outside",
    "an absolute path": "/tmp/x",
    "no name": "",
    "10,000 letters": "a" * 10_000,
    "a NUL": f"{BAD}\0",
    "lines": f"{BAD}\n# heading\nrun",
    "markup": MARKUP,
    "controls": CONTROLS,
    "directions": DIRECTIONS,
    "an option": "--reports",
    "a home": "~root",
    "a backslash": "..\\..\\x",
    "a space": " ",
    "the folder of logs": "runs",
    "the folder of the latest pages": "latest",
    "the folder of reference runs": "baseline",
    "the folder of benchmarks": "benchmarks",
    "the folder of examples": "examples",
    "the index": "history.sqlite",
    "the kept cases": "counterexamples.jsonl",
    "a log": LOG,
}
_ANOTHER = {"another run": GOOD[0]}


def _called() -> Iterator[Row]:
    for name, run in _NAMES.items():
        yield Row(f"run called {name}: report", REPORT, (0,), NAMED, log(started("run", to=run)))
    others = (name for name in ASKED if name != "report")
    for (name, run), command in zip(_NAMES.items(), others, strict=False):
        yield Row(f"run called {name}: {command}", ASKED[command], (0,), NAMED, log(started("run", to=run)))
    for name in ("the folder above the reports", "an absolute path", "no name", "controls"):
        yield Row(f"run called {name}, alone", REPORT, (0, 3), NAMED, alone(log(started("run", to=_NAMES[name]))))
    for name, run in _ANOTHER.items():
        yield Row(f"run called {name}", REPORT, (0,), "20261101", log(started("run", to=run)))


# the head of a run is odd: it is read or left out, and the others are

_HEADS: dict[str, tuple[tuple[Any, ...], Any]] = {
    "packages null": (("environment", "packages"), None),
    "packages a number": (("environment", "packages"), 7),
    "packages a list": (("environment", "packages"), ["torch"]),
    "packages of objects": (("environment", "packages"), {"torch": {"a": 1}}),
    "no environment": (("environment",), None),
    "the environment a list": (("environment",), ["cpu"]),
    "the environment a number": (("environment",), 3),
    "the processor an object": (("environment", "cpu"), {"a": [1]}),
    "the processor null": (("environment", "cpu"), None),
    "the revision a number": (("environment", "revision"), 12345678),
    "the revision a list": (("environment", "revision"), ["a"]),
    "the revision an option": (("environment", "revision"), "--upload-pack=touch executed"),
    "the revision controls": (("environment", "revision"), CONTROLS),
    "the environment deep": (("environment", "deep"), nested(DEEP)),
    "the environment huge": (("environment", "long"), "A" * HUGE),
    "a million facts": (("environment",), MILLION),
    "facts named by markup": (("environment", MARKUP), MARKUP),
    "facts named by controls": (("environment", CONTROLS), DIRECTIONS),
    "no day": (("when",), ""),
    "the day a word": (("when",), "yesterday"),
    "the year 99999": (("when",), "99999-01-01T00:00:00+00:00"),
    "month 99": (("when",), "2026-99-01T00:00:00+00:00"),
    "the day a number": (("when",), 5),
    "the day null": (("when",), None),
    "the day without a zone": (("when",), "2026-11-03T00:00:00"),
    "the day controls": (("when",), CONTROLS),
    "the day markup": (("when",), MARKUP),
    "the command a word": (("command",), "harness run"),
    "the command numbers": (("command",), [1, None, 2.5]),
    "the command hostile": (("command",), ["harness", MARKUP, CONTROLS, DIRECTIONS]),
    "the command empty": (("command",), []),
    "the seed huge": (("seed",), 10**400),
    "the seed a word": (("seed",), "x"),
    "the format a word": (("format",), "x"),
    "the format below 0": (("format",), -1),
    "the format null": (("format",), None),
    "the candidates a number": (("candidates",), 7),
    "the candidates with a NUL": (("candidates",), "/tmp/\0.py"),
    "the candidates controls": (("candidates",), CONTROLS),
    "the scope a list": (("scope",), []),
    "the scope's operations a number": (("scope", "operations"), 3),
    "the scope's pairs flat": (("scope", "only"), ["agreement", "linear"]),
    "the scope's keyword an object": (("scope", "keyword"), {"a": 1}),
}


def _heads() -> Iterator[Row]:
    others = itertools.cycle(("history", "compare in JSON", "issues", "history in JSON"))
    for number, ((name, (path, value)), other) in enumerate(zip(_HEADS.items(), others, strict=False)):
        bad = log(started(*path, to=value))
        yield Row(f"{name}: report", REPORT, (0,), "2026", bad)
        if number % 3 == 0:
            yield Row(f"{name}: {other}", ASKED[other], (0, 1), ".", bad)
    for name in (
        "no day",
        "the day a word",
        "the year 99999",
        "month 99",
        "the day a number",
        "the day without a zone",
    ):
        path, value = _HEADS[name]
        bad = log(started(*path, to=value))
        yield Row(
            f"{name}: issues --expect-within, alone", ("issues", "--expect-within", "26h"), (0, 3), ".", alone(bad)
        )
    yield Row("format 99", REPORT, (0,), f"{NAMED}.*format 99", log(started("format", to=99)))
    yield Row("format 99, alone", ("history",), (3,), "format 99.*install", alone(log(started("format", to=99))))
    yield Row("format 10**400", ("history",), (0,), NAMED, log(started("format", to=10**400)))


# every field of every event, with every kind of value that it should not have: one line for each field

_VALUES: dict[str, Any] = {
    "null": None,
    "a number below 0": -1,
    "the largest numbers": 2**63,
    "text": "x",
    "no text": "",
    "a list": [1, [2]],
    "an object": {"a": {"b": 1}},
    "something deep": nested(DEEP),
    "controls": CONTROLS,
    "markup and directions": f"{MARKUP} {DIRECTIONS}",
}
_INSIDE = {
    "CellFinished": (("counterexample",), ("counterexample", "diagnosis"), ("counterexample", "inputs", 0)),
    "RunStarted": (("scope",),),
}


def _paths(event: str) -> Iterator[tuple[Any, ...]]:
    """Where an event has a field."""
    for inside in ((), *_INSIDE.get(event, ())):
        there: Any = EVENTS[event]
        for key in inside:
            there = there[key] if isinstance(key, int) else getattr(there, key)
        for each in dataclasses.fields(there):
            yield (*inside, each.name)


def _fields() -> Iterator[Row]:
    for event in ("ImplementationListed", "ClaimListed", "FindingListed", "CellFinished", "RunFinished"):
        for value, given in _VALUES.items():
            bad = [changed(line(event), *path, to=given) for path in _paths(event)]
            rest = [each for each in lines() if each["event"] != event]
            run = partial(packed, [rest[0], *bad, *rest[1:]])
            yield Row(f"{event}, each field {value}", REPORT, (0,), "2026", log(run))
        run = partial(packed, [*lines(), *(without(line(event), *path) for path in _paths(event))])
        yield Row(f"{event}, each field missing", REPORT, (0,), "2026", log(run))
    for value, given in _VALUES.items():
        bad = [changed(line("TimingFinished"), *path, to=given) for path in _paths("TimingFinished")]
        yield Row(f"TimingFinished, each field {value}", REPORT, (0,), "2026", _benchmarks(bad))


def _benchmarks(timings: list[Any]) -> Maker:
    """Puts timings among the benchmarks, which every report shows."""

    def made(place: Place) -> None:
        (place.reports / "benchmarks").mkdir()
        (place.reports / "benchmarks" / LOG).write_bytes(packed([line("RunStarted"), *timings, line("RunFinished")]))

    return made


# cells, and texts in them

_TEXTS = {"markup": MARKUP, "controls": CONTROLS, "directions": DIRECTIONS, "10 MB": "A" * HUGE}
_WORDS = (
    *(("prop",), ("operation",), ("implementation",), ("backend",), ("device",), ("dtype",)),
    *(("reason",), ("kind",), ("place",), ("known",), ("outdated", 0)),
    *(("counterexample", each) for each in ("summary", "source", "sentence", "expected", "actual", "script")),
    *(("counterexample", "diagnosis", each) for each in ("sentence", "evidence", "cause", "where")),
    ("counterexample", "inputs", 0, "name"),
)
_CELLS: dict[str, Any] = {
    "an unknown verdict": changed(line("CellFinished"), "verdict", to="splendid"),
    "no verdict": changed(line("CellFinished"), "verdict", to=""),
    "a tally of unknown verdicts": changed(line("CellFinished"), "tally", to={"splendid": 3}),
    "an unknown event": {"event": "Something", "a": 1},
    "an event named by a list": {"event": ["CellFinished"]},
    "no event": {"a": 1},
    "a number": 17,
    "null": None,
    "no JSON": "{",
    "an undefined figure": changed(line("CellFinished"), "score_max", to=float("nan")),
    "an infinite figure": changed(line("CellFinished"), "score_max", to=float("inf")),
    "an infinite allowance": changed(line("CellFinished"), "allowance", to="-inf"),
    "1e400": json.dumps(changed(line("CellFinished"), "score_max", to=7.125)).replace("7.125", "1e400"),
    "10**400": changed(line("CellFinished"), "comparisons", to=10**400),
    "10**5000": json.dumps(changed(line("CellFinished"), "comparisons", to=7125)).replace("7125", "1" + "0" * 5000),
    "2**63 printed": changed(line("CellFinished"), "printed", to=2**63),
    "cases below 0": changed(line("CellFinished"), "tally", to={"wrong": -1}),
    "undefined seconds": changed(line("CellFinished"), "seconds", to={"oracle": "nan"}),
    "seconds below 0": changed(line("CellFinished"), "seconds", to={"oracle": -1e308}),
    "infinite disagreement": changed(line("CellFinished"), "disagreement", to={"definition": "inf"}),
    "pairs of one": changed(line("CellFinished"), "pairs", to=[1]),
    "a deep case": changed(line("CellFinished"), "counterexample", "case", to=nested(DEEP)),
    "an endless case": changed(line("CellFinished"), "counterexample", "case", to={"seed": float("inf")}),
    "a cutout of no shape": changed(line("CellFinished"), "counterexample", "inputs", 0, "values", to=[[], [1.0]]),
    "a cutout of strings": changed(line("CellFinished"), "counterexample", "inputs", 0, "values", to=[["nan", "inf"]]),
    "a cutout below 0": changed(line("CellFinished"), "counterexample", "inputs", 0, "shape", to=[-5, 10**30]),
    "a key twice": json.dumps(line("CellFinished")).replace('"verdict"', '"verdict": "exact", "verdict"'),
    "a million sizes": changed(line("CellFinished"), "sizes", to=MILLION),
}


def _cells() -> Iterator[Row]:
    for name, cell in _CELLS.items():
        yield Row(f"a cell with {name}", REPORT, (0,), "2026", log(told(cell)))
    others = itertools.cycle(("history", "compare in JSON", "issues", "replay"))
    for number, ((name, cell), other) in enumerate(zip(_CELLS.items(), others, strict=False)):
        if number % 3 == 0:
            yield Row(f"a cell with {name}: {other}", ASKED[other], (0, 1), ".", log(told(cell)))
    for name, given in _TEXTS.items():
        texts = [
            changed(line("CellFinished"), *path, to=given) for path in (_WORDS if len(given) < HUGE else _WORDS[6:12])
        ]
        for other in ("report", "report in JSON", "compare", "issues", "replay in JSON"):
            if len(given) < HUGE or other == "report":
                yield Row(f"cells with {name}: {other}", ASKED[other], (0, 1), ".", log(told(*texts)))
        yield Row(
            f"cells with {name}: history of a cell",
            ("history", f"agreement[linear/{name}-cpu-float32]"),
            (2,),
            "no run asked",
            log(told(*texts)),
        )
    odd = changed(line("CellFinished"), "operation", to="../../../outside/index")
    yield Row("an operation named by a path", REPORT, (0,), "2026", log(told(odd)))
    long = changed(line("CellFinished"), "operation", to="é" * 5000)
    yield Row("an operation of 5,000 letters", REPORT, (0,), "2026", log(told(long)))
    many = [
        changed(line("CellFinished"), "operation", to=each) for each in ("index", "INDEX", "a/b", ".", "..", "CON", "")
    ]
    yield Row("operations named as files are", REPORT, (0,), "2026", log(told(*many)))


# order, and what is not there

_WHOLE: dict[str, tuple[Callable[[], bytes], bool]] = {
    "nothing at all": (lambda: b"", True),
    "nothing, packed": (lambda: gzip.compress(b""), True),
    "ends of lines alone": (lambda: packed(["", "", ""]), True),
    "an end of line": (lambda: b"\n", True),
    "no first event": (lambda: packed(lines()[1:]), True),
    "no last event": (lambda: packed(lines()[:-1]), False),
    "the first event twice": (lambda: packed([line("RunStarted"), *lines()]), False),
    "two runs": (lambda: packed([*lines(), changed(line("RunStarted"), "run", to="../.."), *lines()[1:]]), False),
    "the last event first": (lambda: packed([lines()[-1], *lines()[:-1]]), False),
    "the first event last": (lambda: packed([*lines()[1:], lines()[0]]), False),
    "the first event alone": (lambda: packed(lines()[:1]), False),
    "cells twice": (lambda: packed([*lines()[:-1], *lines()[1:]]), False),
    "not packed, as its name says": (lambda: text(lines()), False),
    "no log, as its name says": (lambda: b"hello\nworld\n", True),
    "random bytes": (lambda: bytes(range(256)) * 40, True),
    "a cut pack": (lambda: packed(lines())[:300], False),
    "a pack cut in its head": (lambda: packed(lines())[:5], True),
    "a damaged pack": (lambda: _flipped(packed(lines()), 0.5), False),
    "a damaged head": (lambda: _flipped(packed(lines()), 0.0), True),
    "a pack and rubbish": (lambda: packed(lines()) + b"rubbish" * 100, False),
    "a pack within a pack": (lambda: gzip.compress(packed(lines())), True),
    "a bomb": (lambda: _bomb(), False),
    "200,000 brackets": (lambda: packed(["[" * BRACKETS]), True),
    "a run and 200,000 brackets": (lambda: packed([lines()[0], "[" * BRACKETS, *lines()[1:]]), False),
    "200,000 objects": (lambda: packed([*lines()[:-1], '{"a":' * BRACKETS]), False),
    "halves of letters": (lambda: packed([json.dumps(each).replace("off", "\\ud800") for each in lines()]), False),
    "bytes that are no UTF-8": (lambda: gzip.compress(text(lines()).replace(b"off", b"\xff\xfe")), False),
    "a mark of byte order": (lambda: gzip.compress(b"\xef\xbb\xbf" + text(lines())), False),
    "UTF-16": (lambda: gzip.compress(text(lines()).decode().encode("utf-16")), True),
    "ends of lines as Windows has them": (lambda: gzip.compress(text(lines()).replace(b"\n", b"\r\n")), False),
    "a line of 10 MB": (lambda: packed(["x" * HUGE, *lines()]), False),
    "NULs": (lambda: packed(["\0" * 10_000]), True),
}
"""The content of a log, and whether nothing in it can be read, so that it has to be named."""


def _flipped(content: bytes, where: float) -> bytes:
    spoilt = bytearray(content)
    spoilt[int(len(spoilt) * where)] ^= 0xFF
    return bytes(spoilt)


def _bomb() -> bytes:
    """A gigabyte of one letter in a megabyte, behind a run."""
    return packed(lines()[:-1]) + gzip.compress(b"x" * 2**20) * (BOMB_BYTES // 2**20)


def _whole() -> Iterator[Row]:
    others = itertools.cycle(name for name in ASKED if name != "report")
    for (name, (made, unreadable)), other in zip(_WHOLE.items(), others, strict=False):
        says = NAMED if unreadable else "."
        codes = (0, 1, 3) if "replay" in other else (0, 1)
        yield Row(f"a log with {name}: report", REPORT, (0,), says, log(made))
        if not unreadable:
            yield Row(f"a log with {name}: {other}", ASKED[other], codes, says, log(made))
        else:
            yield Row(f"a log with {name}, alone: {other}", ASKED[other], (3,), NAMED, alone(log(made)))
    for name, command in ASKED.items():
        yield Row(f"no log a log: {name}", command, (3,), NAMED, alone(log(lambda: b"hello\nworld\n")))
    for name in ("report", "replay"):
        words = (name, f"reports/runs/{LOG}")
        yield Row(f"the log is named, and is none: {name}", words, (2, 3), NAMED, log(lambda: b"hello\n"))


# not even a file

_PLACES: dict[str, Callable[[Place], object]] = {
    "a folder": lambda place: (place.runs / LOG).mkdir(),
    "a pipe": lambda place: os.mkfifo(place.runs / LOG),
    "a socket": lambda place: _socket(place.runs),
    "a link to nothing": lambda place: (place.runs / LOG).symlink_to("nowhere"),
    "a link to itself": lambda place: (place.runs / LOG).symlink_to(LOG),
    "a link to a device": lambda place: (place.runs / LOG).symlink_to("/dev/zero"),
}


def _socket(folder: Any) -> None:
    """A socket: its path is too long to be bound to from elsewhere."""
    made = socket.socket(socket.AF_UNIX)
    here = os.open(folder, os.O_RDONLY)
    made.bind(f"/proc/self/fd/{here}/{LOG}")
    os.close(here)
    made.close()


def _places() -> Iterator[Row]:
    for (name, make), other in zip(_PLACES.items(), itertools.cycle(ASKED)):
        yield Row(f"{name} for a log: {other}", ASKED[other], (0,), NAMED, make)
    for name in ("a folder", "a pipe", "a link to itself"):
        yield Row(f"{name} for a log, alone", ("report",), (3,), NAMED, alone(_PLACES[name]))
        yield Row(f"{name} for a log, named", ("replay", f"reports/runs/{LOG}"), (2, 3), NAMED, _PLACES[name])
    yield Row("a link to a log elsewhere", REPORT, (0,), "2026", _linked)
    yield Row("a log named by controls", ("history",), (0,), "2026", log(lambda: b"x\n", f"{BAD}\x1b[31m\n.jsonl.gz"))
    yield Row("a log named by bytes", ("history",), (0,), "2026", log(lambda: b"x\n", f"{BAD}\udcff.jsonl.gz"))
    yield Row(
        "a log named by markup", REPORT, (0,), "2026", log(lambda: b"x\n", "<img src=x onerror=alert(1)>.jsonl.gz")
    )
    yield Row("a log named by an option", REPORT, (0,), "2026", log(lambda: packed(lines()), "--help.jsonl.gz"))


def _linked(place: Place) -> None:
    shutil.move(place.runs / f"{GOOD[0]}.jsonl.gz", place.outside / "log.gz")
    (place.runs / f"{GOOD[0]}.jsonl.gz").symlink_to(place.outside / "log.gz")
    (place.outside / "beside.html").write_bytes(SENTINEL)


ROWS = [*_called(), *_heads(), *_fields(), *_cells(), *_whole(), *_places()]
