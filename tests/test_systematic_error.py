"""Systematic errors: what is left over many cases is told from rounding, in whichever part of the entries it is."""

import itertools
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from jaxtyping import Float
from torch import Tensor

import harness
from harness.declare.implementation import implementation_of
from harness.execute.outcome import outcome
from harness.generate.plan import fresh, plan
from harness.measure.parts import POSITIONS, Entries, in_words
from harness.measure.residuals import Residual
from harness.measure.systematic import estimates, slope_elsewhere, slope_of
from harness.measure.verdict import Judgement, Verdict
from harness.operations.linear import linear
from harness.verify.accuracy import less_accurate, less_accurate_in_a_few
from harness.verify.cell import Cell
from harness.verify.exploration import explore
from harness.verify.over_all import over_all
from harness.verify.subject import Subject
from harness.verify.systematic_error import lead
from tests.verdicts import PROPERTIES

EPS = 2.0**-7


def residuals(error, count=40, shape=(6, 5), seed=0, outlier=0.0):
    """Made-up residuals: rounding of half an eps at random, and an error on top of it."""
    lots = np.random.default_rng(seed)
    operation = SimpleNamespace(options={})
    made = []
    for number in range(count):
        expected = lots.normal(size=(shape[0], int(np.prod(shape[1:]))))
        rounding = EPS * np.abs(expected) * lots.uniform(-0.5, 0.5, expected.shape)
        extra = error(expected) + outlier * (number == 0) * expected
        case = SimpleNamespace(operation=operation, options={}, sizes={"n": shape[1]}, tensors={}, given={})
        scale = EPS * np.sqrt(1 + expected**2)
        made.append(Residual(case, 0, rounding + extra, expected, scale, 0, shape, ("axis batch", "axis n")))
    return made


def test_a_factor_is_estimated_with_its_error():
    found = lead(residuals(lambda expected: 0.01 * expected), EPS)
    assert (found.kind, found.part) == ("factor", ())
    assert found.size == pytest.approx(0.01, abs=4 * found.error)
    assert found.error < EPS / 20


def test_an_offset_is_told_from_a_factor():
    found = lead(residuals(lambda expected: np.full_like(expected, 0.02)), EPS)
    assert (found.kind, found.part) == ("offset", ())


@pytest.mark.parametrize("seed", range(40))
def test_rounding_has_no_direction(seed):
    assert lead(residuals(lambda expected: 0 * expected, seed=seed), EPS) is None


def test_what_is_below_an_eps_is_not_told():
    assert lead(residuals(lambda expected: 0.2 * EPS * expected), EPS) is None


def last(expected, by):
    made = np.zeros_like(expected)
    made[:, -1] = by * expected[:, -1]
    return made


def test_an_error_of_one_position_is_placed_there():
    made = residuals(lambda expected: last(expected, 0.03))
    found = lead(made, EPS)
    assert found.part in {("last", "axis n"), ("index", "axis n", 4)}
    assert found.size == pytest.approx(0.03, rel=0.1)
    assert abs(slope_elsewhere(made, found)) < 0.1 * found.size


def test_everywhere_else_is_as_far_off_where_all_is():
    made = residuals(lambda expected: 0.03 * expected)
    (found,) = [each for each in estimates(made) if each.kind == "factor" and each.part == ("last", "axis n")]
    assert slope_elsewhere(made, found) == pytest.approx(0.03, rel=0.05)


def test_one_case_that_leans_far_hides_nothing_and_feigns_nothing():
    assert lead(residuals(lambda expected: 0 * expected, outlier=1.0), EPS) is None
    found = lead(residuals(lambda expected: 0.02 * expected, outlier=-1.0), EPS)
    assert found.part == () and found.size == pytest.approx(0.02, rel=0.1)


def placed(each, part):
    """Which entries of a case belong to a part of its second axis, or by sign and size, told one by one."""
    index = np.broadcast_to(np.arange(each.shape[1]), each.shape)
    size, (kind, *told) = each.shape[1], part
    if kind == "value":
        sign, how = told
        steps = np.abs(each.expected) / np.sqrt(np.square(each.expected).mean())
        among = {"small": steps < 0.03, "middling": (steps >= 0.03) & (steps < 0.3), "large": steps >= 0.3}[how]
        return among & ((each.expected > 0) == (sign == "positive"))
    among = {
        "index": lambda first: index == first,
        "last": lambda: index == size - 1,
        "every": lambda period: (index + 1) % period == 0,
        "tail": lambda block: (index >= size - size % block) & (size > block),
        "beyond": lambda long: index >= long,
    }
    return among[kind](*told[1:])


