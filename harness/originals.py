"""Originals: what modules offer to everybody in a process, as it was before user code could assign to it.

Whoever assigns to `torch.add` or `json.dumps` changes it for all others in the process, and for the process itself. So the
public functions and classes of modules are noted beforehand, compared by identity afterwards, and put back. What was only
added is no change, since modules import parts of themselves when they are first needed; nor is what can't be called,
since that is meant to change.
"""

from __future__ import annotations

import builtins
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from operator import is_
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import torch

_assign, _remove = (
    type.__setattr__,
    type.__delattr__,
)  # bound here, as is_ is: user code may assign to what is looked up


@dataclass(frozen=True)
class _Owner:
    """A module or a class: its dictionary, and what that should hold; None for a name that a class should inherit."""

    name: str
    there: Mapping[str, Any]
    offered: dict[str, Any]
    put: Callable[[str, Any], None]

    def is_as_it_was(self) -> bool:
        """Whether it holds what it should."""
        return all(map(is_, map(self.there.get, self.offered), self.offered.values()))


class Originals:
    """The public functions and classes of modules, and the methods of PyTorch's classes that everybody shares.

    `among` says of a module's name whether the module is noted.
    """

    def __init__(self, among: Callable[[str], bool]) -> None:
        self._among = among
        self._seen: set[str] = set()
        self._owners: list[_Owner] = []
        self._builtins = _module(builtins)
        self._note()

    def put_back(self) -> list[str]:
        """Put back what was changed or removed, and name it, as in `json.dumps`; note the modules loaded meanwhile."""
        changed = self._put_back(self._builtins)  # first, since everything else needs them
        for owner in self._owners:
            if not owner.is_as_it_was():
                changed += self._put_back(owner)
        self._note()
        return list(dict.fromkeys(changed))

    def _put_back(self, owner: _Owner) -> list[str]:
        """One module's or class'; calls nothing unless something was changed."""
        changed = []
        for name, value in owner.offered.items():
            found = owner.there.get(name)
            if found is value:
                continue
            if self._is_its_own(owner, found):
                owner.offered[name] = found
            else:
                owner.put(name, value)
                changed += [f"{owner.name}.{name}"]
        return changed

    def _is_its_own(self, owner: _Owner, found: Any) -> bool:
        """Whether a package has replaced a function of its own by another that it made since, as PyTorch does to compile."""
        if owner is self._builtins or not isinstance(found, FunctionType):
            return False
        file = Path(found.__code__.co_filename)
        folders = getattr(sys.modules.get(owner.name.partition(".")[0]), "__path__", ())
        return any(file.is_relative_to(folder) for folder in folders) and not self._is_noted(found)

    def _is_noted(self, found: Any) -> bool:
        return any(found is value for owner in self._owners for value in owner.offered.values())

    def _note(self) -> None:
        if sys.modules.keys() <= self._seen:  # as nearly every time, and told in a tenth of the time
            return
        for name, module in list(sys.modules.items()):
            if name in self._seen:
                continue
            self._seen.add(name)
            if isinstance(module, ModuleType) and _is_public(name) and self._among(name):
                self._owners += [_module(module), *_shared_classes(module)]


def of_python(module: str) -> bool:
    """Whether a module is of the standard library."""
    return module.partition(".")[0] in sys.stdlib_module_names


def installed(module: str) -> bool:
    """Whether a module is of the standard library or an installed package, and not one of the user's own files."""
    file = getattr(sys.modules[module], "__file__", None) or ""
    return of_python(module) or not {"site-packages", "dist-packages"}.isdisjoint(Path(file).parts)


@contextmanager
def python_kept() -> Iterator[None]:
    """Put back what is changed in the standard library inside, and leave other packages as they are changed."""
    originals = Originals(of_python)
    try:
        yield
    finally:
        originals.put_back()


def _is_public(name: str) -> bool:
    return not any(part.startswith("_") for part in name.split("."))


def _module(module: ModuleType) -> _Owner:
    there = vars(module)
    offered = {name: value for name, value in there.items() if callable(value) and _is_public(name)}
    if module is builtins:  # which statements call
        offered |= {name: there[name] for name in ("__import__", "__build_class__")}
    return _Owner(module.__name__, there, offered, there.__setitem__)


def _shared_classes(module: ModuleType) -> Iterable[_Owner]:
    """Tensors, whose methods are mostly inherited from a class that can't be changed, and PyTorch's modules."""
    if module is torch:
        return [_class(torch.Tensor, vars(torch._C.TensorBase))]
    return [_class(each) for each in vars(torch.nn).values() if isinstance(each, type)] if module is torch.nn else []


def _class(made: type, inherited: Mapping[str, Any] | None = None) -> _Owner:
    def put(name: str, value: Any) -> None:
        if value is None:
            _remove(made, name)
        else:
            _assign(made, name, value)

    there = vars(made)
    offered = {name: value for name, value in there.items() if _is_method(name, value)}
    offered |= {
        name: None for name, value in (inherited or {}).items() if _is_method(name, value) and name not in there
    }
    return _Owner(f"{made.__module__}.{made.__qualname__}", there, offered, put)


def _is_method(name: str, value: Any) -> bool:
    is_special = name.startswith("__") and name.endswith("__")
    return (is_special or _is_public(name)) and (callable(value) or hasattr(value, "__get__"))
