"""Candidates: what a user's file declares: implementations, of operations of the catalogue or of its own, and statements."""

from __future__ import annotations

import difflib
import importlib.util
import inspect
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any, get_type_hints

from jaxtyping import AbstractArray

from harness.catalogue import catalogue, operations_in
from harness.declare.callables import place_of
from harness.declare.declaration import operation as declared
from harness.declare.implementation import Implementation
from harness.declare.operation import Operation
from harness.errors import CandidateError, HarnessError
from harness.explain.visible import visible
from harness.fault import message
from harness.originals import python_kept
from harness.readable import unreadable
from harness.registry import registering_for
from harness.verify.claim import Claim
from harness.verify.property import Property
from harness.verify.suite import check_exemptions, claims_in, every_property, properties_in


@dataclass(frozen=True)
class Candidates:
    """What a file brings.

    operations: those that it declares or implements; implementations: of these; properties, claims: its own statements.
    """

    operations: tuple[Operation, ...]
    implementations: tuple[Implementation, ...]
    properties: tuple[Property, ...] = ()
    claims: tuple[Claim, ...] = ()

    @cached_property
    def statements(self) -> tuple[Property, ...]:
        """Its own properties, those that its claims state among them."""
        return (*self.properties, *(claim.own for claim in self.claims if claim.own is not None))

    def only_stated_by(self, prop: Property) -> tuple[Operation, ...]:
        """The operations of which a statement of the file speaks and the file brings nothing: all that compute them are asked."""
        named = prop.operations if prop in self.statements else ()
        return tuple(each for each in named if each not in self.operations)

    @cached_property
    def subjects(self) -> tuple[Implementation, ...]:
        """Every implementation that is asked anything."""
        stated = dict.fromkeys(each for prop in self.statements for each in self.only_stated_by(prop))
        return (
            *self.implementations,
            *(made for each in stated for made in (each.own, *each.implementations.values())),
        )


@lru_cache(maxsize=8)
def candidates(path: Path) -> Candidates:
    """Import a file and collect what it declares.

    Raises CandidateError, naming file, place and mend, for a file that is missing, is no Python, fails on import or
    declares nothing; DeclarationErrors pass as they are, since they name their place themselves.
    """
    before = {operation: set(operation.implementations.values()) for operation in catalogue().values()}
    module = _import(path)
    own = tuple(operations_in(module).values()) or tuple(_of_plain_functions(module))
    brought = [(op, made) for op in own for made in (op.own, *op.implementations.values())]
    brought += [(op, made) for op, known in before.items() for made in op.implementations.values() if made not in known]
    operations = tuple(dict.fromkeys(operation for operation, _ in brought))
    found = Candidates(
        operations, tuple(made for _, made in brought), tuple(properties_in(module)), tuple(claims_in(module))
    )
    if not found.subjects:
        raise CandidateError(
            f"{path.name} declares nothing to verify; decorate a function with @OPERATION.implementation(backend=…), declare an "
            "operation of your own with @harness.operation, annotate a function's arguments and result as jaxtyping arrays, or "
            "state something of one with @harness.property(of=…)"
        )
    _check_names(path, found)
    return found


def _of_plain_functions(module: ModuleType) -> Iterator[Operation]:
    """An operation for each function of a module whose result is annotated as an array, which is asked of the function itself."""
    for value in list(vars(module).values()):
        if inspect.isfunction(value) and value.__module__ == module.__name__ and _gives_an_array(value):
            made = declared(value)
            made.implementation(value)
            yield made


def _gives_an_array(function: Callable[..., Any]) -> bool:
    """Whether a function's result is annotated as an array."""
    try:
        returned = get_type_hints(function).get("return")
    except Exception:  # what is annotated with what there is not
        return False
    return isinstance(returned, type) and issubclass(returned, AbstractArray)


