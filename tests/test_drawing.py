"""Drawing: a plan is drawn a block at a time, when its cases are asked for."""

from __future__ import annotations

import pytest

from harness.generate import drawing
from harness.generate.drawing import InARow
from harness.generate.plan import essential, plan
from harness.operations.linear import linear
from harness.verify.exploration import explore
from tests.verdicts import cell_of


@pytest.fixture
def blocks(monkeypatch):
    """The blocks of eight cases that are drawn, by how many cases there are to be after each."""
    drawn, draw = [], drawing._draw

    def noted(operation, count, seed, found):
        drawn.append(count)
        draw(operation, count, seed, found)

    monkeypatch.setattr(drawing, "_draw", noted)
    monkeypatch.setattr(drawing, "_BLOCK", 8)
    plan.cache_clear()
    yield drawn
    plan.cache_clear()


def test_nothing_is_drawn_before_it_is_asked_for(blocks):
    first = len(essential(linear, 5))
    blocks.clear()
    cases = plan(linear, 10**9, 5)
    assert len(cases) == 10**9 and not blocks
    assert cases[0].operation is linear
    assert blocks == [first + 8]
    assert cases[first].turn == first and len(blocks) == 1
    assert cases[1000].turn == 1000 and len(blocks) > 10


def test_what_is_drawn_in_several_blocks_is_all_different_and_the_same_again(blocks):
    cases = [case.record() for case in plan(linear, 200, 5)]
    assert len(blocks) > 2
    assert len(cases) == 200 == len({str(case) for case in cases})
    plan.cache_clear()
    assert cases == [case.record() for case in plan(linear, 200, 5)]


def test_where_there_are_fewer_the_length_says_so_in_the_end(monkeypatch, blocks):
    cases = plan(linear, 100, 5)
    monkeypatch.setattr(drawing, "_draw", lambda *anything: None)
    assert len([*cases]) == len(cases) == len(essential(linear, 5))
    done = explore(cell_of("agreement", linear, lambda x, W, b: x @ W.mT + b), InARow(cases, cases[:2]))
    assert done.planned == done.met == len(cases) + 2


def test_a_draw_that_is_interrupted_is_made_again(monkeypatch, blocks):
    expected = [case.record() for case in plan(linear, 60, 5)]
    plan.cache_clear()
    cases, draw = plan(linear, 60, 5), drawing._draw

    def breaks_off(*orders):
        draw(*orders)
        raise MemoryError

    monkeypatch.setattr(drawing, "_draw", breaks_off)
    with pytest.raises(MemoryError):
        cases[0]
    monkeypatch.setattr(drawing, "_draw", draw)
    assert [case.record() for case in cases] == expected


def test_cases_in_a_row():
    both = InARow(plan(linear, 3, 0), plan(linear, 2, 1))
    assert len(both) == len([*both]) == 5
    assert both[3] is plan(linear, 2, 1)[0]
    assert both[-1] is plan(linear, 2, 1)[1]
