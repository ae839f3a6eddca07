"""Faults and other ways of the pseudo-inverses."""

import numpy as np
import torch

from harness.errors import Unsupported
from harness.operations.convolution import conv2d, conv2d_circular, conv2d_circular_matrix, conv2d_matrix
from harness.operations.deconvolution import conv2d_circular_pinv, conv2d_pinv
from harness.operations.pseudo_inverse import low_rank_pinv
from tests.quality.planted import correct, fault

_WIDE = (torch.float64, torch.float32)


def _image(y, K, padding):
    return K.shape[1], *(y.shape[2 + i] + K.shape[2 + i] - 1 - 2 * padding for i in range(2))


def _inverse(y, K, padding):
    """The pseudo-inverse of the matrix written out, transposed."""
    shape = _image(y, K, padding)
    columns = torch.eye(int(np.prod(shape)), dtype=y.dtype, device=y.device).reshape(-1, *shape)
    return torch.linalg.pinv(conv2d.definition(columns, K, padding).flatten(1))


def _circular_inverse(y, K):
    shape = (K.shape[1], *y.shape[2:])
    columns = torch.eye(int(np.prod(shape)), dtype=y.dtype, device=y.device).reshape(-1, *shape)
    return torch.linalg.pinv(conv2d_circular.definition(columns, K).flatten(1))


@fault(conv2d_pinv, dtypes=_WIDE, cause="samples leak", words="the sample before it")
def sample_before_taken_off(y, K, padding):
    """What is left of the sample before is added, as by a buffer that is not cleared."""
    left = torch.cat([torch.zeros_like(y[:1]), y[:-1]]) if len(y) else y
    return ((y + 0.25 * left).flatten(1) @ _inverse(y, K, padding)).reshape(len(y), *_image(y, K, padding))


@fault(conv2d_pinv, dtypes=_WIDE, cause="lower precision", words="float32")
def inverse_kept_in_float32(y, K, padding):
    """The inverse is kept in float32, whatever is asked."""
    inverse = _inverse(y.float(), K.float(), padding)
    return (y.float().flatten(1) @ inverse).reshape(len(y), *_image(y, K, padding)).to(y.dtype)


@fault(conv2d_pinv, dtypes=_WIDE, cause="reversed axis", words="reversed along batch")
def samples_in_reverse(y, K, padding):
    """Samples are put on a stack and taken off it, the last one first."""
    return (y.flip(0).flatten(1) @ _inverse(y, K, padding)).reshape(len(y), *_image(y, K, padding))


@fault(conv2d_circular_pinv, dtypes=_WIDE, cause="flipped kernel", words="not conjugated")
def inverse_of_the_plain_spectrum(y, K):
    """Pseudo-inverses of the spectrum, which is not conjugated."""
    if not len(y) or not y.isfinite().all():
        raise Unsupported("a transform spreads one NaN over the whole image")
    sides = y.shape[2:]
    blocks = torch.fft.rfft2(K, sides).permute(2, 3, 0, 1)
    with torch.no_grad():
        cut = torch.linalg.matrix_norm(blocks, 2).max() * (max(K.shape[:2]) * sides.numel() * torch.finfo(y.dtype).eps)
    inverses = torch.linalg.pinv(blocks, atol=cut, rtol=0.0)
    return torch.fft.irfft2(torch.einsum("xyco,boxy->bcxy", inverses, torch.fft.rfft2(y)), sides)


@fault(conv2d_circular_pinv, dtypes=_WIDE, cause="exchanged axes", words="K (outputs and inputs)")
def channels_of_the_kernel_exchanged(y, K):
    """As many channels in as out, and the kernel given with the former in front."""
    if K.shape[0] == K.shape[1]:
        K = K.transpose(0, 1)
    return (y.flatten(1) @ _circular_inverse(y, K)).reshape(len(y), K.shape[1], *y.shape[2:])


@fault(conv2d_circular_pinv, dtypes=_WIDE, cause="constant factor", words="1.001")
def gain_of_a_thousandth(y, K):
    """A calibration that is not taken back."""
    return 1.001 * (y.flatten(1) @ _circular_inverse(y, K)).reshape(len(y), K.shape[1], *y.shape[2:])


@fault(low_rank_pinv, dtypes=_WIDE, cause="exchanged axes", words="the result (columns and rows)")
def square_inverse_transposed(B, C):
    """U diag(1/s) Vᵀ where V diag(1/s) Uᵀ is the inverse; only a square one has a shape that does not show it."""
    inverse = torch.linalg.pinv(B @ C)
    return inverse.mT if inverse.shape[1] == inverse.shape[2] else inverse


