"""`harness bench`: time every implementation over a ladder of sizes, where it is right."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from time import perf_counter

import click

from harness.bench.revision import builds
from harness.bench.running import Running
from harness.bench.worker_pool import Asked
from harness.candidates import candidates
from harness.catalogue import catalogue, choose
from harness.command.importing import rehearse_import
from harness.command.options import (
    MOST_AT_ONCE,
    Duration,
    backend_option,
    device_option,
    examples,
    json_option,
    limit_option,
    reports_option,
)
from harness.command.progress import Meter
from harness.command.run import complete_operations
from harness.command.verification_run import run_started, waiting
from harness.declare.devices import check_devices
from harness.declare.implementation import Implementation
from harness.declare.operation import Operation
from harness.errors import HarnessError
from harness.execute.fork_server import begin
from harness.measure.speed import Speed
from harness.measure.verdict import Verdict
from harness.record.events import Event, RunFinished, TimingFinished
from harness.record.runlog import SUFFIX, RunLog
from harness.report.ladder_tables import print_ladders
from harness.verify.cell import check_backends, check_dtypes
from harness.verify.support import computing

_SLOWER = 4
"""The exit code of a confirmed slowdown."""

_EXAMPLES = examples(
    ("harness bench conv2d_pinv legs_scan gru", "three operations, every implementation, every point"),
    ("harness bench linear --dtype float64 --processes 9", "in double precision, in more processes"),
    ("harness bench gru --only nn.GRU --only definition", "two implementations against each other"),
    ("harness bench mine.py", "a file's own implementations, beside all others"),
    ("harness bench gru --against main --fail-slower", "this code against a branch's: exit 4 if it is slower"),
    ("harness bench gru --against HEAD --python other/bin/python", "the same code with another environment's PyTorch"),
)


@click.command(epilog=_EXAMPLES, context_settings={"ignore_unknown_options": True})
@click.argument(
    "words", nargs=-1, type=click.UNPROCESSED, shell_complete=complete_operations, metavar="[OPERATION|FILE]..."
)
@device_option
@click.option("--dtype", default="float32", show_default=True, metavar="DTYPE", help="The dtype to time in.")
@click.option("--only", multiple=True, metavar="IMPLEMENTATION", help="Only these implementations (repeatable).")
@backend_option
@click.option(
    "--processes",
    type=click.IntRange(1, MOST_AT_ONCE),
    default=5,
    show_default=True,
    help="Processes in which everything is timed.",
)
@click.option(
    "--patience",
    type=Duration(),
    default=1.0,
    metavar="TIME",
    show_default="1s",
    help="Skip points slower than TIME per call, or predicted to be.",
)
@click.option("--budget", type=Duration(), metavar="TIME", help="Begin no further point after this time: 90s, 5m, 1h.")
@click.option(
    "--cold",
    is_flag=True,
    help="On an accelerator with events: the second-level cache is overwritten before each call.",
)
@click.option(
    "--against", metavar="REVISION", default="", help="Time this git revision's code too, in turns with this one's."
)
@click.option(
    "--python",
    type=click.Path(exists=True, dir_okay=False, executable=True),
    metavar="PROGRAM",
    help="The Python that runs the code of --against, with packages of its own.  [default: this one]",
)
@click.option(
    "--fail-slower", is_flag=True, help="Exit with 4 where something is slower, confirmed in fresh processes."
)
@click.option(
    "--seed", type=click.IntRange(0, 2**63 - 1), default=0, show_default=True, help="The seed of the order of blocks."
)
@limit_option
@reports_option
@json_option
@click.pass_context
def bench(
    ctx: click.Context,
    /,
    words: tuple[str, ...],
    device: str,
    dtype: str,
    only: tuple[str, ...],
    backends: tuple[str, ...],
    processes: int,
    patience: float,
    budget: float | None,
    cold: bool,
    against: str,
    python: str | None,
    fail_slower: bool,
    seed: int,
    limit: float,
    reports: Path,
    as_json: bool,
) -> None:
    """Time every implementation of the named OPERATIONs over a ladder of sizes, after verifying it there.

    A Python file among them is one of candidates, as in `harness check`: they are timed beside all others. Whatever is
    wrong at a size is not timed there.
    """
    check_devices((device,))
    if python and not against:
        raise HarnessError(
            "--python names who runs another revision's code; say which with --against, e.g. --against HEAD"
        )
    names, file = _sorted(words)
    with waiting(f"importing {Path(file).name}", as_json) if file else nullcontext():
        operations = _operations(names, file, limit)
    check_dtypes((dtype,), (device,))  # of which the file may have brought some
    check_backends(backends)
    asked, began = Asked(device, dtype, cold, _resolved(file)), perf_counter()
    rivals = {
        operation.name: [
            each for each in computing(operation, device, dtype, backends) if each.name in only or not only
        ]
        for operation in operations
    }
    _check_rivals(rivals, asked, only)
    started = run_started(seed)
    with builds(against, str(Path(python or sys.executable).absolute())) as there, Meter("timings", as_json) as meter:
        timings = Running(asked, operations, rivals, there, processes, limit, patience, seed, budget, meter.step).run()
    code = _exit_code(timings, fail_slower)
    tally = dict(Counter(str(each.speed) for each in timings))
    log = reports / "benchmarks" / f"{started.run}{SUFFIX}"
    events: list[Event] = [started, *timings, RunFinished(tally, perf_counter() - began, code)]
    _print(timings, log, code, as_json)  # first of all, whatever becomes of the log
    with RunLog(log) as write:
        for event in events:
            write(event)
    ctx.exit(code)


def _sorted(words: tuple[str, ...]) -> tuple[list[str], str]:
    """The operations' names, and a file of candidates ("" for none).

    Raises HarnessError for an option, and for a second file.
    """
    unknown = next((word for word in words if word.startswith("-")), "")
    if unknown.startswith("--benchmark-"):
        raise HarnessError(
            f"{unknown} is no option of harness bench; `test_times = harness.timed(operation)` in a test module of your own "
            "gives pytest-benchmark's items, and pytest takes its options"
        )
    if unknown:
        raise HarnessError(f"no such option: {unknown}; see harness bench --help")
    files = [word for word in words if word.endswith(".py")]
    if len(files) > 1:
        raise HarnessError("one file of candidates at a time; put them into one")
    return [word for word in words if word not in files], "".join(files)


def _resolved(file: str) -> str:
    """The file's whole path, since workers run in another folder."""
    return str(Path(file).resolve()) if file else ""


