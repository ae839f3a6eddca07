"""Outputs: what a run leaves besides its log, as the command line asks for it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from harness.report.html import Site
from harness.report.reporting import Output


def output_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of everything that writes outputs."""
    return command


def outputs(folder: Path) -> list[Output]:
    """The outputs that are wanted, the pages in a folder always among them."""
    return [Site(folder)]