def test_the_sums_of_a_part_are_those_of_its_entries_in_each_case():
    cases = [residuals(lambda e: 0.1 * e, 1, (rows, size), seed)[0] for seed, (rows, size) in enumerate(SHAPES)]
    told = dict(Entries(cases).sums("factor"))
    parts = [part for part in told if part and (part[0] == "value" or part[1:2] == ("axis n",))]
    assert {part[0] for part in parts} == {"value", *POSITIONS}
    for part in parts:
        for each, (product, square, entries) in zip(cases, told[part].T, strict=True):
            regressor, there = each.expected / each.scale, placed(each, part)
            assert entries == there.sum(), part
            assert product == pytest.approx((each.error / each.scale * regressor)[there].sum(), rel=1e-9), part
            assert square == pytest.approx(np.square(regressor)[there].sum(), rel=1e-9), part


SHAPES = ((6, 5), (3, 17), (1, 64), (2, 65), (4, 1025), (5, 33), (2, 2))


def test_too_few_cases_tell_nothing():
    assert lead(residuals(lambda expected: 0.02 * expected, count=4), EPS) is None


def test_the_slope_of_one_case():
    (one,) = residuals(lambda expected: 0.5 * expected, count=1)
    whole = SimpleNamespace(kind="factor", part=())
    assert slope_of(one, whole) == pytest.approx(0.5, abs=EPS)
    assert slope_of(one, SimpleNamespace(kind="factor", part=("beyond", "axis n", 64))) is None


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ((), ""),
        (("option", "mode", "'mean'"), "mode='mean'"),
        (("every", "axis batch", 8), "every eighth index of axis batch"),
        (("argument", "x", -np.inf, -3.0), "entries with x < -3"),
        (("argument", "x", -2.0, -1.0), "entries with -2 ≤ x < -1"),
        (("tail", "axis n", 32), "what is left of axis n after blocks of 32"),
    ],
)
def test_a_part_in_words(part, words):
    assert in_words(part) == words


@harness.operation(sizes={"m": (1, 12), "k": (1, 64), "n": (1, 12)})
def product(a: Float[Tensor, "m k"], b: Float[Tensor, "k n"]) -> Float[Tensor, "m n"]:
    """a b."""
    return a @ b


@harness.operation(sizes={"d": (1, 40)})
def gelu(x: Float[Tensor, "batch d"]) -> Float[Tensor, "batch d"]:
    """x Φ(x)."""
    return torch.nn.functional.gelu(x)


def exact(a, b):
    return a.float() @ b.float()


def of_the_last(a, b):
    made = exact(a, b)
    return torch.cat([made[:, :-1], 1.03 * made[:, -1:]], 1)


def cell(operation, function, dtype, **declared):
    made = implementation_of(operation.name, operation.signature, function, "torch", **declared)
    return Cell(PROPERTIES["agreement"], operation, made, "cpu", dtype)


def explored(asked, seed=0):
    return explore(asked, plan(asked.operation, 50, seed), fresh=fresh(asked.operation, seed))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("operation", "function", "verdicts", "where"),
    [
        (product, lambda a, b: exact(a, b).bfloat16(), {"exact", "rounding"}, None),
        (product, lambda a, b: (1.01 * exact(a, b)).bfloat16(), {"unstable", "wrong"}, ""),
        (product, lambda a, b: (1.02 * exact(a, b)).bfloat16(), {"wrong"}, ""),
        (product, lambda a, b: (0.98 * exact(a, b)).bfloat16(), {"unstable"}, ""),
        (product, lambda a, b: of_the_last(a, b).bfloat16(), {"wrong"}, "the last index of axis n"),
        (gelu, lambda x: torch.nn.functional.gelu(x.float()).bfloat16(), {"exact", "rounding"}, None),
    ],
)
def test_kernels_of_one_narrow_dtype(operation, function, verdicts, where, seed):
    found = explored(cell(operation, function, "bfloat16", dtypes=(torch.bfloat16,)), seed)
    assert found.verdict in verdicts
    if found.over_all is not None or where is None:  # who is off by whole numbers is found by them
        assert (found.over_all and found.over_all.where) == where


