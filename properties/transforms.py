"""Transforms: forward mode, the gradient of a gradient, and vmap of an implementation give what the plain ways give.

A rule for a transform is a formula of its own, right or wrong in every precision and in nearly every case. So each is asked in
one precision, and in one planned case in four.
"""

import numpy as np
import torch
from harness.properties.gradients import (
    along_directions,
    both_ways,
    inner,
    is_differentiable,
    is_the_definition,
    is_the_limit,
    smooth_in_double,
    smooth_values,
)

import harness


def is_transformed(operation, implementation):
    """Whether PyTorch's transforms reach through it, and somebody wrote it to be fast: the definition is not."""
    is_definition = implementation is operation.own
    return implementation.backend.differentiable and not (implementation.is_twin or implementation.out or is_definition)


def has_derivatives(operation, implementation):
    return is_transformed(operation, implementation) and not implementation.forward_only


def few(case):
    """One planned case in four."""
    if case.turn % 4 == 0:
        yield case


def few_smooth(case):
    """One planned case in four, as the gradients are asked in it."""
    if case.turn % 4 == 0:
        yield from smooth_values(case)


PRECISIONS = ("float32", "float64", "bfloat16", "float16")


@harness.property(requires=is_differentiable, variants=few_smooth, once_in=PRECISIONS, declared=has_derivatives)
def forward_mode(implementation, case):
    """Along a direction in each float argument, the derivative by forward mode is that by reverse mode: ⟨Jv, c⟩ = ⟨v, Jᵀc⟩.

    Both sides move as ⟨v, g⟩ does where the oracle's gradient g moves by its noise floor, and Jv was rounded.
    """
    call, ways = case.call(), harness.directions_of(case)
    for (name, way), part in zip(ways.items(), harness.gradient_reference(case).parts, strict=True):
        found = harness.derivative_along(implementation, call, {name: way})
        pairs = list(zip(found, harness.cotangents_like(found), strict=True))
        forward = sum(inner(tangent, cotangent) for tangent, cotangent in pairs)
        backward = inner(way, torch.from_numpy(part.expected))
        rounded = sum((inner(tangent, tangent) * inner(cotangent, cotangent)) ** 0.5 for tangent, cotangent in pairs)
        slack = (harness.sample_norms(harness.as_array(way), part.axis) * part.noise_floor).sum()
        like = part.derived(slack + case.precision.eps * rounded, axis=None)
        told = (np.array([forward]), np.array([backward]))
        yield harness.close(f"forward derivative along {name}", *told, case, like=like, both_rounded=True)


@harness.property(requires=is_differentiable, variants=few_smooth, once_in=PRECISIONS, declared=has_derivatives)
def double_backward(implementation, case):
    """The gradient of ⟨gradient, w⟩ is the oracle's, in every float argument and in the directions of the results."""
    ways, parts = harness.directions_of(case), harness.second_gradient_reference(case).parts
    found = harness.second_gradients(implementation, case.call(), ways)
    places = [f"argument {name}" for name in found.in_arguments] + [
        f"the direction of {case.operation.result_name(index)}" for index, _ in enumerate(found.in_cotangents)
    ]
    for place, gradient, part in zip(places, found.parts, parts, strict=True):
        yield harness.close(f"second gradient in {place}", gradient, part.expected, case, like=part, both_rounded=True)


def has_derivatives_of_its_own(operation, implementation):
    """Whether nobody else's second gradient can be had."""
    return is_the_definition(operation, implementation) and has_derivatives(operation, implementation)


@harness.property(
    requires=is_differentiable, variants=smooth_in_double, dtypes=("float64",), declared=has_derivatives_of_its_own
)
def second_gradients_by_differences(implementation, case):
    """The gradient of ⟨gradient, w⟩ along w is what differences of the gradient itself come to as their step shrinks."""
    call, ways = case.call(), harness.directions_of(case)
    found = harness.second_gradients(implementation, call, ways).in_arguments
    along, size = along_directions(found, ways)

    def quotient(step):
        (_, ahead), (_, back) = map(implementation.gradients, both_ways(call, ways, step))
        return sum(inner(ahead[name] - back[name], way) for name, way in ways.items()) / (2 * step)

    told = is_the_limit(along, size, quotient)
    if told is not None:
        yield harness.holds("the second gradient is the limit of difference quotients", told, case)


@harness.property(variants=few, once_in=PRECISIONS, declared=is_transformed)
def vmap(implementation, case):
    """torch.func.vmap over calls gives what a loop over them gives: all arguments mapped, and one of them alone."""
    for label, calls, axes in harness.calls_to_map(case):
        for which, (each, results) in enumerate(zip(calls, harness.mapped(implementation, calls, axes), strict=True)):
            loop, parts = implementation(each), harness.reference(case, each if which else None).parts
            for index, (result, looped, part) in enumerate(zip(results, loop, parts, strict=True)):
                told = f"{case.operation.result_name(index)} of call {which}, mapped over {label}"
                yield harness.close(told, result, looped, case, like=part, both_rounded=True)
