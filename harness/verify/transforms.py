"""Transforms: what PyTorch's function transforms make of an implementation.

Forward mode, the gradient of a gradient and vmap ask a `torch.autograd.Function` for rules of its own (`jvp`, a `backward` that can be
differentiated, `vmap`), which nothing else calls. Who has no such rule declines, and so does whatever PyTorch itself refuses
to transform: random numbers, control flow that hangs on values, writes to what is captured. A rule that is there and raises, or gives
something of another shape, is a fault.
"""

from __future__ import annotations

import contextlib
import dataclasses
import traceback
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor
from torch.autograd import forward_ad

from harness.errors import Unsupported
from harness.generate.case import Call, Case
from harness.measure.gradient import differentiated
from harness.measure.second_gradient import SecondGradients, second_gradients_of
from harness.verify.subject import ImplementationFault, Subject

_RULES = ("jvp", "vmap")
"""What an author calls the rules for transforms alone."""

_OF_TORCH = str(Path(torch.__file__).parent)


def derivative_along(subject: Subject, call: Call, ways: Mapping[str, Tensor]) -> tuple[Tensor, ...]:
    """The derivatives of the results along directions of some arguments, by forward mode; zeros where a result has none.

    ways: directions by argument. Raises Unsupported where the implementation has no forward mode, ImplementationFault where it fails.
    """
    subject.require_derivatives()
    call = call.fresh()
    with _declining("forward mode"), forward_ad.dual_level():
        duals = {name: _dual(call.arguments[name], way) for name, way in ways.items()}
        results = subject.through(call.replace(**duals))
        with subject.guarded("its forward derivative", call):
            tangents = [forward_ad.unpack_dual(result).tangent for result in results]  # type: ignore[no-untyped-call]
            if any(tangent is not None for tangent in tangents):
                zeros = map(torch.zeros_like, results)
                return tuple(each if each is not None else zero for each, zero in zip(tangents, zeros, strict=True))
    return _by_function_transform(subject, call, ways)


def _by_function_transform(subject: Subject, call: Call, ways: Mapping[str, Tensor]) -> tuple[Tensor, ...]:
    """The same by `torch.func.jvp`, which what is compiled bears, where it drops the tangents of dual tensors (pytorch#187284)."""

    def through(*arguments: Tensor) -> tuple[Tensor, ...]:
        return subject.through(call.replace(**dict(zip(ways, arguments, strict=True))))

    with _declining("forward mode"), subject.guarded("its forward derivative", call):
        made = torch.func.jvp(through, tuple(call.arguments[name] for name in ways), tuple(ways.values()))
        return tuple(made[1])


def second_gradients(subject: Subject, call: Call, ways: Mapping[str, Tensor]) -> SecondGradients:
    """The gradients of the products of its gradients with directions of the arguments (see harness.measure.second_gradient).

    Raises Unsupported where its backward pass has no gradient of its own, ImplementationFault where it fails.
    """
    subject.require_derivatives()
    call = differentiated(call.fresh())
    results = subject.through(call)
    with _declining("gradient of its gradient"), subject.backward("the gradient of its gradient", call):
        return second_gradients_of(results, call, ways)


def mapped(subject: Subject, calls: Sequence[Call], axes: Mapping[str, int]) -> list[tuple[Tensor, ...]]:
    """The results for calls of one form, of which vmap makes one: for each call those that a loop would give.

    axes: the arguments that are mapped, by the place of the axis along which the calls are stacked; the others are those of the
    first call. Raises Unsupported where PyTorch does not map the implementation, ImplementationFault where it fails.
    """
    call = calls[0].fresh()
    stacked = {name: torch.stack([each.arguments[name] for each in calls], axis) for name, axis in axes.items()}

    def one(arguments: dict[str, Tensor]) -> tuple[Tensor, ...]:
        return subject.through(dataclasses.replace(call, arguments=arguments))

    with _declining("rule for vmap"), subject.guarded("vmap of it", call), torch.no_grad():
        places = {name: axes.get(name) for name in call.arguments}
        found = torch.func.vmap(one, in_dims=(places,))({**call.arguments, **stacked})
    return [tuple(result[index] for result in found) for index in range(len(calls))]


def calls_to_map(case: Case) -> Iterator[tuple[str, list[Call], dict[str, int]]]:
    """Two calls of a case and the axes along which they are stacked for vmap, and what of them is mapped, for people.

    They are stacked along the first axis of every argument, and then along the last one of a single argument, which alone differs.
    """
    call, another = case.call(), case.another().call()
    alone = list(call.arguments)[case.turn // 4 % len(call.arguments)]
    yield "every argument", [call, another], dict.fromkeys(call.arguments, 0)
    yield f"{alone} alone", [call, call.replace(**{alone: another.arguments[alone]})], {alone: -1}


def _dual(tensor: Tensor, way: Tensor) -> Tensor:
    made: Tensor = forward_ad.make_dual(tensor, way)  # type: ignore[no-untyped-call]
    return made


@contextlib.contextmanager
def _declining(rule: str) -> Iterator[None]:
    """In which whatever is raised says that there is no such rule, unless the author's own rule raises it."""
    try:
        yield
    except ImplementationFault as fault:
        raised = fault.__context__
        if not fault.kind.startswith("raised") or (raised is not None and _is_from_a_rule(raised)):
            raise
        raise Unsupported(f"it has no {rule}: {fault}") from None


def _is_from_a_rule(failure: BaseException) -> bool:
    frames = traceback.extract_tb(failure.__traceback__)
    return any(frame.name in _RULES and not frame.filename.startswith(_OF_TORCH) for frame in frames)
