"""Forms: any rank, axes of one entry, arguments that may be None, and lists, as they are drawn, covered, shown and asked."""

import json

import pytest
import torch
from jaxtyping import Float
from torch import Tensor

import harness
from harness.declare.forms import MOST_PARTS
from harness.execute.outcome import outcome
from harness.explain.literal import literal
from harness.explain.simplifying import simplify
from harness.generate.case import Case
from harness.generate.plan import coverage, essential, plan
from harness.measure.verdict import Verdict
from harness.verify.exploration import explore
from harness.verify.subject import Subject
from tests.verdicts import cell_of, explored


@harness.operation(sizes={"d": (1, 9)})
def rms_norm(
    x: Float[Tensor, "*batch d"], weight: Float[Tensor, "d"], bias: Float[Tensor, "d"] | None, eps: float = 1e-5
) -> Float[Tensor, "*batch d"]:
    """x over the root of its mean square plus eps, times weight, plus bias if there is one."""
    y = x / (x.square().mean(-1, keepdim=True) + eps).sqrt() * weight
    return y if bias is None else y + bias


@harness.operation(sizes={"batch": (0, 5), "time": (1, 5), "d": (1, 9)})
def plus(x: Float[Tensor, "batch time d"], y: Float[Tensor, "#batch #time d"]) -> Float[Tensor, "batch time d"]:
    """The sum, with what broadcasting allows."""
    return x + y


@harness.operation(sizes={"n": (1, 7), "d": (1, 5)})
def summed(parts: list[Float[Tensor, "?n d"]], start: Float[Tensor, "d"] | None) -> Float[Tensor, "d"]:
    """The sum of all rows of all parts, from a start on if there is one."""
    total = torch.cat(parts).sum(0)
    return total if start is None else total + start


EVERY = (rms_norm, plus, summed)
KNOWN = {operation.name: operation for operation in EVERY}


def flattened(x, weight, bias, eps):
    rows = x.reshape(-1, x.shape[-1])
    y = rows * (rows.square().mean(-1, keepdim=True) + eps).rsqrt() * weight
    return (y if bias is None else y + bias).reshape(x.shape)


def padded(parts, start):
    total = torch.nn.utils.rnn.pad_sequence(parts, batch_first=True).sum((0, 1))
    return total if start is None else total + start


def broadcast(x, y):
    return torch.add(x, y.expand_as(x))


# what varies


def test_each_form_is_an_option_with_its_simplest_value_first():
    assert {name: rms_norm.options[name].values for name in rms_norm.forms} == {
        "*batch": (
            *("batch", ""),
            *("batch batch_2", "batch_2 batch"),
            *("batch batch_2 batch_3", "batch_2 batch batch_3", "batch_2 batch_3 batch"),
        ),
        "bias given": (False, True),
    }
    assert {name: plus.options[name].values for name in plus.forms} == {
        "#batch of y": ("batch", "1"),
        "#time of y": ("time", "1"),
    }
    assert {name: summed.options[name].values for name in summed.forms} == {
        "len(parts)": (1, 2, 3, 4),
        "start given": (False, True),
    }


@pytest.mark.parametrize(("bounds", "ranks"), [((1, 2), {1, 2}), ((0, 0), {0}), ((2, 3), {2, 3}), (None, {0, 1, 2, 3})])
def test_any_number_of_axes_is_bounded_by_sizes(bounds, ranks):
    def doubled(x: Float[Tensor, "*batch d"]) -> Float[Tensor, "*batch d"]:
        """Twice x."""
        return 2 * x

    made = harness.operation(sizes={"*batch": bounds} if bounds else None)(doubled)
    assert {case.tensors["x"].ndim - 1 for case in essential(made)} == ranks
    assert "*batch" not in made.sizes


def test_axes_that_are_no_batch_stand_in_their_order_alone():
    @harness.operation
    def doubled(x: Float[Tensor, "batch *spatial"]) -> Float[Tensor, "batch *spatial"]:
        """Twice x."""
        return 2 * x

    assert doubled.options["*spatial"].values == (
        "spatial",
        "",
        "spatial spatial_2",
        "spatial spatial_2 spatial_3",
    )


