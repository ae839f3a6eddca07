"""Extrapolation: who is not asked at a point, having been slow at smaller ones."""

from harness.bench.extrapolation import Extrapolation
from harness.bench.ladder import LadderPoint
from harness.operations.hippo_scan import legs_scan


def point(time=100, batch=1, N=4, method="bilinear"):
    return LadderPoint(legs_scan, {"time": time, "batch": batch}, {"N": N, "method": method}, ("time",))


def knowing(*pairs):
    made = Extrapolation(patience=1.0)
    for there, seconds in pairs:
        made.update(there, "loop", seconds)
    return made


def test_what_took_long_is_not_asked_at_larger_sizes_and_asked_at_others():
    known = knowing((point(time=1000), 2.5))
    assert known.refusal(point(time=3000), "loop") == "not timed: one call took 2.5 s at time=1000"
    assert not known.refusal(point(time=300), "loop")
    assert not known.refusal(point(time=300, batch=8), "loop")
    assert not known.refusal(point(time=3000, method="forward"), "loop")
    assert not known.refusal(point(time=3000), "other")


def test_growth_is_extrapolated_along_the_axis_that_it_was_seen_on():
    cubic = knowing((point(time=100), 1e-3), (point(time=300), 27e-3))
    assert not cubic.refusal(point(time=900), "loop")
    assert cubic.refusal(point(time=3000), "loop").startswith(
        "not timed: one call would take about 27 s, having taken 0.027 s at time=300"
    )
    assert not cubic.refusal(point(time=300, batch=64), "loop")
    assert cubic.refusal(point(time=3000, batch=64), "loop").endswith("having taken 0.027 s at time=300, batch=1")


def test_the_whole_climb_counts_and_not_a_bump_on_it():
    """Between the first two it is far steeper: from there alone one would expect 1.9 s."""
    bumpy = knowing((point(time=100), 0.007), (point(time=300), 0.043), (point(time=1000), 0.065))
    assert not bumpy.refusal(point(time=3000), "loop")
    assert bumpy.refusal(point(time=30000), "loop").endswith("having taken 0.065 s at time=1000")


def test_of_several_processes_the_last_word_counts():
    known = knowing((point(), 0.5), (point(), 5.0))
    assert known.refusal(point(), "loop") == "not timed: one call took 5.0 s"
    known.update(point(), "loop", 0.5)
    assert not known.refusal(point(), "loop")
