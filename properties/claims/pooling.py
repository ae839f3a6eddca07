"""What the document says of pooling before or after a linear decoder."""

import torch
from harness.properties.claims.sources import S4

import harness
from harness import Claim, claim
from harness.operations.linear import split_for_one_row
from harness.operations.pooling import decode_then_pool

ORDERS = ("pool_then_decode", "decode_then_pool")

HELD = (
    Claim(
        "pooling.mean",
        S4,
        "decoder(pool(x)) is pool(decoder(x)) for the mean, in values and gradients, within rounding.",
        of=ORDERS,
        by=("pooling_commutes", "pooling_gradients_commute"),
    ),
    Claim(
        "pooling.last",
        S4,
        "decoder(pool(x)) is pool(decoder(x)) for the last step, in values and gradients, within rounding.",
        of=ORDERS,
        by=("pooling_commutes", "pooling_gradients_commute"),
    ),
    Claim(
        "pooling.weights",
        S4,
        "A weighted pooling commutes with the decoder if and only if its weights sum to 1 or there is no bias.",
        of=("weighted_pool_then_decode", "decode_then_weighted_pool"),
        by=("weighted_pooling_commutes", "weighted_pooling_gradients_commute"),
    ),
    Claim(
        "pooling.one-entry-rows",
        S4,
        "Max, min and median commute with a decoder that has one non-negative entry in each row.",
        of=ORDERS,
        by=("monotone_decoder_commutes",),
    ),
    Claim(
        "pooling.unit-vectors",
        S4,
        "Of n unit vectors and a decoder of ones (the document has 3), max gives n pooled first and 1 decoded first.",
        of=ORDERS,
        by=("max_does_not_commute",),
    ),
)


def pooled_by(pooling):
    """The variants of a case that pool so, over at least one step."""

    def variants(case):
        case = case.replace(options={"pooling": pooling})
        if case.sizes["time"]:
            yield case

    return variants


def last_in_several_shapes(case):
    """The case pooled by its last step: as drawn, and in batches of 1, 2 and 3 sequences with 65 features.

    Which kernel a library takes, and so in which order it sums, depends on the shape.
    """
    for drawn in pooled_by("last")(case):
        yield drawn
        for batch in (1, 2, 3):
            yield drawn.replace(pattern="normal", sizes={"batch": batch, "time": 60, "features": 65, "outputs": 3})


def _other_order(case):
    """What decoding first and pooling then gives, by definition."""
    return decode_then_pool(*(case.tensors[name] for name in ("x", "W", "b")), case.options["pooling"])


def _commutes(pool_then_decode, case):
    part = harness.reference(case).parts[0]
    label = f"decoder({case.options['pooling']}(x)) against {case.options['pooling']}(decoder(x))"
    return harness.close(label, pool_then_decode(case)[0], _other_order(case), case, like=part, both_rounded=True)


@claim(
    "pooling.max",
    S4,
    of="pool_then_decode",
    variants=pooled_by("max"),
    instead="it does where every row has one entry and none is negative; −1 turns the largest into the smallest",
)
def max_commutes(pool_then_decode, case):
    """Max pooling commutes with the decoder."""
    yield _commutes(pool_then_decode, case)


@claim(
    "pooling.min",
    S4,
    of="pool_then_decode",
    variants=pooled_by("min"),
    instead="it does where every row has one entry and none is negative; −1 turns the smallest into the largest",
)
def min_commutes(pool_then_decode, case):
    """Min pooling commutes with the decoder."""
    yield _commutes(pool_then_decode, case)


@claim(
    "pooling.median",
    S4,
    of="pool_then_decode",
    variants=pooled_by("median"),
    instead="it does where every row has one entry and none is negative; the middle step of one feature is not that of a sum",
)
def median_commutes(pool_then_decode, case):
    """Median pooling commutes with the decoder."""
    yield _commutes(pool_then_decode, case)


@claim(
    "pooling.sum",
    S4,
    of="pool_then_decode",
    variants=pooled_by("sum"),
    instead="decoded first, the sum has the bias L times: it is off by (L − 1)·b",
)
def sum_commutes(pool_then_decode, case):
    """Sum pooling commutes with the decoder."""
    yield _commutes(pool_then_decode, case)


@claim(
    "pooling.last-exact",
    S4,
    of="pool_then_decode",
    dtypes=("float32",),
    variants=last_in_several_shapes,
    instead="within rounding alone: the product with one step is another kernel than that with all, and sums in another order",
)
def last_commutes_bitwise(pool_then_decode, case):
    """For the last step, the difference of the two orders is exactly 0."""
    x, W, b = (case.tensors[name] for name in ("x", "W", "b"))
    pooled_first = torch.nn.functional.linear(x[:, -1], W, b)
    decoded_first = torch.nn.functional.linear(x, W, b)[:, -1]
    differ = int((pooled_first != decoded_first).sum())
    label = f"decoder(x[:, -1]) has the bits of decoder(x)[:, -1] ({differ} of {pooled_first.numel()} entries differ)"
    yield harness.holds(label, not differ, case)
    steps = x.reshape(-1, x.shape[-1])
    one = split_for_one_row(x[:, -1], W, b)
    same = torch.equal(one, split_for_one_row(steps, W, b).reshape(*x.shape[:2], -1)[:, -1])
    yield harness.holds("so it has where the kernel splits the sum of a single row", same, case)
