"""An operation: a mathematical function with a contract, declared by one annotated function.

The body is the definition: it is evaluated in float64 and is the oracle. The annotations are the domain.
"""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import KW_ONLY, dataclass, field, replace
from functools import cached_property
from typing import Any, get_type_hints, overload

import torch

from harness.declare.backends import BACKENDS
from harness.declare.callables import place_of
from harness.declare.causal import Causal
from harness.declare.domain import Domain, OptionDomain, OptionValue, TensorDomain, parse_domain, parse_results
from harness.declare.implementation import DEFINITION, TWIN, Implementation, implementation_of
from harness.declare.rehearsal import moves_data, rehearse
from harness.declare.workload import Certificate, Workload
from harness.errors import DeclarationError, UnknownName

Sizes = Mapping[str, tuple[int, int]]
_LARGEST = 1025


@dataclass(eq=False)
class Operation:
    """A named function with named arguments, axes and options.

    `definition` takes and returns torch tensors; called in float64 it is the oracle. `extended`, where there is
    one, computes the same in numpy's long double, so that float64 implementations meet an oracle with more digits.
    """

    name: str
    definition: Callable[..., Any]
    _: KW_ONLY
    tensors: dict[str, TensorDomain]
    options: dict[str, OptionDomain]
    results: tuple[TensorDomain, ...]
    sizes: dict[str, tuple[int, int]]
    where: Callable[..., bool] | None = None
    causal: Causal | None = None
    linear_in: str | None = None
    differentiable: bool = True
    exact: bool = False
    module: str = ""
    dtypes: tuple[torch.dtype, ...] = ()
    extended: Callable[..., Any] | None = None
    implementations: dict[str, Implementation] = field(default_factory=dict)
    timed: Workload | None = None

    def __repr__(self) -> str:
        return f"<operation {self.name}({', '.join(self.parameters)})>"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """The definition itself, in the precision of its arguments."""
        return self.definition(*args, **kwargs)

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of tensors and options, tensors first."""
        return (*self.tensors, *self.options)

    @property
    def summary(self) -> str:
        """The first line of the docstring."""
        return (inspect.getdoc(self.definition) or "").partition("\n")[0]

    @cached_property
    def batched(self) -> tuple[str, ...]:
        """The arguments that carry the batch axis; empty where the operation has none."""
        return tuple(name for name, domain in self.tensors.items() if any(a.text == "batch" for a in domain.every_axis))

    @cached_property
    def moves_data(self) -> bool:
        """Whether the float results hold nothing but entries of the arguments, as those of a transposition or a sort."""
        return moves_data(self)

    @cached_property
    def _asked_by_where(self) -> tuple[str, ...]:
        return tuple(inspect.signature(self.where).parameters) if self.where else ()

    @cached_property
    def own(self) -> Implementation:
        """The definition as an implementation: what its own form loses in low precision is worth knowing."""
        return Implementation(
            self.name,
            DEFINITION,
            self.definition,
            BACKENDS["torch"],
            self.among((torch.float32, torch.bfloat16, torch.float16)),
            {
                "gradients": "the definition's own gradient is the oracle",
                "compiled": "the definition is written for accuracy, and nobody compiles it",
            },
        )

    def among(self, dtypes: tuple[torch.dtype, ...]) -> tuple[torch.dtype, ...]:
        """Those of some dtypes in which the operation is asked at all."""
        return tuple(dtype for dtype in dtypes if not self.dtypes or dtype in self.dtypes)

    def implementation(
        self,
        function: Callable[..., Any] | None = None,
        *,
        backend: str = "torch",
        name: str | None = None,
        dtypes: tuple[torch.dtype, ...] | None = None,
        exempt: Mapping[str, str] | None = None,
    ) -> Any:
        """Declare one way to compute this operation: `@op.implementation(backend="numpy")`.

        `dtypes` narrows the backend's; `exempt` gives, by property, the reason why its statement is not asked.
        Inside, raise `harness.Unsupported("reason")` for calls that are not served. Raises DeclarationError for an
        unknown backend, a signature that does not fit, or a name that is taken.
        """

        def declare(function: Callable[..., Any]) -> Callable[..., Any]:
            made = implementation_of(self.name, self.parameters, function, backend, name, dtypes, exempt)
            made = replace(made, dtypes=self.among(made.dtypes))
            if made.name in self.implementations:
                raise DeclarationError(
                    f"{made.place}: {self.name} already has an implementation named {made.name!r}; choose another name"
                )
            self.implementations[made.name] = made
            return function

        return declare if function is None else declare(function)

    def in_extended_precision(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Declare the oracle for float64: the same maths on numpy long doubles (64-bit significand on x86)."""
        self.extended = function
        return function

    def workload(
        self,
        *,
        sizes: Mapping[str, int],
        options: Mapping[str, OptionValue] | None = None,
        ladder: Mapping[str, tuple[OptionValue, ...]] | None = None,
        reference: str = "definition",
        certificate: Certificate | None = None,
        oracle_up_to: Mapping[str, int] | None = None,
    ) -> Callable[[Callable[..., float]], Callable[..., float]]:
        """Declare what is timed, on the function that counts the operation's floating-point operations (see Workload).

        Raises DeclarationError where sizes and options are not the operation's, or a ladder names neither or is no tuple.
        """

        def declare(cost: Callable[..., float]) -> Callable[..., float]:
            _check_workload(self, cost, {**sizes, **(options or {})}, ladder or {}, oracle_up_to or {})
            self.timed = Workload(
                dict(sizes), dict(options or {}), dict(ladder or {}), cost, reference, certificate, oracle_up_to or {}
            )
            return cost

        return declare

    def find(self, name: str) -> Implementation:
        """An implementation by name. Raises UnknownName."""
        if name == DEFINITION:
            return self.own
        if name not in self.implementations and name.endswith(TWIN):
            return self.find(name.removesuffix(TWIN)).compiled
        if name not in self.implementations:
            raise UnknownName(f"{self.name} has no implementation {name!r}; it has {', '.join(self.implementations)}")
        return self.implementations[name]

    def admits(self, sizes: Mapping[str, int], options: Mapping[str, OptionValue]) -> bool:
        """Whether sizes and options are in the domain that is declared (see `objection`)."""
        return not self.objection(sizes, options)

    def objection(self, sizes: Mapping[str, int], options: Mapping[str, OptionValue], beyond: bool = False) -> str:
        """What the declaration has against sizes and options, in words; empty where they are in its domain.

        They are where each is declared and within its bounds, `where` holds, and no axis is negative. beyond: sizes may be
        larger than they are verified at.
        """
        if sizes.keys() != self.sizes.keys() or options.keys() != self.options.keys():
            return "it has other sizes or options than are declared"
        for name, size in sizes.items():
            low, high = self.sizes[name]
            if not isinstance(size, int) or size < low or (size > high and not beyond):
                return f"{name}={size!r} is no whole number from {low} to {high}"
        for name, value in options.items():
            if not self.options[name].admits(value):
                return f"{name}={value!r} is not declared"
        known = {**sizes, **options}
        if self.where is not None and not self.where(**{name: known[name] for name in self._asked_by_where}):
            return "where= rejects it"
        axes = (axis for domain in (*self.tensors.values(), *self.results) for axis in domain.axes(options))
        negative = next((axis.text for axis in axes if axis.size(known) < 0), None)
        return "" if negative is None else f"axis {negative!r} is negative"


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
    dtypes: tuple[torch.dtype, ...] = (),
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
    dtypes: tuple[torch.dtype, ...] = (),
) -> Any:
    """Declare an operation from one annotated function, whose body is the definition.

    sizes: smallest and largest size of a named axis, beyond which nothing is asked (a smallest of 0 asks for empty axes
    to work; `batch` has it where you say nothing else); where: which sizes and options go together, as a function of
    their names; causal: the axis that is time (or a Causal); linear_in: the argument in which the result is linear;
    differentiable: gradients must agree; exact: data is only moved or selected, so no rounding is allowed; dtypes: those
    alone in which any implementation is asked.

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
            _read(function, dict(sizes or {})),
            name=name or function.__name__,
            where=where,
            causal=Causal(causal) if isinstance(causal, str) else causal,
            linear_in=linear_in,
            differentiable=differentiable,
            exact=exact,
            dtypes=dtypes,
        )
        _check_structure(made)
        rehearse(made)
        return made

    return declare if function is None else declare(function)


def _read(function: Callable[..., Any], sizes: dict[str, tuple[int, int]]) -> Operation:
    """The operation as far as the function's annotations tell. Raises DeclarationError."""
    hints = _hints(function)
    tensors: dict[str, TensorDomain] = {}
    options: dict[str, OptionDomain] = {}
    for parameter, given in inspect.signature(function).parameters.items():
        if given.kind in (given.VAR_POSITIONAL, given.VAR_KEYWORD, given.POSITIONAL_ONLY):
            raise DeclarationError(
                f"{place_of(function)}: argument {given} has no name of its own to be given by; name each argument and "
                'annotate it, e.g. x: Float[Tensor, "batch d"]'
            )
        domain = _argument_domain(function, parameter, hints)
        if isinstance(domain, TensorDomain):
            tensors[parameter] = domain
        else:
            options[parameter] = domain
    if "return" not in hints:
        raise DeclarationError(f'{place_of(function)}: the result has no annotation; write -> Float[Tensor, "…"]')
    results = _at(function, "the result", lambda: parse_results(hints["return"]))
    drawn = _drawn_sizes(function, tensors, options, sizes)
    _check_axes(function, tensors, results, options, drawn)
    return Operation(
        function.__name__,
        function,
        tensors=tensors,
        options=options,
        results=results,
        sizes=drawn,
        module=function.__module__,
    )


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


