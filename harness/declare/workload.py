"""A workload: the sizes at which an operation is timed, and the least that any way to compute it costs there.

Declared beside the operation, on the function that counts its floating-point operations:

```python
import harness
from jaxtyping import Float
from torch import Tensor

@harness.operation
def product(x: Float[Tensor, "batch inputs"], W: Float[Tensor, "outputs inputs"]) -> Float[Tensor, "batch outputs"]:
    "x Wᵀ."
    return x @ W.T

@product.workload(sizes={"batch": 64, "inputs": 256, "outputs": 256}, ladder={"batch": (1, 8, 64, 512)})
def product_cost(batch, inputs, outputs):
    return 2 * batch * inputs * outputs
```
"""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from harness.declare.callables import place_of
from harness.declare.domain import OptionValue
from harness.errors import DeclarationError

if TYPE_CHECKING:
    from harness.declare.operation import Operation

Certificate = Callable[[Mapping[str, Any], Any, float], tuple[float, float]]
"""From arguments and results, both widened to float64, and the working precision's eps, to an error and what is allowed."""


@dataclass(frozen=True)
class Workload:
    """What is timed.

    sizes, options: of the point that every ladder shares, which may be larger than what is verified; ladder: by axis or
    option (or by several, as in "height width", which climb together), the values that it takes while the others stay;
    cost: floating-point operations, by sizes and options (None: nobody counted them); reference: the implementation to
    which the others' times are held; certificate: verifies a result where the oracle would take too much, wherever an
    axis is longer than in `oracle_up_to`.
    """

    sizes: Mapping[str, int]
    options: Mapping[str, OptionValue] = field(default_factory=dict)
    ladder: Mapping[str, tuple[OptionValue, ...]] = field(default_factory=dict)
    cost: Callable[..., float] | None = None
    reference: str = "definition"
    certificate: Certificate | None = None
    oracle_up_to: Mapping[str, int] = field(default_factory=dict)

    def operations(self, known: Mapping[str, Any]) -> float | None:
        """The floating-point operations that cannot be avoided at these sizes and options, None where nobody counted."""
        if self.cost is None:
            return None
        return float(self.cost(**{name: known[name] for name in inspect.signature(self.cost).parameters}))

    def is_beyond_the_oracle(self, known: Mapping[str, Any]) -> bool:
        """Whether the definition would take too long or too much memory at these sizes."""
        return any(known[name] > most for name, most in self.oracle_up_to.items())

    def at(self, staying: Mapping[str, OptionValue], ladder: Mapping[str, tuple[OptionValue, ...]]) -> Workload:
        """The same with some sizes and options exchanged, and another ladder."""
        sizes = {name: int(staying.get(name, size)) for name, size in self.sizes.items()}  # type: ignore[arg-type]
        options = {name: staying.get(name, option) for name, option in self.options.items()}
        return replace(self, sizes=sizes, options=options, ladder=ladder)


def check_workload(
    operation: Operation,
    cost: Callable[..., float],
    given: Mapping[str, Any],
    ladder: Mapping[str, Any],
    oracle_up_to: Mapping[str, int],
) -> None:
    """Refuse sizes and options that are not the operation's or that are missing, and points that can't be climbed."""
    place, missing = place_of(cost), sorted({*operation.sizes, *operation.options} - {*given})
    _check_known(operation, given, f"{place}: sizes= and options= give")
    _check_known(operation, oracle_up_to, f"{place}: oracle_up_to= limits")
    check_ladder(operation, ladder, f"{place}: ladder=")
    if missing:
        raise DeclarationError(
            f"{place}: a workload of {operation.name} lacks {', '.join(missing)}; give all its sizes and options"
        )


def _check_known(operation: Operation, names: Iterable[str], where: str) -> None:
    known = {*operation.sizes, *operation.options}
    odd = sorted({*names} - known)
    if odd:
        near = difflib.get_close_matches(odd[0], known, n=1)
        hint = f"did you mean {near[0]}?" if near else f"it has {', '.join(sorted(known))}"
        raise DeclarationError(f"{where} {odd[0]!r}, which is no size or option of {operation.name}; {hint}")


def check_ladder(operation: Operation, ladder: Mapping[str, Any], where: str) -> None:
    """Raise DeclarationError for points that can't be climbed. where: in which argument they are given."""
    _check_known(operation, {name for names in ladder for name in names.split()}, f"{where} climbs in")
    for axes, points in ladder.items():
        if isinstance(points, str) or not isinstance(points, Iterable) or not [*points]:
            raise DeclarationError(
                f"{where} gives {points!r} for {axes!r}; write the values that it takes, as (1, 8, 64)"
            )
        sized = any(name in operation.sizes for name in axes.split())
        broken = [point for point in points if sized and type(point) is not int]
        if broken:
            raise DeclarationError(f"{where} gives {broken[0]!r} for {axes!r}, where a size is a whole number")
