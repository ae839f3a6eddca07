"""The linear layer: against exact fractions, and the batch slice that is off by one."""

from fractions import Fraction
from time import perf_counter

import pytest
import torch

import harness
from harness.execute.outcome import outcome
from harness.measure.verdict import Verdict
from harness.operations.linear import linear
from tests.verdicts import cell_of, explored

SAMPLES = [[1, 2, -3], [0, 5, 4], [-7, 1, 1], [2, 2, 2]]
ROWS, BIAS = [[1, 0, 2], [3, -1, 4]], [Fraction(1, 2), Fraction(-7, 4)]


def expected():
    return [
        [sum(w * v for w, v in zip(row, sample, strict=True)) + b for row, b in zip(ROWS, BIAS, strict=True)]
        for sample in SAMPLES
    ]


def test_definition_and_implementations_against_fractions():
    arguments = {
        "x": torch.tensor(SAMPLES, dtype=torch.float32),
        "W": torch.tensor(ROWS, dtype=torch.float32),
        "b": torch.tensor([float(b) for b in BIAS]),
    }
    call = harness.Call(linear, arguments, {})
    for made in (linear.own, *linear.implementations.values()):
        assert harness.Subject(linear, made)(call)[0].tolist() == expected(), made


def reuses_all_but_the_last(x, W, b):
    """A batch slice that is off by one: the last sample's result is that of the one before it."""
    result = x[:-1] @ W.mT + b
    return torch.cat([result, result[-1:]]) if len(x) > 1 else x @ W.mT + b


def keeps_an_old_last_sample():
    """A buffer that is filled up to the last sample, which is left as the previous call made it."""
    buffers = {}

    def stale(x, W, b):
        result = x @ W.mT + b
        key = (*result.shape, result.dtype)
        old = buffers.get(key, torch.zeros_like(result))
        buffers[key] = result
        return torch.cat([result[:-1], old[-1:]])

    return stale


def first_axis_summed(x, W, b):
    return x @ W.mT + b.sum(0, keepdim=True)


def truncated_reduction(x, W, b):
    return x[:, : x.shape[1] // 8 * 8 or None] @ W[:, : x.shape[1] // 8 * 8 or None].mT + b


def in_half(x, W, b):
    return (x.bfloat16() @ W.bfloat16().mT + b.bfloat16()).to(x.dtype)


def bias_of_the_batch(x, W, b):
    return x @ W.mT + b * (1 + 1e-3 * (len(x) > 1))


def answers(name, function, dtypes=("float64", "float32")):
    return [explored(name, linear, function, dtype).verdict for dtype in dtypes]


@pytest.mark.parametrize(
    ("name", "faulty"),
    [
        ("agreement", reuses_all_but_the_last),
        ("agreement", first_axis_summed),
        ("agreement", truncated_reduction),
        ("agreement", in_half),
        ("batch_invariance", reuses_all_but_the_last),
        ("batch_permutation", reuses_all_but_the_last),
        ("batch_invariance", bias_of_the_batch),
        ("gradients", reuses_all_but_the_last),
        ("repeatability", keeps_an_old_last_sample()),
        ("agreement", keeps_an_old_last_sample()),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_a_planted_fault_is_found_and_right_code_passes(name, faulty):
    assert any(verdict.failing for verdict in answers(name, faulty, ("float64",)))
    right = answers(name, lambda x, W, b: torch.addmm(b, x, W.mT))
    assert all(verdict in (Verdict.EXACT, Verdict.ROUNDING) for verdict in right)


@pytest.mark.parametrize("seed", range(3))
def test_a_batch_slice_that_is_off_by_one_is_found_and_shrunk(seed, record_property):
    began = perf_counter()
    for dtype in ("float64", "float32"):
        found = outcome(cell_of("agreement", linear, reuses_all_but_the_last, dtype), 48, seed)
        assert Verdict(found.verdict) is Verdict.WRONG
        shown = found.counterexample
        assert shown.case["sizes"] == {"batch": 2, "inputs": 1, "outputs": 1}
        assert shown.case["layout"] == "contiguous"
        assert "the error does not shrink with higher precision" in shown.sentence
    seconds = perf_counter() - began
    record_property("seconds", seconds)
    print(f"found and shrunk in float64 and float32 in {seconds:.2f} s")
