"""Forms of a script: the ways in which Python can show a finding, plainest first.

A result held against the definition's comes first, wherever the fault shows there: everybody understands it. Then what
the property itself looks at; last of all the property itself, for which the script needs the harness.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch

from harness.candidates import is_candidate
from harness.declare.backends import Backend
from harness.declare.callables import plain
from harness.declare.domain import TensorDomain
from harness.declare.implementation import Implementation
from harness.errors import HarnessError, Unsupported
from harness.explain.excerpt import Excerpt, NoExcerpt, excerpt
from harness.explain.literal import tensor_literal
from harness.generate.case import Call, Case
from harness.generate.patterns import SPECIAL
from harness.generate.precision import PRECISIONS
from harness.measure.arrays import as_array
from harness.measure.assertions import close
from harness.measure.comparison import allowance
from harness.measure.gradient import cotangents_like, gradient_reference
from harness.measure.reference import ExpectedTensor, reference
from harness.verify.beside import modules_beside
from harness.verify.cell import Cell
from harness.verify.exploration import WIDE, Finding
from harness.verify.subject import ImplementationFault, Subject
from harness.verify.suite import is_of_the_harness

_OTHERS, _TIMES = (1, 2, 3), (2, 3, 4, 8, 16)
"""For a candidate that remembers: the other cases that are tried before, and how often the first of them."""

_MOST_CALLS = 12
"""Derived calls of a property that are held against the definition."""

FAULTS = (ImplementationFault, Unsupported, HarnessError)
"""What asking an implementation or the definition may raise."""


def largest_difference(actual: Any, expected: Any) -> float:
    """The largest absolute difference of two results' entries, taken as the scripts take it."""
    actual, expected = as_array(actual), as_array(expected)
    if actual.shape != expected.shape:
        return float("inf")
    wide = complex if expected.dtype.kind == "c" else float
    with np.errstate(all="ignore"):
        same = (actual == expected) | (np.isnan(actual.astype(wide)) & np.isnan(expected.astype(wide)))
        apart = np.where(same, 0.0, np.abs(actual.astype(wide) - expected.astype(wide)))
    return float(np.nan_to_num(apart, nan=np.inf, posinf=np.inf).max(initial=0.0))


@dataclass
class _Recorder(Subject):
    """A subject that keeps the calls that are asked of it."""

    calls: list[Call] = field(default_factory=list)

    def in_place(self, call: Call) -> Any:
        self.calls.append(call.fresh())
        return super().in_place(call)


@dataclass(frozen=True)
class Evidence:
    """A finding, and what the scripts' forms are made from."""

    cell: Cell
    finding: Finding

    @property
    def case(self) -> Case:
        """The case that shows it."""
        return self.finding.case

    @property
    def backend(self) -> Backend:
        """The candidate's."""
        return self.cell.implementation.backend

    @property
    def fails(self) -> bool:
        """Whether no result came that could be compared."""
        return self.finding.comparison is None

    @cached_property
    def call(self) -> Call:
        """The case's own call."""
        return self.case.call()

    @cached_property
    def subject(self) -> Subject:
        """The candidate, for further questions."""
        return Subject(self.cell.operation, self.cell.implementation)

    @cached_property
    def calls(self) -> list[Call]:
        """The calls that the property makes, in their order, up to one that fails."""
        recorder = _Recorder(self.cell.operation, self.cell.implementation)
        with contextlib.suppress(*FAULTS):
            self.cell.prop(recorder, self.case)
        return recorder.calls

    @cached_property
    def excerpt(self) -> Excerpt | NoExcerpt:
        """The candidate's source, or why it can't be had."""
        try:
            return excerpt(self.cell.implementation.function)
        except NoExcerpt as reason:
            return reason

    @property
    def is_declared(self) -> bool:
        """Whether the operation knows the candidate by its name."""
        operation, made = self.cell.operation, self.cell.implementation
        return made.name == "definition" or operation.implementations.get(made.name) is made

    @property
    def file(self) -> str:
        """The name of the candidate's file."""
        code = plain(self.cell.implementation.function)
        return Path(code.__code__.co_filename).name.replace('"', "") if code is not None else "candidate.py"

    @cached_property
    def returns_a_tensor(self) -> bool:
        """Whether the candidate returns one tensor as it is, and no tuple of one."""
        made, returned = self.cell.implementation, []

        def watched(*arguments: Any, **named: Any) -> Any:
            returned.append(made.function(*arguments, **named))
            return returned[-1]

        with contextlib.suppress(*FAULTS):
            Subject(self.cell.operation, dataclasses.replace(made, function=watched)).raw(self.call)
            return not (made.out or made.mutates) and isinstance(returned[-1], torch.Tensor)
        return True


