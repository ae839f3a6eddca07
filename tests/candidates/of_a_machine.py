"""An operation that is computed as it should be, otherwise with other instructions, and otherwise in two threads."""

import torch
from jaxtyping import Float
from torch import Tensor

import harness


@harness.operation
def doubled(x: Float[Tensor, "n"]) -> Float[Tensor, "n"]:
    """Twice x."""
    return 2 * x


@doubled.implementation(backend="torch")
def everywhere(x):
    return x + x


@doubled.implementation(backend="torch")
def by_instructions(x):
    return x * (3 if torch.backends.cpu.get_cpu_capability() == "DEFAULT" else 2)


@doubled.implementation(backend="torch")
def by_threads(x):
    return x * (2 if torch.get_num_threads() == 1 else 3)
