"""Essential matrices: E = s [t]× R, made of the rotation R and the direction t from one camera to another.

A point X before the first camera is R X + t before the second; (x₂, 1)ᵀ E (x₁, 1) = 0 for its two images. E is known up
to scale and sign. Two rotations and two directions agree with it: R and its twist (2ttᵀ − 1)R by half a turn
around the baseline, t and −t. Libraries return them in whatever order the signs of their singular vectors give. Here
the order is fixed, so that results can be compared:

- R₁ is the rotation by the smaller angle (the larger trace), R₂ the other;
- t has length 1 and is the one that goes with R₁: E = s [t]× R₁ with s > 0 (and so E = s [−t]× R₂).

No case is drawn in which the angles are nearly equal: either order would be right.

What is no essential matrix stands for the nearest one. Where that leaves no direction, because the second singular
value is no larger than the third within 64 eps of the first (E = 0, which t = 0 gives, and rank 1), a pose is NaN. For
`project_essential`, 0 is its own nearest, and a matrix of rank 1 has many, of which any is right.

`project_essential` is smooth where two singular values are equal, but autograd through a singular value decomposition
is not, so no gradients are asked.

Sources: docs/sources.md#essential-matrix.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Annotated, Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from harness.declare.declaration import operation
from harness.declare.dtypes import WIDE
from harness.declare.structure import RandomSource, structure

_SIZES = {"batch": (0, 17)}
_CLEARLY = 64  # eps of the first singular value, by which the second must be above the third


class Scene(NamedTuple):
    """What two cameras see. R: (batch, 3, 3); t: (batch, 3), of length 1; X: (batch, points, 3) before the first camera.

    The baseline is 2 long, all points stand before both cameras and none near the line through them. Half of the second
    cameras are turned by 29° at most, and the baseline lies across the view: theirs is the smaller of the two angles.
    The others are upside down, turned by about 157° around the view, and moved along it as well: theirs is the larger one.
    """

    R: Any
    t: Any
    X: Any

    @property
    def E(self) -> Any:
        """[t]× R, whose singular values are 1, 1 and 0."""
        return np.cross(self.t[:, None], self.R.swapaxes(1, 2)).swapaxes(1, 2)

    @property
    def images(self) -> tuple[Any, Any]:
        """The points as the two cameras see them, in normalised coordinates."""
        x, y, z = (self.X[..., place, None] * self.R[:, None, :, place] for place in range(3))
        second = x + y + z + 2 * self.t[:, None]  # no product of a library's, whose last bits differ by machine
        return self.X[..., :2] / self.X[..., 2:], second[..., :2] / second[..., 2:]


def scene(batch: int, points: int, seed: int) -> Scene:
    """The scene of a seed: the same for every argument that shows it."""

    def drawn(name: str, *shape: int) -> Any:
        return 2 * RandomSource(shape, {}, seed, name).uniform() - 1

    rolled = RandomSource((batch,), {}, seed, "rolled").integers(0, 1)
    a, b, c = (0.15 * drawn("rotation", batch, 3)).T  # a quaternion 1 + ai + bj + ck
    c = c + 5 * rolled
    rows = [
        [1 + a * a - b * b - c * c, 2 * (a * b - c), 2 * (a * c + b)],
        [2 * (a * b + c), 1 - a * a + b * b - c * c, 2 * (b * c - a)],
        [2 * (a * c - b), 2 * (b * c + a), 1 - a * a - b * b + c * c],
    ]
    R = np.array(rows).transpose(2, 0, 1) / (1 + a * a + b * b + c * c)[:, None, None]
    t = drawn("baseline", batch, 3) * np.array([1, 1, 0.5])
    across = RandomSource((batch,), {}, seed, "across").integers(0, 3)
    t[np.arange(batch), across // 2] = 1 - 2 * (across % 2)
    t[:, 2] += np.where(rolled, np.where(t[:, 2] < 0, -0.75, 0.75), 0)
    t /= np.sqrt(t[:, 0] ** 2 + t[:, 1] ** 2 + t[:, 2] ** 2)[:, None]
    return Scene(R, t, drawn("points", batch, points, 3) + np.array([0, 0, 4]))


_ABOVE, _ROLLED, _UPSIDE_DOWN = np.eye(3), np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]]), np.diag([-1.0, -1, 1])
_PLAIN = ((_ABOVE, (1, 0, 0), 4), (_ABOVE, (0, 1, 0), 4), (_ROLLED, (1, 0, 0), 4), (_UPSIDE_DOWN, (0.6, 0, 0.8), 2.4))
"""Rotations, baselines and the depths of the points in scenes that a person can follow; in the last one R₂ is right."""


def plain_scenes(batch: int, points: int) -> Iterator[tuple[Scene, int]]:
    """Scenes of round numbers, every sample alike, each with the signs that E may have."""
    places = np.arange(points)
    for R, t, depth in _PLAIN:
        rays = np.stack([(places % 5 - 2) / 4, places // 5 / 4, np.ones(points)], 1)
        made = Scene(
            np.stack([R] * batch or [R])[:batch],
            np.tile(np.array(t, float), (batch, 1)),
            depth * rays[None].repeat(batch, 0),
        )
        yield from ((made, 1), (made, -1))


def _plain_matrices(stream: RandomSource) -> Iterator[Any]:
    yield from (sign * plain.E for plain, sign in plain_scenes(stream.shape[0], 0))


def _plain_images(stream: RandomSource, camera: int) -> Iterator[Any]:
    yield from (plain.images[camera].round(6) for plain, _ in plain_scenes(*stream.shape[:2]))


def kinds(batch: int, seed: int) -> Any:
    """What is made of each sample's matrix: 0 to 3 nothing, 4 and 5 noise, 6 rank 1, 7 zero."""
    return RandomSource((batch,), {}, seed, "kind").integers(0, 7)


