"""Isolation: an implementation that ends its worker costs its own cell, and nothing is lost or counted twice."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import pytest

from harness.errors import InfrastructureError
from harness.execute import watchdog
from harness.execute.pool import Pool
from harness.execute.queue import Queue
from harness.execute.selection import Selection
from harness.execute.watchdog import CrashCounts, crash_reason, doer
from harness.execute.worker import CELLS as CELLS_ARE
from harness.record.events import CellFinished
from harness.record.runlog import decode
from tests.command_line import CANDIDATES, SECONDS, Answer, ask, command_server, surroundings

FLOAT32 = ("--dtype", "float32", "--device", "cpu", "--examples", "4", "--profile", "quick")


@pytest.fixture(scope="module")
def deadly(tmp_path_factory) -> Answer:
    folder = tmp_path_factory.mktemp("deadly")
    return ask(folder, "check", str(CANDIDATES / "deadly.py"), *FLOAT32, "-k", "agreement", "--limit", "10s", "--json")


@pytest.mark.parametrize(
    ("implementation", "words"),
    [
        ("segfaults", "crashed the interpreter: Segmentation fault at deadly.py, line 19, segfaults"),
        ("leaves", "ended the process with exit status 7 (os._exit, exit in a library, or its files closed)"),
        ("gets_killed", "was ended by SIGKILL; the system does that when memory runs out"),
        ("hangs", "did not return within 10 s and was stopped at deadly.py, line "),
    ],
)
def test_the_end_of_a_worker_is_an_error_with_its_reason(deadly, implementation, words):
    (cell,) = (cell for cell in deadly.of(implementation) if cell.prop == "agreement")
    assert (cell.verdict, cell.backend, cell.place) == ("error", "torch", f"deadly.py: {implementation}")
    assert cell.reason.startswith(f"deadly.py: {implementation}: {words}")


def test_nothing_else_is_touched(deadly):
    assert {cell.prop: cell.verdict for cell in deadly.of("sound")}["agreement"] in ("exact", "rounding")


def test_nothing_is_lost_and_nothing_counted_twice(deadly):
    asked = Counter(cell.key for cell in deadly.cells)
    assert len(asked) == deadly.summary["planned"]
    assert set(asked.values()) == {1}
    assert sum(deadly.finished.tally.values()) == len(asked)
    assert deadly.code == deadly.finished.exit_code == deadly.summary["exit_code"] == 1
    assert deadly.finished.stopped == ""


def test_an_implementation_that_ends_every_worker_is_asked_twice_only(tmp_path):
    chosen = "(segfaults or sound) and (agreement or batch or layouts)"
    answer = ask(tmp_path, "check", str(CANDIDATES / "deadly.py"), *FLOAT32, "-k", chosen)
    died = [cell for cell in answer.of("segfaults") if cell.reason.endswith("segfaults")]
    spared = [cell for cell in answer.of("segfaults") if "not asked here" in cell.reason]
    assert len(died) == 2
    assert len(spared) >= 4
    assert spared[0].reason.endswith("segfaults; not asked here, since it has already ended 2 workers")
    assert {cell.verdict for cell in died} == {"error"}
    assert {cell.verdict for cell in spared} == {"unsupported"}
    assert all(" child" in cell.counterexample.script or '"child"' in cell.counterexample.script for cell in died)
    assert len({cell.kind for cell in died}) == 1
    assert not any(cell.verdict in ("error", "wrong") for cell in answer.of("sound"))
    assert len(answer.of("segfaults")) == len(answer.of("sound"))


def test_modules_beside_a_candidate_are_found_at_import_and_later(tmp_path):
    answer = ask(tmp_path, "check", str(CANDIDATES / "beside" / "with_neighbour.py"), *FLOAT32, "-k", "agreement")
    assert answer.code == 0, answer


# a controller with other orders than the command gives, in a process of its own

_CONDUCT = """
import json, sys
from pathlib import Path
from harness.execute.controller import Controller
from harness.execute.selection import Selection
from harness.record.runlog import encode

