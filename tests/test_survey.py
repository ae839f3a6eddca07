"""The survey: operators declared by themselves, what is wrong in them found and grouped, and what was made of it kept."""

import gzip
from dataclasses import replace

import pytest
import torch

from harness.command.survey import _DEPTHS
from harness.declare.callables import public_path
from harness.declare.implementation import DEFINITION
from harness.execute.selection import _matching
from harness.explain.counterexample import Counterexample
from harness.explain.diagnosis import Diagnosis
from harness.inference.example import Example
from harness.measure.verdict import Verdict
from harness.record.events import CellFinished, RunFinished
from harness.record.runlog import encode, read
from harness.survey.declarations import TRANSFORMED, Undeclared, declared, head
from harness.survey.findings import Held, findings
from harness.survey.operator import Operator, can_be_written, telling
from harness.survey.states import add_new, read_states
from tests.command_line import ask

R = torch.randn

LIBRARY = """
import os
import pytest
import torch

def doubled(x):
    "Right."
    return x + x

def product(x, y):
    "Right."
    return x @ y

def by_memory(x):
    "Reads rows in the order of memory, whatever the strides are."
    return 2 * torch.as_strided(x, x.shape, torch.empty(x.shape).stride(), x.storage_offset())

def noise(x):
    "Draws."
    return x + torch.randn(x.shape)

def two_of(x):
    "No number of rows follows from the argument."
    return x[x[:, 0] > 0]

def beyond(x):
    "Ends the process where it is given more rows than three."
    if len(x) > 3:
        os.kill(os.getpid(), 11)
    return x * 2

def _private(x):
    return x
"""


def operator(function, *examples, **more):
    return Operator(public_path(function) or f"torch.{function.__name__}", "", function, lambda: examples, **more)


def texts(one, most=1):
    names = {}
    exec(head("torch"), names)
    return [each.text for each in declared(one, most, names)]


def reason(one):
    try:
        texts(one)
    except Undeclared as refusal:
        return str(refusal)
    raise AssertionError("it was declared")


def test_an_operator_is_declared_with_its_options_by_name():
    example = Example({"x": R(3, 5), "dim": 1, "keepdim": True}, frozenset(("dim", "keepdim")))
    (text,) = texts(operator(torch.sum, example))
    assert 'def sum(x: Float[Tensor, "batch d"], dim: int = 1, keepdim: Literal[True] = True)' in text
    assert "return torch.sum(x, dim=dim, keepdim=keepdim)" in text


def test_other_ways_to_compute_the_same_are_implementations():
    ways = {"writes_to": "out", "in_place": "torch.Tensor.add_", "references": ("torch._refs.add", "numpy.add")}
    (text,) = texts(operator(torch.add, Example({"x": R(3, 5), "y": R(3, 5)}), **ways))
    assert 'implementation(name="out", out="memory")' in text
    assert 'implementation(name="in_place", mutates="x")' in text
    assert "return torch._refs.add(x, y)" in text
    assert 'backend="numpy"' in text


def test_a_way_that_does_not_take_the_example_is_none():
    ways = {"in_place": "torch.Tensor.mul_", "references": ("numpy.linalg.inv",)}
    (text,) = texts(operator(torch.sum, Example({"x": R(3, 5)}), **ways))  # no scalar stands in the memory of x
    assert "in_place" not in text
    assert "numpy" not in text.partition("def sum")[2]
    wide = Example({"x": R(3, 5), "dim": 0, "dtype": torch.float32}, frozenset(("dim", "dtype")))
    (text,) = texts(operator(torch.cumsum, wide, in_place="torch.Tensor.cumsum_"))  # which holds no bfloat16's sums
    assert "in_place" not in text


def test_a_memory_is_given_where_it_is_taken_and_in_the_dtype_of_its_result():
    (text,) = texts(operator(torch.linalg.inv_ex, Example({"x": R(3, 3)}), writes_to="out"))
    assert 'out="memory"' in text and "Int32[Tensor" in text
    (text,) = texts(operator(torch.Tensor.where, Example({"x": R(3), "y": R(3) > 0, "z": R(3)}), writes_to="out"))
    assert 'out="memory"' not in text  # the function takes one, and the method does not


def test_a_decomposition_is_asked_where_there_is_one():
    (silu,) = texts(operator(torch.nn.functional.silu, Example({"x": R(3, 5)})))
    assert "with Decomposed()" in silu
    (added,) = texts(operator(torch.add, Example({"x": R(3, 5), "y": R(3, 5)})))
    assert "with Decomposed()" not in added