def test_the_bounds_of_a_name_are_those_of_the_axes_beside_it():
    @harness.operation(sizes={"batch": (0, 3), "n": (2, 4)})
    def total(x: Float[Tensor, "*batch d"], parts: list[Float[Tensor, "?n d"]]) -> Float[Tensor, "*batch d"]:
        """x plus the sums of the parts."""
        return x + torch.cat(parts).sum(0)

    assert total.sizes == {
        **{"batch": (0, 3), "batch_2": (1, 3), "batch_3": (1, 3)},
        **{"d": (1, 1025), "n": (2, 4), "n_2": (2, 4), "n_3": (2, 4), "n_4": (2, 4)},
    }


REFUSED = [
    ("... d", r"axis '\.\.\.' has no name to be known by; write \*batch"),
    ("_ d", r"axis '_' has no name"),
    ("n? d", r"axis 'n\?' differs from tensor to tensor of a list, and this is none; leave the \? out"),
]


@pytest.mark.parametrize(("axes", "sentence"), REFUSED)
def test_axes_that_nothing_can_tell_are_refused(axes, sentence):
    def doubled(x):
        """Twice x."""
        return 2 * x

    doubled.__annotations__ = {"x": Float[Tensor, axes], "return": Float[Tensor, "d"]}
    with pytest.raises(harness.DeclarationError, match=rf"doubled: argument 'x': {sentence}"):
        harness.operation(doubled)


def test_two_of_any_number_in_one_tensor_are_refused_where_they_are_written():
    with pytest.raises(ValueError, match="more than once"):
        Float[Tensor, "*batch d *more"]


def test_a_choice_of_two_tensors_a_list_of_numbers_and_a_result_that_broadcasts_are_refused():
    def either(x: Float[Tensor, "n"] | Float[Tensor, "m"]) -> Float[Tensor, "n"]:
        """x."""
        return x * 1

    def numbers(x: list[int]) -> Float[Tensor, "n"]:
        """x."""
        return torch.tensor(x) * 1.0

    def loose(x: Float[Tensor, "batch n"]) -> Float[Tensor, "#batch n"]:
        """x."""
        return x * 1

    for function, sentence in (
        (either, "more than one domain; write one array, or one array"),
        (numbers, "a list must be of jaxtyping arrays"),
        (loose, "axis '#batch' of a result may not vary by itself; write 'batch'"),
    ):
        with pytest.raises(harness.DeclarationError, match=sentence):
            harness.operation(function)


def test_no_rank_within_the_bounds_is_refused():
    def doubled(x: Float[Tensor, "*batch d"]) -> Float[Tensor, "*batch d"]:
        """Twice x."""
        return 2 * x

    with pytest.raises(harness.DeclarationError, match=r"'\*batch' has no rank from 4 to 5"):
        harness.operation(sizes={"*batch": (4, 5)})(doubled)


# what is called


def test_a_plan_meets_every_pair_of_forms():
    for operation in EVERY:
        met = coverage(operation, essential(operation), 2)
        assert met.met == met.total > len(operation.forms)
        triples = coverage(operation, essential(operation), 3)
        assert triples.met == triples.total


def given_to(operation, case):
    """What a function is given in a call, by name."""
    seen = {}

    def function(**arguments):
        seen.update(arguments)
        return operation(**arguments)

    Subject(operation, cell_of("agreement", operation, function).implementation)(case)
    return seen


def test_the_rank_is_what_the_form_names():
    shapes = {case.options["*batch"]: tuple(case.tensors["x"].shape) for case in essential(rms_norm)}
    case = Case(
        rms_norm,
        {"batch": 2, "batch_2": 3, "batch_3": 4, "d": 5},
        {"*batch": "batch", "bias given": False, "eps": 1e-5},
    )
    wanted = {"": (5,), "batch": (2, 5), "batch_2 batch": (3, 2, 5), "batch_2 batch_3 batch": (3, 4, 2, 5)}
    for form, shape in wanted.items():
        formed = case.replace(options={**case.options, "*batch": form})
        assert form in shapes and tuple(formed.tensors["x"].shape) == shape
        assert tuple(given_to(rms_norm, formed)["x"].shape) == shape
        assert formed.call().batch_axes.get("x") == (form.split().index("batch") if form else None)


def test_an_absent_argument_is_none_and_an_option_that_is_fixed_has_its_default():
    for case in essential(rms_norm):
        given = given_to(rms_norm, case)
        assert list(given) == ["x", "weight", "bias", "eps"] and given["eps"] == 1e-5
        assert (given["bias"] is not None) == case.options["bias given"] == ("bias" in case.tensors)


