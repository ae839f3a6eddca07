"""Registries: what there is of one kind, by name, and where each comes from.

Ours register themselves where they are defined. An installed package brings its own by an entry point group, which is
loaded when a name is asked for that is not known, or when all names are; a user's file brings them when it is imported.
"""

from __future__ import annotations

import difflib
import importlib.metadata
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any, Generic, TypeVar

from harness.errors import DeclarationError, HarnessError, UnknownName
from harness.originals import installed

T = TypeVar("T")

OURS = "harness"
"""The origin of what the harness brings itself."""

_origin: ContextVar[str] = ContextVar("origin", default=OURS)


@contextmanager
def registering_for(origin: str) -> Iterator[None]:
    """Note whatever is registered inside as coming from a package, or from a file."""
    token = _origin.set(origin)
    try:
        yield
    finally:
        _origin.reset(token)


def origin_of(module: str) -> str:
    """Where what a module declares comes from: `harness`, the package, or the file that was imported."""
    package, file = module.partition(".")[0], getattr(sys.modules.get(module), "__file__", None)
    return package if package == OURS or file is None or installed(module) else Path(file).name


class Registry(Mapping[str, T], Generic[T]):
    """What there is of one kind, by name, in the order of registration.

    kind: what one of them is called in messages; group: the entry point group by which installed packages bring theirs.
    """

    def __init__(self, kind: str, group: str) -> None:
        self.kind, self._group = kind, group
        self._known: dict[str, T] = {}
        self._origins: dict[str, str] = {}
        self._loaded = False

    def register(self, name: str, value: T) -> T:
        """Add one. Raises DeclarationError where the name is taken by another one, or is none."""
        if not isinstance(name, str) or not name or not name.isprintable() or set(name) & set(" =,:[]/"):
            raise DeclarationError(f"{self.kind} {name!r}: a name has letters, digits, dots, dashes and underscores")
        if name in self._known and self._origins[name] != _origin.get():
            raise DeclarationError(
                f"there is a {self.kind} {name!r} already, of {self._origins[name]}; give this one another name"
            )
        self._known[name], self._origins[name] = value, _origin.get()
        return value

    def origin(self, name: str) -> str:
        """Where one comes from: `harness`, a package, or a file."""
        return self._origins[name]

    def found(self, name: str) -> T:
        """The one of this name. Raises UnknownName with the nearest names."""
        if name in self:
            return self[name]
        near = difflib.get_close_matches(str(name), self, n=1)
        hint = f"did you mean {near[0]}? There are" if near else "write one of"
        raise UnknownName(f"{self.kind} {name!r} is unknown; {hint} {', '.join(self)}")

    def __getitem__(self, name: str) -> T:
        if name not in self._known:
            self._load()
        return self._known[name]

    def __iter__(self) -> Iterator[str]:
        self._load()
        return iter(self._known)

    def __len__(self) -> int:
        self._load()
        return len(self._known)

    @property
    def registered(self) -> tuple[str, ...]:
        """The names there are so far, with nothing imported for it."""
        return tuple(self._known)

    def _load(self) -> None:
        """Import what installed packages bring. Raises HarnessError where one can't be loaded."""
        if not self._loaded:
            entry_points_of(self._group)
            self._loaded = True


def entry_points_of(group: str) -> list[tuple[str, Any]]:
    """What installed packages bring by an entry point group, each with the entry point's own words.

    Raises HarnessError where one can't be loaded.
    """
    return [(f"{entry.name} = {entry.value}", _loaded(entry)) for entry in importlib.metadata.entry_points(group=group)]


def _loaded(entry: importlib.metadata.EntryPoint) -> Any:
    package = entry.dist.name if entry.dist is not None else entry.value
    try:
        with registering_for(package):
            return entry.load()
    except Exception as failure:
        raise HarnessError(
            f"entry point {entry.name} = {entry.value} of group {entry.group} can't be loaded: "
            f"{type(failure).__name__}: {failure}; mend or uninstall the package that declares it"
        ) from None
