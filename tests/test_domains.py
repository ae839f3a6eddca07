"""Domains: indices below an axis, one place of each row, and structures that say what else is in them."""

from typing import Annotated

import numpy as np
import pytest
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

import harness
from harness.declare.structure import RandomSource
from harness.explain.simplifying import simplify
from harness.generate.case import Case
from harness.generate.plan import plan


@harness.operation(differentiable=False, exact=True)
def picked(
    x: Float[Tensor, "n classes"],
    index: Annotated[Int[Tensor, "n"], harness.below("classes", also=-100)],
    place: Annotated[Float[Tensor, "n classes"], harness.one_hot],
    one: Annotated[Bool[Tensor, "classes"], harness.one_hot],
) -> Float[Tensor, "n"]:
    """The entry of each row that its index names, 0 where there is none."""
    return torch.where(index < 0, 0.0, x.gather(1, index.clamp(min=0)[:, None])[:, 0])


def test_indices_stay_below_their_axis_and_meet_its_ends_repetitions_and_none_at_all():
    drawn = plan(picked, 200, 0)
    rows = [(case.sizes["classes"], case.tensors["index"]) for case in drawn]
    assert all(
        row.dtype == torch.int64 and bool(((row == -100) | ((row >= 0) & (row < size))).all()) for size, row in rows
    )
    several = [(size, row) for size, row in rows if len(row) > 3 and size > 3]
    for telling in (
        lambda size, row: (row == -100).any() and (row >= 0).any(),
        lambda size, row: row[row >= 0].unique().numel() == 1,
        lambda size, row: set(row[row >= 0].tolist()) == {0, size - 1},
        lambda size, row: row[row >= 0].unique().numel() > 2,
    ):
        assert any(telling(size, row) for size, row in several)


def test_one_place_of_each_row_in_the_kind_that_is_annotated():
    for case in plan(picked, 20, 0):
        place, one = case.tensors["place"], case.tensors["one"]
        assert place.dtype == torch.float64 and bool((place.sum(1) == 1).all())
        assert one.dtype == torch.bool and int(one.sum()) == 1


def test_an_empty_axis_has_no_index_and_no_place():
    stream = RandomSource((3,), {"classes": 0}, 0, "index")
    assert harness.below("classes", also=-1)(stream).tolist() == [-1, -1, -1]
    assert harness.one_hot(RandomSource((3, 0), {}, 0, "place")).shape == (3, 0)


@harness.operation(differentiable=False)
def led(
    x: Float[Tensor, "n"],
    way: Annotated[Int[Tensor, "n"], harness.among(-1, 1)],
    by: Annotated[Float[Tensor, "n"], harness.among(0.5, 2, 8)],
) -> Float[Tensor, "n"]:
    """x, some of it backwards, and so many times."""
    return x * way * by


def test_every_entry_is_among_the_numbers_and_all_of_one_are_met():
    drawn = [(case.tensors["way"], case.tensors["by"]) for case in plan(led, 100, 0)]
    assert {way.dtype for way, _ in drawn} == {torch.int64} and {by.dtype for _, by in drawn} == {torch.float64}
    assert {each for way, _ in drawn for each in way.tolist()} == {-1, 1}
    assert {each for _, by in drawn for each in by.tolist()} == {0.5, 2.0, 8.0}
    long = [way.unique().tolist() for way, _ in drawn if len(way) > 8]
    assert all(kinds in long for kinds in ([-1], [1], [-1, 1]))


def test_numbers_that_are_not_among_them_are_refused():
    case = Case(led, {"n": 2})
    assert case.replace(values={"way": (1.0, -1.0)}).is_admitted
    assert not case.replace(values={"way": (1.0, 0.0)}).is_admitted
    with pytest.raises(harness.DeclarationError, match="holds no number"):
        harness.among()


def test_an_axis_that_nobody_has_is_refused_where_it_is_written():
    with pytest.raises(harness.DeclarationError, match=r"below\('clases'\): no argument has an axis 'clases'"):

        @harness.operation
        def misspelt(
            x: Float[Tensor, "n"], i: Annotated[Int[Tensor, "m"], harness.below("clases")]
        ) -> Float[Tensor, "n"]:
            """A misspelt axis."""
            return x


@pytest.mark.parametrize(
    ("name", "values", "inside"),
    [
        ("index", (0.0, 2.0, -100.0), True),
        ("index", (0.0, 3.0, 1.0), False),
        ("index", (0.0, 0.5, 1.0), False),
        ("index", (-1.0, 0.0, 1.0), False),
        ("place", (1.0, 0.0, 0.0) * 3, True),
        ("place", (1.0, 0.0, 1.0) * 3, False),
        ("one", (0.0, 1.0, 0.0), True),
        ("one", (0.0, 2.0, 0.0), False),
    ],
)
def test_given_values_are_in_their_domain_or_refused(name, values, inside):
    case = Case(picked, {"n": 3, "classes": 3}).replace(values={name: values})
    assert case.is_admitted is inside
    if inside:
        again = Case.rebuild(case.record(), {"picked": picked}).tensors[name]
        assert again.reshape(-1).tolist() == list(values) and again.dtype == case.replace(values={}).tensors[name].dtype
    else:
        with pytest.raises(harness.HarnessError, match=f"the values of {name} are not in its domain"):
            Case.rebuild(case.record(), {"picked": picked})