def test_what_shrinks_with_the_precision_is_unstable_and_what_stays_is_wrong():
    in_one = explored(cell(product, lambda a, b: (a @ b) * (1.000002 if a.dtype is torch.float32 else 1.0), "float32"))
    assert in_one.verdict is Verdict.UNSTABLE
    in_all = explored(cell(product, lambda a, b: (a @ b) * 1.000002, "float32"))
    assert in_all.verdict is Verdict.WRONG and in_all.over_all is not None
    assert in_all.over_all.found.size == pytest.approx(2e-6, rel=0.05)
    assert "the result is multiplied by 1.0000020" in in_all.over_all.reason


def test_an_outcome_tells_it_with_its_cause_and_a_script():
    found = outcome(
        cell(product, lambda a, b: (1.02 * exact(a, b)).bfloat16(), "bfloat16", dtypes=(torch.bfloat16,)), 50, 0
    )
    assert found.verdict == "wrong"
    assert found.reason.startswith("a systematic error: the result is multiplied by 1.0")
    assert found.counterexample.diagnosis.cause == "constant factor"
    assert "largest difference" in found.counterexample.script


@pytest.mark.parametrize("towards", [True, False])
def test_rounding_that_always_leads_one_way_is_told(towards):
    by = (-0.5 if towards else 0.5) * EPS
    found = lead(residuals(lambda expected: by * expected), EPS)
    assert (found.kind, found.part) == ("direction", ())
    assert found.size == pytest.approx(-1.0 if towards else 1.0, abs=0.02)


def test_a_few_numbers_that_come_again_in_every_case_tell_of_no_direction():
    lots, few = np.random.default_rng(0), np.array([0.3, 0.7, 1.1, 1.9, 2.3])

    def made(values):
        return [
            replace(each, expected=each_of, error=0.3 * EPS * each_of)
            for each, each_of in zip(plain, values, strict=True)
        ]

    plain = residuals(lambda expected: 0 * expected)
    assert lead(made([lots.choice(few, each.expected.shape) for each in plain]), EPS) is None
    assert lead(made([each.expected for each in plain]), EPS).kind == "direction"


@harness.operation
def angles(x: Float[Tensor, "batch d"]) -> Float[Tensor, "batch d"]:
    """0 for a positive number, and for a negative one π, which float32 rounds up each time."""
    return torch.angle(x)


def test_one_constant_that_is_rounded_each_time_tells_of_no_direction():
    assert explored(cell(angles, torch.angle, "float32")).verdict in (Verdict.EXACT, Verdict.ROUNDING)
    away = lambda x: torch.angle(x) * (1 + 2e-7 * x.abs() / (1 + x.abs()))  # noqa: E731 - another number each time
    assert explored(cell(angles, away, "float32")).verdict.severity >= Verdict.UNSTABLE.severity


@harness.operation(sizes={"m": (1, 6), "k": (1, 600), "n": (1, 6)})
def long_product(a: Float[Tensor, "m k"], b: Float[Tensor, "k n"]) -> Float[Tensor, "m n"]:
    """a b."""
    return a @ b


def truncated(a, b):
    return (exact(a, b).view(torch.int32) & -65536).view(torch.float32).bfloat16()


def in_bfloat16(a, b):
    """Added up in bfloat16, term by term."""
    made = torch.zeros(a.shape[0], b.shape[1], dtype=torch.bfloat16)
    for k in range(a.shape[1]):
        made = made + (a[:, k : k + 1].float() * b[k].float()).bfloat16()
    return made


@pytest.mark.parametrize(
    ("function", "cause", "words"),
    [
        (truncated, "rounded toward zero", "the result is rounded towards zero"),
        (in_bfloat16, "lower precision", "it computes in a lower precision than the definition does in bfloat16"),
    ],
)
def test_kernels_that_lose_digits_are_told_to(function, cause, words):
    found = outcome(cell(long_product, function, "bfloat16", dtypes=(torch.bfloat16,)), 50, 0)
    assert found.verdict == "unstable" and words in str(found.counterexample.diagnosis)
    assert found.counterexample.diagnosis.cause == cause


