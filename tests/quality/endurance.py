"""A long run: `python -m tests.quality.endurance [--minutes M] [WORD…]`, or `tox -e endurance`.

`harness run` in its nightly profile, ended by its budget, while memory, open files and temporary folders of all its processes
are looked at. Each is a straight line over the time after the first third, in which everything is imported and compiled; its
slope times 24 hours is what a day would add.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import click
import numpy as np
import psutil

from tests.command_line import surroundings

EVERY = 5.0
"""Seconds between two looks."""

PARTS = 6

WARMING_UP = 1 / 3
"""The share of the time that is not looked at."""


def looked_at(main, folder):
    """The MB, open files, processes and temporary entries of a process and all below it."""
    there = [main, *main.children(recursive=True)]
    held, files = [], []
    for each in there:
        with suppress(psutil.Error):
            held.append(each.memory_full_info().uss / 2**20)
            files.append(each.num_fds())
    return held[0] if held else 0.0, sum(held), sum(files), len(there), len([*folder.iterdir()])


NAMES = ("MB of the main process", "MB in all", "open files", "processes", "temporary entries")


def slope(seconds, values):
    """The change in 24 hours by a straight line, with its standard error, where the first third is left out."""
    seconds, values = np.asarray(seconds), np.asarray(values)
    kept = seconds > WARMING_UP * seconds[-1]
    fitted, covariance = np.polyfit(seconds[kept], values[kept], 1, cov=True)
    return fitted[0] * 86_400, covariance[0, 0] ** 0.5 * 86_400


@click.command(context_settings={"ignore_unknown_options": True})
@click.option("--minutes", default=30.0, show_default=True)
@click.argument("words", nargs=-1)
def main(minutes, words):
    """Run, look, and tell the slopes."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        temporary = folder / "tmp"
        temporary.mkdir()
        run = subprocess.Popen(
            [sys.executable, "-m", "harness", "run", "--profile", "nightly", "--budget", f"{minutes}m", *words],
            cwd=folder,
            env=surroundings(TMPDIR=str(temporary)),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        looks, began, process = [], time.monotonic(), psutil.Process(run.pid)
        while run.poll() is None:
            with suppress(psutil.Error):
                looks.append((time.monotonic() - began, *looked_at(process, temporary)))
            with suppress(subprocess.TimeoutExpired):
                run.wait(EVERY)
        left = [*temporary.glob("harness-*")]
    print(
        f"{len(looks)} looks in {looks[-1][0] / 60:.1f} minutes; exit code {run.returncode}; left: {left or 'nothing'}"
    )
    seconds, *columns = zip(*looks[:-1], strict=True)
    for name, values in zip(NAMES, columns, strict=True):
        a_day, error = slope(seconds, values)
        means = " ".join(f"{part.mean():,.0f}" for part in np.array_split(values, PARTS))
        print(
            f"{name}: {means} by {PARTS} parts of the time, at most {max(values):,.0f}; {a_day:+,.0f} ± {error:,.0f} a day"
        )
    sys.exit(os.EX_SOFTWARE if left else 0)


if __name__ == "__main__":
    main()
