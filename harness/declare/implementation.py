"""An implementation: one way to compute an operation, on some backend."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from harness.declare.backends import BACKENDS, COMPILED, Backend
from harness.errors import DeclarationError

TWIN = ".compiled"
"""What the name of a compiled twin has more than its original's."""


@dataclass(frozen=True, eq=False)
class Implementation:
    """One way to compute an operation.

    `exempt` maps a property's name to the reason why the statement is not asked of this implementation; the
    report shows it as unsupported with that reason.
    """

    operation: str
    name: str
    function: Callable[..., Any]
    backend: Backend
    dtypes: tuple[torch.dtype, ...]
    exempt: Mapping[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"<implementation {self.operation}/{self.name} on {self.backend.name}>"

    @property
    def key(self) -> str:
        """`operation/implementation`, the name used in reports and on the command line."""
        return f"{self.operation}/{self.name}"

    @cached_property
    def place(self) -> str:
        """`file.py: function`, for messages."""
        return place_of(self.function)

    @property
    def file(self) -> Path | None:
        """The file that declares it, None where there is none (a notebook, a prompt)."""
        source = inspect.getsourcefile(inspect.unwrap(self.function))
        return Path(source).resolve() if source and Path(source).exists() else None

    @property
    def declared_at(self) -> tuple[str, int]:
        """The file as seen from the root of its checkout, and the line; ("", 0) where it lies in none."""
        code = getattr(inspect.unwrap(self.function), "__code__", None)
        file = self.file if code else None
        root = next((each for each in file.parents if (each / ".git").exists()), None) if file else None
        if file is None or root is None or code is None:
            return "", 0
        return file.relative_to(root).as_posix(), code.co_firstlineno

    @cached_property
    def ready(self) -> Callable[..., Any]:
        """The function as its backend runs it: itself, or compiled."""
        return self.backend.prepare(self.function)

    @cached_property
    def compiled(self) -> Implementation:
        """The same function on torch.compile, by the name `….compiled`."""
        exempt = {**self.exempt, "compiled": "it is compiled already"}
        return replace(self, name=f"{self.name}{TWIN}", backend=BACKENDS[COMPILED], exempt=exempt)

    def unavailable(self) -> str | None:
        """Why it can't run here at all, or None."""
        return self.backend.missing()

    def compute(
        self, arguments: Mapping[str, Tensor], options: Mapping[str, Any], reversed: Collection[str] = ()
    ) -> Any:
        """Call the function with the backend's own arrays and bring the result back as tensors, unchecked.

        reversed: the arguments that it gets with negative strides.
        """
        backend = self.backend
        native = {
            name: backend.receive_reversed(tensor) if name in reversed else backend.receive(tensor)
            for name, tensor in arguments.items()
        }
        result = self.ready(**native, **options)
        if isinstance(result, tuple | list):
            return tuple(self.backend.give_back(part) for part in result)
        return self.backend.give_back(result)


def implementation_of(
    operation: str,
    parameters: tuple[str, ...],
    function: Callable[..., Any],
    backend: str,
    name: str | None = None,
    dtypes: tuple[torch.dtype, ...] | None = None,
    exempt: Mapping[str, str] | None = None,
) -> Implementation:
    """Check a function against an operation's parameters and make it an Implementation.

    Raises DeclarationError where the backend is unknown or the signature does not take the operation's arguments.
    """
    known = BACKENDS.get(backend)
    if known is None:
        raise DeclarationError(
            f"{place_of(function)}: backend {backend!r} is unknown; write one of {', '.join(sorted(BACKENDS))}"
        )
    _check_signature(operation, parameters, function)
    return Implementation(operation, name or function.__name__, function, known, dtypes or known.dtypes, exempt or {})


def on_backends(every: Iterable[Implementation], backends: Collection[str]) -> list[Implementation]:
    """Those on backends that are named, all where none is; where torch.compile is named, compiled twins of torch's."""
    ways = list(every)
    if not backends:
        return ways
    if COMPILED in backends:
        ways += [each.compiled for each in ways if each.backend.name == "torch"]
    return [each for each in ways if each.backend.name in backends]


def place_of(function: Callable[..., Any]) -> str:
    """`file.py: name`, so that a message says where to look."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    name = getattr(function, "__name__", type(function).__name__)
    return f"{Path(code.co_filename).name}: {name}" if code else name


def _check_signature(operation: str, parameters: tuple[str, ...], function: Callable[..., Any]) -> None:
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return
    expected = f"{operation}({', '.join(parameters)})"
    try:
        signature.bind(**dict.fromkeys(parameters))
    except TypeError as mismatch:
        raise DeclarationError(
            f"{place_of(function)}{signature} does not take the arguments of {expected}: {mismatch}; "
            "name its parameters as the operation does"
        ) from None
