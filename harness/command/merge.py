"""`harness merge LOG…`: one run of the shards that several machines asked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import click

from harness.command.options import baseline_option, examples, json_option, reports_option
from harness.command.outputs import Wanted, output_options
from harness.command.verification_run import RunResult, run_name
from harness.errors import HarnessError, InfrastructureError
from harness.execute.controller import concluded
from harness.execute.shard import Shard
from harness.record.events import (
    CellFinished,
    ClaimListed,
    Event,
    FindingListed,
    ImplementationListed,
    RunFinished,
    RunStarted,
)
from harness.record.example_store import ExampleStore
from harness.record.runlog import SUFFIX, RunLog, read
from harness.report.reporting import Reporting, ended
from harness.report.run_summary import RunSummary

_EXAMPLES = examples(
    ("harness merge shard-*.jsonl", "the run of which these are the parts"),
    ("harness run --shard 1/2 --log shard-1.jsonl", "what one of two machines does before that"),
)


@click.command(epilog=_EXAMPLES)
@click.argument("logs", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="LOG...")
@baseline_option
@output_options
@reports_option
@json_option
@click.pass_context
def merge(
    ctx: click.Context, logs: tuple[Path, ...], baseline: str, reports: Path, as_json: bool, wanted: Wanted
) -> None:
    """Make one run of the LOGs of its shards (`harness run --shard`): its log among the reports, its report, its exit code.

    All shards have to be there, of the same code, seed and selection.
    """
    parts = [list(ended(read(log).events)) for log in logs]
    events = merged(logs, parts)
    (started,) = (event for event in events if isinstance(event, RunStarted))
    latest = reports / "latest"
    reporting = Reporting(reports, wanted.outputs(reports / started.run, latest), baseline)
    try:
        log = RunLog(reports / "runs" / f"{started.run}{SUFFIX}")
        for event in events:
            log(event)
    except OSError as failure:
        raise InfrastructureError(f"{reports} can't be written to: {failure.strerror or failure}") from None
    for event in events[:-1]:
        reporting(event)
    if not started.candidates:
        _remember(reports, events)
    planned = sum(isinstance(event, CellFinished) for event in events)
    result = RunResult(RunSummary.of(events), planned, log.path, latest / "index.html", [], reporting)
    ctx.exit(result.show(as_json))


def _remember(reports: Path, events: Iterable[Event]) -> None:
    """Keep what falsifies a cell, for later runs to try first, as a run that asks itself does."""
    store = ExampleStore(str((reports / "examples").resolve()))
    for event in events:
        if isinstance(event, CellFinished) and event.counterexample is not None and not event.claim:
            store.keep(event.key, event.counterexample.case)


def merged(logs: Sequence[Path], parts: Sequence[Sequence[Event]]) -> list[Event]:
    """The events of the whole run, from those of its shards, each from its beginning to its end.

    Raises HarnessError where they are not the shards of one run, InfrastructureError where one is missing.
    """
    begun = [_beginning(log, part) for log, part in zip(logs, parts, strict=True)]
    for log, each in zip(logs, begun, strict=True):
        _check_alike(logs[0], begun[0], log, each)
    _check_whole(begun)
    named, when = run_name()
    started = replace(begun[0], run=named, when=when, scope=replace(begun[0].scope, shard="", durations=""))
    listed = _once(
        event
        for part in parts
        for event in part
        if isinstance(event, ImplementationListed | ClaimListed | FindingListed)
    )
    found = {event.key: event for part in reversed(parts) for event in part if isinstance(event, CellFinished)}
    ends = [event for part in parts for event in part if isinstance(event, RunFinished)]
    stopped = next((end.stopped for end in ends if end.stopped), "")
    settled = () if stopped else [event for event in listed if isinstance(event, ClaimListed)]
    finished = concluded([*found.values()], settled, max(end.seconds for end in ends), stopped)
    if stopped and not finished.exit_code:
        finished = replace(finished, exit_code=next(end.exit_code for end in ends if end.stopped))
    return [started, *listed, *found.values(), finished]


def _beginning(log: Path, events: Iterable[Event]) -> RunStarted:
    begun = [event for event in events if isinstance(event, RunStarted)]
    if len(begun) != 1:
        raise HarnessError(f"{log} has {len(begun)} beginnings of a run in place of one; it is no shard's log")
    return begun[0]


def _once(events: Iterable[Event]) -> list[Event]:
    """Each event once, in the order in which they came first."""
    found: list[Event] = []
    seen: set[str] = set()
    for event in events:
        if repr(event) not in seen:
            seen.add(repr(event))
            found.append(event)
    return found


def _check_alike(first: Path, one: RunStarted, log: Path, other: RunStarted) -> None:
    """Refuse what was not asked alike."""
    if not other.scope.shard:
        raise HarnessError(f"{log} is no shard's log; `harness run --shard 1/2` makes one")
    apart = {
        "seed": (one.seed, other.seed),
        "revision": (one.environment.get("revision"), other.environment.get("revision")),
        "PyTorch": (_torch(one), _torch(other)),
        "checked file": ((one.candidates, one.checksum), (other.candidates, other.checksum)),
        "division into shards": (one.scope.durations, other.scope.durations),
        "selection": (replace(one.scope, shard="", durations=""), replace(other.scope, shard="", durations="")),
    }
    for name, (here, there) in apart.items():
        if here != there:
            raise HarnessError(f"{first} and {log} are no shards of one run: their {name} differs")


def _torch(started: RunStarted) -> object:
    packages = started.environment.get("packages")
    return packages.get("torch") if isinstance(packages, dict) else None


def _check_whole(begun: Sequence[RunStarted]) -> None:
    """Refuse shards of which one is missing or there twice."""
    shards = [Shard.named(each.scope.shard) for each in begun]
    count = shards[0].count
    there = sorted(each.number for each in shards)
    missing = [f"{number}/{count}" for number in range(1, count + 1) if number not in there]
    if missing:
        raise InfrastructureError(f"shard {', '.join(missing[:8])} is missing; give the logs of all {count}")
    if len(there) > count:
        raise HarnessError(f"{len(there)} logs are given of {count} shards; give each once")
