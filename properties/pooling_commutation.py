"""Pooling and a linear decoder: when pool-then-decode is decode-then-pool, and by how much it is not.

An implementation of either order is held against the oracle of the other one, on the same tensors: both operations
declare the same arguments, so a case of one is a case of the other. With a row of weights w over the steps,

    decode(Σ wₜ xₜ) − Σ wₜ decode(xₜ) = (1 − Σ wₜ)·b,

which is 0 for mean and last and (1 − time)·b for the sum. Order statistics commute with a decoder whose rows are
monotone functions of one feature, and with no other in general.

Sources: docs/sources.md#pooling-and-a-linear-decoder.
"""

import numpy as np
import torch

import harness
from harness.operations.pooling import (
    decode_then_pool,
    decode_then_weighted_pool,
    pool_then_decode,
    weighted_pool_then_decode,
)

OTHER_ORDER = {
    "pool_then_decode": decode_then_pool,
    "decode_then_pool": pool_then_decode,
    "weighted_pool_then_decode": decode_then_weighted_pool,
    "decode_then_weighted_pool": weighted_pool_then_decode,
}
LINEAR = ("mean", "last", "sum")
ORDERED = ("max", "min", "median")


def linear_poolings(case):
    """The case if it pools by mean, last or sum, else pooled by one of them."""
    yield from _pooled_by(case, LINEAR)


def order_statistics(case):
    """The case if it pools by max, min or median, else pooled by one of them."""
    yield from _pooled_by(case, ORDERED)


def max_pooling(case):
    """The case pooled by max."""
    yield from _pooled_by(case, ("max",))


def _pooled_by(case, poolings):
    pooling = case.options["pooling"]
    if pooling not in poolings:
        case = case.replace(options={"pooling": poolings[case.seed % len(poolings)]})
    if case.operation.admits(case.sizes, case.options):
        yield case


def in_the_other_order(case):
    """The case with the same tensors, of the operation in the other order."""
    return case.replace(operation=OTHER_ORDER[case.operation.name])


def _bias_that_is_left(case, total):
    """What the other order's result lacks: (1 − Σw)·b where this one pools first. total: Σw of each sample."""
    first = case.operation.name in ("pool_then_decode", "weighted_pool_then_decode")
    left = np.multiply.outer(1 - total, harness.as_array(case.tensors["b"]).astype(np.longdouble))
    return left if first else -left


def _values(implementation, case, total):
    own, other = (harness.reference(each).parts[0] for each in (case, in_the_other_order(case)))
    expected = (other.expected + _bias_that_is_left(case, total)).astype(other.expected.dtype)
    yield harness.close("against the other order", implementation(case)[0], expected, case, like=own, both_rounded=True)


def _gradients(implementation, case, names):
    _, found = implementation.gradients(case)
    own, other = (harness.gradient_reference(each).parts for each in (case, in_the_other_order(case)))
    for (name, gradient), part, expected in zip(found.items(), own, other, strict=True):
        if name in names:
            label = f"gradient in {name} against the other order"
            yield harness.close(label, gradient, expected.expected, case, like=part, both_rounded=True)


@harness.property(of=("pool_then_decode", "decode_then_pool"), variants=linear_poolings)
def pooling_commutes(implementation, case):
    """Mean and last commute with an affine map; a sum is off by (time − 1)·b (claims pooling.mean, pooling.last)."""
    total = np.float64(case.sizes["time"] if case.options["pooling"] == "sum" else 1)
    yield from _values(implementation, case, total)


@harness.property(of=("pool_then_decode", "decode_then_pool"), variants=linear_poolings)
def pooling_gradients_commute(implementation, case):
    """Gradients are the same in either order, but for a sum's in b (claims pooling.mean, pooling.last)."""
    names = ("x", "W") if case.options["pooling"] == "sum" else ("x", "W", "b")
    yield from _gradients(implementation, case, names)


@harness.property(of=("weighted_pool_then_decode", "decode_then_weighted_pool"))
def weighted_pooling_commutes(implementation, case):
    """The orders differ by (1 − Σw)·b, so by nothing if and only if Σw = 1 or b = 0 (claim pooling.weights)."""
    total = harness.as_array(case.tensors["weights"]).astype(np.longdouble).sum(1)
    yield from _values(implementation, case, total)


@harness.property(of=("weighted_pool_then_decode", "decode_then_weighted_pool"))
def weighted_pooling_gradients_commute(implementation, case):
    """The gradients in x and W are the same in either order, whatever the weights (claim pooling.weights)."""
    yield from _gradients(implementation, case, ("x", "W"))


@harness.property(of=("pool_then_decode", "decode_then_pool"), variants=order_statistics)
def monotone_decoder_commutes(implementation, case):
    """Max, min and median commute with a decoder that has one non-negative entry in each row (claim pooling.max)."""
    call = case.call()
    W = call.arguments["W"]
    outputs, features = W.shape
    kept = torch.arange(features, device=W.device) == (torch.arange(outputs, device=W.device) % features)[:, None]
    call = call.replace(W=torch.where(kept, W.abs(), 0))
    own, other = (harness.reference(each, call).parts[0] for each in (case, in_the_other_order(case)))
    yield harness.close(
        "against the other order", implementation(call)[0], other.expected, case, like=own, both_rounded=True
    )


@harness.property(of=("pool_then_decode", "decode_then_pool"), variants=max_pooling)
def max_does_not_commute(implementation, case):
    """Of n unit vectors and a decoder of ones, the max is n pooled first and 1 decoded first (claim pooling.max)."""
    call = case.call()
    n = min(case.sizes["features"], 16) + 1
    steps = torch.eye(n).to(call.arguments["x"]).expand(2, n, n)
    ones, nothing = torch.ones(1, n).to(steps), torch.zeros(1).to(steps)
    expected = n if case.operation.name == "pool_then_decode" else 1
    (result,) = implementation(call.replace(x=steps, W=ones, b=nothing))
    yield harness.holds(f"the result is {expected}", bool((result == expected).all()), case)
