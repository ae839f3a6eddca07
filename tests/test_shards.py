"""Shards: every cell in one of them, about as much in each, and one run of all."""

from __future__ import annotations

import gzip
from collections import Counter
from dataclasses import replace
from types import SimpleNamespace

import pytest

from harness.errors import HarnessError
from harness.execute.shard import Shard, group_of, pieces
from harness.record.events import CellFinished
from harness.record.runlog import read
from harness.verify.cell_key import CellKey
from tests.command_line import ask
from tests.quality.scaling import makespan, simulated

LITTLE = ("run", "linear", "dot_axes", "--dtype", "float32", "--dtype", "float64", "-k", "agreement", "--examples", "4")
"""Two operations in two dtypes: four groups of cells."""


def cell(operation, dtype="float32"):
    return SimpleNamespace(operation=SimpleNamespace(name=operation), device="cpu", dtype=dtype)


CELLS = [cell(name) for name in "abcdefghij" for _ in range(3)]


@pytest.mark.parametrize("count", [1, 2, 3, 7, 12])
def test_every_cell_is_in_one_shard_with_the_others_of_its_oracle(count):
    shards = [Shard(number, count).of(CELLS, {}) for number in range(1, count + 1)]
    assert Counter(id(each) for shard in shards for each in shard) == Counter(id(each) for each in CELLS)
    of = {group_of(each): number for number, shard in enumerate(shards) for each in shard}
    assert all(of[group_of(each)] == number for number, shard in enumerate(shards) for each in shard)
    assert max(map(len, shards)) - min(map(len, shards)) <= 3


def test_they_are_balanced_by_what_groups_took_before_and_the_others_by_what_they_should_take():
    took = {group_of(cell(name)): 1.0 for name in "abcdefgh"} | {group_of(cell("i")): 9.0}
    first, second = (Shard(number, 2).of(CELLS, took) for number in (1, 2))
    names = [sorted({each.operation.name for each in shard}) for shard in (first, second)]
    assert names[0] == ["i"] and len(names[1]) == 9  # 9 s, and 8 s with one of which nothing is known


@pytest.mark.parametrize("text", ["0/3", "4/3", "1/0", "3", "a/b", "1/2/3", "-1/2", "1 /2", "1/99999"])
def test_what_is_no_shard_is_refused(text):
    with pytest.raises(HarnessError, match="write its number and how many there are, as in 3/8"):
        Shard.named(text)
    assert str(Shard.named("3/8")) == "3/8"


# as commands


@pytest.fixture(scope="module")
def divided(tmp_path_factory):
    """A whole run, and the logs of the same in two shards that two machines asked."""
    folder = tmp_path_factory.mktemp("divided")
    whole = ask(folder, *LITTLE, "--json")
    logs = []
    for number in (1, 2):
        there = folder / f"machine{number}"
        there.mkdir()
        assert ask(there, *LITTLE, "--shard", f"{number}/2").code == whole.code
        logs += (there / "reports" / "runs").glob("*.jsonl.gz")
    return folder, whole, logs


def verdicts(events):
    return {each.key: (each.verdict, each.tally) for each in events if isinstance(each, CellFinished)}


def test_the_shards_are_one_run_when_they_are_merged(divided):
    folder, whole, logs = divided
    merged = ask(folder, "merge", *map(str, logs), "--reports", "merged", "--junit", "junit.xml", "--json")
    assert merged.code == whole.code
    for name in ("cells", "planned", "sentence", "comparisons"):
        assert merged.summary[name] == whole.summary[name], name
    (log,) = (folder / "merged" / "runs").glob("*.jsonl.gz")
    assert verdicts(read(log).events) == verdicts(whole.events)
    assert all(len(verdicts(read(each).events)) < len(verdicts(whole.events)) for each in logs)
    assert (folder / "merged" / "latest" / "index.html").is_file() and (folder / "junit.xml").is_file()
    again = ask(folder, "compare", "--reports", "merged", "--json")
    assert again.code in (0, 2), again  # there is one run alone to compare


