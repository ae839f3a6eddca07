"""Forms of a script that show a transform: forward mode, the gradient of a gradient, and vmap."""

from __future__ import annotations

import contextlib
import textwrap
from collections.abc import Iterator
from typing import Any

from torch import Tensor

from harness.explain.evidence import FAULTS, Evidence, Form, beyond, largest_difference, literal
from harness.explain.gradient_forms import (
    directions_of_results,
    listed,
    places_of_arguments,
    places_of_floats,
    results_in_order,
)
from harness.explain.literal import tensor_literal
from harness.generate.case import Call
from harness.measure.arrays import as_array
from harness.measure.second_gradient import directions_of, second_gradient_reference
from harness.verify.transforms import calls_to_map, derivative_along, mapped, second_gradients


def forward_mode(evidence: Evidence) -> Iterator[Form]:
    """The derivative of a result along directions of all arguments at once, against the definition's."""
    with contextlib.suppress(*FAULTS):
        ways = directions_of(evidence.case)
        for index, expected, measured in _off_derivatives(evidence, ways):
            lines = (f"expected = {literal(expected)}", *_case_and_ways(ways))
            for risky in (_by_dual_tensors(evidence, index), _by_function_transform(evidence, index)):
                yield Form({"case": evidence.call}, lines, risky, measured)


def _off_derivatives(evidence: Evidence, ways: dict[str, Tensor]) -> Iterator[tuple[int, Any, float]]:
    """The results whose derivatives are off: which, what is expected, and how far."""
    inexact = _inexact_results(evidence)
    parts = second_gradient_reference(evidence.case).parts[len(ways) :]
    if evidence.fails:
        yield inexact[0], parts[0].expected, float("inf")
        return
    found = derivative_along(evidence.subject, evidence.call, ways)
    yield from beyond(evidence, {index: found[index] for index in inexact}, parts)


def _inexact_results(evidence: Evidence) -> list[int]:
    """The places of the results that have derivatives."""
    return [index for index, domain in enumerate(evidence.cell.operation.results) if domain.is_inexact]


def _case_and_ways(ways: dict[str, Tensor]) -> tuple[str, str]:
    return "arguments = case()", f"ways = {listed(map(tensor_literal, ways.values()))}  # directions of the arguments"


def _by_dual_tensors(evidence: Evidence, index: int) -> tuple[str, ...]:
    """It fails where the tangents of dual tensors are dropped, as by what is compiled."""
    duals = [
        f"{place} = torch.autograd.forward_ad.make_dual({place}, ways[{number}])"
        for number, place in enumerate(places_of_floats(evidence).values())
    ]
    taken = f"actual = torch.autograd.forward_ad.unpack_dual(results[{index}]).tangent.clone()"
    level = "\n".join((*duals, *results_in_order(evidence), taken))
    return (f"with torch.autograd.forward_ad.dual_level():\n{textwrap.indent(level, '    ')}",)


def _by_function_transform(evidence: Evidence, index: int) -> tuple[str, ...]:
    places = list(places_of_floats(evidence).values())
    body = "\n".join(("arguments = case()", f"{', '.join(places)}, = floats", *results_in_order(evidence)))
    return (
        f"def of_floats(*floats):\n{textwrap.indent(body, '    ')}\n    return results[{index}]\n",
        f"actual = torch.func.jvp(of_floats, ({', '.join(places)},), tuple(ways))[1]",
    )


def double_backward(evidence: Evidence) -> Iterator[Form]:
    """The gradient of the gradient's product with directions, in an argument or in a direction of the results."""
    with contextlib.suppress(*FAULTS):
        ways, places = directions_of(evidence.case), places_of_floats(evidence)
        directions = listed(map(tensor_literal, directions_of_results(evidence)))
        for place, expected, measured in _off_second_gradients(evidence, ways):
            lines = (
                f"expected = {literal(expected)}",
                *_case_and_ways(ways),
                f"floats = {listed(places.values())}",
                f"directions = {directions}  # in which the results are differentiated",
                "for each in (*floats, *directions):\n    each.requires_grad_(each.is_floating_point() or each.is_complex())",
                f"wanted = (*floats, *directions)[{place}]",
            )
            yield Form({"case": evidence.call}, lines, (*results_in_order(evidence), *_TWICE), measured)


_TWICE = (
    "told = [(r, d.to(r)) for r, d in zip(results, directions) if r.requires_grad]",
    "given = [d for _, d in told]",
    "first = torch.autograd.grad([r for r, _ in told], floats, given, create_graph=True, allow_unused=True)",
    "pairs = [(g, way.to(g)) for g, way in zip(first, ways) if g is not None and g.requires_grad]",
    "actual, = torch.autograd.grad([g for g, _ in pairs], [wanted], [way for _, way in pairs], allow_unused=True)",
    "actual = torch.zeros_like(wanted) if actual is None else actual",
)


def _off_second_gradients(evidence: Evidence, ways: dict[str, Tensor]) -> Iterator[tuple[int, Any, float]]:
    """The second gradients that are off: their places among arguments and directions, what is expected, and how far."""
    inexact = _inexact_results(evidence)
    places = [*range(len(ways)), *(len(ways) + index for index in inexact)]
    parts = second_gradient_reference(evidence.case).parts
    if evidence.fails:
        yield places[0], parts[0].expected, float("inf")
        return
    found = second_gradients(evidence.subject, evidence.call, ways).parts
    yield from beyond(evidence, dict(zip(places, found, strict=True)), parts)


def vmap(evidence: Evidence) -> Iterator[Form]:
    """Two calls as one by vmap, against a loop over them."""
    for _, calls, axes in calls_to_map(evidence.case):
        with contextlib.suppress(*FAULTS):
            for index, measured in _off_maps(evidence, calls, axes):
                yield _vmap(evidence, calls, axes, index, measured)


def _off_maps(evidence: Evidence, calls: list[Call], axes: dict[str, int]) -> Iterator[tuple[int, float]]:
    """The results that a loop over calls gives otherwise than vmap: which, and how far apart."""
    if evidence.fails:
        yield 0, float("inf")
        return
    pairs = list(zip(mapped(evidence.subject, calls, axes), map(evidence.subject, calls), strict=True))
    for index in range(len(evidence.cell.operation.results)):
        apart = max(largest_difference(as_array(once[index]), as_array(looped[index])) for once, looped in pairs)
        if apart:
            yield index, apart


def _vmap(evidence: Evidence, calls: list[Call], axes: dict[str, int], index: int, measured: float) -> Form:
    places = places_of_arguments(evidence)
    chosen = [places[name] for name in axes]
    stacked = [f"torch.stack([{places[name]} for arguments in calls], {axis})" for name, axis in axes.items()]
    lines = (
        "calls = [case(), other()]",
        f"stacked = {listed(stacked)}",
        "expected = torch.stack([call(each) for each in (case(), other())])",
        f"def one(*given):\n    arguments = case()\n    {', '.join(chosen)}, = given\n    return call(arguments)\n",
    )
    risky = (f"actual = torch.func.vmap(one, in_dims={tuple(axes.values())})(*stacked)",)
    return Form({"case": calls[0], "other": calls[1]}, lines, risky, measured, index)
