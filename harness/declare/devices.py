"""Devices: where a case is computed, and what is asked of a device in place of knowing it by its name.

A device is called as PyTorch calls it: `cpu`, `cuda`, `mps`, `xpu:1`, or as a backend of one's own has renamed PrivateUse1. What
differs between them (which dtypes there are, how one waits for a result, what is told of memory, whether there are events, how
a fault shows) is found by trying it, or by what the device's module in PyTorch has. A backend of one's own gets here by
PyTorch's own entry point group, `torch.backends`, which every process loads as it imports torch.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import torch
from torch import Tensor

from harness.declare.dtypes import HALVES, WIDE
from harness.errors import HarnessError
from harness.fault import message

CPU = "cpu"

ACCELERATOR = "accelerator"
"""In a declaration: any device but the CPU."""

_NAME = re.compile(r"([a-z_][a-z_0-9]*)(?::(\d+))?")

_NO_MEMORY = re.compile(r"out of memory|can't allocate memory", re.IGNORECASE)


@dataclass(frozen=True)
class Device:
    """A device by its name. `device_named(name)` gives the same one each time, which remembers what it was asked."""

    name: str

    @property
    def kind(self) -> str:
        """What it is, whichever of several: `cuda` of `cuda:1`."""
        return self.name.partition(":")[0]

    @property
    def number(self) -> int | None:
        """Which of several it is; None for the one that PyTorch takes where nobody says."""
        digits = self.name.partition(":")[2]
        return int(digits) if digits else None

    @property
    def is_cpu(self) -> bool:
        """Whether it is the processor itself, whose calls return when they are done."""
        return self.kind == CPU

    @property
    def _module(self) -> Any:
        return torch.get_device_module(self.kind)

    def is_one_of(self, named: Iterable[str]) -> bool:
        """Whether a declaration means it: by its name, by its kind, or as any accelerator."""
        return bool({self.name, self.kind, CPU if self.is_cpu else ACCELERATOR} & {*named})

    def holds(self, tensor: Tensor) -> bool:
        """Whether a tensor lies on it."""
        return tensor.device.type == self.kind and self.number in (None, tensor.device.index)

    def has(self, dtype: torch.dtype) -> bool:
        """Whether it computes in a dtype."""
        if dtype not in self._computes:
            self._computes[dtype] = self.is_cpu or self._tried(dtype)
        return self._computes[dtype]

    def _tried(self, dtype: torch.dtype) -> bool:
        try:
            (torch.ones(2, dtype=dtype, device=self.name) + 1).cpu()
        except (TypeError, RuntimeError) as failure:
            if lacks_memory(failure):
                raise
            return False
        return True

    @cached_property
    def _computes(self) -> dict[torch.dtype, bool]:
        return {}

    @property
    def lacking(self) -> tuple[str, ...]:
        """The names of the usual float dtypes in which it does not compute."""
        return tuple(str(each).removeprefix("torch.") for each in (*WIDE, *HALVES) if not self.has(each))

    def rounds_factors(self, products: str, eps: float) -> bool:
        """Whether products of float32 have factors that are rounded to eps there, where PyTorch's word for products allows it."""
        if (products, eps) not in self._rounds:
            self._rounds[products, eps] = self._tried_products(products, eps)
        return self._rounds[products, eps]

    def _tried_products(self, products: str, eps: float) -> bool:
        factors = torch.full((_SIDE, _SIDE), 1 + eps / 4, device=self.name)
        before = torch.get_float32_matmul_precision()
        torch.set_float32_matmul_precision(products)
        try:
            return bool((factors @ factors == _SIDE).all())
        finally:
            torch.set_float32_matmul_precision(before)

    @cached_property
    def _rounds(self) -> dict[tuple[str, float], bool]:
        return {}

    def synchronize(self) -> None:
        """Wait for everything that it was told to compute; raises what went wrong there."""
        if not self.is_cpu:
            self._module.synchronize(*self._which)

    @property
    def _which(self) -> tuple[int, ...]:
        """What functions of its module are told: nothing where it is PyTorch's choice, since some take nothing."""
        return () if self.number is None else (self.number,)

    @property
    def is_lost(self) -> bool:
        """Whether a fault has left this process without it: from then on every call fails."""
        if self.is_cpu:
            return False
        used = getattr(self._module, "is_initialized", lambda: True)
        try:
            if used():
                self.synchronize()
        except RuntimeError:
            return True
        return False

    def seed(self, seed: int) -> None:
        """Have its own generator begin at a seed."""
        if not self.is_cpu:
            self._module.manual_seed(seed)

    @property
    def drawn(self) -> bytes | None:
        """How far its own generator has come, the same where nothing was drawn; None where it does not tell."""
        told = None if self.is_cpu else getattr(self._module, "get_rng_state", None)
        return None if told is None else told(*self._which).numpy().tobytes()

    def event(self) -> Any:
        """A mark in its work, which tells the time to another one; None where it has no such thing."""
        made = getattr(self._module, "Event", None)
        return None if self.is_cpu or made is None else made(enable_timing=True)

    def sleep(self, cycles: int) -> None:
        """Keep it busy for so many cycles of its clock, where it knows how."""
        getattr(self._module, "_sleep", lambda cycles: None)(cycles)

    def peak(self, run: Callable[[], Any]) -> int | None:
        """The bytes that a call takes on it beyond what was there before; None where it does not tell."""
        module = self._module
        if not all(hasattr(module, name) for name in ("memory_allocated", *_OF_THE_PEAK)):
            return None
        module.reset_peak_memory_stats()
        before = module.memory_allocated()
        run()
        self.synchronize()
        return int(module.max_memory_allocated() - before)

    def told(self, fact: str) -> Any:
        """What its properties say, as PyTorch names them (`name`, `total_memory`, `L2_cache_size`); None where they don't."""
        properties = getattr(self._module, "get_device_properties", None)
        return None if properties is None else getattr(properties(self.number or 0), fact, None)

    @property
    def title(self) -> str:
        """What its maker calls it, its name here where nobody says."""
        return self.name if self.is_cpu else str(self.told("name") or self.name)

    @property
    def waiting(self) -> tuple[str, ...]:
        """Python that waits for it."""
        return () if self.is_cpu else (f"torch.{self.kind}.synchronize()",)

    @property
    def settings(self) -> tuple[str, ...]:
        """Settings of PyTorch, as Python, that are its own and would round the factors of products of themselves."""
        return ("torch.backends.cudnn.allow_tf32",) if self.kind == _WITH_CUDNN else ()