def _argument_domain(function: Callable[..., Any], parameter: str, hints: dict[str, Any]) -> Domain:
    if parameter not in hints:
        raise DeclarationError(
            f'{place_of(function)}: argument {parameter!r} has no domain; annotate it, e.g. {parameter}: Float[Tensor, "batch d"]'
        )
    domain: Domain = _at(function, f"argument {parameter!r}", lambda: parse_domain(hints[parameter]))
    if isinstance(domain, TensorDomain) and domain.kind != "float" and domain.structure is None:
        raise DeclarationError(
            f"{place_of(function)}: argument {parameter!r} is not a float array, so value patterns can't fill it; "
            "write Annotated[…, structure] with a function that makes its values"
        )
    return domain


def _drawn_sizes(
    function: Callable[..., Any],
    tensors: dict[str, TensorDomain],
    options: dict[str, OptionDomain],
    sizes: dict[str, tuple[int, int]],
) -> dict[str, tuple[int, int]]:
    names = {name for domain in tensors.values() for axis in domain.every_axis for name in axis.names} - set(options)
    for name, (low, high) in sizes.items():
        if low < 0 or high < low:
            raise DeclarationError(f"{place_of(function)}: size {name!r} ranges from {low} to {high}, which is empty")
    default = {name: (0 if name == "batch" else 1, _LARGEST) for name in sorted(names)}
    return default | sizes