orders = json.loads(sys.argv[1])
told = []
selection = Selection(dtypes=("float32",), devices=("cpu",), examples=6, candidates=orders["candidates"])
controller = Controller(selection, limit=30.0, memory=orders.get("memory"), listeners=[told.append])
finished = controller.run(1, orders["keyword"])
lines = [encode(event) for event in told]
print(json.dumps({"lines": lines, "finished": encode(finished), "planned": controller.planned}))
"""


def conduct(**orders):
    done = command_server().run(["-c", _CONDUCT, json.dumps(orders)], Path.cwd(), surroundings(), SECONDS)
    assert (done.returncode, done.stderr) == (0, "")
    told = json.loads(done.stdout)
    return [decode(line) for line in told["lines"]], decode(told["finished"]), told["planned"]


def test_memory_that_is_kept_harms_nobody_else():
    hoarding = str(CANDIDATES / "hoarding.py")
    cells, finished, planned = conduct(candidates=hoarding, keyword="agreement or result_dtype", memory=2**30)
    assert len(cells) == len({cell.key for cell in cells}) == planned
    verdicts = {(cell.implementation, cell.prop): cell for cell in cells}
    assert verdicts["hoards", "agreement"].verdict == "error"
    assert "hoarding.py: hoards: it ran out of memory in line " in verdicts["hoards", "agreement"].reason
    assert all(cell.verdict != "error" for cell in cells if cell.implementation == "sound")
    assert finished.exit_code == 1


_KEEPING = """
import os
from pathlib import Path
import torch
from harness.operations.linear import linear

_kept = []

@linear.implementation
def keeps(x, W, b):
    if not _kept:
        _kept.append(torch.ones({kept} << 18))
    with Path({asked!r}).open("a") as asked:
        asked.write(f"{{x.dtype}} {{os.getpid()}}\\n")
    return torch.nn.functional.linear(x, W, b)
