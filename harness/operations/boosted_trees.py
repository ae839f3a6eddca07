"""Boosted trees: what an ensemble of regression trees predicts, the trees being arguments.

A tree of n splits has n + 1 leaves. Split 0 is the root. `left` and `right` name what stands below a split: the split
of that number, or, below zero, the leaf ~number (as LightGBM writes trees, and as a tree without a split needs it).
A sample goes left where its feature is below the threshold, right where it is equal or above, and where `missing_left`
says so when the feature is missing (NaN): xgboost's rule. LightGBM goes left where the feature is equal, too, so it is
given the number just below each threshold.

The leaves that a sample reaches are data that is selected, so `boosted_trees_leaves` is exact: a value on the very
threshold has one right answer. In `boosted_trees_predict` the same value makes the unavoidable error as large as the
leaves differ, since it could be rounded to either side.

Trained trees hold float32 numbers; here each dtype has its own, on a grid that all of them can hold.

Sources: docs/sources.md#boosted-trees.
"""

from __future__ import annotations

import json
from typing import Annotated, Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from harness.declare.declaration import operation
from harness.declare.domains import below
from harness.declare.structure import RandomSource, structure, typical

_SIZES = {"batch": (0, 129), "trees": (0, 17), "splits": (0, 9), "features": (1, 17)}


def _grown(stream: RandomSource) -> tuple[Any, Any]:
    """The children of every split: each split takes the place of a leaf drawn at random, whose number its left child keeps."""
    trees, splits = stream.shape
    shared = RandomSource((trees, splits), {}, stream.seed, "shape of the trees")
    drawn = shared.uniform()
    left, right = np.zeros((trees, splits), dtype=np.int64), np.zeros((trees, splits), dtype=np.int64)
    rows = np.arange(trees)
    for split in range(splits):
        leaf = (drawn[:, split] * (split + 1)).astype(np.int64)
        for children in (left[:, :split], right[:, :split]):
            children[children == ~leaf[:, None]] = split
        left[rows, split], right[rows, split] = ~leaf, ~(split + 1)
    return left, right


def left_children(stream: RandomSource) -> Any:
    """What stands to the left of every split."""
    return _grown(stream)[0]


def right_children(stream: RandomSource) -> Any:
    """What stands to the right of every split."""
    return _grown(stream)[1]


def _between_thresholds(values: Any, known: Any) -> bool:
    """Whether all are quarters or missing, or odd eighths, on a threshold: coarse enough for every dtype to hold."""
    return bool((np.isnan(values) | ((values * 8 == np.rint(values * 8)) & (abs(values) <= 4))).all())


def _odd_eighths(values: Any, known: Any) -> bool:
    """Whether a sample is on a threshold only where it is meant to be."""
    return bool((((values * 8) % 2 == 1) & (abs(values) <= 4)).all())


def _zeros_and_ones(values: Any, known: Any) -> bool:
    """Whether nothing else is among them."""
    return bool(np.isin(values, (0, 1)).all())


@structure(admits=_odd_eighths, simpler=lambda stream: (np.full(stream.shape, 0.125), np.full(stream.shape, -0.125)))
def thresholds(stream: RandomSource) -> Any:
    """Odd eighths from -2 to 2."""
    return stream.integers(-8, 7) / 4 + 0.125


@structure(admits=_zeros_and_ones, simpler=lambda stream: (np.zeros(stream.shape), np.ones(stream.shape)))
def sides(stream: RandomSource) -> Any:
    """1 where a missing value goes left, 0 where it goes right."""
    return stream.integers(0, 1)


@structure(admits=_between_thresholds, simpler=lambda stream: (np.full(stream.shape, 1.0), np.full(stream.shape, -1.0)))
def samples(stream: RandomSource) -> Any:
    """Quarters from -3 to 3, which stand between the thresholds.

    With seeds 1, 3 and 5 of every 8 an entry in sixteen is missing; with 2 and 5 one in sixteen is on a threshold.
    """
    turn = stream.seed % 8
    values, which = stream.integers(-12, 12) / 4, stream.integers(0, 15)
    if turn in (1, 3, 5):
        values = np.where(which == 0, np.nan, values)
    if turn in (2, 5):
        values = np.where(which == 1, values + 0.125, values)
    return values


