"""A few hundred mutations of what the readers read: refused in a sentence, or taken for what they are."""

from __future__ import annotations

from tests.quality.fuzzing import fuzz
from tests.quality.mutations import Mutation, changed, spoilt


def test_nothing_but_a_refusal_is_raised():
    tally = fuzz(200)
    assert tally.counted["refused"] and tally.counted["accepted"]
    assert not tally.faults


def test_mutations_change_what_they_say():
    told = [{"a": 1, "b": "xy"}, {"c": [2]}]
    assert changed(told, [Mutation("set", (0, "a"), None)]) == [{"a": None, "b": "xy"}, {"c": [2]}]
    assert changed(told, [Mutation("delete", (0,))]) == [{"c": [2]}]
    assert changed(told, [Mutation("swap with", (0, "a"), (1, "c", 0))]) == [{"a": 2, "b": "xy"}, {"c": [1]}]
    assert changed(told, [Mutation("insert", (0, "b"), "-")])[0]["b"] == "x-y"
    assert changed(told, [Mutation("delete", (0,)), Mutation("set", (1, "c"), 1)]) == [{"c": [2]}]
    assert spoilt(b"abc", [Mutation("byte", (0.5,), 0)]) == b"a\0c"
    assert told == [{"a": 1, "b": "xy"}, {"c": [2]}]
