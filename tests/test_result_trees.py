"""Results of several tensors: with names or in order, integers by equality, and indices that are right where what they pick is."""

import dataclasses
import typing
from typing import Annotated, Literal

import pytest
import torch
from jaxtyping import Float, Int
from torch import Tensor

import harness
from harness.declare.implementation import implementation_of
from harness.declare.results import OtherNames, Results, parse_results
from harness.execute.outcome import outcome
from harness.explain.reproduction import reproduction
from harness.generate.case import Case
from harness.generate.plan import plan
from harness.measure.verdict import Verdict
from harness.verify.exploration import explore
from harness.verify.subject import ImplementationFault, Subject
from tests.verdicts import cell_of, explored


class Moments(typing.NamedTuple):
    mean: Float[Tensor, "batch"]
    square: Float[Tensor, "batch"]
    largest: Int[Tensor, "batch"]


@dataclasses.dataclass
class AsDataclass:
    mean: Float[Tensor, "batch"]
    square: Float[Tensor, "batch"]
    largest: Int[Tensor, "batch"]


class AsTypedDict(typing.TypedDict):
    mean: Float[Tensor, "batch"]
    square: Float[Tensor, "batch"]
    largest: Int[Tensor, "batch"]


AsTuple = tuple[Float[Tensor, "batch"], Float[Tensor, "batch"], Int[Tensor, "batch"]]


@dataclasses.dataclass
class Turned:
    largest: Tensor
    mean: Tensor
    square: Tensor


def declared(returned, made):
    """An operation whose result has a kind, and is made so."""

    def moments(x: Float[Tensor, "batch d"]):
        return made(x.mean(-1), x.square().mean(-1), x.argmax(-1))

    moments.__doc__ = "The mean, the mean square, and the place of the first largest entry."
    moments.__annotations__["return"] = returned
    return harness.operation(sizes={"batch": (0, 4), "d": (1, 9)})(moments)


KINDS = {
    "NamedTuple": declared(Moments, Moments),
    "dataclass": declared(AsDataclass, AsDataclass),
    "TypedDict": declared(AsTypedDict, lambda *parts: dict(zip(Moments._fields, parts, strict=True))),
    "tuple": declared(AsTuple, lambda *parts: parts),
}
moments = KINDS["NamedTuple"]


def parts(x):
    return x.mean(-1), (x * x).mean(-1), x.argmax(-1)


def as_dict(x):
    mean, square, largest = parts(x)
    return {"square": square, "largest": largest, "mean": mean}


def as_dataclass(x):
    mean, square, largest = parts(x)
    return Turned(largest, mean, square)


def as_named_tuple(x):
    return Moments(*parts(x))


def as_list(x):
    return list(parts(x))


def as_arrays(x):
    return {"mean": x.mean(-1), "square": (x * x).mean(-1), "largest": x.argmax(-1)}


@pytest.mark.parametrize("function", [parts, as_dict, as_dataclass, as_named_tuple, as_list])
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "tuple"])
def test_parts_with_names_are_taken_by_their_names_and_others_in_order(kind, function):
    operation, case = KINDS[kind], Case(KINDS[kind], {"batch": 2, "d": 5})
    made = implementation_of(operation.name, operation.signature, function, "torch")
    found, wanted = Subject(operation, made)(case), parts(case.tensors["x"])
    assert all(torch.allclose(one.double(), other.double()) for one, other in zip(found, wanted, strict=True))
    assert operation.signature.results.names == ("mean", "square", "largest")
    for name in ("agreement", "gradients", "result_dtype"):
        assert not explore(cell_of(name, operation, function, "float32"), plan(operation, 8, 0)).verdict.failing


def test_arrays_of_another_backend_have_names_as_well():
    cell = cell_of("agreement", moments, as_arrays, "float32", backend="numpy")
    assert not explore(cell, plan(moments, 12, 0)).verdict.failing


