"""The whole check on one GPU, in less than ten minutes: `python -m tests.quality.gpu --out FOLDER`, or `tox -e gpu -- --out FOLDER`.

Each part is a command in processes of its own with a time limit of its own, so that one that fails or hangs costs itself alone.
The folder then holds `summary.md` and `summary.json` (every figure beside what was asked of it), the logs of the runs, and
`output.txt` (what the parts said). Exits with 1 where a figure is missed or missing.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import click

from harness.declare.devices import check_devices, device_named
from harness.record.events import CellFinished
from harness.record.runlog import read

SECONDS = 560.0
"""What all parts take together at most."""

_LARGEST = 16 * 2**20
"""The bytes of the folder at most."""

_SAID = 60_000
"""Characters that are kept of what a part says beside its answer."""

_HARNESS = (sys.executable, "-m", "harness")


@dataclass(frozen=True)
class Figure:
    """A figure: of which part, its name, what is asked of it, what was reached, and whether that is enough (None where nothing is asked)."""

    part: str
    name: str
    asked: str
    reached: str
    enough: bool | None = None


@dataclass(frozen=True)
class Part:
    """A command, its seconds at most, the figures that its answer and its log tell, and that log's name in the folder ("" for none)."""

    name: str
    command: tuple[str, ...]
    seconds: float
    figures: Callable[[Any, Path], Iterable[Figure]]
    log: str = ""


@dataclass(frozen=True)
class Answer:
    """What became of a part: what it printed, what it said beside that, its seconds, and why there is no answer ("" where there is)."""

    told: str
    said: str
    seconds: float
    lacking: str = ""


# the parts


def parts(device: str, seconds: float) -> tuple[Part, ...]:
    """Everything that is asked of a device, within so many seconds together; what matters most first."""
    on = ("--device", device, "--json")

    def code(name: str, text: str, share: float, figures: Callable[[Any, Path], Iterable[Figure]]) -> Part:
        return Part(name, (sys.executable, "-c", text, device), share * seconds, figures)

    def harness(
        name: str, words: tuple[str, ...], share: float, figures: Callable[[Any, Path], Iterable[Figure]]
    ) -> Part:
        budget = () if words[0] == "invariance" else ("--budget", f"{_IN_ORDER * share * seconds:.0f}s")
        log = f"{name}.jsonl.gz" if words[0] in ("run", "bench") else ""
        return Part(name, (*_HARNESS, *words, *on, *budget), share * seconds, figures, log)

    quick = ("--profile", "quick")
    compiled = ("--backend", "torch.compile", "--dtype", "float32", "-k", "agreement or gradients")
    bits = ("--dtype", "float32", "--dtype", "bfloat16", "--patience", "1s")
    cold = ("--only", "definition", "--only", "torch_linear", "--processes", "2", "--cold")
    return (
        code("machine", _MACHINE, 0.05, of_machine),
        code("pinv", _PINV, 0.08, of_pinv),
        code("scan", _SCAN, 0.10, of_scan),
        harness("catalogue", ("run", *quick), 0.32, of_run),
        harness("tf32", ("run", *_FEW, *quick, "--dtype", "tf32"), 0.08, of_run),
        harness("compiled", ("run", "linear", "gru", *quick, *compiled), 0.12, of_run),
        harness("invariance", ("invariance", *_FEW, *bits), 0.13, of_invariance),
        harness("bench", ("bench", "linear", *cold), 0.12, of_bench),
    )


_IN_ORDER = 0.7
"""The share of its time after which a run begins nothing further, so that it tells what it has found."""

_FEW = ("linear", "gru", "conv2d", "legs_scan")

_MACHINE = """\
import json, sys, torch
from harness.bench.clock_sample import Clock
from harness.declare.devices import device_named
there = device_named(sys.argv[1])
pace = Clock(there.name).pace()
facts = {"device": there.title, "torch": torch.__version__, "cuda": torch.version.cuda, "has not": there.lacking,
         "events": there.event() is not None, "memory": there.told("total_memory"), "cache": there.told("L2_cache_size"),
         "clock": pace and pace.megahertz, "held back": pace and pace.is_throttled}
print(json.dumps(facts))
"""

_PINV = """\
import json, sys
from dataclasses import asdict
from tests.quality.inverse import inverted
inverted(2, 8, sys.argv[1])  # which loads the libraries
print(json.dumps(asdict(inverted(32, 128, sys.argv[1])[0])))
"""

_SCAN = """\
import json, sys
from harness.bench.worker import Worker
timer, told = Worker(), []
for cache in ("warm", "cold"):
    for name in ("definition", "fast", "blocks"):
        at = {"time": 3000, "batch": 1}, {"N": 64, "method": "bilinear"}, sys.argv[1], "float32"
        made = timer.prepare("legs_scan", name, *at, cache == "cold", "", 30.0)
        blocks = [timer.block(name) for _ in range(5)] if "memory" in made else []
        told.append({"name": name, "cache": cache, "verdict": made["verdict"], "blocks": blocks})
print(json.dumps(told))
"""


