"""Candidates: the implementations that a user's file declares, of operations of the catalogue or of its own."""

from __future__ import annotations

import importlib.util
import sys
import traceback
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


def _import(path: Path) -> ModuleType:
    if not path.is_file():
        raise CandidateError(f"candidate file {path} is not there; give the path of a Python file")
    specification = importlib.util.spec_from_file_location(f"harness_candidate_{path.stem}", path)
    if specification is None or specification.loader is None:
        raise CandidateError(f"candidate file {path.name} is not a Python file; its name should end in .py")
    module = importlib.util.module_from_spec(specification)
    sys.modules[specification.name] = module
    sys.path.insert(0, str(path.parent.resolve()))
    try:
        specification.loader.exec_module(module)
    except HarnessError:
        raise
    except SyntaxError as failure:
        raise CandidateError(
            f"{path.name}, line {failure.lineno}: {failure.msg}; the file is not valid Python"
        ) from None
    except SystemExit as leaving:
        raise CandidateError(
            f"{path.name} called sys.exit({leaving.code!r}) while it was imported; remove that call"
        ) from None
    except Exception as failure:
        raise CandidateError(
            f"{path.name}{_line_in(path, failure)}: import failed with {type(failure).__name__}: {failure}"
        ) from None
    finally:
        sys.path.remove(str(path.parent.resolve()))
    return module


def _line_in(path: Path, failure: BaseException) -> str:
    lines = [
        frame.lineno for frame in traceback.extract_tb(failure.__traceback__) if Path(frame.filename).name == path.name
    ]
    return f", line {lines[-1]}" if lines else ""
