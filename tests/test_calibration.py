"""The calibration's own arithmetic, on a few cases of one operation: the whole is `tox -e calibration`."""

import pytest
import torch

from tests.quality import calibration


@pytest.mark.parametrize("outside", [False, True])
def test_false_alarms_are_counted_and_told(outside):
    found = calibration.false_alarms("linear", outside, 20, at_once=4)
    name, tally, scores, wrong = found
    assert (name, wrong) == ("linear", [])
    assert sum(map(len, scores.values())) >= 20
    (headline,) = (line for line in calibration._alarm_table("these", [found]) if line.startswith("**"))
    assert headline.endswith("correct implementations: **0 called wrong**.")
    assert set(tally) == set(scores)


def test_the_smallest_error_that_is_caught_is_told_beside_the_spacing_of_the_dtype():
    caught = [("some", {"float32": (2.0**-20, 2.0**-10)}), ("others", {"float32": (2.0**-18, None)})]
    (figures,) = calibration._smallest(caught)
    assert (figures.dtype, figures.eps) == ("float32", 2.0**-23)
    assert (figures.everywhere, figures.wrong_everywhere) == (2.0**-18, 2.0**-10)
    assert [
        line for line in calibration._caught_table("everywhere", caught) if line.startswith("| float32 | 1.2e-07 |")
    ]


@pytest.mark.parametrize("where", calibration.PLANTED)
def test_errors_are_planted_where_they_are_said_to_be(where):
    ones = torch.ones(8, 3, dtype=torch.float64)
    changed = calibration.PLANTED[where](ones, 1.5) != ones
    assert int(changed.sum()) == {"everywhere": 24, "in the last entry of the last axis": 8}.get(where, 3)
    noticed, _ = calibration.smallest_caught("linear", where)[1]["bfloat16"]
    assert noticed <= 2.0**-5