def _made(stream: RandomSource, noise: float, low_rank: bool) -> Any:
    """Essential matrices of all scales and both signs; some with noise, so that their rank is 3; some of rank 1 or 0."""
    batch, kind = stream.shape[0], kinds(stream.shape[0], stream.seed)[:, None, None]
    scales = np.ldexp(1.0 - 2.0 * stream.integers(0, 1, (batch, 1, 1)), stream.integers(-8, 8, (batch, 1, 1)))
    E = scene(batch, 0, stream.seed).E + np.where((kind == 4) | (kind == 5), noise * (2 * stream.uniform() - 1), 0.0)
    if low_rank:
        column, row = (
            stream.integers(1, 4, (batch, *side)) * (1 - 2 * stream.integers(0, 1, (batch, *side)))
            for side in ((3, 1), (1, 3))
        )
        E = np.where(kind == 6, column * row, E)
    return scales * np.where(kind == 7, 0.0, E)


@structure(simpler=_plain_matrices)
def matrices(stream: RandomSource) -> Any:
    """Essential matrices, some of them with an error of up to 1/4 per entry, some zero."""
    return _made(stream, 1 / 4, low_rank=False)


@structure(simpler=_plain_matrices)
def decomposed_matrices(stream: RandomSource) -> Any:
    """Essential matrices, some with an error of up to 1/16 per entry, some of rank 1 or zero."""
    return _made(stream, 1 / 16, low_rank=True)


@structure(simpler=_plain_matrices)
def posed_matrices(stream: RandomSource) -> Any:
    """Essential matrices, some with an error of up to 1/64 per entry, which leaves all points in front; some of rank 1 or zero."""
    return _made(stream, 1 / 64, low_rank=True)


@structure(simpler=partial(_plain_images, camera=0))
def first_images(stream: RandomSource) -> Any:
    """The scene's points as the first camera sees them."""
    return scene(stream.shape[0], stream.shape[1], stream.seed).images[0]


@structure(simpler=partial(_plain_images, camera=1))
def second_images(stream: RandomSource) -> Any:
    """The scene's points as the second camera sees them."""
    return scene(stream.shape[0], stream.shape[1], stream.seed).images[1]


