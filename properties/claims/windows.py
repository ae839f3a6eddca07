"""What the documents say of windows of a series, of the order of axes, and of stacking samples."""

import numpy as np
import torch
from harness.properties.claims.sources import S3, S4

import harness
from harness import Claim, claim
from harness.operations.windows import object_array

HELD = (
    Claim(
        "windows.count",
        S3,
        "M = 100 data points in windows of K = 10 are the 10 pieces [0~9], …, [90~99]; with stride 1 there are 91.",
        of="sliding_windows",
        by=("windows_of_the_document",),
    ),
    Claim(
        "windows.round-trip",
        S3,
        "Windows may overlap or not: put back and added up, they give the series as often as each point was in one.",
        of=("sliding_windows", "overlap_add"),
        by=("windows_add_up_to_the_series", "overlap_add_round_trip"),
    ),
    Claim(
        "windows.permute",
        S3,
        "permute([1, 0, 2]) moves old axis 1 to 0 and 0 to 1, as in the example of 0 to 23.",
        of="to_batch_first",
        by=("permute_of_the_document", "samples_stay_whole"),
    ),
    Claim(
        "windows.stack-order",
        S4,
        "np.stack makes one array of an array of equally large samples, in their order.",
        of="stack_features",
        by=("stacks_keep_order", "agreement"),
    ),
)


def side_by_side(case):
    """The case with windows that do not overlap and leave no gaps."""
    yield case.replace(options={**case.options, "stride": case.options["size"]})


@claim(
    "windows.m-over-k",
    S3,
    of="sliding_windows",
    variants=side_by_side,
    instead="there are M // K, and the last M % K points are in none of them; M/K only where K divides M",
)
def as_many_as_m_over_k(sliding_windows, case):
    """M data points in windows of K that do not overlap are M/K windows."""
    (windows,) = sliding_windows(case)
    points, size = case.sizes["time"], case.options["size"]
    label = f"{len(windows)} windows of {size} are {points}/{size}"
    yield harness.holds(label, len(windows) * size == points, case)


@claim(
    "windows.view",
    S3,
    of="to_batch_first",
    instead="view leaves the entries in their order in memory, and mixes the samples; permute moves them",
)
def view_permutes(to_batch_first, case):
    """view(batch, time, feature) makes a tensor (time, batch, feature) batch first, as permute does."""
    (result,) = to_batch_first(case)
    viewed = case.tensors["x"].view(result.shape)
    yield harness.holds("view gives what permute gives", torch.equal(viewed, result.cpu()), case)


@claim(
    "windows.input-shape",
    S4,
    of="stack_features",
    instead="X[0][0] is the first row of the first sample, of shape (width,); the height is X[0].shape[0]",
)
def first_row_is_height(stack_features, case):
    """X[0][0].shape is the height of a sample, as in input_shape = (len(x), X[0][0].shape, X[0][1].shape, 1)."""
    samples = object_array(case.tensors["samples"].numpy())
    if not case.sizes["height"]:
        return
    row, height = samples[0][0].shape, case.sizes["height"]
    yield harness.holds(f"X[0][0].shape {row} is the height {height}", row == (height,), case)


@claim(
    "windows.stack-channel",
    S4,
    of="stack_features",
    instead="np.stack gives (samples, height, width); the axis of channels has to be added, as by X[..., None]",
)
def stack_has_channel(stack_features, case):
    """np.stack(X) of samples (height, width) has the shape (samples, height, width, 1), as printed."""
    (result,) = stack_features(case)
    stacked = np.stack(object_array(case.tensors["samples"].numpy()))
    label = f"np.stack gives {stacked.shape}, which is {tuple(result.shape)}"
    yield harness.holds(label, stacked.shape == tuple(result.shape), case)