@pytest.mark.parametrize("function", [parts, as_named_tuple, as_list])
def test_a_tuple_is_taken_in_order(function):
    assert not explored("agreement", KINDS["tuple"], function, "float32", examples=8).verdict.failing
    assert KINDS["tuple"].signature.results.names == ()
    turned = explored("agreement", KINDS["tuple"], lambda x: parts(x)[1::-1] + parts(x)[2:], "float32", examples=8)
    assert turned.verdict is Verdict.WRONG


def exchanged(x):
    mean, square, largest = parts(x)
    return {"mean": square, "square": mean, "largest": largest}


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "tuple"])
def test_parts_under_each_others_names_are_wrong(kind):
    assert explored("agreement", KINDS[kind], exchanged, "float32", examples=8).verdict is Verdict.WRONG


def test_a_part_that_is_wrong_is_called_by_its_name():
    found = explored("agreement", moments, exchanged, "float32", examples=8)
    assert found.worst.comparison.label.startswith(("mean", "square"))


def in_waves(
    x: Annotated[Float[Tensor, "batch d"], harness.within(1, 2)],
) -> tuple[Float[Tensor, "batch"], Float[Tensor, "batch d"]]:
    """A mean, and a wave of which float32 knows no digit."""
    return x.mean(-1), torch.cos(1e9 * x)


def without_waves(x):
    return x.mean(-1), torch.zeros_like(x)


def test_what_agrees_in_one_result_says_nothing_of_another_without_a_digit():
    waves = harness.operation(sizes={"batch": (1, 4), "d": (1, 9)})(in_waves)
    one, other = (explored("agreement", waves, without_waves, dtype, examples=8) for dtype in ("float32", "float64"))
    assert one.verdict is Verdict.INCONCLUSIVE and one.untold == ["result 1 against the oracle"]
    assert set(one.tally) <= {Verdict.EXACT, Verdict.ROUNDING, Verdict.INCONCLUSIVE}
    assert other.verdict.severity >= Verdict.UNSTABLE.severity and not other.untold
    wrong = explored("agreement", waves, lambda x: (2 * x.mean(-1), torch.zeros_like(x)), "float32", examples=8)
    assert wrong.verdict is Verdict.WRONG and wrong.untold
    assert outcome(one.cell, 8, 0).reason.startswith("no digit of result 1 against the oracle could be compared")


@pytest.mark.parametrize(
    ("function", "sentence"),
    [
        (
            lambda x: {"mean": x.mean(-1), "squares": x.mean(-1), "largest": x.argmax(-1)},
            "returned mean, squares, largest, expected mean, square, largest",
        ),
        (lambda x: {"mean": x.mean(-1)}, "returned mean, expected mean, square, largest"),
        (lambda x: {**as_dict(x), "more": x}, "returned square, largest, mean, more, expected mean, square, largest"),
        (lambda x: parts(x)[:2], r"returned 2 tensor\(s\), expected 3"),
        (lambda x: x.mean(-1), r"returned 1 tensor\(s\), expected 3"),
        (lambda x: (*parts(x)[:2], None), "largest is None, expected a tensor of shape"),
        (lambda x: (*parts(x)[:2], x.amax(-1)), "largest has dtype float64, expected a int dtype"),
        (lambda x: (*parts(x)[:2], parts(x)[2][:, None]), r"largest has shape \[2, 1\], expected \[2\]"),
    ],
)
def test_other_names_numbers_and_kinds_are_refused(function, sentence):
    made = implementation_of(moments.name, moments.signature, function, "torch", "other")
    with pytest.raises(ImplementationFault, match=sentence):
        Subject(moments, made)(Case(moments, {"batch": 2, "d": 5}))


def test_a_dict_in_place_of_a_tuple_is_taken_in_its_order():
    names = Results(KINDS["tuple"].results)
    assert names.parts({"b": 1, "a": 2, "c": 3}) == (1, 2, 3)
    with pytest.raises(OtherNames):
        moments.signature.results.parts({"b": 1, "a": 2, "c": 3})


