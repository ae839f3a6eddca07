"""Boosted trees: leaves that add up, whatever the order and the grouping of the trees."""

import torch

import harness

BY_TREE = ("feature", "threshold", "left", "right", "missing_left", "leaf")
BASE = "base"


def _of_trees(call, choose):
    """The call with some of the trees, in some order."""
    return call.replace(**{name: choose(call.arguments[name]) for name in BY_TREE if name in call.arguments})


@harness.property(of="boosted_trees_predict")
def slices_add_up(implementation, case):
    """The prediction is that of the first rounds plus what the later ones give without a base score (claim trees.slices)."""
    call, middle = case.call(), case.sizes["trees"] // 2
    first = _of_trees(call, lambda each: each[:middle])
    later = _of_trees(call, lambda each: each[middle:]).replace(base=torch.zeros_like(call.arguments[BASE]))
    whole, one, other = (harness.as_array(implementation(each)[0]) for each in (call, first, later))
    parts = [harness.reference(case).parts[0], *(harness.reference(case, each).parts[0] for each in (first, later))]
    part = parts[0].derived(sum(each.noise_floor for each in parts), *parts[1:])
    yield harness.close("the two slices against the whole", one + other, whole, case, like=part, both_rounded=True)


@harness.property(of="boosted_trees_predict")
def no_rounds(implementation, case):
    """Without a tree every prediction is the base score."""
    call = _of_trees(case.call(), lambda each: each[:0])
    (result,) = implementation(call)
    everywhere = call.arguments[BASE].expand(len(result))
    yield harness.holds("the base score, bit for bit", torch.equal(result, everywhere), case)


@harness.property(of=("boosted_trees_predict", "boosted_trees_leaves"))
def tree_order(implementation, case):
    """Trees in another order reach the same leaves, and the same sum within rounding."""
    call = case.call()
    (result,), (turned,) = implementation(call), implementation(_of_trees(call, lambda each: each.flip(0)))
    back = turned if case.operation.name == "boosted_trees_predict" else turned.flip(1)
    part = harness.reference(case).parts[0]
    yield harness.close("trees in reverse order", back, result, case, like=part, both_rounded=True)


@harness.property(of="boosted_trees_leaves")
def threshold_goes_right(implementation, case):
    """A value on the very threshold goes right, the next smaller one left, in the arguments' precision."""
    if not case.sizes["trees"] * case.sizes["splits"] * case.sizes["batch"]:
        return
    call = case.call()
    tree, root = case.seed % case.sizes["trees"], 0
    border = call.arguments["threshold"][tree, root]
    lower = torch.nextafter(border, torch.full_like(border, -torch.inf))
    for label, value, side in (("on the threshold", border, "right"), ("just below it", lower, "left")):
        x = call.arguments["x"].clone(memory_format=torch.contiguous_format)
        x[:, call.arguments["feature"][tree, root]] = value
        (leaves,) = implementation(call.replace(x=x))
        there = _leaves_below(call, tree, int(call.arguments[side][tree, root]))
        yield harness.holds(f"{label} it goes {side}", set(leaves[:, tree].tolist()) <= there, case)


@harness.property(of="boosted_trees_leaves")
def missing_goes_its_way(implementation, case):
    """A missing value goes left where its split says so, and right elsewhere."""
    if not case.sizes["trees"] * case.sizes["splits"] * case.sizes["batch"]:
        return
    call = case.call()
    (leaves,) = implementation(call.replace(x=torch.full_like(call.arguments["x"], torch.nan)))
    left, right, sides = (call.arguments[name] for name in ("left", "right", "missing_left"))
    for tree in range(case.sizes["trees"]):
        node = 0
        while node >= 0:
            node = int((left if sides[tree, node] else right)[tree, node])
        yield harness.holds(f"all reach leaf {~node} of tree {tree}", bool((leaves[:, tree] == ~node).all()), case)


def _leaves_below(call, tree, node):
    """The leaves that stand at or below a child."""
    if node < 0:
        return {~node}
    return set.union(*(_leaves_below(call, tree, int(call.arguments[side][tree, node])) for side in ("left", "right")))
