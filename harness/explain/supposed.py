"""What the definition gives under a theory: with another call, other steps, other results."""

from __future__ import annotations

import hashlib
from contextlib import nullcontext
from typing import Any

from harness.explain.cause import Instead, Results
from harness.generate.case import Call, Case
from harness.measure.arrays import Array, as_array
from harness.measure.operators import EagerMode

_MOST_OPERATORS, _OPERATORS_A_STEP = 10_000, 200
"""Calls of operators that a definition is granted under a theory: so many, and more for each entry along an axis."""

_KEPT = 4_000_000
"""Entries of results that are kept, after which every call is evaluated anew."""


class CannotSay(Exception):
    """A theory has nothing to say about a case."""


class Supposed:
    """Evaluates the definition under theories, each call once: many of them change its results alone, or in the same way."""

    def __init__(self) -> None:
        self._kept: dict[str, Results | None] = {}
        self._entries = 0

    def __call__(self, theory: Instead, case: Case, arguments: dict[str, Any]) -> list[Array]:
        """What the definition gives under a theory, in float64. Raises CannotSay."""
        try:
            call = theory.call(case.plain_call().replace(**arguments))
            results = None if call is None else theory.results(self._evaluated(theory, case, call), call)
        except Exception:  # what a theory changes may be what the definition can't compute
            raise CannotSay from None
        expected = [(domain.shape(case.known), domain.kind == "complex") for domain in case.operation.results]
        if results is None or [(tuple(result.shape), result.is_complex()) for result in results] != expected:
            raise CannotSay
        return [as_array(result) for result in results]

    def _evaluated(self, theory: Instead, case: Case, call: Call) -> Results:
        if theory.within is not nullcontext:
            return _evaluated(theory, case, call)
        key = _key(call)
        if key not in self._kept and self._entries <= _KEPT:
            self._kept[key] = None  # so that what fails or never ends is not tried again
            self._kept[key] = made = _evaluated(theory, case, call)
            self._entries += sum(result.numel() for result in made)
        found = self._kept[key] if key in self._kept else _evaluated(theory, case, call)
        if found is None:
            raise CannotSay
        return found


def _key(call: Call) -> str:
    """The same for calls in which the definition is given the same."""
    sizes = hashlib.blake2b(repr(sorted(call.sizes.items())).encode(), digest_size=8).hexdigest()
    return f"{call.checksum} {sizes}"


def _evaluated(theory: Instead, case: Case, call: Call) -> Results:
    with _Ending(case), theory.within():
        return tuple(case.operation.evaluate(call.arguments, call.options, call.sizes))


class _Ending(EagerMode):  # type: ignore[no-untyped-call]
    """Ends what calls more of PyTorch's operators than a definition does: changed, its loops may never end.

    Counted and not timed, so that a theory is believed on any machine or on none.
    """

    def __init__(self, case: Case) -> None:
        super().__init__()
        self._left = _MOST_OPERATORS + _OPERATORS_A_STEP * sum(case.sizes.values())

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self._left -= 1
        if self._left < 0:
            raise CannotSay
        return func(*args, **(kwargs or {}))