def shown(folder, log):
    """A log as seen from a folder: what a test says may not be in the path."""
    return log if isinstance(log, str) else str(log.relative_to(folder))


@pytest.mark.parametrize(
    ("chosen", "code", "words"),
    [
        (lambda logs, whole: logs[:1], 3, "shard 2/2 is missing; give the logs of all 2"),
        (lambda logs, whole: [*logs, logs[0]], 2, "3 logs are given of 2 shards; give each once"),
        (lambda logs, whole: [logs[0], whole], 2, "is no shard's log"),
        (lambda logs, whole: ["nowhere.jsonl.gz"], 2, "nowhere.jsonl.gz"),
        (
            lambda logs, whole: [logs[0], "headless.jsonl"],
            2,
            "headless.jsonl has 0 beginnings of a run in place of one",
        ),
    ],
)
def test_what_is_no_whole_run_is_refused(divided, chosen, code, words):
    folder, _, logs = divided
    (log,) = (folder / "reports" / "runs").glob("*.jsonl.gz")
    lines = gzip.decompress(logs[1].read_bytes()).splitlines(keepends=True)
    (folder / "headless.jsonl").write_bytes(b"".join(lines[1:]))
    told = ask(folder, "merge", *(shown(folder, each) for each in chosen(logs, log)), "--reports", "refused")
    assert told.code == code and words in told.err, told
    assert not (folder / "refused").exists()


def test_shards_of_different_runs_are_refused(divided):
    folder, _, logs = divided
    other = folder / "other"
    other.mkdir()
    assert ask(other, *LITTLE, "--shard", "2/2", "--seed", "1").code in (0, 1)
    (log,) = (other / "reports" / "runs").glob("*.jsonl.gz")
    told = ask(folder, "merge", shown(folder, logs[0]), shown(folder, log))
    assert told.code == 2 and "are no shards of one run: their seed differs" in told.err


# for a cluster


def keys(operation, count):
    return [f"agreement[{operation}/i{number}-cpu-float32]" for number in range(count)]


LONG, SHORT, LONGEST = keys("long", 8), keys("short", 8), keys("longest", 4)


def test_for_a_cluster_long_groups_come_first_and_are_cut():
    took = {"long-cpu-float32": 8.0, "short-cpu-float32": 1.0, "longest-cpu-float32": 16.0}
    cut = pieces([SHORT, LONG, LONGEST], took, 3)
    assert sorted(key for piece in cut for key in piece) == sorted([*LONG, *SHORT, *LONGEST])
    assert cut == [LONG[:4], LONG[4:], *([key] for key in LONGEST), SHORT]
    assert pieces([SHORT, LONG], took, 1) == [LONG[:4], LONG[4:], SHORT]


def test_for_a_cluster_what_stands_apart_of_a_group_is_asked_as_well():
    """As what compiles does, which is asked last."""
    cut = pieces([LONG[:6], SHORT, LONG[6:]], {"long-cpu-float32": 8.0, "short-cpu-float32": 8.0}, 1)
    assert cut == [LONG, SHORT]


def test_where_nothing_is_known_of_a_group_its_cells_count_as_others_do():
    assert pieces([SHORT, LONGEST], {}, 1) == [SHORT[:4], SHORT[4:], LONGEST]
    assert pieces([SHORT, LONGEST], {"short-cpu-float32": 8.0}, 1) == [SHORT[:4], SHORT[4:], LONGEST]
    assert pieces([], {}, 64) == []


def test_a_simulated_cluster_is_used_up_to_its_longest_cell():
    assert makespan([3.0, 3.0, 2.0, 1.0], 2) == 5.0
    cells = [timed(key, 1.0) for key in (*LONG, *SHORT)]
    assert simulated(cells, 4) == (4.0, 4.0, 1.0)
    cells = [timed(key, 1.0, oracle=0.5) for key in LONG]
    best, worst, _ = simulated(cells, 2)
    assert best == 4.0 < worst


def timed(key, seconds, oracle=0.0):
    return replace(
        CellFinished.unanswered(CellKey.parse(key)), seconds={"implementation": seconds - oracle, "oracle": oracle}
    )
