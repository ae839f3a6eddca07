"""The declaration of an operation by one annotated function: the body is the definition, the annotations are the domain."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, get_type_hints, overload

import torch

from harness.declare.callables import place_of
from harness.declare.causal import Causal
from harness.declare.domain import Domain, OptionDomain, TensorDomain, parse_domain
from harness.declare.dtypes import named_dtypes
from harness.declare.forms import MOST_PARTS, Axes, OneOr, WhereOption
from harness.declare.module_operation import of_module
from harness.declare.modules import Build, Reference
from harness.declare.operation import Operation
from harness.declare.rehearsal import rehearse
from harness.declare.results import parse_results
from harness.declare.signature import Signature
from harness.errors import DeclarationError

Sizes = Mapping[str, tuple[int, int]]

_LARGEST = 1025


@overload
def operation(function: Callable[..., Any], /) -> Operation: ...
@overload
def operation(
    *,
    name: str | None = None,
    sizes: Sizes | None = None,
    where: Callable[..., bool] | None = None,
    causal: str | Causal | None = None,
    linear_in: str | None = None,
    differentiable: bool = True,
    exact: bool = False,
    dtypes: Iterable[str | torch.dtype] = (),
    batch: str | None = "batch",
    module: Build | None = None,
    modes: tuple[str, ...] = ("eval",),
    call: Callable[..., Any] | None = None,
) -> Callable[[Callable[..., Any]], Operation]: ...
def operation(
    function: Callable[..., Any] | None = None,
    /,
    *,
    name: str | None = None,
    sizes: Sizes | None = None,
    where: Callable[..., bool] | None = None,
    causal: str | Causal | None = None,
    linear_in: str | None = None,
    differentiable: bool = True,
    exact: bool = False,
    dtypes: Iterable[str | torch.dtype] = (),
    batch: str | None = "batch",
    module: Build | None = None,
    modes: tuple[str, ...] = ("eval",),
    call: Callable[..., Any] | None = None,
) -> Any:
    """Declare an operation from one annotated function, whose body is the definition.

    sizes: smallest and largest size of a named axis, beyond which nothing is asked (a smallest of 0 asks for empty axes
    to work; `batch` has it where you say nothing else); where: which sizes and options go together, as a function of
    their names; causal: the axis that is time (or a Causal); linear_in: the argument in which the result is linear;
    differentiable: gradients must agree; exact: data is only moved or selected, so no rounding is allowed; dtypes: those
    alone in which any implementation is asked; batch: None where samples are meant to interact.

    module: makes the nn.Module that is the definition, of sizes and options by their names, in place of the body (see
    harness.declare.modules); modes: "eval", "train" or both; call: how the module is called with its inputs, where that is
    not by itself with all of them in order.

    Raises DeclarationError, naming the function, the argument and the mend, for an argument without a domain, an
    unknown axis, or a declaration that contradicts the annotations. A result that contradicts the return
    annotation is found by one small evaluation at declaration.
    """

    def declare(function: Callable[..., Any]) -> Operation:
        if not inspect.isfunction(inspect.unwrap(function)):
            raise DeclarationError(
                f"{place_of(function)}: an operation is declared by a function with annotated arguments, and not by "
                f"{type(function).__name__}; write one that calls it"
            )
        made = replace(
            _read(function, dict(sizes or {}), independent=batch is not None),
            name=name or function.__name__,
            where=where,
            causal=Causal(causal) if isinstance(causal, str) else causal,
            linear_in=linear_in,
            differentiable=differentiable,
            exact=exact,
            dtypes=named_dtypes(dtypes, function),
        )
        _check_structure(made)
        if module is None and (call is not None or modes != ("eval",)):
            raise DeclarationError(
                f"{place_of(function)}: modes= and call= say how a module is called, and module= is not given"
            )
        made = made if module is None else of_module(made, Reference(module, call), modes)
        rehearse(made)
        return made

    return declare if function is None else declare(function)


def _read(function: Callable[..., Any], sizes: dict[str, tuple[int, int]], independent: bool = True) -> Operation:
    """The operation as far as the function's annotations tell. Raises DeclarationError."""
    hints = _hints(function)
    tensors: dict[str, TensorDomain] = {}
    options: dict[str, OptionDomain] = {}
    for name, parameter in inspect.signature(function).parameters.items():
        domain = _argument_domain(function, parameter, hints)
        if isinstance(domain, TensorDomain):
            tensors[name] = domain
        elif isinstance(domain, OptionDomain):
            options[name] = domain
        else:
            tensors |= domain
    if "return" not in hints:
        raise DeclarationError(f'{place_of(function)}: the result has no annotation; write -> Float[Tensor, "…"]')
    results = _at(function, "the result", lambda: parse_results(hints["return"]))
    if not independent:
        tensors = {name: replace(domain, independent=False) for name, domain in tensors.items()}
        results = replace(results, domains=tuple(replace(each, independent=False) for each in results.domains))
    signature = Signature(tensors, tuple(options), results)
    forms = _forms(function, signature, sizes)
    drawn = _drawn_sizes(function, signature, {*options, *forms}, sizes)
    _check_axes(function, signature, options, drawn)
    return Operation(
        function.__name__,
        function,
        signature=signature,
        options={**options, **forms},
        sizes=drawn,
        module=function.__module__,
    )