def test_integers_are_equal_or_wrong():
    def next_place(x):
        return *parts(x)[:2], (parts(x)[2] + (x.shape[1] > 7)).clamp(max=x.shape[1] - 1)

    def as_bytes(x):
        return *parts(x)[:2], parts(x)[2].to(torch.uint8)

    assert explored("agreement", moments, next_place, "float32").verdict is Verdict.WRONG
    assert not explored("agreement", moments, as_bytes, "float32").verdict.failing


def test_an_integer_that_rounding_decides_is_nobodys_fault():
    def last_largest(x):
        return *parts(x)[:2], x.shape[1] - 1 - x.flip(-1).argmax(-1)

    assert not explored("agreement", moments, last_largest, "float32").verdict.failing


def test_a_kind_of_result_is_read_with_its_fields():
    assert [parse_results(each).names for each in (Moments, AsDataclass, AsTypedDict)] == [Moments._fields] * 3
    assert len(parse_results(AsTuple).domains) == 3
    assert [moments.result_name(index) for index in range(3)] == ["mean", "square", "largest"]
    assert KINDS["tuple"].result_name(1) == "result 1"


@pytest.mark.parametrize(
    ("annotation", "sentence"),
    [
        (typing.NamedTuple("Bare", []), "Bare has no annotated fields; annotate each as a jaxtyping array"),
        (dataclasses.make_dataclass("Odd", [("n", int)]), "a result must be a jaxtyping array, or a tuple, NamedTuple"),
        (dict[str, Tensor], "a result must be a jaxtyping array"),
        (list[Float[Tensor, "n"]], "a result must be a jaxtyping array, .* each of fixed rank and size"),
        (Tensor, "a result must be a jaxtyping array"),
    ],
)
def test_a_result_of_which_nothing_is_known_is_refused(annotation, sentence):
    def odd(x: Float[Tensor, "n"]):
        """x."""
        return x

    odd.__annotations__["return"] = annotation
    with pytest.raises(harness.DeclarationError, match=f"odd: the result: {sentence}"):
        harness.operation(odd)


def test_fewer_parts_than_are_declared_are_refused_where_it_is_declared():
    with pytest.raises(harness.DeclarationError, match=r"names 3 tensor\(s\), but the definition returns 2"):
        declared(AsTuple, lambda *parts: parts[:2])


# picks


@harness.operation(sizes={"experts": (4, 33), "batch": (0, 5)})
def route(
    logits: Float[Tensor, "batch experts"], k: Literal[1, 2, 4]
) -> tuple[Float[Tensor, "batch k"], Annotated[Int[Tensor, "batch k"], harness.picks("logits")]]:
    """The weights of the k largest logits, which sum to 1, and their places."""
    value, index = logits.sort(dim=-1, descending=True, stable=True)
    return value[:, :k].softmax(-1), index[:, :k]


def last_of_ties(logits, k):
    value, index = logits.flip(-1).sort(dim=-1, descending=True, stable=True)
    return value[:, :k].softmax(-1), logits.shape[1] - 1 - index[:, :k]


def topk(logits, k):
    value, index = logits.topk(k, -1)
    return value.softmax(-1), index.int()


@pytest.mark.parametrize("function", [last_of_ties, topk])
@pytest.mark.parametrize("name", ["agreement", "batch_invariance", "gradients", "layouts", "nonfinite_propagation"])
def test_any_order_among_ties_is_right(function, name):
    found = explore(cell_of(name, route, function, "float32"), plan(route, 12, 0))
    assert not found.verdict.failing, found.worst
    ties = [case for case in plan(route, 30, 0) if case.pattern == "constant" and case.sizes["batch"]]
    assert ties and not torch.equal(last_of_ties(*args(ties[0]))[1], route(*args(ties[0]))[1])


