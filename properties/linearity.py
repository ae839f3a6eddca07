"""Linearity: superposition, and the adjoint that autograd gives."""

import numpy as np
import torch

import harness


def is_linear(operation):
    return operation.linear_in is not None


def is_linear_and_differentiable(operation):
    return operation.linear_in is not None and operation.differentiable


def _wide(tensor):
    return tensor.cpu().to(torch.promote_types(tensor.dtype, torch.float64))


@harness.property(requires=is_linear)
def superposition(implementation, case):
    """The result for x − 2y is the result for x minus twice that for y; of complex numbers that for x − 2iy."""
    name = case.operation.linear_in
    call = case.call()
    other = call.replace(**{name: case.another().call().arguments[name]})
    twice = 2j if call.arguments[name].is_complex() else 2
    both = call.replace(**{name: call.arguments[name] - twice * other.arguments[name]})
    results = [implementation(each) for each in (call, other, both)]
    parts = [harness.reference(case).parts, *(harness.reference(case, each).parts for each in (other, both))]
    for index, (x, y, combined) in enumerate(zip(*results, strict=True)):
        of_x, of_y, of_both = (each[index] for each in parts)
        part = of_x.derived(of_x.noise_floor + 2 * of_y.noise_floor + of_both.noise_floor, of_y)
        expected = harness.as_array(_wide(x) - twice * _wide(y))
        yield harness.close(f"result {index} of a combination", combined, expected, case, like=part, both_rounded=True)


@harness.property(requires=is_linear_and_differentiable)
def adjoint(implementation, case):
    """⟨f(x), y⟩ = ⟨x, fᵀ(y)⟩ with the adjoint that autograd gives."""
    name = case.operation.linear_in
    call = case.call()
    x = harness.as_array(call.arguments[name])
    stranger = case.another().replace(pattern="normal")
    directions = tuple(implementation(stranger.call()))
    results, gradients = implementation.gradients(call, directions)
    backward = harness.as_array(gradients[name])
    parts = harness.reference(case).parts
    forward = sum(
        float((harness.as_array(r) * harness.as_array(d)).sum()) for r, d in zip(results, directions, strict=True)
    )
    backwards = float((x * backward).sum())
    slack = sum(
        float((p.noise_floor * harness.sample_norms(harness.as_array(d), p.axis)).sum())
        for p, d in zip(parts, directions, strict=True)
    )
    sizes = sum(
        float(np.linalg.norm(harness.as_array(r)) * np.linalg.norm(harness.as_array(d)))
        for r, d in zip(results, directions, strict=True)
    )
    floor = slack + min(case.precision.eps, np.finfo(np.float32).eps) * sizes
    part = parts[0].derived(floor, *parts[1:], axis=None, where=np.isfinite(forward))
    yield harness.close(
        "inner products", np.array([forward]), np.array([backwards]), case, like=part, both_rounded=True
    )
