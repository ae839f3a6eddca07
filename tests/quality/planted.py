"""What is planted: implementations with the verdict that they deserve, and for faults the diagnosis.

Every module in `tests/quality/faults` plants faults in right implementations and gives correct ones that compute in
another way; `python -m tests.quality.trials` tries them.
"""

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass

import torch

from harness.declare.implementation import implementation_of
from harness.declare.operation import Operation
from harness.measure.verdict import Verdict
from tests.quality import faults


@dataclass(frozen=True)
class Planted:
    """An implementation with the verdict it deserves.

    cause: the name of the cause that is its diagnosis (see `harness/explain/causes`), or several that say the same;
    words: what the diagnosis must contain, circumstances included; both empty for a correct implementation.
    """

    operation: Operation
    function: Callable
    verdict: Verdict
    cause: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    backend: str = "torch"
    dtypes: tuple[torch.dtype, ...] | None = None
    forward_only: bool = False

    @property
    def name(self):
        return f"{self.operation.name}/{self.function.__name__}"

    @property
    def implementation(self):
        return implementation_of(
            self.operation.name,
            self.operation.signature,
            self.function,
            self.backend,
            dtypes=self.dtypes,
            forward_only=self.forward_only,
        )


def fault(operation, *, cause=(), words=(), verdict=Verdict.WRONG, backend="torch", dtypes=None):
    """Declare a planted fault: its diagnosis by the name of the cause and by words that it must contain."""
    causes = (cause,) if isinstance(cause, str) else tuple(cause)
    wanted = (words,) if isinstance(words, str) else tuple(words)

    def declare(function):
        return Planted(operation, function, Verdict(verdict), causes, wanted, backend, dtypes)

    return declare


def correct(operation, *, backend="torch", dtypes=None):
    """Declare a correct implementation that computes in another way; it must not be called wrong."""
    return lambda function: Planted(operation, function, Verdict.ROUNDING, backend=backend, dtypes=dtypes)


def planted():
    """Everything planted, by module and in the order of its lines."""
    modules = [
        importlib.import_module(f"{faults.__name__}.{each.name}") for each in pkgutil.iter_modules(faults.__path__)
    ]
    return [
        value
        for module in modules
        for value in vars(module).values()
        if isinstance(value, Planted) and value.function.__module__ == module.__name__
    ]