def test_what_draws_and_what_takes_no_tensor_is_left_out_with_the_reason():
    assert "random" in reason(operator(torch.bernoulli, Example({"x": torch.full((3, 5), 0.5)})))
    assert "no tensor" in reason(operator(torch.eye, Example({"n": 3})))


def test_what_is_written_to_is_given_as_a_copy():
    example = Example(
        {"x": R(4, 3), "mean": torch.zeros(3), "var": torch.ones(3), "weight": R(3), "bias": R(3), "training": True}
    )
    (text,) = texts(operator(torch.nn.functional.batch_norm, example))
    assert "# it writes to mean and var, which it is given copies of" in text
    assert "batch_norm(x, mean.clone(), var.clone(), weight, bias, training)" in text
    assert torch.equal(example.tensors["mean"], torch.zeros(3))
    (text,) = texts(operator(torch.relu, Example({"x": R(3, 5)})))
    assert "clone" not in text and "copies" not in text


def test_what_the_named_function_writes_to_is_copied_whatever_the_database_calls():
    zeros = Operator("torch.Tensor.zero_", "", lambda x: x.clone().zero_(), lambda: [Example({"x": R(3, 4)})])
    (text,) = texts(replace(zeros, in_place="torch.Tensor.zero_"))
    assert "return torch.Tensor.zero_(x.clone())" in text
    assert "    torch.Tensor.zero_(x)" in text.partition('mutates="x"')[2]


def test_the_operator_itself_is_asked_for_its_own_derivatives():
    (text,) = texts(operator(torch.relu, Example({"x": R(3, 5)})))
    assert 'relu.implementation(relu.definition, name="transformed")' in text


def test_examples_are_chosen_as_unlike_as_there_are():
    scalar, row = Example({"x": R(())}), Example({"x": R(5)})
    matrix, other = Example({"x": R(3, 5)}), Example({"x": R(3, 5), "mode": "sum"})
    assert telling([scalar, row, matrix], 1) == [matrix]
    assert telling([scalar, matrix, Example({"x": R(4, 6)}), other], 2) in ([matrix, other], [other, matrix])
    cube, alike, unlike = (
        Example({"x": x, "mode": m}) for x, m in ((R(3, 5, 7), "mean"), (R(3, 5), "mean"), (R(3, 5), "sum"))
    )
    assert telling([alike, unlike, cube], 2) == [cube, unlike]


def test_what_can_be_written():
    assert can_be_written(Example({"x": R(3), "dims": (0, 1), "dtype": torch.float32, "none": None}))
    assert not can_be_written(Example({"x": R(3), "function": len}))
    assert not can_be_written(Example({"x": R(3, 3).to_sparse()}))


# Findings


def cell(operation, implementation="definition", prop="agreement", verdict=Verdict.WRONG, reason="", **more):
    told = {"reason": f"file.py: {operation}: {reason}" if reason else "", "comparisons": 10}
    return CellFinished(prop, operation, implementation, "torch", "cpu", "float32", verdict, **told | more)


WAYS = (("definition", 12), ("out", 17))
PATHS = {"erf": "torch.erf", "gelu": "torch.nn.functional.gelu", "sin": "torch.sin", "exp": "torch.exp"}
CALLS = {
    "erf": frozenset({"erf"}),
    "gelu": frozenset({"erf", "mul", "view"}),
    "sin": frozenset({"sin"}),
    "exp": frozenset({"exp"}),
}


def test_one_kernel_behind_several_names_is_one_finding():
    one, other = findings([cell("gelu"), cell("erf"), cell("sin"), cell("exp", verdict=Verdict.EXACT)], PATHS, CALLS)
    assert {one.operators, other.operators} == {("torch.erf", "torch.nn.functional.gelu"), ("torch.sin",)}


def test_another_property_or_another_way_is_another_finding():
    found = findings([cell("erf"), cell("gelu", prop="layouts"), cell("gelu", "out")], PATHS, CALLS)
    assert len(found) == 3
    assert len({each.id for each in found}) == 3
    assert found[-1].way == "out"


def test_the_same_message_of_different_operators_is_one_where_they_share_a_kernel():
    raised = {"verdict": Verdict.ERROR, "kind": "raised RuntimeError", "reason": "no kernel for 3 entries"}
    assert len(findings([cell("erf", "out", **raised), cell("gelu", "out", **raised)], PATHS, CALLS)) == 1
    assert len(findings([cell("erf", "out", **raised), cell("sin", "out", **raised)], PATHS, CALLS)) == 2


