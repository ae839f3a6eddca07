"""A fuzzer of the readers: `python -m tests.quality.fuzzing [--examples N] [--seed N]`, or `tox -e fuzzing`.

Valid logs, benchmarks, counterexamples, known findings and indexes are mutated, read, and made into everything that is
made of them. Whatever is raised besides a refusal (`HarnessError`) is a fault of the harness. Prints how many mutations
were refused and accepted, and every fault with the smallest mutation that shows it; exits 1 where there is any.
"""

from __future__ import annotations

import argparse
import io
import json
import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from harness.command.compare import summary
from harness.command.history import entry, history
from harness.errors import HarnessError
from harness.history.history import INDEX, History, check_runs
from harness.record.known import read_findings
from harness.record.runlog import read
from harness.record.saved_counterexamples import read_counterexamples, recalled, save_counterexamples
from harness.report.annotations import workflow_commands
from harness.report.issues import issues
from harness.report.junit import junit
from harness.report.mail import mail
from harness.report.markdown import markdown
from harness.report.reporting import Findings, ended
from harness.report.run_summary import RunSummary
from harness.report.site import pages
from harness.report.terminal import print_changes, print_claims, print_outcomes, print_summary
from tests.hostile.kept import ENTRY
from tests.hostile.valid import BAD, GOOD, line, lines, make_reports
from tests.quality.mutations import Mutation, as_lines, as_toml, changed, mutations, spoilt

EXAMPLES = 20_000
_FRAMES = 2
"""The innermost places by which two faults are told apart."""

RUN: list[Any] = [*lines()[:-1], {**line("CellFinished"), "prop": "gradients"}, line("RunFinished")]
BENCHMARK: list[Any] = [line("RunStarted"), line("TimingFinished"), line("RunFinished")]
KEPT: list[Any] = [ENTRY, {**ENTRY, "implementation": "mine", "candidates": "mine.py"}]
KNOWN: dict[str, Any] = {"finding": [{key: each for key, each in line("FindingListed").items() if key != "event"}]}


def _as_json(found: Findings) -> None:
    json.dumps([summary(found.changes), [entry(run) for run in found.history.runs]])


def _in_the_terminal(found: Findings) -> None:
    print_outcomes(found.summary.outcomes)
    print_summary(found.summary, found.changes)
    print_changes(found.changes)
    print_claims([*found.summary.settled, *found.summary.declined])


def _series(found: Findings) -> None:
    index = found.history.index
    numbers = [number for key in index.every_key() if (number := index.number(key)) is not None]
    index.every_series(numbers)
    index.verdicts_over_runs(numbers)
    index.yields(30)


MADE: dict[str, Callable[[Findings], object]] = {
    "terminal": _in_the_terminal,
    "history": lambda found: history.callback("", True, found.history.reports, False),
    "series": _series,
    "JSON": _as_json,
    "markdown": markdown,
    "annotations": lambda found: workflow_commands(found.summary, found.changes),
    "issues": lambda found: issues(found.changes),
    "junit": junit,
    "mail": mail,
    "pages": lambda found: [text.encode() for _, text in pages(found, found.history.reports)],
}
"""What is made of a log."""

_SHARES = [name for name in MADE for _ in range(1 if name in ("mail", "pages") else 4)]


@dataclass(frozen=True)
class Bench:
    """A folder of reports with two runs and their index, which every example finds as it was."""

    folder: Path
    index: bytes

    @property
    def reports(self) -> Path:
        return self.folder / "reports"

    def restored(self) -> Path:
        """The reports, with nothing of an earlier example."""
        for each in (*self.reports.glob(f"{INDEX}*"), *self.reports.glob(f"runs/{BAD}*"), self.folder / "kept.jsonl"):
            each.unlink(missing_ok=True)
        shutil.rmtree(self.reports / "benchmarks", ignore_errors=True)
        (self.reports / INDEX).write_bytes(self.index)
        return self.reports