def _check_names(path: Path, found: Candidates) -> None:
    """Refuse what a report could not tell apart, and exemptions from what is not asked. Raises CandidateError."""
    taken: dict[str, Operation] = {}
    for operation in (*found.operations, *(each for prop in found.statements for each in prop.operations)):
        if taken.setdefault(operation.name, operation) is not operation:
            raise CandidateError(
                f"{path.name} is about two operations named {operation.name!r}, one of its own and one that it imports; "
                "give its own another name"
            )
    for prop in found.statements:
        rival = _rival(prop, found)
        if rival is not None:
            raise CandidateError(
                f"{place_of(prop.statement)}: there is a property named {rival.name!r} already; give this one another name"
            )
    known = [*every_property(), *found.statements]
    for made in found.implementations:
        check_exemptions(made, known)


def _rival(prop: Property, found: Candidates) -> Property | None:
    """Another property of the same name, where both are asked of one operation or that one may be asked of any."""
    others = [each for each in (*every_property(), *found.statements) if each.name == prop.name and each is not prop]
    asked = (*found.operations, *prop.operations)
    return next(
        (each for each in others if not each.of or any(each.applies(op) and prop.applies(op) for op in asked)), None
    )


def check_file(path: Path) -> None:
    """Raise CandidateError where there is no Python file of this name; the nearest names are suggested."""
    if not os.path.lexists(path):
        beside = [each.name for each in path.parent.glob("*.py")] if os.path.isdir(path.parent) else []
        near = difflib.get_close_matches(path.name, beside, n=3)
        hint = f"did you mean {' or '.join(near)}?" if near else "give the path of a Python file"
        raise CandidateError(f"candidate file {visible(str(path), 200)} is not there; {hint}")
    if reason := unreadable(path):
        raise CandidateError(f"candidate file {path} can't be read: {reason}; give the path of a Python file")
    if path.suffix != ".py":
        raise CandidateError(f"candidate file {path} is not a Python file; its name should end in .py")


class _CandidateLoader(SourceFileLoader):
    """Loads a user's file under a name by which nobody else could import it."""


def is_candidate(module: str) -> bool:
    """Whether a module is a user's file that was imported here."""
    return isinstance(getattr(sys.modules.get(module), "__loader__", None), _CandidateLoader)


def _import(path: Path) -> ModuleType:
    check_file(path)
    name = f"harness_candidate_{path.stem}"
    loader = _CandidateLoader(name, str(path))
    specification = importlib.util.spec_from_file_location(name, path, loader=loader)
    if specification is None:
        raise CandidateError(f"candidate file {path} can't be imported")
    module = importlib.util.module_from_spec(specification)
    sys.modules[specification.name] = module
    try:
        with _modules_beside(path), python_kept(), registering_for(path.name):
            loader.exec_module(module)
    except HarnessError:
        raise
    except SyntaxError as failure:
        raise CandidateError(f"{_place_of(failure, path)}: {failure.msg}; this is not valid Python") from None
    except SystemExit as leaving:
        raise CandidateError(
            f"{path.name}{_line_in(path, leaving)}: it called sys.exit({leaving.code!r}) while it was imported; "
            'keep such calls below `if __name__ == "__main__":`'
        ) from None
    except BaseException as failure:
        told = (message(failure).strip() or "(no message)").splitlines()[0]
        raise CandidateError(
            f"{path.name}{_line_in(path, failure)}: importing it raised {type(failure).__name__}: {told}"
        ) from None
    return module


@contextmanager
def _modules_beside(path: Path) -> Iterator[None]:
    """Let a file import the modules that lie beside it: first of all at its import, last of all from then on.

    What it takes from the path is put back, since nothing else could be imported without it.
    """
    folder, before = str(path.parent.resolve()), sys.path.copy()
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        with suppress(ValueError):
            sys.path.remove(folder)
        sys.path += [each for each in (*before, folder) if each not in sys.path]


def _place_of(failure: SyntaxError, path: Path) -> str:
    name = Path(failure.filename).name if failure.filename else path.name
    return f"{name}, line {failure.lineno}" if failure.lineno else name


def _line_in(path: Path, failure: BaseException) -> str:
    lines = [
        frame.lineno for frame in traceback.extract_tb(failure.__traceback__) if Path(frame.filename).name == path.name
    ]
    return f", line {lines[-1]}" if lines else ""
