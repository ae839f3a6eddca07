"""Batch invariance: a sample's result depends on that sample alone.

Each statement has two grades: `exact` where the bits are the same, `rounding` where they differ within rounding, as
backends do that choose another kernel for another batch size.
"""

import torch

import harness


def has_batch(operation):
    return bool(operation.batched)


def differentiable_batch(operation):
    return bool(operation.batched) and operation.differentiable


def batch_that_may_be_empty(operation):
    return bool(operation.batched) and operation.sizes["batch"][0] == 0


def with_samples(case):
    """The case as it is where it holds samples of a batch."""
    if case.has_batch:
        yield case


def empty_batch(case):
    if case.has_batch:
        yield case.replace(sizes={**case.sizes, "batch": 0})


def _rows(tensor, part, indices):
    """The samples of a result, None where it has no batch axis."""
    return None if part.axis is None else tensor.index_select(part.axis, torch.as_tensor(indices, device=tensor.device))


def _against_samples(label, results, whole, indices, case):
    """Hold results for some samples against those samples of the whole batch's results."""
    parts = harness.reference(case).parts
    for index, (result, full, part) in enumerate(zip(results, whole, parts, strict=True)):
        if part.axis is not None:
            which = f"result {index}, {label}" if len(parts) > 1 else label
            yield harness.close(
                which, result, _rows(full, part, indices), case, like=part.samples(indices), both_rounded=True
            )


@harness.property(requires=has_batch, variants=with_samples)
def batch_invariance(implementation, case):
    """A sample alone, or among fewer, gives what it gives in the whole batch."""
    call = case.call()
    whole = implementation(call)
    size = call.batch_size
    for i in sorted({0, size // 2, size - 1}) if case.allows(batch=1) else ():
        yield from _against_samples(
            "a sample alone against the batch", implementation(call.take([i])), whole, [i], case
        )
    if size > 2 and case.allows(batch=size - 1):
        rest = list(range(1, size))
        yield from _against_samples(
            "the batch without its first sample", implementation(call.take(rest)), whole, rest, case
        )


@harness.property(requires=has_batch, variants=with_samples)
def batch_permutation(implementation, case):
    """Samples in another order give the results in that order."""
    call = case.call()
    order = list(range(call.batch_size))[::-1]
    yield from _against_samples(
        "the batch in reverse order", implementation(call.take(order)), implementation(call), order, case
    )


@harness.property(requires=has_batch, variants=with_samples)
def batch_leak(implementation, case):
    """A change of one sample changes nothing in the others."""
    call = case.call()
    size = call.batch_size
    if size < 2:
        return
    changed = size // 2
    others = [i for i in range(size) if i != changed]
    stranger = case.another().replace(pattern="normal").call()

    mixed = {}
    for name, axis in call.batch_axes.items():
        before, after = (
            call.arguments[name].narrow(axis, *span) for span in ((0, changed), (changed + 1, size - changed - 1))
        )
        mixed[name] = torch.cat([before, stranger.arguments[name].narrow(axis, changed, 1), after], axis)
    after = implementation(call.replace(**mixed))
    kept = tuple(
        result if part.axis is None else _rows(result, part, others)
        for result, part in zip(after, harness.reference(case).parts, strict=True)
    )
    yield from _against_samples("the other samples after one was changed", kept, implementation(call), others, case)


@harness.property(requires=differentiable_batch, variants=with_samples)
def batch_gradient_leak(implementation, case):
    """The gradient of one sample's result in the other samples is zero."""
    call = case.call()
    if call.batch_size < 2:
        return
    parts = harness.reference(case).parts
    results = implementation(call)
    chosen = case.seed % call.batch_size
    others = torch.tensor([i for i in range(call.batch_size) if i != chosen], device=case.device)
    only_one = []
    for result, part in zip(results, parts, strict=True):
        mask = torch.zeros_like(result)
        if part.axis is not None and (result.is_floating_point() or result.is_complex()):
            mask.select(part.axis, chosen).fill_(1)
        only_one.append(mask)
    _, gradients = implementation.gradients(call, tuple(only_one))
    for name, axis in call.batch_axes.items():
        if name in gradients:
            own = _wide(gradients[name].select(axis, chosen)).norm()
            if own.isfinite():
                foreign = gradients[name].index_select(axis, others)
                leaks = bool((_wide(foreign).abs() > own * torch.finfo(foreign.dtype).eps).any())
                yield harness.holds(f"no gradient of sample {chosen} reaches another sample of {name}", not leaks, case)


def _wide(tensor):
    return tensor if tensor.is_complex() else tensor.cpu().double()


@harness.property(requires=batch_that_may_be_empty, variants=empty_batch)
def batch_of_zero(implementation, case):
    """A batch of no samples gives an empty result of the right shape."""
    implementation(case)
    yield harness.holds("an empty batch gives an empty result", True, case)
