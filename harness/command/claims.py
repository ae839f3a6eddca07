"""`harness claims`: what the source documents say, and whether it holds."""

from __future__ import annotations

import difflib
from typing import Any

import click
from click.shell_completion import CompletionItem

from harness.catalogue import catalogue
from harness.command.options import examples, run_options
from harness.command.outputs import output_options
from harness.command.verification_run import RunConfig
from harness.errors import UnknownName
from harness.record.listed import claim_listed, listed
from harness.report.document import ClaimEntry, as_json
from harness.report.terminal import print_claims
from harness.verify.claim import Claim
from harness.verify.suite import every_claim, every_property

_EXAMPLES = examples(
    ("harness claims", "every claim, in a few minutes"),
    ("harness claims gru.subset hippo.batch", "two of them"),
    ("harness claims gru --examples 200", "all whose id begins with gru, on more cases"),
    ("harness claims --json", "for a script"),
)


def complete_claims(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The claims that begin so, each with its statement."""
    return [CompletionItem(each.id, help=each.statement) for each in every_claim() if each.id.startswith(incomplete)]


@click.command(epilog=_EXAMPLES)
@click.argument("claims", nargs=-1, shell_complete=complete_claims, metavar="[CLAIM]...")
@run_options
@output_options
@click.pass_context
def claims(ctx: click.Context, /, claims: tuple[str, ...], **options: Any) -> None:
    """Settle the named CLAIMs of the source documents, or all of them, and print each with its evidence.

    A claim that comes out otherwise than expected makes the exit code 1.
    """
    config = RunConfig(**options)
    chosen = _choose(claims)
    only = _evidence(chosen)
    operations = tuple(dict.fromkeys(operation for _, operation in only))
    listing = [listed(made) for name in operations for made in catalogue()[name].implementations.values()]
    result = config.run(listing, map(claim_listed, chosen), operations=operations, only=only)
    if config.as_json:
        claimed = (*result.summary.settled, *result.summary.declined)
        click.echo(as_json([ClaimEntry.of(each) for each in claimed]))
    else:
        print_claims([*result.summary.settled, *result.summary.declined])
    broken = result.written()
    if not (config.as_json or broken):
        click.echo(f"report  {result.report.with_name('claims.html')}")
    ctx.exit(result.exit_code(broken))


def _choose(names: tuple[str, ...]) -> list[Claim]:
    """The claims of these ids or families, all of them for none. Raises UnknownName with the nearest ids."""
    known = every_claim()
    for name in names:
        if not any(_named(name, each.id) for each in known):
            near = difflib.get_close_matches(name, [each.id for each in known], n=3, cutoff=0.4)
            hint = f"did you mean {' or '.join(near)}?" if near else "see `harness claims`"
            raise UnknownName(f"claim {name!r} is unknown; {hint}")
    return [each for each in known if not names or any(_named(name, each.id) for name in names)]


def _named(name: str, id: str) -> bool:
    return id == name or id.startswith(f"{name}.")


def _evidence(chosen: list[Claim]) -> tuple[tuple[str, str], ...]:
    """The pairs of property and operation that settle the claims."""
    properties = {prop.name: prop for prop in every_property()}
    properties.update({each.own.name: each.own for each in chosen if each.own is not None})
    return tuple(
        (name, operation.name)
        for each in chosen
        for name in each.by
        for operation in catalogue().values()
        if properties[name].applies(operation) and each.is_about(operation)
    )
