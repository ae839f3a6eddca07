"""Results that are a multiple of the right ones, or off by a constant."""

from __future__ import annotations

import itertools
import math
import operator
from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import partial

import torch
from torch import Tensor

from harness.explain.cause import Instead, Observed, Results, cause
from harness.explain.causes.arguments import with_argument
from harness.explain.causes.axes import with_result
from harness.explain.neighbourhood import FaultNeighbourhood
from harness.generate.case import Call, Case
from harness.measure.arrays import as_array
from harness.measure.assertions import close
from harness.measure.reference import reference, widened
from harness.verify.subject import sizes_of

_NEAR = 1e-9
"""Relative distance from a simple fraction within which a fitted number is taken for it."""


@cause
def constant_factor(fault: FaultNeighbourhood) -> Iterator[Instead]:
    """A result is multiplied by a number that is the same in every case."""
    for index, (actual, expected) in enumerate(_fitted_on(fault)):
        if not (actual.isfinite().all() and expected.isfinite().all() and expected.abs().sum() > 0):
            continue
        factor = _simple(float((actual * expected).sum() / expected.square().sum()))
        words = "is zero" if factor == 0 else f"is multiplied by {_spelled(factor)}"
        yield Instead(f"{fault.which(index)} {words}", results=with_result(index, torch.mul, factor))


@cause
def common_factor(fault: FaultNeighbourhood) -> Iterator[Instead]:
    """All results are multiplied by one number."""
    pairs = list(_fitted_on(fault))
    told = [(a, e) for a, e in pairs if a.isfinite().all() and e.isfinite().all()]
    square = sum(float(e.square().sum()) for _, e in told)
    if len(pairs) > 1 and len(told) == len(pairs) and square:
        factor = _simple(sum(float((a * e).sum()) for a, e in told) / square)
        yield Instead(
            f"every result is multiplied by {_spelled(factor)}",
            results=lambda results, call: tuple(factor * result for result in results),
        )


@cause
def argument_scaled(fault: FaultNeighbourhood) -> Iterator[Instead]:
    """An argument counts more or less than it should; by how much is read off where the result is affine in it."""
    case = _largest(fault)
    actual = fault.results(case)
    call = case.plain_call().map(widened)
    for name in fault.floats if actual is not None else ():
        once, twice = _defined(call), _defined(call.replace(**{name: 2 * call.arguments[name]}))
        slope = torch.cat([(b - a).reshape(-1) for a, b in zip(once, twice, strict=True)])
        off = torch.cat([(r - a).reshape(-1) for r, a in zip(map(_in_reals, actual or ()), once, strict=True)])
        share = float(off @ slope / slope.square().sum()) if slope.any() else math.nan
        if math.isfinite(share):
            factor = _simple(1 + share)
            yield Instead(f"{name} is multiplied by {_spelled(factor)}", with_argument(name, torch.mul, factor))


def _defined(call: Call) -> Results:
    return tuple(map(_in_reals, call.operation.evaluate(call.arguments, call.options, call.sizes)))


@cause
def factor_of_a_size(fault: FaultNeighbourhood) -> Iterator[Instead]:
    """A result is multiplied by a size or what follows from it: a sum for a mean, n - 1 for n."""
    count = len(fault.operation.results)
    for words, form in FORMS.items():
        for size in fault.case.sizes:
            told = words.format(f"the size n of {size}")
            for index in (None, *(range(count) if count > 1 else ())):
                yield Instead(
                    f"{'the result' if index is None else fault.which(index)} is multiplied by {told}",
                    results=partial(scaled, size=size, form=form, index=index),
                )


def scaled(
    results: Results, call: Call, size: str, form: Callable[[int], float], index: int | None = None
) -> Results | None:
    """Results, or one of them, times a form of a size; None where the size is none or the form has no value there."""
    number = sizes_of(call).get(size, 0)
    if number < 1 or (number == 1 and not math.isfinite(at_one(form))):
        return None
    return tuple(each * form(number) if index in (None, i) else each for i, each in enumerate(results))


def at_one(form: Callable[[int], float]) -> float:
    """A form of one, infinite where that is divided by zero."""
    try:
        return form(1)
    except ZeroDivisionError:
        return math.inf


FORMS: dict[str, Callable[[int], float]] = {
    "{}, as a sum in place of a mean": float,
    "1/n for {}, as a mean in place of a sum": lambda n: 1 / n,
    "√n for {}": math.sqrt,
    "1/√n for {}": lambda n: 1 / math.sqrt(n),
    "n/(n - 1) for {}, as by an unbiased estimate in place of a biased one": lambda n: n / (n - 1),
    "(n - 1)/n for {}, as by a biased estimate in place of an unbiased one": lambda n: (n - 1) / n,
    "√(n/(n - 1)) for {}, as by an unbiased estimate in place of a biased one": lambda n: math.sqrt(n / (n - 1)),
    "√((n - 1)/n) for {}, as by a biased estimate in place of an unbiased one": lambda n: math.sqrt((n - 1) / n),
    "2/n for {}": lambda n: 2 / n,
    "n - 1 for {}": lambda n: n - 1.0,
    "n + 1 for {}": lambda n: n + 1.0,
    "1/(n + 1) for {}": lambda n: 1 / (n + 1),
    "n/(n + 1) for {}": lambda n: n / (n + 1),
    "2n - 1 for {}": lambda n: 2.0 * n - 1,
    "1/(2n - 1) for {}": lambda n: 1 / (2 * n - 1),
    "n² for {}": lambda n: float(n) ** 2,
    "1/n² for {}": lambda n: float(n) ** -2,
    "log n for {}": math.log,
    "1/log n for {}": lambda n: 1 / math.log(n),
}