@dataclass(frozen=True)
class Form:
    """One form of a script.

    cases: calls by the name of the function that makes their arguments; lines: Python that sets `expected`; risky:
    Python that sets `actual`, by a call that may fail; measured: the largest difference that the harness saw, 0 where
    it saw none that has a size; index: the result that is looked at; differ: whether `expected` and `actual` are
    tensors, whose difference is taken; harness: whether the script needs the harness.
    """

    cases: dict[str, Call]
    lines: tuple[str, ...]
    risky: tuple[str, ...]
    measured: float
    index: int = 0
    differ: bool = True
    harness: bool = False


def forms(evidence: Evidence) -> Iterator[Form]:
    """The forms without the harness, plainest first."""
    if evidence.cell.prop.claim:
        return
    plain = list(_plain(evidence, [*evidence.calls[-1:], evidence.call] if evidence.fails else [evidence.call]))
    own = _OF_PROPERTIES.get(evidence.cell.prop.name, _nothing)
    first, second = (own(evidence), plain) if evidence.case.pattern in SPECIAL else (plain, own(evidence))
    yield from first
    yield from second
    yield from _plain(evidence, evidence.calls[:_MOST_CALLS])
    yield from _gradients(evidence)
    yield from _remembering(evidence)


def _nothing(evidence: Evidence) -> Iterator[Form]:
    yield from ()


# A result held against the definition's


def _plain(evidence: Evidence, calls: list[Call]) -> Iterator[Form]:
    for call in calls:
        for index, expected, measured in _off(evidence, call):
            yield Form(
                {"case": call}, (f"expected = {_literal(expected)}",), ("actual = call(case())",), measured, index
            )


def _off(evidence: Evidence, call: Call) -> Iterator[tuple[int, Any, float]]:
    """The results of a call that are farther off than they may be: which, what is expected, and how far."""
    found, parts = evidence.finding.comparison, _parts(evidence, call)
    if found is None:
        yield from ((index, part.expected, float("inf")) for index, part in enumerate(parts))
        return
    told = [index for index, part in enumerate(parts) if part.expected is found.expected]
    if told:
        yield told[0], found.expected, largest_difference(found.actual, found.expected)
        return
    with contextlib.suppress(*FAULTS):
        results = evidence.subject(call)
        yield from _beyond(evidence, dict(enumerate(results)), parts)


def _beyond(evidence: Evidence, results: dict[Any, torch.Tensor], parts: tuple[ExpectedTensor, ...]) -> Iterator[Any]:
    """Those that are farther off than rounding explains, worst first: which, what is expected, and how far."""
    compared = {
        which: close("", result, part.expected, evidence.case, like=part)
        for (which, result), part in zip(results.items(), parts, strict=False)
    }
    for which, each in sorted(compared.items(), key=lambda item: -item[1].excess):
        if each.excess > 1:
            yield which, each.expected, largest_difference(each.actual, each.expected)


def _parts(evidence: Evidence, call: Call) -> tuple[ExpectedTensor, ...]:
    """What the definition makes of a call; nothing where it can't."""
    own = evidence.case.tensors
    same = all(_is_same(tensor, own[name]) for name, tensor in call.arguments.items())
    try:
        return (reference(evidence.case) if same else reference(evidence.case, call)).parts
    except HarnessError:
        return ()


def _is_same(one: torch.Tensor, other: torch.Tensor) -> bool:
    return np.array_equal(as_array(one), as_array(other), equal_nan=one.is_floating_point())


# The same after other calls, for a candidate that remembers