@typical
def leaf_values(stream: RandomSource) -> Any:
    """Thirds of bells, with all their digits; in a case in four of many magnitudes, in another eighths, whose sums are exact."""
    match stream.seed % 4:
        case 0:
            return stream.integers(-16, 16) / 8
        case 1:
            return np.ldexp(stream.normal() / 3, stream.integers(-6, 2))
    return stream.normal() / 3


@typical
def base_score(stream: RandomSource) -> Any:
    """Eighths from -4 to 4: what every prediction begins with."""
    return stream.integers(-32, 32) / 8


Samples = Annotated[Float[Tensor, "batch features"], samples]
Features = Annotated[Int[Tensor, "trees splits"], below("features")]
Thresholds = Annotated[Float[Tensor, "trees splits"], thresholds]
Left = Annotated[Int[Tensor, "trees splits"], left_children]
Right = Annotated[Int[Tensor, "trees splits"], right_children]
Sides = Annotated[Int[Tensor, "trees splits"], sides]
Leaves = Annotated[Float[Tensor, "trees splits+1"], leaf_values]
Base = Annotated[Float[Tensor, "1"], base_score]


def _descended(x, feature, threshold, left, right, missing_left):
    """The leaf of every sample in every tree, all samples going down all trees at once, a split at a time."""
    trees, splits = feature.shape
    here = x.new_full((len(x), trees), 0 if splits else -1, dtype=torch.long)
    rows = torch.arange(trees, device=x.device)
    while bool((here >= 0).any()):
        at = here.clamp(min=0)
        value = x.gather(1, feature[rows, at])
        goes_left = torch.where(value.isnan(), missing_left[rows, at] > 0, value < threshold[rows, at])
        below = torch.where(goes_left, left[rows, at], right[rows, at])
        here = torch.where(here >= 0, below, here)
    return ~here


@operation(sizes=_SIZES, exact=True, differentiable=False)
def boosted_trees_leaves(
    x: Samples, feature: Features, threshold: Thresholds, left: Left, right: Right, missing_left: Sides
) -> Int[Tensor, "batch trees"]:
    """The leaf that each sample reaches in each tree: xgboost's `apply`, LightGBM's `pred_leaf`.

    x: (batch, features), NaN where missing; feature, threshold, left, right, missing_left: (trees, splits), as the
    head of the module says. Leaves are counted from 0 to splits.
    """
    return _descended(x, feature, threshold, left, right, missing_left)


@operation(sizes=_SIZES)
def boosted_trees_predict(
    x: Samples,
    feature: Features,
    threshold: Thresholds,
    left: Left,
    right: Right,
    missing_left: Sides,
    leaf: Leaves,
    base: Base,
) -> Float[Tensor, "batch"]:
    """Base score plus the leaf that the sample reaches in each tree (claims trees.base-plus-leaves, trees.slices).

    x: (batch, features), NaN where missing; feature, threshold, left, right, missing_left: (trees, splits), as the
    head of the module says; leaf: (trees, splits + 1), in which the learning rate is contained; base: (1,). No trees
    give the base score.
    """
    reached = _descended(x, feature, threshold, left, right, missing_left)
    return base + leaf.gather(1, reached.mT).sum(0)


@boosted_trees_predict.in_extended_precision
def predict_long(x, feature, threshold, left, right, missing_left, leaf, base):
    """The same sum in long double; which leaves are reached needs no digits."""
    reached = _walked(x, feature, threshold, left, right, missing_left)
    return base + np.take_along_axis(leaf, reached.T, 1).sum(0)


