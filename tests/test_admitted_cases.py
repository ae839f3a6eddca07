"""Every case that is asked is in the domain as it is declared now: explored, shrunk, explained, remembered, replayed."""

from typing import Annotated, Literal

import pytest
from annotated_types import Interval
from jaxtyping import Float
from torch import Tensor

import harness
from harness.catalogue import catalogue
from harness.execute.outcome import outcome, replayed
from harness.generate.case import Case
from harness.generate.plan import plan
from harness.record.example_store import ExampleStore
from harness.verify.cell import cells
from harness.verify.suite import every_claim, every_property

_LEAST, _MOST = {"batch": 2, "n": 3}, {"batch": 5, "n": 40}


def declared(**sizes):
    """Sums of three neighbours, of rows and batches no shorter and no longer than declared."""

    @harness.operation(sizes={"batch": (2, 5), "n": (3, 40)} | sizes, causal="n")
    def neighbours(x: Float[Tensor, "batch n"]) -> Float[Tensor, "batch n-2"]:
        """Sums of three neighbours."""
        return x[:, :-2] + x[:, 1:-1] + x[:, 2:]

    return neighbours


def cells_of(operation, function):
    """Every property's cell of the function, and a list of the shapes that it is called with."""
    seen = []

    def third(x):
        seen.append(dict(zip(("batch", "n"), x.shape, strict=True)))
        return function(x)

    operation.implementation(third)
    made = operation.find("third")
    found = [
        cell
        for prop in every_property()
        if not prop.nightly
        for cell in cells(prop, [operation], [made], ["cpu"], ["float32"])
    ]
    return {cell.prop.name: cell for cell in found}, seen


def wrong(x):
    return x[:, :-2] + x[:, 1:-1] - x[:, 2:]


def right(x):
    return x[:, :-2] + x[:, 1:-1] + x[:, 2:]


def test_nobody_is_asked_beyond_the_declared_sizes():
    asked, seen = cells_of(declared(), right)
    assert "batch_of_zero" not in asked and {"batch_invariance", "prefix", "gradients", "layouts"} <= asked.keys()
    for cell in asked.values():
        assert not harness.Verdict(outcome(cell, 24, 0).verdict).failing
    beyond = [shape for shape in seen if any(not _LEAST[n] <= size <= _MOST[n] for n, size in shape.items())]
    assert seen and not beyond


def test_a_counterexample_is_shrunk_and_explained_within_the_declared_sizes():
    asked, seen = cells_of(declared(), wrong)
    found = outcome(asked["agreement"], 24, 0)
    assert found.verdict == "wrong" and found.counterexample.case["sizes"] == _LEAST
    assert found.counterexample.diagnosis.proven
    assert not [shape for shape in seen if any(not _LEAST[n] <= size <= _MOST[n] for n, size in shape.items())]


def test_a_sample_alone_is_asked_where_it_is_declared():
    asked, seen = cells_of(declared(batch=(0, 5)), right)
    outcome(asked["batch_invariance"], 12, 0)
    outcome(asked["batch_of_zero"], 12, 0)
    assert {0, 1} <= {shape["batch"] for shape in seen}


def test_what_an_earlier_declaration_remembered_is_told_once_and_forgotten(tmp_path):
    store = ExampleStore(str(tmp_path))
    asked, seen = cells_of(declared(), right)
    cell = asked["agreement"]
    record = Case(cell.operation, _LEAST, dtype="float32").record()
    store.keep(cell.key, {**record, "sizes": {"batch": 2, "n": 2}})
    store.keep(cell.key, {**record, "sizes": {"batch": 2, "n": 4}})
    first, again = outcome(cell, 2, 0, store=store), outcome(cell, 2, 0, store=store)
    (told,) = first.outdated
    assert (
        told.startswith("a counterexample of an earlier run is forgotten")
        and "n=2 is no whole number from 3 to 40" in told
    )
    assert not again.outdated and min(shape["n"] for shape in seen) >= 3
    shown = replayed(cell, {**record, "sizes": {"batch": 2, "n": 2}})
    assert shown.verdict == "unsupported" and "n=2" in shown.reason


@harness.operation(sizes={"d": (1, 4)})
def scaled(
    x: Float[Tensor, "batch d"],
    way: Literal["up", "down"],
    count: Annotated[int, Interval(ge=1, le=100)],
    rate: Annotated[float, Interval(ge=0.25, le=1)],
) -> Float[Tensor, "batch d"]:
    """Something of x."""
    return x * count * rate


_OPTIONS = {"way": "up", "count": 7, "rate": 0.3}


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"way": "left"}, "way='left' is not declared"),
        ({"count": 101}, "count=101 is not declared"),
        ({"count": 2.5}, "count=2.5 is not declared"),
        ({"rate": 0.2}, "rate=0.2 is not declared"),
        ({"rate": float("nan")}, "rate=nan is not declared"),
        ({"gone": 1}, "other sizes or options"),
    ],
)
def test_an_option_is_one_of_the_declared_values_or_within_their_range(changes, told):
    sizes = {"batch": 1, "d": 2}
    assert scaled.admits(sizes, _OPTIONS) and scaled.admits(sizes, {**_OPTIONS, "rate": 1})
    assert told in scaled.objection(sizes, {**_OPTIONS, **changes})
    with pytest.raises(harness.HarnessError, match="does not fit its declaration"):
        Case.rebuild(Case(scaled, sizes, {**_OPTIONS, **changes}).record(), {"scaled": scaled})


def test_a_value_that_is_not_listed_has_simpler_ones_all_the_same():
    count = scaled.options["count"]
    assert count.values == (1, 2, 50, 99, 100)
    assert count.simpler(60) == (1, 2, 50) and count.simpler(99) == (1, 2, 50) and count.simpler(1) == ()


def test_no_place_is_left_out_that_must_be_there():
    operation = declared()
    case = Case(operation, {"batch": 3, "n": 4}).replace(values={"x": tuple(map(float, range(12)))})
    assert case.without("batch", [0]).sizes == {"batch": 2, "n": 4}
    assert case.without("batch", [0, 1]) is None


def test_every_property_of_the_catalogue_asks_what_is_declared():
    stated = (claim.own for claim in every_claim() if claim.own is not None)
    for prop in (*every_property(), *stated):
        for operation in filter(prop.applies, catalogue().values()):
            variants = [each for case in plan(operation, 12, 0) for each in prop.variants(case)]
            told = [each for each in variants if each.is_admitted]
            assert len(told) >= len(variants) / 2 and (told or not variants), (prop.name, operation.name)
