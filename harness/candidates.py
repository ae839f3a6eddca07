"""Candidates: the implementations that a user's file declares, of operations of the catalogue or of its own."""

from __future__ import annotations

import difflib
import importlib.util
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import ModuleType

from harness.catalogue import catalogue, operations_in
from harness.declare.implementation import Implementation
from harness.declare.operation import Operation
from harness.errors import CandidateError, HarnessError


@dataclass(frozen=True)
class Candidates:
    """What a file brings: implementations, and the operations that they compute."""

    operations: tuple[Operation, ...]
    implementations: tuple[Implementation, ...]


@lru_cache(maxsize=8)
def candidates(path: Path) -> Candidates:
    """Import a file and collect what it declares.

    Raises CandidateError, naming file, place and mend, for a file that is missing, is no Python, fails on import or
    declares nothing; DeclarationErrors pass as they are, since they name their place themselves.
    """
    before = {operation.name: set(operation.implementations.values()) for operation in catalogue().values()}
    module = _import(path)
    own = tuple(operations_in(module).values())
    brought = [(op, made) for op in own for made in (op.own, *op.implementations.values())]
    brought += [
        (op, made) for op in catalogue().values() for made in op.implementations.values() if made not in before[op.name]
    ]
    if not brought:
        raise CandidateError(
            f"{path.name} declares nothing to verify; decorate a function with @OPERATION.implementation(backend=…) "
            "or declare an operation of your own with @harness.operation"
        )
    operations = tuple(dict.fromkeys(operation for operation, _ in brought))
    return Candidates(operations, tuple(made for _, made in brought))


def check_file(path: Path) -> None:
    """Raise CandidateError where there is no Python file of this name; the nearest names are suggested."""
    if path.is_dir():
        raise CandidateError(f"candidate file {path} is a folder; give the path of a Python file")
    if not path.is_file():
        beside = [each.name for each in path.parent.glob("*.py")] if path.parent.is_dir() else []
        near = difflib.get_close_matches(path.name, beside, n=3)
        hint = f"did you mean {' or '.join(near)}?" if near else "give the path of a Python file"
        raise CandidateError(f"candidate file {path} is not there; {hint}")
    if path.suffix != ".py":
        raise CandidateError(f"candidate file {path} is not a Python file; its name should end in .py")


def _import(path: Path) -> ModuleType:
    check_file(path)
    specification = importlib.util.spec_from_file_location(f"harness_candidate_{path.stem}", path)
    if specification is None or specification.loader is None:
        raise CandidateError(f"candidate file {path} can't be imported")
    module = importlib.util.module_from_spec(specification)
    sys.modules[specification.name] = module
    try:
        with _modules_beside(path):
            specification.loader.exec_module(module)
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
        told = (str(failure).strip() or "(no message)").splitlines()[0]
        raise CandidateError(
            f"{path.name}{_line_in(path, failure)}: importing it raised {type(failure).__name__}: {told}"
        ) from None
    return module


@contextmanager
def _modules_beside(path: Path) -> Iterator[None]:
    """Let a file import the modules that lie beside it: first of all at its import, last of all from then on."""
    folder = str(path.parent.resolve())
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        sys.path.remove(folder)
        sys.path.append(folder)


def _place_of(failure: SyntaxError, path: Path) -> str:
    name = Path(failure.filename).name if failure.filename else path.name
    return f"{name}, line {failure.lineno}" if failure.lineno else name


def _line_in(path: Path, failure: BaseException) -> str:
    lines = [
        frame.lineno for frame in traceback.extract_tb(failure.__traceback__) if Path(frame.filename).name == path.name
    ]
    return f", line {lines[-1]}" if lines else ""