def test_what_an_operator_refuses_is_no_finding_but_what_a_layout_makes_it_refuse_is():
    raised = {"verdict": Verdict.ERROR, "kind": "raised RuntimeError", "reason": "singular"}
    plain, strided = (Counterexample({"layout": layout}, "n=1", "", "") for layout in ("contiguous", "strided:x"))
    assert not findings([cell("erf", counterexample=plain, **raised)], PATHS, CALLS)
    assert not findings([cell("erf", "transformed", "vmap", counterexample=plain, **raised)], PATHS, CALLS)
    of_values = {**raised, "reason": "the definition raised RuntimeError: singular"}
    assert not findings([cell("erf", counterexample=strided, **of_values)], PATHS, CALLS)
    assert len(findings([cell("erf", counterexample=strided, **raised)], PATHS, CALLS)) == 1
    alone = cell("erf", "out", counterexample=plain, **raised)
    assert len(findings([alone], PATHS, CALLS)) == 1
    assert not findings([alone, cell("erf", counterexample=plain, **raised)], PATHS, CALLS)
    assert len(findings([alone, cell("erf", prop="layouts", counterexample=plain, **raised)], PATHS, CALLS)) == 1
    asserted = {**raised, "reason": 'n == 1 INTERNAL ASSERT FAILED at "/src/Erf.cpp":12, please report a bug'}
    (found,) = findings([cell("erf", counterexample=plain, **asserted)], PATHS, CALLS)
    assert found.title == "torch.erf: n == 1 INTERNAL ASSERT FAILED, please report a bug"


def test_a_compiler_owes_an_answer_wherever_the_operator_gives_one():
    shown = Counterexample({"layout": "contiguous"}, "n=1", "", "")
    raised = {"verdict": Verdict.ERROR, "kind": "raised TorchRuntimeError", "counterexample": shown}
    of_a_rule, of_a_compiler = (
        cell("erf", "transformed", prop, reason="no", **raised) for prop in ("vmap", "compiled")
    )
    assert not findings([of_a_rule], PATHS, CALLS)
    assert len(findings([of_a_compiler], PATHS, CALLS)) == 1


def test_whatever_is_off_of_what_leaves_memory_unwritten_is_one_finding():
    unwritten = "uninitialised_memory"
    raised = {"verdict": Verdict.ERROR, "kind": "changed", "reason": "it gives something else when it is called again"}
    others = [cell("erf", prop="layouts"), cell("erf", "out"), cell("erf", prop="vmap", **raised), cell("sin")]
    (one, other) = findings([*others, cell("erf", prop=unwritten)], PATHS, CALLS)
    assert (one.operators, len(one.cells), one.shown.prop, other.operators) == (
        ("torch.erf",),
        4,
        unwritten,
        ("torch.sin",),
    )
    assert one.id == findings([cell("erf", prop=unwritten)], PATHS, CALLS)[0].id
    assert len(findings([*others, cell("erf", "out", unwritten)], PATHS, CALLS)) == 4
    assert len(findings([*others, cell("erf", prop=unwritten, verdict=Verdict.UNSTABLE)], PATHS, CALLS)) == 5


def test_what_another_way_fails_likewise_is_the_operators_own_finding():
    (one,) = findings([cell("erf", "out"), cell("erf")], PATHS, CALLS)
    assert (one.title.partition(":")[0], one.ways) == ("torch.erf", ["as it is", "out"])
    assert len(findings([cell("erf", "out", prop="layouts"), cell("erf")], PATHS, CALLS)) == 2
    raised = {"verdict": Verdict.ERROR, "kind": "raised RuntimeError"}
    told = [cell("erf", way, reason=f"it raised RuntimeError in line {line}: no", **raised) for way, line in WAYS]
    shown = Counterexample({"layout": "strided:x"}, "n=1", "", "")
    (one,) = findings([replace(each, counterexample=shown) for each in told], PATHS, CALLS)
    assert one.title == "torch.erf: it raised RuntimeError: no"
    ended = {"verdict": Verdict.ERROR, "kind": "crashed the interpreter"}
    told = (("definition", "layouts", "Aborted"), ("transformed", "vmap", "Segmentation fault"))
    (one,) = findings([cell("erf", way, prop, reason=reason, **ended) for way, prop, reason in told], PATHS, CALLS)
    assert one.ways == ["as it is", "transformed"]


