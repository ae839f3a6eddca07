"""Results: what comes back is what was asked for, every time, and nothing else is touched."""

import numpy as np
import torch

import harness
from harness.measure.comparison import Comparison, as_array
from harness.measure.nonfinite import spread
from harness.measure.operators import padding, spreading


def axes_that_may_be_empty(operation):
    return any(low == 0 for name, (low, _) in operation.sizes.items() if name != "batch")


def empty_axes(case):
    """The case with each axis empty that may be."""
    for name in case.sizes:
        if name != "batch" and case.allows(**{name: 0}):
            yield case.replace(sizes={**case.sizes, name: 0})


def one_in_four(case):
    """A quarter of the cases, since each needs the oracle once more."""
    if case.turn % 4 == 0:
        yield case


def nonfinite_values(case):
    yield case.replace(pattern="nonfinite")


def _bits(tensor):
    return tensor.clone(memory_format=torch.contiguous_format).reshape(-1).view(torch.uint8)


@harness.property
def result_dtype(implementation, case):
    """Float results have the arguments' dtype and device."""
    for index, result in enumerate(implementation(case)):
        if result.is_floating_point():
            name = str(result.dtype).removeprefix("torch.")
            yield harness.requirement(
                f"result {index} has the arguments' dtype (it is {name})", name == case.precision.stored, case
            )
        where = result.device.type
        yield harness.requirement(
            f"result {index} is where the arguments are (it is on {where})", where == case.device, case
        )


@harness.property
def inputs_unmodified(implementation, case):
    """Arguments have the same bits after the call as before."""
    call = case.call()
    before = call.fresh()
    implementation.in_place(call)
    for name, tensor in call.arguments.items():
        same = torch.equal(_bits(tensor), _bits(before.arguments[name]))
        yield harness.requirement(f"argument {name} is left as it was", same, case)


@harness.property
def repeatability(implementation, case):
    """The same call twice gives the same bits."""
    call = case.call()
    first, second = implementation(call), implementation(call)
    for index, (before, after, part) in enumerate(zip(first, second, harness.reference(case).parts, strict=True)):
        yield harness.compare(f"result {index} of the second call", after, as_array(before), case, part, twice=True)


@harness.property(variants=one_in_four)
def nothing_remembered(implementation, case):
    """After a call of the same form with other values, the result is that of its own values."""
    implementation(case.another())
    yield from harness.against(harness.reference(case), implementation(case), case, "after a call with other values")


@harness.property(requires=axes_that_may_be_empty, variants=empty_axes)
def zero_size_axes(implementation, case):
    """An axis of no entries gives what the oracle gives."""
    yield from harness.against(harness.reference(case), implementation(case), case, "with an empty axis")


@harness.property(variants=nonfinite_values)
def nonfinite_propagation(implementation, case):
    """NaN, inf and -inf appear where the definition's result depends on them, and nowhere else."""
    expected = spread(case)
    called = implementation.operators(case)
    if reason := spreading(called) or padding(called, case):
        raise harness.Unsupported(reason)
    limit = torch.finfo(case.precision.dtype).max
    for index, (result, part) in enumerate(zip(implementation(case), expected.finite, strict=True)):
        if not result.is_floating_point():
            continue
        actual = as_array(result)
        unit, informative = np.zeros(part.unit.shape), np.ones(part.unit.shape, dtype=bool)
        wanted, label = expected.kinds(index, actual, limit), f"NaN and infinities of result {index}"
        yield Comparison(label, actual, wanted, unit, informative, part.axis, case.dtype, 0.0, exact=True)
        unaffected, rest = expected.unaffected(index, actual)
        yield harness.compare(f"what NaN and infinities leave of result {index}", unaffected, rest.expected, case, rest)
