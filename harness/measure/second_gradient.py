"""Second gradients: the gradient of a gradient along directions, held against the definition's own in float64.

Of ⟨f(x), c⟩ autograd gives the gradient g(x, c) = J(x)ᵀc. Its product with directions w has a gradient in x, which is the
Hessian of ⟨f, c⟩ times w, and one in c, which is J(x)w (Pearlmutter, Fast exact multiplication by the Hessian, 1994). A backward
pass that is to be differentiated has to be right in both.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from harness.errors import Unsupported
from harness.fault import message
from harness.generate.case import Call, Case
from harness.measure.arrays import Array, as_array
from harness.measure.gradient import cotangents_like, differentiated, gradient_reference, gradients_of, with_floor
from harness.measure.reference import Reference, defined, measure, remembered


@dataclass(frozen=True)
class SecondGradients:
    """What is differentiated, and twice: each by the name of its argument, and in the cotangents of the float results in their order."""

    first: Mapping[str, Tensor]
    in_arguments: Mapping[str, Tensor]
    in_cotangents: tuple[Tensor, ...]

    @property
    def parts(self) -> tuple[Tensor, ...]:
        """All second gradients, those in the arguments first."""
        return (*self.in_arguments.values(), *self.in_cotangents)


def directions_of(case: Case) -> dict[str, Tensor]:
    """A direction for every float argument, of the structure that the argument has: symmetric where that is.

    It is zero where the definition has no gradient in an argument, as in one that is compared alone: none is asked there.
    """
    another = case.another(_WAY).replace(pattern="normal", nudge=0).tensors
    names = [name for name, domain in case.given.items() if domain.is_inexact]
    told = zip(names, gradient_reference(case).parts, strict=True)
    return {name: another[name].to(case.device) * bool(part.expected.any()) for name, part in told}


_WAY = 7
"""The step from a case's seed to that of its directions."""


def second_gradients_of(results: tuple[Tensor, ...], call: Call, ways: Mapping[str, Tensor]) -> SecondGradients:
    """The gradients of the products of a call's gradients with directions of its arguments; zeros where nothing depends on it.

    The cotangents require gradients as well, as they do within a larger computation. Raises Unsupported where a backward pass
    is marked as differentiable once, and what autograd raises where one can't be differentiated.
    """
    cotangents = [
        each.requires_grad_(domain.is_inexact)
        for each, domain in zip(cotangents_like(results), call.operation.results, strict=True)
    ]
    inputs = {name: tensor for name, tensor in call.arguments.items() if tensor.requires_grad}
    first = gradients_of(results, call, tuple(cotangents), create_graph=True)
    pairs = [(gradient, ways[name].to(gradient.dtype)) for name, gradient in first.items() if gradient.requires_grad]
    if _is_differentiable_once(gradient for gradient, _ in pairs):
        raise Unsupported("its backward pass is marked as once_differentiable")
    wanted = [*inputs.values(), *(each for each in cotangents if each.requires_grad)]
    found = (
        torch.autograd.grad([g for g, _ in pairs], wanted, [w for _, w in pairs], allow_unused=True)
        if pairs
        else [None] * len(wanted)
    )
    told = [torch.zeros_like(x) if each is None else each for x, each in zip(wanted, found, strict=True)]
    return SecondGradients(first, dict(zip(inputs, told, strict=False)), tuple(told[len(inputs) :]))


def _is_differentiable_once(gradients: Iterable[Tensor]) -> bool:
    """Whether a graph has a node that PyTorch's `once_differentiable` puts there to raise, among those nearest to the gradients.

    Where the gradient in some tensors alone is asked it is never reached, since nothing leads from it to them. Not all are looked
    at: what Python holds of a long chain is released one within the other, which ends the process.
    """
    waiting = deque(gradient.grad_fn for gradient in gradients)
    seen = set(waiting)
    while waiting and len(seen) < _MOST_NODES:
        node = waiting.popleft()
        if node is None:
            continue
        if node.name() == _RAISING:
            return True
        further = {each for each, _ in node.next_functions} - seen
        seen |= further
        waiting += further
    return False


_MOST_NODES = 2**10
"""Nodes of a graph that are held at once: a marked backward pass stands at its beginning."""

_RAISING = "torch::autograd::Error"


def second_gradient_reference(case: Case) -> Reference:
    """The oracle's second gradients along `directions_of(case)`, each with its own noise floor, in the order of their parts.

    Whoever differentiates has rounded results and gradients before, as in a gradient: with R = Σ‖f‖‖c‖ and G = Σ‖g‖‖w‖ there
    are no digits below eps·(G + R·Σ‖w‖/‖x‖)/‖x‖ in an argument, and eps·‖f‖·Σ‖w‖/‖x‖ in a cotangent. Raises Unsupported where
    autograd does not differentiate the definition twice.
    """
    return remembered(case, "second gradients", lambda: _second_gradient_reference(case))


def _second_gradient_reference(case: Case) -> Reference:
    call, ways = case.plain_call(), directions_of(case.replace(device="cpu"))
    domains = [case.given[name] for name in ways] + [each for each in case.operation.results if each.is_inexact]
    floors: list[float] = []

    def evaluate(arguments: dict[str, Tensor]) -> list[Array]:
        wide = differentiated(call.replace(**arguments))
        with torch.enable_grad():
            results = defined(case, wide.arguments, wide)
            try:
                found = second_gradients_of(results, wide, ways)
            except (RuntimeError, NotImplementedError) as failure:
                told = f"autograd does not differentiate the definition twice: {message(failure).splitlines()[0]}"
                raise Unsupported(told) from None
        floors[:] = floors or _floors(results, wide, found, ways)
        return [as_array(each) for each in found.parts]

    measured = measure(case, call, evaluate, [domain.batch_axis(call.options) for domain in domains])
    told = zip(measured.parts, floors, strict=True)
    return Reference(tuple(with_floor(part, case.precision.eps * floor) for part, floor in told))


def _floors(results: tuple[Tensor, ...], call: Call, found: SecondGradients, ways: Mapping[str, Tensor]) -> list[float]:
    """Of how many eps no part has a digit, once results and gradients were rounded."""
    inexact = [
        (float(result.detach().norm()), float(way.norm()))
        for result, way, domain in zip(results, cotangents_like(results), call.operation.results, strict=True)
        if domain.is_inexact
    ]
    widths = {name: float(call.arguments[name].detach().norm()) for name in ways}
    steps = sum(float(way.norm()) / widths[name] for name, way in ways.items() if widths[name])
    products = sum(float(found.first[name].detach().norm() * way.norm()) for name, way in ways.items())
    moved = products + steps * sum(length * way for length, way in inexact)
    return [*(moved / width if width else 0.0 for width in widths.values()), *(steps * length for length, _ in inexact)]
