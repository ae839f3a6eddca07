"""Factors that follow from a size and meet an argument inside, whatever is done with it afterwards.

There are as many as sizes, arguments and forms together, so they are looked at when plainer theories have failed.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from functools import partial

from harness.explain.cause import Instead, cause
from harness.explain.causes.scale import FORMS, at_one, scaled
from harness.explain.neighbourhood import FaultNeighbourhood
from harness.generate.case import Call
from harness.verify.subject import sizes_of


@cause
def argument_times_a_size(fault: FaultNeighbourhood) -> Iterator[Instead]:
    """An argument is multiplied by a root or another function of a size: a scale that is missing, or there twice."""
    for (words, form), size, name in itertools.product(FORMS.items(), fault.case.sizes, fault.floats):
        change = partial(_argument_times, names=[name], size=size, form=form)
        yield Instead(f"{name} is multiplied by {words.format(f'the size n of {size}')}", change)


def _argument_times(call: Call, names: list[str], size: str, form: Callable[[int], float]) -> Call | None:
    number = sizes_of(call).get(size, 0)
    if number < 1 or (number == 1 and not math.isfinite(at_one(form))):
        return None
    return call.replace(**{name: call.arguments[name] * form(number) for name in names})


@cause
def divisor_inside(fault: FaultNeighbourhood) -> Iterator[Instead]:
    """A mean square inside is divided by n - 1 where n is meant, or reversely, whatever is done with it afterwards."""
    for name, size in itertools.product(fault.floats, fault.case.sizes):
        others = [other for other in fault.floats if other != name]
        for (words, form), more in itertools.product(_DIVISORS.items(), ([], *([other] for other in others))):
            yield Instead(
                f"a mean over {name} is divided by {words} for the size n of {size}",
                partial(_argument_times, names=[name, *more], size=size, form=form),
                partial(scaled, size=size, form=partial(_inverse, form)),
            )


def _inverse(form: Callable[[int], float], number: int) -> float:
    return 1 / form(number)


_DIVISORS: dict[str, Callable[[int], float]] = {
    "n - 1 in place of n, as by an unbiased estimate in place of a biased one,": lambda n: math.sqrt(n / (n - 1)),
    "n in place of n - 1, as by a biased estimate in place of an unbiased one,": lambda n: math.sqrt((n - 1) / n),
    "1 in place of n, as by a sum in place of a mean,": math.sqrt,
    "n in place of 1, as by a mean in place of a sum,": lambda n: 1 / math.sqrt(n),
}
