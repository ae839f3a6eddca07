"""Causality: the axis that is time, when the operation looks back only, and how its state is carried."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from harness.declare.domain import OptionValue


@dataclass(frozen=True)
class Causal:
    """`Causal("time", unless=("bidirectional",), carry={"h0": 1})`.

    axis: the name of the time axis; unless: boolean options under which the operation looks ahead or can't be split;
    carry: by argument, the index of the result that continues a split sequence. Without `carry` no split is tried.
    """

    axis: str
    unless: tuple[str, ...] = ()
    carry: Mapping[str, int] = field(default_factory=dict)

    def holds(self, options: Mapping[str, OptionValue]) -> bool:
        """Whether the operation is causal under these options."""
        return not any(options.get(name) for name in self.unless)
