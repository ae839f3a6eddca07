"""A folder of files that the harness makes: it writes and removes those alone, whatever else lies there."""

from __future__ import annotations

import fcntl
import os
import re
from pathlib import Path
from types import TracebackType

from harness.errors import InfrastructureError

MANIFEST = ".files-of-harness"
"""Lists what was made in a folder, a line each, in order: `+ NAME` before it is written, `- NAME` once it is removed."""

_UNFINISHED = ".unfinished"
_NAME = re.compile(r"(?:[\w-]+/)?[\w-]+\.(?:html|css|md)|\.unfinished")
"""What may be made: whatever else a manifest lists, this is no list of ours."""

_MEND = "or choose another folder"


class Folder:
    """A folder in which files are written, over those that the harness made there and no others.

    Use as a context manager; of several processes one writes at a time. Raises InfrastructureError where something that
    the harness did not make, or a link to elsewhere, is in the way, and OSError where it can't be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._written = {_UNFINISHED}

    def __enter__(self) -> Folder:
        self.path.mkdir(parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW
        self._manifest = open(os.open(self._place(MANIFEST), flags, 0o644), "a+", encoding="utf-8", errors="replace")
        fcntl.flock(self._manifest, fcntl.LOCK_EX)
        self._manifest.seek(0)
        self._made = _listed(self._manifest.read())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._manifest.close()

    def check(self, name: str) -> None:
        """Raise InfrastructureError where a file could not be written, as far as that shows before anything is."""
        if not os.path.lexists(self.path):
            return
        self._place(name)  # raises where a link leads elsewhere
        if not self.path.is_dir():
            raise InfrastructureError(f"{self.path} is not a folder; move it away, {_MEND}")
        try:
            self._made = _listed(self._place(MANIFEST).read_text(encoding="utf-8", errors="replace"))
        except OSError:
            self._made = set()
        self._refuse_others(name)

    def write(self, name: str, text: str) -> None:
        """Write a file so that whoever reads meanwhile sees the old one or the new one, whole."""
        for each in (_UNFINISHED, name):
            self._claim(each)
        file, unfinished = self._place(name), self._place(_UNFINISHED)
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            unfinished.write_text(text, encoding="utf-8")
            os.replace(unfinished, file)
        finally:
            unfinished.unlink(missing_ok=True)
        self._written.add(name)

    def _claim(self, name: str) -> None:
        """Put down that a file is ours before there is one."""
        if name in self._made:
            return
        self._refuse_others(name)
        self._made.add(name)
        self._note("+", name)

    def _refuse_others(self, name: str) -> None:
        if name not in self._made and os.path.lexists(self._place(name)):
            raise InfrastructureError(
                f"{self.path / name} is not written, since the harness did not make what is there; move it away, {_MEND}"
            )

    def _place(self, name: str) -> Path:
        """Where a file lies. Raises InfrastructureError where a link makes that a place elsewhere."""
        file = self.path / name
        meant = Path(os.path.realpath(self.path.parent), self.path.name, Path(name).parent)
        if Path(os.path.realpath(file.parent)) != meant:  # resolve() raises where links go round in a circle
            raise InfrastructureError(
                f"{file} is not written, since a link leads out of {self.path.parent}; remove the link, {_MEND}"
            )
        return file

    def _note(self, sign: str, name: str) -> None:
        self._manifest.write(f"{sign} {name}\n")
        self._manifest.flush()


class ReplacedFolder(Folder):
    """A folder whose files are replaced: those of earlier times that are not written anew are removed at the end."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._manifest:
            for name in sorted(self._made - self._written) if error is None else ():
                self._place(name).unlink(missing_ok=True)
                self._note("-", name)


def _listed(manifest: str) -> set[str]:
    """The files that were made and not removed."""
    made: set[str] = set()
    for line in manifest.splitlines():
        sign, _, name = line.partition(" ")
        if sign == "+" and _NAME.fullmatch(name):
            made.add(name)
        elif sign == "-":
            made.discard(name)
    return made
