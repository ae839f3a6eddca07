"""The harness' own speed, measured: `python -m tests.quality.speed [WORD…]`.

Prints comparisons per second and core, drawing against hypothesis-torch side by side, the seconds in which a planted batch
slice error is found and shrunk, how long commands take beside `import torch`, by themselves and with kept workers, and where
the time of a run goes: one of `harness run` with the WORDs, of the quick profile where none are given. Absolute figures
depend on the machine; ratios do not.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import hypothesis.strategies as st
import torch
from hypothesis import HealthCheck, Phase, given, settings

import harness
from harness.catalogue import catalogue
from harness.declare.implementation import Implementation, implementation_of
from harness.declare.operation import Operation
from harness.execute.outcome import outcome
from harness.generate.plan import plan
from harness.generate.strategy import cases
from harness.operations.linear import linear
from harness.record.events import CellFinished
from harness.record.runlog import read
from harness.verify.cell import Cell, cells
from harness.verify.exploration import explore
from harness.verify.suite import every_property
from tests.command_line import surroundings

SMALL = 2000

MINE = """
import pathlib
import time

import harness
from jaxtyping import Float
from torch import Tensor

@harness.operation
def double(x: Float[Tensor, "n"]) -> Float[Tensor, "n"]:
    "Twice x."
    return 2 * x

@double.implementation
def added(x):
    begun = pathlib.Path(__file__).with_name("begun")
    if not begun.exists():
        begun.write_text(str(time.time()))
    return x + x
"""
"""A small file, as somebody begins with, which tells when it is called first."""


def comparisons_per_second(operation: Operation, rounds: int = 7) -> list[float]:
    """Comparisons against the oracle on small cases, per second of one core, over the implementations in process.

    All that a run pays for is in the time: structure drawn once for all dtypes, tensors filled, oracle and u computed,
    results compared. One figure a round, each with other cases, in ascending order.
    """
    agreement = next(prop for prop in every_property() if prop.name == "agreement")
    asked = [each for each in cells(agreement, [operation]) if each.implementation.backend.name in ("torch", "numpy")]
    for cell in asked:
        explore(cell, [case for case in plan(operation, 20, 99) if case.entries <= SMALL])
    return sorted(_rate(asked, operation, seed) for seed in range(rounds))


def _rate(asked: list[Cell], operation: Operation, seed: int) -> float:
    began = time.process_time()
    small = [case for case in plan(operation, 200, seed) if case.entries <= SMALL]
    comparisons = sum(explore(cell, small).comparisons for cell in asked)
    return comparisons / (time.process_time() - began)


def drawing(examples: int = 300) -> tuple[float, float]:
    """Microseconds to draw one float32 tensor of 1 to 3 axes of up to 16 entries: here, and by hypothesis-torch."""

    @harness.operation(sizes=dict.fromkeys("abc", (1, 16)))
    def three(x: harness_float("a"), y: harness_float("a b"), z: harness_float("a b c")) -> harness_float("a"):
        """Three tensors of one, two and three axes."""
        return x

    def ours() -> None:
        _draw(cases(three), examples, lambda case: case.replace(dtype="float32").tensors)

    def theirs() -> None:
        import hypothesis_torch

        shapes = st.lists(st.integers(1, 16), min_size=1, max_size=3).map(tuple)
        tensor = hypothesis_torch.tensor_strategy(
            dtype=torch.float32, shape=shapes, device=torch.device("cpu"), requires_grad=False, layout=torch.strided
        )
        _draw(tensor, examples, lambda drawn: drawn)

    return _microseconds(ours) / (3 * examples), _microseconds(theirs) / examples


def harness_float(axes: str) -> object:
    """`Float[Tensor, axes]`, spelled as a function because the axes are a value here."""
    from jaxtyping import Float

    return Float[torch.Tensor, axes]


def _draw(strategy: st.SearchStrategy[object], examples: int, use: Callable[[object], object]) -> None:
    @settings(
        max_examples=examples,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def drawn(value: object) -> None:
        use(value)

    drawn()


def _microseconds(work: Callable[[], None]) -> float:
    work()
    seconds = []
    for _ in range(3):
        began = time.process_time()
        work()
        seconds.append(time.process_time() - began)
    return statistics.median(seconds) * 1e6


def planted_slice() -> tuple[float, str]:
    """Seconds until a linear layer that drops the last sample of a batch above 2 is found and shrunk, and its case."""

    def stale_last_sample(x, W, b):
        result = x @ W.mT + b
        if len(x) > 2:
            result[-1] = result[-2]
        return result

    faulty: Implementation = implementation_of("linear", linear.signature, stale_last_sample, "torch")
    prop = next(prop for prop in every_property() if prop.name == "agreement")
    began = time.process_time()
    found = outcome(Cell(prop, linear, faulty, "cpu", "float32"), 64, 7)
    shown = found.counterexample
    return time.process_time() - began, f"{found.verdict}: {shown.summary if shown else 'not found'}"


def starting(folder: Path) -> Iterator[tuple[str, float]]:
    """What is started, and the seconds that takes: by itself, and then with kept workers."""
    (folder / "mine.py").write_text(MINE)
    kept = surroundings(XDG_RUNTIME_DIR=str(folder))
    yield "import torch", _seconds(folder, kept, "-c", "import torch")
    yield from _of_commands(folder, kept, "")
    with _kept_workers(kept):
        yield from _of_commands(folder, kept, ", kept workers")


def _of_commands(folder: Path, environment: dict[str, str], how: str) -> Iterator[tuple[str, float]]:
    words, begun = ("-m", "harness", "check", "mine.py", "--reports", "reports"), folder / "begun"
    yield f"harness list{how}", _seconds(folder, environment, "-m", "harness", "list")
    yield f"harness check, its first case{how}", _seconds(folder, environment, *words, begun=begun)
    yield f"harness check{how}", _seconds(folder, environment, *words)
    yield f"harness check --profile smoke{how}", _seconds(folder, environment, *words, "--profile", "smoke")


def _seconds(
    folder: Path, environment: dict[str, str], *words: str, begun: Path | None = None, rounds: int = 5
) -> float:
    """The median of a few rounds, until the process has ended or what it calls has `begun`."""
    seconds = []
    for _ in range(rounds):
        if begun is not None:
            begun.unlink(missing_ok=True)
        start = time.time()
        subprocess.run([sys.executable, *words], cwd=folder, env=environment, stdout=subprocess.DEVNULL, check=True)
        seconds.append((time.time() if begun is None else float(begun.read_text())) - start)
    return statistics.median(seconds)


@contextmanager
def _kept_workers(environment: dict[str, str]) -> Iterator[None]:
    words = [sys.executable, "-m", "harness", "serve"]
    with subprocess.Popen(words, env=environment, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        server.stderr.readline()
        try:
            yield
        finally:
            server.terminate()


def accounts(words: list[str], folder: Path) -> dict[str, float]:
    """The shares of the workers' time in a run, by account."""
    told = [*(words or ["--profile", "quick"]), "--reports", str(folder)]
    subprocess.run(
        [sys.executable, "-m", "harness", "run", *told], env=surroundings(), stdout=subprocess.DEVNULL, check=False
    )
    (log,) = (folder / "runs").iterdir()
    seconds: Counter[str] = Counter()
    for event in read(log).events:
        if isinstance(event, CellFinished):
            seconds.update(event.seconds)
    return {account: spent / sum(seconds.values()) for account, spent in seconds.most_common()}


