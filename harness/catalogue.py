"""The catalogue: every operation there is, found by looking, never by registering.

Built-in operations are the Operation objects of the modules in `harness.operations`; an installed package adds its
own through the entry point group `harness.operations` (each entry a module, or one Operation).
"""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from collections.abc import Iterable, Mapping
from functools import lru_cache
from types import ModuleType
from typing import Any

import harness.operations
from harness.declare.callables import place_of
from harness.declare.implementation import Implementation
from harness.declare.operation import Operation
from harness.errors import DeclarationError, HarnessError, UnknownName
from harness.registry import entry_points_of


@lru_cache(maxsize=1)
def catalogue() -> dict[str, Operation]:
    """Every operation by name.

    Raises HarnessError where an installed package's entry point can't be loaded, or brings a name that is taken.
    """
    found: dict[str, Operation] = {}
    for family in pkgutil.iter_modules(harness.operations.__path__, "harness.operations."):
        found |= operations_in(importlib.import_module(family.name))
    for entry, loaded in entry_points_of("harness.operations"):
        brought = {loaded.name: loaded} if isinstance(loaded, Operation) else operations_in(loaded)
        for name in brought.keys() & found.keys():
            raise HarnessError(
                f"entry point {entry} of group harness.operations brings an operation named {name!r}, which there is "
                "already; have the package that declares it give it another name"
            )
        found |= brought
    return found


def operations_in(module: ModuleType) -> dict[str, Operation]:
    """The operations that a module declares itself (not those it imports). Raises DeclarationError for a name given twice."""
    found: dict[str, Operation] = {}
    for value in vars(module).values():
        is_own = isinstance(value, Operation) and value.module == module.__name__
        if is_own and found.setdefault(value.name, value) is not value:
            raise DeclarationError(
                f"{place_of(value.definition)}: this module declares two operations named {value.name!r}; give one of "
                "them another name"
            )
    return found


def named(name: str, beside: Mapping[str, Any]) -> Operation:
    """The operation that a module means by a name: one that it declares, else one that it imports, else the catalogue's.

    beside: the module's globals. Raises UnknownName with the nearest names.
    """
    here = [value for value in beside.values() if isinstance(value, Operation)]
    known = catalogue() | {
        each.name: each for each in sorted(here, key=lambda each: each.module == beside.get("__name__"))
    }
    return choose([name], known)[0]


def is_catalogued(operation: Operation, implementation: Implementation) -> bool:
    """Whether it is the catalogue's own implementation, and not somebody's of the same name."""
    try:
        return catalogue().get(operation.name) is operation and operation.find(implementation.name) is implementation
    except UnknownName:
        return False


def choose(names: Iterable[str], known: dict[str, Operation]) -> list[Operation]:
    """The operations of these names, all of them for none. Raises UnknownName with the nearest names."""
    wanted = list(names)
    for name in wanted:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=3, cutoff=0.4)
            hint = f"did you mean {' or '.join(near)}?" if near else "see `harness list`"
            raise UnknownName(f"operation {name!r} is unknown; {hint}")
    return [known[name] for name in wanted] if wanted else list(known.values())