@contextmanager
def bench() -> Iterator[Bench]:
    """Make the folder, in memory where there is such a place: every example writes an index."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(prefix="fuzzing-", dir=memory if memory.is_dir() else None) as folder:
        reports = Path(folder, "reports")
        make_reports(reports)
        assert History.ask(reports, lambda history: history.runs)
        yield Bench(Path(folder), (reports / INDEX).read_bytes())


def of_a_log(place: Bench, by: list[Mutation], output: str) -> None:
    """Read a log, alone and among others, and make one thing of it."""
    reports = place.restored()
    log = reports / "runs" / f"{BAD}.jsonl"
    log.write_bytes(spoilt(as_lines(changed(RUN, by)), by))
    _made(reports, output)
    recalled(read(log).events)


def of_benchmarks(place: Bench, by: list[Mutation], output: str) -> None:
    """Make the pages of a good run with benchmarks beside it."""
    reports = place.restored()
    (reports / "benchmarks").mkdir()
    (reports / "benchmarks" / f"{BAD}.jsonl").write_bytes(spoilt(as_lines(changed(BENCHMARK, by)), by))
    _made(reports, "pages")


def of_an_index(place: Bench, by: list[Mutation], output: str) -> None:
    """Read a spoilt index."""
    reports = place.restored()
    (reports / INDEX).write_bytes(spoilt(place.index, by))
    _made(reports, "series" if output == "pages" else output)


def of_kept(place: Bench, by: list[Mutation], output: str) -> None:
    """Read a file of counterexamples, and add to another what it has."""
    place.restored()
    file = place.folder / "kept.jsonl"
    file.write_bytes(spoilt(as_lines(changed(KEPT, by)), by))
    found, complaints = read_counterexamples(file)
    file.unlink()
    save_counterexamples(file, found)
    if complaints:
        raise HarnessError(complaints[0])


def of_known(place: Bench, by: list[Mutation], output: str) -> None:
    """Read known findings."""
    file = place.folder / "known.toml"
    file.write_bytes(spoilt(as_toml(changed(KNOWN, by)), by))
    read_findings(file)


def _made(reports: Path, output: str) -> None:
    """One thing that is made of the latest run, asked for as commands ask."""
    check_runs(reports)
    History.ask(reports, partial(_made_of, reports, output))


def _made_of(reports: Path, output: str, found: History) -> None:
    run = found.latest
    summary = RunSummary.of(ended(read(run.log).events))
    findings = Findings(summary, found.changes(run, found.baseline_of(run)), found)
    if run.name in GOOD:
        output = output if output != "pages" or (reports / "benchmarks").is_dir() else "issues"
    with redirect_stdout(io.StringIO()) as out, redirect_stderr(io.StringIO()):
        MADE[output](findings)
    out.getvalue().encode()
    if found.complaints:
        raise HarnessError(found.complaints[0])


Reader = Callable[[Bench, list[Mutation], str], None]
_READERS: tuple[tuple[Reader, Any], ...] = (
    *((of_a_log, RUN) for _ in range(6)),
    (of_benchmarks, BENCHMARK),
    (of_kept, KEPT),
    (of_known, KNOWN),
    (of_an_index, [""]),
)
EXAMPLE = st.one_of(st.tuples(st.just(reader), mutations(told), st.sampled_from(_SHARES)) for reader, told in _READERS)
"""Who reads, what is changed, and what is made of it."""


@dataclass
class Tally:
    """What became of the mutations, and the smallest one of every fault."""

    counted: Counter[str] = field(default_factory=Counter)
    faults: dict[str, str] = field(default_factory=dict)

    def try_out(self, place: Bench, reader: Reader, by: list[Mutation], output: str) -> None:
        try:
            reader(place, by, output)
            self.counted["accepted"] += 1
        except HarnessError:
            self.counted["refused"] += 1
        except Exception as failure:
            self.counted["faults"] += 1
            shown = f"{reader.__name__}, {output}: " + "; ".join(map(str, by))
            known = self.faults.get(_named(failure))
            if known is None or len(shown) < len(known):
                self.faults[_named(failure)] = shown


def _named(failure: Exception) -> str:
    """The kind of a fault: what was raised, and where."""
    frames = traceback.extract_tb(failure.__traceback__)
    ours = [each for each in frames if "/harness/" in each.filename] or frames
    places = ", ".join(f"{Path(each.filename).name}:{each.lineno}" for each in ours[-_FRAMES:])
    return f"{type(failure).__name__} in {places}"


def fuzz(examples: int, number: int = 0) -> Tally:
    """Try so many mutations."""
    tally = Tally()
    with bench() as place:

        @seed(number)
        @settings(
            max_examples=examples,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(EXAMPLE)
        def tried(example: tuple[Reader, list[Mutation], str]) -> None:
            tally.try_out(place, *example)

        tried()
    return tally


def main() -> int:
    """Print what became of the mutations."""
    parser = argparse.ArgumentParser(prog="python -m tests.quality.fuzzing")
    parser.add_argument("--examples", type=int, default=EXAMPLES)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    began = time.perf_counter()
    tally = fuzz(asked.examples, asked.seed)
    seconds = time.perf_counter() - began
    total = tally.counted.total()
    for name, shown in sorted(tally.faults.items()):
        print(f"{name}\n  {shown!a}")
    told = ", ".join(f"{tally.counted[kind]:,} {kind}" for kind in ("refused", "accepted", "faults"))
    print(f"{total:,} mutations, {total / seconds:.0f} a second: {told} of {len(tally.faults)} kinds")
    return int(bool(tally.faults))


if __name__ == "__main__":
    sys.exit(main())
