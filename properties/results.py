"""Results: what comes back is what was asked for, every time, and nothing else is touched."""

import numpy as np
import torch

import harness
from harness.measure.comparison import Comparison, as_array


def axes_that_may_be_empty(operation):
    return any(low == 0 for name, (low, _) in operation.sizes.items() if name != "batch")


def empty_axes(case):
    """The case with each axis empty that may be."""
    for name in case.sizes:
        if name != "batch" and case.allows(**{name: 0}):
            yield case.replace(sizes={**case.sizes, name: 0})


def one_in_four(case):
    """A quarter of the cases, since each needs the oracle once more."""
    if case.seed % 4 == 0:
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
    """A call of the same form with other values gives the result of those values."""
    implementation(case)
    other = case.another()
    yield from harness.against(harness.reference(other), implementation(other), other, "of the second call")


@harness.property(requires=axes_that_may_be_empty, variants=empty_axes)
def zero_size_axes(implementation, case):
    """An axis of no entries gives what the oracle gives."""
    yield from harness.against(harness.reference(case), implementation(case), case, "with an empty axis")


@harness.property(variants=nonfinite_values)
def nonfinite_propagation(implementation, case):
    """NaN and infinities appear where the oracle has them, and nowhere else."""
    if (
        case.dtype in ("bfloat16", "bf32")
        and case.device == "cpu"
        and implementation.implementation.backend.name == "torch"
    ):
        raise harness.Unsupported(
            "oneDNN's bfloat16 products on AMX pad an odd reduction with the next row times zero, so one sample's NaN reaches another"
        )
    limit = torch.finfo(case.precision.dtype).max
    for index, (result, part) in enumerate(zip(implementation(case), harness.reference(case).parts, strict=True)):
        if not result.is_floating_point():
            continue
        with np.errstate(all="ignore"):
            told = ~(np.isfinite(part.expected) & (np.abs(part.expected) > limit))
        actual, expected = np.isfinite(as_array(result)) & told, np.isfinite(part.expected) & told
        unit, informative = np.zeros(part.unit.shape), np.ones(part.unit.shape, dtype=bool)
        yield Comparison(
            f"finite entries of result {index}",
            actual,
            expected,
            unit,
            informative,
            part.axis,
            case.dtype,
            0.0,
            exact=True,
        )
