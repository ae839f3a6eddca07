"""Gradients: autograd through an implementation gives the definition's gradients."""

import numpy as np
import torch

import harness

SMOOTH = ("normal", "offset", "magnitudes", "dominant")
TIES = ("integers", "constant", "sparse", "repeated", "equal", "partly_equal")


def is_differentiable(operation):
    return operation.differentiable


def smooth_values(case):
    """The case with values that have no ties and no zeros, where a gradient would be a matter of convention.

    Every other one in another layout of memory.
    """
    smooth = case if case.pattern in SMOOTH else case.replace(pattern=SMOOTH[case.seed % len(SMOOTH)])
    words = harness.layouts_for(smooth.axes)
    yield smooth.replace(layout=words[case.turn // 2 % len(words)]) if case.turn % 2 else smooth


def values_with_ties(case):
    """The case as it is where values tie, vanish or coincide."""
    if case.pattern in TIES:
        yield case


@harness.property(requires=is_differentiable, variants=smooth_values, at_every_size=True, systematic=True)
def gradients(implementation, case):
    """The gradient in every float argument is the oracle's, within rounding."""
    _, found = implementation.gradients(case)
    for (name, gradient), part in zip(found.items(), harness.gradient_reference(case).parts, strict=True):
        yield harness.close(f"gradient in {name}", gradient, part.expected, case, like=part, both_rounded=True)


@harness.property(requires=is_differentiable, variants=values_with_ties)
def finite_gradients(implementation, case):
    """Where values tie, vanish or coincide, a gradient is finite wherever the result and the oracle's gradient are.

    Not where the oracle's is a division by what rounding left of nothing, as by the gap of two equal singular values. In float16
    an intermediate result may be beyond its range: what is finite in float32 then is no fault.
    """
    for name, finite in _finite(implementation, case):
        told = finite or (
            _is_narrow(implementation, case) and dict(_finite(implementation, case.at("float32"))).get(name)
        )
        yield harness.holds(f"the gradient in {name} is finite where the oracle's is", bool(told), case)


def _is_narrow(implementation, case):
    """Whether float32, which it takes as well, has a wider range, so that intermediate results may be finite there alone."""
    wider = torch.finfo(case.precision.dtype).max < torch.finfo(torch.float32).max / 2
    return wider and torch.float32 in implementation.implementation.dtypes


def _finite(implementation, case):
    """For each argument whether the gradient in it is finite wherever the result and the oracle's gradient are."""
    results, found = implementation.gradients(case)
    if not all(result.isfinite().all() for result in results):
        return
    for (name, gradient), part in zip(found.items(), harness.gradient_reference(case).parts, strict=True):
        size = np.abs(part.expected)
        residue = np.isfinite(size) & (size >= _determined(case, name, results))
        others = tuple(axis for axis in range(size.ndim) if axis != part.axis)
        # a residue is in all that comes of one gap, which is the sample
        expected = (size < _representable(case)) & ~residue.any(others, keepdims=True)
        yield name, (np.isfinite(harness.as_array(gradient)) | ~expected).all()


def _determined(case, name, results):
    """How large a gradient may be before it is a residue: of results of about 1, by a change of the argument's own size."""
    argument, result = _largest([case.tensors[name]]), 1 + _largest(results)
    return result / argument / (_RESIDUE * min(case.precision.eps, _FLOAT32)) if argument else np.inf


def _largest(tensors):
    numbers = (each.detach() for each in tensors if each.numel() and (each.is_floating_point() or each.is_complex()))
    return max((float(each.abs().max()) for each in numbers), default=0.0)


_FLOAT32 = 2.0**-23
"""The eps of float32, in which kernels of narrower dtypes compute."""

_RESIDUE = 2.0**10
"""The eps up to which a denominator may be what roundings leave of nothing."""


def _representable(case):
    """What intermediate results of a gradient may be multiples of, and still be held in the working precision."""
    return np.finfo(np.float32 if case.precision.eps < 1e-4 else np.float16).max ** 0.5


def is_the_definition(operation, implementation):
    """Whether what is asked is the function that judges, so that its own gradient is nobody's word but its own."""
    return implementation.function is operation.definition and implementation.name != "definition"


def smooth_in_double(case):
    """The case in float64, with values at which a gradient is no matter of convention."""
    yield case.replace(pattern="normal", dtype="float64", layout="contiguous")


@harness.property(
    requires=is_differentiable, variants=smooth_in_double, dtypes=("float64",), declared=is_the_definition
)
def gradients_by_differences(implementation, case):
    """The gradient along a direction is what differences of the function itself come to as their step shrinks."""
    call = case.call()
    results, gradients = implementation.gradients(call)
    ways = {
        name: case.another(7).tensors[name].to(tensor) for name, tensor in call.arguments.items() if name in gradients
    }
    along, size = along_directions(gradients, ways)
    cotangents = harness.cotangents_like(results)

    def quotient(step):
        ends = map(implementation, both_ways(call, ways, step))
        return sum(inner(a - b, way) for a, b, way in zip(*ends, cotangents, strict=True)) / (2 * step)

    told = is_the_limit(along, size, quotient)
    if told is not None:
        yield harness.holds("the gradient is the limit of difference quotients", told, case)


def both_ways(call, ways, step):
    """The call with its arguments moved by a step along directions, and back along them."""
    for sign in (1, -1):
        yield call.replace(**{name: call.arguments[name] + sign * step * way for name, way in ways.items()})


def along_directions(gradients, ways):
    """The derivative along directions of the arguments, and the sum of the sizes of its terms."""
    along = sum(inner(gradients[name], way) for name, way in ways.items())
    return along, sum(float((gradients[name] * way).abs().sum()) for name, way in ways.items())


def inner(one, other):
    """The real inner product of two tensors in double precision, as autograd has it for complex ones."""
    one, other = (each.detach().cpu().to(torch.complex128).flatten() for each in (one, other))
    return float(torch.vdot(one, other).real)


def is_the_limit(along, size, quotient):
    """Whether a derivative is what difference quotients of a step come to as it shrinks; None where they do not settle.

    along: the derivative along a direction; size: the sum of the sizes of its terms, of which rounding is a share.
    """
    coarse, fine = quotient(2.0**-12), quotient(2.0**-13)
    unsure, size = abs(coarse - fine), max(size, abs(fine))
    return abs(along - fine) <= 16 * unsure + NEARLY * size if unsure <= UNSURE * size else None


UNSURE = 1e-3
"""The share of a gradient by which two difference quotients may differ, for them to tell anything."""

NEARLY = 1e-6
"""The share by which a gradient may differ from them."""