def args(case):
    return case.tensors["logits"], case.options["k"]


def next_expert(logits, k):
    weights, index = topk(logits, k)
    return weights, (index + 1) % logits.shape[1]


def first_twice(logits, k):
    weights, index = topk(logits, k)
    return weights, index[:, :1].expand_as(index)


def beyond(logits, k):
    weights, index = topk(logits, k)
    return weights, torch.where(
        logits.amax(-1, keepdim=True) == logits.amin(-1, keepdim=True), index + logits.shape[1], index
    )


def negative(logits, k):
    weights, index = topk(logits, k)
    return weights, index - logits.shape[1]


def smallest_first(logits, k):
    weights, index = topk(logits, k)
    return weights, index.flip(-1)


@pytest.mark.parametrize("function", [next_expert, first_twice, beyond, negative, smallest_first])
def test_an_index_that_picks_another_entry_or_none_is_wrong(function):
    found = explored("agreement", route, function, "float32")
    assert found.verdict is Verdict.WRONG, found.verdict


def test_what_is_picked_stands_in_the_place_of_the_index():
    pick = harness.picks("x")
    x = torch.tensor([[5.0, 7.0, 7.0], [1.0, 2.0, 3.0]])
    picked = pick.picked(torch.tensor([[1, 2], [2, 2]]), {"x": x})
    assert picked[0].tolist() == [7, 7] and picked[1, 0] == 3 and picked[1, 1].isnan()
    outside = pick.picked(torch.tensor([[3, -1], [0, 1]], dtype=torch.int32), {"x": x})
    assert outside[0].isnan().all() and outside[1].tolist() == [1, 2]
    assert pick.picked(torch.tensor([1, 0]), {"x": x}).tolist() == [7, 1]
    assert harness.picks("x", axis=0).picked(torch.tensor([0, 1, 0]), {"x": x}).tolist() == [5, 2, 7]
    assert pick.picked(torch.zeros(0, 2, dtype=torch.int64), {"x": x[:0]}).shape == (0, 2)


@harness.operation(sizes={"n": (1, 9), "d": (1, 9)}, differentiable=False)
def largest_along(
    x: Float[Tensor, "n d"], y: Int[Tensor, "n d"]
) -> tuple[Annotated[Int[Tensor, "d"], harness.picks("x", axis=0)], Annotated[Int[Tensor, "n"], harness.picks("y")]]:
    """The places of a largest entry of each column, and of each row of whole numbers."""
    return x.argmax(0), y.argmax(-1)


def test_an_axis_and_whole_numbers_are_picked_from():
    def last(x, y):
        return len(x) - 1 - x.flip(0).argmax(0), y.shape[1] - 1 - y.flip(-1).argmax(-1)

    assert not explored("agreement", largest_along, last, "float32").verdict.failing
    for wrong in (lambda x, y: (x.argmin(0), y.argmax(-1)), lambda x, y: (x.argmax(0), y.argmin(-1))):
        assert explored("agreement", largest_along, wrong, "float32").verdict is Verdict.WRONG


def test_a_wrong_index_is_shown_by_a_script(capsys):
    done = explored("agreement", route, next_expert, "float32", examples=8)
    exec(compile(reproduction(done.cell, done.worst).text, "script.py", "exec"), {"__name__": "shown"})
    shown = capsys.readouterr().out
    assert "largest difference: " in shown and "largest difference: 0\n" not in shown


def test_an_argument_that_there_is_not_can_not_be_picked_from():
    with pytest.raises(harness.DeclarationError, match=r"picks\('logit'\) names no tensor argument; known are logits"):

        @harness.operation
        def misspelt(
            logits: Float[Tensor, "batch n"],
        ) -> Annotated[Int[Tensor, "batch"], harness.picks("logit")]:
            """The place of the largest."""
            return logits.argmax(-1)
