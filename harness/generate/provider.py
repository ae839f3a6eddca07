"""The provider of Hypothesis' choices: pseudo-random numbers and nothing else.

Hypothesis' own provider now and then chooses a constant that it found in the source of an imported module. That finds more
in a test, but cases have to be the same whatever else is imported, for the same seed; and reading all those sources takes
each process a second.
"""

from __future__ import annotations

from typing import Any

from hypothesis.internal.conjecture.providers import AVAILABLE_PROVIDERS, HypothesisProvider

BY_CHANCE = "harness-by-chance"
"""The name under which Hypothesis' `settings(backend=...)` finds the provider."""


class ByChance(HypothesisProvider):
    """Integers between two bounds are equally likely; all else is as in Hypothesis' own provider."""

    def draw_integer(self, min_value: int | None = None, max_value: int | None = None, **rest: Any) -> int:
        """An integer from min_value to max_value, both included, without the weights that Hypothesis gives to the ends."""
        if min_value is None or max_value is None:
            return super().draw_integer(min_value, max_value, **rest)
        return self._random.randint(min_value, max_value)  # type: ignore[union-attr]


AVAILABLE_PROVIDERS[BY_CHANCE] = f"{__name__}.{ByChance.__name__}"