@operation(sizes=_SIZES, differentiable=False)
def project_essential(E: Annotated[Float[Tensor, "batch 3 3"], matrices]) -> Float[Tensor, "batch 3 3"]:
    """The nearest essential matrix in the Frobenius norm: U diag(m, m, 0) Vᵀ with m = (σ₁ + σ₂)/2.

    E: (batch, 3, 3). Of several nearest ones (σ₂ = σ₃) any is right. (Claims essential.projection,
    essential.singular-values; Hartley and Zisserman, Multiple View Geometry, 11.7.3.)
    """
    U, S, Vt = torch.linalg.svd(E)
    return S[:, :2].mean(1)[:, None, None] * (U[:, :, :2] @ Vt[:, :2])


@operation(sizes=_SIZES, differentiable=False)
def decompose_essential(
    E: Annotated[Float[Tensor, "batch 3 3"], decomposed_matrices],
) -> tuple[Float[Tensor, "batch 3 3"], Float[Tensor, "batch 3 3"], Float[Tensor, "batch 3"]]:
    """The two rotations and the direction of an essential matrix, in the order that the head of the module fixes.

    E: (batch, 3, 3). Returns R₁, R₂, t; the four solutions are (R₁, ±t) and (R₂, ±t). NaN where there is no direction.
    With P = U diag(1, 1, 0) Vᵀ the rotations are cof(P) ∓ [t]×P, whose determinant is 1 whatever the signs of U and V
    (Horn, Recovering baseline and orientation from essential matrix, 1990). (Claims essential.four, essential.proper.)
    """
    U, S, Vt = torch.linalg.svd(E)
    lost = S[:, 1] - S[:, 2] <= _CLEARLY * torch.finfo(E.dtype).eps * S[:, 0]
    P, t = U[:, :, :2] @ Vt[:, :2], U[:, :, 2].masked_fill(lost[:, None], torch.nan)
    axial = torch.stack([P[:, 2, 1] - P[:, 1, 2], P[:, 0, 2] - P[:, 2, 0], P[:, 1, 0] - P[:, 0, 1]], 1)
    t = torch.where((t * axial).sum(1, keepdim=True) < 0, -t, t)
    turned = torch.linalg.cross(t[:, :, None].expand_as(P), P, dim=1)
    cofactors = torch.linalg.cross(P.roll(-1, 1), P.roll(-2, 1), dim=2)
    return cofactors - turned, cofactors + turned, t


def _homogeneous(x):
    return torch.cat([x, torch.ones_like(x[..., :1])], -1)


@operation(sizes={**_SIZES, "points": (1, 17)}, differentiable=False)
def recover_pose(
    E: Annotated[Float[Tensor, "batch 3 3"], posed_matrices],
    x1: Annotated[Float[Tensor, "batch points 2"], first_images],
    x2: Annotated[Float[Tensor, "batch points 2"], second_images],
) -> tuple[Float[Tensor, "batch 3 3"], Float[Tensor, "batch 3"]]:
    """The one solution of four that has the points in front of both cameras: R and t, of length 1.

    E: (batch, 3, 3), of either sign; x1, x2: (batch, points, 2), the images in normalised coordinates. The solution
    that has most points in front is taken. NaN where E has no direction. (Claim essential.four.)
    """
    first, second, t = decompose_essential(E)
    R, t = torch.stack([first, first, second, second], 1), torch.stack([t, -t, t, -t], 1)
    seen, ray = _homogeneous(x1)[:, None] @ R.mT, _homogeneous(x2)[:, None].expand(-1, 4, -1, -1)
    normal = torch.linalg.cross(ray, seen)
    way = t[:, :, None].expand_as(ray)
    depths = [-(torch.linalg.cross(each, way) * normal).sum(3) for each in (ray, seen)]
    best = ((depths[0] > 0) & (depths[1] > 0)).sum(2).argmax(1)
    rows = torch.arange(len(E), device=E.device)
    return R[rows, best], t[rows, best]


