"""`harness invariance`: which implementations give the same bits again, and in every batch."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import click
from rich import box
from rich.console import Console
from rich.table import Table

from harness.catalogue import catalogue, choose
from harness.command.options import Duration, backend_option, device_option, examples, json_option
from harness.command.progress import Meter
from harness.command.run import complete_operations
from harness.declare.devices import check_devices
from harness.declare.operation import Operation
from harness.errors import HarnessError
from harness.explain.visible import visible
from harness.generate.case import Case
from harness.generate.plan import plan
from harness.verify.cell import check_backends, check_dtypes
from harness.verify.invariance import LARGEST, Invariance, invariance, ranges
from harness.verify.support import computing

_EXAMPLES = examples(
    ("harness invariance", "everything that has a batch, in float32"),
    ("harness invariance gru linear --dtype float32 --dtype bfloat16", "two operations in two precisions"),
    ("harness invariance --device cuda --markdown > table.md", "a table to keep"),
)
_PLANNED = 24


@click.command(name="invariance", epilog=_EXAMPLES)
@click.argument("operations", nargs=-1, shell_complete=complete_operations, metavar="[OPERATION]...")
@device_option
@click.option(
    "--dtype",
    "dtypes",
    multiple=True,
    default=("float32",),
    show_default=True,
    metavar="DTYPE",
    help="The dtype to ask in (repeatable).",
)
@backend_option
@click.option(
    "--patience",
    type=Duration(),
    default=5.0,
    show_default="5s",
    metavar="TIME",
    help="Try no further size of an implementation after this time.",
)
@click.option("--markdown", is_flag=True, help="Print the table as Markdown.")
@json_option
def invariance_command(
    operations: tuple[str, ...],
    device: str,
    dtypes: tuple[str, ...],
    backends: tuple[str, ...],
    patience: float,
    markdown: bool,
    as_json: bool,
) -> None:
    """Ask every implementation of the named OPERATIONs for equal bits: of equal calls, and of a sample in all batches up to 128.

    An operation without a batch axis has no such sample and is left out. Different bits are no fault: whether they differ
    by more than rounding is what `harness run` says.
    """
    check_devices((device,))
    check_dtypes(dtypes, (device,))
    check_backends(backends)
    chosen = [each for each in choose(operations, catalogue()) if each.batched]
    if not chosen:
        raise HarnessError(f"{', '.join(operations)} has no batch axis; `harness list` shows the axes")
    found = []
    with Meter("implementations", as_json) as meter:
        asked = [
            (each, made, dtype)
            for each in chosen
            for dtype in dtypes
            for made in computing(each, device, dtype, backends)
        ]
        if not asked:
            told = ", ".join(operations) or "anything"
            how = f" with {', '.join(backends)}" if backends else ""
            raise HarnessError(
                f"no implementation here computes {told} on {device} in {', '.join(dtypes)}{how} here; see harness list"
            )
        for operation, made, dtype in asked:
            meter.step(f"{made.key} in {dtype}", len(asked))
            found.append(invariance(made, operation, _largest(operation, device, dtype).call(), patience))
    if as_json:
        click.echo(json.dumps([asdict(each) for each in found], indent=2))
    elif markdown:
        click.echo(_markdown(found))
    else:
        _print(found)


def _largest(operation: Operation, device: str, dtype: str) -> Case:
    """A call of LARGEST samples, or as many as are declared: of the workload's sizes, else of the largest planned case."""
    most = operation.sizes["batch"][1]
    if operation.timed is not None:
        sizes, options = operation.timed.sizes, operation.timed.options
        most = max(most, sizes["batch"], *map(int, operation.timed.ladder.get("batch", ())))  # type: ignore[arg-type]
        return Case(operation, {**sizes, "batch": min(LARGEST, most)}, options, dtype=dtype, device=device)
    planned = [case.replace(sizes={**case.sizes, "batch": min(LARGEST, most)}) for case in plan(operation, _PLANNED, 0)]
    fit = [case for case in planned if case.is_admitted]
    return max(fit, key=lambda case: case.entries).replace(
        pattern="normal", layout="contiguous", dtype=dtype, device=device
    )


def _row(found: Invariance) -> tuple[str, ...]:
    if found.reason:
        return (found.implementation, found.dtype, "–", f"not asked: {visible(found.reason, 120)}", "")
    again = "yes" if found.repeats else "no"
    if found.is_batch_invariant:
        return (found.implementation, found.dtype, again, f"yes{_short(found)}", "")
    if not found.differing:
        return (found.implementation, found.dtype, again, "no time to try others", "")
    differs = f"no: others in {ranges(found.differing)}{_short(found)}"
    return (found.implementation, found.dtype, again, differs, f"{found.farthest:.2g} eps")


def _short(found: Invariance) -> str:
    return "" if len(found.asked) == LARGEST else f" ({len(found.asked)} tried)"


_HEAD = ("implementation", "dtype", "same bits again", f"in batches of up to {LARGEST}", "farthest")


def _print(found: list[Invariance]) -> None:
    table = Table(box=box.SIMPLE_HEAD)
    for place, head in enumerate(_HEAD):
        table.add_column(head, no_wrap=place == 0)
    for each in found:
        table.add_row(*_row(each))
    Console().print(table)
    click.echo(_sentence(found))


def _markdown(found: list[Invariance]) -> str:
    lines = ["| " + " | ".join(_HEAD) + " |", "|" + "---|" * len(_HEAD)]
    lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in _row(each)) + " |" for each in found]
    return "\n".join([_sentence(found), "", *lines])


def _sentence(found: list[Invariance]) -> str:
    told: list[Any] = [each for each in found if not each.reason]
    again, always = sum(each.repeats for each in told), sum(each.is_batch_invariant for each in told)
    return (
        f"Of {len(told)} implementations and dtypes, {again} give the same bits again, and {always} give a sample the same "
        "bits in every batch that was tried."
    )