def test_who_computes_as_the_definition_does_is_as_accurate():
    found = outcome(cell(long_product, lambda a, b: (b.mT @ a.mT).mT, "bfloat16"), 50, 0)
    assert found.verdict in ("exact", "rounding")


def errors_in(cases, far, of_the_definition=0.2):
    """What is told of cases in which an implementation is off by half a noise floor, or by four where it is far off."""
    scores = {case.key: 4.0 if place in far else 0.5 for place, case in enumerate(cases)}

    def answers(case):
        return [SimpleNamespace(score=scores[case.key], allowance=32.0, is_informative=True)]

    asked = []
    fresh = (asked.append(case) or case for case in cases[10:20])
    told = [(case, scores[case.key]) for case in cases[:10]]
    return less_accurate_in_a_few(told, lambda case: of_the_definition, answers, fresh), len(asked)


@pytest.mark.parametrize(
    ("far", "of_the_definition", "told", "asked"),
    [
        ({0, 4, 7}, 0.2, "on 3 cases, 8 × at most", 0),
        ({4, 10, 12}, 0.2, "on 3 cases, 8 × at most", 3),
        ({4, 10}, 0.2, "", 10),
        ({11, 12, 13}, 0.2, "", 0),
        ({0, 4, 7}, 1.4, "", 0),
        ({0, 4, 7}, None, "", 0),
    ],
    ids=["in its own", "in fresh ones", "in too few", "nowhere yet", "as the definition is", "nobody knows"],
)
def test_who_is_far_off_in_a_few_cases_is_told_to(far, of_the_definition, told, asked):
    cases = [case.at("bfloat16") for case in plan(long_product, 20, 0)]
    found, fresh = errors_in(cases, far, of_the_definition)
    assert (found.evidence if found else "").endswith(told) and bool(found) == bool(told)
    assert fresh == asked


def test_what_answered_once_and_does_so_no_more_is_told_of_no_more():
    cases = [case.at("bfloat16") for case in plan(long_product, 20, 0)]
    told = [(case, 4.0) for case in cases]
    assert less_accurate_in_a_few(told, lambda case: 0.2, lambda case: (), ()) is None
    assert less_accurate(told, lambda case: 0.2, lambda case: ()) is None


def test_fresh_cases_are_asked_for_a_while_and_no_longer():
    asked = cell(tangents, torch.tanh, "bfloat16")
    case = plan(tangents, 1, 0)[0].at("bfloat16")
    fresh = itertools.repeat(plan(tangents, 1, 0)[0], 10**6)
    far = Judgement(Verdict.ROUNDING, 4.0, 32.0)
    assert over_all(asked, Subject(tangents, asked.implementation), (), [(case, far)], fresh, 0.2) is None
    assert next(fresh, None) is not None


@harness.operation
def tangents(x: Float[Tensor, "batch d"]) -> Float[Tensor, "batch d"]:
    """tanh x."""
    return torch.tanh(x)


def coarse_where_long(x):
    """Four digits of eight are kept where rows are longer than five hundred."""
    mantissa, exponent = torch.frexp(torch.tanh(x.float()))
    digits = 2.0 ** (4 if x.shape[1] > 500 else 8)
    return torch.ldexp((mantissa * digits).round() / digits, exponent).bfloat16()


def test_who_loses_digits_in_long_rows_alone_is_told_to():
    found = outcome(cell(tangents, coarse_where_long, "bfloat16", dtypes=(torch.bfloat16,)), 50, 0)
    assert found.verdict == "unstable" and "it loses digits in some cases" in str(found.counterexample.diagnosis)


def test_no_numbers_are_made_of_arguments_unlike_the_result(monkeypatch):
    """Those of a large model take seconds; asked is nothing but their shapes."""
    case = harness.Case(linear, {"batch": 3, "inputs": 4, "outputs": 5}, {}, dtype="float32")
    numbers = np.ones((3, 5))
    made = Residual(case, 0, numbers, numbers, numbers, 0, (3, 5), ("axis batch", "axis outputs"))
    monkeypatch.setattr(harness.Case, "tensors", property(lambda case: pytest.fail("numbers are made")))
    assert list(Entries([made] * 3).sums("factor"))
