"""`harness replay`: what the counterexamples of an earlier run show now."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem
from rich.console import Console
from rich.table import Table
from rich.text import Text

from harness.candidates import check_file
from harness.command.options import (
    complete_runs,
    examples,
    jobs_option,
    json_option,
    limit_option,
    reports_option,
    threads_option,
)
from harness.command.replaying import COULD_NOT_RUN, FIXED, STILL_FAILS, Replayed, Replaying
from harness.errors import HarnessError, InfrastructureError
from harness.execute.fork_server import begin
from harness.explain.visible import visible
from harness.history.archive import Archive, Recollection
from harness.record.saved_counterexamples import save_counterexamples

_EXAMPLES = examples(
    ("harness replay", "the latest run's counterexamples"),
    ("harness replay 3f2a91c4", "one, by its id or the first characters of it"),
    ("harness replay reports/runs/20261122-001811-eaecbe.jsonl.gz", "those of a run"),
    ("harness replay --save reports/counterexamples.jsonl", "keep them, for every later run to try first"),
    ("harness replay reports/counterexamples.jsonl", "those that were kept"),
)

_STYLES = {STILL_FAILS: "bold red", FIXED: "green", COULD_NOT_RUN: "yellow"}


def complete_counterexamples(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The ids of the latest run, each with its sentence, and the names of runs."""
    archive = Archive(ctx.params.get("reports") or Path("reports"))
    try:
        latest = archive.find("").entries
    except HarnessError:
        latest = []
    ids = [CompletionItem(each.id, help=f"{each.key}: {each.sentence}") for each in latest]
    return [*(each for each in ids if each.value.startswith(incomplete)), *complete_runs(ctx, param, incomplete)]


@click.command(epilog=_EXAMPLES)
@click.argument("what", default="", shell_complete=complete_counterexamples, metavar="[WHAT]")
@click.option(
    "--save", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Add them to FILE, and ask nothing."
)
@click.option(
    "--candidates",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The file that declares the implementations, where it is not the one that was checked, or has changed since.",
)
@limit_option
@jobs_option
@threads_option
@reports_option
@json_option
@click.pass_context
def replay(
    ctx: click.Context,
    /,
    what: str,
    save: Path | None,
    candidates: Path | None,
    limit: float,
    jobs: int,
    threads: int,
    reports: Path,
    as_json: bool,
) -> None:
    """Ask counterexamples again, and say of each whether it still fails, is fixed, or could not run, and why.

    WHAT is a run (its name or its log), the id of a counterexample, or a file that was saved; the latest run if it is
    left out. Each is asked in a process of its own, just as it was recorded. A log is data: a file that it names is
    imported only where it lies below the current folder with the content that was checked, or is given by --candidates.
    """
    begin()
    if candidates is not None:
        check_file(candidates)
    found = Archive(reports).find(what)
    if not found.entries:
        told = f"; {found.complaints[0]}" if found.complaints else ""
        raise InfrastructureError(f"nothing to replay: {found.source} has no counterexample{told}")
    if save is not None:
        _save(found, save, as_json)
        return
    replaying = Replaying(limit, jobs, candidates, as_json, threads)
    answers = replaying.ask(found.entries)
    code = replaying.interrupted or _exit_code(answers)
    if as_json:
        click.echo(json.dumps(_summary(found, answers, code), indent=2))
    else:
        _print(found, answers)
    ctx.exit(code)


def _exit_code(answers: list[Replayed]) -> int:
    if any(each.fails for each in answers):
        return 1
    return 3 if all(each.answer == COULD_NOT_RUN for each in answers) else 0


def _save(found: Recollection, file: Path, as_json: bool) -> None:
    added = save_counterexamples(file, found.entries)
    if as_json:
        told = {"source": found.source, "file": str(file), "added": added, "notes": found.complaints}
        click.echo(json.dumps({"exit_code": 0, **told}, indent=2))
        return
    there = len(found.entries) - added
    were = f"; {there} {'was' if there == 1 else 'were'} there already" if there else ""
    click.echo(f"{added} counterexample{'s' * (added != 1)} of {found.source} added to {file}{were}")
    _print_notes(found.complaints)


def _print(found: Recollection, answers: list[Replayed]) -> None:
    console = Console(highlight=False)
    table = Table("id", "now", "counterexample")
    for each in answers:
        table.add_row(each.recalled.id, Text(each.answer, _STYLES[each.answer]), _told(each))
    console.print(table)
    counted = Counter(each.answer for each in answers)
    told = [f"{counted[STILL_FAILS]} still fail{'s' * (counted[STILL_FAILS] == 1)}", f"{counted[FIXED]} fixed"]
    if counted[COULD_NOT_RUN]:
        told.append(f"{counted[COULD_NOT_RUN]} could not run")
    console.print(Text(f"{found.source}: {', '.join(told)}.", "bold"))
    if known := sum(bool(each.known) for each in answers):
        console.print(f"{known} of them known before, which makes nothing fail.")
    _print_notes(found.complaints)


def _print_notes(complaints: list[str]) -> None:
    for each in complaints:
        click.echo(f"note  {visible(each, 600)}")


def _told(each: Replayed) -> Text:
    """What was asked of what, and below it what came out."""
    asked = each.recalled
    where = asked.dtype if asked.device == "cpu" else f"{asked.dtype} on {asked.device}"
    head = Text.assemble((visible(f"{asked.operation}/{asked.implementation}", 160), "bold"))
    head.append(visible(f"  {asked.prop}  {where}", 160))
    changed = f"{each.verdict} now, {asked.verdict} then" if each.verdict and each.verdict != asked.verdict else ""
    known = f"known: {each.known}" if each.known else ""
    below = ": ".join(filter(None, (changed, each.reason)))
    for line in filter(None, (below, known)):
        head.append(f"\n{visible(line, 600)}", "dim")
    return head


def _summary(found: Recollection, answers: list[Replayed], code: int) -> dict[str, Any]:
    counted = Counter(each.answer for each in answers)
    return {
        "exit_code": code,
        "source": found.source,
        "answers": {answer: counted[answer] for answer in (STILL_FAILS, FIXED, COULD_NOT_RUN)},
        "notes": found.complaints,
        "counterexamples": [
            {
                "id": each.recalled.id,
                "property": each.recalled.prop,
                "operation": each.recalled.operation,
                "implementation": each.recalled.implementation,
                "device": each.recalled.device,
                "dtype": each.recalled.dtype,
                "answer": each.answer,
                "verdict": each.verdict,
                "then": each.recalled.verdict,
                "reason": each.reason,
                "known": each.known,
                "case": each.recalled.case,
            }
            for each in answers
        ],
    }