def _remembering(evidence: Evidence) -> Iterator[Form]:
    """Every call after one with other values; after those that the property makes before it; after ever more."""
    calls = [evidence.call, *evidence.calls[:_MOST_CALLS]]
    others = [evidence.case.another(step).call() for step in _OTHERS]
    for other in others:
        yield from (_after(form, [other]) for call in calls for form in _whole(evidence, call))
    for place, call in enumerate(calls[2:], 2):
        yield from (_after(form, calls[1:place]) for form in _whole(evidence, call))
    for times in _TIMES:
        yield from (_after(form, others[:1], times) for form in _whole(evidence, evidence.call))


def _whole(evidence: Evidence, call: Call) -> Iterator[Form]:
    """Every result of a call, to be off by more than rounding explains."""
    for index, part in enumerate(_parts(evidence, call)):
        beyond = 2 * WIDE * allowance(evidence.case) * float(part.noise_floor.max(initial=0.0))
        if part.informative.all():
            lines = (f"expected = {_literal(part.expected)}",)
            measured = float("inf") if evidence.fails else beyond
            yield Form({"case": call}, lines, ("actual = call(case())",), measured, index)


def _after(form: Form, calls: list[Call], times: int = 1) -> Form:
    before = {f"before_{place}": call for place, call in enumerate(calls)}
    first = f"for earlier in {times} * ({', '.join(before)},):\n    call(earlier())  # it does not show without"
    return dataclasses.replace(form, cases={**form.cases, **before}, lines=(*form.lines, first))


# What a property itself looks at


def _gradients(evidence: Evidence) -> Iterator[Form]:
    """The gradient in one argument, against the definition's."""
    if not (evidence.cell.operation.differentiable and evidence.backend.differentiable):
        return
    with contextlib.suppress(*FAULTS):
        parts = gradient_reference(evidence.case).parts
        names = [name for name, domain in evidence.case.given.items() if domain.is_inexact]
        shapes = evidence.subject.expected_shapes(evidence.call)
        domains = zip(shapes, evidence.cell.operation.results, strict=True)
        wide = (torch.zeros(shape, dtype=domain.torch_dtype(torch.float64)) for shape, domain in domains)
        directions = cotangents_like(tuple(wide))
        for name, expected, measured in _off_gradients(evidence, names, parts):
            yield _gradient(evidence, name, f"expected = {_literal(expected)}", directions, "", measured)


def _off_gradients(
    evidence: Evidence, names: list[str], parts: tuple[ExpectedTensor, ...]
) -> Iterator[tuple[str, Any, float]]:
    if evidence.fails:
        yield names[0], parts[0].expected, float("inf")
        return
    _, found = evidence.subject.gradients(evidence.case)
    yield from _beyond(evidence, found, parts)


def _gradient(evidence: Evidence, name: str, expected: str, directions: Any, rows: str, measured: float) -> Form:
    """The gradient in one argument of the results' products with `directions`."""
    domains, made = evidence.case.given, evidence.cell.implementation
    places = {each: _place(each, domain, made) for each, domain in domains.items() if domain.is_inexact}
    floats = f"[{', '.join(places.values())}]"
    literals = "".join(f"{tensor_literal(each)}, " for each in directions)
    lines = (
        expected,
        "arguments = case()",
        f"for each in {floats}:\n    each.requires_grad_()",
        f"directions = ({literals})  # in which the results are differentiated",
        f"wanted = {places[name]}",
    )
    risky = (
        *_parts_of_results(evidence),
        "for result, direction in zip(results, directions):\n    if result.requires_grad:\n"
        "        result.backward(direction.to(result), retain_graph=True)",
        "actual = torch.zeros_like(wanted) if wanted.grad is None else wanted.grad",
        *([f"actual = actual{rows}"] if rows else ()),
    )
    return Form({"case": evidence.call}, lines, risky, measured)


def _parts_of_results(evidence: Evidence) -> Iterator[str]:
    """The candidate called where gradients are asked, and its results in their order."""
    made, names = evidence.cell.implementation, evidence.cell.operation.signature.results.names
    if made.mutates:
        written = f"arguments[{made.parameter(made.mutates)!r}]"
        yield f"{written} = {written}.clone()  # autograd refuses to write to what it differentiates in"
        yield f"candidate(**arguments)\nresults = ({written},)"
        return
    yield "results = candidate(**arguments)"
    if names:
        each = "results[name] if isinstance(results, dict) else getattr(results, name)"
        yield f"if type(results) not in (tuple, list):\n    results = [{each} for name in {names!r}]"
    else:
        yield "results = results if isinstance(results, (tuple, list)) else (results,)"


