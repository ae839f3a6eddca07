"""The inverse of a large convolution (S1), measured: `python -m tests.quality.inverse`.

Prints, at the question's own size and at one where LSMR can be waited for, the seconds of the factorisation, those of an
image, the residual, the error of the solution, and the condition that bounds it. `--device cuda` does it on a GPU. Then, for
fourteen small random kernels, how the condition grows with the image, beside how often the symbol winds round zero: where it does,
the same convolution of a half-plane has no inverse (Gohberg and Feldman, 1974), and the image's approaches that.
"""

import argparse
import math
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from harness.declare.devices import device_of
from harness.operations.conv2d_factorisation import Circulant, Factorisation, Iterated

_IMAGES = 4
_STEPS = 3_000
_SIDES = (8, 16, 32)


def seconds(do: Callable[[], Tensor]) -> tuple[Tensor, float]:
    """What is computed, and how long it took, a GPU's queue included."""
    began = time.perf_counter()
    made = do()
    device_of(made).synchronize()
    return made, time.perf_counter() - began


def drawn(channels: int, side: int, device: str) -> tuple[Tensor, Tensor]:
    """A kernel and images."""
    stream = torch.Generator().manual_seed(0)
    shapes = (channels, channels, 3, 3), (_IMAGES, channels, side, side)
    kernel, x = (torch.randn(shape, generator=stream, dtype=torch.float64).to(device) for shape in shapes)
    return kernel, x


@dataclass(frozen=True)
class Inverted:
    """What a factorisation takes and gives: seconds to set it up, the first image included, and of an image of several at once."""

    setup: float
    image: float
    residual: float
    error: float
    condition: float


def inverted(channels: int, side: int, device: str) -> tuple[Inverted, Factorisation, Tensor]:
    """The figures of a factorisation, itself, and the right-hand sides that it has solved."""
    K, x = drawn(channels, side, device)
    began = time.perf_counter()
    made = Factorisation(K, side, side)
    y = made.apply(x)
    device_of(made.solve(y[:1])).synchronize()
    setup = time.perf_counter() - began
    solved, took = seconds(lambda: made.solve(y))
    error = float((solved - x).norm() / x.norm())
    told = Inverted(setup, took / _IMAGES, float(made.residual(solved, y)), error, float(made.condition))
    return told, made, y


def factorised(channels: int, side: int, device: str) -> tuple[Factorisation, Tensor, float]:
    """Print what the factorisation takes and gives; returns it, the right-hand sides and the seconds of an image."""
    told, made, y = inverted(channels, side, device)
    print(f"{channels} channels, {side}×{side}, padding 1, on {device}: {channels * side**2:,} unknowns")
    print(f"  set-up, the first image included   {told.setup:.2f} s")
    print(f"  an image, of {_IMAGES} at once             {1000 * told.image:.1f} ms")
    print(f"  relative residual                  {told.residual:.1e}")
    print(f"  relative error of the solution     {told.error:.1e}")
    print(f"  condition, estimated               {told.condition:.0e}")
    print(f"  memory of the process, at most     {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB")
    return made, y, told.image


def iterated(made: Factorisation, y: Tensor, each: float, side: int, steps: int) -> None:
    """Print what scipy's LSMR takes and gives for one of these images."""
    lsmr = Iterated(made.kernel.cpu(), side, side, 1, "to compare", steps)
    solved, took = seconds(lambda: lsmr.solve(y[:1].cpu()))
    print(f"  scipy's LSMR, {steps:,} steps          {took:.1f} s, {took / each:,.0f} × as long an image")
    print(f"  its relative residual              {made.residual(solved.to(y.device), y[:1]):.1e}")


def winding(K: Tensor, across: int = 16) -> tuple[float, float]:
    """For each axis, the share of the other's frequencies at which the determinant of the symbol winds round zero along it."""
    along = 8 * K.shape[0] * max(K.shape[2:])  # so many steps that none of them is half a turn
    shares = []
    for axis, sides in enumerate(((along, across), (across, along))):
        phase = torch.linalg.slogdet(Circulant(K, sides, (0, 1)).symbol)[0].movedim(axis, 0)
        turns = torch.angle(phase.roll(-1, 0) * phase.conj()).sum(0) / (2 * math.pi)
        shares.append(float((turns.round() != 0).double().mean()))
    return shares[0], shares[1]


def growing(channels: int, seed: int) -> None:
    """Print how the condition of a random kernel grows with the image, and how much its symbol winds."""
    stream = torch.Generator().manual_seed(seed)
    K = torch.randn(channels, channels, 3, 3, generator=stream, dtype=torch.float64)
    conditions = "  ".join(f"{Factorisation(K, side, side).condition:.0e}" for side in _SIDES)
    down, across = winding(K)
    print(f"  {channels}         {seed}      {conditions}   {down:4.0%} down, {across:4.0%} across")


def main() -> None:
    """Print both sizes, and the small ones."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--steps", type=int, default=_STEPS, help="of LSMR at most")
    given = parser.parse_args()
    iterated(*factorised(8, 64, given.device), 64, given.steps)
    factorised(32, 128, given.device)
    print(f"channels  seed  condition at {_SIDES} a side, and the frequencies at which the symbol winds round zero")
    for channels, seed in [(1, seed) for seed in range(10)] + [(4, seed) for seed in range(4)]:
        growing(channels, seed)


if __name__ == "__main__":
    main()
