"""An implementation: one way to compute an operation, on some backend."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from harness.declare.backends import BACKENDS, COMPILED, Backend
from harness.declare.callables import name_of, place_of, plain, takes_by_name
from harness.errors import DeclarationError, UnknownName

DEFINITION = "definition"
"""What every operation's own definition is called among its implementations."""

TWIN = ".compiled"
"""What the name of a compiled twin has more than its original's."""


@dataclass(frozen=True, eq=False)
class Implementation:
    """One way to compute an operation.

    `exempt` maps a property's name to the reason why the statement is not asked of this implementation; the
    report shows it as unsupported with that reason. `by_name`: whether it takes its arguments by their names; a builtin
    takes them in their order.
    """

    operation: str
    name: str
    function: Callable[..., Any]
    backend: Backend
    dtypes: tuple[torch.dtype, ...]
    exempt: Mapping[str, str] = field(default_factory=dict)
    by_name: bool = True

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
        code = plain(self.function)
        source = inspect.getsourcefile(code) if code is not None else None
        return Path(source).resolve() if source and Path(source).exists() else None

    @property
    def declared_at(self) -> tuple[str, int]:
        """The file as seen from the root of its checkout, and the line; ("", 0) where it lies in none."""
        code, file = plain(self.function), self.file
        root = next((each for each in file.parents if (each / ".git").exists()), None) if file else None
        if file is None or root is None or code is None:
            return "", 0
        return file.relative_to(root).as_posix(), code.__code__.co_firstlineno

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

    def bound(
        self, arguments: Mapping[str, Tensor], options: Mapping[str, Any], reversed: Collection[str] = ()
    ) -> Callable[[], Any]:
        """A call of the function with the backend's own arrays, which are made here, and never again where it is repeated."""
        backend = self.backend
        native = {
            name: backend.receive_reversed(tensor) if name in reversed else backend.receive(tensor)
            for name, tensor in arguments.items()
        }
        if self.by_name:
            return partial(self.ready, **native, **options)
        return partial(self.ready, *native.values(), *options.values())

    def compute(
        self, arguments: Mapping[str, Tensor], options: Mapping[str, Any], reversed: Collection[str] = ()
    ) -> Any:
        """Call the function with the backend's own arrays and bring the result back as tensors, unchecked.

        reversed: the arguments that it gets with negative strides.
        """
        result = self.bound(arguments, options, reversed)()
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

    Raises DeclarationError where the backend is unknown, the signature does not take the operation's arguments, or the
    name is the definition's.
    """
    try:
        known = BACKENDS.found(backend)
    except UnknownName as unknown:
        raise DeclarationError(f"{place_of(function)}: {unknown}") from None
    by_name = takes_by_name(function, operation, parameters)
    name = name or name_of(function)
    if name == DEFINITION:
        raise DeclarationError(
            f"{place_of(function)}: {operation}'s definition itself is named {name!r}; choose another name"
        )
    taken = dtypes or _of_its_parameters(function) or known.dtypes
    odd = next((each for each in taken if not isinstance(each, torch.dtype)), None)
    if odd is not None:
        raise DeclarationError(
            f"{place_of(function)}: dtypes= takes torch's dtypes, as (torch.float32,), and not {odd!r}"
        )
    return Implementation(operation, name, function, known, taken, exempt or {}, by_name)


def _of_its_parameters(function: Callable[..., Any]) -> tuple[torch.dtype, ...]:
    """The dtype in which a module computes: that of its parameters; none where it has none, and for anything else."""
    if not isinstance(function, torch.nn.Module):
        return ()
    return tuple(dict.fromkeys(each.dtype for each in function.parameters() if each.is_floating_point()))


def on_backends(every: Iterable[Implementation], backends: Collection[str]) -> list[Implementation]:
    """Those on backends that are named, all where none is; where torch.compile is named, compiled twins of torch's."""
    ways = list(every)
    if not backends:
        return ways
    if COMPILED in backends:
        ways += [each.compiled for each in ways if each.backend.name == "torch"]
    return [each for each in ways if each.backend.name in backends]
