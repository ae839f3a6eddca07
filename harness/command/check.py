"""`harness check FILE`: verify what a user's file declares, and ask what it states."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from harness.candidates import candidates
from harness.command.importing import rehearse_import
from harness.command.options import examples, run_options
from harness.command.outputs import output_options
from harness.command.verification_run import RunConfig, waiting

_EXAMPLES = examples(
    ("harness check mine.py", "everything that applies to what the file declares"),
    ("harness check mine.py -k agreement", "one property"),
    ("harness check mine.py --dtype float32 --limit 5s", "in one dtype, with little patience"),
    ("harness check mine.py --json > mine.json", "for a script"),
)


@click.command(epilog=_EXAMPLES)
@click.argument("file", type=click.Path(path_type=Path))
@run_options
@output_options
@click.pass_context
def check(ctx: click.Context, /, file: Path, **options: Any) -> None:
    """Verify the implementations that FILE declares, of an operation of the catalogue or of its own.

    Its own properties and claims are asked as well; one of which FILE brings no implementation is asked of all there are.

    FILE is imported and its functions are called in processes of their own: one that crashes, hangs, exits or takes
    all memory is an error among the results, and nothing else is touched.
    """
    config = RunConfig(**options)
    with waiting(f"importing {file.name}", config.as_json):
        brought = rehearse_import(file, config.limit, config.memory, dtypes=config.dtypes, backends=config.backends)
    if config.wanted.unknown:  # an output format of the file's own, which is needed here
        candidates(file.resolve())
    result = config.run(brought.implementations, brought.claims, brought.packages, candidates=str(file.resolve()))
    ctx.exit(result.show(config.as_json))
