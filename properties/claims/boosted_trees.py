"""What the documents say of boosted trees: how leaves relate to predictions, and what a model begins with.

Statements about training are asked of small models that are trained on samples drawn with the case.
"""

import json
from functools import lru_cache

import numpy as np
import torch
from harness.properties.claims.sources import S2

import harness
from harness import Claim, claim
from harness.operations.boosted_trees import boosted_trees_leaves, xgboost_booster, xgboost_matrix

TREES = ("feature", "threshold", "left", "right", "missing_left", "leaf", "base")
ASKED = np.linspace(-10, 10, 10, dtype=np.float32)
"""The asker's samples, with targets twice as large."""

HELD = (
    Claim(
        "trees.base-plus-leaves",
        S2,
        "A prediction is the base score plus the leaf that the sample reaches in each tree.",
        of="boosted_trees_predict",
        by=("agreement", "no_rounds"),
    ),
    Claim(
        "trees.slices",
        S2,
        "Predictions of slices of the rounds add up to the whole.",
        of="boosted_trees_predict",
        by=("slices_add_up",),
    ),
    Claim(
        "trees.missing",
        S2,
        "A split sends a missing value where the dump says missing=, and a value on its very threshold to no=.",
        of="boosted_trees_leaves",
        by=("missing_goes_its_way", "threshold_goes_right", "agreement"),
    ),
)


def _need_xgboost():
    """Raise Unsupported where it is not installed."""
    if missing := harness.catalogue()["boosted_trees_predict"].find("xgboost_json").unavailable():
        raise harness.Unsupported(missing)


def _xgboost(case):
    """The case's trees as an xgboost model, and its samples; float32, as xgboost takes them."""
    _need_xgboost()
    arrays = {name: tensor.numpy() for name, tensor in case.at("float32").tensors.items()}
    return xgboost_booster(arrays["x"].shape[1], *(arrays[name] for name in TREES)), arrays


@claim("trees.bitwise", S2, of="boosted_trees_predict", implementations=("xgboost_json",), dtypes=("float32",))
def float32_sum_in_order(predict, case):
    """Added up in float32, one tree after another from the base score on, the leaves give xgboost's predictions bit for bit."""
    (result,) = predict(case)
    reached = harness.as_array(_leaves(case))
    total = case.tensors["base"].expand(len(result)).clone()
    for tree, leaf in enumerate(case.tensors["leaf"]):
        total += leaf[reached[:, tree]]
    yield harness.holds("the same bits", torch.equal(result, total), case)


def _leaves(case):
    return boosted_trees_leaves(**{name: case.tensors[name] for name in boosted_trees_leaves.tensors})


@claim("trees.dump-walk", S2, of="boosted_trees_predict", implementations=("xgboost_json",), dtypes=("float32",))
def dump_walked(predict, case):
    """The trees as xgboost dumps them (yes below the threshold, no from it on, missing), walked by hand, give its predictions."""
    booster, arrays = _xgboost(case)
    trees = [json.loads(text) for text in booster.get_dump(dump_format="json")]
    walked = [float(arrays["base"][0]) + sum(_walk(tree, row) for tree in trees) for row in arrays["x"]]
    (part,) = harness.reference(case).parts
    yield harness.close(
        "walked against predicted",
        np.array(walked),
        harness.as_array(predict(case)[0]),
        case,
        like=part,
        both_rounded=True,
    )


def _walk(node, row):
    while "leaf" not in node:
        value = row[int(node["split"].removeprefix("f"))]
        way = "missing" if np.isnan(value) else "yes" if value < np.float32(node["split_condition"]) else "no"
        node = next(child for child in node["children"] if child["nodeid"] == node[way])
    return node["leaf"]


