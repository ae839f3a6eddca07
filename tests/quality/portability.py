"""Verdicts on emulated machines: `python -m tests.quality.portability [OPERATION|FILE.py…]`, or `tox -e portability`.

Runs the quick profile, claims included, on every machine of `tests/quality/machines.py` in turn with several seeds, and
prints what differs between machines, what is wrong or an error outside the known findings, which claims come out
otherwise, which correct implementations a few cases of the calibration call wrong, and what the harness itself failed at.
Exits with 1 where there is anything of it.

Each machine meets every operation, property and claim once: with the first seed a third of the operations, with the next
one another third, and each operation has another seed on the next machine, so that several machines share an operation
and a seed. `--whole` asks everything with every seed.
"""

import json
import subprocess
import sys
import tempfile
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import click

from harness.catalogue import catalogue
from harness.command.options import cores
from harness.explain.visible import visible
from harness.measure.verdict import Verdict
from harness.record.claim_outcomes import claim_outcomes
from harness.record.events import CellFinished, ClaimListed
from harness.record.runlog import read
from tests.quality.machines import MACHINES, Machine

_SEEDS = (0, 1, 2)


@dataclass(frozen=True)
class Part:
    """What one machine is asked with one seed: operations of the catalogue, and files that are checked."""

    machine: Machine
    seed: int
    operations: tuple[str, ...]
    files: tuple[str, ...]


@dataclass
class Told:
    """What a part gave: cells, the claims that were listed, what the machine said of itself, and the harness' faults."""

    part: Part
    cells: list[CellFinished] = field(default_factory=list)
    claims: list[ClaimListed] = field(default_factory=list)
    probe: dict = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)


def parts(machines, seeds, words, whole=False):
    """How operations and files are spread over machines and seeds."""
    files = tuple(str(Path(word).resolve()) for word in words if word.endswith(".py"))
    named = tuple(word for word in words if not word.endswith(".py"))
    operations = named or (() if files else tuple(catalogue()))
    for turn, machine in enumerate(machines):
        for place, seed in enumerate(seeds):
            mine = [op for at, op in enumerate(operations) if whole or (at + turn + place) % len(seeds) == 0]
            if mine or files:
                yield Part(machine, seed, tuple(mine), files)


def asked(part, folder):
    """Run a part: the command of the harness for the catalogue and for each file, and the probe."""
    told = Told(part)
    commands = [["check", file] for file in part.files]
    if part.operations:
        commands.insert(0, ["run", *part.operations])
        _probe(told, folder)
    for command in commands:
        with tempfile.TemporaryDirectory(dir=folder) as reports:
            _command(told, folder, Path(reports), command)
    return told


def _command(told, folder, reports, command):
    part = told.part
    options = ("--profile", "quick", "--device", "cpu", "--jobs", "1", "--json", "--reports", str(reports))
    words = ("-m", "harness", *command, *options, "--seed", str(part.seed), "--threads", str(part.machine.threads))
    done = _python(part, folder, *words)
    for log in (reports / "runs").glob("*"):
        events = read(log).events
        told.cells += [event for event in events if isinstance(event, CellFinished)]
        told.claims += [event for event in events if isinstance(event, ClaimListed)]
    if done.returncode not in (0, 1):
        told.faults.append(f"exit {done.returncode}: {_last(done.stderr) or done.stdout[:300]}")
    told.faults += [f"{cell.key}: {cell.reason}" for cell in told.cells if cell.unjudged]


def _probe(told, folder):
    part = told.part
    words = ("-m", "tests.quality.probe", str(part.machine.threads), str(part.seed), *part.operations)
    done = _python(part, folder, *words)
    if done.returncode:
        told.faults.append(f"the probe: {_last(done.stderr)}")
    else:
        told.probe = json.loads(done.stdout.splitlines()[-1])


def _python(part, folder, *words):
    surroundings = part.machine.environment(folder)
    return subprocess.run([sys.executable, *words], env=surroundings, capture_output=True, text=True, check=False)


def _last(text):
    return (text.strip().splitlines() or [""])[-1]


def findings(every):
    """What there is to say against the harness, as lines; none where every machine tells the same and nothing false."""
    for told in every:
        yield from false(told)
    yield from _unexpected_claims(every)
    yield from _differing_verdicts(every)
    yield from _differing_cases(every)


def false(told):
    """What a part alone says against the harness, as lines."""
    where = f"{told.part.machine.name}, seed {told.part.seed}"
    yield from (f"fault of the harness  {where}: {fault}" for fault in told.faults)
    yield from (f"{cell.verdict}  {where}: {cell.key}: {cell.reason}" for cell in told.cells if cell.fails)
    yield from (f"called wrong  {where}: {', '.join(each)}" for each in told.probe.get("alarms", ()))