"""


@pytest.mark.parametrize(("kept", "workers"), [(1400, 2), (100, 1)], ids=["MiB: too much", "MiB: not enough to matter"])
def test_what_is_kept_of_one_group_of_cells_is_left_behind_with_its_worker(tmp_path, kept, workers):
    candidate, asked = tmp_path / "keeping.py", tmp_path / "asked"
    candidate.write_text(_KEEPING.format(kept=kept, asked=str(asked)))
    dtypes = ("--dtype", "float32", "--dtype", "float64")
    answer = ask(
        tmp_path, "check", str(candidate), *dtypes, "--examples", "4", "--jobs", "1", "-k", "agreement or batch"
    )
    assert answer.code == 0, answer
    by = {tuple(line.split()) for line in asked.read_text().splitlines()}
    assert {dtype for dtype, _ in by} == {"torch.float32", "torch.float64"}
    assert len(by) == 2  # all cells of a dtype by one worker
    assert len({worker for _, worker in by}) == workers


def test_a_property_that_raises_convicts_nobody(tmp_path):
    broken = tmp_path / "broken.py"
    broken.write_text(
        "import harness\n"
        f"{(CANDIDATES / 'float32_alone.py').read_text()}"
        "@harness.property(of=linear)\n"
        "def broken(implementation, case):\n"
        '    """It is written badly."""\n'
        "    yield implementation(case).no_such_thing\n"
    )
    cells, finished, planned = conduct(candidates=str(broken), keyword="broken")
    assert len(cells) == planned == 1
    assert cells[0].kind == "unjudged"
    assert "broken could not judge what it gave: AttributeError" in cells[0].reason
    assert "(broken.py, line 15); attach " in cells[0].reason
    assert cells[0].verdict == "unsupported"
    assert finished.exit_code == 3


def test_memory_that_judging_takes_convicts_nobody(tmp_path):
    large = tmp_path / "large.py"
    large.write_text(
        "import harness\n"
        "import numpy as np\n"
        f"{(CANDIDATES / 'float32_alone.py').read_text()}"
        "@harness.property(of=linear)\n"
        "def large(implementation, case):\n"
        '    """It compares more than a worker may hold."""\n'
        "    implementation(case)\n"
        "    yield np.ones(2**30)\n"
    )
    cells, finished, planned = conduct(candidates=str(large), keyword="large", memory=2**30)
    assert len(cells) == planned == 1
    assert (cells[0].kind, cells[0].verdict) == ("unjudged", "unsupported")
    assert "large ran out of memory before it could judge what it gave; fewer workers (--jobs)" in cells[0].reason
    assert finished.exit_code == 3


# the queue and the notes, without any process


CELLS = [f"p{n}[{op}/f-cpu-{dtype}]" for op in ("a", "b") for dtype in ("float64", "float32") for n in (1, 2, 3)]


def work(queue: Queue, worker: str, cells: int) -> list[int]:
    """Answer some cells as a worker does, which is told what follows before it has nothing to do."""
    done = []
    for _ in range(cells):
        queue.next(worker)
        cell = queue.first_left(worker)
        queue.answered(worker, cell)
        done.append(CELLS.index(cell))
    return done


def test_cells_that_share_an_oracle_come_in_a_row_and_what_compiles_comes_after_everything_else(monkeypatch):
    """So that one compile does not eat a budget before cheap cells have had their turn."""

    def cell(name, prop, costly=False):
        return SimpleNamespace(
            operation=SimpleNamespace(name=name), device="cpu", dtype="float32", is_costly=costly, key=f"{prop}[{name}]"
        )

    compiled = cell("a", "second", costly=True)
    of = {
        "first": [cell("a", "first"), cell("b", "first")],
        "second": [compiled, cell("a", "second"), cell("b", "second")],
    }
    stated = [SimpleNamespace(name=name, nightly=name == "nightly") for name in ("first", "nightly", "second")]
    monkeypatch.setattr(Selection, "statements", lambda self: stated)
    monkeypatch.setattr(Selection, "cells", lambda self, prop: of.get(prop.name, [cell("a", "nightly")]))
    keys = [each.key for each in Selection().in_order("")]
    assert keys == ["first[a]", "second[a]", "first[b]", "second[b]", "second[a]"]
    assert Selection().in_order("")[-1] is compiled
    assert [each.key for each in Selection().in_order("FIRST and not b")] == ["first[a]"]
    assert [each.key for each in Selection().in_order("nightly")] == ["nightly[a]"]
    assert "nightly[a]" in [each.key for each in Selection(nightly=True).in_order("")]


def test_a_group_stays_with_one_worker():
    queue = Queue(CELLS)
    assert (queue.next("one"), queue.next("other")) == (CELLS[:3], CELLS[3:6])
    assert queue.next("one") == [], "it has enough to do"


def test_all_is_answered_in_order():
    queue = Queue(CELLS)
    assert work(queue, "one", len(CELLS)) == list(range(len(CELLS)))
    assert queue.is_done and not queue.has_waiting


def test_workers_are_needed_as_long_as_there_are_groups():
    queue = Queue(CELLS)
    given = []
    while queue.has_waiting:
        given += queue.next(f"worker{len(given)}")
    assert given == CELLS and not queue.is_done


@pytest.mark.parametrize("answered", range(12))
def test_the_rest_of_a_dead_workers_cells_is_asked_once(answered):
    queue = Queue(CELLS)
    done = work(queue, "one", answered)
    queue.next("one")
    assert queue.first_left("one") == CELLS[answered]
    queue.lost("one", blamed=True)
    done += work(queue, "another", len(CELLS) - answered - 1)
    assert sorted([*done, answered]) == list(range(len(CELLS)))
    assert queue.is_done


def test_a_cell_that_is_not_to_blame_is_asked_again():
    queue = Queue(CELLS)
    work(queue, "one", 4)
    queue.lost("one", blamed=False)
    assert work(queue, "another", len(CELLS) - 4) == list(range(4, len(CELLS)))


def test_one_worker_takes_over_from_another():
    queue = Queue(CELLS)
    queue.next("one")
    assert work(queue, "other", 1) == [3]
    queue.lost("other", blamed=True)
    assert work(queue, "one", 10) == [0, 1, 2, 5, 6, 7, 8, 9, 10, 11]
    assert queue.is_done


def test_different_cells_are_refused():
    pool = Pool(Selection())
    pool._said("one", CELLS_ARE, json.dumps(CELLS))
    pool._said("other", CELLS_ARE, json.dumps(CELLS))
    with pytest.raises(InfrastructureError, match="two workers found different cells"):
        pool._said("third", CELLS_ARE, json.dumps(CELLS[1:]))


def test_deaths_are_remembered(tmp_path):
    assert CrashCounts(tmp_path).of("linear/f") == []
    CrashCounts(tmp_path).add("linear/f", "one")
    CrashCounts(tmp_path).add("linear/f", "two")
    CrashCounts(tmp_path).add("linear/g", "three")
    assert CrashCounts(tmp_path).of("linear/f") == ["one", "two"]


@pytest.mark.parametrize(
    ("fault", "noise", "status", "words"),
    [
        ("", "", 3, "ended the process with exit status 3 (os._exit, exit in a library, or its files closed)"),
        ("", "", -15, "was ended by SIGTERM"),
        ("", "", None, "exited without an error message (killed, out of memory, or os._exit)"),
        ("", "malloc: oops\n", -6, "was ended by SIGABRT (malloc: oops)"),
        (
            "Fatal Python error: Aborted\n\nCurrent thread 0x1 (most recent call first):\n"
            '  File "/x/site-packages/t.py", line 1 in deep\n  File "/x/mine.py", line 7 in f\n',
            "terminate called\n",
            -6,
            "crashed the interpreter: Aborted at mine.py, line 7, f (terminate called)",
        ),
        (
            'Timeout (0:00:09)!\nThread 0x1 (most recent call first):\n  File "<string>", line 1 in g\n',
            "",
            1,
            "did not return within 9 s and was stopped",
        ),
    ],
)
def test_last_words(tmp_path, fault, noise, status, words):
    (tmp_path / "worker0.fault").write_text(fault)
    (tmp_path / "worker0.noise").write_text(noise)
    assert crash_reason(tmp_path, "worker0", 9.0, status) == words


TREE = """
import torch, harness
import numpy as np
from typing import Annotated
from jaxtyping import Float, Int
from torch import Tensor

