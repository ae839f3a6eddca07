"""`harness check FILE`: verify what a user's file declares, and ask what it states."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from harness.candidates import candidates
from harness.command.asking import Asking, waiting
from harness.command.importing import rehearse_import
from harness.command.options import asking_options, examples
from harness.command.outputs import output_options

_EXAMPLES = examples(
    ("harness check mine.py", "everything that applies to what the file declares"),
    ("harness check mine.py -k agreement", "one property"),
    ("harness check mine.py --dtype float32 --limit 5s", "in one dtype, with little patience"),
    ("harness check mine.py --json > mine.json", "for a script"),
)


@click.command(epilog=_EXAMPLES)
@click.argument("file", type=click.Path(path_type=Path))
@asking_options
@output_options
@click.pass_context
def check(ctx: click.Context, /, file: Path, **options: Any) -> None:
    """Verify the implementations that FILE declares, of an operation of the catalogue or of its own.

    Its own properties and claims are asked as well; one of which FILE brings no implementation is asked of all there are.

    FILE is imported and its functions are called in processes of their own: one that crashes, hangs, exits or takes
    all memory is an error among the results, and nothing else is touched.
    """
    asking = Asking(**options)
    with waiting(f"importing {file.name}", asking.as_json):
        brought = rehearse_import(file, asking.limit, asking.memory, dtypes=asking.dtypes, backends=asking.backends)
    if asking.wanted.unknown:  # an output format of the file's own, which is needed here
        candidates(file.resolve())
    answer = asking.ask(brought.implementations, brought.claims, brought.packages, candidates=str(file.resolve()))
    ctx.exit(answer.show(asking.as_json))