# Long double: one-sided Jacobi rotations, which numpy's linalg does not have


def _rotated(E):
    """E V with orthogonal columns, longest first, their lengths, and V."""
    A, V = E.copy(), np.broadcast_to(np.eye(3, dtype=E.dtype), E.shape).copy()
    for p, q in ((0, 1), (0, 2), (1, 2)) * 6:
        inner = (A[:, :, p] * A[:, :, q]).sum(1)
        ratio = ((A[:, :, q] ** 2).sum(1) - (A[:, :, p] ** 2).sum(1)) / (2 * inner)
        tangent = np.where(inner == 0, 0, np.where(ratio < 0, -1, 1) / (abs(ratio) + np.sqrt(1 + ratio**2)))
        cosine = (1 / np.sqrt(1 + tangent**2))[:, None]
        for M in (A, V):
            one, other = M[:, :, p].copy(), M[:, :, q].copy()
            M[:, :, p] = cosine * (one - tangent[:, None] * other)
            M[:, :, q] = cosine * (other + tangent[:, None] * one)
    lengths = np.sqrt((A**2).sum(1))
    order = np.argsort(-lengths, axis=1)
    A, V = (np.take_along_axis(M, order[:, None], 2) for M in (A, V))
    return A, np.take_along_axis(lengths, order, 1), V


@project_essential.in_extended_precision
def project_long(E):
    """`project_essential` by Jacobi rotations."""
    A, S, V = _rotated(E)
    made = (S[:, 0] + S[:, 1])[:, None, None] / 2 * ((A / S[:, None])[:, :, :2] @ V[:, :, :2].swapaxes(1, 2))
    return np.where(S[:, :1, None] == 0, 0, made)


@decompose_essential.in_extended_precision
def decompose_long(E):
    """`decompose_essential` by Jacobi rotations."""
    A, S, V = _rotated(E)
    U = A / S[:, None]
    lost = S[:, 1] - S[:, 2] <= _CLEARLY * np.finfo(np.float64).eps * S[:, 0]
    t = np.where(lost[:, None], np.nan, np.cross(U[:, :, 0], U[:, :, 1]))
    P = U[:, :, :2] @ V[:, :, :2].swapaxes(1, 2)
    axial = np.stack([P[:, 2, 1] - P[:, 1, 2], P[:, 0, 2] - P[:, 2, 0], P[:, 1, 0] - P[:, 0, 1]], 1)
    t = np.where((t * axial).sum(1, keepdims=True) < 0, -t, t)
    turned = np.cross(t[:, None], P.swapaxes(1, 2)).swapaxes(1, 2)
    cofactors = np.cross(np.roll(P, -1, 1), np.roll(P, -2, 1))
    return cofactors - turned, cofactors + turned, t


@recover_pose.in_extended_precision
def recover_long(E, x1, x2):
    """`recover_pose` by Jacobi rotations, with the depths that fit each pair of rays best."""
    return _chosen(*decompose_long(E), x1, x2)


def _chosen(first, second, t, x1, x2):
    """The solution with most points in front, by the least-squares depths of each pair of rays."""
    R, t = np.stack([first, first, second, second], 1), np.stack([t, -t, t, -t], 1)
    one = np.concatenate([x1, np.ones_like(x1[..., :1])], -1)[:, None] @ R.swapaxes(2, 3)
    other = np.concatenate([x2, np.ones_like(x2[..., :1])], -1)[:, None]
    front = front_depths(one, other, t[:, :, None])
    best = (front > 0).all(-1).sum(2).argmax(1)
    rows = np.arange(len(R))
    return R[rows, best], t[rows, best]


def front_depths(one, other, t):
    """The depths (..., 2) a and b for which a·one + t is nearest to b·other: positive in front of a camera."""
    aa, bb, ab = (one**2).sum(-1), (other**2).sum(-1), (one * other).sum(-1)
    at, bt = (one * t).sum(-1), (other * t).sum(-1)
    return np.stack([ab * bt - bb * at, aa * bt - ab * at], -1) / (aa * bb - ab**2)[..., None]


