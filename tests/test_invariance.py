"""Invariance in bits: who gives the same bits again and in every batch, and who does not."""

import dataclasses
import json

import pytest
import torch

from harness.errors import Unsupported
from harness.generate.case import Case
from harness.operations.contraction import x_w_y
from harness.operations.linear import linear
from harness.verify.invariance import LARGEST, invariance, ranges
from tests.command_line import ask

CALL = Case(linear, {"batch": LARGEST, "inputs": 6, "outputs": 5}, {}, dtype="float32").call()


def asked(function, seconds=float("inf")):
    made = dataclasses.replace(linear.find("torch_linear"), name="mine", function=function)
    return invariance(made, linear, CALL, seconds)


def row_by_row(x, W, b):
    return torch.stack([(W * row).sum(1) + b for row in x])


def test_row_by_row_nothing_depends_on_the_batch():
    found = asked(row_by_row)
    assert found.repeats and found.is_batch_invariant and found.asked == tuple(range(1, LARGEST + 1))


def test_another_kernel_for_small_batches_is_seen_at_exactly_those():
    def two_kernels(x, W, b):
        nudge = torch.finfo(x.dtype).eps if len(x) < 9 or len(x) == 33 else 0
        return row_by_row(x, W, b) * (1 + nudge)

    found = asked(two_kernels)
    assert found.repeats and ranges(found.differing) == "1–8, 33"
    assert 0 < found.farthest < 4


def test_bits_that_differ_from_call_to_call_are_seen():
    calls = iter(range(1000))
    found = asked(lambda x, W, b: row_by_row(x, W, b) * (1 + next(calls) * 1e-6))
    assert not found.repeats and not found.is_batch_invariant


def test_a_single_bit_of_a_single_sample_counts():
    def last_of_seven(x, W, b):
        result = row_by_row(x, W, b)
        if len(x) == 7:
            result[-1, -1] = torch.nextafter(result[-1, -1], torch.tensor(torch.inf))
        return result

    assert asked(last_of_seven).differing == (7,)


def test_little_time_tries_the_telling_sizes_and_says_which():
    found = asked(row_by_row, seconds=0.0)
    assert found.asked == (LARGEST,) and not found.reason


@pytest.mark.parametrize(
    ("raised", "told"), [(Unsupported("no floats"), "no floats"), (ValueError("odd"), "raised ValueError")]
)
def test_what_declines_or_fails_says_why(raised, told):
    def failing(x, W, b):
        raise raised

    found = asked(failing)
    assert told in found.reason and not found.is_batch_invariant and not found.repeats


def test_ranges_are_read_at_a_glance():
    assert [ranges(each) for each in ([], [3], [1, 2, 3, 7, 9, 10])] == ["", "3", "1–3, 7, 9–10"]


def test_the_command_prints_a_row_for_each_implementation(tmp_path):
    answer = ask(tmp_path, "invariance", "linear", "--patience", "1s", "--json")
    rows = {each["implementation"]: each for each in json.loads(answer.out)}
    assert answer.code == 0 and {"linear/definition", "linear/torch_linear"} <= set(rows)
    table = ask(tmp_path, "invariance", "linear", "--patience", "1s", "--markdown").out
    assert table.count("| linear/") == len(rows) and "same bits again" in table


def test_without_a_workload_it_is_asked_of_the_largest_planned_case(tmp_path):
    assert x_w_y.timed is None
    answer = ask(tmp_path, "invariance", "x_w_y", "--patience", "1s", "--json")
    assert answer.code == 0
    assert {each["implementation"] for each in json.loads(answer.out) if LARGEST in each["asked"]} >= {
        "x_w_y/definition"
    }


def test_what_has_no_batch_is_refused_in_a_sentence(tmp_path):
    answer = ask(tmp_path, "invariance", "hippo_matrices")
    assert answer.code == 2 and "hippo_matrices has no batch axis" in answer.err


def test_what_nobody_computes_so_is_refused_in_a_sentence(tmp_path):
    answer = ask(tmp_path, "invariance", "legs_scan", "--backend", "xgboost")
    assert answer.code == 2
    assert "no implementation here computes legs_scan on cpu in float32 with xgboost here" in answer.err
