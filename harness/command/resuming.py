"""Resuming: what a killed, interrupted or budget-ended run left open is asked, into the same log."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import click

from harness.command.importing import rehearse_import
from harness.command.options import LONGEST_DAYS, MOST_AT_ONCE, MOST_EXAMPLES, PROFILES
from harness.command.verification_run import RunConfig, RunResult, waiting
from harness.errors import HarnessError
from harness.explain.visible import visible
from harness.history.history import History
from harness.history.unfinished import unfinished
from harness.record.checked_file import recorded_file
from harness.record.events import ClaimListed, ImplementationListed, RunStarted
from harness.verify.cell import check_backends, check_dtypes

_OF_THE_RUN = (
    "devices",
    "dtypes",
    "backends",
    "profile",
    "examples",
    "cell_seconds",
    "seed",
    "keyword",
    "threads",
    "shard",
)


def check_leaves_selection(ctx: click.Context) -> None:
    """Raise HarnessError where words of a command say what is to be asked, which the run has said already."""
    said = click.core.ParameterSource.COMMANDLINE
    given = [param.opts[-1] for param in ctx.command.params if ctx.get_parameter_source(param.name or "") is said]
    named = {param.opts[-1] for param in ctx.command.params if param.name in (*_OF_THE_RUN, "operations")}
    for each in given:
        if each in named:
            raise HarnessError(f"--resume asks what the run left open, as it began; leave out {each}")


def resumed(config: RunConfig, run: str) -> RunResult:
    """The whole run, what was asked before and now. Raises HarnessError where there is none, or it can't go on here."""
    found = History.ask(config.reports, partial(unfinished, what=run))
    started = found.started
    _check_beginning(started)
    config = _as_it_began(config, started)
    file, packages = "", list[str]()
    if started.candidates:
        path = recorded_file(started.candidates, started.checksum, "put it there as it was, or start another run")
        click.echo(f"importing {visible(started.candidates, 200)}, whose content is as it was recorded", err=True)
        with waiting(f"importing {path.name}", config.as_json):
            packages = rehearse_import(path, config.limit, config.memory).packages
        file = str(path.resolve())
    return config.run(
        [event for event in found.events if isinstance(event, ImplementationListed)],
        [event for event in found.events if isinstance(event, ClaimListed)],
        packages,
        found,
        operations=tuple(started.scope.operations),
        only=tuple((pair[0], pair[1]) for pair in started.scope.only),
        candidates=file,
    )


def _check_beginning(started: RunStarted) -> None:
    """Refuse what a log says of its run that no command could have said. Raises HarnessError."""
    scope, threads = started.scope, started.environment.get("threads")
    sound = {
        "profile": scope.profile in PROFILES,
        "only": all(len(pair) == 2 for pair in scope.only),
        "seed": 0 <= started.seed < 2**63,
        "examples": scope.examples <= MOST_EXAMPLES,
        "cell_seconds": scope.cell_seconds <= LONGEST_DAYS * 86_400,
        "threads": isinstance(threads, int) and 1 <= threads <= MOST_AT_ONCE,
    }
    for name, is_sound in sound.items():
        if not is_sound:
            raise HarnessError(
                f"run {started.run} can't go on: no run has the {name} that its log says; start another run"
            )
    check_dtypes(scope.dtypes)
    check_backends(scope.backends)


def _as_it_began(config: RunConfig, started: RunStarted) -> RunConfig:
    scope = started.scope
    return replace(
        config,
        devices=tuple(scope.devices),
        dtypes=tuple(scope.dtypes),
        backends=tuple(scope.backends),
        profile=scope.profile,
        examples=scope.examples or None,
        cell_seconds=scope.cell_seconds or None,
        seed=started.seed,
        keyword=scope.keyword,
        threads=started.environment["threads"],
        shard=scope.shard,
    )