def _place(name: str, domain: TensorDomain, made: Implementation) -> str:
    """Where an argument stands among those of a script."""
    if domain.group is None:
        return f"arguments[{made.parameter(name)!r}]"
    group, key = domain.group
    return f"arguments[{made.parameter(group)!r}][{key!r}]"


def _gradient_leak(evidence: Evidence) -> Iterator[Form]:
    """The gradient of one sample's result in the other samples."""
    call, parts = evidence.call, _parts(evidence, evidence.call)
    if evidence.fails or call.batch_size < 2:
        return
    chosen = evidence.case.seed % call.batch_size
    others = [sample for sample in range(call.batch_size) if sample != chosen]
    directions = [torch.zeros(part.expected.shape, dtype=torch.float64) for part in parts]
    for direction, part in zip(directions, parts, strict=True):
        if part.axis is not None:
            direction.select(part.axis, chosen).fill_(1)
    for name, axis in call.batch_axes.items():
        if call.arguments[name].is_floating_point():
            shape = call.arguments[name].index_select(axis, torch.tensor(others, device=evidence.case.device)).shape
            expected = f"expected = torch.zeros({tuple(shape)}, dtype=torch.float64)"
            yield _gradient(evidence, name, expected, directions, _rows(axis, others), 0.0)


def _two_calls(
    evidence: Evidence, given: Call, rows: list[int] | None, wanted: Call, of: list[int] | None
) -> Iterator[Form]:
    """Rows of one call's results against rows of another's."""
    found = evidence.finding.comparison
    for index, domain in enumerate(evidence.cell.operation.results):
        axis = domain.batch_axis(given.options)
        if found is not None and (axis is not None or rows is of is None):
            yield Form(
                {"case": given, "other": wanted},
                (f"expected = call(other()){_rows(axis, of)}",),
                (f"actual = call(case()){_rows(axis, rows)}",),
                largest_difference(found.actual, found.expected),
                index,
            )


def _rows(axis: int | None, rows: list[int] | None) -> str:
    return "" if axis is None or rows is None else f"[{':, ' * axis}{rows}]"


def _layouts(evidence: Evidence) -> Iterator[Form]:
    if len(evidence.calls) == 2:
        here, plain = evidence.calls
        yield from _two_calls(evidence, here, None, plain, None)


