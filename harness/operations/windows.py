"""Windows of a series, stacks of samples, and the order of axes.

`sliding_windows` cuts a series of M points into windows of K, `overlap_add` puts windows back, `to_batch_first`
permutes (time, batch, feature), and `stack_features` makes one array of a list of samples. All but `overlap_add` only
move data, and are held to the bit.

Sources: docs/sources.md#windows-stacking-permuting.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Any

import numpy as np
import torch
from annotated_types import Interval
from jaxtyping import Float
from torch import Tensor

from harness.declare.declaration import operation
from harness.errors import Unsupported

Points = Annotated[int, Interval(ge=1, le=10)]


def check_window(time: int, size: int) -> None:
    """Raise ValueError for a window longer than the series."""
    if size > time:
        raise ValueError(f"a window of {size} points does not fit into a series of {time}")


def fits_in(time: int, size: int) -> bool:
    """Whether there is a window at all."""
    return size <= time


# A window's gradient is a sum where windows overlap, so that nothing but equality would ask too much of it: not
# differentiable for the suite; `properties/windows.py: window_gradient` asks with cotangents that add up exactly.
@operation(sizes={"time": (1, 257), "features": (1, 33)}, where=fits_in, exact=True, differentiable=False)
def sliding_windows(
    series: Float[Tensor, "time features"], size: Points, stride: Points
) -> Float[Tensor, "(time-size)//stride+1 size features"]:
    """Every stride-th window of a series: (M - K)//stride + 1 of them, and what is left at the end is dropped.

    series: (time, features); size: points in a window, K; stride: points from one window's start to the next one's,
    which may leave gaps. Raises ValueError for a window longer than the series. (Claims windows.count,
    windows.round-trip.)
    """
    check_window(series.shape[0], size)
    starts = torch.arange(0, series.shape[0] - size + 1, stride)
    return series[starts[:, None] + torch.arange(size)]


@sliding_windows.in_extended_precision
def sliding_windows_long(series, size, stride):
    """The same windows, sliced one by one."""
    return np.stack([series[start : start + size] for start in range(0, len(series) - size + 1, stride)])


@sliding_windows.implementation(backend="torch")
def tensor_unfold(series, size, stride):
    """torch.Tensor.unfold, whose windows come last."""
    return series.unfold(0, size, stride).mT


@sliding_windows.implementation(backend="torch")
def image_unfold(series, size, stride):
    """torch.nn.functional.unfold of an image one pixel wide whose channels are the features."""
    columns = torch.nn.functional.unfold(series.mT[None, :, :, None], (size, 1), stride=(stride, 1))[0]
    return columns.reshape(series.shape[1], size, -1).permute(2, 1, 0)


@sliding_windows.implementation(backend="numpy")
def window_view(series, size, stride):
    """numpy's sliding_window_view."""
    return np.lib.stride_tricks.sliding_window_view(series, size, axis=0)[::stride].swapaxes(1, 2)


@sliding_windows.implementation(backend="scipy")
def hankel_matrices(series, size, stride):
    """scipy's Hankel matrix of every feature: its rows are the windows."""
    from scipy.linalg import hankel

    check_window(len(series), size)
    first, last = len(series) - size + 1, len(series) - size
    rows = [hankel(feature[:first], feature[last:])[::stride] for feature in series.T]
    return np.stack(rows, axis=2)


@sliding_windows.implementation(backend="scikit-learn")
def image_patches(series, size, stride):
    """scikit-learn's extract_patches_2d of a series taken for an image, with patches of its full width."""
    from sklearn.feature_extraction.image import extract_patches_2d

    if not np.isfinite(series).all():
        raise Unsupported("scikit-learn refuses NaN and infinities")
    return extract_patches_2d(series, (size, series.shape[1])).reshape(-1, size, series.shape[1])[::stride]


@sliding_windows.implementation(backend="keras")
def keras_sequences(series, size, stride):
    """keras.ops.extract_sequences of every feature."""
    import keras

    return keras.ops.moveaxis(keras.ops.extract_sequences(series.T, size, stride), 0, 2)


@operation(sizes={"windows": (1, 257), "size": (1, 33), "features": (1, 33)}, linear_in="pieces")
def overlap_add(
    pieces: Float[Tensor, "windows size features"], stride: Points
) -> Float[Tensor, "(windows-1)*stride+size features"]:
    """Windows put back at their places in the series and added up where they overlap (claim windows.round-trip).

    pieces: (windows, size, features); stride: as for `sliding_windows`, whose adjoint this is. Points in a gap are 0.
    """
    count, size, features = pieces.shape
    first, within = (torch.arange(each, device=pieces.device) for each in (count, size))
    places = stride * first[:, None] + within
    series = pieces.new_zeros((count - 1) * stride + size, features)
    return series.index_add(0, places.flatten(), pieces.reshape(count * size, features))


@overlap_add.in_extended_precision
def overlap_add_long(pieces, stride):
    """`overlap_add` in long double, window by window."""
    count, size, features = pieces.shape
    series = np.zeros(((count - 1) * stride + size, features), np.longdouble)
    for number, piece in enumerate(pieces):
        series[number * stride : number * stride + size] += piece
    return series


@overlap_add.implementation(backend="torch")
def image_fold(pieces, stride):
    """torch.nn.functional.fold of columns of an image one pixel wide."""
    count, size, features = pieces.shape
    columns = pieces.permute(2, 1, 0).reshape(1, features * size, count)
    length = (count - 1) * stride + size
    return torch.nn.functional.fold(columns, (length, 1), (size, 1), stride=(stride, 1))[0, :, :, 0].mT


