"""A signature: how the tensors, options and form of a call become the arguments of a function, and its result their parts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from harness.declare.domain import TensorDomain
from harness.declare.results import Results


@dataclass(frozen=True)
class Signature:
    """What the functions of an operation take and return.

    tensors: by name, those in lists each by itself (`parts[0]`); options: the names of those that functions take, which
    the form of a call is not among; results: the tensors of the result; sized: whether functions are told the sizes of the
    case, since a module is made of them.
    """

    tensors: Mapping[str, TensorDomain]
    options: tuple[str, ...]
    results: Results = field(default_factory=lambda: Results(()))
    sized: bool = False

    @cached_property
    def parameters(self) -> tuple[str, ...]:
        """The names of the arguments, tensors first."""
        return (*dict.fromkeys(self._arguments()), *self.options, *(("sizes",) if self.sized else ()))

    def _arguments(self) -> Iterator[str]:
        for name, domain in self.tensors.items():
            yield name if domain.group is None else domain.group[0]

    @cached_property
    def _is_plain(self) -> bool:
        return not any(domain.presence or domain.group for domain in self.tensors.values())

    def sizes(
        self, tensors: Mapping[str, Any], options: Mapping[str, Any], likely: Mapping[str, int]
    ) -> dict[str, Any]:
        """Sizes and options by name, read off the shapes of tensors.

        A name that occurs in expressions alone ("2*half") is solved from them; where they leave it open ("groups*c"), or
        no tensor has it, it is what is `likely`.
        """
        seen = [
            (axis, size)
            for name, domain in self.tensors.items()
            if name in tensors
            for axis, size in zip(domain.axes(options), tensors[name].shape, strict=True)
        ]
        known: dict[str, Any] = dict(options)
        known |= {axis.text: size for axis, size in seen if axis.is_name and axis.text not in options}
        for axis, size in seen:
            rest = [] if axis.is_name else [*axis.names - known.keys()]
            if len(rest) == 1:
                known |= axis.solved(rest[0], size, known, likely.get(rest[0]))
        return {**likely, **known}

    def assembled(
        self, tensors: Mapping[str, Any], options: Mapping[str, Any], sizes: Mapping[str, int]
    ) -> dict[str, Any]:
        """The arguments by name: lists and dicts put together, None for what is not there, the options that are taken."""
        chosen = {name: options[name] for name in self.options} | ({"sizes": dict(sizes)} if self.sized else {})
        if self._is_plain:
            return {**tensors, **chosen}
        made: dict[str, Any] = {}
        for name, domain in self.tensors.items():
            if domain.group is None:
                made[name] = tensors.get(name)
                continue
            group, key = domain.group
            if isinstance(key, int):
                made.setdefault(group, []).extend([tensors[name]] if name in tensors else [])
            else:
                made.setdefault(group, {}).update({key: tensors[name]} if name in tensors else {})
        return {**made, **chosen}
