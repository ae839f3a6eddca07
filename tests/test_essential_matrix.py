"""Essential matrices: against mpmath and known poses, and faults that are planted."""

import mpmath
import numpy as np
import pytest
import torch

import harness
from harness.execute.outcome import outcome
from harness.measure.verdict import Verdict
from harness.operations.essential_matrix import (
    decompose_essential,
    decompose_long,
    kinds,
    project_essential,
    project_long,
    recover_pose,
    scene,
)
from harness.verify.cell import Cell
from tests.verdicts import PROPERTIES, explored

# a quarter turn around z, then a step along x: [t]× R with whole numbers throughout
QUARTER = [[0, -1, 0], [1, 0, 0], [0, 0, 1]]
ALONG_X = [1, 0, 0]
E_OF_QUARTER = [[0, 0, 0], [0, 0, -1], [1, 0, 0]]


def doubles(*rows):
    return torch.tensor(rows, dtype=torch.float64)


def served(operation, dtype):
    made = [operation.own, *operation.implementations.values()]
    return [each for each in made if not each.unavailable() and (dtype in each.dtypes or each is operation.own)]


def answers(operation, name, function):
    return [explored(name, operation, function, dtype, 32).verdict for dtype in ("float64", "float32")]


def test_the_scene_is_made_of_rotations_and_points_before_both_cameras():
    for seed in range(50):
        made = scene(17, 17, seed)
        assert np.allclose(made.R @ made.R.swapaxes(1, 2), np.eye(3), atol=1e-15)
        assert np.allclose(np.linalg.det(made.R), 1) and np.allclose(np.linalg.norm(made.t, axis=1), 1)
        second = made.X @ made.R.swapaxes(1, 2) + 2 * made.t[:, None]
        assert made.X[..., 2].min() >= 3 and second[..., 2].min() > 1


@pytest.mark.parametrize("seed", range(8))
def test_projection_against_mpmath(seed):
    case = harness.Case(project_essential, {"batch": 3}, seed=seed)
    E = case.tensors["E"]
    with np.errstate(all="ignore"):
        found, long = project_essential(E), project_long(E.numpy().astype(np.longdouble))
    with mpmath.workdps(40):
        for sample, matrix in enumerate(E.tolist()):
            U, S, V = mpmath.svd_r(mpmath.matrix(matrix))
            exact = (S[0] + S[1]) / 2 * U[:, :2] * V[:2, :]
            size = float(mpmath.norm(exact)) or 1.0
            for made, digits in ((found[sample].tolist(), 1e-14), (long[sample].tolist(), 1e-17)):
                assert float(mpmath.norm(mpmath.matrix(made) - exact)) <= digits * size


@pytest.mark.parametrize("sign", [1, -1])
def test_a_quarter_turn_is_decomposed_by_all(sign):
    call = harness.Call(decompose_essential, {"E": sign * 3 * doubles(E_OF_QUARTER)}, {})
    for made in served(decompose_essential, torch.float64):
        R1, R2, t = harness.Subject(decompose_essential, made)(call)
        # its twist by half a turn around x has the trace −1 against 1, so the quarter turn comes first
        torch.testing.assert_close(R1[0], doubles(*QUARTER), msg=made.name)
        torch.testing.assert_close(t[0], sign * doubles(*ALONG_X), msg=made.name)
        torch.testing.assert_close(R2[0], doubles([0, -1, 0], [-1, 0, 0], [0, 0, -1]), msg=made.name)


def test_a_quarter_turn_is_recovered_by_all_from_two_points():
    X = doubles([1, 0, 4], [0, 1, 5])
    Y = X @ doubles(*QUARTER).T + doubles(*ALONG_X)
    arguments = {"E": doubles(E_OF_QUARTER), "x1": (X[:, :2] / X[:, 2:])[None], "x2": (Y[:, :2] / Y[:, 2:])[None]}
    for scale in (1, -2):
        call = harness.Call(recover_pose, {**arguments, "E": scale * arguments["E"]}, {})
        for made in served(recover_pose, torch.float64):
            R, t = harness.Subject(recover_pose, made)(call)
            torch.testing.assert_close(R[0], doubles(*QUARTER), msg=made.name)
            torch.testing.assert_close(t[0], doubles(*ALONG_X), msg=made.name)


