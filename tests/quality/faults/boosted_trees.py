"""Faults and other ways of boosted trees."""

import numpy as np
import torch

from harness.operations.boosted_trees import boosted_trees_leaves, boosted_trees_predict
from tests.quality.planted import correct, fault


@fault(boosted_trees_predict, cause="scaled by a size", words="base is multiplied by the size of trees")
def base_with_every_tree(x, feature, threshold, left, right, missing_left, leaf, base):
    """The base score is added once for each tree."""
    reached = boosted_trees_leaves(x, feature, threshold, left, right, missing_left)
    return (base + leaf.gather(1, reached.mT)).sum(0)


@fault(boosted_trees_predict, cause="another function of it", words="1 - missing_left")
def missing_the_other_way(missing_left, **given):
    """What is missing goes to the other side."""
    return boosted_trees_predict(missing_left=1 - missing_left, **given)


@fault(boosted_trees_leaves, cause="exchanged arguments", words="left and right are exchanged")
def children_exchanged(left, right, **given):
    """Below the threshold is right."""
    return boosted_trees_leaves(left=right, right=left, **given)


def _nudged(threshold):
    return torch.nextafter(threshold, torch.full_like(threshold, torch.inf))


@fault(boosted_trees_leaves, cause="another step", words="as if lt in line", dtypes=(torch.float64, torch.float32))
def equal_goes_left(threshold, **given):
    """LightGBM's rule: left is below or equal."""
    return boosted_trees_leaves(threshold=_nudged(threshold), **given)


@fault(boosted_trees_predict, cause="circumstances", words=("raised RuntimeError", "trees"), verdict="error")
def at_least_one_tree(x, feature, threshold, left, right, missing_left, leaf, base):
    """No trees can't be stacked."""
    reached = boosted_trees_leaves(x, feature, threshold, left, right, missing_left)
    return base + torch.stack([values[column] for values, column in zip(leaf, reached.mT, strict=True)]).sum(0)


@fault(boosted_trees_predict, cause="factor of a size", words=("1/n", "trees"))
def mean_of_the_trees(base, leaf, **given):
    """A forest's mean in place of a sum, the base score included."""
    return boosted_trees_predict(base=base, leaf=leaf, **given) / max(len(leaf), 1)


@fault(boosted_trees_predict, cause="reversed axis", words="leaf is reversed along splits+1")
def leaves_from_the_right(leaf, **given):
    """The leaves are numbered from the right."""
    return boosted_trees_predict(leaf=leaf.flip(1), **given)


@fault(boosted_trees_predict, cause=("one value for all", "mask or index misread"), words="missing_left")
def missing_always_left(missing_left, **given):
    """What is missing goes left, whatever the split says."""
    return boosted_trees_predict(missing_left=torch.ones_like(missing_left), **given)


@fault(boosted_trees_leaves, cause="one slice for all", words="the first slice of feature along splits")
def always_the_feature_of_the_root(feature, **given):
    """Every split of a tree looks at the feature of its root."""
    return boosted_trees_leaves(feature=feature[:, :1].expand_as(feature).contiguous(), **given)


@fault(boosted_trees_leaves, cause="circumstances", words="splits")
def never_below_the_second_level(x, feature, threshold, left, right, missing_left):
    """Two splits are walked down, and where there is a third its first leaf is taken."""
    trees, splits = feature.shape
    here, rows = x.new_full((len(x), trees), 0 if splits else -1, dtype=torch.long), torch.arange(trees)
    for _ in range(2 if splits else 0):
        at = here.clamp(min=0)
        value = x.gather(1, feature[rows, at])
        goes_left = torch.where(value.isnan(), missing_left[rows, at] > 0, value < threshold[rows, at])
        here = torch.where(here >= 0, torch.where(goes_left, left[rows, at], right[rows, at]), here)
    return torch.where(here < 0, ~here, 0)


_reached = {}


@fault(boosted_trees_leaves, cause="earlier calls", words="earlier call")
def leaves_remembered_by_shape(x, feature, threshold, left, right, missing_left):
    """The leaves are remembered, and found again by the shape of what was asked."""
    shape = (x.shape, feature.shape)
    if shape not in _reached:
        _reached[shape] = boosted_trees_leaves(x, feature, threshold, left, right, missing_left)
    return _reached[shape].clone()


@fault(
    boosted_trees_predict,
    cause="lower precision",
    words="float32",
    backend="numpy",
    dtypes=(torch.float64, torch.float32),
)
def summed_in_float32(x, feature, threshold, left, right, missing_left, leaf, base):
    """xgboost's own precision, whatever is asked."""
    total = np.full(len(x), base[0], np.float32)
    reached = _one_at_a_time(x, feature, threshold, left, right, missing_left)
    for tree, values in enumerate(leaf.astype(np.float32)):
        total += values[reached[:, tree]]
    return total.astype(x.dtype)


def _one_at_a_time(x, feature, threshold, left, right, missing_left):
    """Each sample walks down each tree by itself."""
    reached = np.zeros((len(x), len(feature)), np.int64)
    for sample, tree in np.ndindex(*reached.shape):
        here = 0 if feature.shape[1] else -1
        while here >= 0:
            value = x[sample, feature[tree, here]]
            goes_left = missing_left[tree, here] if np.isnan(value) else value < threshold[tree, here]
            here = left[tree, here] if goes_left else right[tree, here]
        reached[sample, tree] = ~here
    return reached


@correct(boosted_trees_leaves, backend="numpy")
def sample_after_sample(x, feature, threshold, left, right, missing_left):
    """Each sample walks down each tree by itself."""
    return _one_at_a_time(x, feature, threshold, left, right, missing_left)


@correct(boosted_trees_predict)
def last_tree_first(x, feature, threshold, left, right, missing_left, leaf, base):
    """The trees from the last to the first, the base score after them."""
    reached = boosted_trees_leaves(x, feature, threshold, left, right, missing_left).mT
    total = torch.zeros_like(x[:, 0])
    for values, column in zip(leaf.flip(0), reached.flip(0), strict=True):
        total = total + values[column]
    return total + base
