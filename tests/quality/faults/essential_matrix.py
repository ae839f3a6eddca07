"""Faults and other ways of essential matrices."""

import numpy as np
import torch

from harness.declare.dtypes import WIDE
from harness.operations.essential_matrix import decompose_essential, project_essential, recover_pose
from tests.quality.planted import correct, fault


@fault(project_essential, cause="exchanged axes", words="axes 1 and 2")
def reverse_pair(E):
    """The matrix of the reverse pair of images, Eᵀ."""
    return project_essential(E).mT


# twice the result is the result of twice E
@fault(project_essential, cause=("constant factor", "counted twice"))
def sum_of_singular_values(E):
    """σ₁ + σ₂ for their mean."""
    U, S, Vt = torch.linalg.svd(E)
    return S[:, :2].sum(1)[:, None, None] * (U[:, :, :2] @ Vt[:, :2])


# the other direction is that of -E, whose rotations are the same
@fault(decompose_essential, cause=("constant factor", "negated"))
def from_second_to_first(E):
    """The direction from the second camera to the first."""
    first, second, t = decompose_essential(E)
    return first, second, -t


@fault(decompose_essential, cause="exchanged results", words="results 0 and 1 are exchanged")
def twisted_first(E):
    """The rotation by the larger angle comes first."""
    first, second, t = decompose_essential(E)
    return second, first, t


@fault(decompose_essential, cause="exchanged axes", words="axes 1 and 2 of result 0")
def first_rotation_back(E):
    """The first rotation leads from the second camera to the first."""
    first, second, t = decompose_essential(E)
    return first.mT, second, t


@fault(recover_pose, cause="exchanged arguments", words="x1 and x2 are exchanged")
def images_exchanged(E, x1, x2):
    """The points of the second image are taken for those of the first."""
    return recover_pose(E, x2, x1)


@fault(recover_pose, cause="exchanged axes", words="axes 1 and 2 of result 0")
def camera_to_world(E, x1, x2):
    """The rotation is given back from camera to world."""
    R, t = recover_pose(E, x1, x2)
    return R.mT, t


def _farthest_in_front(x1, x2, solutions):
    """The solution of those given that has most points before both cameras."""
    R, t = (torch.stack(each, 1) for each in zip(*solutions, strict=True))
    seen, ray = _rays(x1)[:, None] @ R.mT, _rays(x2)[:, None].expand(-1, len(solutions), -1, -1)
    normal, way = torch.linalg.cross(ray, seen), t[:, :, None].expand_as(ray)
    first, second = (-(torch.linalg.cross(each, way) * normal).sum(3) > 0 for each in (ray, seen))
    best, rows = (first & second).sum(2).argmax(1), torch.arange(len(R))
    return R[rows, best], t[rows, best]


def _rays(x):
    return torch.cat([x, torch.ones_like(x[..., :1])], -1)


@fault(recover_pose, cause="another step", words="as if add in line")
def always_the_first_rotation(E, x1, x2):
    """The rotation by the smaller angle is taken, and only the direction is chosen."""
    first, _, t = decompose_essential(E)
    return _farthest_in_front(x1, x2, [(first, t), (first, -t)])


@fault(recover_pose, cause="", words="no known cause")
def never_a_negative_matrix(E, x1, x2):
    """Each rotation is tried with the one direction that has E = s [t]× R with a positive s."""
    first, second, t = decompose_essential(E)
    return _farthest_in_front(x1, x2, [(first, t), (second, -t)])


@correct(project_essential, backend="numpy", dtypes=WIDE)
def one_matrix_at_a_time(E):
    """numpy's singular vectors, of one matrix after another, added up as outer products."""
    made = np.zeros_like(E, order="C")
    for sample, matrix in enumerate(E):
        U, S, Vt = np.linalg.svd(matrix)
        made[sample] = (S[0] + S[1]) / 2 * (np.outer(U[:, 0], Vt[0]) + np.outer(U[:, 1], Vt[1]))
    return made


@correct(recover_pose, dtypes=WIDE)
def points_from_last_to_first(E, x1, x2):
    """The points in another order, and the matrix with the other sign and another scale."""
    return recover_pose(-4 * E, x1.flip(1), x2.flip(1))