_SIDE = 256
_OF_THE_PEAK = ("reset_peak_memory_stats", "max_memory_allocated")
_WITH_CUDNN = "cuda"


@lru_cache(maxsize=64)
def device_named(name: str) -> Device:
    """The device of a name, whether it is here or not."""
    return Device(name)


def device_of(tensor: Tensor) -> Device:
    """The device on which a tensor lies; the first of several is the one that needs no number."""
    place = tensor.device
    return device_named(f"{place.type}:{place.index}" if place.index else place.type)


def devices_here() -> tuple[str, ...]:
    """The kinds of devices that this machine has, the CPU first, then the accelerator that PyTorch itself would take."""
    return (CPU, *accelerators())


def accelerators() -> tuple[str, ...]:
    """The kinds of accelerators that this machine has."""
    return tuple(kind for kind in dict.fromkeys(_kinds()) if _count(kind))


def every_accelerator() -> tuple[str, ...]:
    """The names of all accelerators that this machine has: by number where there are several of a kind."""
    return tuple(name for kind in accelerators() for name in _numbered(kind))


def _kinds() -> Iterator[str]:
    """What PyTorch has a word for: the one that it was built for, or that was brought, and then all others."""
    current = torch.accelerator.current_accelerator()
    if current is not None:
        yield current.type
    yield from (kind.lower() for kind in torch._C._autograd.DeviceType.__members__ if kind.lower() != CPU)


def _count(kind: str) -> int:
    """How many of a kind there are."""
    module: Any = getattr(torch, kind, None)
    is_available = getattr(module, "is_available", None)
    return int(module.device_count()) if is_available and is_available() else 0


def check_devices(wanted: Iterable[str]) -> None:
    """Raise HarnessError for a device that is not there."""
    for name in wanted:
        if reason := absent(name):
            raise HarnessError(reason)


def absent(name: str) -> str:
    """Why a device can't be asked, in a sentence that says which there are; empty where it is there."""
    found, here = _NAME.fullmatch(name), devices_here()
    if name in here or (found and found[2] and found[1] in here[1:] and int(found[2]) < _count(found[1])):
        return ""
    return f"device {name!r} is not here; this machine has {', '.join((CPU, *every_accelerator()))}"


def _numbered(kind: str) -> list[str]:
    """The names of all devices of a kind: by number where there are several."""
    count = _count(kind)
    return [kind] if count == 1 else [f"{kind}:{number}" for number in range(count)]


def lost_devices() -> list[str]:
    """The accelerators that a fault has taken from this process."""
    return [kind for kind in accelerators() if device_named(kind).is_lost]


def lacks_memory(failure: BaseException) -> bool:
    """Whether something failed for want of memory, of the machine's or of a device's."""
    return isinstance(failure, MemoryError | torch.OutOfMemoryError) or bool(_NO_MEMORY.search(message(failure)))