# their figures


def of_machine(told: dict[str, Any], log: Path) -> Iterator[Figure]:
    """What the device says of itself, of which nothing is asked but that it tells its clock and has events."""
    for name, fact in told.items():
        yield Figure("", name, "", str(fact))


def of_pinv(told: dict[str, Any], log: Path) -> Iterator[Figure]:
    """The pseudo-inverse of a convolution of 32 channels at 128×128."""
    setup, image, residual = told["setup"], told["image"], told["residual"]
    yield Figure("", "set-up", "< 2 s", f"{setup:.2f} s", setup < 2)
    yield Figure("", "an image, of 4 at once", "≤ 20 ms", f"{1000 * image:.1f} ms", image <= 0.02)
    yield Figure("", "relative residual", "≤ 1e-12", f"{residual:.1e}", residual <= 1e-12)
    yield Figure("", "condition, estimated", "", f"{told['condition']:.0e}")


def of_scan(told: list[dict[str, Any]], log: Path) -> Iterator[Figure]:
    """How many times as fast as the loop the fastest scan that is right is, at 3,000 steps of order 64: 20 times."""
    blocks = [block for each in told for block in each["blocks"]]
    for cache in ("warm", "cold"):
        timed = [each for each in told if each["cache"] == cache and each["blocks"]]
        took = {each["name"]: median(block["seconds"] for block in each["blocks"]) for each in timed}
        loop = took.pop("definition")
        name = min(took, key=took.__getitem__)
        reached = f"{loop / took[name]:.1f} × ({name} {1000 * took[name]:.2f} ms, loop {1000 * loop:.2f} ms)"
        yield Figure("", f"3,000 steps, {cache}", "≥ 20 × the loop", reached, loop / took[name] >= 20)
    wrong = [each["name"] for each in told if not each["blocks"]]
    yield Figure("", "not timed, since it is wrong or slow", "none", ", ".join(wrong) or "none", not wrong)
    yield _clocks((block.get("megahertz"), block.get("throttled", False)) for block in blocks)


def _clocks(seen: Iterable[tuple[int | None, int]]) -> Figure:
    """The slowest and the fastest clock, and how many blocks were held back."""
    seen = list(seen)
    clocks = [clock for clock, _ in seen if clock]
    told = f"{min(clocks)} to {max(clocks)} MHz" if clocks else "the clock is not told"
    return Figure("", "clock, and blocks held back", "", f"{told}, {sum(held for _, held in seen)} of {len(seen)}")


def of_bench(told: dict[str, Any], log: Path) -> Iterator[Figure]:
    """How many points have a time, and what is said of them; the device told whether it was held back."""
    timed = [each for each in told["timings"] if each["seconds"]]
    yield Figure("", "points with a time", "some", f"{len(timed)} of {len(told['timings'])}", bool(timed))
    yield Figure("", "what is said", "", ", ".join(f"{n} {speed}" for speed, n in _counted(timed, "speed")))
    yield _clocks((each["clock"], each["throttled"]) for each in timed)


def _counted(entries: Iterable[dict[str, Any]], name: str) -> list[tuple[str, int]]:
    return Counter(str(each[name]) for each in entries).most_common()


def of_run(told: dict[str, Any], log: Path) -> Iterator[Figure]:
    """What fails that is not known, how much was asked, and who loses digits."""
    failing = [each for each in told["causes"] if each["verdict"] in ("wrong", "error") and not each["known"]]
    names = ", ".join(f"{each['operation']}/{each['implementation']}" for each in failing)
    cells = told["cells"]
    yield Figure("", "causes that are not known", "0", f"{len(failing)} {names}".strip(), not failing)
    asked = sum(cells.values())
    yield Figure(
        "", "cells asked", f"{told['planned']}", f"{asked} in {told['seconds']:.0f} s", asked >= told["planned"]
    )
    verdicts: dict[str, Counter[str]] = {}
    for each in read(log).events:
        if isinstance(each, CellFinished):
            verdicts.setdefault(each.dtype, Counter())[each.verdict] += 1
    for dtype, counted in verdicts.items():
        yield Figure("", dtype, "", ", ".join(f"{count} {verdict}" for verdict, count in counted.most_common()))


def of_invariance(told: list[dict[str, Any]], log: Path) -> Iterator[Figure]:
    """How many give the same bits again, and a sample the same bits in every batch of 1 to 128."""
    for dtype in dict.fromkeys(each["dtype"] for each in told):
        known = [each for each in told if each["dtype"] == dtype and not each["reason"]]
        again = [each for each in known if each["repeats"]]
        same = [each["implementation"] for each in known if len(each["asked"]) > 1 and not each["differing"]]
        yield Figure("", f"{dtype}, the same bits again", "", f"{len(again)} of {len(known)}")
        yield Figure("", f"{dtype}, in every batch", "", f"{len(same)} of {len(known)}: {', '.join(same)}")


# asking


