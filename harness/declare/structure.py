"""Structures: arguments that annotations can't describe (sorted lengths, an invertible kernel, a stable matrix).

A structure is a function of a RandomSource that returns a numpy array of the argument's shape. It is named by its own
name, and draws all its randomness from the stream, so that a case can be rebuilt from a seed. What else is known of its
values it says with `@structure`: which others are in the domain, and which are simpler. One that only chooses likely
numbers, where any others would be in the domain too, says so with `@typical`. The domains of `harness.domains` are
structures that know both.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

_PHILOX = np.random.Philox(0)
"""One generator for all streams, set to a stream's place at each draw: making one takes ten times as long as a small draw."""

_START = _PHILOX.state
_BLOCK = 4
"""The words that Philox makes at once."""

PERIOD = 2**22 + 15
"""Numbers after which those of a larger tensor begin anew: as many as take longer to draw than all else that is done with them.

A prime, so that rows of no length are alike.
"""


@dataclass
class RandomSource:
    """A seeded source of numbers for one argument.

    Everything is made from Philox's raw words by exact integer and power-of-two arithmetic, never by numpy's
    distributions (whose streams may change between versions) or by libm (which differs between machines): the same
    seed gives the same bits everywhere.
    """

    shape: tuple[int, ...]
    known: Mapping[str, Any]
    seed: int
    name: str

    def __post_init__(self) -> None:
        self._key = np.array([self.seed, zlib.crc32(self.name.encode())], dtype=np.uint64)
        self._drawn = 0

    def shared(self) -> RandomSource:
        """The stream that all arguments of this shape have in common."""
        return RandomSource(self.shape, self.known, self.seed, "")

    def words(self, shape: tuple[int, ...]) -> NDArray[np.uint64]:
        """Uniform 64-bit words: the next ones that a Philox of this stream's key would give."""
        blocks, passed = divmod(self._drawn, _BLOCK)
        _PHILOX.state = _START | {"state": {"counter": np.array([blocks, 0, 0, 0], np.uint64), "key": self._key}}
        count = math.prod(shape)
        self._drawn += count
        return np.asarray(_PHILOX.random_raw(passed + count)[passed:], dtype=np.uint64).reshape(shape)

    def normal(self, shape: tuple[int, ...] | None = None) -> NDArray[np.float64]:
        """Bell-shaped numbers of mean 0 and variance about 1, in ±3.5: the sum of four uniforms (Irwin–Hall).

        Of more than PERIOD, as a large model's parameters are, the first ones come again.
        """
        shape = self.shape if shape is None else shape
        count = math.prod(shape)
        quarters = self.words((min(count, PERIOD),)).view(np.uint16).reshape(-1, 4)
        centred = quarters.sum(1, dtype=np.int64) - 2 * (2**16 - 1)
        numbers = centred * (1.734375 / 2**16)
        return numbers.reshape(shape) if numbers.size == count else np.resize(numbers, shape)

    def uniform(self, shape: tuple[int, ...] | None = None) -> NDArray[np.float64]:
        """Uniform numbers in [0, 1)."""
        words = self.words(self.shape if shape is None else shape) >> np.uint64(11)
        return np.asarray(np.ldexp(words.astype(np.float64), -53))  # of no axes, it would be a number

    def integers(self, low: int, high: int, shape: tuple[int, ...] | None = None) -> NDArray[np.int64]:
        """Uniform integers from low to high, both included."""
        words = self.words(self.shape if shape is None else shape)
        return np.asarray(low + (words % np.uint64(high - low + 1)).astype(np.int64))


Made = TypeVar("Made", bound=Callable[..., Any])
Admits = Callable[[NDArray[Any], Mapping[str, Any]], bool]
Simpler = Callable[[RandomSource], Iterable[NDArray[Any]]]


def structure(*, admits: Admits | None = None, simpler: Simpler | None = None) -> Callable[[Made], Made]:
    """Declare what is known of a structure's values, so that those of a counterexample can be made simple.

    admits: whether an array is in the domain, given sizes and options by name; simpler: from a RandomSource (of which it needs
    shape and sizes, and draws nothing) the arrays to put in place of a drawn one, simplest first. Arguments that belong
    together get them together, the first with the first and so on. Without `admits` nothing else is put there; without
    either an argument stays as it was drawn.
    """

    def declare(made: Made) -> Made:
        if admits is not None:
            made.admits = admits  # type: ignore[attr-defined]
        if simpler is not None:
            made.simpler = simpler  # type: ignore[attr-defined]
        return made

    return declare


def name_of(structure: Any) -> str:
    """What a structure is called: a function by its name, a domain as it is written."""
    return getattr(structure, "__name__", None) or repr(structure)


def typical(structure: Made) -> Made:
    """Declare that a structure's numbers are only typical, so that a counterexample may be simplified beyond them."""
    structure.any_numbers = True  # type: ignore[attr-defined]
    return structure