def simplest(case, shows):
    """The last case that showed it, of those asked on the way."""
    asked, kept = [], [case]

    def told(each):
        asked.append(each)
        if shows(each):
            kept.append(each)
        return kept[-1] is each

    simplify(case, told)
    assert all(each.is_admitted for each in asked)
    return kept[-1]


def test_indices_become_few_and_small_and_stay_indices():
    case = Case(picked, {"n": 7, "classes": 9}, seed=3)
    least = simplest(case, lambda each: bool((each.tensors["index"] > 4).any()))
    assert max(least.tensors["index"].tolist()) > 4 and least.tensors["index"].count_nonzero() == 1
    assert dict(least.sizes)["n"] == 1


@harness.structure(simpler=lambda stream: (np.eye(*stream.shape), 2 * np.eye(*stream.shape)))
def turned(stream):
    """A matrix about which nothing is known but the simplest ones."""
    return RandomSource(stream.shape, {}, stream.seed, "together").normal()


@harness.structure(
    admits=lambda values, known: bool((values > 0).all()), simpler=lambda stream: (np.ones(stream.shape),)
)
def positive(stream):
    """Positive numbers."""
    return stream.uniform() + 0.01


@harness.operation(sizes={"n": (1, 5)})
def scaled_turn(
    A: Annotated[Float[Tensor, "n n"], turned],
    B: Annotated[Float[Tensor, "n n"], turned],
    s: Annotated[Float[Tensor, "n"], positive],
) -> Float[Tensor, "n n"]:
    """A matrix with its rows scaled."""
    return s[:, None] * A + 0 * B


def test_what_belongs_together_becomes_simple_together():
    case = Case(scaled_turn, {"n": 3}, seed=4)
    asked = []
    least = simplest(case, lambda each: asked.append(each) or float(each.tensors["A"].diagonal().sum()) > 4)
    assert torch.equal(least.tensors["A"], 2 * torch.eye(3, dtype=torch.float64)) and torch.equal(
        *(least.tensors[n] for n in "AB")
    )
    assert least.tensors["s"].tolist() == [1, 1, 1]
    drawn = case.tensors["A"]
    assert all(torch.equal(each.tensors["A"], each.tensors["B"]) for each in asked) and not torch.equal(
        least.tensors["A"], drawn
    )
    assert Case.rebuild(least.record(), {"scaled_turn": scaled_turn}).key == least.key


def test_of_a_structure_that_says_nothing_nothing_else_is_asked():
    case = Case(scaled_turn, {"n": 2}).replace(values={"A": (1.0, 0.0, 0.0, 3.0)})
    assert "the values of A are not in its domain" in case.objection
    assert Case(scaled_turn, {"n": 2}).replace(values={"s": (0.0, 1.0)}).objection


@harness.operation(sizes={"n": (1, 40), "k": (1, 9), "time": (1, 60), "segments": (1, 9)}, differentiable=False)
def drawn(
    x: Float[Tensor, "time"],
    valid: Annotated[Int[Tensor, "n"], harness.lengths("time")],
    maybe: Annotated[Int[Tensor, "n"], harness.lengths("time", least=0)],
    starts: Annotated[Int[Tensor, "segments+1"], harness.offsets("time")],
    order: Annotated[Int[Tensor, "k n"], harness.permutation],
    grid: Annotated[Float[Tensor, "k n"], harness.increasing],
    keep: Annotated[Bool[Tensor, "k n"], harness.mask],
    shares: Annotated[Float[Tensor, "k n"], harness.probabilities],
    q: Annotated[Float[Tensor, "k n k"], harness.orthonormal],
    wide: Annotated[Float[Tensor, "k n"], harness.orthonormal],
    a: Annotated[Float[Tensor, "n n"], harness.positive_definite],
    full: Annotated[Float[Tensor, "n k"], harness.full_rank],
    less: Annotated[Float[Tensor, "n k"], harness.rank_deficient],
) -> Float[Tensor, "time"]:
    """One of each kind."""
    return x + 0


CASES = plan(drawn, 160, 0)


def tensors(name):
    return [(case.sizes, case.tensors[name]) for case in CASES]


