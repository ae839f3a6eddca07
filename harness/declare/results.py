"""Results: a tensor, or several with an order and perhaps names, as a tuple, list, dict, NamedTuple, TypedDict or dataclass."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Mapping
from typing import Any, get_args, get_origin, get_type_hints

from harness.declare.domain import TensorDomain, parse_result
from harness.errors import DeclarationError


class OtherNames(Exception):
    """The parts of a result have names, and others than those declared."""


@dataclasses.dataclass(frozen=True)
class Results:
    """The tensors of a result, in order; names: what they are called, empty where they have no names."""

    domains: tuple[TensorDomain, ...]
    names: tuple[str, ...] = ()

    def parts(self, returned: Any) -> tuple[Any, ...]:
        """What is returned as its parts, in the declared order: by their names where both sides have them, or in order.

        Raises OtherNames where a dict has names that are not those declared.
        """
        named = _by_name(returned) if self.names or len(self.domains) > 1 else None
        if named is None:
            return tuple(returned) if isinstance(returned, tuple | list) else (returned,)
        if set(named) == set(self.names):
            return tuple(named[name] for name in self.names)
        if self.names and isinstance(returned, Mapping):
            raise OtherNames(f"returned {', '.join(map(str, named))}, expected {', '.join(self.names)}")
        return tuple(named.values())


def parse_results(annotation: Any) -> Results:
    """The tensors that a return annotation describes. Raises DeclarationError."""
    if get_origin(annotation) is tuple:
        return Results(tuple(parse_result(part, f"result {i}") for i, part in enumerate(get_args(annotation))))
    if _has_fields(annotation):
        fields = get_type_hints(annotation, include_extras=True)
        return Results(tuple(parse_result(part, name) for name, part in fields.items()), tuple(fields))
    return Results((parse_result(annotation, "the result"),))


def _has_fields(annotation: Any) -> bool:
    if not isinstance(annotation, type):
        return False
    named = hasattr(annotation, "_fields") or dataclasses.is_dataclass(annotation) or typing.is_typeddict(annotation)
    if named and not get_type_hints(annotation):
        raise DeclarationError(f"{annotation.__name__} has no annotated fields; annotate each as a jaxtyping array")
    return named


def _by_name(returned: Any) -> dict[str, Any] | None:
    """The parts of a dict, a NamedTuple or a dataclass by name; None of anything else."""
    if isinstance(returned, Mapping):
        return dict(returned)
    if isinstance(returned, tuple) and hasattr(returned, "_fields"):
        return dict(zip(returned._fields, returned, strict=True))
    if dataclasses.is_dataclass(returned) and not isinstance(returned, type):
        return {each.name: getattr(returned, each.name) for each in dataclasses.fields(returned)}
    return None
