"""The options that `run` and `check` share, and the profiles behind them."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from harness.declare.backends import BACKENDS
from harness.declare.devices import accelerators, devices_here
from harness.declare.twins import TWINS
from harness.explain.visible import visible
from harness.generate.precision import PRECISIONS
from harness.history.archive import run_of
from harness.history.baseline import PREVIOUS
from harness.history.history import logs

AS_JSON = "harness.json"
"""Where a command's context says that its output is for a machine."""


@dataclass(frozen=True)
class Profile:
    """How much is asked: cases and seconds per cell, whether the costly properties are asked at all, and which ones alone.

    properties: the names of the derived properties that are asked (none: all); what a file states itself is always asked.
    """

    examples: int
    cell_seconds: float
    nightly: bool = False
    properties: tuple[str, ...] = ()

    def of(self, operations: int) -> Profile:
        """The profile for so many operations: of few, each can be asked more in less time than all of them take."""
        return (
            replace(self, examples=2 * self.examples, cell_seconds=2 * self.cell_seconds)
            if operations <= _FEW
            else self
        )


_FEW = 4
"""Operations up to which twice as much is asked of each."""


PROFILES = {
    "smoke": Profile(examples=5, cell_seconds=0.5, properties=("agreement", "gradients")),
    "quick": Profile(examples=5, cell_seconds=1.0),
    "default": Profile(examples=24, cell_seconds=4.0),
    "nightly": Profile(examples=400, cell_seconds=60.0, nightly=True),
}
"""Of the faults that `tox -e planted` plants, 9 of 10 fall to agreement, and most of the others to gradients."""


LONGEST_DAYS = 3650
"""The longest duration, which every timer of the system can wait for."""

MOST_AT_ONCE = 1024
"""The most workers, and the most threads of each, whatever the machine."""

MOST_EXAMPLES = 10**9
"""The most cases of a cell."""


class Duration(click.ParamType[float]):
    """`90`, `90s`, `5m` or `1h`, in seconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Seconds, or click's own refusal."""
        match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)\s*([smh]?)", str(value))
        if match is None or float(match[1]) == 0:
            self.fail(f"{value!r} is no duration; write 90s, 5m or 1h", param, ctx)
        seconds = float(match[1]) * {"": 1, "s": 1, "m": 60, "h": 3600}[match[2]]
        if seconds > LONGEST_DAYS * 86400:
            self.fail(f"{visible(str(value), 40)} is longer than {LONGEST_DAYS} days; write a shorter time", param, ctx)
        return seconds


def cores() -> int:
    """The processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def examples(*pairs: tuple[str, str]) -> str:
    """Commands and what they do, as the last paragraph of a help text."""
    width = max(len(command) for command, _ in pairs)
    return "\n".join(["", "\b", "Examples:", *(f"  {command:{width}}  {meaning}" for command, meaning in pairs), ""])


def _one_of(words: Iterable[str]) -> Callable[..., list[CompletionItem]]:
    def complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        return [CompletionItem(word) for word in words if word.startswith(incomplete)]

    return complete


def _devices(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    return _one_of(devices_here())(ctx, param, incomplete)


def _remember(ctx: click.Context, param: click.Parameter, value: bool) -> bool:
    ctx.meta[AS_JSON] = value
    return value


json_option = click.option(
    "--json", "as_json", is_flag=True, is_eager=True, callback=_remember, help="Print JSON, and nothing else."
)


jobs_option = click.option(
    "--jobs",
    "-n",
    type=click.IntRange(1, MOST_AT_ONCE),
    default=cores,
    show_default="the cores there are",
    help="Worker processes.",
)
"""`--jobs`: how many workers there are."""

threads_option = click.option(
    "--threads",
    type=click.IntRange(1, MOST_AT_ONCE),
    default=1,
    show_default=True,
    help="Threads in which each worker computes.",
)
"""`--threads`: what a library may split its work among; never taken from OMP_NUM_THREADS, which differs by machine."""

limit_option = click.option(
    "--limit",
    type=Duration(),
    default=60.0,
    metavar="TIME",
    show_default="60s",
    help="Stop an implementation that does not return in this time.",
)
"""`--limit`: the patience with an implementation."""


examples_option = click.option(
    "--examples",
    type=click.IntRange(1, MOST_EXAMPLES),
    metavar="N",
    help="Cases per cell, instead of the profile's.",
)
"""`--examples`: how many cases a cell has."""

keyword_option = click.option(
    "-k", "keyword", default="", metavar="EXPRESSION", help="Only cells whose names match, as in pytest."
)
"""`-k`: which cells are asked, by their names."""

seed_option = click.option(
    "--seed",
    type=click.IntRange(0, 2**63 - 1),
    default=0,
    show_default=True,
    help="The seed of everything that is drawn.",
)
"""`--seed`: of all cases."""

device_option = click.option(
    "--device",
    default=lambda: (*accelerators(), *devices_here())[0],
    show_default="the accelerator where there is one, else cpu",
    metavar="DEVICE",
    help="Where, by PyTorch's name: cpu, cuda, mps, xpu:1.",
)
"""`--device`: the one device on which something is measured."""


def complete_runs(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The runs that begin so, the latest first."""
    there = map(run_of, logs(ctx.params.get("reports") or _REPORTS))
    return [CompletionItem(name) for name in there if name.startswith(incomplete)]


