"""`harness docs`: a page for every operation."""

from __future__ import annotations

from pathlib import Path

import click

from harness.catalogue import catalogue, choose
from harness.command.options import examples
from harness.command.run import complete_operations
from harness.report.operation_pages import write_pages

_EXAMPLES = examples(
    ("harness docs", "every operation, into docs/operations"),
    ("harness docs gru lstm --into notes", "two of them, elsewhere"),
)


@click.command(epilog=_EXAMPLES)
@click.argument("operations", nargs=-1, shell_complete=complete_operations, metavar="[OPERATION]...")
@click.option(
    "--into",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("docs/operations"),
    show_default=True,
    help="Where the pages go.",
)
def docs(operations: tuple[str, ...], into: Path) -> None:
    """Write a page in Markdown for every OPERATION: definition, axes, edges, implementations, properties and claims."""
    pages = write_pages(choose(operations, catalogue()), into)
    click.echo(f"{len(pages)} pages in {into}")
