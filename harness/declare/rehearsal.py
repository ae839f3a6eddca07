"""Rehearsal: one small evaluation of a definition, so that a wrong declaration is refused where it is written."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from harness.declare.callables import place_of
from harness.declare.domains import whole
from harness.declare.structure import RandomSource, name_of
from harness.errors import DeclarationError

if TYPE_CHECKING:
    from harness.declare.operation import Operation

_SMALL = (2, 3, 4, 5, 1, 8)
_MOST_OPTIONS = 16


def rehearse(operation: Operation) -> None:
    """Evaluate the definition once per layout of axes on small, distinct sizes and hold the result against the annotation.

    Raises DeclarationError where they contradict, or where the definition itself raises.
    """
    plain = {name: domain.values[0] for name, domain in operation.options.items()}
    switches = {
        d.alternative.option: (True,) for d in (*operation.tensors.values(), *operation.results) if d.alternative
    }
    forms = {name: domain.values[1:] for name, domain in operation.options.items() if name in operation.forms}
    others = [{**plain, name: value} for name, values in {**switches, **forms}.items() for value in values]
    for options in [plain, *others]:
        sizes = _small_sizes(operation, options)
        _hold(operation, sizes, options)


def moves_data(operation: Operation) -> bool:
    """Whether the results of the definition hold nothing but entries of the arguments, and zeros, for some options."""
    choices = [[(name, value) for value in domain.values] for name, domain in operation.options.items()]
    every = (dict(chosen) for chosen in itertools.islice(itertools.product(*choices), _MOST_OPTIONS))
    return any(_moves_data(operation, options) for options in every)


def _moves_data(operation: Operation, options: dict[str, Any]) -> bool:
    try:
        sizes = _small_sizes(operation, options)
        arguments = {name: _values(operation, name, {**sizes, **options}) for name in operation.given(options)}
        results = operation.evaluate(arguments, options, sizes)
    except Exception:  # what these options can't be evaluated with moves nothing
        return False
    parts = zip(results, operation.results, strict=True)
    made = [(wide := part.double())[wide != 0] for part, domain in parts if domain.kind == "float"]
    given = [tensor.double().reshape(-1) for tensor in arguments.values() if tensor.is_floating_point()]
    if not (made and given):
        return False
    found, there = torch.cat(made), torch.cat(given)
    if not found.numel() or not (there == found[0]).any():  # most are told by one entry, where millions would be sorted
        return False
    return bool(torch.isin(found, there).all())


def small_call(operation: Operation, options: dict[str, Any]) -> dict[str, Any]:
    """Small sizes that go with options, and these. Raises DeclarationError where there are none."""
    return {**_small_sizes(operation, options), **options}


def _small_sizes(operation: Operation, options: dict[str, Any]) -> dict[str, int]:
    names = list(operation.sizes)
    start = {name: index for index, name in enumerate(names)}
    ladders = []
    for name in names:
        low, high = operation.sizes[name]
        turned = _SMALL[start[name] % 4 :] + _SMALL[: start[name] % 4]
        ladders.append([size for size in turned if low <= size <= high] or [min(max(low, 1), high)])
    for sizes in itertools.islice(itertools.product(*ladders), 20_000):
        known = dict(zip(names, sizes, strict=True))
        if operation.admits(known, options):
            return known
    raise DeclarationError(
        f"{place_of(operation.definition)}: no small sizes satisfy where= together with options {options}; widen sizes= or where="
    )


def _hold(operation: Operation, sizes: dict[str, int], options: dict[str, Any]) -> None:
    known = {**sizes, **options}
    arguments = {name: _values(operation, name, known) for name in operation.given(options)}
    used = operation.used_sizes(options)
    call = ", ".join(f"{name}={value}" for name, value in known.items() if name in used or name in options)
    place, signature = place_of(operation.definition), operation.signature
    try:
        parts = signature.results.parts(operation.definition(**signature.assembled(arguments, options, sizes)))
    except Exception as failure:
        raise DeclarationError(
            f"{place}: the definition raised {type(failure).__name__}: {failure} for {call}; "
            f"mend it, or narrow its domain with sizes= or where={_hint(operation)}"
        ) from None
    if len(parts) != len(operation.results):
        raise DeclarationError(
            f"{place}: the return annotation names {len(operation.results)} tensor(s), but the definition returns {len(parts)}"
        )
    _hold_shapes(operation, parts, known, call)
    if operation.linear_in is not None:
        _hold_linear(operation, operation.linear_in, arguments, options, call)


def _hint(operation: Operation) -> str:
    """What is likely where integers are any: that they are indices, and it isn't said of what."""
    name = next((name for name, domain in operation.tensors.items() if isinstance(domain.structure, whole)), None)
    return "" if name is None else f'; if {name!r} holds indices of an axis, write Annotated[…, harness.below("axis")]'


def _hold_linear(
    operation: Operation, name: str, arguments: dict[str, Tensor], options: dict[str, Any], call: str
) -> None:
    """Refuse what is not 0 at 0: superposition would be falsified wherever it is asked."""
    for part in operation.evaluate({**arguments, name: torch.zeros_like(arguments[name])}, options, {}):
        if part.count_nonzero():
            raise DeclarationError(
                f"{place_of(operation.definition)}: linear_in={name!r}, but the definition at {name} = 0 is not 0 (it is "
                f"{part[part != 0][0].item():.3g} somewhere, for {call}), so that it is affine; leave linear_in= out, or have "
                "what is added be an argument of another operation"
            )


def _hold_shapes(operation: Operation, parts: tuple[Any, ...], known: dict[str, Any], call: str) -> None:
    place = place_of(operation.definition)
    for part, domain in zip(parts, operation.results, strict=True):
        expected = domain.shape(known)
        actual = tuple(part.shape) if isinstance(part, Tensor) else type(part).__name__
        if actual != expected:
            axes = " ".join(axis.text for axis in domain.axes(known))
            raise DeclarationError(
                f"{place}: the return annotation {axes!r} means {expected} for {call}, but the definition returns {actual}"
            )


def _values(operation: Operation, name: str, known: dict[str, Any]) -> Tensor:
    domain = operation.tensors[name]
    stream = RandomSource(domain.shape(known), known, 0, name)
    values = domain.in_kind(domain.structure(stream)) if domain.structure else stream.normal()
    if np.shape(values) != stream.shape:
        raise DeclarationError(
            f"{place_of(operation.definition)}: argument {name!r}: its structure "
            f"{name_of(domain.structure)} made shape {np.shape(values)} where the axes mean {stream.shape}"
        )
    values = domain.brought(values)
    dtype = torch.float64 if domain.kind == "float" else domain.torch_dtype(torch.float64)
    return torch.from_numpy(np.asarray(values, order="C")).to(dtype)
