"""`harness run`: verify operations of the catalogue."""

from __future__ import annotations

from typing import Any

import click
from click.shell_completion import CompletionItem

from harness.catalogue import catalogue, choose
from harness.command.options import complete_runs, examples, run_options
from harness.command.outputs import output_options
from harness.command.resuming import check_leaves_selection, resumed
from harness.command.verification_run import RunConfig
from harness.declare.implementation import on_backends
from harness.record.listed import claim_listed, listed
from harness.verify.suite import every_claim

_EXAMPLES = examples(
    ("harness run", "everything, on the devices there are"),
    ("harness run linear --dtype float32", "one operation in one dtype"),
    ("harness run --profile quick --budget 3m", "fewer cases, and stop after three minutes"),
    ("harness run -k 'layouts or gradients'", "two properties everywhere"),
    ("harness run linear --seed 7 --examples 500", "other cases, and more of them"),
    ("harness run --resume", "what the latest run left open that did not come to its end"),
    ("harness run --shard 3/8", "one part of eight, as each of eight machines asks its own; see harness merge"),
)


def complete_operations(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The operations that begin so, each with its summary."""
    return [CompletionItem(name, help=op.summary) for name, op in catalogue().items() if name.startswith(incomplete)]


@click.command(epilog=_EXAMPLES)
@click.argument("operations", nargs=-1, shell_complete=complete_operations, metavar="[OPERATION]...")
@run_options
@output_options
@click.option(
    "--resume",
    is_flag=False,
    flag_value="",
    metavar="[RUN]",
    shell_complete=complete_runs,
    help="Ask what a run that was killed, interrupted or out of its budget left open, into its log; the latest such one.",
)
@click.pass_context
def run(ctx: click.Context, /, operations: tuple[str, ...], resume: str | None, **options: Any) -> None:
    """Verify every implementation of the named OPERATIONs, or of all there are."""
    config = RunConfig(**options)
    if resume is not None:
        check_leaves_selection(ctx)
        ctx.exit(resumed(config, resume).show(config.as_json))
    chosen = choose(operations, catalogue())
    every = [made for operation in chosen for made in (operation.own, *operation.implementations.values())]
    listing = [listed(made) for made in on_backends(every, config.backends) if made.name != "definition"]
    ctx.exit(config.run(listing, map(claim_listed, every_claim()), operations=operations).show(config.as_json))