def is_orthonormal(matrix):
    tall = matrix if matrix.shape[-2] >= matrix.shape[-1] else matrix.mT
    return torch.allclose(tall.mT @ tall, torch.eye(tall.shape[-1], dtype=tall.dtype), atol=1e-12)


@pytest.mark.parametrize(
    ("name", "member"),
    [
        ("valid", lambda made, sizes: bool(((made >= 1) & (made <= sizes["time"])).all())),
        ("maybe", lambda made, sizes: bool(((made >= 0) & (made <= sizes["time"])).all())),
        (
            "starts",
            lambda made, sizes: made[0] == 0 and made[-1] == sizes["time"] and bool((made.diff() >= 0).all()),
        ),
        ("order", lambda made, sizes: bool((made.sort(-1).values == torch.arange(made.shape[-1])).all())),
        ("grid", lambda made, sizes: bool((made.diff(dim=-1) > 0).all())),
        ("shares", lambda made, sizes: torch.allclose(made.sum(-1), torch.ones(len(made), dtype=made.dtype))),
        ("q", lambda made, sizes: is_orthonormal(made)),
        ("wide", lambda made, sizes: is_orthonormal(made)),
        ("a", lambda made, sizes: bool((made == made.mT).all()) and bool((torch.linalg.eigvalsh(made) > 0.5).all())),
        ("full", lambda made, sizes: int(torch.linalg.matrix_rank(made)) == min(made.shape)),
        ("less", lambda made, sizes: int(torch.linalg.matrix_rank(made)) <= min(made.shape) // 2),
    ],
)
def test_every_drawn_value_is_a_member(name, member):
    assert all(member(made, sizes) for sizes, made in tensors(name))


@pytest.mark.parametrize(
    ("name", "telling"),
    [
        ("valid", lambda made, sizes: bool((made == sizes["time"]).all()) and len(made) > 2),
        ("valid", lambda made, sizes: made.unique().numel() > 2),
        ("maybe", lambda made, sizes: bool((made == 0).all())),
        ("starts", lambda made, sizes: bool((made.diff() == 0).any())),
        ("starts", lambda made, sizes: made.diff().numel() > 2 and int(made.diff().max() - made.diff().min()) <= 1),
        ("keep", lambda made, sizes: bool(made.all()) and made.numel() > 4),
        ("keep", lambda made, sizes: not made.any() and made.numel() > 4),
        ("keep", lambda made, sizes: bool((~made.any(-1)).any()) and bool(made.any()) and made.shape[-1] > 4),
        ("keep", lambda made, sizes: bool((made == made.tril()).all()) and bool(made[-1].all()) and len(made) > 2),
        ("shares", lambda made, sizes: bool((made == 0).any()) and bool((made.max() < 1).all())),
        ("shares", lambda made, sizes: bool((made.max(-1).values == 1).all()) and made.numel() > 4),
    ],
)
def test_what_tells_most_is_drawn(name, telling):
    assert any(telling(made, sizes) for sizes, made in tensors(name))


@pytest.mark.parametrize("name", [name for name in drawn.tensors if name != "x"])
def test_the_simplest_are_members_and_a_stranger_is_none(name):
    domain, known = drawn.tensors[name], {"n": 3, "k": 3, "time": 5, "segments": 3}
    simplest = domain.simpler(known)
    assert simplest and all(domain.admits(each.astype(float), known) for each in simplest)
    assert not domain.admits(np.full(domain.shape(known), 0.5 if domain.kind != "float" else np.nan), known)


@pytest.mark.parametrize(
    ("domain", "shape", "told"),
    [(harness.orthonormal, (3,), "needs two axes"), (harness.positive_definite, (3, 2), "as many rows as columns")],
)
def test_a_matrix_of_the_wrong_shape_is_refused(domain, shape, told):
    with pytest.raises(harness.DeclarationError, match=told):
        domain(RandomSource(shape, {}, 0, "a"))


def test_a_counterexample_keeps_to_its_domain_and_is_simple():
    @harness.operation(sizes={"time": (1, 12)}, differentiable=False)
    def summed(
        x: Float[Tensor, "batch time"], valid: Annotated[Int[Tensor, "batch"], harness.lengths("time")]
    ) -> Float[Tensor, "batch"]:
        """The sum over the valid part of every sample."""
        return torch.where(torch.arange(x.shape[1]) < valid[:, None], x, 0).sum(1)

    @summed.implementation
    def one_more(x, valid):
        return torch.where(torch.arange(x.shape[1]) <= valid[:, None], x, 0).sum(1)

    found = [
        cell for cell in harness.check(summed, dtypes=["float32"], examples=20).outcomes if cell.verdict == "wrong"
    ]
    shown = next(cell for cell in found if cell.prop == "agreement").counterexample
    assert (
        shown.case["sizes"] == {"batch": 1, "time": 2}
        and "valid = torch.tensor([1], dtype=torch.int64)" in shown.source
    )