def _walked(x, feature, threshold, left, right, missing_left):
    """The leaf of every sample in every tree, tree by tree: each split parts the samples that have come to it."""
    trees, splits = feature.shape
    reached = np.zeros((len(x), trees), dtype=np.int64)
    for tree in range(trees):
        arrived = {0 if splits else -1: np.arange(len(x))}
        while arrived:
            node, who = arrived.popitem()
            if node < 0:
                reached[who, tree] = ~node
                continue
            values = x[who, feature[tree, node]]
            to_left = np.where(np.isnan(values), missing_left[tree, node] > 0, values < threshold[tree, node])
            arrived[int(left[tree, node])], arrived[int(right[tree, node])] = who[to_left], who[~to_left]
    return reached


def _by_products(x, feature, threshold, left, right, missing_left):
    """One-hot leaves, (batch, trees, leaves): a leaf is reached where all splits above it send the sample its way.

    A split that sends left is 1, one that sends right is −1; times the way to the leaf, added up, that makes the
    number of splits above the leaf where each agrees, and less where one does not.
    """
    way = _ways(left, right).to(x.dtype)
    values = x[:, feature]
    sent_left = torch.where(values.isnan(), missing_left > 0, values < threshold)
    sent = 2 * sent_left.to(x.dtype) - 1
    return torch.einsum("bts,tls->btl", sent, way) == way.abs().sum(2)


def _ways(left, right):
    """(trees, leaves, splits): 1 where the way to the leaf goes left at the split, −1 right, 0 where it does not pass."""
    trees, splits = left.shape
    way = left.new_zeros(trees, splits + 1, splits)
    below = torch.zeros(trees, splits, splits + 1, dtype=torch.bool, device=left.device)
    for split in reversed(range(splits)):  # children have higher numbers than their parents
        for side, children in ((1, left), (-1, right)):
            child = children[:, split]
            alone = torch.nn.functional.one_hot((~child).clamp(min=0), splits + 1).bool()
            there = torch.where(
                (child < 0)[:, None], alone, below[torch.arange(trees, device=left.device), child.clamp(min=0)]
            )
            way[:, :, split] += side * there
            below[:, split] |= there
    return way


@boosted_trees_leaves.implementation(backend="numpy", name="numpy_walk")
def leaves_by_walk(x, feature, threshold, left, right, missing_left):
    """numpy: each split parts the samples that have come to it."""
    return _walked(x, feature, threshold, left, right, missing_left)


@boosted_trees_leaves.implementation(backend="torch", name="one_hot_products")
def leaves_by_products(x, feature, threshold, left, right, missing_left):
    """Every split asked at once, then a product with the ways to the leaves."""
    return _by_products(x, feature, threshold, left, right, missing_left).long().argmax(2)


@boosted_trees_predict.implementation(backend="numpy", name="numpy_walk")
def predict_by_walk(x, feature, threshold, left, right, missing_left, leaf, base):
    """numpy: each split parts the samples that have come to it; leaves added up one tree after another."""
    reached = _walked(x, feature, threshold, left, right, missing_left)
    total = np.broadcast_to(base, len(x)).copy()
    for tree, values in enumerate(leaf):
        total += values[reached[:, tree]]
    return total


@boosted_trees_predict.implementation(backend="torch", name="one_hot_products")
def predict_by_products(x, feature, threshold, left, right, missing_left, leaf, base):
    """Every split asked at once, then a product with the ways to the leaves, and one with the leaves' values."""
    there = _by_products(x, feature, threshold, left, right, missing_left)
    return base + torch.einsum("btl,tl->b", there.to(leaf.dtype), leaf)


# xgboost: a model written as its JSON


