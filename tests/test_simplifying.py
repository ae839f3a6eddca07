"""Simplifying: few values, small whole numbers, round decimals, and the fault still in sight."""

import pytest
import torch
from jaxtyping import Float
from torch import Tensor

from harness import HarnessError, operation
from harness.explain.shrinking import shrink
from harness.explain.simplifying import complexity, simplify
from harness.generate.case import Case
from harness.generate.plan import plan
from harness.operations.boosted_trees import boosted_trees_predict
from harness.operations.linear import linear
from harness.operations.pooling import pool_then_decode
from harness.verify.exploration import explore
from harness.verify.finding import WIDE
from tests.test_shrinking import cell_of

SIZES = {"batch": 2, "inputs": 3, "outputs": 2}


def case_of(pattern="normal", seed=5):
    return Case(linear, SIZES, {}, pattern, seed=seed)


def simplified(shows, case=None):
    """The last case that showed it."""
    kept = []

    def asked(each):
        if shows(each):
            kept.append(each)
        return bool(kept) and kept[-1] is each

    simplify(case or case_of(), asked)
    return kept[-1]


def test_what_needs_one_number_keeps_one_and_makes_it_one():
    least = simplified(lambda case: len(case.tensors["b"]) == 2 and case.tensors["b"][1] != 0)
    assert least.tensors["b"].tolist() == [0, 1]
    assert not least.tensors["x"].any() and not least.tensors["W"].any()


def test_what_needs_a_large_number_keeps_a_round_one():
    least = simplified(lambda case: case.tensors["b"][0].abs() > 0.7, case_of(seed=8))
    assert least.tensors["b"].tolist() in ([1], [-1])


def test_places_are_left_out_where_their_neighbours_matter():
    """Whichever the numbers are that matter, and whether another seed has any like them."""
    case = Case(linear, {"batch": 7, "inputs": 5, "outputs": 4}, {}, seed=9)
    mattering = case.tensors["W"][2, 3]
    least = simplified(lambda each: mattering in each.tensors["W"], case)
    assert dict(least.sizes) == {"batch": 1, "inputs": 1, "outputs": 1}
    assert least.values["W"] == (mattering.item(),)


def test_a_place_goes_from_every_factor_and_stays_where_an_axis_follows_from_it_otherwise():
    @operation(sizes={"n": (1, 4)})
    def doubled(
        x: Float[Tensor, "batch 2*n"], longer: Float[Tensor, "batch n+1"], y: Float[Tensor, "n n"]
    ) -> Float[Tensor, "batch n"]:
        """x's first half, whatever the rest."""
        return x[:, : y.shape[0]]

    case = Case(doubled, {"batch": 1, "n": 3})
    given = case.replace(values={"x": (0.0, 1.0, 2.0, 3.0, 4.0, 5.0), "y": tuple(map(float, range(9)))})
    fewer = given.without("n", [1])
    assert fewer.values == {"x": (0.0, 2.0, 3.0, 5.0), "y": (0.0, 2.0, 6.0, 8.0)}
    assert fewer.tensors["longer"].shape == (1, 3)
    assert given.without("n", [0, 1, 2]) is None
    assert case.replace(values={"longer": (0.0, 1.0, 2.0, 3.0)}).without("n", [0]) is None


def test_what_needs_a_fraction_keeps_a_short_decimal():
    least = simplified(lambda case: 0.1 < case.tensors["x"][0, 0].abs() % 1 < 0.9, case_of(seed=3))
    (kept,) = [entry for entry in least.values["x"] if entry]
    assert len(repr(abs(kept))) <= 4


def test_nothing_is_simplified_where_all_of_it_matters():
    case = case_of()
    before = {name: tuple(t.reshape(-1).tolist()) for name, t in case.tensors.items()}
    asked = []
    simplify(case, lambda each: asked.append(each.values) or each.values == before)
    assert asked


def test_a_structure_that_means_something_is_left_alone():
    case = next(iter(plan(pool_then_decode, 4, 0)))
    assert set(simplified(lambda each: True, case).values) == {"x", "W", "b"}
    trees = boosted_trees_predict.tensors
    assert not any(trees[name].takes_any_numbers for name in ("feature", "threshold", "left", "right"))


def test_complexity_counts_entries_first_then_digits():
    def of(*row):
        return complexity(case_of().replace(values={"b": row}))

    assert of(0.0, 1.0) < of(1.0, 1.0) < of(1.5, 1.0) < of(1.25, 1.0)
    assert of(0.0, 123.456) < of(1.0, 1.0)


def test_a_case_with_given_values_is_rebuilt_from_its_record():
    case = case_of().replace(values={"b": (0.5, float("inf"))})
    again = Case.rebuild(case.record(), {"linear": linear})
    assert torch.equal(again.tensors["b"], torch.tensor([0.5, float("inf")], dtype=torch.float64))
    assert again.key == case.key


@pytest.mark.parametrize("values", [{"b": [1.0]}, {"b": ["one", 2.0]}, {"c": [1.0]}])
def test_values_that_do_not_fit_are_refused(values):
    with pytest.raises(HarnessError, match="does not fit its declaration"):
        Case.rebuild({**case_of().record(), "values": values}, {"linear": linear})


def test_other_sizes_leave_no_room_for_given_values():
    case = case_of().replace(values={"b": (1.0, 2.0)})
    assert case.replace(sizes={**SIZES, "outputs": 3}).values == {}
    assert case.another().values == {}
    assert case.replace(dtype="float32").values == case.values


def test_a_simplified_counterexample_stays_wide_of_the_allowance():
    cell = cell_of(lambda x, W, b: (x @ W.mT + b) * (1 + 3e-4))
    done = explore(cell, plan(linear, 64, 0))
    least = shrink(cell, done.worst, 10)
    assert least.judgement.score >= WIDE * least.judgement.allowance
    assert sum(int(tensor.count_nonzero()) for tensor in least.case.tensors.values()) <= 2
