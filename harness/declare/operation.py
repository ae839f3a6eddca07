"""An operation: a mathematical function with a contract.

Its definition is evaluated in float64 and is the oracle. How one is declared is told in `harness.declare.declaration`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import KW_ONLY, dataclass, field, replace
from functools import cached_property
from typing import Any

import torch

from harness.declare.backends import BACKENDS
from harness.declare.callables import place_of
from harness.declare.causal import Causal
from harness.declare.domain import OptionDomain, OptionValue, TensorDomain
from harness.declare.dtypes import HALVES
from harness.declare.forms import Form, OneOr
from harness.declare.implementation import DEFINITION, Implementation, implementation_of
from harness.declare.modules import Layouts, ModuleFunction
from harness.declare.rehearsal import moves_data, small_call
from harness.declare.signature import Signature
from harness.declare.twins import twin_named
from harness.declare.workload import Certificate, Workload, check_workload
from harness.errors import DeclarationError, UnknownName

Sizes = Mapping[str, tuple[int, int]]


@dataclass(eq=False)
class Operation:
    """A named function with named arguments, axes and options.

    `definition` takes and returns torch tensors; called in float64 it is the oracle. `extended`, where there is
    one, computes the same in numpy's long double, so that float64 implementations meet an oracle with more digits.
    `options` are all that is drawn by choice: what functions take, and the form of a call (see harness.declare.forms).
    `published` are the sizes at which others have asked it, as the authors of a collection of problems. `exempt` are the
    properties that the definition itself is not asked, with the reason.
    """

    name: str
    definition: Callable[..., Any]
    _: KW_ONLY
    signature: Signature
    options: dict[str, OptionDomain]
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
    published: Mapping[str, int] = field(default_factory=dict)
    exempt: Mapping[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"<operation {self.name}({', '.join(self.parameters)})>"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """The definition itself, in the precision of its arguments."""
        return self.definition(*args, **kwargs)

    @property
    def tensors(self) -> Mapping[str, TensorDomain]:
        """The tensors that it takes, by name; those of a list each by itself."""
        return self.signature.tensors

    @property
    def results(self) -> tuple[TensorDomain, ...]:
        """The tensors of its result."""
        return self.signature.results.domains

    def result_name(self, index: int) -> str:
        """One tensor of the result in words: by its name, its number, or as the result where it is the only one."""
        names = self.signature.results.names
        if len(self.results) == 1:
            return "the result"
        return names[index] if names else f"result {index}"

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of its arguments, tensors first."""
        return self.signature.parameters

    def evaluate(
        self, tensors: Mapping[str, Any], options: Mapping[str, Any], sizes: Mapping[str, int]
    ) -> tuple[Any, ...]:
        """The parts of what the definition gives, in the precision of the tensors; in place of indices what they pick.

        It is given copies: what it writes to its arguments reaches nobody else who asks about them.
        """
        return self.evaluate_in_place({name: tensor.clone() for name, tensor in tensors.items()}, options, sizes)

    def evaluate_in_place(
        self, tensors: Mapping[str, Any], options: Mapping[str, Any], sizes: Mapping[str, int]
    ) -> tuple[Any, ...]:
        """The same of the very tensors, to which the definition may write."""
        returned = self.definition(**self.signature.assembled(tensors, options, sizes))
        return self.picked(self.signature.results.parts(returned), tensors)

    def picked(self, results: tuple[Any, ...], tensors: Mapping[str, Any]) -> tuple[Any, ...]:
        """Results with what they pick in place of indices of which that is declared."""
        if not any(domain.picks for domain in self.results):
            return results
        pairs = zip(results, self.results, strict=True)
        return tuple(domain.picks.picked(part, tensors) if domain.picks else part for part, domain in pairs)

    @cached_property
    def forms(self) -> tuple[str, ...]:
        """What varies in the form of a call, by the names among the options."""
        return tuple(name for name in self.options if name not in self.signature.options)

    def given(self, form: Form) -> Mapping[str, TensorDomain]:
        """The tensors that are there in calls of this form."""
        if not self._may_lack:
            return self.tensors
        return {name: domain for name, domain in self.tensors.items() if domain.is_given(form)}

    @cached_property
    def _may_lack(self) -> bool:
        return any(domain.presence for domain in self.tensors.values())

    def used_sizes(self, form: Form) -> tuple[str, ...]:
        """The sizes that calls of this form depend on."""
        if not self.forms:
            return tuple(self.sizes)
        domains = (*self.given(form).values(), *self.results)
        used = {name for domain in domains for axis in domain.axes(form) for name in axis.names}
        return tuple(name for name in self.sizes if name in used or name not in self._of_axes)

    @cached_property
    def _of_axes(self) -> frozenset[str]:
        domains = (*self.tensors.values(), *self.results)
        return frozenset(name for domain in domains for axis in domain.every_axis for name in axis.names)

    @property
    def summary(self) -> str:
        """The first line of the docstring."""
        return (inspect.getdoc(self.definition) or "").partition("\n")[0]

    @cached_property
    def batched(self) -> tuple[str, ...]:
        """The arguments that carry the batch axis; empty where the operation has none."""
        return tuple(
            name
            for name, domain in self.tensors.items()
            if domain.independent and any(axis.text == "batch" for axis in domain.every_axis)
        )

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
            self.signature,
            exempt={
                "gradients": "the definition's own gradient is the oracle",
                "compiled": "the definition is written for accuracy, and nobody compiles it",
                **self.exempt,
            },
        )

    def among(self, dtypes: tuple[torch.dtype, ...]) -> tuple[torch.dtype, ...]:
        """Those of some dtypes in which the operation is asked at all: there are no complex halves."""
        excluded = HALVES if any(each.kind == "complex" for each in (*self.tensors.values(), *self.results)) else ()
        return tuple(each for each in dtypes if (not self.dtypes or each in self.dtypes) and each not in excluded)

    def implementation(
        self,
        function: Callable[..., Any] | None = None,
        *,
        backend: str = "torch",
        name: str | None = None,
        dtypes: Iterable[str | torch.dtype] | None = None,
        devices: Iterable[str] | None = None,
        exempt: Mapping[str, str] | None = None,
        arguments: Mapping[str, str] | None = None,
        mutates: str | None = None,
        out: str | None = None,
        forward_only: bool = False,
        module: bool = False,
        state: Layouts | None = None,
    ) -> Any:
        """Declare one way to compute this operation: `@op.implementation(backend="numpy")`.

        dtypes, devices: narrow the backend's; exempt: by property, the reason why its statement is not asked; arguments: what
        the function calls them, by their names here (`{"x": "input"}`); mutates: the argument that is the result
        afterwards, as of a function that works in place; out: the argument by which it is given memory to write to (a
        tuple of several); forward_only: no gradient is asked; module: what is given makes an nn.Module, of what makes the
        operation's, with the same state_dict; state: where its state is other (see harness.stacked, harness.transposed).

        Inside, raise `harness.Unsupported("reason")` for calls that are not served. Raises DeclarationError for an
        unknown backend, dtype or argument, a signature that does not fit, or a name that is taken.
        """

        def declare(function: Callable[..., Any]) -> Callable[..., Any]:
            made = implementation_of(
                self.name,
                self.signature,
                self._of_module(function, state or {}) if module else function,
                backend,
                name,
                dtypes=dtypes,
                devices=devices,
                exempt=exempt,
                renamed=arguments,
                mutates=mutates,
                out=out,
                forward_only=forward_only,
            )
            made = replace(made, dtypes=self.among(made.dtypes))
            if made.name in self.implementations:
                raise DeclarationError(
                    f"{made.place}: {self.name} already has an implementation named {made.name!r}; choose another name"
                )
            self.implementations[made.name] = made
            return function

        return declare if function is None else declare(function)

    def _of_module(self, build: Callable[..., Any], state: Layouts) -> Callable[..., Any]:
        """What makes a module, as a function of the operation's arguments. Raises DeclarationError where it is none."""
        if not isinstance(self.definition, ModuleFunction):
            raise DeclarationError(
                f"{place_of(build)}: module=True, but {self.name} is no operation of a module; declare it with "
                "@harness.operation(module=…)"
            )
        candidate = self.definition.as_candidate(build, state)
        candidate.check(small_call(self, {name: domain.values[0] for name, domain in self.options.items()}))
        return candidate

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
            plain = {n: each.values[0] for n, each in self.options.items() if n in self.forms or len(each.values) == 1}
            form = plain | dict(options or {})
            unused = dict.fromkeys({*self.sizes} - {*self.used_sizes(form)}, 1)
            check_workload(self, cost, {**unused, **sizes, **form}, ladder or {}, oracle_up_to or {})
            self.timed = Workload(
                {**unused, **sizes}, form, dict(ladder or {}), cost, reference, certificate, oracle_up_to or {}
            )
            return cost

        return declare

    def find(self, name: str) -> Implementation:
        """An implementation by name. Raises UnknownName."""
        if name == DEFINITION:
            return self.own
        if name in self.implementations:
            return self.implementations[name]
        original, twin = twin_named(name)
        if twin and twin.name in (twins := self.find(original).twins):
            return twins[twin.name]
        raise UnknownName(f"{self.name} has no implementation {name!r}; it has {', '.join(self.implementations)}")

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
        known = self._known(sizes, options)
        if self.where is not None and not self.where(**{name: known[name] for name in self._asked_by_where}):
            return "where= rejects it"
        given = [*self.given(options).values(), *self.results]
        negative = next((a.text for domain in given for a in domain.axes(options) if a.size(known) < 0), None)
        if negative is not None:
            return f"axis {negative!r} is negative"
        return next(filter(None, (self._unheld(name, sizes, options) for name in self._broadcast)), "")

    def _known(self, sizes: Mapping[str, int], options: Mapping[str, OptionValue]) -> dict[str, Any]:
        """Sizes, options, and of each tensor that may be None whether it is there, by name."""
        given = {name: domain.is_given(options) for name, domain in self.tensors.items() if domain.presence}
        return {**given, **sizes, **options}

    @cached_property
    def _broadcast(self) -> tuple[str, ...]:
        """The sizes that are told by nothing but axes that may be 1."""
        axes = [axis for domain in self.tensors.values() for axis in domain.every_axis_declared]
        held = {name for axis in axes if not isinstance(axis, OneOr) for one in axis.possible for name in one.names}
        return tuple({axis.name: None for axis in axes if isinstance(axis, OneOr) and axis.name not in held})

    def _unheld(self, name: str, sizes: Mapping[str, int], options: Form) -> str:
        """What is wrong with a size that no argument has in calls of this form; empty where it is 1, or one has it."""
        there = (axis for domain in self.given(options).values() for axis in domain.axes(options))
        return "" if sizes[name] == 1 or any(axis.text == name for axis in there) else f"no argument is {name} long"
