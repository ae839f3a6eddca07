"""Fresh memory that holds NaN, so that whoever leaves a part of it as it was allocated shows it in every call."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch


@contextlib.contextmanager
def filled_memory() -> Iterator[None]:
    """What PyTorch allocates in here is filled with NaN first, or with the largest integer.

    That is PyTorch's own switch for deterministic operations; of those that have no deterministic kernel it only warns. Set
    as the debug mode, since `torch.use_deterministic_algorithms` imports a compiler.
    """
    before = torch.get_deterministic_debug_mode()
    torch.set_deterministic_debug_mode("warn")
    try:
        yield
    finally:
        torch.set_deterministic_debug_mode(before)