def _operations(names: list[str], file: str, limit: float) -> list[Operation]:
    """The operations that are named; of a file's, those that it declares or has implementations of."""
    if not file:
        return choose(names, catalogue())
    begin()
    rehearse_import(Path(file), limit, None)  # in a process of its own, so that it costs nothing here if it fails
    brought = {operation.name: operation for operation in candidates(Path(file)).operations}
    if not brought:
        raise HarnessError(f"{Path(file).name} has no implementation to time; it states properties alone")
    return choose(names, brought)


def _check_rivals(rivals: dict[str, list[Implementation]], asked: Asked, only: tuple[str, ...]) -> None:
    """Raise HarnessError where a name is unknown, or nobody is left."""
    empty = next((name for name, found in rivals.items() if not found), None)
    if empty:
        told = f"none of {', '.join(only)} computes" if only else "no implementation here computes"
        raise HarnessError(f"{told} {empty} on {asked.device} in {asked.dtype} here; see harness list")
    found = {each.name for every in rivals.values() for each in every}
    unknown = next((name for name in only if name not in found), None)
    if unknown:
        raise HarnessError(f"--only {unknown}: no implementation of {', '.join(rivals)} that can be timed is called so")


def _exit_code(timings: Sequence[TimingFinished], fail_slower: bool) -> int:
    """1 where something is wrong at a size, 4 where this code is slower and that was to fail, 3 where nothing was timed."""
    if any(Verdict(each.verdict).failing for each in timings):
        return 1
    if fail_slower and any(each.speed == Speed.SLOWER for each in timings):
        return _SLOWER
    return 0 if any(each.seconds is not None for each in timings) else 3


def _print(timings: Sequence[TimingFinished], log: Path, code: int, as_json: bool) -> None:
    if as_json:
        entries = [{**asdict(each), "seconds": each.seconds} for each in timings]
        click.echo(json.dumps({"exit_code": code, "timings": entries, "log": str(log)}, indent=2))
        return
    print_ladders(timings)
    click.echo(f"log     {log}")
