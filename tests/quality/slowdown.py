"""Trials of the bench: is code that was slowed by ten per cent called slower, and identical code left in peace?

Run with `tox -e slowdown`: ten runs of `harness bench`, in each of which one implementation is slowed on purpose and ten
are copies of the reference. Prints how many of the ten were called slower, and how many of the hundred were called
anything but the same. With `--beside 2`, two more processes compute at random moments, as other tenants of a machine do.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter

from rich.progress import track

SLOWED, IDENTICAL = "slowed", "copy"

HEAD = '''
"""A reference, copies of it, and one that is slowed."""

from time import perf_counter

import torch
from jaxtyping import Float
from torch import Tensor

import harness


@harness.operation(sizes={"n": (1, 300)})
def squared(x: Float[Tensor, "batch n"], y: Float[Tensor, "n n"]) -> Float[Tensor, "batch n"]:
    """tanh of a product, which takes about a tenth of a millisecond."""
    return torch.tanh(x @ y)


@squared.workload(sizes={"batch": 128, "n": 128}, ladder={"batch": (128,)})
def cost(batch: int, n: int) -> int:
    """A product and a sum for each entry of y and each row."""
    return 2 * batch * n * n


@squared.implementation
def slowed(x, y):
    """The same, and as much of its own time again as is asked for doing nothing."""
    began = perf_counter()
    result = torch.tanh(x @ y)
    enough = began + SHARE * (perf_counter() - began)
    while perf_counter() < enough:
        pass
    return result
'''

TENANT = """
import random, time, torch

a = torch.rand(600, 600)
while True:
    enough = time.time() + random.expovariate(1 / 2)
    while time.time() < enough:
        a @ a
    time.sleep(random.expovariate(1 / 4))
"""

COPY = '''

@squared.implementation(name="copy{number}")
def copy{number}(x, y):
    """The reference again."""
    return torch.tanh(x @ y)
'''


def speeds(share: float, copies: int, seed: int, folder: Path) -> dict[str, str]:
    """What a run of the bench says of the slowed one and of the copies."""
    file = folder / "slow.py"
    file.write_text(HEAD.replace("SHARE", repr(share)) + "".join(COPY.format(number=each) for each in range(copies)))
    command = [sys.executable, "-m", "harness", "bench", str(file), "--seed", str(seed), "--json", "--device", "cpu"]
    done = subprocess.run([*command, "--reports", str(folder)], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr or done.stdout)
    timings = json.loads(done.stdout)["timings"]
    return {each["implementation"]: each["speed"] for each in timings if each["implementation"] != "definition"}


@contextmanager
def tenants(count: int) -> Iterator[None]:
    """So many processes that compute beside everything else, a third of the time, on a core each."""
    alone = {**os.environ, "OMP_NUM_THREADS": "1"}
    there = [subprocess.Popen([sys.executable, "-c", TENANT], env=alone) for _ in range(count)]
    try:
        yield
    finally:
        for each in there:
            each.kill()
            each.wait()


def main() -> None:
    """Print the two figures, and every word that was said."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=10, help="runs, of one slowed implementation each")
    parser.add_argument("--copies", type=int, default=10, help="copies of the reference in each run")
    parser.add_argument("--share", type=float, default=1.10, help="how long the slowed one takes, over the reference")
    parser.add_argument("--beside", type=int, default=0, help="processes that compute beside the bench")
    given = parser.parse_args()
    began, said = perf_counter(), []
    with tempfile.TemporaryDirectory() as folder, tenants(given.beside):
        for seed in track(range(given.runs), "trying", transient=True):
            said.append(speeds(given.share, given.copies, seed, Path(folder)))
    slowed = [each[SLOWED] for each in said]
    copies = [word for each in said for name, word in each.items() if name.startswith(IDENTICAL)]
    print(f"slowed by {given.share - 1:.0%}, called slower: {slowed.count('slower')} of {len(slowed)}")
    print(f"identical, called slower: {copies.count('slower')} of {len(copies)}; faster: {copies.count('faster')}")
    words = ("same", "unsure", "no data")
    print("otherwise: " + ", ".join(f"{copies.count(word)} {word}" for word in words))
    print(f"{perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
