"""Planted faults are found, explained and reproduced, and correct implementations are left in peace.

A sample of what `python -m tests.quality.trials` tries in full.
"""

import pytest

from tests.quality.planted import planted
from tests.quality.trials import tried

EVERYTHING = planted()
NARROW = [each for each in EVERYTHING if each.function.__module__.endswith("half_precision")]
"""Of one narrow dtype, in which not all that is planted can be told from rounding."""

FAULTS = [each for each in EVERYTHING if each.verdict.failing and each not in NARROW]

FOUND_IN_ONE_DTYPE = (
    "half_matmul/last_block_of_64_lost",
    "half_rms_norm/rms_scaled",
    "half_swiglu/swiglu_last_column",
    "half_cumsum/last_step_off",
    "half_conv1d/second_of_eight",
)
CORRECT = [each for each in EVERYTHING if not each.verdict.failing]


def test_there_are_faults_in_every_family_and_correct_ones_beside_them():
    assert len(FAULTS) >= 60 and len(CORRECT) >= 30
    assert len({each.function.__module__ for each in FAULTS}) >= 15
    assert len({each.name for each in EVERYTHING}) == len(EVERYTHING)


@pytest.mark.parametrize("each", FAULTS[4::28], ids=lambda each: each.name)
def test_a_fault_is_found_explained_and_reproduced(each):
    trial = tried(each)
    assert trial.found, trial
    assert trial.right, trial
    assert trial.script == "reproduces", trial


@pytest.mark.parametrize("name", FOUND_IN_ONE_DTYPE)
def test_a_fault_of_a_kernel_of_one_narrow_dtype(name):
    (each,) = (each for each in NARROW if each.name == name)
    trial = tried(each)
    assert trial.found and trial.right, trial


@pytest.mark.parametrize("each", CORRECT[3::31], ids=lambda each: each.name)
def test_a_correct_implementation_is_left_in_peace(each):
    trial = tried(each)
    assert not trial.verdict.failing, trial
