"""The operation that computes what an nn.Module does: its state is among the arguments, its mode among the options."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain, product
from typing import Any

from torch import Tensor, nn

from harness.declare.axes import ComputedAxis
from harness.declare.callables import place_of
from harness.declare.domain import STATE, Kind, OptionDomain, TensorDomain
from harness.declare.forms import AmongOptions
from harness.declare.modules import OUTPUT, Initial, ModuleFunction, Reference, statistics
from harness.declare.modules import made as build
from harness.declare.operation import Operation
from harness.declare.ranges import nonnegative
from harness.declare.rehearsal import small_call
from harness.declare.results import Results
from harness.declare.signature import Signature
from harness.errors import DeclarationError

_MODES = ("eval", "train")


def of_module(made: Operation, reference: Reference, modes: tuple[str, ...]) -> Operation:
    """The operation that computes what a module does: with its state among the arguments, and its mode among the options.

    Raises DeclarationError where the module can't be made, or for a mode that there is not. Its buffers
    that count or average must be the same whatever the options are.
    """
    place = place_of(made.definition)
    unknown = sorted({*reference.parameters} - {*made.sizes, *made.options})
    if unknown:
        raise DeclarationError(
            f"{place}: module= takes {unknown[0]!r}, which is neither a size of an argument nor an option; known are "
            f"{', '.join((*made.sizes, *made.options))}"
        )
    calls = [small_call(made, options) for options in _rows(made, reference)]
    buffers = [statistics(_built(place, reference, known)) for known in calls]
    if loose := {*chain(*buffers)} - {*buffers[0]}.intersection(*buffers):
        raise DeclarationError(
            f"{place}: module= has {min(loose)!r} with some options alone, and what it holds afterwards is a result; declare "
            "one operation with it and one without"
        )
    odd = next((each for each in modes if each not in _MODES), None)
    if odd is not None or not modes:
        raise DeclarationError(f"{place}: modes= takes {' and '.join(map(repr, _MODES))}, and not {odd or modes!r}")
    signature, reference = made.signature, replace(reference, buffers=buffers[0])
    inputs = tuple(name for name in signature.parameters if name not in signature.options)
    state = state_of(reference, calls, made.sizes, made.options)
    results = with_statistics(signature.results, state, reference)
    mode = {"mode": OptionDomain(modes)}
    return replace(
        made,
        definition=ModuleFunction(reference, reference.build, inputs, {}, made.definition),
        signature=Signature({**signature.tensors, **state}, (*signature.options, "mode"), results, sized=True),
        options={**made.options, **mode},
    )


def with_statistics(results: Results, state: Mapping[str, TensorDomain], reference: Reference) -> Results:
    """What a module gives, beside what its buffers that count or average hold afterwards."""
    if not reference.buffers:
        return results
    afterwards = {name: replace(state[name], structure=None, constraint=None, group=None) for name in reference.buffers}
    return Results((*results.domains, *afterwards.values()), (OUTPUT, *afterwards))


def _rows(made: Operation, reference: Reference) -> Iterator[dict[str, Any]]:
    """The options, in every combination of those of which the module is made."""
    first = {name: domain.values[0] for name, domain in made.options.items()}
    names = [name for name in made.options if name in reference.parameters]
    for values in product(*(made.options[name].values for name in names)):
        yield first | dict(zip(names, values, strict=True))


def _built(place: str, reference: Reference, known: Mapping[str, Any]) -> nn.Module:
    try:
        module = build(reference.build, reference.chosen(known))
    except Exception as failure:
        raise DeclarationError(f"{place}: module= raised {type(failure).__name__}: {failure} for {known}") from None
    if not isinstance(module, nn.Module):
        raise DeclarationError(f"{place}: module= makes {type(module).__name__}, and no nn.Module")
    return module


def state_of(
    reference: Reference, calls: Sequence[Mapping[str, Any]], sizes: Iterable[str], options: Iterable[str] = ()
) -> dict[str, TensorDomain]:
    """The domains of a module's state, by the names that it has there.

    calls: sizes and options at which it can be made, one for each set of options; sizes, options: the operation's.
    """
    sizes = frozenset(reference.parameters) & frozenset(sizes)
    names = tuple(name for name in options if name in reference.parameters)
    states = [reference.state(known) for known in calls]
    begun = {key: part for state in reversed(states) for key, part in state.items()}
    domains = {}
    for key in dict.fromkeys(chain(*states)):
        rows = frozenset(
            tuple(known[name] for name in names) for known, state in zip(calls, states, strict=True) if key in state
        )
        presence = None if all(key in state for state in states) else AmongOptions(names, rows)
        domains[key] = replace(_domain(reference, key, begun[key], sizes), presence=presence)
    return domains


def _domain(reference: Reference, key: str, begun: Tensor, sizes: Iterable[str]) -> TensorDomain:
    kind: Kind = "float" if begun.is_floating_point() else "int"
    positive = key in reference.buffers and kind == "float" and bool((begun > 0).all())
    return TensorDomain(
        kind,
        tuple(
            ComputedAxis(f"{key}.{place}", partial(_length, reference, key, place), sizes)
            for place in range(begun.ndim)
        ),
        structure=Initial(reference, key, not positive),
        constraint=nonnegative if positive else None,
        group=(STATE, key),
        independent=False,
    )


def _length(reference: Reference, key: str, place: int, known: Mapping[str, Any]) -> int:
    """As long as the module has it; -1 where one of these sizes has no such part, as one without layers."""
    shape = reference.shapes(known).get(key)
    return -1 if shape is None else shape[place]