def _forms(
    function: Callable[..., Any], signature: Signature, sizes: Mapping[str, tuple[int, int]]
) -> dict[str, OptionDomain]:
    """What varies in the form of a call; `sizes` of `*batch` are its least and largest rank. Raises DeclarationError."""
    forms: dict[str, OptionDomain] = {}
    for domain in signature.tensors.values():
        for axis in domain.every_axis_declared:
            if isinstance(axis, Axes):
                low, high = sizes.get(axis.text, (0, len(axis.possible)))
                values = tuple(value for value in axis.values if low <= len(value.split()) <= high)
                if not values:
                    raise DeclarationError(f"{place_of(function)}: {axis.text!r} has no rank from {low} to {high}")
                forms[axis.text] = OptionDomain(values)
            elif isinstance(axis, OneOr):
                forms[axis.option] = OptionDomain(axis.values)
        if isinstance(domain.presence, WhereOption):
            several = domain.group is not None
            forms[domain.presence.option] = OptionDomain(tuple(range(1, MOST_PARTS + 1)) if several else (False, True))
    return forms


def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    try:
        return get_type_hints(function, include_extras=True)
    except Exception as failure:
        raise DeclarationError(f"{place_of(function)}: its annotations can't be read: {failure}") from None


def _at(function: Callable[..., Any], subject: str, parse: Callable[[], Any]) -> Any:
    try:
        return parse()
    except DeclarationError as failure:
        raise DeclarationError(f"{place_of(function)}: {subject}: {failure}") from None


def _argument_domain(
    function: Callable[..., Any], parameter: inspect.Parameter, hints: dict[str, Any]
) -> Domain | dict[str, TensorDomain]:
    """The domain of an argument; of one that is no tensor and has a default but no domain, that default alone."""
    if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD, parameter.POSITIONAL_ONLY):
        raise DeclarationError(
            f"{place_of(function)}: argument {parameter} has no name of its own to be given by; name each argument and "
            'annotate it, e.g. x: Float[Tensor, "batch d"]'
        )
    name, default = parameter.name, parameter.default
    if isinstance(default, bool | int | float | str) and hints.get(name, type(default)) in (bool, int, float, str):
        fixed = hints.get(name) is not bool
        return OptionDomain((default,)) if fixed else OptionDomain((False, True))
    if name not in hints:
        raise DeclarationError(
            f'{place_of(function)}: argument {name!r} has no domain; annotate it, e.g. {name}: Float[Tensor, "batch d"]'
        )
    found: Domain | dict[str, TensorDomain] = _at(
        function, f"argument {name!r}", lambda: parse_domain(hints[name], name)
    )
    if isinstance(found, TensorDomain) and found.picks is not None:
        raise DeclarationError(
            f"{place_of(function)}: argument {name!r}: {found.picks!r} is about results; indices that are given are below(…)"
        )
    return found