@claim("trees.shap-sum", S2, of="boosted_trees_predict", implementations=("xgboost_json",), dtypes=("float32",))
def contributions_add_up(predict, case):
    """SHAP contributions of the features and the bias add up to the prediction."""
    booster, arrays = _xgboost(case)
    if not len(arrays["x"]):
        return
    parts = booster.predict(xgboost_matrix(arrays["x"]), pred_contribs=True).astype(np.float64)
    (part,) = harness.reference(case).parts
    # each contribution is rounded for itself, and they may be larger than their sum
    eps = torch.finfo(torch.float32).eps
    size = np.abs(parts).sum(1) + np.abs(arrays["leaf"]).sum() + np.abs(arrays["base"]).sum()
    derived = part.derived(part.noise_floor + eps * size, axis=0)
    yield harness.close(
        "contributions", parts.sum(1), harness.as_array(predict(case)[0]), case, like=derived, both_rounded=True
    )


# What the asker trains


def _trained(x, y, rounds=1, **parameters):
    _need_xgboost()
    import xgboost

    settings = {"tree_method": "exact", "max_depth": 1, "nthread": 1, "verbosity": 0, **parameters}
    data = xgboost.DMatrix(x.reshape(len(x), -1), y, nthread=1)
    return xgboost.train(settings, data, rounds), data


def _base_of(booster):
    """The base score as a model has it: "5E-1" before xgboost 3.1, "[5E-1]" since."""
    written = json.loads(booster.save_config())["learner"]["learner_model_param"]["base_score"]
    return float(written.strip("[]"))


def _drawn_samples(case):
    """As many samples as the case has trees, at least two: a feature, and a target that is twice as large."""
    count = case.sizes["trees"] + 2
    x = harness.RandomSource((count,), {}, case.seed, "training samples").integers(-40, 40).astype(np.float32) / 4
    return x, 2 * x


def _first_round(case, **parameters):
    """Predictions of a first round on samples that are symmetric and evenly spaced, as the asker's; none where it does not split at 0."""
    count = case.sizes["trees"] + 1
    step = harness.RandomSource((1,), {}, case.seed, "step").integers(1, 16).astype(np.float32) / 4
    x = step * (np.arange(2 * count, dtype=np.float32) - count + np.float32(0.5))
    booster, data = _trained(x, 2 * x, **parameters)
    predicted = booster.predict(data).astype(np.float64)
    at_zero = (predicted[:count] == predicted[0]).all() and (predicted[count:] == predicted[-1]).all()
    return predicted if at_zero else None


def _antisymmetric(predicted, case):
    """p(−x) = −p(x) to float32's digits, in which xgboost computes: each leaf is a sum over its samples."""
    if predicted is not None:
        eps = torch.finfo(torch.float32).eps
        told = f"p(−x) = −p(x): the left half has {predicted[0]:.6g}, the right half {predicted[-1]:.6g}"
        yield _in_float32(told, predicted[::-1], -predicted, eps * len(predicted) * abs(predicted), case)


def _in_float32(statement, found, expected, unit, case):
    """Whether two results of float32 computations agree within rounding, as a requirement: no precision of the case changes it."""
    told = harness.ExpectedTensor(expected, 0, unit, np.ones(len(unit), dtype=bool))
    held = harness.close(statement, found, expected, case, like=told, both_rounded=True)
    return harness.holds(statement, held.score <= held.allowance, case)


@lru_cache(maxsize=1)
def _asked_tree():
    """The first tree of the asker's model, trained anew: threshold and leaves."""
    booster, _ = _trained(ASKED, 2 * ASKED, base_score=0.5)
    root = json.loads(booster.get_dump(dump_format="json")[0])
    leaves = {child["nodeid"]: child["leaf"] for child in root["children"]}
    return root["split_condition"], leaves[root["yes"]], leaves[root["no"]]


