"""Linearity: superposition, and the adjoint that autograd gives."""

import dataclasses

import numpy as np

import harness
from harness.measure.comparison import as_array
from harness.measure.reference import norms, reference_of, remembered


def is_linear(operation):
    return operation.linear_in is not None


def is_linear_and_differentiable(operation):
    return operation.linear_in is not None and operation.differentiable


@harness.property(requires=is_linear)
def superposition(implementation, case):
    """The result for x − 2y is the result for x minus twice that for y."""
    name = case.operation.linear_in
    call = case.call()
    other = call.replace(**{name: case.another().call().arguments[name]})
    both = call.replace(**{name: call.arguments[name] - 2 * other.arguments[name]})
    results = [implementation(each) for each in (call, other, both)]
    units = [
        remembered(case, made, lambda each=each: reference_of(each, case)).parts
        for made, each in {"": call, "with the other x": other, "with both": both}.items()
    ]
    for index, (x, y, combined) in enumerate(zip(*results, strict=True)):
        parts = [each[index] for each in units]
        part = dataclasses.replace(
            parts[2],
            unit=parts[0].unit + 2 * parts[1].unit + parts[2].unit,
            informative=parts[0].informative & parts[1].informative,
        )
        expected = as_array(x) - 2 * as_array(y)
        yield harness.compare(f"result {index} of a combination", combined, expected, case, part, twice=True)


@harness.property(requires=is_linear_and_differentiable)
def adjoint(implementation, case):
    """⟨f(x), y⟩ = ⟨x, fᵀ(y)⟩ with the adjoint that autograd gives."""
    name = case.operation.linear_in
    call = case.call()
    x = as_array(call.arguments[name])
    stranger = case.another().replace(pattern="normal")
    directions = tuple(implementation(stranger.call()))
    results, gradients = implementation.gradients(call, directions)
    backward = as_array(gradients[name])
    parts = harness.reference(case).parts
    forward = sum(float((as_array(r) * as_array(d)).sum()) for r, d in zip(results, directions, strict=True))
    backwards = float((x * backward).sum())
    slack = sum(float((p.unit * norms(as_array(d), p.axis)).sum()) for p, d in zip(parts, directions, strict=True))
    sizes = sum(
        float(np.linalg.norm(as_array(r)) * np.linalg.norm(as_array(d)))
        for r, d in zip(results, directions, strict=True)
    )
    part = dataclasses.replace(
        parts[0],
        axis=None,
        unit=np.array([slack + min(case.precision.eps, np.finfo(np.float32).eps) * sizes]),
        informative=np.array(
            [bool(np.isfinite(slack) and np.isfinite(forward) and all(p.informative.all() for p in parts))]
        ),
    )
    yield harness.compare("inner products", np.array([forward]), np.array([backwards]), case, part, twice=True)
