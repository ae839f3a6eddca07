"""The contrast of times: what is called slower, what is not, and how often it is called so in error."""

import math
import random

import pytest

from harness.bench.contrast import Speed, against_itself, contrast, speeds, spread


def blocks(mean, noise=0.01, between=0.02, processes=5, count=10, seed=0, shared=None):
    """Samples as they come: a process is fast or slow as a whole, and its blocks scatter about that."""
    chance = random.Random(seed)
    shared = shared or [chance.gauss(0, between) for _ in range(processes)]
    return [[mean * math.exp(own + chance.gauss(0, noise)) for _ in range(count)] for own in shared]


def said(*contrasts):
    return [str(each) for each in speeds(contrasts)]


def pair(ratio, seed, **rest):
    chance = random.Random(seed)
    shared = [chance.gauss(0, 0.02) for _ in range(5)]
    return contrast(
        blocks(1.0, seed=2 * seed, shared=shared, **rest), blocks(ratio, seed=2 * seed + 1, shared=shared, **rest)
    )


def test_ten_per_cent_are_slower_and_the_ratio_and_its_interval_say_how_much():
    found = pair(1.10, 1)
    assert said(found) == ["slower"]
    assert found.low < 1.10 < found.high and found.ratio == pytest.approx(1.10, rel=0.02)
    assert said(pair(0.90, 1)) == ["faster"]


def test_the_same_code_is_rarely_called_anything_else():
    found = speeds([pair(1.0, seed) for seed in range(300)])
    assert sum(each in (Speed.SLOWER, Speed.FASTER) for each in found) <= 3
    assert Speed.SAME in found


def test_ten_per_cent_are_nearly_always_found_among_many_that_are_the_same():
    found = speeds([pair(1.1, seed) for seed in range(20)] + [pair(1.0, seed) for seed in range(20, 100)])
    assert sum(each == Speed.SLOWER for each in found[:20]) >= 18


def test_one_per_cent_is_no_change_however_certain():
    found = pair(1.01, 3, noise=0.0001)
    assert found.p < 0.01 and said(found) == ["same"]


def test_what_scatters_against_itself_needs_a_larger_change():
    loud = pair(1.1, 5, noise=0.25)
    assert loud.least > 2 * math.log(1.02) and said(loud) in (["unsure"], ["same"])


def test_what_disturbs_a_single_round_is_outvoted_by_the_others():
    """The medians of all blocks would say 2.9 times."""
    found = contrast([[1.0, 1.5, 4.0]] * 3, [[1.1, 5.0, 4.4]] * 3)
    assert found.ratio == pytest.approx(1.1)


def test_a_drift_that_both_share_does_not_hide_a_change():
    """The machine halves its speed within a process; blocks of one round meet the same of it."""
    drift = [[math.exp(0.7 * block / 50) for block in range(50)]] * 5
    slow = [[1.1 * each for each in process] for process in drift]
    found = contrast(drift, slow)
    assert found.ratio == pytest.approx(1.1) and said(found) == ["slower"]


def test_a_large_and_certain_change_is_never_the_same():
    """However much the machine makes up: what is not called slower for that is unsure."""
    wild = [[1.0, 20.0] * 5 for _ in range(5)]
    slow = [[3 * (1 + 0.001 * process) * each for each in blocks] for process, blocks in enumerate(wild)]
    found = contrast(wild, slow)
    assert found.p < 0.01 and found.least > math.log(3) and said(found) == ["unsure"]


def test_two_processes_are_no_data_and_none_neither():
    assert said(contrast(blocks(1.0, processes=2), blocks(2.0, processes=2))) == ["no data"]
    assert said(contrast([], [])) == ["no data"]
    assert said(contrast([[], [], []], blocks(1.0))) == ["no data"]


def test_the_process_is_the_unit_and_not_the_block():
    """A thousand blocks in processes that disagree prove nothing."""
    one = [[1.0] * 200 for _ in range(4)]
    other = [[0.8] * 200, [1.3] * 200, [0.9] * 200, [1.2] * 200]
    assert said(contrast(one, other)) == ["unsure"]


def test_false_discoveries_are_controlled_over_the_run():
    """One that is just significant alone is not so among a hundred."""
    shared = [0.0] * 5
    alone = next(
        each
        for seed in range(1000)
        if 0.02 < (each := contrast(blocks(1.0, seed=seed, shared=shared), _noisy(seed))).p < 0.05 and each.ratio > 1.05
    )
    assert said(alone) == ["slower"]
    assert speeds([alone, *(pair(1.0, seed) for seed in range(100))])[0] == Speed.UNSURE


def _noisy(seed):
    """Ten per cent slower, in processes that disagree about it; within each they are certain."""
    chance = random.Random(seed)
    return blocks(1.1, seed=seed, shared=[chance.gauss(0, 0.08) for _ in range(5)])


def test_the_canary_is_quiet_on_noise_and_speaks_where_a_process_drifts():
    assert said(against_itself(blocks(1.0))) == ["same"]
    flipping = [[1.0, 1.2] * 5 for _ in range(5)]
    assert said(against_itself(flipping)) == ["slower"]
    assert spread(flipping) == pytest.approx(math.log(1.2) / 2)
