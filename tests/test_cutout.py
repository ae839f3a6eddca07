"""The cutout: a tensor's part around what matters, small enough for a log and a table."""

from __future__ import annotations

import numpy as np
import pytest

from harness.explain.counterexample import Counterexample
from harness.explain.cutout import cutout, side_by_side
from harness.record.events import CellFinished
from harness.record.runlog import decode, encode


@pytest.mark.parametrize("shape", [(), (5,), (3, 4), (2, 3, 4)])
def test_a_small_tensor_is_whole(shape):
    array = np.arange(float(np.prod(shape))).reshape(shape)
    part = cutout("a", array)
    assert part.left_out == 0
    assert np.array_equal(np.ravel(part.values), array.ravel())
    assert [part.index(row) for row in range(len(part.values))] == [list(each) for each in np.ndindex(shape[:-1])]


@pytest.mark.parametrize("shape", [(1000,), (1000, 1), (100, 100), (7, 30, 50), (1, 4000)])
@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_a_large_one_is_cut_around_the_entry_that_matters(shape, share):
    array = np.zeros(shape)
    focus = int(share * (array.size - 1))
    array.flat[focus] = 7.0
    for part in (cutout("a", array, focus), cutout("a", array)):
        kept = np.array(part.values)
        assert kept.size <= 256
        assert (kept == 7.0).sum() == 1
        assert part.left_out == array.size - kept.size
        row, column = (int(place[0]) for place in np.nonzero(kept))
        assert (*part.index(row), part.column + column) == np.unravel_index(focus, shape)


def test_what_no_number_shows_is_left_out():
    assert cutout("a", np.zeros(3, dtype=complex)) is None
    assert cutout("a", np.zeros((0, 3))).values == []
    assert side_by_side(np.array([True]), np.array([False]), 0) == []
    assert [part.name for part in side_by_side(np.zeros((2, 3)), np.zeros(6), 0)] == ["expected", "actual"]


def test_a_difference_is_one_of_values_and_not_of_their_digits():
    *_, apart = side_by_side(np.array([1.0, np.nan, np.inf]), np.array([1.0 + 1e-14, np.nan, 1.0]), 2)
    assert apart.values[0][0] == pytest.approx(1e-14, rel=0.01)
    assert apart.values[0][1:] == [0.0, -np.inf]


def test_a_log_remembers_it():
    parts = side_by_side(np.array([[1.0, np.inf]]), np.array([[0.1 + 0.2, np.nan]]), 0)
    shown = Counterexample({}, "", "", "", inputs=parts[:1], results=parts)
    cell = CellFinished("agreement", "gru", "fused", "torch", "cpu", "float32", "wrong", counterexample=shown)
    again = decode(encode(cell)).counterexample
    assert str(again.results) == str(parts)  # NaN is not equal to itself, but is written alike
    assert again.results[1].values[0][0] == 0.3
