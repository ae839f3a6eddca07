"""Every derived property, both sides: it holds for right code and is falsified by a planted fault."""

import time
from typing import Literal

import pytest
import torch
from jaxtyping import Float
from torch import Tensor

import harness
from harness.execute.outcome import outcome
from harness.generate.plan import essential, plan
from harness.measure.verdict import Verdict
from harness.verify import exploration, pace
from harness.verify.cell import Cell
from harness.verify.exploration import explore
from tests.verdicts import PROPERTIES, cell_of, explored


@harness.operation(sizes={"time": (1, 17), "d": (0, 33)}, causal=harness.Causal("time", carry={"h": 1}))
def smoothed(
    x: Float[Tensor, "batch time d"], h: Float[Tensor, "batch d"], gain: Literal[1, 2]
) -> tuple[Float[Tensor, "batch time d"], Float[Tensor, "batch d"]]:
    """h_t = h_{t-1}/2 + gain·x_t along time, and the last h."""
    states = []
    for step in range(x.shape[1]):
        h = h / 2 + gain * x[:, step]
        states.append(h)
    return torch.stack(states, 1), h * 1


@harness.operation(sizes={"d": (0, 33)})
def gated(x: Float[Tensor, "batch d"], w: Float[Tensor, "d"]) -> Float[Tensor, "batch d"]:
    """sigmoid(w·x)·x."""
    return torch.sigmoid(w * x) * x


calls = 0


def counts_calls(x, w):
    global calls
    calls += 1
    return gated.definition(x, w) * (1 + 1e-3 * (calls % 2))


def whole_batch_scaled(x, w):
    return gated.definition(x, w) * (1 + 1e-3 * x.shape[0])


def stale_last_sample(x, w):
    result = gated.definition(x, w)
    return torch.cat([result[:-1], result[-1:] * 1.001]) if len(x) > 2 else result


def mixes_neighbours(x, w):
    return gated.definition(x, w) + 1e-3 * gated.definition(x, w).roll(1, 0)


def leaks_gradient(x, w):
    shared = x.mean(0, keepdim=True)
    return gated.definition(x, w) + (shared - shared.detach())


def no_empty_batch(x, w):
    if not len(x):
        raise IndexError("no samples")
    return gated.definition(x, w)


def no_empty_axis(x, w):
    if not x.shape[1]:
        raise IndexError("nothing to do")
    return gated.definition(x, w)


def ignores_strides(x, w):
    flat = torch.as_strided(x, x.shape, (x.shape[1], 1), x.storage_offset()) if x.numel() else x
    return gated.definition(flat, w)


def ignores_offset(x, w):
    return gated.definition(torch.as_strided(x, x.shape, x.stride(), 0), w)


def writes_its_input(x, w):
    x *= 2
    return gated.definition(x / 2, w)


def always_float32(x, w):
    return gated.definition(x, w).float()


def swallows_nan(x, w):
    return torch.nan_to_num(gated.definition(x, w))


def invents_nan(x, w):
    result = gated.definition(x, w)
    return torch.where(x.isinf().any(), torch.full_like(result, torch.nan), result)


def detached_gate(x, w):
    return torch.sigmoid(w * x).detach() * x


def scaled_gradient(x, w):
    return gated.definition(x * 1.001 - (x * 0.001).detach(), w)


@pytest.mark.parametrize(
    ("name", "faulty"),
    [
        ("agreement", lambda x, w: torch.sigmoid(w * x)),
        ("batch_invariance", whole_batch_scaled),
        ("batch_invariance", stale_last_sample),
        ("batch_permutation", mixes_neighbours),
        ("batch_leak", mixes_neighbours),
        ("batch_gradient_leak", leaks_gradient),
        ("batch_of_zero", no_empty_batch),
        ("zero_size_axes", no_empty_axis),
        ("layouts", ignores_strides),
        ("layouts", ignores_offset),
        ("inputs_unmodified", writes_its_input),
        ("result_dtype", always_float32),
        ("repeatability", counts_calls),
        ("nonfinite_propagation", swallows_nan),
        ("nonfinite_propagation", invents_nan),
        ("gradients", detached_gate),
        ("gradients", scaled_gradient),
        ("compiled", lambda x, w: gated.definition(x, w) * (1.001 if torch.compiler.is_compiling() else 1)),
    ],
)
def test_pointwise(name, faulty):
    hold_both_sides(name, gated, lambda x, w: x * torch.special.expit(x * w), faulty)


def with_states(step):
    def looped(x, h, gain):
        states = []
        for index in range(x.shape[1]):
            h = step(x, h, index) * 1.0 if gain == 1 else h / 2 + gain * x[:, index]
            states.append(h)
        return torch.stack(states, 1), h * 1

    return looped


def looks_ahead(x, h, gain):
    states, last = smoothed.definition(x, h, gain)
    return states + 1e-3 * x.sum(1, keepdim=True), last


def centred(x, h, gain):
    return smoothed.definition(x - 1e-3 * x.mean(1, keepdim=True), h, gain)


