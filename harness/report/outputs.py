"""Outputs: the formats in which a run can be written, each a function of its findings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.errors import DeclarationError
from harness.registry import Registry

if TYPE_CHECKING:
    from harness.report.reporting import Findings

Render = Callable[["Findings"], str]


@dataclass(frozen=True)
class OutputFormat:
    """A format: how a run is written in it, and its line in the help of the command line."""

    render: Render
    help: str


OUTPUTS: Registry[OutputFormat] = Registry("output format", "harness.outputs")
"""By name; each is an option `--NAME FILE` of whatever reports."""


def output(name: str, *, help: str = "") -> Callable[[Render], Render]:
    r"""Add an output format: a function that gives the text of a run's findings.

    ```python
    import harness

    @harness.output("csv", help="Write every cell as a row.")
    def csv(findings):
        return "".join(f"{cell.key},{cell.verdict}\n" for cell in findings.summary.outcomes)
    ```

    An installed package's (entry point group `harness.outputs`) is an option `--csv FILE`, and that of a file which is checked
    is written by `--write csv=FILE`. help: the option's line, the first one of the docstring if nothing is said. Raises
    DeclarationError for a name that is taken.
    """

    def declare(render: Render) -> Render:
        told = help or (render.__doc__ or "").partition("\n")[0]
        if not told:
            raise DeclarationError(f"output format {name!r} says nothing of itself; give it help= or a docstring")
        OUTPUTS.register(name, OutputFormat(render, told))
        return render

    return declare