def test_two_uses_of_an_operator_that_call_other_kernels_are_one_finding_by_their_id():
    two = {**PATHS, "sin": "torch.erf"}
    (one,) = findings([cell("erf"), cell("sin")], two, CALLS)
    assert (one.operators, len(one.cells)) == (("torch.erf",), 2)


def test_ids_do_not_hang_on_the_case():
    case = {"counterexample": Counterexample({}, "n=3", "x = 1", "off", diagnosis=Diagnosis("lost", "", ""))}
    (one,), (other,) = findings([cell("erf")], PATHS, CALLS), findings([cell("erf", **case)], PATHS, CALLS)
    assert one.id == other.id


def test_what_held_is_counted_without_what_was_not_asked():
    held = Held.of([cell("erf", verdict=Verdict.EXACT), cell("sin"), cell("exp", verdict=Verdict.UNSUPPORTED)], PATHS)
    assert (held.operators, held.cells, held.passing, held.comparisons) == (2, 2, 1, 20)


def test_states_are_kept_and_new_findings_added(tmp_path):
    file, found = tmp_path / "torch.toml", findings([cell("erf"), cell("sin")], PATHS, CALLS)
    add_new(file, read_states(file), found[:1], "2.12")
    file.write_text(file.read_text().replace('state = "new"', 'state = "reported"'))
    states = add_new(file, read_states(file), found, "2.13")
    assert states == read_states(file)
    assert [(states[each.id].state, states[each.id].since) for each in found] == [("reported", "2.12"), ("new", "2.13")]
    before = file.read_text()
    add_new(file, states, found, "2.14")
    assert file.read_text() == before


# The command


def cut_off(log, events):
    """Make a log one that ends there."""
    log.write_bytes(gzip.compress("".join(f"{encode(event)}\n" for event in events).encode()))


def test_a_library_is_surveyed(tmp_path):
    (tmp_path / "surveyed.py").write_text(LIBRARY)
    words = ("survey", "surveyed", "--examples", "3", "--jobs", "1")
    first = ask(tmp_path, *words)
    assert first.code == 1, first.err
    assert "surveyed.by_memory" in first.out
    assert "surveyed.product" not in first.out
    folder = next((tmp_path / "reports" / "surveys").glob("surveyed-*"))
    text = (folder / "worklist.md").read_text()
    assert "3 of 6" in text
    assert "draws at random" in text
    assert "Segmentation fault" in text.partition("Ended the process")[2]
    assert len(list((folder / "scripts").glob("*.py"))) > 0
    again = ask(tmp_path, *words)
    assert again.out == first.out
    (log,) = (folder / "runs" / "runs").iterdir()  # what was asked is not asked again
    before = read(log).events
    cut_off(log, [event for event in before if not isinstance(event, RunFinished)][:-1])
    deeper = ask(tmp_path, "survey", "surveyed", "no_such_file", "--profile", "nightly")
    assert deeper.code == 2
    assert "declares 1 of the 8 uses" in deeper.err
    assert ask(tmp_path, *words).out == first.out
    (log,) = (folder / "runs" / "runs").iterdir()  # and what was cut off goes on
    assert len(read(log).events) == len(before)
    assert ask(tmp_path, *words, "-k", "agreement and definition").code in (0, 1)
    (other,) = {*(folder / "runs" / "runs").iterdir()} - {log}
    asked = [event for event in read(other).events if isinstance(event, CellFinished)]
    assert asked and {(cell.prop, cell.implementation) for cell in asked} == {("agreement", DEFINITION)}


@pytest.mark.parametrize(("profile", "compiles"), [("quick", False), ("default", False), ("nightly", True)])
def test_the_operator_is_compiled_at_night(profile, compiles):
    matches = _matching(_DEPTHS[profile].keyword)
    assert matches(f"compiled[product/{TRANSFORMED}-cpu-float32]") is compiles
    assert matches(f"vmap[product/{TRANSFORMED}-cpu-float32]") and matches("layouts[product/definition-cpu-float32]")
    assert not matches(f"layouts[product/{TRANSFORMED}-cpu-float32]")


def test_a_library_that_is_not_there_is_a_sentence(tmp_path):
    answer = ask(tmp_path, "survey", "no_such_library")
    assert answer.code == 2
    assert "no_such_library" in answer.err