def rooted(stream):
    return np.maximum(stream.integers(0, 2**30) % np.maximum(np.arange(stream.shape[0]), 1), 0)

@harness.operation
def ancestors(x: Float[Tensor, "nodes d"], parent: Annotated[Int[Tensor, "nodes"], rooted]) -> Float[Tensor, "nodes d"]:
    made, above = [], PARENTS
    for node in range(len(x)):
        steps, first = 1, node
        while node > 0:
            node, steps = int(above[node]), steps + 1
        made.append(steps * x[first] + x[node])
    return torch.stack(made) if made else x

@ancestors.implementation
def wrong(x, parent):
    return ancestors.definition(x, parent) + (1e3 * x).sin()
"""


def walked(folder, parents):
    """What is said of a wrong sum where a parent that is its own makes the definition walk for ever, as a theory has it."""
    file = folder / "tree.py"
    file.write_text(TREE.replace("PARENTS", parents))
    answer = ask(folder, "check", str(file), *FLOAT32, "-k", "agreement", "--limit", "2s", "--json")
    (cell,) = (cell for cell in answer.of("wrong") if cell.prop == "agreement")
    assert cell.verdict == "wrong" and cell.counterexample.source
    return cell


def test_what_was_found_is_kept_where_explaining_it_never_ends(tmp_path):
    cell = walked(tmp_path, "parent.tolist()")
    assert cell.counterexample.diagnosis is None
    assert "explaining it took too long and was stopped" in cell.reason


def test_a_theory_that_calls_operators_for_ever_is_given_up_and_others_are_asked(tmp_path):
    cell = walked(tmp_path, "parent")
    assert cell.counterexample.diagnosis is not None
    assert "took too long" not in cell.reason


@pytest.mark.parametrize(
    ("caller", "blamed"),
    [
        ("verify/subject.py", "mine.py: wrong"),
        ("measure/reference.py", "the definition of tree"),
        ("explain/neighbourhood.py", "the harness"),
    ],
)
def test_who_was_stopped_is_told_by_who_called_it(tmp_path, caller, blamed):
    ours = Path(watchdog.__file__).parents[1]
    stack = [("/home/mine.py", "inside"), (ours / caller, "calling"), (ours / "verify/exploration.py", "explore")]
    told = "\n".join(f'  File "{file}", line 3 in {function}' for file, function in stack)
    (tmp_path / "worker0.fault").write_text(f"Timeout (0:00:02)!\nThread 0x01 (most recent call first):\n{told}\n")
    cell = CellFinished("agreement", "tree", "wrong", "torch", "cpu", "float32", "error", place="mine.py: wrong")
    assert doer(tmp_path, "worker0", cell) == blamed


GARBAGE = """
import os, torch
from harness.operations.linear import linear

@linear.implementation
def innocent(x, W, b):
    return torch.nn.functional.linear(x, W, b)

@linear.implementation
def talkative(x, W, b):
    for each in os.listdir("/proc/self/fd"):
        try:
            os.set_blocking(int(each), False)
            os.write(int(each), {written})
        except OSError:
            pass
    return torch.nn.functional.linear(x, W, b)
"""


@pytest.mark.parametrize("written", [r"b'\x00\x00\x00\x09event {{}}' * 3", r"b'\xff\xff\xff\x7f{{garbage}}\n' * 40"])
def test_what_writes_into_the_files_of_its_worker_costs_itself_a_verdict(tmp_path, written):
    (tmp_path / "mine.py").write_text(GARBAGE.format(written=written.replace("{{", "{").replace("}}", "}")))
    answer = ask(tmp_path, "check", "mine.py", *FLOAT32, "-k", "agreement", "--jobs", "1", "--limit", "10s")
    verdicts = {cell.implementation: cell.verdict for cell in answer.cells}
    assert answer.code == 1, answer
    assert verdicts["talkative"] == "error"
    assert verdicts["innocent"] in ("exact", "rounding")
