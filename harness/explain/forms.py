"""Forms of a script: the ways in which Python can show a finding, plainest first.

A result held against the definition's comes first, wherever the fault shows there: everybody understands it. Then what
the property itself looks at; last of all the property itself, for which the script needs the harness.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from harness.candidates import is_candidate
from harness.declare.devices import device_named
from harness.explain.evidence import FAULTS, Evidence, Form, beyond, largest_difference, literal, parts_of, rows_of
from harness.explain.gradient_forms import gradient_forms, gradient_leak, gradients_that_are_not_finite
from harness.explain.transform_forms import double_backward, forward_mode, vmap
from harness.generate.case import Call
from harness.generate.layouts import whole_memory
from harness.generate.patterns import SPECIAL
from harness.generate.precision import PRECISIONS
from harness.measure.comparison import allowance
from harness.verify.beside import modules_beside
from harness.verify.finding import WIDE
from harness.verify.suite import is_of_the_harness

_OTHERS, _TIMES = (1, 2, 3), (2, 3, 4, 8, 16)
"""For a candidate that remembers: the other cases that are tried before, and how often the first of them."""

_MOST_CALLS = 12
"""Derived calls of a property that are held against the definition."""


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
    yield from gradient_forms(evidence)
    yield from _remembering(evidence)


def _nothing(evidence: Evidence) -> Iterator[Form]:
    yield from ()


# A result held against the definition's


def _plain(evidence: Evidence, calls: list[Call]) -> Iterator[Form]:
    for call in calls:
        for index, expected, measured in _off(evidence, call):
            yield Form(
                {"case": call}, (f"expected = {literal(expected)}",), ("actual = call(case())",), measured, index
            )


def _off(evidence: Evidence, call: Call) -> Iterator[tuple[int, Any, float]]:
    """The results of a call that are farther off than they may be: which, what is expected, and how far."""
    found, parts = evidence.finding.comparison, parts_of(evidence, call)
    if found is None:
        yield from ((index, part.expected, float("inf")) for index, part in enumerate(parts))
        return
    told = [index for index, part in enumerate(parts) if part.expected is found.expected]
    if told:
        yield told[0], found.expected, largest_difference(found.actual, found.expected)
        return
    with contextlib.suppress(*FAULTS):
        results = evidence.subject(call)
        yield from beyond(evidence, dict(enumerate(results)), parts)


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
    for index, part in enumerate(parts_of(evidence, call)):
        beyond = 2 * WIDE * allowance(evidence.case) * float(part.noise_floor.max(initial=0.0))
        if part.informative.all():
            lines = (f"expected = {literal(part.expected)}",)
            measured = float("inf") if evidence.fails else beyond
            yield Form({"case": call}, lines, ("actual = call(case())",), measured, index)


def _after(form: Form, calls: list[Call], times: int = 1) -> Form:
    before = {f"before_{place}": call for place, call in enumerate(calls)}
    first = f"for earlier in {times} * ({', '.join(before)},):\n    call(earlier())  # it does not show without"
    return dataclasses.replace(form, cases={**form.cases, **before}, lines=(*form.lines, first))


# What a property itself looks at


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
                (f"expected = call(other()){rows_of(axis, of)}",),
                (f"actual = call(case()){rows_of(axis, rows)}",),
                largest_difference(found.actual, found.expected),
                index,
            )


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
    for name, tensor in evidence.call.arguments.items():
        with_what_lies_around = f".as_strided(({len(whole_memory(tensor))},), (1,), 0)"
        for memory in ("", with_what_lies_around):
            told = (f"expected, actual = (torch.as_tensor(each[{name!r}]){memory} for each in (kept, arguments))",)
            yield Form({"case": evidence.call}, ("kept, arguments = case(), case()",), ("call(arguments)", *told), 0.0)


def _uninitialised_memory(evidence: Evidence) -> Iterator[Form]:
    filling = 'torch.set_deterministic_debug_mode("warn")  # what is allocated from here on holds NaN'
    for form in _repeatability(evidence):
        yield dataclasses.replace(form, lines=(*form.lines, filling))


def _result_dtype(evidence: Evidence) -> Iterator[Form]:
    for index, domain in enumerate(evidence.cell.operation.results):
        wanted = (
            f"{domain.torch_dtype(PRECISIONS[evidence.case.dtype].dtype)}, {device_named(evidence.case.device).kind!r}"
        )
        risky = ("result = call(case())", "actual = result.dtype, result.device.type")
        if domain.is_inexact:
            yield Form({"case": evidence.call}, (f"expected = {wanted}",), risky, 0.0, index, differ=False)


def _nonfinite(evidence: Evidence) -> Iterator[Form]:
    """The result as it should be where the inputs' NaN and infinities are, which is not the definition's own 0·NaN."""
    found, parts = evidence.finding.comparison, parts_of(evidence, evidence.call)
    if found is None:
        return
    lines = (f"expected = {literal(found.expected)}",)
    for index, part in enumerate(parts):
        if part.expected.shape == found.expected.shape:
            measured = largest_difference(found.actual, found.expected)
            yield Form({"case": evidence.call}, lines, ("actual = call(case())",), measured, index)


_OF_PROPERTIES: dict[str, Callable[[Evidence], Iterator[Form]]] = {
    "batch_gradient_leak": gradient_leak,
    "batch_invariance": _batch_invariance,
    "batch_leak": _batch_leak,
    "batch_permutation": _batch_permutation,
    "double_backward": double_backward,
    "finite_gradients": gradients_that_are_not_finite,
    "forward_mode": forward_mode,
    "gradients": gradient_forms,
    "inputs_unmodified": _inputs_unmodified,
    "layouts": _layouts,
    "nonfinite_propagation": _nonfinite,
    "repeatability": _repeatability,
    "result_dtype": _result_dtype,
    "vmap": vmap,
    "uninitialised_memory": _uninitialised_memory,
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
        yield f'made = harness.candidates.candidates(Path(__file__).with_name("{name}"))  # lies beside this script'
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
