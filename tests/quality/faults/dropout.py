"""Faults and other ways of dropout."""

import numpy as np
import torch

from harness.operations.dropout import channel_dropout, check_noise_shape, dropout, is_kept
from tests.quality.planted import correct, fault


@fault(dropout, cause="another function of it", words="1 - uniforms")
def kept_below_keep(x, uniforms, keep, shared_batch, shared_rows, shared_columns, shared_channels):
    """Entries are kept where the uniform is small, not where it is large."""
    check_noise_shape(x, uniforms)
    if keep in (0, 1):
        return x * keep
    return torch.where(uniforms < keep, x / keep, 0.0)


@fault(dropout, cause=("circumstances", "factor of an option", "another step"))
def not_scaled_up(x, uniforms, keep, shared_batch, shared_rows, shared_columns, shared_channels):
    """What is kept is left as it is, so that the mean falls with keep."""
    check_noise_shape(x, uniforms)
    return torch.where(is_kept(uniforms, keep), x, 0.0)


@fault(dropout, cause="nonfinite swallowed or invented", words="invented")
def product_with_a_mask(x, uniforms, keep, shared_batch, shared_rows, shared_columns, shared_channels):
    """Dropped entries are multiplied by zero, which infinity survives as NaN."""
    check_noise_shape(x, uniforms)
    return x * is_kept(uniforms, keep) / (keep or 1)


@fault(dropout, backend="numpy", cause="argument written", words="x")
def dropped_in_place(x, uniforms, keep, shared_batch, shared_rows, shared_columns, shared_channels):
    """Dropped entries are overwritten in the argument itself."""
    check_noise_shape(x, uniforms)
    x[~np.broadcast_to(is_kept(uniforms, keep), x.shape)] = 0
    return x / x.dtype.type(keep or 1)


@fault(dropout, cause="one slice for all", words="the first slice of uniforms along batch")
def one_mask_for_all_samples(x, uniforms, keep, shared_batch, shared_rows, shared_columns, shared_channels):
    """The first sample's mask is used for all of them, whatever the noise shape."""
    check_noise_shape(x, uniforms)
    kept = is_kept(uniforms, keep)
    return torch.where(kept[:1] if len(x) else kept, x / (keep or 1), 0.0)


@fault(dropout, cause="another option", words="keep=0.5 is computed where keep=0.3 is asked")
def no_table_for_three_tenths(x, uniforms, keep, shared_batch, shared_rows, shared_columns, shared_channels):
    """A rate that is not in a table becomes the default of a half."""
    check_noise_shape(x, uniforms)
    keep = {0.0: 0.0, 0.5: 0.5, 0.75: 0.75, 0.9: 0.9, 1.0: 1.0}.get(keep, 0.5)
    return torch.where(is_kept(uniforms, keep), x / (keep or 1), 0.0)


@fault(dropout, cause="circumstances", words=("keep=1.0", "uniforms has a zero"))
def zero_is_always_dropped(x, uniforms, keep, shared_batch, shared_rows, shared_columns, shared_channels):
    """Kept is what is above 1 - keep, so that a uniform of exactly 0 is dropped where all are to be kept."""
    check_noise_shape(x, uniforms)
    return torch.where(uniforms > 1 - keep, x / (keep or 1), 0.0)


@fault(channel_dropout, cause="shifted", words=("by +1 entry along channels",))
def channel_before(x, uniforms, keep):
    """Each channel goes by the uniform of the one before, the first by zero."""
    before = torch.cat([torch.zeros_like(uniforms[:1]), uniforms[:-1]])
    return torch.where(is_kept(before, keep)[:, None, None], x / (keep or 1), 0.0)


@fault(channel_dropout, cause="only some entries", words="the first entry along rows")
def first_row_never_dropped(x, uniforms, keep):
    """The mask begins with the second row."""
    scaled = x / (keep or 1)
    return torch.cat([scaled[:, :1], torch.where(is_kept(uniforms, keep)[:, None, None], scaled[:, 1:], 0.0)], 1)


@correct(dropout, backend="numpy")
def copied_where_kept(x, uniforms, keep, shared_batch, shared_rows, shared_columns, shared_channels):
    """What is kept is divided and copied, found by its flat positions."""
    check_noise_shape(x, uniforms)
    result = np.zeros(x.size, x.dtype)
    kept = np.flatnonzero(np.broadcast_to(is_kept(uniforms, keep), x.shape))
    result[kept] = x.reshape(-1)[kept] / x.dtype.type(keep or 1)
    return result.reshape(x.shape)


@correct(channel_dropout)
def channels_gathered(x, uniforms, keep):
    """Channels that are kept, put back by index_copy."""
    kept = torch.nonzero(is_kept(uniforms, keep)).flatten()
    return torch.zeros_like(x).index_copy(0, kept, x[kept] / (keep or 1))
