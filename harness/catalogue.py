"""The catalogue: every operation there is, found by looking, never by registering.

Built-in operations are the Operation objects of the modules in `harness.operations`; an installed package adds its
own through the entry point group `harness.operations` (each entry a module, or one Operation).
"""

from __future__ import annotations

import difflib
import importlib
import importlib.metadata
import pkgutil
from collections.abc import Iterable
from functools import lru_cache
from types import ModuleType

import harness.operations
from harness.declare.operation import Operation
from harness.errors import HarnessError, UnknownName


@lru_cache(maxsize=1)
def catalogue() -> dict[str, Operation]:
    """Every operation by name. Raises HarnessError where an installed package's entry point can't be loaded."""
    found: dict[str, Operation] = {}
    for family in pkgutil.iter_modules(harness.operations.__path__, "harness.operations."):
        found |= operations_in(importlib.import_module(family.name))
    for entry in importlib.metadata.entry_points(group="harness.operations"):
        found |= _from_entry_point(entry)
    return found


def _from_entry_point(entry: importlib.metadata.EntryPoint) -> dict[str, Operation]:
    try:
        loaded = entry.load()
    except Exception as failure:
        raise HarnessError(
            f"entry point {entry.name} = {entry.value} of group harness.operations can't be loaded: "
            f"{type(failure).__name__}: {failure}; mend or uninstall the package that declares it"
        ) from None
    return {loaded.name: loaded} if isinstance(loaded, Operation) else operations_in(loaded)


def operations_in(module: ModuleType) -> dict[str, Operation]:
    """The operations that a module declares itself (not those it imports)."""
    return {
        value.name: value
        for value in vars(module).values()
        if isinstance(value, Operation) and value.module == module.__name__
    }


def choose(names: Iterable[str], known: dict[str, Operation]) -> list[Operation]:
    """The operations of these names, all of them for none. Raises UnknownName with the nearest names."""
    wanted = list(names)
    for name in wanted:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=3, cutoff=0.4)
            hint = f"did you mean {' or '.join(near)}?" if near else "see `harness list`"
            raise UnknownName(f"operation {name!r} is unknown; {hint}")
    return [known[name] for name in wanted] if wanted else list(known.values())