def _drawn_sizes(
    function: Callable[..., Any], signature: Signature, options: set[str], sizes: dict[str, tuple[int, int]]
) -> dict[str, tuple[int, int]]:
    """The bounds of every size: those given for a name are those of `name_2`, too, which stands beside it in some forms."""
    tensors = signature.tensors.values()
    names = {name for domain in tensors for axis in domain.every_axis for name in axis.names} - options
    for name, bounds in sizes.items():
        if not _is_a_range(bounds):
            raise DeclarationError(
                f"{place_of(function)}: size {name!r} is {bounds!r}; give the smallest and the largest, such as (1, 9)"
            )
        low, high = bounds
        if low < 0 or high < low:
            raise DeclarationError(f"{place_of(function)}: size {name!r} ranges from {low} to {high}, which is empty")
    default = {name: (0 if name == "batch" else 1, _LARGEST) for name in sorted(names)}
    for name in default:
        first, _, place = name.rpartition("_")
        if place.isdigit() and first in sizes:
            default[name] = (max(sizes[first][0], 1), max(sizes[first][1], 1))
    return default | {name: bounds for name, bounds in sizes.items() if not name.startswith("*")}


def _is_a_range(bounds: Any) -> bool:
    """Whether these are two whole numbers."""
    return isinstance(bounds, Sequence) and len(bounds) == 2 and all(type(each) is int for each in bounds)


def _check_axes(
    function: Callable[..., Any],
    signature: Signature,
    options: dict[str, OptionDomain],
    drawn: dict[str, tuple[int, int]],
) -> None:
    numeric = {name for name, domain in options.items() if all(isinstance(value, int) for value in domain.values)}
    for domain in (*signature.tensors.values(), *signature.results.domains):
        for axis in domain.every_axis:
            unknown = sorted(name for name in axis.names if name not in drawn and name not in numeric)
            if unknown:
                raise DeclarationError(
                    f"{place_of(function)}: axis {axis.text!r} uses {unknown[0]!r}, which no argument has as an axis "
                    f"and no integer option is named; known are {', '.join(sorted(set(drawn) | numeric))}"
                )
        if domain.alternative is not None and domain.alternative.option not in options:
            raise DeclarationError(
                f"{place_of(function)}: when({domain.alternative.option!r}, …) names no option of this operation"
            )
        if domain.picks is not None and domain.picks.argument not in signature.tensors:
            raise DeclarationError(
                f"{place_of(function)}: picks({domain.picks.argument!r}) names no tensor argument; known are "
                f"{', '.join(signature.tensors)}"
            )


def _check_structure(made: Operation) -> None:
    """Refuse what names an axis, an option or an argument that there is not. Raises DeclarationError."""
    function, tensors, options, drawn = made.definition, made.tensors, made.options, made.sizes
    where, causal, linear_in = made.where, made.causal, made.linear_in
    if causal is not None and causal.axis not in drawn:
        raise DeclarationError(
            f"{place_of(function)}: causal={causal.axis!r} is not an axis; known are {', '.join(drawn)}"
        )
    for name in (*causal.unless, *causal.when, *causal.carry) if causal else ():
        if name not in options and name not in tensors:
            raise DeclarationError(
                f"{place_of(function)}: causal names {name!r}, which is neither an option nor an argument"
            )
    if linear_in is not None and linear_in not in tensors:
        raise DeclarationError(
            f"{place_of(function)}: linear_in={linear_in!r} is not a tensor argument; known are {', '.join(tensors)}"
        )
    for name in inspect.signature(where).parameters if where else ():
        if name not in drawn and name not in options and not (name in tensors and tensors[name].presence):
            raise DeclarationError(
                f"{place_of(function)}: where asks for {name!r}, which is neither a size nor an option"
            )
