"""Three ways to scale a row: plain, slowed on purpose, and wrong as soon as rows are long."""

from time import perf_counter

from jaxtyping import Float
from torch import Tensor

import harness


@harness.operation(sizes={"d": (1, 4096)})
def scaled(x: Float[Tensor, "batch d"]) -> Float[Tensor, "batch d"]:
    """2x + 1."""
    return 2 * x + 1


@scaled.workload(sizes={"batch": 64, "d": 1024}, ladder={"d": (64, 1024, 4096)})
def cost(batch: int, d: int) -> int:
    """A product and a sum for each entry."""
    return 2 * batch * d


@scaled.implementation
def in_place(x):
    """The same with one temporary less."""
    return (2 * x).add_(1)


@scaled.implementation
def slowed(x):
    """The definition, and twice its time again doing nothing."""
    began = perf_counter()
    result = 2 * x + 1
    enough = began + 3 * (perf_counter() - began)
    while perf_counter() < enough:
        pass
    return result


@scaled.implementation
def fast_and_wrong(x):
    """Long rows take a way that forgets the one."""
    return 2 * x if x.shape[1] > 1000 else 2 * x + 1
