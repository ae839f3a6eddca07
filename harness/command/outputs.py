"""Outputs: what a run leaves besides its log, as the command line asks for it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext, redirect_stdout
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path
from typing import Any

import click

from harness.errors import HarnessError
from harness.report import junit, log, mail, markdown  # noqa: F401 - registered as they are imported
from harness.report.annotations import Annotations
from harness.report.destination import STANDARD_OUTPUT, Destination
from harness.report.outputs import OUTPUTS
from harness.report.reporting import Findings, Output
from harness.report.site import Site

_FILE = click.Path(allow_dash=True)


@dataclass(frozen=True)
class Wanted:
    """The outputs that are wanted besides the pages: a destination for each format by its name."""

    destinations: dict[str, list[Destination]] = field(default_factory=dict)
    annotations: bool = False

    @property
    def unknown(self) -> list[str]:
        """The formats that are not known, unless a file brings them."""
        return [name for name in self.destinations if name not in OUTPUTS]

    def outputs(self, *folders: Path) -> list[Output]:
        """What writes them, and before all else the pages in some folders.

        Raises HarnessError for an unknown format, and where the pages could not be written.
        """
        site = Site(*folders)
        site.check()
        made: list[Output] = [site]
        for name, destinations in self.destinations.items():
            made += [_written(OUTPUTS.found(name).render, each) for each in destinations]
        if self.annotations:
            made.append(Annotations(sys.stderr))
        return made


def _written(render: Callable[[Findings], str], destination: Destination) -> Output:
    return lambda findings: destination.write(render(findings))


class _Write(click.ParamType[tuple[str, str]]):
    """`NAME=FILE`."""

    name = "format"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        """The two parts, or click's own refusal."""
        name, equals, file = str(value).partition("=")
        if not (name and equals and file):
            self.fail(f"{value!r} names no format and file; write NAME=FILE, as in csv=cells.csv", param, ctx)
        return name, file


def output_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of everything that writes outputs, which the command gets as one `wanted`.

    Where one goes to standard output, everything that is said to a person goes to standard error. Raises HarnessError where
    one can't be written.
    """
    formats = {_parameter(name): name for name in _known_formats()}

    @wraps(command)
    def asked(*words: Any, write: Iterable[tuple[str, str]], annotations: bool, **options: Any) -> Any:
        given = [(name, options.pop(parameter)) for parameter, name in formats.items()]
        pairs = [*((name, file) for name, file in given if file is not None), *write]
        _check([file for _, file in pairs], options["as_json"])
        destinations: dict[str, list[Destination]] = {}
        for name, file in pairs:
            destinations.setdefault(name, []).append(Destination(file))
        with _aside(any(file == STANDARD_OUTPUT for _, file in pairs)):
            return command(*words, wanted=Wanted(destinations, annotations), **options)

    for option in reversed(_options(formats)):
        asked = option(asked)
    return asked


def _known_formats() -> Iterable[str]:
    """The formats there are; those that are loaded where a package's can't be, which is said when a command runs."""
    try:
        return list(OUTPUTS)
    except HarnessError:
        return OUTPUTS.registered


def _parameter(name: str) -> str:
    return f"output_{name.replace('-', '_')}"


def _options(formats: dict[str, str]) -> list[Callable[..., Any]]:
    made = [
        click.option(f"--{name}", parameter, type=_FILE, metavar="FILE", help=OUTPUTS[name].help)
        for parameter, name in formats.items()
    ]
    several = "Write in any format by its name, of which a file that is checked may bring its own (repeatable)."
    return [
        *made,
        click.option("--write", type=_Write(), multiple=True, metavar="NAME=FILE", help=several),
        click.option("--annotations", is_flag=True, help="Print the ten worst causes for GitHub, to standard error."),
    ]


def _check(files: list[str], as_json: bool) -> None:
    """Refuse two outputs on standard output."""
    if files.count(STANDARD_OUTPUT) + as_json > 1:
        raise click.UsageError("only one of --json and the outputs can go to standard output; give the other a FILE")


def _aside(taken: bool) -> AbstractContextManager[Any]:
    return redirect_stdout(sys.stderr) if taken else nullcontext()
