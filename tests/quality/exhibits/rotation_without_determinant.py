"""The textbook's U W Vᵀ and U Wᵀ Vᵀ as the asker takes them, whatever the signs of U and V: half of them are reflections.

Verdict: wrong
Property: proper_rotations

A singular value decomposition is free to give U or V the determinant −1, and then neither product is a rotation
(claim essential.proper). The order of the two and the sign of t are mended, so that nothing else is at fault.
"""

import numpy as np

from harness.operations.essential_matrix import decompose_essential


@decompose_essential.implementation(backend="numpy")
def rotation_without_determinant(E):
    """Both products, ordered as the operation wants them; NaN where there is no direction."""
    U, S, Vt = np.linalg.svd(E.astype(np.promote_types(E.dtype, np.float32)))
    W = np.array([[0, -1, 0], [1, 0, 0], [0, 0, 1]])
    pair = np.stack([U @ W @ Vt, U @ W.T @ Vt], 1)
    order = np.argsort(-np.trace(pair, axis1=2, axis2=3), axis=1)
    pair = np.take_along_axis(pair, order[:, :, None, None], 1)
    t = U[:, :, 2]
    turned = np.cross(t[:, None], pair[:, 0].swapaxes(1, 2)).swapaxes(1, 2)
    t = np.where(((turned * E).sum((1, 2)) < 0)[:, None], -t, t)
    lost = (S[:, 1] <= 1e-3 * S[:, 0])[:, None]
    results = (pair[:, 0], pair[:, 1], t)
    return tuple(np.where(lost.reshape(-1, *[1] * (each.ndim - 1)), np.nan, each).astype(E.dtype) for each in results)
