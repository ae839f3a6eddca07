"""Resuming: what a run left open is asked, nothing twice, and the outcome is that of a run that nobody disturbed."""

from __future__ import annotations

import json

import pytest

from harness.record.events import CellFinished, RunFinished, RunStarted
from harness.record.runlog import read
from tests.command_line import ask

QUICK = ("--dtype", "float32", "--profile", "quick", "--examples", "4", "--jobs", "1", "--threads", "1")

MINE = """
import pathlib, psutil, signal, time, torch
from harness.operations.linear import linear
from harness.record.events import CellFinished
from harness.record.runlog import read

def answered():
    logs = pathlib.Path("reports", "runs").glob("*.jsonl.gz")
    return any(isinstance(event, CellFinished) for log in logs for event in read(log).events)

@linear.implementation
def sound(x, W, b):
    return torch.nn.functional.linear(x, W, b)

@linear.implementation
def harmful(x, W, b):
    if not pathlib.Path({marker!r}).exists():
        pathlib.Path({marker!r}).touch()
        while not answered():  # the cell before this one has been sent, but perhaps not been written yet
            time.sleep(0.01)
        psutil.Process().parents()[1].send_signal(signal.{signal})
        signal.pause()
    return torch.nn.functional.linear(x, W, b) + 1
"""


def cells(folder):
    (log,) = (folder / "reports" / "runs").glob("*.jsonl.gz")
    return [event for event in read(log).events if isinstance(event, CellFinished)]


def told(found):
    return {each.key: (each.verdict, each.tally, each.reason) for each in found}


@pytest.fixture(scope="module", params=["SIGKILL", "SIGINT"])
def disturbed(request, tmp_path_factory):
    """A run that somebody ended, the same one resumed, and one that nobody disturbed."""
    folder = tmp_path_factory.mktemp("disturbed")
    marker = folder / "marker"
    (folder / "mine.py").write_text(MINE.format(marker=str(marker), signal=request.param))
    ended = ask(folder, "check", "mine.py", *QUICK)
    before = cells(folder)
    resumed = ask(folder, "run", "--resume", "--json")
    undisturbed = folder / "undisturbed"
    undisturbed.mkdir()
    (undisturbed / "mine.py").write_text((folder / "mine.py").read_text())
    whole = ask(undisturbed, "check", "mine.py", *QUICK, "--json")
    return folder, ended, before, resumed, undisturbed, whole


def test_the_outcome_is_that_of_a_run_that_nobody_disturbed(disturbed):
    folder, ended, before, resumed, undisturbed, whole = disturbed
    assert ended.code in (-9, 130) and 0 < len(before) < len(cells(undisturbed))
    assert resumed.code == whole.code == 1
    assert told(cells(folder)) == told(cells(undisturbed))
    assert (resumed.summary["planned"], resumed.summary["cells"]) == (whole.summary["planned"], whole.summary["cells"])
    assert resumed.summary["stopped"] == ""


def test_nothing_is_asked_twice_and_nothing_lost(disturbed):
    folder, _, before, resumed, _, _ = disturbed
    found = cells(folder)
    assert len(found) == len({each.key for each in found}) == resumed.summary["planned"]
    assert found[: len(before)] == before


def test_it_is_one_run_with_one_end(disturbed):
    folder, _, _, resumed, _, _ = disturbed
    (log,) = (folder / "reports" / "runs").iterdir()
    events = read(log).events
    assert sum(isinstance(event, RunStarted) for event in events) == 1
    assert sum(isinstance(event, RunFinished) for event in events) == 1
    assert resumed.summary["log"] == str(log.relative_to(folder))
    over = ask(folder, "run", "--resume")
    assert over.code == 2 and "was left unfinished" in over.err
    named = ask(folder, "run", "--resume", log.name.partition(".")[0])
    assert named.code == 2 and "came to its end; there is nothing to resume" in named.err


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--dtype", "float64"), "leave out --dtype"),
        (("--seed", "0"), "leave out --seed"),
        (("linear",), "leave out operations"),
    ],
)
def test_what_a_run_has_said_is_not_said_again(tmp_path, words, why):
    answer = ask(tmp_path, "run", "--resume", "20260101", *words)
    assert answer.code == 2 and why in answer.err


def test_what_does_not_begin_alike_does_not_go_on(tmp_path):
    (tmp_path / "mine.py").write_text(MINE.format(marker=str(tmp_path / "marker"), signal="SIGKILL"))
    assert ask(tmp_path, "check", "mine.py", *QUICK).code == -9
    before = cells(tmp_path)
    answer = ask(tmp_path, "run", "--resume", ATEN_CPU_CAPABILITY="default")
    assert answer.code == 2 and "its choice of kernels was" in answer.err
    with (tmp_path / "mine.py").open("a") as file:
        file.write("# another file now\n")
    answer = ask(tmp_path, "run", "--resume")
    assert answer.code == 2 and "which has other content now" in answer.err
    assert cells(tmp_path) == before


BEGUN = {
    "event": "RunStarted",
    "run": "20261129-120000-abcdef",
    "when": "2026-11-29T12:00:00+00:00",
    "command": ["harness", "run", "linear"],
    "seed": 0,
    "environment": {"threads": 1},
    "scope": {"operations": ["linear"], "profile": "quick"},
}


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"scope": {"profile": "../../x"}}, "no run has the profile that its log says"),
        ({"scope": {"profile": ""}}, "no run has the profile that its log says"),
        ({"scope": {"profile": "quick", "only": [["agreement"]]}}, "no run has the only that its log says"),
        ({"scope": {"profile": "quick", "examples": 2**53}}, "no run has the examples that its log says"),
        ({"scope": {"profile": "quick", "cell_seconds": 1e12}}, "no run has the cell_seconds that its log says"),
        ({"scope": {"profile": "quick", "dtypes": ["x"]}}, "dtype 'x' is unknown"),
        ({"scope": {"profile": "quick", "shard": "0/0"}}, "is no shard"),
        ({"environment": {"threads": 5000}}, "no run has the threads that its log says"),
        ({"seed": -1}, "no run has the seed that its log says"),
        ({"candidates": "../evil.py"}, "is not below the current folder; put it there as it was"),
        ({"candidates": "a/" * 3000 + "m.py"}, "is not here; put it there as it was"),
    ],
)
def test_what_no_run_can_have_begun_with_is_refused(tmp_path, changed, words):
    runs = tmp_path / "reports" / "runs"
    runs.mkdir(parents=True)
    (runs / f"{BEGUN['run']}.jsonl").write_text(json.dumps({**BEGUN, **changed}) + "\n")
    answer = ask(tmp_path, "run", "--resume")
    assert answer.code == 2 and words in answer.err, answer
    assert len(answer.err) < 1_000