@fault(low_rank_pinv, dtypes=_WIDE, cause=("only some entries", "one slice for all"), words="batch")
def first_inverse_for_all(B, C):
    """One inverse is computed, of the first pair, and used for the whole batch."""
    if not len(B):
        return B.new_zeros(0, C.shape[2], B.shape[1])
    return torch.linalg.pinv(B[0] @ C[0]).expand(len(B), -1, -1)


@fault(low_rank_pinv, dtypes=_WIDE, cause="circumstances", words="rank ≥ 2")
def columns_taken_for_orthogonal(B, C):
    """Columns are divided by their squared lengths, which is all there is to invert where there is one column."""
    left = B.mT / B.square().sum(1)[:, :, None]
    return (C / C.square().sum(2)[:, :, None]).mT @ left


@correct(conv2d_pinv, dtypes=_WIDE)
def singular_vectors_by_hand(y, K, padding):
    """Singular values of the matrix, inverted one by one."""
    if not (y.isfinite().all() and K.isfinite().all()):
        raise Unsupported("LAPACK's singular values refuse NaN")
    shape = _image(y, K, padding)
    columns = torch.eye(int(np.prod(shape)), dtype=y.dtype).reshape(-1, *shape)
    U, singular, Vh = torch.linalg.svd(conv2d.definition(columns, K, padding).flatten(1), full_matrices=False)
    with torch.no_grad():
        kept = singular > singular.max() * max(U.shape[0], Vh.shape[1]) * torch.finfo(y.dtype).eps
    turned = (y.flatten(1) @ Vh.mT) * torch.where(kept, 1 / torch.where(kept, singular, 1), 0)
    if torch.is_grad_enabled():
        raise Unsupported("the derivative of singular vectors needs gaps between singular values")
    return (turned @ U.mT).reshape(len(y), *shape)


@correct(conv2d_pinv, backend="numpy", dtypes=_WIDE)
def least_squares_of_numpy(y, K, padding):
    """numpy.linalg.lstsq."""
    if not (len(y) and np.isfinite(y).all() and np.isfinite(K).all()):
        raise Unsupported("LAPACK takes no empty right-hand side, and no NaN")
    shape = _image(y, K, padding)
    A = conv2d_matrix(K, *shape[1:], padding)
    cut = max(A.shape) * float(np.finfo(A.dtype).eps)
    return np.linalg.lstsq(A, y.reshape(len(y), -1).T, rcond=cut)[0].T.reshape(len(y), *shape)


@correct(conv2d_circular_pinv, backend="numpy", dtypes=_WIDE)
def numpy_pinv_of_the_circulant(y, K):
    """numpy.linalg.pinv of the circular matrix written out."""
    if not np.isfinite(K).all():
        raise Unsupported("LAPACK refuses NaN")
    A = conv2d_circular_matrix(K, *y.shape[2:])
    inverse = np.linalg.pinv(A, rcond=max(A.shape) * float(np.finfo(A.dtype).eps))
    return (y.reshape(len(y), A.shape[0]) @ inverse.T).reshape(len(y), K.shape[1], *y.shape[2:])


@fault(low_rank_pinv, dtypes=_WIDE, cause=("circumstances", "always", ""), words="LinAlgError", verdict="error")
def by_the_leading_block(B, C):
    """B is [1; X] times its first rows, which are taken to be invertible."""
    rank = B.shape[-1]
    X = B[:, rank:] @ torch.linalg.inv(B[:, :rank])
    one = torch.eye(rank, dtype=B.dtype).expand(len(B), -1, -1)
    left = torch.linalg.solve(B[:, :rank], torch.linalg.solve(one + X.mT @ X, torch.cat([one, X.mT], 2)))
    return C.mT @ torch.linalg.solve(C @ C.mT, left)


@correct(low_rank_pinv, backend="numpy", dtypes=_WIDE)
def normal_equations_of_each(B, C):
    """Cholesky factors of the inner matrices, pair by pair."""
    from scipy.linalg import cho_factor, cho_solve

    if not (np.isfinite(B).all() and np.isfinite(C).all()):
        raise Unsupported("a Cholesky factor of NaN is refused")
    result = np.empty((len(B), C.shape[2], B.shape[1]), B.dtype)
    for sample, (b, c) in enumerate(zip(B, C, strict=True)):
        result[sample] = c.T @ cho_solve(cho_factor(c @ c.T), cho_solve(cho_factor(b.T @ b), b.T))
    return result
