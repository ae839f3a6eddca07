"""The one test that the bench runs, once for every implementation at every rung."""

from __future__ import annotations

from typing import Any

from harness.bench.ladder import Rung
from harness.bench.plugin import Bench
from harness.declare.implementation import Implementation


def test_speed(bench: Bench, benchmark: Any, rung: Rung, implementation: Implementation) -> None:
    """How long it takes there, where it is right."""
    bench.time(benchmark, rung, implementation)