def xgboost_booster(features, feature, threshold, left, right, missing_left, leaf, base):
    """An xgboost Booster that holds the given trees; arrays as the operation's, features their number."""
    import xgboost

    booster = xgboost.Booster({"nthread": 1})
    rows = zip(feature, threshold, left, right, missing_left, leaf, strict=True)
    trees = [_xgboost_tree(number, features, *row) for number, row in enumerate(rows)]
    model = {
        "gbtree_model_param": {"num_parallel_tree": "1", "num_trees": str(len(trees))},
        "iteration_indptr": list(range(len(trees) + 1)),
        "tree_info": [0] * len(trees),
        "trees": trees,
    }
    parameters = {
        "base_score": f"{float(base[0]):.9g}",
        "boost_from_average": "0",
        "num_class": "0",
        "num_feature": str(features),
        "num_target": "1",
    }
    learner = {
        "attributes": {},
        "feature_names": [],
        "feature_types": [],
        "gradient_booster": {"model": model, "name": "gbtree"},
        "learner_model_param": parameters,
        "objective": {"name": "reg:squarederror", "reg_loss_param": {"scale_pos_weight": "1"}},
    }
    booster.load_model(bytearray(json.dumps({"learner": learner, "version": [2, 1, 0]}).encode()))
    return booster


def _xgboost_numbers(left, right):
    """xgboost's number of every split and every leaf. It takes a right child for its left sibling's next, unasked."""
    splits = len(left)
    of_split, of_leaf = np.zeros(splits, dtype=np.int64), np.zeros(splits + 1, dtype=np.int64)
    for split in range(splits):  # children have higher numbers than their parents
        for number, child in enumerate((left[split], right[split]), 2 * split + 1):
            if child < 0:
                of_leaf[~child] = number
            else:
                of_split[child] = number
    return of_split, of_leaf


def _xgboost_tree(number, features, feature, threshold, left, right, missing_left, leaf):
    """A tree in the form of xgboost's JSON; a leaf's value stands where a split has its threshold."""
    nodes = 2 * len(feature) + 1
    of_split, of_leaf = _xgboost_numbers(left, right)

    def placed(of_splits, of_leaves):
        values = np.empty(nodes, dtype=np.asarray(of_splits).dtype)
        values[of_split], values[of_leaf] = of_splits, of_leaves
        return values.tolist()

    first = 2 * np.arange(len(feature)) + 1
    parents = np.full(nodes, 2**31 - 1)
    parents[first], parents[first + 1] = of_split, of_split
    return {
        "base_weights": [0.0] * nodes,
        "categories": [],
        "categories_nodes": [],
        "categories_segments": [],
        "categories_sizes": [],
        "default_left": placed(missing_left, 0),
        "id": number,
        "left_children": placed(first, -1),
        "loss_changes": [0.0] * nodes,
        "parents": parents.tolist(),
        "right_children": placed(first + 1, -1),
        "split_conditions": placed(threshold, leaf),
        "split_indices": placed(feature, 0),
        "split_type": [0] * nodes,
        "sum_hessian": [1.0] * nodes,
        "tree_param": {
            "num_deleted": "0",
            "num_feature": str(features),
            "num_nodes": str(nodes),
            "size_leaf_vector": "1",
        },
    }


def xgboost_matrix(x):
    """The samples as xgboost takes them, NaN being missing."""
    import xgboost

    return xgboost.DMatrix(np.ascontiguousarray(x), nthread=1)


@boosted_trees_leaves.implementation(backend="xgboost", name="xgboost_json")
def leaves_by_xgboost(x, feature, threshold, left, right, missing_left):
    """xgboost's pred_leaf, of a model loaded from JSON."""
    trees, splits = feature.shape
    if not trees * len(x):
        return np.zeros((len(x), trees), dtype=np.int64)  # xgboost gives no columns where there is nothing to tell
    leaf, base = np.zeros((trees, splits + 1)), np.zeros(1)
    booster = xgboost_booster(x.shape[1], feature, threshold, left, right, missing_left, leaf, base)
    nodes = booster.predict(xgboost_matrix(x), pred_leaf=True).reshape(len(x), trees).astype(np.int64)
    numbers = [_xgboost_numbers(*sides)[1] for sides in zip(left, right, strict=True)]
    return np.stack(
        [(column[:, None] == of_leaf).argmax(1) for column, of_leaf in zip(nodes.T, numbers, strict=True)], 1
    )