def _check_axes(
    function: Callable[..., Any],
    tensors: dict[str, TensorDomain],
    results: tuple[TensorDomain, ...],
    options: dict[str, OptionDomain],
    drawn: dict[str, tuple[int, int]],
) -> None:
    numeric = {name for name, domain in options.items() if all(isinstance(value, int) for value in domain.values)}
    for domain in (*tensors.values(), *results):
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


def _check_structure(made: Operation) -> None:
    """Refuse what names an axis, an option or an argument that there is not. Raises DeclarationError."""
    function, tensors, options, drawn = made.definition, made.tensors, made.options, made.sizes
    where, causal, linear_in = made.where, made.causal, made.linear_in
    if causal is not None and causal.axis not in drawn:
        raise DeclarationError(
            f"{place_of(function)}: causal={causal.axis!r} is not an axis; known are {', '.join(drawn)}"
        )
    for name in (*causal.unless, *causal.carry) if causal else ():
        if name not in options and name not in tensors:
            raise DeclarationError(
                f"{place_of(function)}: causal names {name!r}, which is neither an option nor an argument"
            )
    if linear_in is not None and linear_in not in tensors:
        raise DeclarationError(
            f"{place_of(function)}: linear_in={linear_in!r} is not a tensor argument; known are {', '.join(tensors)}"
        )
    for name in inspect.signature(where).parameters if where else ():
        if name not in drawn and name not in options:
            raise DeclarationError(
                f"{place_of(function)}: where asks for {name!r}, which is neither a size nor an option"
            )


def _check_workload(
    operation: Operation,
    cost: Callable[..., float],
    given: Mapping[str, Any],
    ladder: Mapping[str, Any],
    oracle_up_to: Mapping[str, int],
) -> None:
    """Refuse sizes and options that are not the operation's or that are missing, and points that can't be climbed."""
    place, missing = place_of(cost), sorted({*operation.sizes, *operation.options} - {*given})
    _check_known(operation, given, f"{place}: sizes= and options= give")
    _check_known(operation, oracle_up_to, f"{place}: oracle_up_to= limits")
    check_ladder(operation, ladder, f"{place}: ladder=")
    if missing:
        raise DeclarationError(
            f"{place}: a workload of {operation.name} lacks {', '.join(missing)}; give all its sizes and options"
        )


def _check_known(operation: Operation, names: Iterable[str], where: str) -> None:
    known = {*operation.sizes, *operation.options}
    odd = sorted({*names} - known)
    if odd:
        near = difflib.get_close_matches(odd[0], known, n=1)
        hint = f"did you mean {near[0]}?" if near else f"it has {', '.join(sorted(known))}"
        raise DeclarationError(f"{where} {odd[0]!r}, which is no size or option of {operation.name}; {hint}")


def check_ladder(operation: Operation, ladder: Mapping[str, Any], where: str) -> None:
    """Raise DeclarationError for points that can't be climbed. where: in which argument they are given."""
    _check_known(operation, {name for names in ladder for name in names.split()}, f"{where} climbs in")
    for axes, points in ladder.items():
        if isinstance(points, str) or not isinstance(points, Iterable) or not [*points]:
            raise DeclarationError(
                f"{where} gives {points!r} for {axes!r}; write the values that it takes, as (1, 8, 64)"
            )
        sized = any(name in operation.sizes for name in axes.split())
        broken = [point for point in points if sized and type(point) is not int]
        if broken:
            raise DeclarationError(f"{where} gives {broken[0]!r} for {axes!r}, where a size is a whole number")