@overlap_add.implementation(backend="numpy")
def shifted_sums(pieces, stride):
    """numpy: the first points of all windows, then the second ones, and so on, each lot at its stride."""
    count, size, features = pieces.shape
    series = np.zeros(((count - 1) * stride + size, features), pieces.dtype)
    for point in range(size):
        series[point : point + (count - 1) * stride + 1 : stride] += pieces[:, point]
    return series


@overlap_add.implementation(backend="scipy")
def sparse_places(pieces, stride):
    """A sparse matrix of ones, times the points of all windows."""
    from scipy.sparse import csr_array

    count, size, features = pieces.shape
    places = (stride * np.arange(count)[:, None] + np.arange(size)).flatten()
    ones = np.ones(count * size, pieces.dtype)
    shape = ((count - 1) * stride + size, count * size)
    return csr_array((ones, (places, np.arange(count * size))), shape=shape) @ pieces.reshape(count * size, features)


@overlap_add.implementation(backend="keras")
def keras_fold(pieces, stride):
    """keras.ops.fold of columns of an image one pixel wide."""
    import keras

    count, size, features = pieces.shape
    columns = keras.ops.convert_to_tensor(pieces.transpose(2, 1, 0).reshape(1, features * size, count))
    length = (count - 1) * stride + size
    return keras.ops.fold(columns, (length, 1), (size, 1), stride=(stride, 1))[0, :, :, 0].T


@operation(sizes={"time": (1, 257), "features": (0, 65)}, causal="time", exact=True)
def to_batch_first(x: Float[Tensor, "time batch features"]) -> Float[Tensor, "batch time features"]:
    """A sequence with the batch axis first: old axis 1 becomes axis 0 (claims windows.permute, windows.view).

    x: (time, batch, features); every entry keeps its value, x[t, b, f] at [b, t, f].
    """
    return x.permute(1, 0, 2)


@to_batch_first.in_extended_precision
def to_batch_first_long(x):
    """The same order of axes."""
    return np.moveaxis(x, 1, 0)


@to_batch_first.implementation(backend="torch")
def stacked_samples(x):
    """Samples taken out one by one and put on top of each other."""
    return torch.stack(x.unbind(1)) if x.shape[1] else x.reshape(0, x.shape[0], x.shape[2])


@to_batch_first.implementation(backend="torch")
def contiguous_transpose(x):
    """torch's transpose, copied into the new order."""
    return x.transpose(0, 1).contiguous()


@to_batch_first.implementation(backend="numpy")
def numpy_einsum(x):
    """numpy's einsum, which only relabels axes here."""
    return np.einsum("tbf->btf", x)


@to_batch_first.implementation(backend="keras")
def keras_transpose(x):
    """keras.ops.transpose."""
    import keras

    return keras.ops.transpose(x, (1, 0, 2))


@to_batch_first.implementation(backend="onnxruntime")
def onnx_transpose(x):
    """ONNX' Transpose."""
    return _onnx_transpose().run(None, {"x": x})[0]


@lru_cache(maxsize=1)
def _onnx_transpose() -> Any:
    """A session with one Transpose for any sizes."""
    import onnxruntime
    from onnx import TensorProto, helper

    graph = helper.make_graph(
        [helper.make_node("Transpose", ["x"], ["y"], perm=[1, 0, 2])],
        "to_batch_first",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["time", "batch", "features"])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", "time", "features"])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


# A stack of no samples is an error in every library, so the axis is not called batch, which may be empty.
@operation(sizes={"samples": (1, 257), "height": (0, 65), "width": (0, 65)}, exact=True)
def stack_features(samples: Float[Tensor, "samples height width"]) -> Float[Tensor, "samples height width 1"]:
    """A list of equally large samples as one array, with the axis of channels that a convolution asks for.

    samples: (samples, height, width), or a list of (height, width); they keep their order. Raises RuntimeError for an
    empty list or samples of different sizes. (Claims windows.stack-order, windows.stack-channel, windows.input-shape.)
    """
    return torch.stack(list(samples)).unsqueeze(-1)


@stack_features.in_extended_precision
def stack_features_long(samples):
    """The same stack in long double."""
    return np.stack(list(samples))[..., None]


def object_array(samples: Any) -> Any:
    """The samples as the array of arrays, of shape (samples,), in which the document's asker holds them."""
    made = np.empty(len(samples), dtype=object)
    for number, sample in enumerate(samples):
        made[number] = np.asarray(sample)
    return made


@stack_features.implementation(backend="numpy")
def numpy_stack(samples):
    """numpy.stack of an array of arrays, as in the document."""
    return np.stack(object_array(samples))[..., None]


@stack_features.implementation(backend="numpy")
def numpy_dstack(samples):
    """numpy.dstack, which lays samples behind each other, turned to the front."""
    return np.moveaxis(np.dstack(list(samples)), 2, 0)[..., None]


@stack_features.implementation(backend="torch")
def concatenated(samples):
    """Samples with axes for themselves and for the channel, joined by torch.cat."""
    return torch.cat([sample[None, :, :, None] for sample in samples])


@stack_features.implementation(backend="keras")
def keras_stack(samples):
    """keras.ops.stack and expand_dims."""
    import keras

    return keras.ops.expand_dims(keras.ops.stack(list(samples)), -1)