_REPORTS = Path("reports")

reports_option = click.option(
    "--reports",
    type=click.Path(file_okay=False, path_type=Path),
    default=_REPORTS,
    show_default=True,
    help="The folder of reports and run logs.",
)
"""`--reports`: where runs are written and read."""

backend_option = click.option(
    "--backend",
    "backends",
    multiple=True,
    metavar="BACKEND",
    shell_complete=_one_of(BACKENDS),
    help=f"Ask on this backend only (repeatable); {', '.join(TWINS)} run what torch computes too, where they are named.",
)
"""`--backend`: whose implementations are asked."""

baseline_option = click.option(
    "--baseline",
    default="",
    metavar=f"RUN|BRANCH|{PREVIOUS}",
    shell_complete=complete_runs,
    show_default="the latest run that asked as much of the same, on the same machine and PyTorch if there is one",
    help=f"Compare with this run, with the latest one of a branch, or with the {PREVIOUS} one on whatever PyTorch.",
)
"""`--baseline`: what a run is compared with."""

_OPTIONS: list[Callable[..., Any]] = [
    click.option(
        "--device",
        "devices",
        multiple=True,
        metavar="DEVICE",
        shell_complete=_devices,
        help="Ask on this device only, by PyTorch's name: cpu, cuda, mps, xpu:1 (repeatable).",
    ),
    click.option(
        "--dtype",
        "dtypes",
        multiple=True,
        metavar="DTYPE",
        shell_complete=_one_of(PRECISIONS),
        help="Ask in this dtype only, as float32, or in a reduced math mode of it: tf32 on CUDA, bf32 on CPUs (repeatable).",
    ),
    backend_option,
    click.option(
        "--profile", type=click.Choice(list(PROFILES)), default="default", show_default=True, help="How much is asked."
    ),
    examples_option,
    click.option(
        "--cell-time",
        "cell_seconds",
        type=Duration(),
        metavar="TIME",
        help="Time for the cases of one cell, the first one and compilers not counted, instead of the profile's.",
    ),
    click.option("--budget", type=Duration(), metavar="TIME", help="Stop after this time: 90s, 5m, 1h."),
    jobs_option,
    threads_option,
    seed_option,
    keyword_option,
    click.option(
        "--cluster",
        default="",
        metavar="ADDRESS",
        help="Ask on the machines of a Dask cluster: its scheduler's address, or its scheduler file.",
    ),
    click.option(
        "--shard",
        default="",
        metavar="K/N",
        help="Ask one part of N, of about the same length by an earlier run; `harness merge` makes one run of all.",
    ),
    limit_option,
    reports_option,
    click.option(
        "--first",
        type=click.Path(path_type=Path),
        metavar="FILE",
        show_default="counterexamples.jsonl among the reports, if it is there",
        help="Try the counterexamples of this file before anything else (see `harness replay --save`).",
    ),
    baseline_option,
    json_option,
]


def run_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of everything that asks."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command
