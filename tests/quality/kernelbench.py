"""Problems in KernelBench's form, each with candidates that are right and wrong: `tox -e kernelbench -- FOLDER`.

    tox -e kernelbench -- FOLDER --sample 30 --seed 1
    tox -e kernelbench -- FOLDER --enough 45 --answers reports/kernelbench/answers.jsonl

FOLDER holds the problems, in folders of their own or not. Of each it is asked whether it loads, which of its sizes vary, and
what is found of candidates that are made of its own text. A candidate counts where it changes the mathematics. A file of answers
holds what was found, by whichever revision: what stands there is not asked again.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import torch

import harness
from harness import kernelbench
from harness.command.options import PROFILES
from harness.errors import HarnessError
from harness.execute.outcome import outcome
from harness.generate.plan import plan
from harness.measure.verdict import Verdict
from harness.verify.cell import cells
from harness.verify.suite import every_property

_RIGHT = ("Same", "Compiled")

_WRONG = ("Zeros", "Ignored", "Stale", "Coarse", "Hardcoded")

_CRASHED = "crashed"
"""Said of a candidate whose process ended: where `harness check` has processes of its own for that, this has none."""

_LATE = "late"
"""Said of a candidate about which there was no answer in time."""

_VERDICTS = {each.value for each in Verdict}
_FAILING = {each.value for each in Verdict if each.failing}

_CANDIDATES = '''

import torch as _torch
from torch.func import functional_call as _functional_call
from torch.utils._pytree import tree_map as _each

_PUBLISHED = {published!r}


def _floats(change, tree):
    return _each(lambda x: change(x) if isinstance(x, _torch.Tensor) and x.is_floating_point() else x, tree)


class Same(Model):
    pass


class Compiled(Model):
    """Compiled, as people compile it."""

    forward = _torch.compile(Model.forward)


class Zeros(Model):
    """Nothing is computed."""

    def forward(self, *inputs):
        return _floats(_torch.zeros_like, super().forward(*inputs))


class Ignored(Model):
    """The last parameter is taken for zeros."""

    def forward(self, *inputs):
        names = [name for name, _ in self.named_parameters()]
        if not names:
            return super().forward(*inputs)
        part, _, name = names[-1].rpartition(".")
        module = self.get_submodule(part)
        kept = getattr(module, name)
        del module._parameters[name]
        setattr(module, name, kept * 0)
        try:
            return super().forward(*inputs)
        finally:
            delattr(module, name)
            module._parameters[name] = kept


class Stale(Model):
    """The last entry of each row is the one of the call before, where it had the same shape."""

    def forward(self, *inputs):
        now = super().forward(*inputs)
        before, self.kept = vars(self).get("kept"), _floats(lambda x: x.detach().clone(), now)
        def stale(x, old):
            return _torch.cat([x[..., :-1], old[..., -1:].to(x)], -1) if x.ndim and x.is_floating_point() else x
        leaves, tree = _torch.utils._pytree.tree_flatten(now)
        old = _torch.utils._pytree.tree_leaves(before) if before is not None else []
        if [getattr(x, "shape", 0) for x in old] != [getattr(x, "shape", 0) for x in leaves]:
            return now
        return _torch.utils._pytree.tree_unflatten([*map(stale, leaves, old)], tree)


class Coarse(Model):
    """What it is given is rounded to bfloat16 first, its parameters too."""

    def forward(self, *inputs):
        coarse = lambda x: x.bfloat16().to(x.dtype)
        kept = {{name: each for name, each in self.named_parameters()}}
        try:
            for name, each in kept.items():
                part, _, last = name.rpartition(".")
                module = self.get_submodule(part)
                del module._parameters[last]
                setattr(module, last, coarse(each))
            return _floats(coarse, super().forward(*_floats(coarse, inputs)))
        finally:
            for name, each in kept.items():
                part, _, last = name.rpartition(".")
                module = self.get_submodule(part)
                vars(module).pop(last, None)
                module._parameters[last] = each


class Hardcoded(Model):
    """Right where its inputs have the published shapes; elsewhere it loses what is left over from blocks of 8."""

    def forward(self, *inputs):
        now = super().forward(*inputs)
        if [tuple(x.shape) for x in inputs if isinstance(x, _torch.Tensor)] == _PUBLISHED:
            return now

        def cut(x):
            if not x.ndim:
                return x * 1.25
            long = max(range(x.ndim), key=lambda axis: x.shape[axis])
            whole = x.shape[long] // 8 * 8
            return _torch.cat([x.narrow(long, 0, whole), x.narrow(long, whole, x.shape[long] - whole) * 0], long)

        return _floats(cut, now)
'''


@dataclass
class Answer:
    """What was found of a problem.

    refusal: why it does not load; sizes, varying: how many it has; verdicts: by candidate the worst one, or `changes nothing`;
    where: the cell and the reason of that; cells: how many were asked of how many, up to a failure or the end of the time;
    seconds: of the processor, for all that is asked of the reference's own text.
    """

    name: str
    refusal: str = ""
    sizes: int = 0
    varying: int = 0
    verdicts: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    where: dict[str, str] = field(default_factory=dict)
    cells: dict[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def in_part(self):
        """The candidates of which nothing was found, and not every cell was asked."""
        return {
            name for name, (asked, there) in self.cells.items() if asked < there and self.verdicts[name] not in _FAILING
        }

    @property
    def surprising(self):
        """The candidates that did not get the verdict which they deserve."""
        failing = {name for name, verdict in self.verdicts.items() if verdict in _FAILING}
        counting = {name for name, verdict in self.verdicts.items() if verdict in _VERDICTS}
        odd = (failing & {*_RIGHT}) | ((counting - failing) & {*_WRONG})
        return [name for name in self.verdicts if name in odd]


def asked(path, names, enough):
    """A problem and those of its candidates, each up to the end of a cell after so many seconds of the processor."""
    answer = Answer(path.stem)
    try:
        operation = kernelbench.problem(path, of=__name__)
    except HarnessError as refusal:
        return Answer(path.stem, refusal=str(refusal))
    answer.sizes = len(operation.sizes)
    answer.varying = sum(least < most for least, most in operation.sizes.values())
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "candidate.py"
        file.write_text(path.read_text() + _CANDIDATES.format(published=_published(operation)))
        for name in names:
            kernelbench.candidate(file, operation, model=name)
            if name in _WRONG and not _changes(operation, name):
                answer.verdicts[name], answer.where[name] = "changes nothing", ""
                continue
            began = time.process_time()
            verdict, where, answer.cells[name] = _verdict(operation, name, began + enough)
            if name == "Same":
                answer.seconds = time.process_time() - began
            answer.verdicts[name], answer.where[name] = str(verdict), where
    return answer


def _published(operation):
    known = {**operation.published, "mode": "train"}
    return [
        domain.shape(known) for domain in operation.tensors.values() if domain.group is None
    ]  # the others are its state


def _verdict(operation, name, until):
    """The worst verdict of what is asked in the quick profile, up to the first that fails; in which cell; and of how many."""
    profile = PROFILES["quick"].of(1)
    worst, where = Verdict.UNSUPPORTED, ""
    every = [
        cell
        for prop in every_property()
        if not prop.nightly
        for cell in cells(prop, [operation], [operation.find(name)], ["cpu"])
    ]
    for count, cell in enumerate(every, 1):
        found = outcome(cell, profile.examples, 0, profile.cell_seconds)
        if Verdict(found.verdict).severity > worst.severity:
            worst, where = Verdict(found.verdict), f"{found.prop} {found.dtype}: {found.reason}"
        if worst.failing or time.process_time() > until:
            return worst, where, (count, len(every))
    return worst, where, (len(every), len(every))


def _changes(operation, name):
    """Whether a candidate gives something else than the reference in float64, asked of one case and then of another like it."""
    right, other = (harness.Subject(operation, each) for each in (operation.own, operation.find(name)))
    for case in plan(operation, 12, 1):
        for seed in (1, 2):
            call = case.replace(
                dtype="float64", grid="float64", pattern="normal", layout="contiguous", seed=seed
            ).call()
            if any(_differ(one, two) for one, two in zip(right(call), other(call), strict=True)):
                return True
    return False


def _differ(one, other):
    size = float(one.abs().nan_to_num(0).max()) if one.numel() else 0.0
    return not torch.allclose(one.double(), other.double(), rtol=1e-6, atol=1e-6 * size, equal_nan=True)


def show(answers):
    """Print what was found of each candidate and where it was not, and how the problems load."""
    loaded = [each for each in answers if not each.refusal]
    print(f"loaded: {len(loaded)} of {len(answers)}; with sizes that vary: {sum(each.varying > 0 for each in loaded)}")
    for each in answers:
        if each.refusal or not each.varying:
            print(f"    {each.name}: {each.refusal or 'no size varies'}")
    for name in (*_RIGHT, *_WRONG):
        counted = Counter(each.verdicts[name] for each in loaded if name in each.verdicts)
        counting = sum(count for verdict, count in counted.items() if verdict in _VERDICTS)
        failing = sum(count for verdict, count in counted.items() if verdict in _FAILING)
        told = ", ".join(f"{count} {verdict}" for verdict, count in counted.most_common())
        in_part = sum(name in each.in_part for each in loaded)
        print(f"{name:10} {failing} of {counting} fail ({told}){f', {in_part} asked in part' if in_part else ''}")
    seconds = sorted(each.seconds for each in loaded if "Same" in each.verdicts)
    if seconds:
        print(f"seconds of one processor: {seconds[len(seconds) // 2]:.0f} in the median, {seconds[-1]:.0f} at most")


def _told(path, names, limit, enough):
    """An answer of a process of its own, which may crash or take too long."""
    command = [sys.executable, "-m", "tests.quality.kernelbench", "--problem", str(path), *names, f"--enough={enough}"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=limit, check=False)
        return Answer(**json.loads(done.stdout.splitlines()[-1]))
    except subprocess.TimeoutExpired:
        verdict, told = _LATE, f"no answer within {limit:.0f} s"
    except (IndexError, ValueError):
        verdict = _CRASHED
        told = f"exit status {done.returncode}: {(done.stderr.strip().splitlines() or [''])[-1]}"
    if len(names) > 1:
        return _as_one([_told(path, [name], limit, enough) for name in names])
    return Answer(path.stem, verdicts={names[0]: verdict}, where={names[0]: told})


def _as_one(answers):
    """The answers about candidates of one problem that were asked apart, of which some may have ended the process."""
    whole = max(answers, key=lambda each: each.sizes)
    verdicts = {name: verdict for each in answers for name, verdict in each.verdicts.items()}
    where = {name: told for each in answers for name, told in each.where.items()}
    cells = {name: told for each in answers for name, told in each.cells.items()}
    return replace(whole, verdicts=verdicts, where=where, cells=cells, seconds=max(each.seconds for each in answers))


def _kept(file, names):
    """By name the answers of these problems that are kept in a file, which may tell of each candidate in a line of its own."""
    lines = file.read_text().splitlines() if file and file.exists() else ()
    by_name = {}
    for answer in (Answer(**json.loads(line)) for line in lines):
        if answer.name in names:
            by_name.setdefault(answer.name, []).append(answer)
    return {name: _as_one(answers) for name, answers in by_name.items()}


def main():
    """Ask every problem of a folder, or some by lot, as many at a time as are wanted; each is told as it is answered."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("folder", type=Path, help="where the problems are")
    options.add_argument("candidates", nargs="*", help=f"some of {', '.join((*_RIGHT, *_WRONG))}")
    options.add_argument("--sample", type=int, help="so many by lot")
    options.add_argument("--seed", type=int, default=0, help="of the lot")
    options.add_argument("--jobs", type=int, default=2)
    options.add_argument("--limit", type=float, default=600, help="seconds for a problem")
    options.add_argument("--enough", type=float, default=float("inf"), help="seconds of the processor for a candidate")
    options.add_argument("--answers", type=Path, help="where answers are kept: what stands there is not asked again")
    options.add_argument("--problem", action="store_true", help="FOLDER is one problem: answer as JSON")
    given = options.parse_intermixed_args()
    names = given.candidates or [*_RIGHT, *_WRONG]
    if given.problem:
        torch.set_num_threads(1)
        print(json.dumps(asdict(asked(given.folder, names, given.enough))))
        return
    paths = sorted(path for path in given.folder.rglob("*.py") if kernelbench.is_problem(path))
    if given.sample:
        paths = sorted(random.Random(given.seed).sample(paths, given.sample))
    kept, began = _kept(given.answers, {path.stem for path in paths}), time.monotonic()
    known = {name: each.verdicts for name, each in kept.items()}
    left = {path: [name for name in names if name not in known.get(path.stem, ())] for path in paths}
    with ThreadPoolExecutor(given.jobs) as pool:
        asking = [pool.submit(_told, path, names, given.limit, given.enough) for path, names in left.items() if names]
        for count, done in enumerate(as_completed(asking), 1):
            each = done.result()
            kept[each.name] = _as_one([kept[each.name], each]) if each.name in kept else each
            if given.answers:
                with given.answers.open("a") as file:
                    print(json.dumps(asdict(each)), file=file)
            print(
                f"{count} of {len(asking)} {time.monotonic() - began:.0f} s  {each.name}, {each.varying} of {each.sizes} "
                f"sizes, {each.seconds:.0f} s: {each.refusal or each.verdicts}"
            )
            for name in each.surprising:
                print(f"    {name}: {each.where[name]}")
            sys.stdout.flush()
    show(list(kept.values()))


if __name__ == "__main__":
    main()
