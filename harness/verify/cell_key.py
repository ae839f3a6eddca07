"""Cell keys: which cell, in five words, the same in every run, log and message."""

from __future__ import annotations

import re
from typing import NamedTuple


class CellKey(NamedTuple):
    """What was asked (property), of what (implementation of operation), where (device) and in which dtype.

    It is written `property[operation/implementation-device-dtype]`.
    """

    prop: str
    operation: str
    implementation: str
    device: str
    dtype: str

    def __str__(self) -> str:
        return f"{self.prop}[{self.operation}/{self.implementation}-{self.device}-{self.dtype}]"

    @staticmethod
    def parse(text: str) -> CellKey | None:
        """The key that a text is; None where it is none. A device and a dtype have no dashes."""
        found = _WRITTEN.fullmatch(text)
        return CellKey(*found.groups()) if found else None


_WRITTEN = re.compile(r"([^[]+)\[([^/]+)/(.+)-([^-]+)-([^-]+)\]", re.DOTALL)


class OfACell:
    """What names the parts of its cell's key: mixed into records of what a cell gave."""

    prop: str
    operation: str
    implementation: str
    device: str
    dtype: str

    @property
    def cell(self) -> CellKey:
        """The key of its cell, in its parts."""
        return CellKey(self.prop, self.operation, self.implementation, self.device, self.dtype)

    @property
    def key(self) -> str:
        """`property[operation/implementation-device-dtype]`, the same in every run."""
        return str(self.cell)
