"""The suite: the properties that an operation gets from its declaration, and those written for it alone."""

from __future__ import annotations

import difflib
import pkgutil
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from types import ModuleType

from harness.declare.implementation import Implementation
from harness.declare.operation import Operation
from harness.errors import DeclarationError, HarnessError
from harness.registry import entry_points_of
from harness.verify.claim import Claim
from harness.verify.property import Property

_PACKAGE = "harness.properties"


@dataclass(frozen=True)
class Suite:
    """The properties of some operations. In a test module, `test_mine = harness.verify(mine)` makes pytest run them."""

    operations: tuple[Operation, ...]
    properties: tuple[Property, ...]


def verify(*operations: Operation) -> Suite:
    """All properties that apply to operations of your own, for a test module of your own."""
    wanted = tuple(prop for prop in every_property() if any(prop.applies(operation) for operation in operations))
    return Suite(operations, wanted)


def known_findings_file() -> Path:
    """The file of known findings, which lies beside the modules of properties."""
    return Path(str(import_module(f"{_PACKAGE}.agreement").__file__)).with_name("known_findings.toml")


def _modules(package: str) -> list[ModuleType]:
    """The modules of a package, those whose names begin with an underscore left out."""
    found = pkgutil.iter_modules(import_module(package).__path__)
    return [import_module(f"{package}.{each.name}") for each in found if not (each.ispkg or each.name.startswith("_"))]


@lru_cache(maxsize=1)
def every_property() -> tuple[Property, ...]:
    """Every property that is asked of implementations: the harness' own, and those of installed packages."""
    return (*_own_properties(), *installed_properties())


@lru_cache(maxsize=1)
def installed_properties() -> tuple[Property, ...]:
    """The properties of the entry point group `harness.properties` (each entry a module, or one Property).

    Raises HarnessError where one can't be loaded, or brings a name that is taken.
    """
    found: list[Property] = []
    taken = {prop.name for prop in _own_properties()}
    for entry, loaded in entry_points_of("harness.properties"):
        for prop in [loaded] if isinstance(loaded, Property) else properties_in(loaded):
            if prop.name in taken:
                raise HarnessError(
                    f"entry point {entry} of group harness.properties brings a property named {prop.name!r}, which there "
                    "is already; have the package that declares it give it another name"
                )
            taken.add(prop.name)
            found.append(prop)
    return tuple(found)


@lru_cache(maxsize=1)
def _own_properties() -> tuple[Property, ...]:
    """Those of `harness.properties`, agreement first, because most people look for it first."""
    modules = sorted(_modules(_PACKAGE), key=lambda module: module.__name__ != f"{_PACKAGE}.agreement")
    return tuple(prop for module in modules for prop in properties_in(module))


def is_of_the_harness(prop: Property) -> bool:
    """Whether the harness states it."""
    return prop.module.startswith(f"{_PACKAGE}.")


def check_exemptions(implementation: Implementation, known: Iterable[Property]) -> None:
    """Raise DeclarationError where an implementation is exempt from what nobody asks."""
    names = {prop.name for prop in known}
    for name in implementation.exempt:
        if name not in names:
            near = difflib.get_close_matches(name, names, n=3)
            hint = f"did you mean {' or '.join(near)}?" if near else "see `harness list`"
            raise DeclarationError(
                f"{implementation.place}: exempt= names property {name!r}, which there is not; {hint}"
            )


@lru_cache(maxsize=1)
def every_claim() -> tuple[Claim, ...]:
    """Every claim there is. Raises DeclarationError for an id that is taken or a property that nobody declares."""
    found = [claim for module in _modules(f"{_PACKAGE}.claims") for claim in claims_in(module)]
    known = {prop.name for prop in every_property()}
    taken: set[str] = set()
    for claim in found:
        unknown = [name for name in claim.by if claim.own is None and name not in known]
        if unknown or claim.id in taken:
            fault = f"names property {unknown[0]!r}, which there is not" if unknown else "is declared twice"
            raise DeclarationError(f"claim {claim.id} {fault}")
        taken.add(claim.id)
    return tuple(found)


def properties_in(module: ModuleType) -> Iterable[Property]:
    """The properties that a module declares itself."""
    return [value for value in vars(module).values() if isinstance(value, Property) and value.module == module.__name__]


def claims_in(module: ModuleType) -> Iterable[Claim]:
    """The claims that a module declares, one by one or in a tuple."""
    for value in vars(module).values():
        yield from (claim for claim in (value if isinstance(value, tuple) else (value,)) if isinstance(claim, Claim))
