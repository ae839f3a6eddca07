"""Dropout with a noise shape: which entries fall together, what they become, and what is left on average.

Sources: docs/sources.md#dropout-with-a-noise-shape.
"""

import numpy as np
import torch

import harness
from harness.operations.dropout import is_kept

LEVELS = 20
"""Equally spaced uniforms, of which every keep that is drawn keeps a whole number."""

NOT_SHARED = {"shared_batch": False, "shared_rows": False, "shared_columns": False, "shared_channels": False}


def whole_maps(case):
    """The case with the noise shape [k, 1, 1, n]."""
    yield case.replace(options={**case.options, **NOT_SHARED, "shared_rows": True, "shared_columns": True})


def left_to_chance(case):
    """The cases in which some is kept and some dropped."""
    if case.options["keep"] not in (0, 1):
        yield case


def something_kept(case):
    """The cases with a keep above 0."""
    if case.options["keep"]:
        yield case


def _of_ones(call):
    return call.replace(x=torch.ones_like(call.arguments["x"]))


@harness.property(of="dropout", variants=whole_maps)
def whole_maps_fall_together(implementation, case):
    """With the noise shape [k, 1, 1, n] each sample's and channel's map is kept or dropped as a whole, by its own uniform."""
    call = _of_ones(case.call())
    (result,) = implementation(call)
    kept = result != 0
    yield harness.holds("rows and columns of a map are alike", bool((kept == kept[:, :1, :1]).all()), case)
    own = is_kept(call.arguments["uniforms"], case.options["keep"])
    yield harness.holds("each map goes by its own uniform", torch.equal(kept[:, :1, :1], own), case)


@harness.property(of="channel_dropout")
def whole_channels_fall_together(implementation, case):
    """Each channel of an image without a batch is kept or dropped as a whole, by its own uniform."""
    call = _of_ones(case.call())
    (result,) = implementation(call)
    own = is_kept(call.arguments["uniforms"], case.options["keep"])[:, None, None]
    yield harness.holds("a channel is wholly kept or dropped", bool(((result != 0) == own).all()), case)


@harness.property(of="dropout", variants=left_to_chance)
def uniforms_act_alone(implementation, case):
    """A uniform decides over the entries that share it, and over no other."""
    call = _of_ones(case.call())
    uniforms = call.arguments["uniforms"]
    if not uniforms.numel():
        return
    chosen = torch.zeros(uniforms.numel(), dtype=torch.bool, device=uniforms.device)
    chosen[case.seed % uniforms.numel()] = True
    chosen = chosen.reshape(uniforms.shape)
    other = torch.where(is_kept(uniforms, case.options["keep"]), 1 / 64, 63 / 64).to(uniforms)
    (before,), (after,) = (
        implementation(call),
        implementation(call.replace(uniforms=torch.where(chosen, other, uniforms))),
    )
    changed = (before != 0) != (after != 0)
    yield harness.holds("its own entries changed and no other", bool((changed == chosen).all()), case)


@harness.property(of=("dropout", "channel_dropout"))
def zero_or_scaled(implementation, case):
    """Every entry is 0 or x/keep."""
    call = case.call()
    (result,) = implementation(call)
    (part,) = _reference_kept(call, case).parts if case.options["keep"] else harness.reference(case).parts
    expected = np.where(harness.as_array(result) != 0, part.expected, 0.0)
    yield harness.close("entries that are not 0 against x/keep", result, expected, case, like=part)


@harness.property(of=("dropout", "channel_dropout"), variants=something_kept)
def mean_is_kept(implementation, case):
    """Over uniforms that are spread evenly the mean of the results is x: E[out] = x for every keep above 0."""
    call = case.call()
    like, keep = call.arguments["uniforms"], case.options["keep"]
    total = torch.zeros(call.arguments["x"].shape, dtype=torch.float64)
    for level in range(LEVELS):
        (result,) = implementation(call.replace(uniforms=torch.full_like(like, (level + 0.5) / LEVELS)))
        total += result.cpu().double()
    (part,) = _reference_kept(call, case).parts
    part = part.derived(part.noise_floor * keep)
    yield harness.close("the mean result", total / LEVELS, call.arguments["x"], case, like=part, both_rounded=True)


@harness.property(of="dropout", variants=left_to_chance)
def misshapen_noise_is_refused(implementation, case):
    """A noise shape with an axis that is neither 1 nor x's is refused, never broadcast."""
    call = case.call()
    rows = case.sizes["rows"] + 1
    uniforms = call.arguments["uniforms"][:, :1].expand(-1, rows, -1, -1).contiguous()
    yield harness.holds("a clear error", implementation.raises(call.replace(uniforms=uniforms)), case)


def _reference_kept(call, case):
    """The reference of the call with everything kept: x/keep and its units."""
    kept = call.replace(uniforms=torch.full_like(call.arguments["uniforms"], 63 / 64))
    return harness.reference(case, kept)
