"""Boosted trees: against a walk in exact fractions, against xgboost's own training, and faults that are planted."""

import json
from fractions import Fraction

import numpy as np
import pytest
import torch

import harness
from harness.operations.boosted_trees import boosted_trees_leaves, boosted_trees_predict, xgboost_booster
from tests.verdicts import explored


def walked(call, sample, tree):
    """The leaf that a sample reaches, by the rule in words: below goes left, equal and above right, missing as told."""
    at = {name: tensor.tolist() for name, tensor in call.arguments.items()}
    node = 0 if at["feature"][tree] else -1
    while node >= 0:
        value, border = at["x"][sample][at["feature"][tree][node]], at["threshold"][tree][node]
        goes_left = bool(at["missing_left"][tree][node]) if value != value else Fraction(value) < Fraction(border)
        node = at["left" if goes_left else "right"][tree][node]
    return ~node


def made_of(operation):
    return [made for made in (operation.own, *operation.implementations.values()) if not made.unavailable()]


@pytest.mark.parametrize("seed", [*range(8), 13, 21])
@pytest.mark.parametrize(("trees", "splits"), [(3, 5), (2, 1), (4, 0), (0, 3)])
def test_all_against_a_walk_in_fractions(seed, trees, splits):
    sizes = {"batch": 9, "features": 2, "splits": splits, "trees": trees}
    case = harness.Case(boosted_trees_predict, sizes, seed=seed, dtype="float32")
    call = case.call()
    leaves = [[walked(call, sample, tree) for tree in range(trees)] for sample in range(9)]
    leaf, (base,) = case.tensors["leaf"].tolist(), case.tensors["base"].tolist()
    exact = [
        float(Fraction(base) + sum(Fraction(leaf[tree][number]) for tree, number in enumerate(row))) for row in leaves
    ]
    for operation, expected, digits in ((boosted_trees_leaves, leaves, 0), (boosted_trees_predict, exact, 1e-6)):
        arguments = {name: call.arguments[name] for name in operation.tensors}
        for made in made_of(operation):
            wide = made.backend.name == "lightgbm"
            given = {
                name: each.double() if wide and each.is_floating_point() else each for name, each in arguments.items()
            }
            (found,) = harness.Subject(operation, made)(harness.Call(operation, given, {}))
            size = 1 + np.abs(case.tensors["leaf"].numpy()).sum()
            assert np.allclose(found.numpy(), np.array(expected).reshape(found.shape), rtol=0, atol=digits * size), made


def test_a_tree_that_xgboost_trained_is_predicted_as_xgboost_does():
    xgboost = pytest.importorskip("xgboost")

    x = harness.RandomSource((60, 3), {}, 0, "x").normal().astype(np.float32)
    y = x[:, 0] * x[:, 1] + np.abs(x[:, 2])
    data = xgboost.DMatrix(x, y, nthread=1)
    booster = xgboost.train({"max_depth": 3, "nthread": 1}, data, 1)
    document = json.loads(booster.save_raw("json"))["learner"]
    (tree,) = document["gradient_booster"]["model"]["trees"]
    splits = [node for node, child in enumerate(tree["left_children"]) if child >= 0]
    ends = [node for node, child in enumerate(tree["left_children"]) if child < 0]
    numbers = {node: number for number, node in enumerate(splits)} | {node: ~number for number, node in enumerate(ends)}

    def of_splits(values):
        return torch.tensor([[values[node] for node in splits]])

    given = {
        "x": torch.from_numpy(x),
        "feature": of_splits(tree["split_indices"]),
        "threshold": of_splits(tree["split_conditions"]),
        "left": of_splits([numbers.get(child) for child in tree["left_children"]]),
        "right": of_splits([numbers.get(child) for child in tree["right_children"]]),
        "missing_left": of_splits(tree["default_left"]),
        "leaf": torch.tensor([[tree["split_conditions"][node] for node in ends]]),
        "base": torch.tensor([float(document["learner_model_param"]["base_score"].strip("[]"))]),
    }
    expected = torch.from_numpy(booster.predict(data))
    assert torch.equal(boosted_trees_predict(**given), expected)
    again = boosted_trees_predict.find("xgboost_json").function(**{name: each.numpy() for name, each in given.items()})
    assert torch.equal(torch.from_numpy(again), expected)


def test_xgboost_reads_the_model_as_it_was_written():
    pytest.importorskip("xgboost")
    case = harness.Case(boosted_trees_predict, {"batch": 1, "features": 3, "splits": 6, "trees": 2}, dtype="float32")
    arrays = {name: tensor.numpy() for name, tensor in case.tensors.items() if name != "x"}
    dump = xgboost_booster(3, *arrays.values()).get_dump()
    assert [text.count("leaf=") for text in dump] == [7, 7]
    assert [text.count("[f") for text in dump] == [6, 6]


def equal_goes_left(x, feature, threshold, left, right, missing_left):
    above = torch.nextafter(threshold, torch.full_like(threshold, torch.inf))
    return boosted_trees_leaves(x, feature, above, left, right, missing_left)


def missing_goes_right(x, feature, threshold, left, right, missing_left):
    return boosted_trees_leaves(x, feature, threshold, left, right, torch.zeros_like(missing_left))


def one_tree_short(x, feature, threshold, left, right, missing_left, leaf, base):
    return boosted_trees_predict(
        x, *(each[: max(1, len(each) - 1)] for each in (feature, threshold, left, right, missing_left, leaf)), base
    )


def base_in_every_slice(x, feature, threshold, left, right, missing_left, leaf, base):
    return boosted_trees_predict(x, feature, threshold, left, right, missing_left, leaf, base + 0.5)


@pytest.mark.parametrize(
    ("operation", "name", "faulty"),
    [
        (boosted_trees_leaves, "agreement", equal_goes_left),
        (boosted_trees_leaves, "threshold_goes_right", equal_goes_left),
        (boosted_trees_leaves, "agreement", missing_goes_right),
        (boosted_trees_leaves, "missing_goes_its_way", missing_goes_right),
        (boosted_trees_predict, "agreement", one_tree_short),
        (boosted_trees_predict, "tree_order", one_tree_short),
        (boosted_trees_predict, "slices_add_up", base_in_every_slice),
        (boosted_trees_predict, "no_rounds", base_in_every_slice),
    ],
    ids=lambda value: getattr(value, "__name__", getattr(value, "name", value)),
)
def test_a_planted_fault_is_found_and_right_code_passes(operation, name, faulty):
    for function, failing in ((faulty, True), (operation.definition, False)):
        for dtype in ("float64", "float32"):
            assert explored(name, operation, function, dtype).verdict.failing == failing
