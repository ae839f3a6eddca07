"""Implementations: in place, into given memory, forward alone, under other argument names, and in the dtypes and on the devices they name."""

import numpy as np
import pytest
import torch
from jaxtyping import Float
from torch import Tensor

import harness
from harness.execute.outcome import outcome
from harness.generate.case import Case
from harness.generate.layouts import LAYOUTS
from harness.generate.plan import plan
from harness.measure.verdict import Verdict
from harness.verify.cell import Cell, cells
from harness.verify.exploration import explore
from harness.verify.result_memory import result_memory
from harness.verify.subject import ImplementationFault, Subject
from tests.verdicts import PROPERTIES


@harness.operation(sizes={"batch": (0, 5), "d": (1, 17)})
def scaled_sum(x: Float[Tensor, "batch d"], y: Float[Tensor, "batch d"]) -> Float[Tensor, "batch d"]:
    """x + 2 y."""
    return x + 2 * y


@harness.operation(sizes={"batch": (0, 5), "d": (1, 9)})
def both(x: Float[Tensor, "batch d"], scale: float = 3.0) -> tuple[Float[Tensor, "batch d"], Float[Tensor, "batch"]]:
    """x scaled, and the sum of each row."""
    return x * scale, x.sum(-1)


@scaled_sum.implementation(mutates="x")
def in_place(x, y):
    x.add_(y, alpha=2)


@scaled_sum.implementation(mutates="x")
def in_place_and_returned(x, y):
    return x.add_(y, alpha=2)


@scaled_sum.implementation(mutates="x")
def written_and_something_returned(x, y):
    x.add_(y, alpha=2)
    return y


@scaled_sum.implementation(mutates="x", backend="numpy")
def in_place_of_numpy(x, y):
    x += 2 * y


@scaled_sum.implementation(mutates="x")
def in_place_row_by_row(x, y):
    for row in range(len(x)):
        x[row].add_(y[row], alpha=2)


@scaled_sum.implementation(mutates="x", arguments={"x": "target", "y": "source"})
def in_place_renamed(source, target):
    target.add_(source, alpha=2)