def _batch_invariance(evidence: Evidence) -> Iterator[Form]:
    if not evidence.calls:
        return
    whole, *derived = evidence.calls
    size = whole.batch_size
    taken = [*([i] for i in sorted({0, size // 2, size - 1})), list(range(1, size))]
    for call, rows in zip(derived, taken, strict=False):
        yield from _two_calls(evidence, call, None if len(rows) == call.batch_size else rows, whole, rows)


def _batch_permutation(evidence: Evidence) -> Iterator[Form]:
    if len(evidence.calls) == 2:
        turned, whole = evidence.calls
        yield from _two_calls(evidence, turned, None, whole, list(range(whole.batch_size))[::-1])


def _batch_leak(evidence: Evidence) -> Iterator[Form]:
    if len(evidence.calls) == 2:
        after, before = evidence.calls
        others = [sample for sample in range(before.batch_size) if sample != before.batch_size // 2]
        yield from _two_calls(evidence, after, others, before, others)


def _repeatability(evidence: Evidence) -> Iterator[Form]:
    for form in _two_calls(evidence, evidence.call, None, evidence.call, None):
        yield dataclasses.replace(form, cases={"case": evidence.call}, lines=("expected = call(case())",))


def _inputs_unmodified(evidence: Evidence) -> Iterator[Form]:
    for name in evidence.call.arguments:
        told = (f"expected, actual = (torch.as_tensor(each[{name!r}]) for each in (kept, arguments))",)
        yield Form({"case": evidence.call}, ("kept, arguments = case(), case()",), ("call(arguments)", *told), 0.0)


def _result_dtype(evidence: Evidence) -> Iterator[Form]:
    for index, domain in enumerate(evidence.cell.operation.results):
        wanted = f"{PRECISIONS[evidence.case.dtype].dtype}, {evidence.case.device!r}"
        risky = ("result = call(case())", "actual = result.dtype, result.device.type")
        if domain.kind == "float":
            yield Form({"case": evidence.call}, (f"expected = {wanted}",), risky, 0.0, index, differ=False)


def _nonfinite(evidence: Evidence) -> Iterator[Form]:
    """The result as it should be where the inputs' NaN and infinities are, which is not the definition's own 0·NaN."""
    found, parts = evidence.finding.comparison, _parts(evidence, evidence.call)
    if found is None:
        return
    lines = (f"expected = {_literal(found.expected)}",)
    for index, part in enumerate(parts):
        if part.expected.shape == found.expected.shape:
            measured = largest_difference(found.actual, found.expected)
            yield Form({"case": evidence.call}, lines, ("actual = call(case())",), measured, index)


_OF_PROPERTIES: dict[str, Callable[[Evidence], Iterator[Form]]] = {
    "batch_gradient_leak": _gradient_leak,
    "batch_invariance": _batch_invariance,
    "batch_leak": _batch_leak,
    "batch_permutation": _batch_permutation,
    "gradients": _gradients,
    "inputs_unmodified": _inputs_unmodified,
    "layouts": _layouts,
    "nonfinite_propagation": _nonfinite,
    "repeatability": _repeatability,
    "result_dtype": _result_dtype,
}
"""The forms of those properties that look at something else than one result against the definition's."""


# The property itself


def by_the_harness(evidence: Evidence) -> Form:
    """Ask the property of the rebuilt case."""
    found = evidence.finding.comparison
    lines = (
        *_operation_lines(evidence),
        f"case = harness.Case.rebuild({evidence.case.record()!r}, {{operation.name: operation}})",
        *_property_lines(evidence),
        "subject = harness.Subject(operation, implementation)",
    )
    if found is None:
        risky: tuple[str, ...] = ("prop(subject, case)", "actual = expected")
        return Form({}, (*lines, 'expected = "no error"'), risky, float("inf"), differ=False, harness=True)
    label = found.label
    risky = (
        f"compared = next(each for each in prop(subject, case) if each.label == {label!r})",
        "print(compared.label)",
        "expected, actual = (torch.as_tensor(each.astype(compared.actual.dtype)) for each in (compared.expected, compared.actual))",
    )
    measured = largest_difference(found.actual, found.expected)
    return Form({}, lines, risky, measured, harness=True)


def _operation_lines(evidence: Evidence) -> Iterator[str]:
    """How the script comes by the operation and the implementation."""
    operation, implementation = evidence.cell.operation, evidence.cell.implementation
    modules = modules_beside(operation, implementation, evidence.cell.prop)
    for file in dict.fromkeys(str(module.__file__) for module in modules if is_candidate(module.__name__)):
        name = Path(file).name.replace('"', "")
        yield f'made = harness.candidates.candidates(Path("{name}"))  # lies beside this script'
    if is_candidate(operation.module):
        yield f"operation = next(each for each in made.operations if each.name == {operation.name!r})"
    else:
        yield f"operation = harness.catalogue()[{operation.name!r}]"
    if evidence.is_declared:
        yield f"implementation = operation.find({implementation.name!r})"
    else:
        dtypes = "".join(f"{dtype}, " for dtype in implementation.dtypes)
        yield (
            "from harness.declare.implementation import implementation_of\n\n"
            "implementation = implementation_of(operation.name, operation.signature, candidate, "
            f"{implementation.backend.name!r}, {implementation.name!r}, dtypes=({dtypes}))"
        )


def _property_lines(evidence: Evidence) -> Iterator[str]:
    prop = evidence.cell.prop
    if is_candidate(prop.module):
        yield f"prop = next(each for each in made.statements if each.name == {prop.name!r})"
    elif is_of_the_harness(prop):
        yield "from harness.verify.suite import every_claim, every_property"
        yield "known = [*every_property(), *(each.own for each in every_claim() if each.own)]"
        yield f"prop = next(each for each in known if each.name == {prop.name!r})"
    else:
        yield f"from {prop.module} import {prop.name} as prop"


def _literal(array: Any) -> str:
    wide = np.array(array, dtype=np.float64 if array.dtype.kind == "f" else None)
    return tensor_literal(torch.from_numpy(wide))
