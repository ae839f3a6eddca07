"""Dropout with a noise shape: entries that share a uniform number are kept or dropped together.

The random numbers are an argument, so that the result is a function of its arguments. A noise shape has 1 in the place
of every axis that is shared: for images (batch, rows, columns, channels), [k, 1, 1, n] drops whole maps, each sample's
and each channel's by itself. torch's and keras' own dropouts run here with their Bernoulli draws replaced by the
argument (`Replayed`).

Uniforms lie on odd thirty-seconds, at 0, or at the largest float32 below 1 (which is 1 in half precision): at least
1/160 from any 1 - keep, so that no rounding of either decides whether an entry is kept.

Sources: docs/sources.md#dropout-with-a-noise-shape.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Any, Literal

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from harness.declare.declaration import operation
from harness.declare.domain import when
from harness.declare.structure import RandomSource, structure
from harness.errors import Unsupported

# Literal takes floats when it runs, though not in a type checker's eyes.
Keep = Literal[0.5, 1.0, 0.75, 0.9, 0.3, 0.0]  # type: ignore[valid-type]

_SIZES = {"rows": (1, 65), "columns": (1, 65), "channels": (1, 257)}


def _off_the_threshold(uniforms: Any, known: Any) -> bool:
    """Whether all are in [0, 1] and at least 1/160 from the 1 - keep at which they would be kept."""
    inside = (uniforms >= 0) & (uniforms <= 1)
    return bool((inside & ((abs(uniforms - 1 + known["keep"]) >= 1 / 160) | (uniforms == 0) | (uniforms == 1))).all())


@structure(admits=_off_the_threshold, simpler=lambda stream: (np.full(stream.shape, each) for each in (0.0, 0.95, 0.2)))
def uniforms_off_the_threshold(stream: RandomSource) -> Any:
    """Odd thirty-seconds, and now and then 0 or 1 - 2⁻²⁴."""
    values = (2 * stream.integers(0, 15) + 1) / 32
    rare = stream.integers(0, 31)
    return np.where(rare == 0, 0.0, np.where(rare == 1, 1 - 2.0**-24, values))


def check_noise_shape(x: Any, uniforms: Any) -> None:
    """Raise ValueError where an axis of the noise is neither 1 nor x's."""
    if x.ndim != uniforms.ndim or any(n not in (1, size) for n, size in zip(uniforms.shape, x.shape, strict=True)):
        raise ValueError(
            f"noise of shape {tuple(uniforms.shape)} does not fit x of shape {tuple(x.shape)}: each axis must be 1 or x's"
        )


def is_kept(uniforms: Any, keep: float) -> Any:
    """Where the uniforms keep: from 1 - keep on; nowhere for a keep of 0 and everywhere for 1, whatever was rounded."""
    if keep in (0, 1):
        return (uniforms == uniforms) & bool(keep)
    return uniforms >= 1 - keep


_ROWS = "rows-shared_rows*(rows-1)"
_COLUMNS = "columns-shared_columns*(columns-1)"
_CHANNELS = "channels-shared_channels*(channels-1)"


@operation(sizes=_SIZES, linear_in="x")
def dropout(
    x: Float[Tensor, "batch rows columns channels"],
    uniforms: Annotated[
        Float[Tensor, f"batch {_ROWS} {_COLUMNS} {_CHANNELS}"],
        uniforms_off_the_threshold,
        when("shared_batch", f"1 {_ROWS} {_COLUMNS} {_CHANNELS}"),
    ],
    keep: Keep,
    shared_batch: bool,
    shared_rows: bool,
    shared_columns: bool,
    shared_channels: bool,
) -> Float[Tensor, "batch rows columns channels"]:
    """x/keep where the entry's uniform is at least 1 - keep, else 0 (claims dropout.maps, .independent, .unbiased, .two-values).

    x: (batch, rows, columns, channels); uniforms: of the noise shape, which has 1 for every shared axis, in [0, 1];
    keep: the probability of being kept. A keep of 0 drops everything and one of 1 drops nothing. What is dropped is 0,
    also where x is infinite or NaN. Raises ValueError for a noise shape that does not fit.
    """
    check_noise_shape(x, uniforms)
    if keep == 0:
        return torch.zeros_like(x)
    return torch.where(is_kept(uniforms, keep), x / keep, 0.0)


@dropout.in_extended_precision
def dropout_long(x, uniforms, keep, shared_batch, shared_rows, shared_columns, shared_channels):
    """The same maths on long doubles."""
    return np.where(is_kept(uniforms, keep), x / keep if keep else x, 0)


class Replayed(TorchDispatchMode):
    """While active, torch's Bernoulli draws are made from given uniforms: 1 where the uniform keeps, else 0.

    The uniforms are handed out in their order, from the beginning again where more are asked for.
    """

    def __init__(self, uniforms: Tensor) -> None:
        super().__init__()
        self._uniforms = uniforms.detach().reshape(-1)

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        aten = torch.ops.aten
        if function is aten.native_dropout.default:
            raise Unsupported("torch's fused dropout draws its random numbers inside the kernel")
        if function is aten.bernoulli_.float:
            keep = args[1] if len(args) > 1 else 0.5  # the dispatcher leaves a default out
            return args[0].copy_(self._drawn(args[0], keep))
        if function is aten.bernoulli.default:
            keep = float(args[0].flatten()[0]) if args[0].numel() else 0.5
            return self._drawn(args[0], keep).to(args[0].dtype)
        return function(*args, **(kwargs or {}))

    def _drawn(self, like: Tensor, keep: float) -> Tensor:
        order = torch.arange(like.numel(), device=self._uniforms.device) % max(self._uniforms.numel(), 1)
        return is_kept(self._uniforms[order], keep).reshape(like.shape)


