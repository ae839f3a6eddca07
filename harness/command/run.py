"""`harness run`: verify operations of the catalogue."""

from __future__ import annotations

from typing import Any

import click
from click.shell_completion import CompletionItem

from harness.catalogue import catalogue, choose
from harness.command.asking import Asking
from harness.command.options import asking_options
from harness.record.outcome import listed


def _complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(name, help=op.summary) for name, op in catalogue().items() if name.startswith(incomplete)]


@click.command()
@click.argument("operations", nargs=-1, shell_complete=_complete, metavar="[OPERATION]...")
@asking_options
@click.pass_context
def run(ctx: click.Context, operations: tuple[str, ...], **options: Any) -> None:
    """Verify every implementation of the named OPERATIONs, or of all there are."""
    asking = Asking(**options)
    chosen = choose(operations, catalogue())
    listing = [listed(made) for operation in chosen for made in operation.implementations.values()]
    ctx.exit(asking.ask(asking.selection(operations), listing))
