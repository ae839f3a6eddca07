"""Forms of a script that show a gradient: in one argument, and of one sample in the others."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import torch

from harness.declare.domain import TensorDomain
from harness.declare.implementation import Implementation
from harness.explain.evidence import FAULTS, Evidence, Form, beyond, literal, parts_of, rows_of
from harness.explain.literal import tensor_literal
from harness.measure.arrays import as_array
from harness.measure.gradient import cotangents_like, gradient_reference
from harness.measure.reference import ExpectedTensor


def gradient_forms(evidence: Evidence) -> Iterator[Form]:
    """The gradient in one argument, against the definition's."""
    if not (evidence.cell.operation.differentiable and evidence.backend.differentiable):
        return
    with contextlib.suppress(*FAULTS):
        parts = gradient_reference(evidence.case).parts
        names = [name for name, domain in evidence.case.given.items() if domain.is_inexact]
        directions = directions_of_results(evidence)
        for name, expected, measured in _off_gradients(evidence, names, parts):
            yield _gradient(evidence, name, f"expected = {literal(expected)}", directions, "", measured)


def gradients_that_are_not_finite(evidence: Evidence) -> Iterator[Form]:
    """The gradients that are not finite where the definition's are."""
    with contextlib.suppress(*FAULTS):
        _, found = evidence.subject.gradients(evidence.case)
        directions = directions_of_results(evidence)
        for (name, gradient), part in zip(found.items(), gradient_reference(evidence.case).parts, strict=True):
            if (np.isfinite(part.expected) & ~np.isfinite(as_array(gradient))).any():
                expected = f"expected = {literal(part.expected)}"
                yield _gradient(evidence, name, expected, directions, "", float("inf"))


def _off_gradients(
    evidence: Evidence, names: list[str], parts: tuple[ExpectedTensor, ...]
) -> Iterator[tuple[str, Any, float]]:
    if evidence.fails:
        yield names[0], parts[0].expected, float("inf")
        return
    _, found = evidence.subject.gradients(evidence.case)
    yield from beyond(evidence, found, parts)


def _gradient(evidence: Evidence, name: str, expected: str, directions: Any, rows: str, measured: float) -> Form:
    """The gradient in one argument of the results' products with `directions`."""
    places = places_of_floats(evidence)
    lines = (
        expected,
        "arguments = case()",
        f"for each in {listed(places.values())}:\n    each.requires_grad_()",
        f"directions = {listed(map(tensor_literal, directions))}  # in which the results are differentiated",
        f"wanted = {places[name]}",
    )
    risky = (
        *results_in_order(evidence),
        "for result, direction in zip(results, directions):\n    if result.requires_grad:\n"
        "        result.backward(direction.to(result), retain_graph=True)",
        "actual = torch.zeros_like(wanted) if wanted.grad is None else wanted.grad",
        *([f"actual = actual{rows}"] if rows else ()),
    )
    return Form({"case": evidence.call}, lines, risky, measured)


def directions_of_results(evidence: Evidence) -> tuple[torch.Tensor, ...]:
    """The directions in which the case's results are differentiated."""
    shapes = evidence.subject.expected_shapes(evidence.call)
    domains = zip(shapes, evidence.cell.operation.results, strict=True)
    return cotangents_like(tuple(torch.zeros(shape, dtype=each.torch_dtype(torch.float64)) for shape, each in domains))


def places_of_arguments(evidence: Evidence) -> dict[str, str]:
    """Where the tensors stand among the arguments of a script, by their names."""
    made = evidence.cell.implementation
    return {name: _place(name, domain, made) for name, domain in evidence.case.given.items()}


def places_of_floats(evidence: Evidence) -> dict[str, str]:
    """The same of those that are differentiated."""
    given = evidence.case.given
    return {name: place for name, place in places_of_arguments(evidence).items() if given[name].is_inexact}


def listed(expressions: Iterable[str]) -> str:
    """Expressions as a list of Python."""
    return f"[{', '.join(expressions)}]"


def results_in_order(evidence: Evidence) -> Iterator[str]:
    """The candidate called where gradients are asked, and its results in their order."""
    made, names = evidence.cell.implementation, evidence.cell.operation.signature.results.names
    given = "**arguments" if made.by_name else "*arguments.values()"
    if made.mutates:
        written = f"arguments[{made.parameter(made.mutates)!r}]"
        yield f"{written} = {written}.clone()  # autograd refuses to write to what it differentiates in"
        yield f"candidate({given})\nresults = ({written},)"
        return
    yield f"results = candidate({given})"
    if names:
        each = "results[name] if isinstance(results, dict) else getattr(results, name)"
        yield f"if type(results) not in (tuple, list):\n    results = [{each} for name in {names!r}]"
    else:
        yield "results = results if isinstance(results, (tuple, list)) else (results,)"


def _place(name: str, domain: TensorDomain, made: Implementation) -> str:
    """Where an argument stands among those of a script."""
    if domain.group is None:
        return f"arguments[{made.parameter(name)!r}]"
    group, key = domain.group
    return f"arguments[{made.parameter(group)!r}][{key!r}]"


def gradient_leak(evidence: Evidence) -> Iterator[Form]:
    """The gradient of one sample's result in the other samples."""
    call, parts = evidence.call, parts_of(evidence, evidence.call)
    if evidence.fails or call.batch_size < 2:
        return
    chosen = evidence.case.seed % call.batch_size
    others = [sample for sample in range(call.batch_size) if sample != chosen]
    directions = [torch.zeros(part.expected.shape, dtype=torch.float64) for part in parts]
    for direction, part in zip(directions, parts, strict=True):
        if part.axis is not None:
            direction.select(part.axis, chosen).fill_(1)
    for name, axis in call.batch_axes.items():
        if call.arguments[name].is_floating_point():
            shape = call.arguments[name].index_select(axis, torch.tensor(others, device=evidence.case.device)).shape
            expected = f"expected = torch.zeros({tuple(shape)}, dtype=torch.float64)"
            yield _gradient(evidence, name, expected, directions, rows_of(axis, others), 0.0)
