"""What the document says of dropout with a noise shape, and of the ways to drop whole channels."""

import torch
from harness.properties.claims.sources import S2

import harness
from harness import Claim, claim

HELD = (
    Claim(
        "dropout.maps",
        S2,
        "With noise_shape [k, 1, 1, n] each row and column of a map is kept or dropped together, by sample and channel.",
        of="dropout",
        by=("whole_maps_fall_together",),
    ),
    Claim(
        "dropout.independent",
        S2,
        "Axes whose noise has their full size decide independently: a random value decides over those that share it alone.",
        of="dropout",
        by=("uniforms_act_alone",),
    ),
    Claim(
        "dropout.unbiased",
        S2,
        "Dividing by keep leaves the expectation as it is: E[out] = x.",
        of=("dropout", "channel_dropout"),
        by=("mean_is_kept",),
    ),
    Claim(
        "dropout.two-values",
        S2,
        "Every entry of the result is 0 or x/keep.",
        of=("dropout", "channel_dropout"),
        by=("zero_or_scaled",),
    ),
)


def shared_over_samples_and_channels(case):
    """The case with the asker's second noise shape, [1, height, width, 1]."""
    shared = {"shared_batch": True, "shared_rows": False, "shared_columns": False, "shared_channels": True}
    yield case.replace(options={**case.options, **shared})


def _of_ones(implementation, case):
    """Which entries are kept, where all are 1."""
    call = case.call()
    (result,) = implementation(call.replace(x=torch.ones_like(call.arguments["x"])))
    return result != 0


def _document_mask(case):
    """floor(keep + U) in the case's precision, as the document's code has it."""
    uniforms = case.tensors["uniforms"]
    return torch.floor(torch.full((), case.options["keep"], dtype=uniforms.dtype) + uniforms)


@claim(
    "dropout.channels",
    S2,
    of="dropout",
    variants=shared_over_samples_and_channels,
    instead="it drops pixels, the same ones in every sample and channel; [batch, 1, 1, channels] drops channels",
)
def drops_channels(dropout, case):
    """noise_shape=[1, height, width, 1] drops whole channels, independently for each example."""
    kept = _of_ones(dropout, case)
    yield harness.holds("each map is wholly kept or dropped", bool((kept == kept[:, :1, :1]).all()), case)


@claim(
    "dropout.floor",
    S2,
    of="dropout",
    instead="with keep = 0 it is 0/0, NaN; what is dropped is to be chosen, not multiplied by 0",
)
def floor_for_every_keep(dropout, case):
    """x/keep · floor(keep + U) is the dropout for every keep from 0 to 1."""
    computed = case.tensors["x"] / case.options["keep"] * _document_mask(case)
    part = harness.reference(case).parts[0]
    yield harness.close(
        "the document's code against dropout", computed, dropout(case)[0], case, like=part, both_rounded=True
    )


@claim(
    "dropout.floor-binary",
    S2,
    of="dropout",
    dtypes=("float32",),
    instead="in float32 keep + U rounds up to 2 where keep = 1 and U = 1 - 2⁻²⁴, and x is doubled; compare U >= 1 - keep",
)
def floor_is_a_mask(dropout, case):
    """floor(keep + U) is 0 or 1 for every keep in [0, 1] and U in [0, 1)."""
    mask = _document_mask(case)[case.tensors["uniforms"] < 1]
    yield harness.holds("every entry of the mask is 0 or 1", bool(((mask == 0) | (mask == 1)).all()), case)


@claim(
    "dropout.two-d",
    S2,
    of="channel_dropout",
    implementations=("dropout2d_three_axes",),
    instead="torch takes three axes for (N, C, L) and drops rows of each channel; give it a batch axis",
)
def two_d_without_a_batch(dropout2d, case):
    """torch's dropout2d of a single image (C, H, W) drops whole channels."""
    kept = _of_ones(dropout2d, case)
    yield harness.holds("each channel is wholly kept or dropped", bool((kept == kept[:, :1, :1]).all()), case)
