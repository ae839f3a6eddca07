"""Causality: the axis that is time, when the operation looks back only, and how its state is carried."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from harness.declare.domain import OptionValue


@dataclass(frozen=True)
class Causal:
    """`Causal("time", unless=("bidirectional",), carry={"h0": 1})`, `Causal("query", when="is_causal")`.

    axis: the name of the time axis; unless: boolean options under which the operation looks ahead or can't be split; when:
    the one, or those, under which alone it looks back only; carry: by argument, the index of the result that continues a
    split sequence. Without `carry` no split is tried.
    """

    axis: str
    unless: str | tuple[str, ...] = ()
    when: str | tuple[str, ...] = ()
    carry: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("unless", "when"):
            given = getattr(self, name)
            object.__setattr__(self, name, (given,) if isinstance(given, str) else tuple(given))

    def holds(self, options: Mapping[str, OptionValue]) -> bool:
        """Whether the operation is causal under these options."""
        return not any(options.get(name) for name in self.unless) and all(options.get(name) for name in self.when)
