"""Peers: implementations of one operation are held against each other, and only where there is something to compare."""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

import harness
from harness.declare.implementation import implementation_of
from harness.execute import outcome as outcomes
from harness.execute.outcome import outcome
from harness.measure.comparison import Comparison
from harness.measure.verdict import Verdict
from harness.record.runlog import decode, encode
from harness.verify.cell import Cell
from harness.verify.exploration import Exploration
from harness.verify.peers import Peers
from harness.verify.suite import every_property

AGREEMENT = next(prop for prop in every_property() if prop.name == "agreement")


@harness.operation(sizes={"d": (1, 129)})
def gated(x: Float[Tensor, "batch d"], w: Float[Tensor, "d"]) -> Float[Tensor, "batch d"]:
    """sigmoid(w·x)·x."""
    return torch.sigmoid(w * x) * x


def by_hand(x, w):
    return x / (1 + torch.exp(-x * w))


def scaled(x, w):
    return gated.definition(x, w) * 1.01


def declines(x, w):
    raise NotImplementedError("not today")


def meet(monkeypatch, *functions, dtype="float32", operation=gated):
    """Ask agreement of some implementations, one after another as a worker does, the first of an empty memory."""
    monkeypatch.setattr(outcomes, "_peers", Peers())
    return {function.__name__: _asked(operation, function, dtype) for function in functions}


def _asked(operation, function, dtype):
    made = implementation_of(operation.name, operation.signature, function, "torch")
    return outcome(Cell(AGREEMENT, operation, made, "cpu", dtype), 24, 0)


def test_sound_implementations_agree_and_a_faulty_one_disagrees_with_them_all(monkeypatch):
    def by_expit(x, w):
        return x * torch.special.expit(x * w)

    found = meet(monkeypatch, by_hand, scaled, by_expit)
    assert found["by_hand"].disagreement == {}
    assert Verdict(found["scaled"].verdict) is Verdict.WRONG
    assert found["scaled"].disagreement["by_hand"] > 1_000
    assert found["by_expit"].disagreement["scaled"] > 1_000
    assert found["by_expit"].disagreement["by_hand"] < 8
    assert list(found["by_expit"].disagreement) == ["by_hand", "scaled"]


def test_the_same_function_differs_by_nothing_and_an_exact_operation_has_no_units(monkeypatch):
    def once(x, w):
        return by_hand(x, w)

    assert meet(monkeypatch, by_hand, once)["once"].disagreement == {"by_hand": 0.0}

    @harness.operation(exact=True)
    def turned(x: Float[Tensor, "batch d"]) -> Float[Tensor, "d batch"]:
        """The transpose."""
        return x.T

    def right(x):
        return x.T

    def wrong(x):
        return x.T * 1.01

    found = meet(monkeypatch, right, wrong, operation=turned)
    assert found["wrong"].disagreement["right"] > 1e100
    assert decode(encode(found["wrong"])).disagreement == found["wrong"].disagreement


def test_what_shares_no_answer_has_no_entry(monkeypatch):
    found = meet(monkeypatch, declines, by_hand)
    assert found["by_hand"].disagreement == {}
    assert found["declines"].sizes == {}
    assert _asked(gated, scaled, "float64").disagreement == {}  # another dtype has other peers
    assert list(_asked(gated, scaled, "float32").disagreement) == ["by_hand"]


def test_samples_without_a_digit_are_not_compared():
    def answered(name, result, informative):
        made = implementation_of(gated.name, gated.signature, lambda x, w: x, "torch", name=name)
        one = {"actual": np.array(result), "expected": np.zeros(2)}
        floor = {"noise_floor": np.ones(2), "informative": np.array(informative)}
        done = Exploration(Cell(AGREEMENT, gated, made, "cpu", "float32"))
        done.answers["a case"] = [Comparison(label="", **one, **floor, axis=0, dtype="float32", allowance=32.0)]
        return done

    for informative, told in (([True, False], {"one": 3.0}), ([False, False], {})):
        peers = Peers()
        peers.disagreement(answered("one", [1.0, 1.0], informative))
        assert peers.disagreement(answered("other", [4.0, 900.0], informative)) == told


def test_answers_are_forgotten_with_their_operation(monkeypatch):
    @harness.operation
    def doubled(x: Float[Tensor, "batch d"]) -> Float[Tensor, "batch d"]:
        """Twice x."""
        return 2 * x

    meet(monkeypatch, by_hand)
    _asked(doubled, lambda x: x + x, "float32")
    assert _asked(gated, scaled, "float32").disagreement == {}


def test_an_answer_is_what_was_given_then(monkeypatch):
    held = torch.zeros(0)

    def reuses_its_memory(x, w):
        nonlocal held
        held = held if held.numel() >= x.numel() else torch.empty(x.numel(), dtype=x.dtype)
        return held[: x.numel()].copy_(by_hand(x, w).reshape(-1)).reshape(x.shape)

    found = meet(monkeypatch, reuses_its_memory, by_hand)
    assert found["by_hand"].disagreement == {"reuses_its_memory": 0.0}


def test_sizes_are_those_at_which_results_were_compared(monkeypatch):
    def small_only(x, w):
        if len(w) > 8:
            raise NotImplementedError("eight at most")
        return by_hand(x, w)

    found = meet(monkeypatch, by_hand, small_only)
    assert set(found["by_hand"].sizes) == {"batch", "d"}
    assert max(found["by_hand"].sizes["d"]) > 8 >= max(found["small_only"].sizes["d"])
    assert found["by_hand"].sizes["d"] == sorted(set(found["by_hand"].sizes["d"]))
    assert decode(encode(found["by_hand"])).sizes == found["by_hand"].sizes
