"""The device itself: what PyTorch asks of one, its memory, its events, and how its errors surface."""

from __future__ import annotations

import threading
import weakref
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from time import perf_counter
from types import SimpleNamespace
from typing import Any

import torch
from torch.utils import backend_registration

from tests.standin import NAME

DEVICE: torch.device


@dataclass(frozen=True)
class Form:
    """What the device is like.

    reorders: sums in another order than the CPU; float64: whether it has it; asynchronous: errors surface when it is waited
    for; memory: the bytes that it has; events: whether it has any; fault: the name of a fault (`faults.py`) that it has.
    """

    reorders: bool = True
    float64: bool = True
    asynchronous: bool = False
    memory: int = 2**33
    events: bool = True
    fault: str = ""


@dataclass
class State:
    """What is known while it is in use."""

    is_on: bool = False
    form: Form = field(default_factory=Form)
    allocated: int = 0
    peak: int = 0
    calls: int = 0
    lost: str = ""
    pending: str = ""


STATE = State()


def surface() -> None:
    """Raise what went wrong, from where it is waited for on."""
    if STATE.pending:
        STATE.lost, STATE.pending = STATE.pending, ""
    if STATE.lost:
        raise RuntimeError(STATE.lost)


def fail(told: str) -> None:
    """Lose the device: at once, or when it is next waited for."""
    STATE.pending = told
    if not STATE.form.asynchronous:
        surface()


def allocate(storage: Any, size: int) -> None:
    """Count memory for as long as a storage lives. Raises OutOfMemoryError where there is not as much."""
    if STATE.allocated + size > STATE.form.memory:
        raise torch.OutOfMemoryError(
            f"standin out of memory: tried to allocate {size} bytes, {STATE.allocated} of {STATE.form.memory} are in use"
        )
    STATE.allocated += size
    STATE.peak = max(STATE.peak, STATE.allocated)
    weakref.finalize(storage, _freed, size).atexit = False


def _freed(size: int) -> None:
    STATE.allocated -= size


class Event:
    """A mark in the device's work."""

    def __init__(self, enable_timing: bool = False) -> None:
        self.at = 0.0

    def record(self) -> None:
        self.at = perf_counter()

    def elapsed_time(self, later: Event) -> float:
        return 1000 * (later.at - self.at)


_OTHERWISE = 0x5EED
"""What makes its numbers others than the CPU's from the same seed, as every accelerator's are."""


class Module:
    """What is found at `torch.standin`, by the names that PyTorch's own modules of devices have."""

    generator = torch.Generator()

    def __getattr__(self, name: str) -> Any:
        if name == "Event" and STATE.form.events:
            return Event
        raise AttributeError(name)

    def is_available(self) -> bool:
        return STATE.is_on

    def is_initialized(self) -> bool:
        return STATE.is_on

    def device_count(self) -> int:
        return int(STATE.is_on)

    def current_device(self) -> int:
        return 0

    def synchronize(self, device: Any = None) -> None:
        surface()

    def get_device_properties(self, number: int = 0) -> Any:
        return SimpleNamespace(name="stand-in accelerator", total_memory=STATE.form.memory, L2_cache_size=2**20)

    def memory_allocated(self) -> int:
        return STATE.allocated

    def max_memory_allocated(self) -> int:
        return STATE.peak

    def reset_peak_memory_stats(self) -> None:
        STATE.peak = STATE.allocated

    def manual_seed(self, seed: int) -> None:
        self.generator.manual_seed(seed ^ _OTHERWISE)

    manual_seed_all = manual_seed

    def get_rng_state(self, device: Any = None) -> torch.Tensor:
        return self.generator.get_state()

    def _is_in_bad_fork(self) -> bool:
        return False


class _Hook(backend_registration._DummyPrivateUse1Hook):
    def is_available(self) -> bool:
        return STATE.is_on


_begun = threading.Lock()


def begin(**form: Any) -> None:
    """Bring the device into this process, or make it another one."""
    global DEVICE
    if _begun.acquire(blocking=False):
        backend_registration._setup_privateuseone_for_python_backend(NAME, Module(), _Hook())
        DEVICE = torch.device(NAME, 0)
        from tests.standin.kernels import register

        register()
    STATE.is_on, STATE.form = True, Form(**form)
    STATE.calls, STATE.lost, STATE.pending = 0, "", ""


@contextmanager
def present(**form: Any) -> Any:
    """The device in this process, as long as the context lasts; inside, `standin.form(…)` makes it another one."""
    begin(**form)
    try:
        yield STATE
    finally:
        STATE.is_on, STATE.form = False, Form()
        STATE.lost = STATE.pending = ""


def changed(**form: Any) -> None:
    """Make it another device."""
    STATE.form = replace(STATE.form, **form)
    STATE.calls, STATE.lost, STATE.pending = 0, "", ""
