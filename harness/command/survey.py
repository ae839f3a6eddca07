"""`harness survey LIBRARY`: every public operator of a library, declared by itself, and what is found as a worklist."""

from __future__ import annotations

import importlib.metadata
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from harness.command.importing import rehearse_import
from harness.command.options import (
    examples,
    examples_option,
    jobs_option,
    json_option,
    keyword_option,
    limit_option,
    seed_option,
)
from harness.command.resuming import resumed
from harness.command.verification_run import RunConfig, RunResult, worker_memory
from harness.errors import HarnessError, InfrastructureError
from harness.execute.fork_server import begin
from harness.explain.visible import visible
from harness.history.history import History
from harness.history.index import Run
from harness.history.unfinished import conditions
from harness.measure.verdict import Verdict
from harness.record.checked_file import checksum
from harness.record.environment import environment
from harness.record.events import CellFinished
from harness.record.runlog import read
from harness.survey.declarations import TRANSFORMED
from harness.survey.declaring import declare_all
from harness.survey.findings import Held, findings
from harness.survey.folder import SurveyFolder
from harness.survey.states import add_new, read_states
from harness.survey.worklist import Worklist

_EXAMPLES = examples(
    ("harness survey torch", "PyTorch's operators, as its own database calls them"),
    ("harness survey torch --profile quick", "one use of each, in two dtypes"),
    ("harness survey kornia.filters", "the public functions of another library, or of a module of one's own"),
    ("harness survey torch -k 'transformed and compiled'", "every operator compiled, and nothing else"),
    ("harness survey torch fft linalg", "the files of operators with one of these words in their names"),
)


@dataclass(frozen=True)
class _Depth:
    """How much is asked: uses of each operator, dtypes (none: all), and what other ways to compute it are asked, as `-k` has it."""

    uses: int
    dtypes: tuple[str, ...] = ()
    keyword: str = ""


_TRANSFORMS = f"{TRANSFORMED} and (by_differences or forward_mode or double_backward or vmap)"
_OTHER_WAYS = (
    f"definition or {_TRANSFORMS} or (agreement or nonfinite or result_dtype or layouts) and not {TRANSFORMED}"
)
"""Of `out=`, in place, references and decompositions: what they compute, and not once more what the operator itself keeps to."""

_DEPTHS = {
    "quick": _Depth(1, ("float32", "bfloat16"), _OTHER_WAYS),
    "default": _Depth(3, (), _OTHER_WAYS),
    "nightly": _Depth(8, (), f"not {TRANSFORMED} or {_TRANSFORMS} or {TRANSFORMED} and compiled"),
}


@click.command(epilog=_EXAMPLES)
@click.argument("library")
@click.argument("words", nargs=-1, metavar="[WORD]...")
@click.option(
    "--profile", type=click.Choice(list(_DEPTHS)), default="quick", show_default=True, help="How much is asked."
)
@seed_option
@examples_option
@keyword_option
@click.option(
    "--surveys",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("reports/surveys"),
    show_default=True,
    help="The folder of surveys.",
)
@jobs_option
@limit_option
@json_option
@click.pass_context
def survey(
    ctx: click.Context,
    /,
    library: str,
    words: tuple[str, ...],
    profile: str,
    seed: int,
    examples: int | None,
    keyword: str,
    surveys: Path,
    jobs: int,
    limit: float,
    as_json: bool,
) -> None:
    """Survey the public operators of LIBRARY, a Python module: list what is wrong in them.

    The operator itself in float64 is what is right. Declarations are told from example calls, and written to files that can
    be read, changed and checked one by one. A survey that was interrupted goes on where it ended.
    """
    begin()
    if not all(part.isidentifier() for part in library.split(".")):
        raise HarnessError(f"{visible(library, 100)} is no module's name; write one as in `import`, such as torch")
    if "" not in sys.path and str(Path.cwd()) not in sys.path:  # as with `python -m`: the library may lie here
        sys.path.append(str(Path.cwd()))
    version, states = _version(library), surveys / f"{library}.toml"
    read_states(states)  # before anything is asked
    folder = SurveyFolder(surveys / f"{library}-{version}", library, version)
    depth = _DEPTHS[profile]
    if not folder.is_declared:
        click.echo(f"declaring the operators of {visible(library, 100)}", err=True)
        folder = folder.written(declare_all(library, depth.uses, limit, worker_memory((), 1)), depth.uses)
    elif folder.uses < depth.uses:
        click.echo(
            f"{folder.index} declares {folder.uses} of the {depth.uses} uses of each operator that the {profile} profile asks; "
            "remove it, and the survey declares anew, and writes its files over",
            err=True,
        )
    config = RunConfig(
        devices=(),
        dtypes=depth.dtypes,
        backends=(),
        profile=profile,
        examples=examples,
        cell_seconds=None,
        budget=None,
        jobs=jobs,
        seed=seed,
        keyword=keyword or depth.keyword,
        limit=limit,
        reports=folder.runs,
        as_json=as_json,
    )
    if not folder.files:
        raise HarnessError(f"no operator of {library} can be declared; {folder.index} says why, for each")
    chosen = [file for file in folder.files if not words or any(word in file.stem for word in words)]
    if not chosen:
        raise HarnessError(f"no file of operators has {' or '.join(words)} in its name; {folder.operators} lists them")
    here, asked = environment(str(chosen[0].resolve()), threads=config.threads), _runs(folder.runs)
    unjudged = [problem for file in chosen if (problem := _ask(file, config, here, asked))]
    outcomes = _answers(chosen, here, _runs(folder.runs))
    worklist = _worklist(folder, outcomes, states)
    worklist.write(folder.path, folder.files)
    click.echo((folder.path / "worklist.json").read_text() if as_json else _told(worklist, folder))
    if unjudged:
        raise InfrastructureError("; ".join(unjudged))
    ctx.exit(any(worklist.state(each).state == "new" for each in worklist.found))