def _unexpected_claims(every):
    """Claims, each settled by all that a machine was asked: one that is refuted may hold for one operation."""
    for machine in dict.fromkeys(told.part.machine for told in every):
        of_it = [told for told in every if told.part.machine is machine]
        claims = {claim.id: claim for told in of_it for claim in told.claims}
        for each in claim_outcomes(claims.values(), [cell for told in of_it for cell in told.cells]):
            if not each.as_expected:
                yield f"claim otherwise  {machine.name}: {each.claim.id} {each.outcome}: {each.evidence}"


def _differing_verdicts(every):
    """Cells that get another verdict on another machine in the same cases; the same bits or not is no difference.

    A known finding may show on one machine and not on another: which bits a library gets wrong is its own affair.
    """
    verdicts, known = defaultdict(lambda: defaultdict(list)), set()
    for told in every:
        for cell in told.cells:
            known |= {cell.key} if cell.known else set()
            if not cell.claim:
                verdicts[cell.key, told.part.seed][_graded(cell.verdict)].append(told.part.machine.name)
    for (key, seed), graded in verdicts.items():
        if len(graded) > 1 and key not in known:
            each = "; ".join(f"{verdict} on {', '.join(machines)}" for verdict, machines in graded.items())
            yield f"differs  seed {seed}: {key}: {each}"


def _graded(verdict):
    return Verdict.ROUNDING.value if verdict == Verdict.EXACT.value else verdict


def _differing_cases(every):
    """Operations whose cases have other bits on another machine."""
    drawn = defaultdict(lambda: defaultdict(list))
    for told in every:
        for operation, summary in told.probe.get("cases", {}).items():
            drawn[operation, told.part.seed][summary].append(told.part.machine.name)
    for (operation, seed), machines in drawn.items():
        if len(machines) > 1:
            yield f"cases differ  seed {seed}: {operation}: {' / '.join(map(', '.join, machines.values()))}"


def emulated(every):
    """By kernel, among how many kinds of bits the machines are divided."""
    kinds = defaultdict(set)
    for told in every:
        for kernel, summary in told.probe.get("kernels", {}).items():
            kinds[kernel].add(summary)
    return {kernel: len(summaries) for kernel, summaries in kinds.items()}


def run(machines, seeds, words, jobs, whole=False):
    """Everything that was told, in the order of machines and seeds."""
    with tempfile.TemporaryDirectory(prefix="portability-") as folder, ThreadPoolExecutor(jobs) as pool:
        able = []
        for machine in machines:
            obstacle = machine.obstacle(folder)
            able += [machine] if not obstacle else []
            if obstacle:
                print(f"left out  {machine.name}: {obstacle}", file=sys.stderr)
        every = []
        for told in pool.map(lambda part: asked(part, folder), parts(able, seeds, words, whole)):
            every.append(told)
            where = f"{told.part.machine.name}, seed {told.part.seed}"
            print(f"asked     {where}: {len(told.cells)} cells", *false(told), sep="\n  ", file=sys.stderr, flush=True)
        return every


@click.command()
@click.argument("words", nargs=-1, metavar="[OPERATION|FILE.py]...")
@click.option("--machines", multiple=True, metavar="WORD", help="Machines with this word in their names (repeatable).")
@click.option("--seeds", default=",".join(map(str, _SEEDS)), show_default=True, metavar="N,N", help="The seeds.")
@click.option("--jobs", "-n", type=click.IntRange(1), default=cores, help="How many machines at once.")
@click.option("--whole", is_flag=True, help="Ask every operation with every seed on every machine.")
def main(words, machines, seeds, jobs, whole):
    """Print what differs between emulated machines, and what is called wrong on any of them."""
    wanted = [each for each in MACHINES if not machines or any(word in each.name for word in machines)]
    every = run(wanted, [int(seed) for seed in seeds.split(",")], words, jobs, whole)
    found = [visible(line, 900) for line in findings(every)]
    print(*found, sep="\n")
    asked_machines = {told.part.machine.name for told in every}
    cells = [cell for told in every for cell in told.cells]
    compared = sum(cell.comparisons for cell in cells)
    print(f"{len(asked_machines)} machines, {len(every)} parts, {len(cells):,} cells, {compared:,} comparisons")
    print("kinds of bits: " + ", ".join(f"{kernel} {kinds}" for kernel, kinds in emulated(every).items()))
    print(f"{len(found)} findings" if found else "nothing differs, and nothing is called wrong")
    sys.exit(1 if found or not every else 0)


if __name__ == "__main__":
    main()