def test_a_list_is_given_as_a_list_of_tensors_of_their_own_lengths():
    lengths = set()
    for case in essential(summed):
        parts = given_to(summed, case)["parts"]
        assert isinstance(parts, list) and len(parts) == case.options["len(parts)"]
        assert all(part.shape[1] == case.sizes["d"] for part in parts)
        lengths.add(tuple(len(part) for part in parts))
    assert {len(each) for each in lengths} == {*range(1, MOST_PARTS + 1)}
    assert any(len({*each}) > 2 for each in lengths)


def test_an_axis_that_may_be_one_is_as_long_as_it_is_called_or_one():
    for case in essential(plus):
        batch, time = (case.sizes[name] if case.options[f"#{name} of y"] == name else 1 for name in ("batch", "time"))
        assert tuple(case.tensors["y"].shape) == (batch, time, case.sizes["d"])
    assert any(case.tensors["y"].shape[0] == 1 < case.sizes["batch"] for case in essential(plus))


def test_a_size_that_only_broadcasting_arguments_have_is_held_by_one_of_them():
    @harness.operation(sizes={"n": (1, 9)})
    def product(x: Float[Tensor, "#n d"], y: Float[Tensor, "#n d"]) -> Float[Tensor, "n d"]:
        """x times y."""
        return x * y

    for case in essential(product):
        rows = [len(case.tensors[name]) for name in "xy"]
        assert max(rows) == case.sizes["n"] and {*rows} <= {1, case.sizes["n"]}
    lost = Case(product, {"n": 3, "d": 2}, {"#n of x": "1", "#n of y": "1"})
    assert lost.objection == "no argument is n long" and not lost.replace(sizes={"n": 1, "d": 2}).objection


def test_where_may_ask_whether_an_argument_is_there():
    @harness.operation(where=lambda mask, n: not mask or n > 1)
    def masked(x: Float[Tensor, "n"], mask: Float[Tensor, "n"] | None) -> Float[Tensor, "n"]:
        """x times the mask."""
        return x * 1 if mask is None else x * mask

    cases = essential(masked)
    assert {case.sizes["n"] > 1 for case in cases if "mask" in case.tensors} == {True}
    assert {case.sizes["n"] == 1 for case in cases} == {True, False}


def test_a_case_is_described_by_the_sizes_that_it_uses():
    case = Case(
        rms_norm, {"batch": 2, "batch_2": 3, "batch_3": 4, "d": 5}, {"*batch": "", "bias given": False, "eps": 1e-5}
    )
    assert case.describe().startswith("d=5, ") and "batch_2=" not in case.describe()
    wider = case.replace(options={**case.options, "*batch": "batch_2 batch"})
    assert wider.describe().startswith("batch=2, batch_2=3, d=5, ")
    alone = Case(summed, dict.fromkeys(summed.sizes, 3), {"len(parts)": 2, "start given": True})
    assert summed.used_sizes(alone.options) == ("d", "n", "n_2")


def test_a_case_is_rebuilt_from_its_record():
    for operation in EVERY:
        for case in (*plan(operation, 4, 0), *essential(operation)[-4:]):
            again = Case.rebuild(json.loads(json.dumps(case.record())), KNOWN)
            assert again.key == case.key and again.tensors.keys() == case.tensors.keys()
            assert all(torch.equal(again.tensors[name], tensor) for name, tensor in case.tensors.items())


@pytest.mark.parametrize("change", [{"*batch": "batch_2"}, {"bias given": 2}, {"eps": 1e-6}])
def test_a_record_of_another_form_is_refused(change):
    record = plan(rms_norm, 1, 0)[0].record()
    with pytest.raises(harness.HarnessError, match="is not declared"):
        Case.rebuild({**record, "options": {**record["options"], **change}}, KNOWN)


def test_values_of_an_absent_argument_are_refused():
    absent = next(case for case in essential(rms_norm) if "bias" not in case.tensors)
    given = absent.replace(values={"bias": (0.0,) * absent.sizes["d"]})
    assert given.objection == "bias is given values, and is no tensor of this call"


# what is asked


@pytest.mark.parametrize("name", ["agreement", "gradients", "batch_invariance", "layouts"])
@pytest.mark.parametrize(("operation", "function"), [(rms_norm, flattened), (plus, broadcast), (summed, padded)])
def test_what_serves_every_form_passes(operation, function, name):
    cell = cell_of(name, operation, function, "float32")
    if cell.prop.applies(operation):
        assert not explore(cell, plan(operation, 16, 0)).verdict.failing