# Implementations of the projection


@project_essential.implementation(backend="numpy", name="numpy_svd", dtypes=WIDE)
def project_with_numpy(E):
    """What E has too much and too little in its three singular directions, taken away from it."""
    U, S, Vt = np.linalg.svd(E)
    half = (S[:, :1] - S[:, 1:2]) / 2
    return E - (U * np.concatenate([half, -half, S[:, 2:]], 1)[:, None]) @ Vt


@project_essential.implementation(backend="torch", name="eigenvectors")
def project_by_eigenvectors(E):
    """E in the planes of the leading eigenvectors of EEᵀ and EᵀE is a matrix M of 2 x 2; (M ± cof M)/2 has equal singular values."""
    U, V = (torch.linalg.eigh(square).eigenvectors[:, :, 1:] for square in (E @ E.mT, E.mT @ E))
    M = U.mT @ E @ V
    cofactors = M.flip(1, 2) * torch.tensor([[1.0, -1.0], [-1.0, 1.0]], dtype=E.dtype, device=E.device)
    cofactors = torch.where(torch.linalg.det(M)[:, None, None] < 0, -cofactors, cofactors)
    return U @ ((M + cofactors) / 2) @ V.mT


@project_essential.implementation(backend="opencv", name="opencv_svd")
def project_with_opencv(E):
    """OpenCV's SVDecomp, one matrix after another."""
    import cv2

    made = np.empty_like(E, order="C")
    for sample, matrix in enumerate(E):
        S, U, Vt = cv2.SVDecomp(matrix)
        made[sample] = S[:2].mean() * (U[:, :2] @ Vt[:2])
    return made


@project_essential.implementation(backend="kornia", name="kornia")
def project_with_kornia(E):
    """kornia's project_to_essential."""
    from kornia.geometry.epipolar import project_to_essential

    return project_to_essential(E)


# Implementations of the decomposition


def _ordered(E, R1, R2, t):
    """A library's R₁, R₂ and ±t (arrays of a batch) in the order that the head of the module fixes."""
    swap = np.trace(R2, axis1=1, axis2=2) > np.trace(R1, axis1=1, axis2=2)
    R1, R2 = np.where(swap[:, None, None], R2, R1), np.where(swap[:, None, None], R1, R2)
    against = (np.cross(t[:, None], R1.swapaxes(1, 2)).swapaxes(1, 2) * E).sum((1, 2)) < 0
    return R1, R2, np.where(against[:, None], -t, t)


def _without_direction(S):
    return S[:, 1] - S[:, 2] <= _CLEARLY * np.finfo(S.dtype).eps * S[:, 0]


def _by_quarter_turns(E):
    """U W Vᵀ and U Wᵀ Vᵀ, their signs mended so that both are rotations, and the last column of U."""
    U, S, Vt = np.linalg.svd(E)
    W = np.array([[0, -1, 0], [1, 0, 0], [0, 0, 1]], E.dtype)
    mended = np.sign(np.linalg.det(U) * np.linalg.det(Vt))[:, None, None]
    t = np.where(_without_direction(S)[:, None], np.nan, U[:, :, 2])
    return _ordered(E, mended * (U @ W @ Vt), mended * (U @ W.T @ Vt), t)


@decompose_essential.implementation(backend="numpy", name="quarter_turns", dtypes=WIDE)
def decompose_by_quarter_turns(E):
    """numpy: the textbook's U W Vᵀ and U Wᵀ Vᵀ, their signs mended."""
    R1, R2, t = _by_quarter_turns(E)
    nothing = np.isnan(t[:, :1, None])
    return np.where(nothing, np.nan, R1), np.where(nothing, np.nan, R2), t


