"""The pseudo-inverse of known rank: the definition against exact fractions, and torch.pinverse's own cut-off."""

from fractions import Fraction

import sympy
import torch

import harness
from harness.generate.plan import plan
from harness.operations.pseudo_inverse import low_rank_pinv


def test_the_definition_is_the_exact_pseudo_inverse():
    small = [case for case in plan(low_rank_pinv, 80, 0) if max(case.sizes["rows"], case.sizes["columns"]) <= 4]
    assert len({case.sizes["rank"] for case in small}) > 1
    for case in small:
        B, C = (sympy.Matrix(case.tensors[name][0].int().tolist()) for name in ("B", "C"))
        exact = [[float(Fraction(int(x.p), int(x.q))) for x in row] for row in (B * C).pinv().tolist()]
        torch.testing.assert_close(low_rank_pinv(**case.tensors)[0], torch.tensor(exact, dtype=torch.float64))


def test_a_cut_off_that_ignores_the_dtype_loses_every_digit_in_float32():
    right, careless = (
        harness.check(lambda B, C, pinv=pinv: pinv(B @ C), like=low_rank_pinv, dtypes=["float32"], examples=16)
        for pinv in (torch.linalg.pinv, torch.pinverse)
    )
    assert right.verdict == "rounding" and careless.verdict in ("unstable", "wrong")