@boosted_trees_predict.implementation(backend="xgboost", name="xgboost_json")
def predict_by_xgboost(x, feature, threshold, left, right, missing_left, leaf, base):
    """xgboost's predict, of a model loaded from JSON."""
    booster = xgboost_booster(x.shape[1], feature, threshold, left, right, missing_left, leaf, base)
    return booster.predict(xgboost_matrix(x))


# LightGBM: a model written as its text. The base score is a tree of a single leaf before the others


def lightgbm_booster(features, feature, threshold, left, right, missing_left, leaf, base):
    """A LightGBM Booster that holds the base score as its first tree and then the given trees."""
    import lightgbm

    rows = zip(feature, threshold, left, right, missing_left, leaf, strict=True)
    nothing = np.zeros(0, dtype=np.int64)
    trees = [_lightgbm_tree(0, nothing, nothing, nothing, nothing, nothing, base)]
    trees += [_lightgbm_tree(number, *row) for number, row in enumerate(rows, 1)]
    head = [
        "tree",
        "version=v4",
        "num_class=1",
        "num_tree_per_iteration=1",
        "label_index=0",
        f"max_feature_idx={features - 1}",
        "objective=regression",
        "feature_names=" + " ".join(f"Column_{column}" for column in range(features)),
        "feature_infos=" + " ".join(["[-8:8]"] * features),
        "tree_sizes=" + " ".join(str(len(tree)) for tree in trees),
    ]
    text = "\n".join(head) + "\n\n" + "".join(trees) + "end of trees\n\nparameters:\nend of parameters\n"
    return lightgbm.Booster(model_str=text)


def _lightgbm_tree(number, feature, threshold, left, right, missing_left, leaf):
    """A tree in the form of LightGBM's text. Bits of a decision: 2 where missing goes left, 8 because NaN is missing."""

    def line(name, values):
        return f"{name}=" + " ".join(repr(value) for value in np.asarray(values).tolist())

    fields = [
        f"Tree={number}",
        f"num_leaves={len(leaf)}",
        "num_cat=0",
        line("split_feature", feature),
        line("split_gain", [1] * len(feature)),
        line("threshold", np.nextafter(threshold, -np.inf)),
        line("decision_type", 8 + 2 * missing_left),
        line("left_child", left),
        line("right_child", right),
        line("leaf_value", leaf),
        line("leaf_weight", [1] * len(leaf)),
        line("leaf_count", [1] * len(leaf)),
        line("internal_value", [0] * len(feature)),
        line("internal_weight", [0] * len(feature)),
        line("internal_count", [1] * len(feature)),
        "is_linear=0",
        "shrinkage=1",
    ]
    return "\n".join(fields) + "\n\n\n"


@boosted_trees_leaves.implementation(backend="lightgbm", name="lightgbm_text")
def leaves_by_lightgbm(x, feature, threshold, left, right, missing_left):
    """LightGBM's pred_leaf, of a model loaded from text."""
    trees, splits = feature.shape
    if not len(x):
        return np.zeros((0, trees), dtype=np.int64)
    leaf, base = np.zeros((trees, splits + 1)), np.zeros(1)
    booster = lightgbm_booster(x.shape[1], feature, threshold, left, right, missing_left, leaf, base)
    reached = booster.predict(x, pred_leaf=True, num_threads=1).reshape(len(x), trees + 1)
    return reached[:, 1:].astype(np.int64)


@boosted_trees_predict.implementation(backend="lightgbm", name="lightgbm_text")
def predict_by_lightgbm(x, feature, threshold, left, right, missing_left, leaf, base):
    """LightGBM's predict, of a model loaded from text, whose first tree is the base score."""
    booster = lightgbm_booster(x.shape[1], feature, threshold, left, right, missing_left, leaf, base)
    return booster.predict(x, num_threads=1)
