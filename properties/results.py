"""Results: what comes back is what was asked for, every time, and nothing else is touched."""

import numpy as np
import torch

import harness


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


def guarded(case):
    yield case.replace(layout="guarded")


def _bits(tensor):
    return tensor.clone(memory_format=torch.contiguous_format).reshape(-1).view(torch.uint8)


def _around(tensor):
    """The bits of the memory in which a tensor lies, but for its own entries."""
    whole = harness.whole_memory(tensor).clone()
    whole.as_strided(tensor.shape, tensor.stride(), tensor.storage_offset()).zero_()
    return _bits(whole)


@harness.property
def result_dtype(implementation, case):
    """Results of real and complex numbers have the arguments' dtype and device."""
    for index, (result, domain) in enumerate(zip(implementation(case), case.operation.results, strict=True)):
        if domain.is_inexact:
            wanted = domain.torch_dtype(case.precision.dtype)
            name = str(result.dtype).removeprefix("torch.")
            yield harness.holds(f"result {index} has the arguments' dtype (it is {name})", result.dtype == wanted, case)
        there = case.holds(result)
        yield harness.holds(f"result {index} is where the arguments are (it is on {result.device})", there, case)


@harness.property(variants=guarded)
def inputs_unmodified(implementation, case):
    """Arguments have the same bits after the call as before, but the one that is declared to be written to.

    So has what lies before and behind them in memory.
    """
    call = case.call()
    before = call.fresh()
    implementation.in_place(call)
    for name, tensor in call.arguments.items():
        kept = before.arguments[name]
        if name != implementation.implementation.mutates:
            same = torch.equal(_bits(tensor), _bits(kept))
            yield harness.holds(f"argument {name} is left as it was", same, case)
        around = torch.equal(_around(tensor), _around(kept))
        yield harness.holds(f"what lies around argument {name} in memory is left as it was", around, case)


@harness.property
def repeatability(implementation, case):
    """The same call twice gives the same bits."""
    call = case.call()
    first, second = implementation(call), implementation(call)
    for index, (before, after, part) in enumerate(zip(first, second, harness.reference(case).parts, strict=True)):
        yield harness.close(
            f"result {index} of the second call", after, harness.as_array(before), case, like=part, both_rounded=True
        )


@harness.property(variants=one_in_four)
def uninitialised_memory(implementation, case):
    """What is allocated and not written is in no result: it is the same where fresh memory holds NaN."""
    call = case.call()
    plain, filled = implementation(call), implementation.in_filled_memory(call)
    for index, (before, after, part) in enumerate(zip(plain, filled, harness.reference(case).parts, strict=True)):
        kept = harness.as_array(before)  # which may hold NaN itself by chance, from memory that was filled before
        read = np.isnan(harness.as_array(after)) & ~np.isnan(kept)
        yield harness.holds(f"result {index} holds no NaN of fresh memory", not read.any(), case)
        yield harness.close(
            f"result {index} where fresh memory holds NaN",
            after,
            np.where(np.isnan(kept), part.expected, kept) if kept.dtype.kind in "fc" else kept,
            case,
            like=part,
            both_rounded=True,
        )


@harness.property(variants=one_in_four)
def nothing_remembered(implementation, case):
    """After a call of the same form with other values, the result is that of its own values."""
    implementation(case.another())
    yield from harness.all_close("after a call with other values", implementation(case), harness.reference(case), case)


@harness.property(requires=axes_that_may_be_empty, variants=empty_axes)
def zero_size_axes(implementation, case):
    """An axis of no entries gives what the oracle gives."""
    yield from harness.all_close("with an empty axis", implementation(case), harness.reference(case), case)


@harness.property(variants=nonfinite_values)
def nonfinite_propagation(implementation, case):
    """NaN, inf and -inf appear where the definition's result depends on them, and nowhere else."""
    if any(domain.kind == "complex" for domain in (*case.given.values(), *case.operation.results)):
        raise harness.Unsupported(
            "what NaN and infinities make of complex numbers is a matter of how they are multiplied"
        )
    expected = harness.nonfinite_reference(case)
    implementation.require_ieee_spread(case)
    limit = torch.finfo(case.precision.dtype).max
    for index, (result, part) in enumerate(zip(implementation(case), expected.finite, strict=True)):
        if not result.is_floating_point():
            continue
        actual = harness.as_array(result)
        wanted = expected.kinds(index, actual, limit)
        if not np.array_equal(actual, wanted, equal_nan=True) and (defined := implementation.as_defined(case)):
            wanted = expected.kinds(index, actual, limit, harness.as_array(defined[index]))
        yield harness.same(f"NaN and infinities of result {index}", actual, wanted, case, axis=part.axis)
        unaffected, rest = expected.unaffected(index, actual)
        yield harness.close(
            f"what NaN and infinities leave of result {index}", unaffected, rest.expected, case, like=rest
        )
