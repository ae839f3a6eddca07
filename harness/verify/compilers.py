"""Just-in-time compilers: what they take is booked apart, and PyTorch's compiles for as many shapes as there are.

torch.compile gives up on a function after eight shapes, computes it eagerly from then on, and says so nowhere: what is
verified then is not what was compiled.
"""

from __future__ import annotations

import sys
from functools import cache, partial
from time import perf_counter
from typing import Any

from harness.declare.exported import export_listeners
from harness.measure.clock import COMPILING, booked

_MOST_SHAPES = 100_000
_OF_JAX = "/jax/core/compile/"


def watch_compilers() -> None:
    """Watch the compilers that have been imported by now, each from then on. Cheap: it is called before every case."""
    for module, watch in _COMPILERS.items():
        if module in sys.modules:
            watch()


@cache
def _watch_dynamo() -> None:
    dynamo: Any = sys.modules["torch._dynamo"]
    dynamo.config.recompile_limit = dynamo.config.accumulated_recompile_limit = _MOST_SHAPES
    began: list[float] = []

    def start(_: object) -> None:
        began.append(perf_counter())

    def end(_: object) -> None:
        booked(perf_counter() - began.pop(), COMPILING)

    dynamo.callback.on_compile_start(start)
    dynamo.callback.on_compile_end(end)


@cache
def _watch_jax() -> None:
    monitoring: Any = sys.modules["jax.monitoring"]

    def told(event: str, seconds: float, **_: object) -> None:
        if event.startswith(_OF_JAX):
            booked(seconds, COMPILING)

    monitoring.register_event_duration_secs_listener(told)


_COMPILERS = {"torch._dynamo": _watch_dynamo, "jax.monitoring": _watch_jax}

export_listeners.append(partial(booked, account=COMPILING))
