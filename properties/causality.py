"""Causality: the past does not depend on the future, and a sequence can be cut and carried on."""

import torch

import harness


def is_causal(operation):
    return operation.causal is not None


def can_carry(operation):
    return operation.causal is not None and bool(operation.causal.carry)


def _time_of(domains, name, case):
    return domains[name].axis_of(case.operation.causal.axis, case.options)


def _turned(values, domain):
    """Other values of the domain."""
    return domain.kept(values.neg().add(1))


def _cut(call, case, start, stop):
    """The call on the steps from start to stop."""
    changed = {}
    for name, tensor in call.arguments.items():
        for axis, each in enumerate(case.given[name].axes(case.options)):
            if each.text == case.operation.causal.axis:
                changed[name] = changed.get(name, tensor).narrow(axis, start, stop - start)
    return call.replace(**changed)


def _until(results, whole, case, start, stop, label):
    """Hold results that have a time axis against those steps of the whole sequence's results."""
    for index, part in enumerate(harness.reference(case).parts):
        axis = _time_of(dict(enumerate(case.operation.results)), index, case)
        if axis is not None:
            steps = whole[index].narrow(axis, start, stop - start)
            yield harness.close(f"result {index} {label}", results[index], steps, case, like=part, both_rounded=True)


@harness.property(requires=is_causal)
def no_look_ahead(implementation, case):
    """A change of later steps changes nothing in earlier results."""
    steps = case.sizes[case.operation.causal.axis]
    if steps < 2 or not case.operation.causal.holds(case.options):
        return
    middle = steps // 2
    call = case.call()
    changed = {}
    for name, tensor in call.arguments.items():
        axis = _time_of(case.given, name, case)
        if axis is not None and tensor.is_floating_point():
            later = torch.arange(middle, steps, device=tensor.device)
            changed[name] = tensor.index_copy(axis, later, _turned(tensor.index_select(axis, later), case.given[name]))
    before, after = implementation(call), implementation(call.replace(**changed))
    early = tuple(
        result
        if (axis := _time_of(dict(enumerate(case.operation.results)), index, case)) is None
        else result.narrow(axis, 0, middle)
        for index, result in enumerate(after)
    )
    yield from _until(early, before, case, 0, middle, "before the changed steps")


@harness.property(requires=is_causal)
def prefix(implementation, case):
    """The result of a prefix is the prefix of the result."""
    steps = case.sizes[case.operation.causal.axis]
    if steps < 2 or not case.operation.causal.holds(case.options):
        return
    call, middle = case.call(), (steps + 1) // 2
    if not case.allows(**{case.operation.causal.axis: middle}):
        return
    yield from _until(implementation(_cut(call, case, 0, middle)), implementation(call), case, 0, middle, "of a prefix")


@harness.property(requires=can_carry)
def split_and_carry(implementation, case):
    """A sequence cut in two, its state carried over, gives what the whole gives."""
    causal = case.operation.causal
    steps = case.sizes[causal.axis]
    if steps < 2 or not causal.holds(case.options):
        return
    call, middle = case.call(), steps // 2
    if not all(case.allows(**{causal.axis: part}) for part in (middle, steps - middle)):
        return
    whole, first = implementation(call), implementation(_cut(call, case, 0, middle))
    carried = {name: first[index] for name, index in causal.carry.items()}
    second = implementation(_cut(call, case, middle, steps).replace(**carried))
    yield from _until(second, whole, case, middle, steps, "after the cut")
    for index in causal.carry.values():
        yield harness.close(
            f"final state {index}",
            second[index],
            whole[index],
            case,
            like=harness.reference(case).parts[index],
            both_rounded=True,
        )
