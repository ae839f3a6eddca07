"""Pooling and a linear decoder: definitions against exact fractions, properties on right and on faulty code."""

from fractions import Fraction

import numpy as np
import pytest
import torch

import harness
from harness.execute.outcome import outcome
from harness.measure.gradient import gradient_reference
from harness.measure.verdict import Verdict
from harness.operations.pooling import (
    decode_then_pool,
    decode_then_weighted_pool,
    pool_then_decode,
    weighted_pool_then_decode,
)
from tests.verdicts import cell_of, explored

BOTH = (pool_then_decode, decode_then_pool)
POOLINGS = pool_then_decode.options["pooling"].values

STEPS = [[[1, -2, 3], [4, 0, -1], [-5, 2, 2], [2, 2, 7]], [[0, 0, 1], [3, -3, 1], [3, 1, 1], [-2, 6, 1]]]
ROWS, BIAS = [[1, -1, 2], [0, 3, -1]], [10, -7]
WEIGHTS = [[Fraction(1, 2), Fraction(1, 4), Fraction(1, 8), Fraction(1, 8)], [1, -1, 2, 3]]
POOL = {
    "mean": lambda column: Fraction(sum(column), len(column)),
    "last": lambda column: column[-1],
    "sum": sum,
    "max": max,
    "min": min,
    "median": lambda column: sorted(column)[(len(column) - 1) // 2],
}


def decoded(vector):
    return [sum(w * v for w, v in zip(row, vector, strict=True)) + b for row, b in zip(ROWS, BIAS, strict=True)]


def by_column(pool, steps):
    return [pool(column) for column in zip(*steps, strict=True)]


def weighted(weights):
    return lambda column: sum(w * value for w, value in zip(weights, column, strict=True))


def tensor(nested):
    return torch.tensor(np.array(nested, dtype=object).astype(float), dtype=torch.float32)


def every_implementation(operation, **arguments):
    options = {name: arguments.pop(name) for name in operation.options}
    call = harness.Call(operation, arguments, options)
    for made in (operation.own, *operation.implementations.values()):
        try:
            yield made.name, harness.Subject(operation, made)(call)[0].tolist()
        except harness.Unsupported:
            continue


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("time", [1, 2, 4])
def test_definition_and_implementations_against_fractions(pooling, time):
    x, W, b = (tensor(nested) for nested in (STEPS, ROWS, BIAS))
    pool = POOL[pooling]
    steps = [sample[:time] for sample in STEPS]
    expected = {
        pool_then_decode: [decoded(by_column(pool, sample)) for sample in steps],
        decode_then_pool: [by_column(pool, [decoded(step) for step in sample]) for sample in steps],
    }
    for operation, wanted in expected.items():
        found = dict(every_implementation(operation, x=x[:, :time], W=W, b=b, pooling=pooling))
        assert len(found) >= 3
        assert found == dict.fromkeys(found, wanted)


def test_weighted_definitions_and_implementations_against_fractions():
    x, weights, W, b = (tensor(nested) for nested in (STEPS, WEIGHTS, ROWS, BIAS))
    samples = [(weighted(row), sample) for row, sample in zip(WEIGHTS, STEPS, strict=True)]
    expected = {
        weighted_pool_then_decode: [decoded(by_column(pool, sample)) for pool, sample in samples],
        decode_then_weighted_pool: [by_column(pool, [decoded(step) for step in sample]) for pool, sample in samples],
    }
    first, second = expected.values()
    assert first[0] == second[0]  # these weights add up to 1
    assert [a - s for a, s in zip(first[1], second[1], strict=True)] == [(1 - 5) * b for b in BIAS]
    for operation, wanted in expected.items():
        found = dict(every_implementation(operation, x=x, weights=weights, W=W, b=b))
        assert len(found) >= 4
        assert found == dict.fromkeys(found, wanted)


def test_the_example_of_the_source_max_does_not_commute():
    x, W, b = torch.eye(3)[None], torch.ones(1, 3), torch.zeros(1)
    assert pool_then_decode(x, W, b, pooling="max").item() == 3
    assert decode_then_pool(x, W, b, pooling="max").item() == 1


def test_no_steps_give_nan_or_a_clear_error():
    x, W, b = torch.zeros(2, 0, 3), tensor(ROWS), tensor(BIAS)
    for operation in BOTH:
        for _, result in every_implementation(operation, x=x, W=W, b=b, pooling="mean"):
            assert np.isnan(result).all()
    for _, result in every_implementation(pool_then_decode, x=x, W=W, b=b, pooling="sum"):
        assert result == [BIAS, BIAS]
    for _, result in every_implementation(decode_then_pool, x=x, W=W, b=b, pooling="sum"):
        assert result == [[0, 0], [0, 0]]
    for operation in BOTH:
        for pooling in ("last", "max", "min", "median"):
            assert not operation.admits({"time": 0, "batch": 2, "features": 3, "outputs": 2}, {"pooling": pooling})
            with pytest.raises((IndexError, RuntimeError), match=r"dimension|index|dim"):
                operation(x, W, b, pooling=pooling)


def test_a_nan_among_the_steps_reaches_every_pooling_but_another_step():
    x, W, b = torch.ones(1, 5, 1), torch.ones(1, 1), torch.zeros(1)
    x[0, 1] = torch.nan
    for operation in BOTH:
        for pooling in POOLINGS:
            for name, result in every_implementation(operation, x=x, W=W, b=b, pooling=pooling):
                drops = name == "onnx_reduction" and pooling in ("max", "min")  # properties/known_findings.toml
                assert np.isnan(result).all() == (pooling != "last" and not drops), (operation, name, pooling)


def test_half_of_the_weights_that_are_drawn_sum_to_one_in_every_dtype():
    for dtype in ("float64", "float32", "bfloat16", "float16"):
        sizes = {"batch": 5, "time": 600, "features": 1, "outputs": 1}
        case = harness.Case(weighted_pool_then_decode, sizes, seed=7, dtype=dtype)
        assert torch.equal(case.tensors["weights"].double().sum(1), torch.ones(5, dtype=torch.float64))
        assert not torch.any(case.replace(seed=8).tensors["weights"].double().sum(1) == 1)


def test_a_tie_of_largest_steps_leaves_no_gradient_to_compare():
    """The even split of amax and the first index of a sort are both right: u is as large as the gradient."""
    for dtype in ("float32", "bfloat16"):
        tied = harness.Case(pool_then_decode, {"batch": 3, "time": 4, "features": 2, "outputs": 2}, dtype=dtype, seed=1)
        for pooling in ("max", "min"):
            case = tied.replace(options={"pooling": pooling}, pattern="constant")
            of_x, *_ = gradient_reference(case).parts
            assert not of_x.informative.any()
            apart, *_ = gradient_reference(case.replace(pattern="normal", dtype="float32")).parts
            assert apart.informative.all()


def test_the_gradient_of_a_max_of_ties_is_never_called_wrong():
    def split_evenly(x, W, b, pooling):
        return pool_then_decode.definition(x, W, b, pooling)

    def one_of_them(x, W, b, pooling):
        if pooling not in ("max", "min"):
            raise harness.Unsupported("another pooling")
        return getattr(x, pooling)(1).values @ W.mT + b

    for function in (split_evenly, one_of_them):
        for dtype in ("bfloat16", "float16"):
            assert not failing("gradients", pool_then_decode, function, (dtype,), seed=3)


def failing(name, operation, function, dtypes=("float64", "float32"), examples=48, seed=0):
    """The explorations that falsify a property for a function."""
    found = [explored(name, operation, function, dtype, examples, seed) for dtype in dtypes]
    assert all(each.comparisons or each.verdict is Verdict.ERROR for each in found), found
    return [each for each in found if each.verdict.failing]


def pools_features(x, W, b, pooling):
    return pool_then_decode.definition(x.mT, W, b, pooling)


def sum_for_mean(x, W, b, pooling):
    return pool_then_decode.definition(x, W, b, "sum" if pooling == "mean" else pooling)


def first_for_last(x, W, b, pooling):
    return pool_then_decode.definition(x.flip(1) if pooling == "last" else x, W, b, pooling)


def stale_last_sample(x, W, b, pooling):
    result = pool_then_decode.definition(x, W, b, pooling)
    return torch.cat([result[:-1], result[-2:-1]]) if len(x) > 1 else result


def one_step_short(x, W, b, pooling):
    return pool_then_decode.definition(x[:, : max(x.shape[1] - 1, 1)], W, b, pooling)


def upper_median(x, W, b, pooling):
    upper = x.sort(1).values[:, x.shape[1] // 2]
    return upper @ W.mT + b if pooling == "median" else pool_then_decode.definition(x, W, b, pooling)


def largest_magnitude(x, W, b, pooling):
    return pool_then_decode.definition(x.abs() if pooling == "max" else x, W, b, pooling)


def bias_of_every_step(x, W, b, pooling):
    return pool_then_decode.definition(x, W, b * x.shape[1] if pooling == "sum" else b, pooling)


def the_other_order(x, W, b, pooling):
    return decode_then_pool.definition(x, W, b, pooling)


def skips_nan(x, W, b, pooling):
    return x.nanmedian(1).values @ W.mT + b if pooling == "median" else pool_then_decode.definition(x, W, b, pooling)


def detached_decoder(x, W, b, pooling):
    return pool_then_decode.definition(x, W.detach(), b, pooling)


@pytest.mark.parametrize(
    ("name", "faulty"),
    [
        ("agreement", pools_features),
        ("agreement", sum_for_mean),
        ("agreement", first_for_last),
        ("agreement", stale_last_sample),
        ("agreement", one_step_short),
        ("agreement", upper_median),
        ("agreement", largest_magnitude),
        ("agreement", the_other_order),
        ("batch_invariance", stale_last_sample),
        ("batch_permutation", stale_last_sample),
        ("nonfinite_propagation", skips_nan),
        ("gradients", detached_decoder),
        ("pooling_commutes", sum_for_mean),
        ("pooling_commutes", first_for_last),
        ("pooling_commutes", bias_of_every_step),
        ("pooling_gradients_commute", detached_decoder),
        ("monotone_decoder_commutes", upper_median),
        ("monotone_decoder_commutes", largest_magnitude),
        ("max_does_not_commute", the_other_order),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_a_planted_fault_is_found_and_right_code_passes(name, faulty):
    assert failing(name, pool_then_decode, faulty, ("float64",))
    assert not failing(name, pool_then_decode, pool_then_decode.definition)


def test_the_bias_that_every_decoded_step_brings_is_counted():
    def bias_once(x, W, b, pooling):
        return pool_then_decode.definition(x, W, b, pooling)

    assert failing("pooling_commutes", decode_then_pool, bias_once, ("float64",))
    assert not failing("pooling_commutes", decode_then_pool, decode_then_pool.definition)


def normalises(x, weights, W, b):
    return weighted_pool_then_decode.definition(x, weights / weights.sum(1, keepdim=True), W, b)


def weights_of_first_sample(x, weights, W, b):
    return weighted_pool_then_decode.definition(x, weights[:1].expand_as(weights), W, b)


def weights_backwards(x, weights, W, b):
    return weighted_pool_then_decode.definition(x, weights.flip(1), W, b)


def ignores_small_weights(x, weights, W, b):
    return weighted_pool_then_decode.definition(x, (weights * (weights.abs() > 0.1)).detach(), W, b)


@pytest.mark.parametrize("faulty", [normalises, weights_of_first_sample, weights_backwards, ignores_small_weights])
@pytest.mark.parametrize("name", ["agreement", "weighted_pooling_commutes"])
def test_a_fault_of_weighting_is_found_and_right_code_passes(name, faulty):
    assert failing(name, weighted_pool_then_decode, faulty, ("float64",))
    assert not failing(name, weighted_pool_then_decode, contract)


def contract(x, weights, W, b):
    return torch.einsum("bt,btf,of->bo", weights, x, W) + b


def test_detached_weighted_steps_are_found():
    def detached_steps(x, weights, W, b):
        return weighted_pool_then_decode.definition(x.detach(), weights, W, b)

    assert failing("weighted_pooling_gradients_commute", weighted_pool_then_decode, detached_steps, ("float64",))
    assert not failing("weighted_pooling_gradients_commute", weighted_pool_then_decode, contract)


def test_a_stale_last_sample_shrinks_to_two_samples():
    for dtype in ("float64", "float32"):
        found = outcome(cell_of("agreement", pool_then_decode, stale_last_sample, dtype), 48, 0)
        assert found.counterexample.case["sizes"] == {"batch": 2, "features": 1, "outputs": 1, "time": 1}