_UNCOMPILED = {
    "compiled": "its random numbers are exchanged in torch's dispatcher, which a compiled graph does not pass"
}


@dropout.implementation(backend="torch")
def masked_fill(x, uniforms, keep, shared_batch, shared_rows, shared_columns, shared_channels):
    """A product with 1/keep, of which what is dropped is overwritten."""
    check_noise_shape(x, uniforms)
    return (x * (1 / keep if keep else 0.0)).masked_fill(~is_kept(uniforms, keep), 0)


@dropout.implementation(backend="numpy")
def divide_where(x, uniforms, keep, shared_batch, shared_rows, shared_columns, shared_channels):
    """numpy's division with `where`, over zeros."""
    check_noise_shape(x, uniforms)
    kept = np.broadcast_to(is_kept(uniforms, keep), x.shape)
    return np.divide(x, keep, out=np.zeros(x.shape, x.dtype), where=kept)


@dropout.implementation(backend="torch", exempt=_UNCOMPILED)
def torch_dropout(x, uniforms, keep, shared_batch, shared_rows, shared_columns, shared_channels):
    """torch.nn.functional.dropout of x; for a shared axis of ones in the noise shape, by which x is multiplied."""
    check_noise_shape(x, uniforms)
    with Replayed(uniforms):
        if uniforms.shape == x.shape:
            return torch.nn.functional.dropout(x, 1 - keep)
        return x * torch.nn.functional.dropout(torch.ones_like(uniforms), 1 - keep)


@dropout.implementation(backend="torch", exempt=_UNCOMPILED)
def torch_dropout2d(x, uniforms, keep, shared_batch, shared_rows, shared_columns, shared_channels):
    """torch.nn.functional.dropout2d on (batch, channels, rows, columns): the noise shape [k, 1, 1, n] alone."""
    check_noise_shape(x, uniforms)
    if uniforms.shape != (x.shape[0], 1, 1, x.shape[3]):
        raise Unsupported("dropout2d drops whole maps and knows no other noise shape")
    with Replayed(uniforms):
        return torch.nn.functional.dropout2d(x.permute(0, 3, 1, 2), 1 - keep).permute(0, 2, 3, 1)


@dropout.implementation(backend="keras")
def keras_dropout(x, uniforms, keep, shared_batch, shared_rows, shared_columns, shared_channels):
    """keras' Dropout layer with this noise shape."""
    if 0 in uniforms.shape:
        raise Unsupported("keras refuses a noise shape with a 0 in it")
    layer = _keras_layer("Dropout", rate=1 - keep, noise_shape=uniforms.shape, dtype=str(x.dtype))
    with Replayed(torch.from_numpy(np.array(uniforms))):
        return layer(x, training=True)


@lru_cache(maxsize=256)
def _keras_layer(kind: str, **options: Any) -> Any:
    """A layer of keras, kept because making one takes longer than calling it."""
    import keras

    return getattr(keras.layers, kind)(**options)


@operation(sizes={"channels": (1, 257), "rows": (1, 65), "columns": (1, 65)}, linear_in="x")
def channel_dropout(
    x: Float[Tensor, "channels rows columns"],
    uniforms: Annotated[Float[Tensor, "channels"], uniforms_off_the_threshold],
    keep: Keep,
) -> Float[Tensor, "channels rows columns"]:
    """Dropout of whole channels of a single image (claim dropout.two-d).

    x: (channels, rows, columns), without a batch; uniforms: one for every channel; keep: as for `dropout`.
    """
    if keep == 0:
        return torch.zeros_like(x)
    return torch.where(is_kept(uniforms, keep)[:, None, None], x / keep, 0.0)


@channel_dropout.in_extended_precision
def channel_dropout_long(x, uniforms, keep):
    """The same maths on long doubles."""
    return np.where(is_kept(uniforms, keep)[:, None, None], x / keep if keep else x, 0)


@channel_dropout.implementation(backend="numpy")
def copied_channels(x, uniforms, keep):
    """Channels that are kept, divided and copied one by one into zeros."""
    result = np.zeros(x.shape, x.dtype)
    for channel in np.flatnonzero(is_kept(uniforms, keep)):
        result[channel] = x[channel] / keep
    return result


@channel_dropout.implementation(backend="torch", exempt=_UNCOMPILED)
def dropout2d_batch_of_one(x, uniforms, keep):
    """torch.nn.functional.dropout2d on a batch of one image."""
    with Replayed(uniforms):
        return torch.nn.functional.dropout2d(x[None], 1 - keep)[0]


@channel_dropout.implementation(backend="torch", exempt=_UNCOMPILED)
def dropout2d_three_axes(x, uniforms, keep):
    """torch.nn.functional.dropout2d on the image itself, which torch takes for a batch of one-dimensional maps."""
    with Replayed(uniforms):
        return torch.nn.functional.dropout2d(x, 1 - keep)


@channel_dropout.implementation(backend="keras")
def keras_spatial(x, uniforms, keep):
    """keras' SpatialDropout2D on a batch of one image."""
    layer = _keras_layer("SpatialDropout2D", rate=1 - keep, data_format="channels_first", dtype=str(x.dtype))
    with Replayed(torch.from_numpy(np.array(uniforms))):
        return layer(x[None], training=True)[0]
