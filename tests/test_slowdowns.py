"""Slowdowns: what the report says of two nights' benchmarks, and what it does not."""

from dataclasses import replace

import pytest

from harness.history.slowdowns import slowdowns
from harness.record.events import RunStarted, TimingFinished
from harness.record.runlog import SUFFIX, RunLog
from tests.byhand import MARKUP, busy_summary, site
from tests.test_history import HERE


def timing(ratio, width=0.01, implementation="numpy", **more):
    made = TimingFinished("linear", implementation, "cpu", "float32", {"batch": 8}, {}, ["batch"], "rounding")
    blocks = [[ratio * 1e-3]] * 5
    told = replace(made, blocks=blocks, against="definition", ratio=ratio, low=ratio - width, high=ratio + width)
    return replace(told, **more)


def benched(folder, day, *timings, environment=HERE):
    """Put down a night's benchmarks."""
    name = f"202611{day:02}-000000-abcdef"
    with RunLog(folder / "benchmarks" / f"{name}{SUFFIX}") as log:
        log(RunStarted(name, f"2026-11-{day:02}T00:00:00+00:00", ["harness", "bench"], 0, environment))
        for each in timings:
            log(each)


def test_what_takes_longer_than_the_night_before_is_told_the_worst_first(tmp_path):
    benched(tmp_path, 1, timing(1.0), timing(1.0, implementation="einsum"), timing(2.0, implementation="jax"))
    benched(tmp_path, 2, timing(1.2), timing(1.5, implementation="einsum"), timing(1.9, implementation="jax"))
    found = slowdowns(tmp_path)
    assert [each.now.implementation for each in found] == ["einsum", "numpy"]
    assert found[0].change == pytest.approx(1.5)


@pytest.mark.parametrize(
    "now",
    [
        timing(1.2, width=0.3),
        timing(0.8),
        timing(1.2, against="scipy"),
        timing(1.2, sizes={"batch": 64}),
        replace(timing(1.2), ratio=None, low=None, high=None),
        timing(1.2, build="main"),
    ],
    ids=["intervals meet", "faster", "another reference", "another size", "no ratio", "another revision's"],
)
def test_what_is_not_told(tmp_path, now):
    benched(tmp_path, 1, timing(1.0))
    benched(tmp_path, 2, now)
    assert not slowdowns(tmp_path)


def test_another_machine_s_night_is_passed_over(tmp_path):
    benched(tmp_path, 1, timing(1.0))
    benched(tmp_path, 2, timing(9.0), environment={**HERE, "cpu": "another"})
    benched(tmp_path, 3, timing(1.2))
    assert [each.before for each in slowdowns(tmp_path)] == [1.0]


def test_committed_benchmarks_count_as_earlier_nights(tmp_path):
    benched(tmp_path, 1, timing(1.0))
    (tmp_path / "baseline").mkdir()
    (tmp_path / "benchmarks").rename(tmp_path / "baseline" / "benchmarks")
    benched(tmp_path, 2, timing(1.2))
    assert [each.before for each in slowdowns(tmp_path)] == [1.0]


def test_without_benchmarks_or_with_damaged_ones_nothing_is_told(tmp_path):
    assert slowdowns(tmp_path / "nowhere") == ()
    benched(tmp_path, 1, timing(1.0))
    (tmp_path / "benchmarks" / f"20261102-000000-abcdef{SUFFIX}").write_text("no log")
    assert slowdowns(tmp_path) == ()


def test_the_first_screen_shows_them_and_is_silent_without(tmp_path):
    assert 'id="slower"' not in site(busy_summary(), tmp_path / "reports")["index.html"]
    benched(tmp_path / "reports", 1, timing(1.0, implementation=MARKUP))
    benched(tmp_path / "reports", 2, timing(1.3, implementation=MARKUP))
    page = site(busy_summary(), tmp_path / "reports")["index.html"]
    assert 'href="#slower"' in page and "batch=8, float32 on cpu" in page and "<script>alert" not in page
