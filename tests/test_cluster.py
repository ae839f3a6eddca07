"""A cluster: the same outcome as on this machine, also where a machine is lost, and a sentence where there is none."""

from __future__ import annotations

import json
import queue
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace

import pytest

from harness.errors import InfrastructureError
from harness.execute.pool import Pool
from harness.execute.selection import Selection
from harness.measure.verdict import Verdict
from harness.record.events import CellFinished
from harness.record.runlog import encode
from tests.command_line import ask, surroundings
from tests.quality import kills

distributed = pytest.importorskip("distributed")

QUICK = (
    "--dtype",
    "float32",
    "--dtype",
    "float64",
    "--profile",
    "quick",
    "--examples",
    "4",
    "--cell-time",
    "10m",
    "-k",
    "agreement or layouts",
)

MINE = """
import os, pathlib, psutil, torch
from harness.operations.contraction import dot_axes
from harness.operations.linear import linear

@linear.implementation
def sound(x, W, b):
    return torch.nn.functional.linear(x, W, b)

@linear.implementation
def wrong(x, W, b):
    return torch.nn.functional.linear(x, W, b) + 1

@linear.implementation
def crashes(x, W, b):
    os._exit(3)

@dot_axes.implementation
def loses_its_machine(a, b, first_of_a, first_of_b):
    marker = pathlib.Path({marker!r})
    if marker.name and not marker.exists():
        marker.touch()
        psutil.Process().parents()[1].kill()
    return (a.mT if first_of_a else a) @ (b if first_of_b else b.mT)
"""


@pytest.fixture(scope="module")
def cluster():
    """A scheduler and two worker processes on this machine."""
    with pytest.MonkeyPatch.context() as patched:
        for name, value in surroundings().items():
            patched.setenv(name, value)
        with distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, memory_limit=None
        ) as made:
            yield made


def told(answer):
    return {each.key: (each.verdict, each.tally, each.met) for each in answer.cells}


def test_the_outcome_is_that_of_a_run_here_although_a_machine_is_lost(cluster, tmp_path):
    for place in ("here", "there"):
        (tmp_path / place).mkdir()
    (tmp_path / "here" / "mine.py").write_text(MINE.format(marker=""))
    here = ask(tmp_path / "here", "check", "mine.py", *QUICK, "--json")
    marker = tmp_path / "marker"
    (tmp_path / "there" / "mine.py").write_text(MINE.format(marker=str(marker)))
    there = ask(tmp_path / "there", "check", "mine.py", *QUICK, "--cluster", cluster.scheduler_address, "--json")
    assert marker.exists(), "no machine was lost"
    assert told(there).keys() == told(here).keys()
    apart = {key for key, found in told(there).items() if found != told(here)[key]}
    # here it is spared, once it has ended two workers; there nobody counts over all machines
    assert all("crashes" in key and told(there)[key][0] == "error" for key in apart)
    assert (there.code, there.summary["planned"]) == (here.code, here.summary["planned"]) == (1, len(there.cells))
    (crashed, *_) = (each for each in there.of("crashes") if each.verdict == "error")
    assert crashed.reason.startswith("mine.py: crashes: ended the process with exit status 3")
    scripts = [
        {each.key: each.counterexample.script for each in answer.cells if each.verdict == "wrong"}
        for answer in (here, there)
    ]
    assert scripts[0] and scripts[0] == scripts[1]


def test_a_scheduler_file_names_it_as_well(cluster, tmp_path):
    file = tmp_path / "scheduler.json"
    told = cluster.scheduler.identity()
    file.write_text(json.dumps({key: told[key] for key in ("type", "id", "address")}))
    answer = ask(tmp_path, "run", "linear", *QUICK[:2], *QUICK[4:], "--cluster", str(file))
    assert answer.code == 0, answer.out + answer.err