def main() -> int:
    """Print the figures; the exit code is 0 whatever they are, since a figure is no test."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory(
        prefix="speed-", dir="/tmp"
    ) as place:  # the path of a socket has 108 bytes at most
        told = dict(starting(Path(place)))
        for name, seconds in told.items():
            print(f"{name}: {seconds:.2f} s, {seconds / told['import torch']:.2f} x import torch", flush=True)
    _print_rates()
    ours, theirs = drawing()
    print(
        f"drawing a float32 tensor: {ours:.0f} µs here, {theirs:.0f} µs by hypothesis-torch, ratio {theirs / ours:.1f}"
    )
    seconds, case = planted_slice()
    print(f"planted batch slice error found and shrunk in {seconds:.2f} s ({case})", flush=True)
    with tempfile.TemporaryDirectory(prefix="speed-") as place:
        shares = accounts(sys.argv[1:], Path(place))
    print("of the workers' time:", ", ".join(f"{account} {share:.1%}" for account, share in shares.items()))
    print(
        f"outside of implementations, their compilers and the oracle: {1 - sum(shares.get(each, 0.0) for each in _OF_OTHERS):.1%}"
    )
    return 0


_OF_OTHERS = ("implementation", "compiling", "oracle")


def _print_rates() -> None:
    for name in ("linear", "pool_then_decode"):
        if name in catalogue():
            rates = comparisons_per_second(catalogue()[name])
            print(
                f"comparisons per second and core, {name}: {statistics.median(rates):,.0f} "
                f"({rates[0]:,.0f} to {rates[-1]:,.0f} in {len(rates)} rounds)",
                flush=True,
            )


if __name__ == "__main__":
    sys.exit(main())
