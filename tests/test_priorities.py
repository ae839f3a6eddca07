"""Priorities: a budget goes where something was found, and where little was asked."""

import pytest

from harness.execute.selection import Selection
from harness.history.history import History
from harness.history.priorities import due, priorities
from tests.test_history import cell, run


def test_what_found_something_or_is_little_covered_gets_more():
    assert due(0, 0) == 1
    assert due(3, 1000) > due(0, 1000) and due(0, 10) > due(0, 1000)
    assert due(0, 10**9) == 0.02


def test_priorities_counts_the_cases_and_the_findings_of_earlier_runs(tmp_path):
    for day in (1, 2):
        run(
            tmp_path,
            day,
            cell("fused", tally={"rounding": 100}),
            cell("buggy", "wrong", tally={"rounding": 3, "wrong": 1}),
            cell("rare", tally={"rounding": 5}),
        )
    found = {key.split("/")[1].split("-")[0]: each for key, each in History.ask(tmp_path, priorities).items()}
    assert found == {"fused": due(0, 200), "buggy": due(2, 8), "rare": due(0, 10)}
    assert found["buggy"] > found["rare"] > found["fused"]


def test_a_budget_is_shared_by_priorities_and_there_is_no_end_to_it_without_one():
    selection = Selection(cell_seconds=10.0, worker_seconds=33.0, priorities={"often": 0.1, "new": 1.0})
    shares = selection.shares(["often", "new", "unknown", "other"])
    assert shares["new"] == shares["unknown"] == pytest.approx(33 * 2 / 3.1)
    assert shares["often"] == pytest.approx(33 * 2 * 0.1 / 3.1)
    assert set(Selection(cell_seconds=7.0).shares(["a", "b"]).values()) == {float("inf")}
    assert Selection.from_json(selection.to_json()) == selection