@pytest.mark.parametrize("statuses", [("pending", "finished"), ("finished", "lost")])
def test_a_task_that_ends_or_is_lost_while_others_are_read_is_told_whole(statuses, monkeypatch):
    """What ends after its results were asked for is read the next time, and what has ended is read, though its machine be lost."""
    from harness.execute import cluster as module

    monkeypatch.setattr(module, "_PAUSE", 0)
    cell = CellFinished("agreement", "linear", "einsum", "torch", "cpu", "float32", Verdict.ROUNDING)

    class Changing:
        """It has another status when it is looked at for the second time."""

        looked = 0

        @property
        def status(self):
            self.looked += 1
            return statuses[min(self.looked, len(statuses)) - 1]

        def result(self):
            return [encode(cell)]

        def exception(self):
            return None

    asked = module.Cluster("", Pool(Selection()))
    asked._client = SimpleNamespace(nthreads=lambda: {"there": 1}, status="running")
    monkeypatch.setattr(module.Cluster, "_submitted", lambda *_: Changing())
    assert list(asked._answers([cell.key], queue.SimpleQueue())) == [cell]


def test_a_selection_that_is_refused_there_is_refused_here(cluster, tmp_path):
    answer = ask(tmp_path, "run", "linear", "-k", "nothing_like_it", "--cluster", cluster.scheduler_address)
    assert answer.code == 3 and "no cell matches" in answer.err


def test_other_code_is_refused(cluster, tmp_path, monkeypatch):
    from harness.errors import HarnessError
    from harness.execute import cluster as module

    monkeypatch.setattr("torch.__version__", "0.1")
    with (
        pytest.raises(HarnessError, match=r"has PyTorch .*, and here it is 0\.1; install the same there"),
        module.Cluster(cluster.scheduler_address, Pool(Selection())).connected(),
    ):
        pass


def test_where_nobody_answers(tmp_path, monkeypatch):
    from harness.errors import InfrastructureError
    from harness.execute import cluster as module

    monkeypatch.setattr(module, "_CONNECTING_SECONDS", 0.5)
    with (
        pytest.raises(InfrastructureError, match=r"no scheduler answers at tcp://127\.0\.0\.1:9: "),
        module.Cluster("tcp://127.0.0.1:9", Pool(Selection())).connected(),
    ):
        pass


def test_a_worker_that_ends_before_it_has_found_any_cell_is_told_with_its_reason(tmp_path):
    (tmp_path / "mine.py").write_text("import os\nos._exit(3)\n")
    told = r"3 workers ended before they asked anything: ended the process with exit status 3"
    with (
        pytest.raises(InfrastructureError, match=told),
        Pool(Selection(candidates=str(tmp_path / "mine.py"))).opened() as pool,
    ):
        pool.cells()


ENDING = """
import os, pathlib, signal, torch
from harness.operations.linear import linear

def end_the_scheduler():
    file = pathlib.Path({file!r})
    if file.exists():
        os.kill(int(file.read_text()), signal.SIGKILL)
        file.unlink()

if {when!r} == "cells are listed" and pathlib.Path(__file__).parent != pathlib.Path({file!r}).parent:
    end_the_scheduler()

@linear.implementation
def ends_the_scheduler(x, W, b):
    end_the_scheduler()
    return torch.nn.functional.linear(x, W, b)
"""


@pytest.mark.parametrize("when", ["cells are listed", "cells are asked"])
def test_a_scheduler_that_is_gone_ends_the_run_in_a_sentence(tmp_path, when):
    file = tmp_path / "pid"
    (tmp_path / "mine.py").write_text(ENDING.format(file=str(file), when=when))
    with TemporaryDirectory() as place, kills.cluster(Path(place)) as (scheduler, address):
        file.write_text(str(scheduler.pid))
        answer = ask(tmp_path, "check", "mine.py", *QUICK, "--cluster", address, TMPDIR=str(tmp_path))
    assert not file.exists()
    assert answer.code == 3
    assert "is gone" in answer.out + answer.err
    assert not [*tmp_path.glob("harness-fault*")], "it is no fault of the harness"
