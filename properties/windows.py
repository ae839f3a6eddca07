"""Windows, stacks and orders of axes: how many, which entry where, and back again.

Sources: docs/sources.md#windows-stacking-permuting.
"""

import torch

import harness
from harness.operations.windows import overlap_add, sliding_windows

SERIES, WINDOW = 100, 10
"""The document's M data points and its window size K."""


def of_the_document(case):
    """M = 100 and K = 10: windows side by side, then every window."""
    for stride in (WINDOW, 1):
        yield case.replace(sizes={**case.sizes, "time": SERIES}, options={"size": WINDOW, "stride": stride})


@harness.property(of="sliding_windows", variants=of_the_document)
def windows_of_the_document(implementation, case):
    """100 points in windows of 10 are 10 windows [0~9], [10~19], … side by side, and 91 with stride 1."""
    call = case.call()
    (windows,) = implementation(call)
    series, stride = call.arguments["series"], case.options["stride"]
    yield harness.holds("as many windows", len(windows) == {WINDOW: 10, 1: 91}[stride], case)
    same = all(torch.equal(window, series[i * stride : i * stride + WINDOW]) for i, window in enumerate(windows))
    yield harness.holds("each window is its slice of the series", same, case)


@harness.property(of="sliding_windows")
def window_too_long_is_refused(implementation, case):
    """A window longer than the series raises, and gives no empty or padded result."""
    call = case.call()
    short = call.arguments["series"][: case.options["size"] - 1]
    yield harness.holds("a clear error", implementation.raises(call.replace(series=short)), case)


@harness.property(of="sliding_windows")
def windows_add_up_to_the_series(implementation, case):
    """Windows that are put back and added up give the series, each point as often as it was in a window."""
    call = case.call()
    series, stride = call.arguments["series"], case.options["stride"]
    numbers = (torch.arange(series.numel(), device=series.device) % 101 - 50).reshape(
        series.shape
    )  # whole, so that sums are exact
    (windows,) = implementation(call.replace(series=numbers.to(series.dtype)))
    times = overlap_add(torch.ones(windows.shape, dtype=torch.float64), stride)
    back = overlap_add(windows.cpu().double(), stride)
    yield harness.holds("the series comes back", torch.equal(back, numbers[: len(back)].cpu() * times), case)


@harness.property(of="sliding_windows")
def window_gradient(implementation, case):
    """The gradient of windows puts their cotangents back at their places and adds them up."""
    call = case.call()
    (windows,) = implementation(call)
    signs = torch.arange(windows.numel(), device=windows.device).reshape(windows.shape) % 3 - 1
    cotangents = signs.to(windows.dtype)  # at most ten of them meet, so that no sum is rounded in any dtype
    _, gradients = implementation.gradients(call, (cotangents,))
    expected = torch.zeros(gradients["series"].shape, dtype=torch.float64)
    back = overlap_add(cotangents.cpu().double(), case.options["stride"])
    expected[: len(back)] = back
    yield harness.holds(
        "the gradient is the overlap-add", torch.equal(gradients["series"].cpu().double(), expected), case
    )


@harness.property(of="overlap_add")
def overlap_add_round_trip(implementation, case):
    """Windows of a series, put back and divided by how often each point was met, give the series (zeros in gaps)."""
    call = case.call()
    pieces, stride = call.arguments["pieces"], case.options["stride"]
    count, size, features = pieces.shape
    length = (count - 1) * stride + size
    series = pieces.reshape(-1, features).repeat(stride + 1, 1)[:length]
    cut = sliding_windows(series, size, stride)
    (back,) = implementation(call.replace(pieces=cut))
    (times,) = implementation(call.replace(pieces=torch.ones_like(cut)))
    expected = series.cpu().double() * times.cpu().double()
    (part,) = harness.reference(case, call.replace(pieces=cut)).parts
    yield harness.close("each point as often as it was met", back, expected, case, like=part, both_rounded=True)
    counted = overlap_add(torch.ones(cut.shape, dtype=torch.float64), stride)
    yield harness.holds("counts are counted exactly", torch.equal(times.cpu().double(), counted), case)


@harness.property(of="to_batch_first")
def permute_of_the_document(implementation, case):
    """0 to 23 as (4, 2, 3) become [[[0, 1, 2], [6, 7, 8], …], [[3, 4, 5], [9, 10, 11], …]]."""
    numbers = torch.arange(24).reshape(4, 2, 3).to(case.call().arguments["x"])
    (result,) = implementation(case.call().replace(x=numbers))
    first, second = (
        [[0, 1, 2], [6, 7, 8], [12, 13, 14], [18, 19, 20]],
        [[3, 4, 5], [9, 10, 11], [15, 16, 17], [21, 22, 23]],
    )
    yield harness.holds("the document's numbers", result.tolist() == [first, second], case)


@harness.property(of="to_batch_first")
def samples_stay_whole(implementation, case):
    """Sample b of the result is the sequence x[:, b], entry by entry."""
    call = case.call()
    (result,) = implementation(call)
    x = call.arguments["x"]
    same = all(torch.equal(sample, x[:, b]) for b, sample in enumerate(result))
    yield harness.holds("each sample is its own sequence", same, case)


@harness.property(of="stack_features")
def stacks_keep_order(implementation, case):
    """Entry i of the stack is sample i, of one channel."""
    call = case.call()
    (result,) = implementation(call)
    samples = call.arguments["samples"]
    same = all(torch.equal(stacked[..., 0], sample) for stacked, sample in zip(result, samples, strict=True))
    yield harness.holds("samples are in the order in which they came", same, case)