@decompose_essential.implementation(backend="torch", name="eigenvectors")
def decompose_by_eigenvectors(E):
    """Eigenvectors of E Eᵀ span the plane and its normal t; a half turn around t makes R₂ of R₁."""
    values, U = torch.linalg.eigh(E @ E.mT)
    sides = E.mT @ U[:, :, 1:]
    lengths = sides.norm(dim=1, keepdim=True)
    V = sides / lengths
    u, v = torch.linalg.cross(U[:, :, 1], U[:, :, 2]), torch.linalg.cross(V[:, :, 0], V[:, :, 1])
    quarter = U[:, :, 2:] @ V[:, :, :1].mT - U[:, :, 1:2] @ V[:, :, 1:].mT
    R = u[:, :, None] @ v[:, None] + quarter
    t = u
    other = 2 * t[:, :, None] * (t[:, None] @ R) - R
    larger = _trace(other) > _trace(R)
    first, second = torch.where(larger, other, R), torch.where(larger, R, other)
    against = torch.linalg.cross(t[:, :, None].expand_as(first), first, dim=1).mul(E).sum((1, 2)) < 0
    # eigenvalues are squares of singular values, and each is known to eps of the largest alone
    lost = (values[:, 1] - values[:, 0].clamp(min=0) <= _CLEARLY * torch.finfo(E.dtype).eps * values[:, 2])[:, None]
    t = torch.where(against[:, None], -t, t).masked_fill(lost, torch.nan)
    return first.masked_fill(lost[..., None], torch.nan), second.masked_fill(lost[..., None], torch.nan), t


def _trace(R):
    return R.diagonal(dim1=1, dim2=2).sum(1)[:, None, None]


@decompose_essential.implementation(backend="opencv", name="opencv")
def decompose_with_opencv(E):
    """OpenCV's decomposeEssentialMat, one matrix after another; what it makes of E = 0 is its own answer."""
    import cv2

    if not len(E):
        return E.copy(), E.copy(), E[:, 0].copy()
    R1, R2, t = (np.stack(each) for each in zip(*(cv2.decomposeEssentialMat(matrix) for matrix in E), strict=True))
    return tuple(each.astype(E.dtype) for each in _ordered(E, R1, R2, t[:, :, 0]))


@decompose_essential.implementation(backend="kornia", name="kornia")
def decompose_with_kornia(E):
    """kornia's decompose_essential_matrix; what it makes of E = 0 is its own answer."""
    from kornia.geometry.epipolar import decompose_essential_matrix

    R1, R2, t = decompose_essential_matrix(E)
    return tuple(
        torch.from_numpy(each).to(E.dtype) for each in _ordered(E.numpy(), R1.numpy(), R2.numpy(), t[:, :, 0].numpy())
    )


# Implementations of the choice


@recover_pose.implementation(backend="numpy", name="nearest_rays", dtypes=WIDE)
def recover_by_nearest_rays(E, x1, x2):
    """numpy: the textbook's rotations, and the depths at which two rays come nearest to each other."""
    R, t = _chosen(*_by_quarter_turns(E), x1, x2)
    return np.where(np.isnan(t[:, :1, None]), np.nan, R), t


@recover_pose.implementation(backend="opencv", name="opencv")
def recover_with_opencv(E, x1, x2):
    """OpenCV's recoverPose with a camera matrix of ones, one matrix after another."""
    import cv2

    R, t = np.empty_like(E, order="C"), np.empty_like(E[:, 0], order="C")
    for sample, (matrix, one, other) in enumerate(zip(E, x1, x2, strict=True)):
        _, R[sample], column, _ = cv2.recoverPose(matrix, one, other, np.eye(3, dtype=E.dtype))
        t[sample] = column[:, 0]
    return R, t


@recover_pose.implementation(backend="kornia", name="kornia")
def recover_with_kornia(E, x1, x2):
    """kornia's motion_from_essential_choose_solution with camera matrices of ones."""
    from kornia.geometry.epipolar import motion_from_essential_choose_solution

    K = torch.eye(3, dtype=E.dtype).expand_as(E)
    R, t, _, _ = motion_from_essential_choose_solution(E, K, K, x1, x2)
    return R, t[:, :, 0]