def ask(part: Part, folder: Path) -> Answer:
    """Run a part's command in its time; what it has started ends with it."""
    began = perf_counter()
    with tempfile.TemporaryDirectory() as reports, (Path(reports) / "beside").open("w+") as beside:
        kept = ("--reports", reports) if part.log else ()
        told, lacking = _within(part.seconds, (*part.command, *kept), beside)
        beside.seek(0)
        said = beside.read()[-_SAID:]
        for log in Path(reports).glob(
            "*/*.jsonl.gz"
        ):  # written as it happens, so that there is one whatever became of the run
            shutil.copy(log, folder / part.log)
    return Answer(told, said, perf_counter() - began, lacking)


def _within(seconds: float, command: Sequence[str], beside: Any) -> tuple[str, str]:
    """What a command prints, and why it is no answer. Ended in order first, so that its log has what it found."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=beside, text=True, start_new_session=True) as running:
        for end in (signal.SIGTERM, signal.SIGKILL):  # an interrupt is ignored in what a shell begins with &
            try:
                told, _ = running.communicate(timeout=seconds)
                return told, "" if told else f"it ended with status {running.returncode} and printed nothing"
            except subprocess.TimeoutExpired:
                with suppress(ProcessLookupError):
                    os.killpg(running.pid, end)
                seconds = _TO_END
    return "", "it did not come to its end in its time"


_TO_END = 10.0
"""Seconds in which a part that is interrupted says what it has found so far."""


def figures_of(part: Part, answer: Answer, folder: Path) -> list[Figure]:
    """A part's figures; that there are none, and why, is one that is missed."""
    try:
        found = [replace(each, part=part.name) for each in part.figures(json.loads(answer.told), folder / part.log)]
    except Exception as failure:  # whatever an answer lacks, the other parts have theirs
        last = (answer.said.strip().splitlines() or ["it said nothing"])[-1]
        found = [Figure(part.name, "an answer", "one", f"{answer.lacking or repr(failure)}; {last}", False)]
    return [*found, Figure(part.name, "seconds", "", f"{answer.seconds:.0f}")]


# the summary


def markdown(device: str, figures: Sequence[Figure]) -> str:
    """All figures as a table, those that are missed told first."""
    missed = [
        f"- {each.part}: {each.name}: {each.reached} (asked: {each.asked})" for each in figures if each.enough is False
    ]
    rows = [
        f"| {each.part} | {each.name} | {each.asked} | {each.reached} | {_MARKS[each.enough]} |" for each in figures
    ]
    told = missed or ["Every figure that is asked was reached."]
    head = "| part | figure | asked | reached | |\n|---|---|---|---|---|"
    return "\n".join([f"# {device}", "", *told, "", head, *rows, ""])


_MARKS = {True: "reached", False: "**missed**", None: ""}


def size_of(folder: Path) -> int:
    """The bytes of all files of a folder."""
    return sum(each.stat().st_size for each in folder.rglob("*") if each.is_file())


@click.command(help=__doc__)
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), required=True, help="The folder that is written."
)
@click.option("--device", default="cuda", show_default=True, help="The device, by PyTorch's name.")
@click.option("--seconds", default=SECONDS, show_default=True, help="What all parts take together at most.")
@click.option("--part", "names", multiple=True, help="This part alone (repeatable).")
def main(out: Path, device: str, seconds: float, names: tuple[str, ...]) -> None:
    """Ask all parts, and write the summary after each, so that there is one whatever happens."""
    check_devices((device,))
    every = parts(device, seconds)
    if unknown := {*names} - {each.name for each in every}:
        raise click.BadParameter(f"{', '.join(unknown)} is none of {', '.join(each.name for each in every)}")
    out.mkdir(parents=True, exist_ok=True)
    title, began, figures = device_named(device).title, perf_counter(), []
    with (out / "output.txt").open("w") as output:
        for part in (each for each in every if not names or each.name in names):
            answer = ask(part, out)
            output.write(f"== {part.name}: {' '.join(part.command[1:])}\n{answer.said}\n{answer.told[-_SAID:]}\n")
            output.flush()
            figures += figures_of(part, answer, out)
            whole = (
                Figure("all", "seconds", "< 600", f"{perf_counter() - began:.0f}", perf_counter() - began < 600),
                Figure("all", "bytes", f"< {_LARGEST:,}", f"{size_of(out):,}", size_of(out) < _LARGEST),
            )
            write(out, title, [*figures, *whole])
            click.echo(f"{part.name}: {answer.seconds:.0f} s {answer.lacking}")
    click.echo(out / "summary.md")
    sys.exit(any(each.enough is False for each in (*figures, *whole)))


def write(out: Path, title: str, figures: Sequence[Figure]) -> None:
    """Write both forms of the summary."""
    (out / "summary.md").write_text(markdown(title, figures))
    (out / "summary.json").write_text(json.dumps({"device": title, "figures": [*map(asdict, figures)]}, indent=1))


if __name__ == "__main__":
    main()