@scaled_sum.implementation(mutates="x")
def in_place_of_whole_blocks(x, y):
    x[:, : x.shape[1] // 8 * 8].add_(y[:, : x.shape[1] // 8 * 8], alpha=2)


@scaled_sum.implementation(mutates="x")
def returned_alone(x, y):
    return x + 2 * y


@scaled_sum.implementation(mutates="x")
def writes_to_the_other(x, y):
    x.add_(y.mul_(2))


@scaled_sum.implementation(mutates="x")
def in_contiguous_memory(x, y):
    torch.as_strided(x, x.shape, torch.empty(x.shape).stride(), x.storage_offset()).copy_(x + 2 * y)


@scaled_sum.implementation(out="out")
def with_out(x, y, out):
    torch.add(x, y, alpha=2, out=out)


@scaled_sum.implementation(out="into", arguments={"x": "a"})
def with_out_renamed(a, y, into):
    into.copy_(a + 2 * y)


@scaled_sum.implementation(out="out", backend="numpy")
def with_out_of_numpy(x, y, out):
    np.add(x, 2 * y, out=out)


@scaled_sum.implementation(out="out")
def assumes_contiguous_out(x, y, out):
    torch.as_strided(out, out.shape, torch.empty(out.shape).stride(), out.storage_offset()).copy_(x + 2 * y)


@scaled_sum.implementation(out="out")
def adds_to_what_is_there(x, y, out):
    out.add_(x + 2 * y)


@scaled_sum.implementation(out="out")
def leaves_out_the_last_column(x, y, out):
    out[:, : max(x.shape[1] - 1, 1)] = (x + 2 * y)[:, : max(x.shape[1] - 1, 1)]


@scaled_sum.implementation(out="out")
def writes_one_too_many(x, y, out):
    out.copy_(x + 2 * y)
    if out.numel():
        torch.as_strided(out, (1,), (1,), out.storage_offset() + out.numel()).fill_(3)


@scaled_sum.implementation(out="out")
def writes_to_its_argument_too(x, y, out):
    torch.add(x, y.mul_(2), out=out)


@both.implementation(out="outs")
def two_outs(x, scale, outs):
    torch.mul(x, scale, out=outs[0])
    torch.sum(x, -1, out=outs[1])


@both.implementation(out="outs")
def two_outs_one_forgotten(x, scale, outs):
    torch.mul(x, scale, out=outs[0])


def verdict(operation, name, prop="agreement", dtype="float32", examples=16):
    cell = Cell(PROPERTIES[prop], operation, operation.implementations[name], "cpu", dtype)
    return explore(cell, plan(operation, examples, 0)).verdict


ASKED = ("agreement", "layouts", "inputs_unmodified", "repeatability", "gradients", "batch_invariance", "result_dtype")

RIGHT = (
    "in_place",
    "in_place_and_returned",
    "written_and_something_returned",
    "in_place_of_numpy",
    "in_place_row_by_row",
    "in_place_renamed",
    "with_out",
    "with_out_renamed",
    "with_out_of_numpy",
)


@pytest.mark.parametrize("name", RIGHT)
@pytest.mark.parametrize("prop", ASKED)
def test_what_writes_where_it_says_passes(name, prop):
    assert not verdict(scaled_sum, name, prop).failing


def test_several_results_are_written_to_several_tensors():
    assert not any(verdict(both, "two_outs", prop).failing for prop in ASKED)
    assert verdict(both, "two_outs_one_forgotten") is Verdict.WRONG


@pytest.mark.parametrize(
    ("name", "prop"),
    [
        ("in_place_of_whole_blocks", "agreement"),
        ("returned_alone", "agreement"),
        ("writes_to_the_other", "inputs_unmodified"),
        ("in_contiguous_memory", "layouts"),
        ("assumes_contiguous_out", "layouts"),
        ("adds_to_what_is_there", "agreement"),
        ("leaves_out_the_last_column", "agreement"),
        ("writes_one_too_many", "layouts"),
        ("writes_to_its_argument_too", "inputs_unmodified"),
    ],
)
def test_what_writes_elsewhere_or_otherwise_is_found(name, prop):
    assert verdict(scaled_sum, name, prop) is Verdict.WRONG


def test_the_result_of_what_works_in_place_is_the_argument_afterwards():
    case = Case(scaled_sum, {"batch": 2, "d": 3})
    call = case.call()
    (result,) = Subject(scaled_sum, scaled_sum.implementations["in_place"]).in_place(call)
    assert result is call.arguments["x"] and not torch.equal(result, case.tensors["x"])
    (wanted,) = Subject(scaled_sum, scaled_sum.own)(case)
    assert torch.equal(result, wanted)


def test_gradients_reach_through_what_works_in_place():
    def lost(x, y):
        with torch.no_grad():
            y = 2 * y
        x.add_(y)

    made = harness.operation(sizes={"batch": (0, 5), "d": (1, 17)}, name="lost")(scaled_sum.definition)
    made.implementation(lost, mutates="x")
    assert not verdict(made, "lost").failing and verdict(made, "lost", "gradients") is Verdict.WRONG


@pytest.mark.parametrize("name", ["with_out", "forward"])
def test_of_the_forward_pass_alone_no_gradient_is_asked(name):
    def forward(x, y):
        return (x + 2 * y).detach()

    made = harness.operation(sizes={"batch": (0, 5), "d": (1, 17)})(scaled_sum.definition)
    made.implementation(forward, forward_only=True)
    made.implementation(forward, name="both_ways")
    made.implementation(with_out, out="out")
    assert verdict(made, name, "gradients") is Verdict.UNSUPPORTED and not verdict(made, name).failing
    assert verdict(made, "both_ways", "gradients") is Verdict.WRONG


@pytest.mark.parametrize("shape", [(3, 4), (2, 3, 4, 5), (5,), (), (0, 3)])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_memory_for_results_has_a_layout_and_a_guard_around_it(layout, shape):
    memory = result_memory(shape, torch.float32, "cpu", layout)
    assert tuple(memory.tensor.shape) == shape and memory.tensor.isnan().all()
    if len(shape) > 1 and 0 not in shape and layout in ("transposed", "strided"):
        assert not memory.tensor.is_contiguous()
    memory.tensor.fill_(3)
    assert not memory.written_outside()
    memory.buffer[-1] = 3
    assert memory.written_outside()


@pytest.mark.parametrize(
    "dtype", [torch.int64, torch.int8, torch.bool, torch.complex64, torch.bfloat16, torch.float8_e4m3fn]
)
def test_memory_for_results_is_of_any_dtype(dtype):
    memory = result_memory((2, 3), dtype, "cpu", "strided")
    memory.tensor.zero_()
    assert memory.tensor.dtype is dtype and not memory.written_outside()


def test_a_layout_that_can_not_be_written_to_is_left_out():
    assert result_memory((3, 4), torch.float32, "cpu", "expanded").tensor.is_contiguous()
    assert result_memory((3, 4), torch.float32, "cpu", "reversed").tensor.is_contiguous()


# names of arguments


def renamed(**options):
    made = harness.operation(sizes={"batch": (0, 5), "d": (1, 17)}, name="renamed")(scaled_sum.definition)
    made.implementation(name="made", **options)(lambda other, input: input + 2 * other)
    return made


def test_arguments_are_given_under_the_names_that_a_function_has():
    right, turned = (
        renamed(arguments={"x": "input", "y": "other"}),
        renamed(arguments={"x": "other", "y": "input"}),
    )
    for prop in ASKED:
        assert not verdict(right, "made", prop).failing
    assert verdict(turned, "made") is Verdict.WRONG


def test_an_option_is_renamed_as_a_tensor_is():
    made = harness.operation(name="both")(both.definition)
    made.implementation(lambda x, factor: (x * factor, x.sum(-1)), name="by", arguments={"scale": "factor"})
    made.implementation(lambda x, factor: (x + factor, x.sum(-1)), name="plus", arguments={"scale": "factor"})
    assert not verdict(made, "by").failing and verdict(made, "plus") is Verdict.WRONG


@pytest.mark.parametrize("name", ["in_place_of_whole_blocks", "leaves_out_the_last_column", "writes_to_the_other"])
def test_a_script_calls_it_as_it_is_declared(name, capsys):
    prop = "inputs_unmodified" if name == "writes_to_the_other" else "agreement"
    cell = Cell(PROPERTIES[prop], scaled_sum, scaled_sum.implementations[name], "cpu", "float32")
    script = outcome(cell, 8, 0).counterexample.script
    exec(compile(script, "script.py", "exec"), {"__name__": "shown"})
    shown = capsys.readouterr().out
    assert "largest difference: " in shown and "largest difference: 0" not in shown


REFUSED = [
    ({"mutates": "z"}, r"added: 'z' is no argument of scaled_sum; it has x, y"),
    ({"arguments": {"z": "x"}}, r"added: 'z' is no argument of scaled_sum; it has x, y"),
    ({"arguments": {"x": "input"}}, r"added\(x, y\) does not take the arguments of scaled_sum\(input, y\)"),
    ({"out": "out"}, r"added\(x, y\) does not take the arguments of scaled_sum\(x, y, out\)"),
    ({"dtypes": ("float99",)}, r"""added: dtypes= takes torch's dtypes, as \("float32",\), and not 'float99'"""),
    ({"dtypes": (32,)}, r"added: dtypes= takes torch's dtypes, .* and not 32"),
    ({"backend": "nunpy"}, r"added: backend 'nunpy' is unknown; did you mean numpy\?"),
    ({"name": "definition"}, r"added: scaled_sum's definition itself is named 'definition'; choose another name"),
    ({"name": "in_place"}, r"scaled_sum already has an implementation named 'in_place'; choose another name"),
]


@pytest.mark.parametrize(("options", "sentence"), REFUSED)
def test_what_does_not_fit_the_operation_is_refused(options, sentence):
    def added(x, y):
        return x + 2 * y

    before = {*scaled_sum.implementations}
    with pytest.raises(harness.DeclarationError, match=sentence):
        scaled_sum.implementation(added, **options)
    assert {*scaled_sum.implementations} == before


def test_an_exemption_from_a_property_that_there_is_not_is_refused():
    made = harness.operation(name="exempted")(scaled_sum.definition)
    made.implementation(lambda x, y: x + 2 * y, name="added", exempt={"layout": "it needs contiguous memory"})
    with pytest.raises(harness.HarnessError, match="layout"):
        harness.check(made, examples=1, dtypes=["float32"], devices=["cpu"])


def test_what_is_exempt_is_not_asked():
    made = harness.operation(name="exempted")(scaled_sum.definition)
    made.implementation(in_contiguous_memory, mutates="x", exempt={"layouts": "it needs contiguous memory"})
    cell = Cell(PROPERTIES["layouts"], made, made.implementations["in_contiguous_memory"], "cpu", "float32")
    found = outcome(cell, 4, 0)
    assert (found.verdict, found.reason) == ("unsupported", "it needs contiguous memory")


# dtypes and devices


def served(**options):
    made = harness.operation(name="served")(scaled_sum.definition)
    made.implementation(lambda x, y: x + 2 * y, name="added", **options)
    return made.implementations["added"], {
        (cell.dtype, cell.device) for cell in cells(PROPERTIES["agreement"], [made], made.implementations.values())
    }


@pytest.mark.parametrize(
    "given", [("float32", "bfloat16"), ("torch.float32", torch.bfloat16), (torch.float32, torch.bfloat16)]
)
def test_dtypes_are_named_by_strings_and_by_torch(given):
    made, asked = served(dtypes=given)
    assert made.dtypes == (torch.float32, torch.bfloat16)
    assert {dtype for dtype, _ in asked} == {"float32", "bfloat16"}


def test_a_single_dtype_needs_no_tuple():
    made, _ = served(dtypes="float32")
    assert made.dtypes == (torch.float32,)


def test_an_operation_names_its_dtypes_as_well():
    made = harness.operation(name="narrowed", dtypes=("float32",))(scaled_sum.definition)
    made.implementation(lambda x, y: x + 2 * y, name="added", dtypes=("float64", "float32"))
    assert made.dtypes == made.implementations["added"].dtypes == (torch.float32,)
    with pytest.raises(harness.DeclarationError, match="scaled_sum: dtypes= takes torch's dtypes"):
        harness.operation(dtypes=("float99",))(scaled_sum.definition)


def test_devices_are_those_alone_that_are_named():
    there, asked = served(devices=("cpu",))
    assert there.devices == ("cpu",) and {device for _, device in asked} == {"cpu"}
    there, asked = served(devices=("cuda",))
    assert there.devices == ("cuda",) and not {device for _, device in asked} & {"cpu"}


def test_what_can_not_be_written_to_is_refused_by_the_implementation_and_named():
    made = harness.operation(name="refusing")(scaled_sum.definition)

    @made.implementation(out="out")
    def raising(x, y, out):
        raise ValueError("no memory like this")

    with pytest.raises(ImplementationFault, match=r"raised ValueError.*no memory like this"):
        Subject(made, made.implementations["raising"])(Case(made, {"batch": 2, "d": 3}))


def flattened_by_view(x: Float[Tensor, "batch d"]) -> Float[Tensor, "batch*d"]:
    """The entries in a row, of which PyTorch makes a view or refuses to."""
    return x.view(-1) * 2


def flattened(x: Float[Tensor, "batch d"]) -> Float[Tensor, "batch*d"]:
    """The entries in a row."""
    return x.reshape(-1) * 2


@pytest.mark.parametrize("name", ["layouts", "gradients"])
def test_a_layout_is_asked_that_the_definition_takes(name):
    refusing = harness.operation(sizes={"batch": (2, 5), "d": (2, 17)})(flattened_by_view)
    taking = harness.operation(sizes={"batch": (2, 5), "d": (2, 17)})(flattened)
    for each in (refusing, taking):
        each.implementation(lambda x: x.view(-1) * 2, name="by_view")
    refused, wrong = (
        explore(cell, plan(cell.operation, 24, 0)).tally
        for each in (refusing, taking)
        for cell in cells(PROPERTIES[name], [each], [each.find("by_view")], ["cpu"], ["float64"])
    )
    assert refused[Verdict.EXACT] and not refused[Verdict.ERROR]
    assert wrong[Verdict.EXACT] and wrong[Verdict.ERROR]


def test_the_definition_is_told_what_it_does_not_take_where_it_is_not_exempt():
    asked, exempt = (harness.operation(sizes={"batch": (2, 5), "d": (2, 17)})(flattened_by_view) for _ in range(2))
    exempt.exempt = {"layouts": "others bring the arguments"}
    told, quiet = (
        outcome(cell, 12, 0)
        for each in (asked, exempt)
        for cell in cells(PROPERTIES["layouts"], [each], [each.own], ["cpu"], ["float32"])
    )
    assert told.verdict is Verdict.ERROR and "view" in told.reason
    assert quiet.verdict is Verdict.UNSUPPORTED and quiet.reason == "others bring the arguments"
