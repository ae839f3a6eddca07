"""`harness check FILE`: verify the implementations that a user's file declares."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import click

from harness.command.asking import Asking
from harness.command.options import asking_options
from harness.errors import CandidateError
from harness.record.events import ImplementationListed

_IMPORT_SECONDS = 120


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@asking_options
@click.pass_context
def check(ctx: click.Context, file: Path, **options: Any) -> None:
    """Verify the implementations that FILE declares, of an operation of the catalogue or of its own."""
    asking = Asking(**options)
    selection = asking.selection(candidates=str(file.resolve()))
    ctx.exit(asking.ask(selection, rehearse_import(file)))


def rehearse_import(file: Path) -> list[ImplementationListed]:
    """Import the file in a process of its own, so that what it does there costs nothing here.

    Raises CandidateError where the import fails, crashes or does not end.
    """
    try:
        done = subprocess.run(
            [sys.executable, "-m", "harness.command.importing", str(file)],
            capture_output=True,
            text=True,
            timeout=_IMPORT_SECONDS,
        )
    except subprocess.TimeoutExpired:
        raise CandidateError(
            f"{file.name} was still being imported after {_IMPORT_SECONDS} s; move long work into functions"
        ) from None
    answer = done.stdout.rpartition("\n\n")[2]
    if done.returncode == 0 and answer.startswith("["):
        return [ImplementationListed(**entry) for entry in json.loads(answer)]
    if done.returncode == CandidateError.exit_code:
        raise CandidateError(done.stderr.strip().splitlines()[-1])
    raise CandidateError(
        f"{file.name} ended the process while it was imported (exit status {done.returncode}); import it alone to see why"
    )
