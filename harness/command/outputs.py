"""Outputs: what a run leaves besides its log, as the command line asks for it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, redirect_stdout
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any

import click

from harness.report.annotations import Annotations
from harness.report.destination import STANDARD_OUTPUT, Destination
from harness.report.junit import JUnit
from harness.report.mail import Mail
from harness.report.markdown import Markdown
from harness.report.reporting import Output
from harness.report.site import Site

_FILE = click.Path(allow_dash=True)
_OPTIONS: list[Callable[..., Any]] = [
    click.option(
        "--markdown",
        type=_FILE,
        metavar="FILE",
        help="Write a summary for a pull request or a step summary; - is standard output here and below.",
    ),
    click.option("--junit", type=_FILE, metavar="FILE", help="Write every cell as a test case of JUnit."),
    click.option("--mail", type=_FILE, metavar="FILE", help="Write a summary of the size of a mail, as HTML."),
    click.option(
        "--annotations", is_flag=True, help="Print the ten worst causes as GitHub annotations, to standard error."
    ),
]


@dataclass(frozen=True)
class Wanted:
    """The outputs that are wanted besides the pages. Raises HarnessError where one of them can't be written."""

    markdown: Destination | None = None
    junit: Destination | None = None
    mail: Destination | None = None
    annotations: bool = False

    def outputs(self, *folders: Path) -> list[Output]:
        """What writes them, and before all else the pages in some folders."""
        made: list[Output] = [Site(*folders)]
        if self.markdown is not None:
            made.append(Markdown(self.markdown))
        if self.junit is not None:
            made.append(JUnit(self.junit))
        if self.mail is not None:
            made.append(Mail(self.mail))
        if self.annotations:
            made.append(Annotations(sys.stderr))
        return made


def output_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of everything that writes outputs, which the command gets as one `wanted`.

    Where one goes to standard output, everything that is said to a person goes to standard error.
    """

    @wraps(command)
    def asked(*words: Any, markdown: Any, junit: Any, mail: Any, annotations: bool, **options: Any) -> Any:
        files = (markdown, junit, mail)
        _check(files, options["as_json"])
        wanted = Wanted(_to(markdown), _to(junit), _to(mail), annotations)
        with _aside(STANDARD_OUTPUT in files):
            return command(*words, wanted=wanted, **options)

    for option in reversed(_OPTIONS):
        asked = option(asked)
    return asked


def _to(name: str | None) -> Destination | None:
    return Destination(name) if name is not None else None


def _check(files: tuple[str | None, ...], as_json: bool) -> None:
    """Refuse two outputs on standard output."""
    if files.count(STANDARD_OUTPUT) + as_json > 1:
        raise click.UsageError("only one of --json and the outputs can go to standard output; give the other a FILE")


def _aside(taken: bool) -> AbstractContextManager[Any]:
    return redirect_stdout(sys.stderr) if taken else nullcontext()
