"""Faults and other ways of windows, stacks and the order of axes."""

import numpy as np
import torch

from harness.errors import Unsupported
from harness.operations.windows import check_window, overlap_add, sliding_windows, stack_features, to_batch_first
from tests.quality.planted import correct, fault


@fault(sliding_windows, cause="shifted", words=("by -1 entry along",))
def windows_start_one_late(series, size, stride):
    """Indices are counted from 1."""
    check_window(series.shape[0], size)
    late = torch.cat([series[1:], torch.zeros_like(series[:1])])
    return late.unfold(0, size, stride).mT


@fault(sliding_windows, cause="viewed where permuted", words=("size and features",))
def windows_viewed(series, size, stride):
    """unfold's windows come last; they are reshaped where they should be permuted."""
    check_window(series.shape[0], size)
    windows = series.unfold(0, size, stride)
    return windows.reshape(windows.shape[0], size, series.shape[1])


@fault(sliding_windows, cause="only some entries", words=("the last entry",))
def last_window_from_the_end(series, size, stride):
    """The last window is aligned with the end of the series, as though nothing might be left over."""
    check_window(series.shape[0], size)
    windows = series.unfold(0, size, stride).mT
    return torch.cat([windows[:-1], series[None, series.shape[0] - size :]])


@fault(overlap_add, backend="numpy", cause="circumstances", words="size > stride")
def last_write_wins(pieces, stride):
    """+= at indices that repeat adds but the last of them."""
    count, size, features = pieces.shape
    series = np.zeros(((count - 1) * stride + size, features), pieces.dtype)
    places = stride * np.arange(count)[:, None] + np.arange(size)
    series[places] += pieces
    return series


@fault(overlap_add, cause="left out", words=("tail of windows", "block of 4"))
def windows_in_fours(pieces, stride):
    """Windows are added four at a time, and what is left over is not."""
    count, size, features = pieces.shape
    series = pieces.new_zeros((count - 1) * stride + size, features)
    for first in range(0, count - count % 4, 4):
        for number in range(first, first + 4):
            places = torch.arange(stride * number, stride * number + size)
            series = series.index_add(0, places, pieces[number])
    return series


@fault(overlap_add, cause=("circumstances", "only some entries", "another step"), words="stride=2")
def step_of_two_lost(pieces, stride):
    """With a stride of 2 windows are put side by side, as with a stride of 1."""
    count, size, features = pieces.shape
    apart = 1 if stride == 2 else stride
    places = apart * torch.arange(count)[:, None] + torch.arange(size)
    series = pieces.new_zeros((count - 1) * stride + size, features)
    return series.index_add(0, places.flatten(), pieces.reshape(count * size, features))


@fault(to_batch_first, cause="exchanged axes", words="axes 0 and 1")
def left_if_square(x):
    """As many samples as steps, and nothing is permuted."""
    return x if x.shape[0] == x.shape[1] else x.transpose(0, 1)


@fault(to_batch_first, cause="circumstances", words="not contiguous in memory")
def memory_taken_for_contiguous(x):
    """The memory is read as though steps lay in it one after another."""
    plain = torch.as_strided(x, x.shape, torch.empty(x.shape).stride(), x.storage_offset())
    return plain.transpose(0, 1)


@fault(to_batch_first, cause="lower precision", words=("float16",), dtypes=(torch.float64, torch.float32))
def kept_in_half(x):
    """Sequences are kept in half precision to save memory."""
    return x.half().transpose(0, 1).to(x.dtype)


@fault(stack_features, cause=("only some entries", "circumstances"), words="samples ≥ 11")
def sorted_as_strings(samples):
    """Samples are sorted by their numbers as strings, so that 10 comes before 2."""
    order = sorted(range(len(samples)), key=str)
    return torch.stack([samples[number] for number in order]).unsqueeze(-1)


@fault(stack_features, backend="numpy", cause="one slice for all", words="the last slice of samples")
def one_buffer_for_all(samples):
    """The same buffer is filled for every sample, and put on the list each time."""
    buffer, made = np.empty(samples.shape[1:], samples.dtype), []
    for sample in samples:
        buffer[...] = sample
        made.append(buffer)
    return np.stack(made)[..., None]


@fault(stack_features, cause="viewed where permuted", words=("viewed in another shape", "samples"))
def columns_stacked(samples):
    """Samples are stacked behind each other, and reshaped to come first."""
    return torch.dstack(list(samples)).reshape(*samples.shape, 1)


@correct(sliding_windows)
def strided_view(series, size, stride):
    """A view with the strides of the windows, of a copy that is contiguous."""
    check_window(series.shape[0], size)
    plain, count = series.contiguous(), (series.shape[0] - size) // stride + 1
    features = series.shape[1]
    return plain.as_strided((count, size, features), (stride * features, features, 1), plain.storage_offset())


@correct(overlap_add)
def transposed_convolution(pieces, stride):
    """A transposed convolution with the unit windows for kernels."""
    if not pieces.isfinite().all():
        raise Unsupported("zeros of the unit windows meet every point, and zero times NaN is NaN")
    size = pieces.shape[1]
    kernels = torch.eye(size, dtype=pieces.dtype)[:, None, :]
    return torch.nn.functional.conv_transpose1d(pieces.permute(2, 1, 0), kernels, stride=stride)[:, 0].mT


@correct(to_batch_first, backend="numpy")
def entry_by_entry(x):
    """Sequences copied sample by sample into an array of the right shape."""
    made = np.empty((x.shape[1], x.shape[0], x.shape[2]), x.dtype)
    for sample in range(x.shape[1]):
        made[sample] = x[:, sample]
    return made
