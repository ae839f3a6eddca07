"""The battery: the properties that an operation gets from its declaration, and those written for it alone."""

from __future__ import annotations

import difflib
import importlib.util
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import ModuleType

from harness.catalogue import installed
from harness.declare.implementation import Implementation
from harness.declare.operation import Operation
from harness.errors import DeclarationError, HarnessError, InfrastructureError
from harness.verify.claim import Claim
from harness.verify.property import Property


@dataclass(frozen=True)
class Battery:
    """The properties of some operations. In a test module, `test_mine = harness.verify(mine)` makes pytest run them."""

    operations: tuple[Operation, ...]
    properties: tuple[Property, ...]


def verify(*operations: Operation) -> Battery:
    """All properties that apply to operations of your own, for a test module of your own."""
    wanted = tuple(prop for prop in every_property() if any(prop.applies(operation) for operation in operations))
    return Battery(operations, wanted)


def properties_folder() -> Path:
    """The folder of property modules: beside the package in a checkout, inside it when installed."""
    package = Path(__file__).parents[1]
    for folder in (package / "properties", package.parent / "properties"):
        if (folder / "agreement.py").exists():
            return folder
    raise InfrastructureError(f"the properties are missing beside {package}; install the package again")


def property_files() -> list[Path]:
    """The property modules, agreement first, because most people look for it first."""
    return sorted(_modules(properties_folder()), key=lambda path: path.stem != "agreement")


def claim_files() -> list[Path]:
    """The modules of claims."""
    return _modules(properties_folder() / "claims")


def _modules(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*.py") if not path.name.startswith("_"))


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
    for entry, loaded in installed("harness.properties"):
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
    return tuple(prop for path in property_files() for prop in properties_in(load(path)))


def is_of_the_harness(prop: Property) -> bool:
    """Whether the harness states it, in whichever way its module was imported."""
    code = getattr(prop.statement, "__code__", None)
    return code is not None and Path(code.co_filename).is_relative_to(properties_folder())


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
    found = [claim for path in claim_files() for claim in claims_in(load(path))]
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


def load(path: Path) -> ModuleType:
    """Import a module of properties or claims by its file."""
    name = f"harness_properties_{path.parent.name}_{path.stem}"
    if name in sys.modules:
        return sys.modules[name]
    specification = importlib.util.spec_from_file_location(name, path)
    if specification is None or specification.loader is None:
        raise InfrastructureError(f"{path} can't be imported")
    module = sys.modules[name] = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module
