"""The history's own speed, measured: `python -m tests.quality.history_speed [RUNS] [CELLS]`.

An index of 30 runs of 100,000 cells, of which 1 % are bad. The last two runs are written as logs and read from them, as
any run is; the older ones are copied in the database from the first of the two, their errors moved, since writing all of
them takes minutes and makes the same rows.
"""

from __future__ import annotations

import itertools
import random
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path

from harness.explain.counterexample import Counterexample
from harness.explain.diagnosis import Diagnosis
from harness.history.history import INDEX, History
from harness.record.events import CellFinished, RunFinished, RunStarted
from harness.record.runlog import RunLog

HERE = {"cpu": "a processor", "packages": {"torch": "2.13.0"}, "platform": "Linux-6.1-x86_64", "revision": "aaaaaaa"}
BAD = 0.01
_PER_OPERATION = {"props": 50, "implementations": 10, "dtypes": 4}


def cells(count: int, seed: int) -> list[CellFinished]:
    """The cells of a run; which of them are bad, and by how much they are off, depends on the seed."""
    draw = random.Random(seed)
    props = ["agreement", *(f"property_{n}" for n in range(1, _PER_OPERATION["props"]))]
    dtypes = ("float64", "float32", "bfloat16", "float16")
    operations = [f"operation_{n}" for n in range(-(-count // (len(props) * 10 * len(dtypes))))]
    named = itertools.product(operations, props, [f"way_{n}" for n in range(10)], dtypes)
    return [_cell(*names, draw) for names in itertools.islice(named, count)]


def _cell(operation: str, prop: str, implementation: str, dtype: str, draw: random.Random) -> CellFinished:
    largest = draw.uniform(0.5, 8)
    good = CellFinished(
        *(prop, operation, implementation, "torch", "cpu", dtype, "rounding"),
        tally={"exact": 3, "rounding": 21},
        comparisons=24,
        score_median=largest / 4,
        score_high=largest / 2,
        score_max=largest,
        allowance=32.0,
        place=f"{operation}.py: {implementation}",
        seconds={"implementation": draw.random(), "oracle": draw.random(), "comparing": draw.random()},
    )
    if draw.random() >= BAD:
        return good
    sentence = f"off by {largest * 1000:.0f} × the noise floor in {dtype}, where rounding explains 32 ×"
    case = {"operation": operation, "sizes": {"batch": 1, "time": 2}, "options": {}, "seed": draw.randrange(10**6)}
    source = "".join(f"argument_{n} = torch.tensor([[{draw.random():.3f}]], dtype=torch.{dtype})\n" for n in range(4))
    diagnosis = Diagnosis(f"weight {draw.randrange(4)} is missing", "in 12 of 12 cases", "missing", True)
    shown = Counterexample(case, "batch=1, time=2", source, sentence, "0.25", "0.75", diagnosis=diagnosis)
    return replace(good, verdict="wrong", score_max=largest * 1000, reason=sentence, counterexample=shown)


def write(reports: Path, day: int, found: list[CellFinished]) -> Path:
    """Put a run down as a log."""
    name = f"202611{day:02}-000000-abcdef"
    log = reports / "runs" / f"{name}.jsonl.gz"
    with RunLog(log) as listener:
        listener(RunStarted(name, f"2026-11-{day:02}T00:00:00+00:00", ["harness", "run"], 0, HERE))
        for each in found:
            listener(each)
        listener(RunFinished({}, 1.0, 0))
    return log


def copy(reports: Path, day: int) -> None:
    """Put the first run that was read into the index once more, as that of an earlier day, its errors moved.

    Its log is an empty file, so that the index finds what it expects.
    """
    name = f"202611{day:02}-000000-abcdef"
    log = reports / "runs" / f"{name}.jsonl.gz"
    log.touch()
    with closing(sqlite3.connect(reports / INDEX, isolation_level=None)) as base:
        base.execute("BEGIN IMMEDIATE")
        started = f"json_set(started, '$.run', '{name}', '$.when', '2026-11-{day:02}T00:00:00+00:00')"
        base.execute(
            "INSERT INTO runs (name, log, bytes, at, segment, candidates, complaint, started, finished, unavailable)"
            f" SELECT ?, ?, 0, ?, segment, candidates, complaint, {started}, finished, unavailable"
            " FROM runs WHERE id = 1",
            [name, str(log), f"2026-11-{day:02}T00:00:00+00:00"],
        )
        (run,) = base.execute("SELECT max(id) FROM runs").fetchone()
        columns = "operation, implementation, verdict, fault, known, sentence, diagnosis, counterexample, shown"
        base.execute(f"INSERT INTO faults (run, {columns}) SELECT ?, {columns} FROM faults WHERE run = 1", [run])
        base.execute(
            "INSERT INTO cells SELECT ?, key, verdict, median * ?, high, largest, allowance, cases,"
            " fault + (SELECT min(id) FROM faults WHERE run = ?) - 1, reason FROM cells WHERE run = 1",
            [run, 1 + day / 100, run],
        )
        base.execute("COMMIT")


def timed(work: Callable[[], object], rounds: int = 1) -> str:
    """The median of the seconds that it takes, and how many of them this process computed."""
    walls, computed = [], []
    for _ in range(rounds):
        began, used = time.perf_counter(), time.process_time()
        work()
        walls.append(time.perf_counter() - began)
        computed.append(time.process_time() - used)
    return f"{_seconds(statistics.median(walls))}, computing for {_seconds(statistics.median(computed))}"


def _seconds(value: float) -> str:
    return f"{value:.2f} s" if value >= 1 else f"{value * 1e3:.1f} ms"


def main(runs: int = 30, count: int = 100_000) -> int:
    """Print the figures; the exit code is 0 whatever they are, since a figure is no test."""
    with tempfile.TemporaryDirectory() as folder:
        reports = Path(folder)
        found = cells(count, 1)
        print(f"a run of {count:,} cells written: {timed(lambda: write(reports, 29, found))}")
        log = next((reports / "runs").iterdir())
        print(f"its log: {log.stat().st_size / 1e6:.1f} MB")
        print(f"read into the index: {timed(lambda: _opened(reports))}")
        for day in range(1, runs - 1):
            copy(reports, day)
        write(reports, 30, cells(count, 2))
        print(f"another one beside {runs - 1}: {timed(lambda: _opened(reports))}")
        size = sum(file.stat().st_size for file in reports.glob(f"{INDEX}*"))
        print(f"index of {runs} runs, {runs * count:,} records: {size / 1e6:.0f} MB")
        print(f"opened: {timed(lambda: _opened(reports), 5)}")
        _questions(reports, count)
    return 0


def _opened(reports: Path) -> None:
    assert not History.ask(reports, lambda history: history.complaints)


def _questions(reports: Path, count: int) -> None:
    History.ask(reports, partial(_asked, count))


def _asked(count: int, history: History) -> None:
    draw = random.Random(0)
    index, (latest, before, *_) = history.index, history.runs
    print(f"one series: {timed(lambda: index.series(draw.randint(1, count)), 25)}")
    print(f"an operation's page: {timed(lambda: index.agreement('operation_0'), 5)}")
    found = history.changes(latest, before)
    told = f"{len(found.new)} new, {len(found.known)} known, {len(found.fixed)} fixed"
    print(f"comparison of two runs ({told}): {timed(lambda: history.changes(latest, before), 5)}")


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