def forgets_its_state(x, h, gain):
    return smoothed.definition(x, h * (x.shape[1] > 8), gain)


@harness.operation(linear_in="x")
def differences(x: Float[Tensor, "batch d"], w: Float[Tensor, "d"]) -> Float[Tensor, "batch d"]:
    """w times the difference to the previous entry."""
    return w * (x - torch.nn.functional.pad(x, (1, 0))[:, :-1])


def clipped(x, w):
    return differences.definition(x, w).clamp(-1, 1)


def wrong_adjoint(x, w):
    return differences.definition(x * 2 - x.detach(), w)


@pytest.mark.parametrize(("name", "faulty"), [("superposition", clipped), ("adjoint", wrong_adjoint)])
def test_linear(name, faulty):
    hold_both_sides(name, differences, lambda x, w: w * torch.diff(x, prepend=torch.zeros_like(x[:, :1])), faulty)


@pytest.mark.parametrize(
    ("name", "faulty"),
    [
        ("no_look_ahead", looks_ahead),
        ("prefix", centred),
        ("split_and_carry", forgets_its_state),
    ],
)
def test_along_time(name, faulty):
    def by_hand(x, h, gain):
        return smoothed.definition(x, h, gain)

    hold_both_sides(name, smoothed, by_hand, faulty)


def test_a_short_plan_that_leaves_nothing_to_compare_is_not_the_end_of_it():
    """One moment cannot be split; the essential cases have longer ones."""
    cell = cell_of("split_and_carry", smoothed, smoothed.definition)
    moments = [case for case in plan(smoothed, 48, 0) if case.sizes["time"] == 1]
    assert not explore(cell, moments).comparisons
    assert explore(cell, moments, reserve=essential(smoothed)).verdict == "exact"
    longer = [case for case in plan(smoothed, 48, 0) if case.sizes["time"] > 1]
    assert len(explore(cell, longer, reserve=essential(smoothed)).tried) == len(longer)


def slow(x, h, gain):
    time.sleep(0.02)
    return smoothed.definition(x, h, gain)


def test_a_cell_that_met_too_few_cases_says_so_and_one_that_met_all_does_not():
    cell = cell_of("repeatability", smoothed, slow)
    short, whole = outcome(cell, 24, 0, seconds=0.2), outcome(cell, 4, 0)
    assert short.is_short and short.planned == 24 and short.extent == f"{short.met} of 24 cases"
    assert (whole.met, whole.planned, whole.extent) == (4, 4, "")


def test_a_first_case_that_takes_longer_than_the_cells_share_of_a_budget_stays_the_only_one():
    found = outcome(cell_of("repeatability", smoothed, slow), 24, 0, warm_up=0.01)
    assert found.extent == "1 of 24 cases"


def test_a_case_that_takes_too_long_is_left_out_and_is_not_one_that_should_have_been_met(monkeypatch):
    """The report says up to which size each axis was met."""

    def slower(x, h, gain):
        time.sleep(1e-3 * x.shape[0])
        return smoothed.definition(x, h, gain)

    with monkeypatch.context() as patched:
        patched.setattr(pace, "LONGEST", 0.05)
        found = outcome(cell_of("agreement", smoothed, slower), 1, 0)
    assert 16 <= max(found.sizes["batch"]) <= 129 and not found.is_short
    assert max(outcome(cell_of("agreement", smoothed, smoothed.definition), 1, 0).sizes["batch"]) > 1000


@harness.operation(sizes={"batch": (0, 1025), "d": (1, 129)})
def doubled(x: Float[Tensor, "batch d"]) -> Float[Tensor, "batch d"]:
    """Twice x."""
    return 2 * x


@pytest.mark.parametrize("block", [64, None])
def test_where_several_long_axes_take_too_long_each_is_long_alone(monkeypatch, block):
    """Only in large batches are there more than 64 columns, and this takes its time for every row."""
    clock = [0.0]
    monkeypatch.setattr(exploration, "own_seconds", lambda: clock[0])

    def row_by_row(x):
        clock[0] += len(x) / 100
        return torch.where(torch.arange(x.shape[-1]) < (block or 1e9), 2 * x, 0)

    found = outcome(cell_of("agreement", doubled, row_by_row), 1, 0)
    if block is None:
        assert found.verdict == "exact"
        assert max(found.sizes["d"]) == 129 and max(found.sizes["batch"]) < 500 and not found.is_short
    else:
        assert found.verdict == "wrong" and found.counterexample.case["sizes"]["d"] == 65


def hold_both_sides(name, operation, right, faulty):
    for function, failing in ((right, False), (faulty, True)):
        found = [explored(name, operation, function, dtype) for dtype in ("float64", "float32")]
        assert not any(each.verdict is Verdict.UNSUPPORTED for each in found), found
        bad = [each for each in found if each.verdict.failing]
        assert bool(bad) == failing, found
    shown = outcome(bad[0].cell, 48, 0).counterexample
    assert shown and "x = " in shown.source