def wrong_along_an_axis(x, weight, bias, eps):
    along = 1 if x.ndim == 3 else -1
    y = x * (x.square().mean(along, keepdim=True) + eps).rsqrt() * weight
    return y if bias is None else y + bias


def bias_twice(x, weight, bias, eps):
    y = flattened(x, weight, bias, eps)
    return y + bias if bias is not None and x.ndim > 2 else y


def without_axes(x, weight, bias, eps):
    return flattened(x, weight, bias, eps) * (1 if x.ndim > 1 else 2)


def another_eps(x, weight, bias, eps):
    return flattened(x, weight, bias, 1.5 * eps)


def drops_the_last(parts, start):
    return padded(parts[:3], start)


def first_length(parts, start):
    return padded([part[: len(parts[0])] for part in parts], start)


def start_lost(parts, start):
    return padded(parts, None)


def one_sample_everywhere(x, y):
    return x + (y if y.shape[0] > 1 else 2 * y)


WRONG = [
    (rms_norm, wrong_along_an_axis),
    (rms_norm, bias_twice),
    (rms_norm, without_axes),
    (rms_norm, another_eps),
    (summed, drops_the_last),
    (summed, first_length),
    (summed, start_lost),
    (plus, one_sample_everywhere),
]


@pytest.mark.parametrize(("operation", "function"), WRONG, ids=[function.__name__ for _, function in WRONG])
def test_what_is_wrong_in_one_form_alone_is_found(operation, function):
    assert explored("agreement", operation, function, "float32", examples=8).verdict is Verdict.WRONG


def test_samples_are_independent_along_each_axis_of_the_batch():
    def mixed_in_pairs(x, weight, bias, eps):
        y = flattened(x, weight, bias, eps)
        return y + 1e-3 * y.sum(-2, keepdim=True) if x.ndim == 3 else y

    found = explored("batch_invariance", rms_norm, mixed_in_pairs, "float32")
    assert found.verdict.failing and found.worst.case.options["*batch"] == "batch_2 batch"


def test_a_counterexample_has_the_form_that_shows_it_and_stays_in_the_domain():
    cell = cell_of("agreement", summed, drops_the_last, "float32")
    shown = outcome(cell, 8, 0).counterexample
    least = Case.rebuild(shown.case, KNOWN)
    assert least.is_admitted and least.entries == MOST_PARTS
    assert least.options == {"len(parts)": MOST_PARTS, "start given": False}
    assert str(shown.diagnosis) == "parts[3] is ignored"
    assert "start=None," in shown.script and "parts=[torch.tensor([[0.0]], dtype=torch.float32), " in shown.script


def test_the_script_of_a_list_shows_the_difference_by_itself(capsys):
    script = outcome(cell_of("gradients", summed, drops_the_last, "float32"), 8, 0).counterexample.script
    exec(compile(script, "script.py", "exec"), {"__name__": "shown"})
    assert "arguments['parts'][3]" in script and "largest difference: 1.38" in capsys.readouterr().out


@pytest.mark.parametrize("operation", [rms_norm, plus, summed])
def test_a_case_as_python_is_python(operation):
    names = {}
    exec(literal(plan(operation, 1, 0)[0].replace(sizes=dict.fromkeys(operation.sizes, 2))), names)
    assert {*operation.parameters} <= {*names}


def test_simpler_values_have_the_form_and_the_domain_of_their_case():
    case = next(case for case in essential(summed) if case.options["len(parts)"] == 3 and case.entries > 12)
    asked = []

    def shows(each):
        asked.append(each)
        return len({len(part) for name, part in each.tensors.items() if name != "start"}) > 1

    simplify(case, shows)
    assert len(asked) > 12 and all(each.is_admitted and each.options == case.options for each in asked)


@pytest.mark.parametrize(("operation", "function"), [(plus, broadcast), (summed, padded)])
def test_nothing_that_a_check_asks_is_amiss_in_what_is_right(operation, function):
    found = harness.check(function, like=operation, examples=3, dtypes=["float32"], devices=["cpu"])
    asked = {cell.prop for cell in found.outcomes if cell.verdict in ("exact", "rounding")}
    assert found and asked >= {
        "agreement",
        "gradients",
        "layouts",
        "inputs_unmodified",
        "repeatability",
        "result_dtype",
    }
