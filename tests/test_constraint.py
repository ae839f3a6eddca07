"""Symmetric matrices: filled by every pattern, moved by rounding in pairs, and kept when a counterexample is made simple."""

from typing import Annotated

import pytest
import torch
from jaxtyping import Complex, Float
from torch import Tensor

import harness
from harness.explain.simplifying import simplify
from harness.generate.case import Case
from harness.generate.patterns import PATTERNS, SPECIAL
from harness.measure.reference import reference
from tests.verdicts import explored


@harness.operation(sizes={"n": (1, 12)})
def energies(a: Annotated[Float[Tensor, "batch n n"], harness.symmetric]) -> Float[Tensor, "batch n"]:
    """The eigenvalues of symmetric matrices, in order."""
    return torch.linalg.eigvalsh(a)


@energies.implementation
def of_the_lower_triangle(a):
    return torch.linalg.eigvalsh(a.tril())


@energies.implementation
def off_the_diagonal_doubled(a):
    return torch.linalg.eigvalsh(torch.where(torch.eye(a.shape[-1], dtype=torch.bool), a, 2 * a))


@pytest.mark.parametrize("dtype", ["float64", "float32", "bfloat16"])
@pytest.mark.parametrize("pattern", [*PATTERNS, *SPECIAL])
def test_every_pattern_fills_symmetric_matrices(pattern, dtype):
    for seed in range(3):
        made = Case(energies, {"batch": 3, "n": 9}, pattern=pattern, seed=seed, dtype=dtype).tensors["a"]
        assert torch.equal(made.nan_to_num(nan=0.5), made.mT.nan_to_num(nan=0.5))
        assert pattern in ("constant", "equal") or made.unique().numel() > 1


def test_the_noise_floor_is_that_of_symmetric_matrices():
    """Eigenvalues of what is moved in one triangle alone would be moved less."""
    seen = []

    @harness.operation(sizes={"n": (3, 3)}, differentiable=False)
    def looked_at(a: Annotated[Float[Tensor, "n n"], harness.symmetric]) -> Float[Tensor, "n n"]:
        """The matrix itself."""
        seen.append(a.clone())
        return a + 0

    seen.clear()
    reference(Case(looked_at, {"n": 3}, dtype="float32"))
    assert len({tuple(each.flatten().tolist()) for each in seen}) > 1
    assert all(torch.equal(each, each.mT) for each in seen)


def test_who_reads_one_triangle_is_right_and_a_counterexample_is_symmetric():
    right, wrong = (energies.find(name) for name in ("of_the_lower_triangle", "off_the_diagonal_doubled"))
    assert not explored("agreement", energies, right.function).verdict.failing
    found = harness.check(energies, dtypes=["float32"], examples=20).outcomes
    shown = next(cell for cell in found if (cell.prop, cell.implementation) == ("agreement", wrong.name)).counterexample
    assert shown.case["sizes"] == {"batch": 1, "n": 2}
    given = torch.tensor(shown.case["values"]["a"]).reshape(2, 2)
    assert torch.equal(given, given.mT) and int(given.count_nonzero()) == 2


def test_what_is_not_square_and_what_is_not_real_is_refused():
    with pytest.raises(harness.DeclarationError, match="as many rows as columns"):

        @harness.operation
        def of_any(a: Annotated[Float[Tensor, "n m"], harness.symmetric]) -> Float[Tensor, "n m"]:
            """No square."""
            return a + 0

    with pytest.raises(harness.DeclarationError, match="beside complex numbers"):

        @harness.operation
        def of_complex(a: Annotated[Complex[Tensor, "n n"], harness.symmetric]) -> Complex[Tensor, "n n"]:
            """No real numbers."""
            return a + 0


def test_entries_of_a_symmetric_matrix_are_left_out_in_pairs():
    simplest = []

    def shows(case):
        matrix = case.tensors["a"][0]
        simplest[:] = [matrix] if len(matrix) == 3 and matrix[0, 1] else simplest
        return len(matrix) == 3 and bool(matrix[0, 1])

    simplify(Case(energies, {"batch": 1, "n": 3}, seed=1), shows)
    assert torch.equal(simplest[0], torch.tensor([[0.0, 1, 0], [1, 0, 0], [0, 0, 0]], dtype=torch.float64))
