"""`harness check FILE`: verify what a user's file declares, and ask what it states."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from harness.candidates import candidates, check_file
from harness.command.importing import rehearse_import
from harness.command.options import examples, run_options
from harness.command.outputs import output_options
from harness.command.progress import Meter
from harness.command.published import Published, published, timed
from harness.command.verification_run import RunConfig, RunResult, waiting
from harness.errors import HarnessError, InfrastructureError
from harness.kernelbench import joined

_EXAMPLES = examples(
    ("harness check mine.py", "everything that applies to what the file declares"),
    ("harness check mine.py -k agreement", "one property"),
    ("harness check mine.py --dtype float32 --limit 5s", "in one dtype, with little patience"),
    ("harness check mine.py --json > mine.json", "for a script"),
    ("harness check reference.py candidate.py", "a problem in KernelBench's form"),
)


_PATIENCE = 10.0
"""Seconds that one call of a candidate may take at the published size, to be timed there."""


def _one_of(files: tuple[Path, ...], reports: Path) -> Path:
    """The file that is checked; of a reference and a candidate the one that declares both. Raises HarnessError for more."""
    if len(files) == 1:
        return files[0]
    if len(files) > 2:
        raise HarnessError(
            f"{len(files)} files are given; give one, or a reference and a candidate in KernelBench's form"
        )
    for each in files:
        check_file(each)
    try:
        return joined(files[0], files[1], reports / "problems")
    except OSError as failure:
        raise InfrastructureError(f"{reports / 'problems'} can't be written to: {failure.strerror}") from None


@click.command(epilog=_EXAMPLES)
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE...")
@run_options
@output_options
@click.pass_context
def check(ctx: click.Context, /, files: tuple[Path, ...], **options: Any) -> None:
    """Verify the implementations that FILE declares, of an operation of the catalogue or of its own.

    Its own properties and claims are asked as well; one of which FILE brings no implementation is asked of all there are.

    FILE is imported and its functions are called in processes of their own: one that crashes, hangs, exits or takes
    all memory is an error among the results, and nothing else is touched.

    Two files are a reference and a candidate in KernelBench's form: one with Model, get_inputs and get_init_inputs, and one
    with ModelNew.
    """
    config = RunConfig(**options)
    file = _one_of(files, config.reports)
    with waiting(f"importing {file.name}", config.as_json):
        brought = rehearse_import(file, config.limit, config.memory, dtypes=config.dtypes, backends=config.backends)
    if config.wanted.unknown:  # an output format of the file's own, which is needed here
        candidates(file.resolve())
    result = config.run(brought.implementations, brought.claims, brought.packages, candidates=str(file.resolve()))
    if len(files) > 1:
        result = replace(result, published=_published(result, file, config))
    ctx.exit(result.show(config.as_json))


def _published(result: RunResult, file: Path, config: RunConfig) -> tuple[Published, ...]:
    """What is said of the candidates at the published size, with their times where they are accepted there."""
    answers = published(result.summary.outcomes)
    with Meter("timings", config.as_json) as meter:
        return tuple(timed(answers, file, config.limit, _PATIENCE, meter.step))