def test_superposition_is_asked_of_linear_operations_only():
    assert PROPERTIES["superposition"].applies(differences) and not PROPERTIES["superposition"].applies(gated)


def test_the_four_properties_asked_for_by_name_are_modules():
    names = {prop.module.rpartition(".")[2] for prop in PROPERTIES.values()}
    assert {"batch_invariance", "pinv_identities", "recurrent_outputs", "pooling_commutation"} <= names


def test_every_property_says_in_a_sentence_what_must_hold():
    for prop in PROPERTIES.values():
        assert prop.summary.endswith((".", ")")) and len(prop.summary) > 20, prop


def test_a_malformed_property_is_refused():
    with pytest.raises(
        harness.DeclarationError, match=r"property lonely must take \(implementation, case\), not \(case\)"
    ):

        @harness.property
        def lonely(case):
            """Something."""

    with pytest.raises(harness.DeclarationError, match="property silent has no docstring"):

        @harness.property
        def silent(implementation, case):
            yield


# where the definition has no answer


@harness.operation
def with_a_first(x: Float[Tensor, "batch d"]) -> Float[Tensor, "batch d"]:
    """x, of which there has to be a first sample."""
    return x - x[0].detach() * 0


def also_with_a_first(x):
    return x - x[0].detach() * 0


def test_what_the_definition_itself_cannot_answer_is_asked_of_nobody():
    found = explored("batch_of_zero", with_a_first, also_with_a_first)
    assert found.verdict is Verdict.UNSUPPORTED
    assert (
        "the oracle has no answer: test_properties.py: with_a_first: the definition raised"
        in found.worst.judgement.reason
    )


def test_what_the_definition_answers_is_asked():
    assert explored("batch_of_zero", gated, lambda x, w: x[0] * 0 + x).verdict is Verdict.ERROR


class OfOneRow(torch.autograd.Function):
    """x, whose gradient is there for one row alone, as torch.scatter_add's is for a source of the shape of its index."""

    @staticmethod
    def forward(ctx, x):
        ctx.rows = len(x)
        return x.clone()

    @staticmethod
    def backward(ctx, gradient):
        if ctx.rows > 1:
            raise RuntimeError("no gradient for so many rows")
        return gradient


@harness.operation
def of_one_row(x: Float[Tensor, "rows d"]) -> Float[Tensor, "rows d"]:
    """x itself."""
    return OfOneRow.apply(x)


def test_where_the_definition_has_no_gradient_nobody_is_asked_for_one():
    asked = plan(of_one_row, 12, 0)
    for name in ("gradients", "finite_gradients", "forward_mode"):
        found = explore(cell_of(name, of_one_row, lambda x: x * 1, "float32", "torch"), asked)
        assert not found.verdict.failing, name
    told = explore(cell_of("gradients", of_one_row, lambda x: 2 * x, "float32", "torch"), asked)
    assert told.verdict is Verdict.WRONG and told.worst.case.sizes["rows"] == 1
    found = explore(Cell(PROPERTIES["gradients"], of_one_row, of_one_row.own, "cpu", "float32"), asked)
    assert found.verdict is Verdict.ERROR and "its backward pass raised RuntimeError" in found.worst.judgement.reason


@harness.operation
def added_in_place(x: Float[Tensor, "batch d"]) -> Float[Tensor, "batch d"]:
    """tanh(x) + x, of which no gradient can be had: it writes to what tanh keeps for that."""
    made = torch.tanh(x)
    made += x
    return made


def gated_in_place(x, w):
    made = torch.sigmoid(w * x)
    made *= x
    return made


def test_where_neither_has_a_gradient_nobody_is_asked_for_one():
    def also_in_place(x):
        made = torch.tanh(x)
        made += x
        return made

    for dtype in ("float32", "float64"):
        found = explored("gradients", added_in_place, also_in_place, dtype)
        assert found.verdict is Verdict.UNSUPPORTED
        assert "the definition fails as well: " in found.worst.judgement.reason
        assert not explored("agreement", added_in_place, also_in_place, dtype).verdict.failing
    assert explored("gradients", gated, gated_in_place).verdict is Verdict.ERROR


@harness.operation(sizes={"n": (2, 3)})
def singular_vectors(x: Float[Tensor, "batch n n"]) -> Float[Tensor, "batch n n"]:
    """The left ones, whose gradient divides by gaps between singular values."""
    return torch.linalg.svd(x)[0]


@pytest.mark.parametrize("seed", range(3))
def test_a_gradient_that_rounding_alone_makes_finite_is_asked_of_nobody(seed):
    """Of a constant matrix two singular values are 0: float64 divides by what rounding left of their gap, float32 by nothing."""
    asked = [case.replace(pattern="constant") for case in plan(singular_vectors, 40, seed)]
    cell = Cell(PROPERTIES["finite_gradients"], singular_vectors, singular_vectors.own, "cpu", "float32")
    assert not explore(cell, asked).verdict.failing
