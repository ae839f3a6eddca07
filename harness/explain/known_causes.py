"""The causes that there are: the harness' own, those of installed packages, and those beside what a cell is about."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from types import ModuleType

from harness.errors import DefinitionFault
from harness.explain import causes
from harness.explain.cause import Cause, Instead, Observed
from harness.explain.neighbourhood import FaultNeighbourhood
from harness.registry import entry_points_of
from harness.verify.beside import modules_beside
from harness.verify.cell import Cell


@lru_cache(maxsize=1)
def _own_causes() -> tuple[Cause, ...]:
    """The causes of the modules in `harness/explain/causes`, plainer subjects first."""
    names = [found.name for found in pkgutil.iter_modules(causes.__path__)]
    order = {name: place for place, name in enumerate(_ORDER)}
    found = [
        value
        for name in sorted(names, key=lambda name: order.get(name, len(order)))
        for value in vars(importlib.import_module(f"{causes.__name__}.{name}")).values()
        if isinstance(value, Cause) and value.module.endswith(f".{name}")
    ]
    return tuple(found)


_ORDER = (
    "kernels",
    "arguments",
    "complex_numbers",
    "options",
    "indices",
    "scale",
    "parts",
    "axes",
    "blocks",
    "scale_inside",
    "steps",
    "limits",
    "nonfinite",
    "gradients",
    "small_constants",
    "memory",
    "layouts",
    "samples",
    "unread",
    "positions",
    "precision",
)


@lru_cache(maxsize=1)
def _installed_causes() -> tuple[Cause, ...]:
    """The causes of the entry point group `harness.causes` (each entry a module, or one Cause)."""
    found: list[Cause] = []
    for _, loaded in entry_points_of("harness.causes"):
        found += [loaded] if isinstance(loaded, Cause) else causes_in(loaded)
    return tuple(found)


def causes_in(module: ModuleType) -> list[Cause]:
    """The causes that a module declares or imports."""
    return [value for value in vars(module).values() if isinstance(value, Cause)]


def known_causes(cell: Cell) -> tuple[Cause, ...]:
    """Every cause: the harness' own, those of installed packages, then those beside what the cell is about."""
    modules = modules_beside(cell.operation, cell.implementation, cell.prop)
    beside = [cause for module in modules for cause in causes_in(module)]
    return tuple(dict.fromkeys((*every_cause(), *beside)))


def every_cause() -> tuple[Cause, ...]:
    """The causes that are tried on everything: the harness' own, and those of installed packages."""
    return (*_own_causes(), *_installed_causes())


def suggestions(fault: FaultNeighbourhood) -> Iterator[tuple[Cause, Instead | Observed]]:
    """What every known cause has to say of a fault, as long as there is time."""
    for cause in known_causes(fault.cell):
        if not fault.time_left:
            return
        # torch lacks a kernel for a narrow dtype that the cause would look at, or the definition has no answer there
        with suppress(NotImplementedError, DefinitionFault):
            for theory in cause(fault):
                if not fault.time_left:
                    return
                yield cause, theory
