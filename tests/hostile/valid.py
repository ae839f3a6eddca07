"""A valid folder of reports, and the lines of a valid log, to be spoilt."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable
from copy import deepcopy
from pathlib import Path
from typing import Any

from harness.explain.counterexample import Counterexample
from harness.explain.cutout import Cutout
from harness.explain.diagnosis import Diagnosis
from harness.record.events import (
    CellFinished,
    ClaimListed,
    Event,
    FindingListed,
    ImplementationListed,
    RunFinished,
    RunStarted,
    Scope,
    TimingFinished,
)
from harness.record.runlog import encode

GOOD = ("20261101-000000-abcdef", "20261102-000000-abcdef")
"""The runs that lie in every place. What the first says the second says too."""

BAD = "20261103-000000-abcdef"
"""The latest run by its name, whose log is the input."""

ENVIRONMENT = {"python": "3.11", "cpu": "a processor", "packages": {"torch": "2.13.0"}, "revision": "aaaaaaa"}
CASE = {"operation": "linear", "sizes": {"batch": 2, "inputs": 3, "outputs": 1}, "options": {}, "dtype": "float32"}

CELL = CellFinished(
    *("agreement", "linear", "fused", "torch", "cpu", "float32", "wrong"),
    tally={"rounding": 9, "wrong": 1},
    comparisons=10,
    score_median=1.0,
    score_max=1e6,
    score_high=2.0,
    allowance=32.0,
    reason="off by 1e6 ×",
    kind="off",
    place="mine.py: fused",
    seconds={"oracle": 0.5},
    met=3,
    planned=10,
    printed=5,
    pairs=[1, 2],
    triples=[1, 3],
    sizes={"batch": [1, 2]},
    disagreement={"definition": 2.0},
    counterexample=Counterexample(
        CASE,
        "batch=2",
        "x = torch.tensor([1.5])",
        "off by 1e6 ×",
        "1.5",
        "1.25",
        1,
        Diagnosis("b is missing", "in 9 of 9 cases", "missing", "inputs ≥ 3", True),
        "print(1)",
        [Cutout("x", [2, 3], [[1.0, 2.0]], 1, 1)],
        [Cutout("expected", [1], [[1.5]])],
    ),
    outdated=["one can't be tried"],
)
EVENTS: dict[str, Event] = {
    "RunStarted": RunStarted(
        BAD, "2026-11-03T00:00:00+00:00", ["harness", "run"], 0, ENVIRONMENT, scope=Scope(profile="quick")
    ),
    "ImplementationListed": ImplementationListed(
        "linear", "gone", "jax", ["float32"], "mine.py", "no jax", "mine.py", 3
    ),
    "ClaimListed": ClaimListed("linear.it", "S1", "It holds.", "holds", "it does not", ["linear"], ["agreement"]),
    "FindingListed": FindingListed(
        "linear", "fused", "wrong", "theirs", "a#1", "2027-01-01", ["agreement"], ["float32"], ["cpu"], True
    ),
    "CellFinished": CELL,
    "TimingFinished": TimingFinished(
        *("linear", "fused", "cpu", "float32", {"batch": 64}, {"bias": True}, ["batch"], "rounding"),
        reason="",
        blocks=[[0.001, 0.0011], [0.001]],
        against="definition",
        ratio=0.5,
        low=0.4,
        high=0.6,
        speed="faster",
        aa_test="same",
        memory=100,
        roofline=0.1,
        bound="cache",
        clock=1000,
        throttled=1,
    ),
    "RunFinished": RunFinished({"wrong": 1, "rounding": 1}, 12.0, 1, "the budget is spent"),
}
"""One event of every kind, every field of it other than what is taken where it is missing."""


def line(name: str) -> dict[str, Any]:
    """An event as its line in a log has it."""
    return json.loads(encode(EVENTS[name]))


def lines() -> list[dict[str, Any]]:
    """A whole run."""
    return [line(name) for name in EVENTS if name != "TimingFinished"]


def changed(told: dict[str, Any], *path: Any, to: Any) -> dict[str, Any]:
    """The line with another value at a path; a key that is not there is added."""
    made = deepcopy(told)
    inner: Any = made
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = to
    return made


def without(told: dict[str, Any], *path: Any) -> dict[str, Any]:
    """The line without what is at a path, if there is anything."""
    made = deepcopy(told)
    inner: Any = made
    for key in path[:-1]:
        inner = inner[key]
    inner.pop(path[-1], None)
    return made


MILLION = "a million keys"
"""Stands for an object of so many keys, each a list."""


def text(told: Iterable[Any]) -> bytes:
    """Lines of JSON; a string is a line as it is."""
    return b"".join(_line(each).encode("utf-8", "surrogatepass") + b"\n" for each in told)


def _line(told: Any) -> str:
    written = told if isinstance(told, str) else json.dumps(told)
    if MILLION in written:
        many = ", ".join(f'"{number}": [{number}]' for number in range(1_000_000))
        written = written.replace(json.dumps(MILLION), f"{{{many}}}")
    return written


def packed(told: Iterable[Any]) -> bytes:
    """A log."""
    return gzip.compress(text(told), 1)


def make_reports(reports: Path) -> None:
    """Two runs that found the same, of which there is no chart to draw, since that takes long."""
    (reports / "runs").mkdir(parents=True)
    for day, name in enumerate(GOOD, 1):
        run = lines()
        run[0] = {**run[0], "run": name, "when": f"2026-11-{day:02}T00:00:00+00:00"}
        good = changed(without(line("CellFinished"), "counterexample"), "verdict", to="rounding")
        run = [{**each, "prop": "gradients"} if "prop" in each else each for each in (*run[:-1], good, run[-1])]
        run[-2]["implementation"] = "other"
        (reports / "runs" / f"{name}.jsonl.gz").write_bytes(packed(run))