def test_degenerate_matrices_are_answered_as_documented():
    zero, rank_one = torch.zeros(1, 3, 3, dtype=torch.float64), doubles([[1, 2, 3], [2, 4, 6], [-1, -2, -3]])
    assert not project_essential(zero).any()
    for E in (zero, rank_one):
        assert all(part.isnan().all() for part in decompose_essential(E))
        with np.errstate(all="ignore"):
            assert all(np.isnan(part).all() for part in decompose_long(E.numpy().astype(np.longdouble)))


def test_opencv_answers_a_matrix_of_zeros_and_that_is_known():
    pytest.importorskip("cv2")
    made = decompose_essential.find("opencv")
    call = harness.Call(decompose_essential, {"E": torch.zeros(1, 3, 3, dtype=torch.float64)}, {})
    assert all(part.isfinite().all() for part in harness.Subject(decompose_essential, made)(call))
    found = outcome(Cell(PROPERTIES["no_pose"], decompose_essential, made, "cpu", "float64"), 32, 0)
    assert Verdict(found.verdict) is Verdict.WRONG and found.known


def larger_angle_first(E):
    R1, R2, t = decompose_essential(E)
    return R2, R1, t


def other_direction(E):
    R1, R2, t = decompose_essential(E)
    return R1, R2, -t


def upwards(E):
    R1, R2, t = decompose_essential(E)
    return R1, R2, torch.where(t[:, 1:2] < 0, -t, t)


def pose_of_zero(E):
    nothing = torch.eye(3, dtype=E.dtype).expand_as(E)
    R1, R2, t = decompose_essential(E)
    return tuple(
        torch.where(each.isnan(), other, each) for each, other in ((R1, nothing), (R2, nothing), (t, nothing[:, 0]))
    )


def first_value_for_both(E):
    U, S, Vt = torch.linalg.svd(E)
    return S[:, :1, None] * (U[:, :, :2] @ Vt[:, :2])


@pytest.mark.parametrize(
    ("operation", "name", "faulty"),
    [
        (decompose_essential, "agreement", larger_angle_first),
        (decompose_essential, "rebuilt", other_direction),
        (decompose_essential, "reversed_pair", upwards),
        (decompose_essential, "no_pose", pose_of_zero),
        (project_essential, "agreement", first_value_for_both),
        (project_essential, "nearest", first_value_for_both),
        (project_essential, "cubic_constraint", lambda E: E),
        (project_essential, "two_equal_singular_values", lambda E: E),
        (recover_pose, "known_pose", lambda E, x1, x2: decompose_essential(E)[::2]),
        (recover_pose, "one_of_four", lambda E, x1, x2: decompose_essential(E)[::2]),
        (recover_pose, "scale_and_sign", lambda E, x1, x2: decompose_essential(E)[::2]),
        (recover_pose, "epipolar_constraint", lambda E, x1, x2: recover_pose(E.mT, x1, x2)),
        (decompose_essential, "proper_rotations", lambda E: tuple(-part for part in decompose_essential(E))),
        (decompose_essential, "twisted_pair", lambda E: (*decompose_essential(E)[:1] * 2, decompose_essential(E)[2])),
    ],
    ids=lambda value: getattr(value, "__name__", getattr(value, "name", value)),
)
def test_a_planted_fault_is_found_and_right_code_passes(operation, name, faulty):
    assert all(verdict.failing for verdict in answers(operation, name, faulty))
    assert all(
        verdict in (Verdict.EXACT, Verdict.ROUNDING) for verdict in answers(operation, name, operation.definition)
    )


def test_planned_cases_meet_every_kind():
    assert set(np.concatenate([kinds(17, seed) for seed in range(8)])) == set(range(8))
