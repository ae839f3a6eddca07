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

from harness.declare.backends import BACKENDS, Backend
from harness.declare.callables import name_of, place_of, plain, takes_by_name
from harness.declare.devices import device_named
from harness.declare.dtypes import named_dtypes
from harness.declare.signature import Signature
from harness.declare.twins import TWINS
from harness.errors import DeclarationError, UnknownName

DEFINITION = "definition"
"""What every operation's own definition is called among its implementations."""


@dataclass(frozen=True, eq=False)
class Implementation:
    """One way to compute an operation.

    signature: what it takes and returns, as the operation declares it; exempt: by a property's name the reason why the
    statement is not asked of this implementation, which the report shows as unsupported with that reason; devices: those
    alone on which it runs, all of the backend's where none is named; by_name: whether it takes its arguments by their
    names, as a builtin does not; renamed: what it calls them where that is not what the operation does; mutates: the
    argument that is the result afterwards; out: the argument by which it is given memory to write to; forward_only: whether
    no gradient is asked.
    """

    operation: str
    name: str
    function: Callable[..., Any]
    backend: Backend
    dtypes: tuple[torch.dtype, ...]
    signature: Signature
    exempt: Mapping[str, str] = field(default_factory=dict)
    devices: tuple[str, ...] = ()
    by_name: bool = True
    renamed: Mapping[str, str] = field(default_factory=dict)
    mutates: str = ""
    out: str = ""
    forward_only: bool = False

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
    def twins(self) -> Mapping[str, Implementation]:
        """By backend's name the same function as it runs there, called `….compiled`, `….exported` and `….onnx`.

        Empty where it is no function of torch. What writes to its arguments has those alone that keep what is written.
        """
        if self.backend.name != "torch":
            return {}
        exempt = {**self.exempt, "compiled": "it is compiled already"}
        writes = bool(self.mutates or self.out)
        return {
            name: replace(
                self,
                name=f"{self.name}{twin.suffix}",
                backend=twin.backend,
                dtypes=tuple(each for each in self.dtypes if each in twin.backend.dtypes),
                exempt=exempt,
            )
            for name, twin in TWINS.items()
            if twin.keeps_writes or not writes
        }

    @property
    def is_twin(self) -> bool:
        """Whether it is another one as something else runs it, a compiler or an exported program."""
        return any(self.backend is each.backend for each in TWINS.values())

    def runs_on(self, device: str) -> bool:
        """Whether it runs on a device, by what its backend and itself say."""
        there = device_named(device)
        return there.is_one_of(self.backend.devices) and (not self.devices or there.is_one_of(self.devices))

    def unavailable(self) -> str | None:
        """Why it can't run here at all, or None."""
        return self.backend.missing()

    def bound(
        self,
        tensors: Mapping[str, Tensor],
        options: Mapping[str, Any],
        reversed: Collection[str] = (),
        out: tuple[Tensor, ...] = (),
        sizes: Mapping[str, int] | None = None,
    ) -> Callable[[], Any]:
        """A call of the function with the backend's own arrays, which are made here, and never again where it is repeated.

        out: memory for the results, for a function that is given it; sizes: of the case, for what is made of them.
        """
        native = {name: self._received(tensor, name in reversed) for name, tensor in tensors.items()}
        given = self.signature.assembled(native, options, sizes or {})
        if not self.by_name:
            return partial(self.ready, *given.values())
        if self.out:
            memory = tuple(self.backend.receive(each) for each in out)
            given[self.out] = memory[0] if len(memory) == 1 else memory
        return partial(self.ready, **{self.parameter(name): value for name, value in given.items()})

    def parameter(self, argument: str) -> str:
        """What it calls an argument of the operation."""
        return self.renamed.get(argument, argument)

    def _received(self, tensor: Tensor, reversed: bool) -> Any:
        return self.backend.receive_reversed(tensor) if reversed else self.backend.receive(tensor)

    def compute(
        self,
        tensors: Mapping[str, Tensor],
        options: Mapping[str, Any],
        reversed: Collection[str] = (),
        out: tuple[Tensor, ...] = (),
        sizes: Mapping[str, int] | None = None,
    ) -> tuple[Any, ...]:
        """Call the function with the backend's own arrays and bring the parts of its result back as tensors, unchecked.

        reversed: the arguments that it gets with negative strides. What works in place gives what it has written to. Raises
        OtherNames where the parts have names that are not those declared.
        """
        call = self.bound(tensors, options, reversed, out, sizes)
        result = call()
        if self.mutates:
            result = call.keywords[self.parameter(self.mutates)]  # type: ignore[attr-defined]
        elif self.out:
            result = out
        return tuple(map(self.backend.give_back, self.signature.results.parts(result)))


def implementation_of(
    operation: str,
    signature: Signature,
    function: Callable[..., Any],
    backend: str,
    name: str | None = None,
    *,
    dtypes: Iterable[str | torch.dtype] | None = None,
    devices: Iterable[str] | None = None,
    exempt: Mapping[str, str] | None = None,
    renamed: Mapping[str, str] | None = None,
    mutates: str | None = None,
    out: str | None = None,
    forward_only: bool = False,
) -> Implementation:
    """Check a function against an operation's signature and make it an Implementation.

    Raises DeclarationError where the backend or a dtype is unknown, the function does not take the operation's arguments, or
    the name is the definition's.
    """
    try:
        known = BACKENDS.found(backend)
    except UnknownName as unknown:
        raise DeclarationError(f"{place_of(function)}: {unknown}") from None
    for argument in (*(renamed or ()), *((mutates,) if mutates else ())):
        if argument not in signature.parameters:
            raise DeclarationError(
                f"{place_of(function)}: {argument!r} is no argument of {operation}; it has {', '.join(signature.parameters)}"
            )
    taken = tuple((renamed or {}).get(each, each) for each in signature.parameters) + ((out,) if out else ())
    by_name = takes_by_name(function, operation, taken)
    name = name or name_of(function)
    if name == DEFINITION:
        raise DeclarationError(
            f"{place_of(function)}: {operation}'s definition itself is named {name!r}; choose another name"
        )
    return Implementation(
        operation,
        name,
        function,
        known,
        named_dtypes(dtypes or (), function) or _of_its_parameters(function) or known.dtypes,
        signature,
        exempt=exempt or {},
        devices=tuple(devices or ()),
        by_name=by_name,
        renamed=renamed or {},
        mutates=mutates or "",
        out=out or "",
        forward_only=forward_only,
    )


def _of_its_parameters(function: Callable[..., Any]) -> tuple[torch.dtype, ...]:
    """The dtype in which a module computes: that of its parameters; none where it has none, and for anything else."""
    if not isinstance(function, torch.nn.Module):
        return ()
    return tuple(dict.fromkeys(each.dtype for each in function.parameters() if each.is_floating_point()))


def on_backends(every: Iterable[Implementation], backends: Collection[str]) -> list[Implementation]:
    """Those on backends that are named, all where none is; with them the twins of torch's that run there."""
    ways = list(every)
    if not backends:
        return ways
    there = [each for each in ways if each.backend.name in backends]
    return there + [twin for each in ways for name, twin in each.twins.items() if name in backends]
