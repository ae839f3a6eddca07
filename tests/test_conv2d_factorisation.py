"""The factorised inverse of a convolution: held against the matrix written out, twisted, damped, and refused where it must be."""

import pytest
import torch

from harness.operations.conv2d_factorisation import Damped, Factorisation, Iterated, conv2d_inverse

SHAPES = [(1, 6, 5, 3, 3), (2, 7, 6, 3, 5), (3, 4, 4, 5, 3), (2, 2, 3, 5, 5), (2, 5, 5, 1, 1), (3, 6, 4, 1, 3)]


def bells(*shape, seed=0):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def matrix(K, height, width):
    """A, one column for each pixel of each channel."""
    unknowns = K.shape[1] * height * width
    images = torch.eye(unknowns, dtype=torch.float64).reshape(unknowns, K.shape[1], height, width)
    padding = (K.shape[2] // 2, K.shape[3] // 2)
    return torch.nn.functional.conv2d(images, K, padding=padding).flatten(1).T


def kernel(*taps):
    return torch.tensor(taps, dtype=torch.float64)[None, None]


@pytest.mark.parametrize(("channels", "height", "width", "down", "across"), SHAPES)
def test_it_solves_what_the_matrix_solves(channels, height, width, down, across):
    K, y = bells(channels, channels, down, across), bells(4, channels, height, width, seed=1)
    A, made = matrix(K, height, width), Factorisation(K, height, width)
    for M, adjoint in ((A, False), (A.T, True)):
        x = made.solve(y, 2, adjoint)
        expected = torch.linalg.solve(M, y.flatten(1).T).T.reshape(y.shape)
        assert (x - expected).norm() <= 1e-13 * torch.linalg.cond(A) * expected.norm()
    assert made.residual(made.solve(y), y) < 1e-15 * torch.linalg.cond(A)


def test_a_refinement_brings_the_residual_to_rounding():
    K, x = bells(8, 8, 3, 3), bells(1, 8, 24, 24, seed=1)
    made = Factorisation(K, 24, 24)
    y = made.apply(x)
    assert made.residual(made.solve(y, 1), y) < 1e-15
    assert made.residual(made.solve(y, 1), y) < made.residual(made.solve(y, 0), y)


@pytest.mark.parametrize(
    ("K", "turns"),
    [
        (kernel([0, 0, 0], [1, -1, 0], [0, 0, 0]), (0, 1)),
        (kernel([0, 1, 0], [0, -1, 0], [0, 0, 0]), (1, 0)),
        (kernel([1, -1, 0], [-1, 1, 0], [0, 0, 0]), (1, 1)),
        (kernel([0, 0, 0], [0, 1, 0], [0, 0, 0]), (0, 0)),
    ],
)
def test_a_singular_circulant_is_twisted(K, turns):
    made, y = Factorisation(K, 6, 8), bells(2, 1, 6, 8)
    assert made.circulant.turns == turns
    assert made.residual(made.solve(y), y) < 1e-14


def test_it_is_differentiable_in_the_result_and_in_the_kernel():
    K = bells(2, 2, 3, 3).requires_grad_()
    y = bells(2, 2, 4, 3, seed=1).requires_grad_()
    assert torch.autograd.gradcheck(lambda y, K: Factorisation(K, 4, 3).solve(y), (y, K))
    assert torch.autograd.gradcheck(lambda y, K: Factorisation(K, 4, 3).solve(y, adjoint=True), (y, K))


def test_precision_and_empty_batches_are_kept():
    made = Factorisation(bells(2, 2, 3, 3), 4, 3)
    assert made.solve(torch.ones(1, 2, 4, 3)).dtype == torch.float32
    assert made.solve(torch.ones(0, 2, 4, 3)).shape == (0, 2, 4, 3)


@pytest.mark.parametrize("channels", [1, 4])
def test_the_condition_is_estimated(channels):
    K = bells(channels, channels, 3, 3, seed=3)
    told = Factorisation(K, 10, 9).condition
    true = float(torch.linalg.cond(matrix(K, 10, 9)))
    assert true / 2 < told <= 1.001 * true


@pytest.mark.parametrize(("outputs", "inputs"), [(2, 3), (3, 2), (2, 2)])
def test_damping_pays_for_size_and_repetition_tends_to_the_pseudo_inverse(outputs, inputs):
    K, y = bells(outputs, inputs, 3, 3), bells(2, outputs, 6, 5, seed=1)
    A, flat = matrix(K, 6, 5), y.flatten(1).T
    left, values, right = torch.linalg.svd(A, full_matrices=False)
    damped = (right.T @ torch.diag(values / (values**2 + 1e-4)) @ left.T @ flat).T
    made = Damped(K, 6, 5, 1e-2)
    torch.testing.assert_close(made.solve(y).flatten(1), damped, rtol=1e-9, atol=1e-9)
    small = Damped(K, 6, 5, float(values.min()) / 2)
    torch.testing.assert_close(small.solve(y, 30).flatten(1).T, torch.linalg.pinv(A) @ flat, rtol=1e-6, atol=1e-8)


def test_a_singular_operator_has_a_damped_solution_near_the_pseudo_inverse():
    K = bells(2, 2, 3, 3)
    K[1] = K[0]
    y = bells(1, 2, 5, 4, seed=1)
    wanted = torch.linalg.pinv(matrix(K, 5, 4), rtol=1e-10) @ y.flatten()
    torch.testing.assert_close(Damped(K, 5, 4, 1e-2).solve(y, 200).flatten(), wanted, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("K", "padding", "reason"),
    [
        (bells(2, 3, 3, 3), 1, "as many channels out as in are needed for an inverse; they are 2 and 3"),
        (bells(2, 2, 3, 3), 0, "padding 0 changes the size of the image"),
        (bells(2, 2, 2, 2), 1, "a kernel of (outputs, inputs, odd, odd) is needed"),
        (torch.zeros(2, 2, 3, 3, dtype=torch.float64), 1, "the convolution is zero"),
        (bells(1, 2, 3, 3).expand(2, 2, 3, 3).contiguous(), 1, "is singular"),
    ],
)
def test_what_cannot_be_factorised_is_solved_by_lsmr_and_says_so(K, padding, reason):
    with pytest.warns(UserWarning, match="solved by LSMR") as told:
        made = conv2d_inverse(K, 5, 4, padding)
    assert isinstance(made, Iterated)
    assert reason in made.reason
    assert reason in str(told[0].message)
    x = bells(1, K.shape[1], 5, 4, seed=1)
    y = torch.nn.functional.conv2d(x, K, padding=padding)
    again = torch.nn.functional.conv2d(made.solve(y), K, padding=padding)
    torch.testing.assert_close(again, y, rtol=1e-8, atol=1e-8)


def test_a_solution_that_cannot_be_trusted_is_warned_of(recwarn):
    assert conv2d_inverse(bells(4, 4, 3, 3), 12, 12, 1).condition < 1e10
    assert not recwarn
    winding = kernel(
        [0, 0, 0], [0, 0.5, 1.0], [0, 0, 0]
    )  # around zero, so that the condition doubles with every column
    with pytest.warns(UserWarning, match=r"the condition of this convolution is about .* Damped"):
        conv2d_inverse(winding, 3, 60, 1)