@claim(
    "trees.seed-numbers",
    S2,
    of="boosted_trees_predict",
    implementations=("definition", "xgboost_json"),
    dtypes=("float32",),
)
def posted_numbers(predict, case):
    """With base score 0.5 the first tree's leaves −2.902778 and 2.652777 give the predictions −2.4028 and 3.1528."""
    border, left, right = _asked_tree()
    yield harness.holds("it splits at 0", border == 0, case)
    call = case.call()
    x, one = call.arguments["x"][:, :1], torch.zeros(1, 1, dtype=torch.long, device=case.device)
    if not len(x):
        return
    leaf, base = (torch.tensor(each, dtype=x.dtype, device=x.device) for each in ([[left, right]], [0.5]))
    numbers = {"feature": one, "threshold": one.to(x), "left": ~one, "right": ~(one + 1), "missing_left": one + 1}
    (result,) = predict(call.replace(x=x, leaf=leaf, base=base, **numbers))
    posted = torch.where((x[:, 0] < 0) | x[:, 0].isnan(), -2.4028, 3.1528)
    same = bool(((result * 1e4).round() == (posted * 1e4).round()).all())
    yield harness.holds("the posted predictions, to all digits posted", same, case)
    printed = [round(left, 6), round(right, 6)] == [-2.902778, 2.652778]
    yield harness.holds("the posted leaves, to six digits", printed, case)


@claim("trees.base-zero", S2, of="boosted_trees_predict")
def symmetric_with_base_zero(predict, case):
    """With base_score=0 the predictions of the first round are symmetric where the data are."""
    yield from _antisymmetric(_first_round(case, base_score=0.0), case)


@claim(
    "trees.default-base",
    S2,
    of="boosted_trees_predict",
    instead="since xgboost 2 the base score is estimated from the targets (their mean, for squared error) unless it is given",
)
def base_is_half(predict, case):
    """The initial prediction is controlled by base_score, which defaults to 0.5."""
    x, y = _drawn_samples(case)
    base = _base_of(_trained(x, y)[0])
    told = f"base_score is 0.5 (targets of mean {y.mean():.6g} made it {base:.6g})"
    yield harness.holds(told, base == 0.5, case)


@claim(
    "trees.symmetric",
    S2,
    of="boosted_trees_predict",
    instead="it takes λ = 0 as well: λ shrinks the leaves, but not the base score, towards 0",
)
def symmetric_with_learning_rate_one(predict, case):
    """With learning_rate=1 the predictions are symmetric after one round, from a base score of 0.5."""
    yield from _antisymmetric(_first_round(case, base_score=0.5, learning_rate=1.0), case)


@claim("trees.symmetric-without-lambda", S2, of="boosted_trees_predict")
def symmetric_without_lambda(predict, case):
    """With learning_rate=1 and λ = 0 the predictions of the first round are symmetric, whatever the base score."""
    base = float(case.tensors["base"])
    yield from _antisymmetric(_first_round(case, base_score=base, learning_rate=1.0, reg_lambda=0.0), case)


@claim(
    "trees.ntree-limit",
    S2,
    of="boosted_trees_predict",
    instead="ntree_limit is gone since xgboost 2; write iteration_range=(0, rounds)",
)
def limited_by_ntree_limit(predict, case):
    """predict(X, ntree_limit=1) predicts with the first tree alone."""
    booster, arrays = _xgboost(case)
    try:
        booster.predict(xgboost_matrix(arrays["x"]), ntree_limit=1)
        taken = True
    except TypeError:
        taken = False
    yield harness.holds("predict takes ntree_limit", taken, case)


@claim("trees.iteration-range", S2, of="boosted_trees_predict")
def limited_by_iteration_range(predict, case):
    """predict(X, iteration_range=(0, 1)) predicts with the first tree alone."""
    if not case.sizes["trees"]:
        return
    booster, arrays = _xgboost(case)
    call = case.at("float32").call()
    first = {name: call.arguments[name][:1] for name in TREES if name != "base"}
    alone = call.replace(**first).map(lambda each: each.double() if each.is_floating_point() else each)
    found = booster.predict(xgboost_matrix(arrays["x"]), iteration_range=(0, 1))
    single = case.at("float32")
    part = harness.reference(single, call.replace(**first)).parts[0]
    yield harness.close(
        "the first tree",
        found.astype(np.float64),
        harness.as_array(predict(alone)[0]),
        single,
        like=part,
        both_rounded=True,
    )


