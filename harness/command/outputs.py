"""Outputs: what a run leaves besides its log, as the command line asks for it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from harness.report.reporting import Output
from harness.report.site import Site


def output_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of everything that writes outputs."""
    return command


def outputs(*folders: Path) -> list[Output]:
    """The outputs that are wanted, the pages in some folders always among them."""
    return [Site(*folders)]