@cause
def constant_offset(fault: FaultNeighbourhood) -> Iterator[Instead]:
    """A result is off by a number that is the same in every entry of every case."""
    for index, (actual, expected) in enumerate(_fitted_on(fault)):
        if actual.is_floating_point() and (actual - expected).isfinite().all() and actual.numel():
            offset = _simple(float((actual - expected).mean()))
            yield Instead(
                f"{fault.which(index)} is off by {_spelled(offset)} everywhere",
                results=with_result(index, torch.add, offset),
            )


@cause
def offset_of_a_size(fault: FaultNeighbourhood) -> Iterator[Instead]:
    """A result is off by a function of a size, such as the logarithm of the number of samples."""
    for (words, form), size in itertools.product(_OFFSETS.items(), fault.case.sizes):
        for sign, side in ((1, "too large"), (-1, "too small")):
            yield Instead(
                f"the result is {side} by {words.format(f'the size n of {size}')}",
                results=partial(_offset, size=size, form=form, sign=sign),
            )


@cause
def offset_per_entry(fault: FaultNeighbourhood) -> Iterator[Instead]:
    """A result is off by the same for every entry of an axis that was summed: by c·n."""
    case = _largest(fault)
    for size, (actual, expected) in itertools.product(case.sizes, _fitted_on(fault)):
        off = actual - expected
        if case.sizes[size] and off.numel() and off.isfinite().all() and off.is_floating_point():
            each = _simple(float(off.mean()) / case.sizes[size])
            yield Instead(
                f"the result is off by {_spelled(each)}·n for the size n of {size}",
                results=partial(_offset, size=size, form=partial(operator.mul, each), sign=1),
            )


def _offset(results: Results, call: Call, size: str, form: Callable[[int], float], sign: int) -> Results | None:
    number = sizes_of(call).get(size, 0)
    return tuple(result + sign * form(number) for result in results) if number else None


_OFFSETS: dict[str, Callable[[int], float]] = {
    "log n for {}": math.log,
    "{}": float,
}


@cause
def sign_undetermined(fault: FaultNeighbourhood) -> Iterator[Observed]:
    """Each sample is the right one or its negative, as singular vectors are without a convention."""
    signs: set[bool] = set()
    cases = 0
    for case in fault.failing:
        domains = fault.operation.results
        for actual, part, domain in zip(fault.results(case) or (), reference(case).parts, domains, strict=False):
            told = close("", actual, part.expected, case, like=part, both_rounded=True)
            negative = close(
                "", -widened(actual) if domain.is_inexact else actual, part.expected, case, like=part, both_rounded=True
            )
            right, reverse = told.errors <= told.allowance, negative.errors <= told.allowance
            if not (right | reverse)[told.informative].all():
                return
            signs |= set((reverse & ~right)[told.informative].tolist())
        cases += 1
    if True in signs:
        yield Observed(
            "some samples have the wrong sign: each is the right one or its negative",
            f"on {cases} of {cases} cases",
        )


@cause
def another_function_of_the_result(fault: FaultNeighbourhood) -> Iterator[Instead]:
    """A function of the right result comes back: its logarithm, its root, its square."""
    for words, function in _FUNCTIONS.items():
        yield Instead(f"{words} of the right result comes back", results=partial(_each, function=function))
        for index in range(len(fault.operation.results)) if len(fault.operation.results) > 1 else ():
            yield Instead(f"{words} of the right result {index} comes back", results=with_result(index, function))


def _each(results: Results, call: Call, function: Callable[[Tensor], Tensor]) -> Results:
    return tuple(map(function, results))


_FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "the logarithm": torch.log,
    "the exponential": torch.exp,
    "the square": torch.square,
    "the square root": torch.sqrt,
    "the size without the sign": torch.abs,
    "the inverse": torch.reciprocal,
    "the logistic": torch.sigmoid,
    "the log-odds": lambda tensor: torch.log(tensor / (1 - tensor)),
}


def _fitted_on(fault: FaultNeighbourhood) -> Iterator[tuple[Tensor, Tensor]]:
    """Actual and expected results, on the case from which a number is read off."""
    case = _largest(fault)
    actual = fault.results(case)
    for result, part in zip(actual or (), reference(case).parts, strict=False):
        yield _in_reals(result), torch.as_tensor(part.expected.astype("float64"))


def _in_reals(result: Tensor) -> Tensor:
    """A result in float64, the parts of complex numbers beside one another."""
    return torch.as_tensor(as_array(result).astype("float64"))


def _largest(fault: FaultNeighbourhood) -> Case:
    """The failing case with most entries, which has most digits to read a number off."""
    return max(fault.failing, key=lambda each: each.entries)


def _simple(number: float) -> float:
    """The simple fraction or short decimal that a number must be meant for, or the number."""
    if not math.isfinite(number):
        return number
    for near in (float(Fraction(number).limit_denominator(24)), round(number, 3), round(number, 6)):
        if abs(near - number) <= _NEAR * max(abs(number), _NEAR):
            return near
    return number


def _spelled(number: float) -> str:
    return f"{number:.7g}"
