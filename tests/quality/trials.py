"""Trials of what is planted: `python -m tests.quality.trials [--profile PROFILE] [NAME…]`, or `tox -e planted`.

Each is verified as `harness run` verifies it, in the default profile or another one, until it falls; the table says whether and how
soon, how small the counterexample became, whether the diagnosis is the right one, and whether the script shows the same
difference in a clean process.
"""

import math
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import click
import torch
from rich.console import Console
from rich.table import Table

from harness.command.options import PROFILES
from harness.execute.outcome import outcome
from harness.explain.script import printed_difference
from harness.generate.plan import plan
from harness.measure.verdict import Verdict
from harness.verify.cell import cells
from harness.verify.suite import every_property
from tests.quality.planted import planted

_NO_CAUSE = ("circumstances", "always", "dtype", "only some entries")
"""Diagnoses that say when or where something is wrong, and claim to know no cause."""


@dataclass(frozen=True)
class Trial:
    """What became of something planted."""

    name: str
    expected: Verdict
    verdict: Verdict
    statement: str = ""
    seconds: float = 0.0
    cases: int = 0
    numbers: int | None = None
    diagnosis: str = ""
    cause: str = ""
    right: bool | None = None
    script: str = ""

    @property
    def found(self):
        """Whether the verdict is the one deserved."""
        return self.verdict is self.expected


def tried(each, profile="default"):
    """Verify something planted, as a run in this profile does, until it falls."""
    asked = PROFILES[profile]
    torch.set_num_threads(1)
    plan.cache_clear()
    began, spent, cases, worst = time.perf_counter(), 0.0, 0, Verdict.UNSUPPORTED
    wanted = [prop for prop in every_property() if not asked.properties or prop.name in asked.properties]
    for prop in [prop for prop in wanted if asked.nightly or not prop.nightly]:
        for cell in cells(prop, [each.operation], [each.implementation], ["cpu"]):
            found = outcome(cell, asked.examples, 0, asked.cell_seconds)
            cases += sum(found.tally.values())
            spent += sum(found.seconds.get(account, 0.0) for account in ("shrinking", "diagnosing"))
            verdict = Verdict(found.verdict)
            worst = max(worst, verdict, key=lambda each: each.severity)
            if verdict.failing:
                return explained(each, found, time.perf_counter() - began - spent, cases)
    return Trial(each.name, each.verdict, _graded(worst), seconds=time.perf_counter() - began - spent, cases=cases)


def _graded(verdict):
    """The verdict, where anything up to rounding is as good as rounding."""
    return max(verdict, Verdict.ROUNDING, key=lambda each: each.severity)


def explained(each, found, seconds, cases):
    """The trial of a fault that fell: its counterexample and its diagnosis."""
    shown, told, cause = found.counterexample, "", ""
    if shown is not None and shown.diagnosis is not None:
        told, cause = str(shown.diagnosis), shown.diagnosis.cause
    return Trial(
        each.name,
        each.verdict,
        Verdict(found.verdict),
        found.prop,
        seconds,
        cases,
        shown.numbers if shown else None,
        told,
        cause,
        cause in each.cause and all(word in told for word in each.words),
        script_of(shown.script) if shown else "",
    )


def script_of(script):
    """What a counterexample's script does alone, in a folder without the harness: `reproduces`, or what went wrong."""
    if "\nimport harness" in script:
        return "needs the harness"
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "harness.py").write_text("raise ImportError('the harness is not to be used here')\n")
        (Path(folder) / "script.py").write_text(script, encoding="utf-8")
        surroundings = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        done = subprocess.run(
            [sys.executable, "script.py"], cwd=folder, env=surroundings, capture_output=True, text=True, check=False
        )
    if done.returncode:
        return f"fails: {done.stderr.strip().splitlines()[-1]}"
    (seen,) = re.findall(r"^# Largest difference seen: (\S+)$", script, re.MULTILINE)
    printed = printed_difference(done.stdout)
    return "reproduces" if math.isclose(printed, float(seen), rel_tol=0.01) else f"shows {printed}, not {seen}"


def show(trials):
    """Print the table and the figures; returns whether all that must hold does."""
    table = Table("planted", "verdict", "by", "s", "cases", "numbers", "script", "diagnosis")
    for each in trials:
        mark = {True: "[green]right[/]", False: "[red]not right[/]", None: ""}[each.right]
        verdict = each.verdict.value if each.found else f"[red]{each.verdict.value}[/], not {each.expected.value}"
        numbers = "" if each.numbers is None else str(each.numbers)
        row = (each.name, verdict, each.statement, f"{each.seconds:.2f}", str(each.cases), numbers, each.script)
        table.add_row(*row, f"{mark} {each.diagnosis}")
    Console(width=180).print(table)
    faulty = [each for each in trials if each.expected.failing]
    sound = [each for each in trials if not each.expected.failing]
    found = [each for each in faulty if each.found]
    right = [each for each in found if each.right]
    misled = [each for each in found if each.cause and each.cause not in _NO_CAUSE and not each.right]
    lost = [each for each in faulty if each.verdict is Verdict.UNSTABLE]
    print(f"faults found: {len(found)} of {len(faulty)}; told to lose digits: {len(lost)}")
    if found:
        seconds, cases = (statistics.median(each) for each in zip(*((t.seconds, t.cases) for t in found), strict=True))
        print(f"median to find: {seconds:.2f} s, {cases:.0f} cases")
        print(f"median counterexample: {statistics.median(t.numbers for t in found):.0f} numbers")
    print(f"scripts that reproduce: {sum(t.script == 'reproduces' for t in found)} of {len(found)}")
    print(f"diagnosis right: {len(right)} of {len(found)}; wrong with confidence: {len(misled)}")
    print(f"correct implementations called wrong: {sum(t.verdict.failing for t in sound)} of {len(sound)}")


@click.command()
@click.option("--profile", type=click.Choice(list(PROFILES)), default="default", show_default=True)
@click.argument("wanted", nargs=-1, metavar="[NAME]...")
def main(profile, wanted):
    """Try everything planted whose name contains one of the words given, two at a time; each is told as it is known."""
    chosen = [each for each in planted() if not wanted or any(word in each.name for word in wanted)]
    trials = []
    with ProcessPoolExecutor(2) as pool:
        for each in pool.map(partial(_tried_by_name, profile=profile), [each.name for each in chosen]):
            trials.append(each)
            right = "" if each.right is None else "right: " if each.right else "NOT RIGHT: "
            verdict = each.verdict.value if each.found else f"{each.verdict.value}, NOT {each.expected.value}"
            print(f"{len(trials)}/{len(chosen)}  {each.name}: {verdict}; {right}{each.diagnosis}", flush=True)
    show(trials)


def _tried_by_name(name, profile):
    """In a process of the pool, where functions can't be sent; a fault of the harness costs its own trial."""
    each = next(each for each in planted() if each.name == name)
    try:
        return tried(each, profile)
    except Exception as failure:
        return Trial(name, each.verdict, Verdict.UNSUPPORTED, diagnosis=f"{type(failure).__name__}: {failure}")


if __name__ == "__main__":
    main()
