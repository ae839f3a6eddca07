"""pytest-benchmark in a test module of one's own: `test_times = harness.timed(operation)`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import torch

from harness.bench.ladder import LadderPoint, chosen, ladder_points
from harness.bench.stopwatch import settled
from harness.bench.verification import verified
from harness.declare.devices import check_devices, devices_here
from harness.declare.domain import OptionValue
from harness.declare.implementation import Implementation
from harness.declare.operation import Operation
from harness.errors import HarnessError
from harness.explain.visible import visible
from harness.verify.cell import check_dtypes
from harness.verify.support import computing

_UNUSED = "ignore:Benchmark fixture was not used at all"
"""What pytest-benchmark says of an item that fails before anything is timed."""


def timed(
    operation: Operation,
    *,
    devices: Iterable[str] = (),
    dtype: str = "float32",
    sizes: Mapping[str, OptionValue | Iterable[OptionValue]] | None = None,
) -> Callable[..., None]:
    """A test function that pytest-benchmark times: each implementation at each point of the operation's ladder.

    ```python
    import harness
    from harness.operations.linear import linear

    test_linear = harness.timed(linear)
    test_long_rows = harness.timed(linear, sizes={"batch": 8, "inputs": (1_000, 10_000)}, dtype="float64")
    ```

    Its items are called `linear/einsum[batch=8, inputs=1000, outputs=256]`, the definition's among them, with dtype and
    device where they are not float32 and the CPU; the group of each is its operation and point. An implementation that is
    wrong there or raises fails its item, and one that declines skips it, before anything is timed. A call's arguments are
    made once for all its rounds; on an accelerator a call has ended when the device has.

    Implementations are those that are declared when this is called, as far as they are available and serve the dtype.
    devices: all there are where none is named; sizes: by size or option (or by several, as in "height width", which climb
    together), one value to stay at, or several to take in turn while the others stay; what is not named stays at the
    workload's.

    Raises HarnessError for a device or dtype that is not there, and where no implementation computes the operation so;
    DeclarationError for sizes that are not the operation's.
    """
    import pytest  # which whoever only imports the harness would wait for

    points = {point.name: point for point in (chosen(operation, sizes) if sizes else ladder_points(operation))}
    places = _places(operation, points, tuple(devices), dtype)
    names = [f"{operation.name}/{name}[{_label(*place)}]" for name, *place in places]

    @pytest.mark.filterwarnings(_UNUSED)
    @pytest.mark.parametrize(("implementation", "point", "device", "dtype"), places, ids=names)
    def times(
        request: pytest.FixtureRequest, benchmark: Any, implementation: str, point: str, device: str, dtype: str
    ) -> None:
        """How long a call takes, where it is right."""
        _check_wanted(request.config, device, dtype)
        benchmark.group = f"{operation.name} {_label(point, device, dtype)}"
        _time(benchmark, points[point], operation.find(implementation), device, dtype)

    return times


def _places(
    operation: Operation, points: Iterable[str], devices: tuple[str, ...], dtype: str
) -> list[tuple[str, str, str, str]]:
    """Implementation, point, device and dtype of every item. Raises HarnessError where there are none."""
    check_devices(devices)
    check_dtypes((dtype,), devices)
    there = devices or devices_here()
    ways = [(made.name, device) for device in there for made in computing(operation, device, dtype)]
    if not ways:
        raise HarnessError(
            f"no implementation computes {operation.name} on {', '.join(there)} in {dtype} here; see harness list"
        )
    return [(name, point, device, dtype) for point in points for name, device in ways]


def _label(point: str, device: str, dtype: str) -> str:
    """The point, with what is not as usual."""
    return ", ".join([point, *([dtype] if dtype != "float32" else []), *([device] if device != "cpu" else [])])


def _check_wanted(config: Any, device: str, dtype: str) -> None:
    """Skip what the options of the harness' own plugin, where it is there, leave out."""
    import pytest

    for option, mine in (("--harness-device", device), ("--harness-dtype", dtype)):
        asked = config.getoption(option, default=())
        if asked and mine not in asked:
            pytest.skip(f"{option} asks for {', '.join(asked)} alone")


def _time(benchmark: Any, point: LadderPoint, implementation: Implementation, device: str, dtype: str) -> None:
    import pytest

    with torch.no_grad(), np.errstate(all="ignore"):
        found = verified(point, implementation, device, dtype)
        if found.verdict.failing:
            told = f"{implementation.key} is {found.verdict} ({device}, {dtype}): {found.reason}"
            pytest.fail(visible(told), pytrace=False)
        if not found.is_timed:
            pytest.skip(visible(found.reason))
        benchmark.extra_info["verdict"] = found.verdict.value
        call = point.case(device, dtype).call()
        with call.precision.computing():
            benchmark(settled(implementation.bound(call.arguments, call.options, sizes=call.sizes), device))
