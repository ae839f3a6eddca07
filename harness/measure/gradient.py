"""Gradients: what autograd makes of an operation, held against the definition's own gradient in float64."""

from __future__ import annotations

import dataclasses

import numpy as np
import torch
from torch import Tensor

from harness.declare.structure import RandomSource
from harness.generate.case import Call, Case
from harness.measure.arrays import Array, as_array
from harness.measure.reference import (
    INCONCLUSIVE_FROM,
    ExpectedTensor,
    Reference,
    answering,
    defined,
    measure,
    remembered,
    sample_norms,
)

Results = tuple[Tensor, ...]


def cotangents_like(results: Results) -> Results:
    """Directions in which results are differentiated: bell-shaped sixteenths, which every float dtype holds exactly."""
    made = []
    for index, result in enumerate(results):
        stream = RandomSource(tuple(result.shape), {}, 0, f"cotangent {index}")
        bell = torch.from_numpy(stream.normal())
        if result.is_complex():
            bell = torch.complex(bell, torch.from_numpy(stream.normal()))
        made.append(_in_sixteenths(bell).to(result.dtype).to(result.device))
    return tuple(made)


def _in_sixteenths(bell: Tensor) -> Tensor:
    if bell.is_complex():
        return torch.complex(_in_sixteenths(bell.real), _in_sixteenths(bell.imag))
    return (bell * 16).round().div(16)


def differentiated(call: Call) -> Call:
    """The call with arguments that require gradients, where they are numbers that are rounded."""
    return call.map(lambda t: t.detach().requires_grad_(t.is_floating_point() or t.is_complex()))


def gradients_of(results: Results, call: Call, cotangents: Results, *, create_graph: bool = False) -> dict[str, Tensor]:
    """The gradient of ⟨results, cotangents⟩ in every argument that requires one; zeros where nothing depends on it.

    create_graph: as in PyTorch, whether the gradients can be differentiated again.
    """
    inputs = {name: tensor for name, tensor in call.arguments.items() if tensor.requires_grad}
    pairs = [(result, way) for result, way in zip(results, cotangents, strict=True) if result.requires_grad]
    if not pairs or not inputs:
        return {name: torch.zeros_like(tensor) for name, tensor in inputs.items()}
    found = torch.autograd.grad(
        [r for r, _ in pairs],
        list(inputs.values()),
        [w for _, w in pairs],
        allow_unused=True,
        create_graph=create_graph,
    )
    return {
        name: torch.zeros_like(tensor) if gradient is None else gradient
        for (name, tensor), gradient in zip(inputs.items(), found, strict=True)
    }


def gradient_reference(case: Case) -> Reference:
    """The oracle's gradients in the float arguments, in their order, each with its own noise floor.

    Whoever differentiates has rounded the results before, so a gradient has no digits below eps·‖results‖‖cotangents‖/‖x‖:
    that is added to u, and tells when all paths are saturated.
    """
    return remembered(case, "gradients", lambda: _gradient_reference(case))


def _gradient_reference(case: Case) -> Reference:
    call = case.plain_call()
    names = [name for name, domain in case.given.items() if domain.is_inexact]
    axes = [case.given[name].batch_axis(call.options) for name in names]
    sizes: list[float] = []

    def evaluate(arguments: dict[str, Tensor]) -> list[Array]:
        wide = differentiated(call.replace(**arguments))
        with torch.enable_grad():
            results = defined(case, wide.arguments, wide)
        cotangents = cotangents_like(results)
        ways = [(r, c) for r, c in zip(results, cotangents, strict=True) if r.requires_grad]
        sizes.append(sum(float(r.detach().norm() * c.norm()) for r, c in ways))
        with answering(case, " in its gradient"):
            found = gradients_of(results, wide, cotangents)
        return [as_array(found[name]) for name in names]

    measured = measure(case, call, evaluate, axes)
    eps = case.precision.eps
    widths = [float(np.linalg.norm(as_array(call.arguments[name]))) for name in names]
    floors = [eps * sizes[0] / width if width else 0.0 for width in widths]
    return Reference(tuple(with_floor(part, floor) for part, floor in zip(measured.parts, floors, strict=True)))


def with_floor(part: ExpectedTensor, floor: float) -> ExpectedTensor:
    """A part with what no digit is left below added to its noise floor."""
    unit = part.noise_floor + floor
    told = unit <= INCONCLUSIVE_FROM * sample_norms(part.expected, part.axis)
    informative = part.informative & np.isfinite(unit) & (told | (part.noise_floor == 0))
    return dataclasses.replace(part, noise_floor=unit, informative=informative)
