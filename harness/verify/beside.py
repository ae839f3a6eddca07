"""Beside: the modules in which something is declared, where its author states more about it."""

from __future__ import annotations

import sys
from types import ModuleType

from harness.declare.callables import module_of
from harness.declare.implementation import Implementation
from harness.declare.operation import Operation
from harness.verify.property import Property


def modules_beside(operation: Operation, *rest: Implementation | Property) -> list[ModuleType]:
    """The modules that declare an operation, and its implementations or what is asked of it, each once."""
    names = [operation.module, *map(_module_of, rest)]
    return [sys.modules[name] for name in dict.fromkeys(names) if name in sys.modules]


def _module_of(declared: Implementation | Property) -> str:
    if isinstance(declared, Property):
        return declared.module
    return module_of(declared.function)