def _version(library: str) -> str:
    """The version of the distribution that a module belongs to, without importing it; 0 where it belongs to none."""
    package = library.partition(".")[0]
    names = (package, *importlib.metadata.packages_distributions().get(package, ()))
    for name in names:
        with suppress(importlib.metadata.PackageNotFoundError):
            return importlib.metadata.version(name).partition("+")[0]
    return "0"


def _runs(folder: Path) -> list[Run]:
    """The runs of a survey."""
    return History.ask(folder, lambda history: history.runs)


def _ask(file: Path, config: RunConfig, here: Mapping[str, Any], asked: Sequence[Run]) -> str:
    """Ask what a file declares, unless a run of the same has ended already; one that was cut off goes on. Returns what `_say` does."""
    wanted, now = (config.profile, config.dtypes, config.keyword, config.examples or 0, config.seed), checksum(file)
    for run in asked:
        scope = (run.scope.profile, tuple(run.scope.dtypes), run.scope.keyword, run.scope.examples, run.started.seed)
        is_same = conditions(run.started.environment) == conditions(here)
        if is_same and (scope, run.started.checksum) == (wanted, now):
            return "" if run.is_over else _say(file, resumed(_fresh(config), run.name))
    brought = rehearse_import(file, config.limit, config.memory)
    path = str(file.resolve())
    return _say(file, _fresh(config).run(brought.implementations, brought.claims, brought.packages, candidates=path))


def _say(file: Path, result: RunResult) -> str:
    """Have the report written, and say how it went; returns what kept a cell from being judged, empty for nothing.

    Raises InfrastructureError where the run was stopped before all was asked.
    """
    result.written()
    found, finished = result.summary.outcomes, result.summary.finished
    if finished.stopped and len(found) < result.planned:
        refusal = InfrastructureError(f"{file.name}: {finished.stopped}; the same command goes on where this one ended")
        refusal.exit_code = finished.exit_code
        raise refusal
    click.echo(f"{file.name}: {len(found):,} cells, {sum(cell.verdict.failing for cell in found)} failing", err=True)
    return finished.stopped


def _answers(files: Iterable[Path], here: Mapping[str, Any], runs: Iterable[Run]) -> list[CellFinished]:
    """What this harness has found of files as they are now, on any machine, with any seed: of cells with the same name the worst."""
    contents = {checksum(file) for file in files}
    worst: dict[str, CellFinished] = {}
    for run in runs:
        is_of_them = run.started.checksum in contents
        if is_of_them and run.started.environment.get("revision") == here.get("revision"):
            for cell in (event for event in read(run.log).events if isinstance(event, CellFinished)):
                known = worst.setdefault(cell.key, cell)
                worst[cell.key] = max(known, cell, key=lambda each: Verdict(each.verdict).severity)
    return [*worst.values()]


def _fresh(config: RunConfig) -> RunConfig:
    """The same orders for another run."""
    return replace(config, _events=[])


def _worklist(folder: SurveyFolder, outcomes: list[CellFinished], states: Path) -> Worklist:
    found = findings(outcomes, folder.paths, folder.calls)
    known = add_new(states, read_states(states), found, folder.version)
    return Worklist(
        folder.library,
        folder.version,
        tuple(found),
        known,
        Held.of(outcomes, folder.entry_of),
        tuple(folder.left_out()),
        len(folder.entries),
    )


def _told(worklist: Worklist, folder: SurveyFolder) -> str:
    return "\n".join((*_rows(worklist), worklist.summary, f"worklist  {folder.path / 'worklist.md'}"))


def _rows(worklist: Worklist) -> Iterator[str]:
    for each in worklist.found:
        yield f"{each.id}  {each.verdict.value:8} {visible(each.title, 120)}"
