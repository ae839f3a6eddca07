"""The battery: the properties that an operation gets from its declaration, and those written for it by name."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import ModuleType

from harness.declare.operation import Operation
from harness.errors import InfrastructureError
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
    found = sorted(path for path in properties_folder().glob("*.py") if not path.name.startswith("_"))
    return sorted(found, key=lambda path: path.stem != "agreement")


@lru_cache(maxsize=1)
def every_property() -> tuple[Property, ...]:
    """Every property there is."""
    return tuple(prop for path in property_files() for prop in properties_in(load(path)))


def properties_in(module: ModuleType) -> Iterable[Property]:
    """The properties that a module declares itself."""
    return [value for value in vars(module).values() if isinstance(value, Property) and value.module == module.__name__]


def load(path: Path) -> ModuleType:
    """Import a property module by its file."""
    name = f"harness_properties_{path.stem}"
    if name in sys.modules:
        return sys.modules[name]
    specification = importlib.util.spec_from_file_location(name, path)
    if specification is None or specification.loader is None:
        raise InfrastructureError(f"{path} can't be imported")
    module = sys.modules[name] = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module
