"""Kills at random moments: `python -m tests.quality.kills [--times N] [--seed N] [ROLE…]`, or `tox -e kills`.

A run is begun, and one process of it is killed with -9 at a moment drawn by lot: the main process, its fork server, a worker,
its companion, or the scheduler of a cluster. Then no cell that was answered may be lost or asked again, no process and no
folder may be left, and the run, resumed where it did not come to its end, must have the outcome of one that nobody disturbed;
but for the cell over which a worker was killed, of which it may say that there is no answer.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import click
import psutil

from harness.record.events import CellFinished, RunFinished
from harness.record.runlog import read
from tests.command_line import surroundings

WORDS = (
    *("run", "linear", "dot_axes", "--dtype", "float32", "--profile", "quick"),
    *("--examples", "4", "--cell-time", "10m", "--jobs", "2"),
)
"""A run of some seconds whose cells hang on nobody's clock."""

ORPHANS_SECONDS = 5.0
"""In which everything must be gone."""

PATIENCE = 600


def begun(folder, *words):
    return subprocess.Popen(
        [sys.executable, "-m", "harness", *words],
        cwd=folder,
        env=surroundings(TMPDIR=str(folder / "tmp")),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def answered(folder):
    """The cells in the log, and whether the run came to its end."""
    logs = [*(folder / "reports" / "runs").glob("*.jsonl.gz")]
    with suppress(Exception):
        events = read(logs[0]).events
        ended = any(isinstance(each, RunFinished) and not each.stopped for each in events)
        return [each for each in events if isinstance(each, CellFinished)], ended
    return [], False


def told(cells):
    return {each.key: (each.verdict, each.tally) for each in cells}


def is_of(process, role, main):
    """Whether a process has this role in a run."""
    with suppress(psutil.Error):
        if "companion.py" in " ".join(process.cmdline()):
            return role == "companion"
        above = process.ppid()
        return role == ("server" if above == main else "worker")
    return False


def victim(role, main, lots):
    """A process of this role, if there is one by now."""
    if role == "main":
        return psutil.Process(main)
    with suppress(psutil.Error):
        there = [each for each in psutil.Process(main).children(recursive=True) if is_of(each, role, main)]
        return lots.choice(there) if there else None
    return None


@dataclass
class Killed:
    """What became of a run of which a process was killed. lost, twice: cells; left: processes and folders; otherwise: cells."""

    role: str
    after: float
    lost: int = 0
    twice: int = 0
    left: tuple[str, ...] = ()
    resumed: bool = False
    otherwise: tuple[str, ...] = ()


def left_of(folder, known):
    """The processes and folders that are left once everything should be gone."""
    end = time.monotonic() + ORPHANS_SECONDS
    while True:
        left = [*(str(each) for each in known if _lives(each)), *map(str, (folder / "tmp").glob("harness-*"))]
        if not left or time.monotonic() > end:
            return tuple(left)
        time.sleep(0.05)


def _lives(process):
    with suppress(psutil.Error):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def killed(role, seconds, undisturbed, lots):
    """Kill a process of this role at some moment of a run."""
    with tempfile.TemporaryDirectory() as place, ExitStack() as stack:
        folder = Path(place)
        (folder / "tmp").mkdir()
        words, scheduler = WORDS, None
        if role == "scheduler":
            scheduler, address = stack.enter_context(cluster(folder))
            words = (*WORDS, "--cluster", address)
        found = Killed(role, lots.uniform(0.0, seconds))
        run, end = begun(folder, *words), time.monotonic() + found.after
        target, known = None, set()
        while run.poll() is None and (time.monotonic() < end or target is None):
            time.sleep(0.01)
            with suppress(psutil.Error):
                known |= set(psutil.Process(run.pid).children(recursive=True))
                target = scheduler or victim(role, run.pid, lots)
        if target is not None:
            with suppress(psutil.Error):
                target.kill()
        run.wait(PATIENCE)
        found.left = left_of(folder, known)
        before, ended = answered(folder)
        found.resumed = not ended
        if not ended and before:
            begun(folder, "run", "--resume").wait(PATIENCE)
        elif not ended:
            shutil.rmtree(folder / "reports", ignore_errors=True)
            begun(folder, *WORDS).wait(PATIENCE)
        after, _ = answered(folder)
        found.lost = len(told(before).keys() - told(after).keys())
        found.twice = len(after) - len(told(after))
        unlike = {each.key: each for each in after if told(undisturbed).get(each.key) != (each.verdict, each.tally)}
        missing = told(undisturbed).keys() - told(after).keys()
        found.otherwise = tuple(missing) + tuple(
            k for k, each in unlike.items() if "no answer: its worker" not in each.reason
        )
        return found


@contextmanager
def cluster(folder):
    """A scheduler and two workers, as processes of their own: the scheduler, and the file that names it."""
    file, environment = folder / "scheduler.json", surroundings()
    schedule = ["scheduler", "--port", "0"]
    work = ["worker", "--nthreads", "1", "--memory-limit", "0", "--death-timeout", "20"]
    begun = [
        subprocess.Popen(
            [
                sys.executable,
                "-m",
                f"distributed.cli.dask_{role}",
                "--scheduler-file",
                str(file),
                "--no-dashboard",
                *words,
            ],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for role, *words in (schedule, work, work)
    ]
    try:
        while not file.exists():
            assert begun[0].poll() is None, "the scheduler has not begun: is the extra `cluster` installed?"
            time.sleep(0.05)
        yield psutil.Process(begun[0].pid), str(file)
    finally:
        for each in begun:
            each.kill()
            each.wait()


@click.command()
@click.option("--times", default=20, show_default=True, help="Kills of each role.")
@click.option("--seed", default=0, show_default=True)
@click.argument("roles", nargs=-1, metavar="[ROLE]...")
def main(times, seed, roles):
    """Kill, and tell what became of each run."""
    lots, sums = random.Random(seed), Counter()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "tmp").mkdir()
        began = time.monotonic()
        begun(folder, *WORDS).wait(PATIENCE)
        seconds, (undisturbed, _) = time.monotonic() - began, answered(folder)
    print(f"undisturbed: {len(undisturbed)} cells in {seconds:.1f} s", flush=True)
    for role in roles or ("main", "server", "worker", "companion", "scheduler"):
        for _ in range(times):
            found = killed(role, seconds, undisturbed, lots)
            sums.update(
                kills=1, lost=found.lost, twice=found.twice, left=len(found.left), otherwise=len(found.otherwise)
            )
            resumed = "resumed" if found.resumed else "went on"
            print(
                f"{found.role:9} after {found.after:4.1f} s: {resumed}; {found.lost} cells lost, {found.twice} asked twice, "
                f"{len(found.left)} processes or folders left {found.left or ''}, "
                f"{len(found.otherwise)} otherwise {found.otherwise[:2] or ''}",
                flush=True,
            )
    print(", ".join(f"{name} {number}" for name, number in sums.items()))
    sys.exit(os.EX_SOFTWARE if sum(sums.values()) > sums["kills"] else 0)


if __name__ == "__main__":
    main()
