"""Trials of Triton kernels in the interpreter: `python -m tests.quality.triton_trials [--profile PROFILE] [NAME…]`, or `tox -e triton`.

Each kernel of `tests/quality/triton_kernels.py` is verified as `harness run` verifies it, in the default profile or another one.
Those that are right must be left in peace; of the others it is asked whether they are found, and whether what is told of them
names the line or what is wrong.
"""

import sys
import time
from dataclasses import dataclass
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from harness.command.options import PROFILES
from harness.measure.verdict import Verdict
from tests.quality import triton_kernels
from tests.quality.planted import Planted
from tests.quality.trials import Trial, tried


@dataclass(frozen=True)
class Answer:
    """What became of a kernel, whether what is told is right (None of one that is right), and the processor's seconds."""

    trial: Trial
    right: bool | None
    seconds: float


def kernels():
    """Every kernel that is planted, in the order of its lines."""
    return [each for each in vars(triton_kernels).values() if isinstance(each, Planted)]


def answered(each, profile="default"):
    """Verify a kernel until it falls."""
    began = time.process_time()
    trial = tried(each, profile)
    right = any(word in trial.diagnosis for word in meant(each)) if each.verdict.failing else None
    return Answer(trial, right, time.process_time() - began)


def meant(each):
    """The words one of which the diagnosis must contain: for a piece of source, which has a bracket, `line N`, else themselves."""
    lines = Path(triton_kernels.__file__).read_text(encoding="utf-8").splitlines()
    for word in each.words:
        places = [number for number, line in enumerate(lines, 1) if line.strip().startswith(word)]
        yield from [f"line {number} " for number in places] if "(" in word else [word]


def show(answers):
    """Print the table and the figures; returns whether the project's goals are met."""
    table = Table("kernel", "verdict", "by", "s", "diagnosis")
    for answer in answers:
        each = answer.trial
        mark = {True: "[green]right[/]", False: "[red]not right[/]", None: ""}[answer.right]
        verdict = each.verdict.value if each.found else f"[red]{each.verdict.value}[/], not {each.expected.value}"
        table.add_row(each.name, verdict, each.statement, f"{answer.seconds:.1f}", f"{mark} {each.diagnosis}")
    Console(width=180).print(table)
    faulty = [each for each in answers if each.trial.expected.failing]
    sound = [each for each in answers if not each.trial.expected.failing]
    found = [each for each in faulty if each.trial.found]
    right = [each for each in found if each.right]
    alarms = [each for each in sound if each.trial.verdict.severity >= Verdict.UNSTABLE.severity]
    print(f"faults found: {len(found)} of {len(faulty)}; the cause or line right: {len(right)} of {len(found)}")
    print(
        f"false alarms: {len(alarms)} of {len(sound)}, in {sum(each.seconds for each in sound):.0f} s of the processor"
    )
    return len(found) == len(faulty) and len(right) >= 0.8 * len(found) and not alarms


@click.command()
@click.option("--profile", type=click.Choice(list(PROFILES)), default="default", show_default=True)
@click.argument("wanted", nargs=-1, metavar="[NAME]...")
def main(profile, wanted):
    """Try every kernel whose name contains one of the words given."""
    chosen = [each for each in kernels() if not wanted or any(word in each.name for word in wanted)]
    answers = []
    for each in chosen:
        answers.append(answered(each, profile))
        trial = answers[-1].trial
        print(f"{len(answers)}/{len(chosen)}  {each.name}: {trial.verdict}; {trial.diagnosis}", flush=True)
    sys.exit(0 if show(answers) else 1)


if __name__ == "__main__":
    main()