@claim(
    "trees.sum-of-leaves",
    S2,
    of="boosted_trees_predict",
    instead="the base score comes to it",
)
def leaves_alone(predict, case):
    """The sum of the leaves that a sample reaches is its prediction."""
    (result,) = predict(case)
    reached, (part,) = _leaves(case), harness.reference(case).parts
    leaves = case.tensors["leaf"].gather(1, reached.mT).sum(0)
    yield harness.close(
        "the leaves against the prediction", leaves, harness.as_array(result), case, like=part, both_rounded=True
    )


def _plain_sum(booster, data, base):
    """Base score plus leaves as the dump has them, in float64."""
    trees = [json.loads(text) for text in booster.get_dump(dump_format="json")]
    leaves = [_leaf_values(tree) for tree in trees]
    nodes = booster.predict(data, pred_leaf=True).reshape(-1, len(trees)).astype(int)
    return np.array([base + sum(leaves[tree][node] for tree, node in enumerate(row)) for row in nodes])


def _leaf_values(node):
    if "leaf" in node:
        return {node["nodeid"]: node["leaf"]}
    return {number: value for child in node["children"] for number, value in _leaf_values(child).items()}


def _sum_is(statement, summed, predicted, case):
    """Whether sums of a model's leaves are its predictions, in float32's digits of the parts."""
    unit = torch.finfo(torch.float32).eps * (1 + abs(summed) + abs(predicted))
    told = f"{statement}: {summed[0]:.6g} and {predicted[0]:.6g} for the first sample"
    return _in_float32(told, summed, predicted, unit, case)


@claim(
    "trees.logistic",
    S2,
    of="boosted_trees_predict",
    instead="base_score is a probability there: the margin is logit(base_score) plus the leaves",
)
def logistic_margin(predict, case):
    """In a model of binary:logistic, too, the margin is base_score plus the leaves."""
    x, y = _drawn_samples(case)
    base = float(1 + case.seed % 7) / 8
    booster, data = _trained(x, (y > 0).astype(np.float32), 3, objective="binary:logistic", base_score=base)
    margin = booster.predict(data, output_margin=True).astype(np.float64)
    yield _sum_is("base_score plus leaves is the margin", _plain_sum(booster, data, base), margin, case)


@claim("trees.logistic-logit", S2, of="boosted_trees_predict")
def logistic_logit(predict, case):
    """In a model of binary:logistic the margin is logit(base_score) plus the leaves."""
    x, y = _drawn_samples(case)
    base = float(1 + case.seed % 7) / 8
    booster, data = _trained(x, (y > 0).astype(np.float32), 3, objective="binary:logistic", base_score=base)
    margin = booster.predict(data, output_margin=True).astype(np.float64)
    summed = _plain_sum(booster, data, np.log(base / (1 - base)))
    yield _sum_is("logit(base_score) plus leaves is the margin", summed, margin, case)


@claim(
    "trees.dart",
    S2,
    of="boosted_trees_predict",
    instead="dart weighs each tree by what was dropped when it was made; the dump's leaves do not contain the weights",
)
def dart_sum(predict, case):
    """In a model of the dart booster, too, a prediction is the base score plus the leaves of the dump."""
    x, y = _drawn_samples(case)
    settings = {"booster": "dart", "rate_drop": 0.5, "one_drop": 1, "seed": case.seed, "base_score": 0.5}
    booster, data = _trained(x, y, 4, **settings)
    predicted = booster.predict(data).astype(np.float64)
    yield _sum_is("base_score plus leaves is the prediction", _plain_sum(booster, data, 0.5), predicted, case)
