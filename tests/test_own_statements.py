"""A file's own statements are asked: its properties, its claims and its causes, and those of installed packages."""

import importlib.metadata
import sys
import textwrap
import types

import pytest
from jaxtyping import Float
from torch import Tensor

import harness
from harness.candidates import candidates, is_candidate
from harness.errors import CandidateError, DeclarationError, HarnessError
from harness.explain.known_causes import _installed_causes, known_causes
from harness.registry import entry_points_of as brought_by
from harness.verify.cell import Cell
from harness.verify.suite import every_property, installed_properties
from tests.command_line import ask
from tests.verdicts import PROPERTIES

QUICK = ("--profile", "quick", "--examples", "4", "--device", "cpu", "--dtype", "float32", "--jobs", "1", "--json")

SOFTMAX = '''
import harness, torch
from jaxtyping import Float
from torch import Tensor


@harness.operation
def softmax(x: Float[Tensor, "batch d"]) -> Float[Tensor, "batch d"]:
    """exp x over its sum."""
    return x.softmax(-1)


@softmax.implementation
def aten(x):
    return torch.nn.functional.softmax(x, -1)
'''

STATED = '''

@harness.property(of="softmax")
def sums_to_one(implementation, case):
    """Every row sums to one."""
    (result,) = implementation(case)
    yield harness.close("row sums", result.sum(-1), 1.0, case)


@harness.property(of=softmax)
def sums_to_two(implementation, case):
    """Every row sums to two."""
    (result,) = implementation(case)
    yield harness.close("row sums", result.sum(-1), 2.0, case)


@harness.claim("softmax.positive", "a friend", of=softmax)
def positive(implementation, case):
    """No entry is negative."""
    (result,) = implementation(case)
    yield harness.holds("no entry is negative", bool((result >= 0).all()), case)


@harness.cause
def halved(scene):
    """Half of an argument is meant."""
    yield harness.Instead("half is taken", lambda call: call.replace(x=call.arguments["x"] / 2))
'''

OF_THE_CATALOGUE = '''
import harness


@harness.property(of="linear")
def is_positive(implementation, case):
    """No entry of the result is negative, which is false."""
    (result,) = implementation(case)
    yield harness.holds("no entry is negative", bool((result >= 0).all()), case)
'''


@harness.operation
def doubled(x: Float[Tensor, "batch d"]) -> Float[Tensor, "batch d"]:
    """Twice x."""
    return x * 2


@harness.cause
def beside_a_test(scene):
    """A cause beside an operation."""
    yield from ()


def written(folder, source, name="mine.py"):
    path = folder / name
    path.write_text(textwrap.dedent(source))
    candidates.cache_clear()
    return path


def test_a_file_brings_what_it_states(tmp_path):
    found = candidates(written(tmp_path, SOFTMAX + STATED))
    assert [prop.name for prop in found.properties] == ["sums_to_one", "sums_to_two"]
    assert [prop.name for prop in found.statements] == ["sums_to_one", "sums_to_two", "softmax.positive"]
    assert all(prop.operations == found.operations for prop in found.statements)
    assert is_candidate(found.operations[0].module) and not is_candidate("harness.operations.linear")


def test_check_asks_them_and_a_false_one_is_falsified(tmp_path):
    written(tmp_path, SOFTMAX + STATED)
    answer = ask(tmp_path, "check", "mine.py", *QUICK, "--dtype", "float64")
    verdicts = {(cell.prop, cell.implementation): cell.verdict for cell in answer.cells if cell.dtype == "float32"}
    assert answer.code == 1
    assert verdicts["sums_to_two", "aten"] == verdicts["sums_to_two", "definition"] == "wrong"
    assert verdicts["sums_to_one", "aten"] in ("exact", "rounding") and ("agreement", "aten") in verdicts
    (claim,) = answer.summary["claims"]
    assert (claim["id"], claim["outcome"]) == ("softmax.positive", "holds")


def test_k_chooses_among_them(tmp_path):
    written(tmp_path, SOFTMAX + STATED)
    answer = ask(tmp_path, "check", "mine.py", *QUICK, "-k", "sums_to_one")
    assert answer.code == 0
    assert {cell.prop for cell in answer.cells} == {"sums_to_one"}


def test_a_counterexample_to_ones_own_property_is_replayed(tmp_path):
    written(tmp_path, SOFTMAX + STATED)
    ask(tmp_path, "check", "mine.py", *QUICK, "-k", "sums_to_two and aten")
    answer = ask(tmp_path, "replay", "--json")
    (entry,) = answer.summary["counterexamples"]
    assert (entry["property"], entry["answer"]) == ("sums_to_two", "still fails")


def test_a_file_may_state_something_of_the_catalogue_alone(tmp_path):
    written(tmp_path, OF_THE_CATALOGUE)
    answer = ask(tmp_path, "check", "mine.py", *QUICK)
    asked = {(cell.prop, cell.operation) for cell in answer.cells}
    assert asked == {("is_positive", "linear")}, "the rest is what `harness run linear` asks"
    assert answer.code == 1 and {cell.implementation for cell in answer.cells} > {"definition", "torch_linear"}


def test_list_says_what_is_asked_of_a_files_operation(tmp_path):
    written(tmp_path, SOFTMAX + STATED)
    (entry,) = ask(tmp_path, "list", "mine.py", "--json").summary
    assert entry["operation"] == "softmax" and {"agreement", "sums_to_two"} <= set(entry["properties"])
    assert "softmax" in ask(tmp_path, "list", "mine.py").out


def test_a_name_that_is_taken_is_refused(tmp_path):
    general = STATED.replace("def sums_to_two", "def agreement")
    twice = STATED + "\n\nkept = sums_to_two\n" + STATED[: STATED.index("@harness.claim")]
    for source, taken in ((general, "agreement"), (twice, "sums_to_two")):
        with pytest.raises(CandidateError, match=f"there is a property named '{taken}' already"):
            candidates(written(tmp_path, SOFTMAX + source))


def test_an_exemption_from_what_nobody_asks_is_refused(tmp_path):
    misspelt = SOFTMAX.replace("@softmax.implementation", '@softmax.implementation(exempt={"layout": "why"})')
    with pytest.raises(
        DeclarationError, match=r"mine\.py: aten: exempt= names property 'layout', .*did you mean layouts"
    ):
        candidates(written(tmp_path, misspelt))
    own = misspelt.replace('"layout"', '"sums_to_two"')
    assert candidates(written(tmp_path, own + STATED)).implementations[1].exempt == {"sums_to_two": "why"}


def test_a_check_in_python_asks_what_stands_beside(tmp_path):
    (softmax,) = candidates(written(tmp_path, SOFTMAX + STATED)).operations
    checked = harness.check(softmax.definition, like=softmax, dtypes=["float32"], devices=["cpu"], examples=2)
    assert {cell.prop: cell.verdict for cell in checked.outcomes}["sums_to_two"] == "wrong"


def test_causes_beside_what_is_judged_are_known():
    here = Cell(PROPERTIES["agreement"], doubled, doubled.own, "cpu", "float32")
    linear = harness.catalogue()["linear"]
    there = Cell(PROPERTIES["agreement"], linear, linear.own, "cpu", "float32")
    assert beside_a_test in known_causes(here) and beside_a_test not in known_causes(there)


def test_causes_of_a_candidate_file_are_known(tmp_path):
    found = candidates(written(tmp_path, SOFTMAX + STATED))
    (softmax,) = found.operations
    cell = Cell(PROPERTIES["agreement"], softmax, found.implementations[1], "cpu", "float32")
    assert "halved" in {cause.name for cause in known_causes(cell)}


# installed packages


@pytest.fixture
def installed(monkeypatch):
    """Make a module an installed package's, by its entry points."""

    def install(group, **declared):
        module = types.ModuleType("brought")
        for value in declared.values():
            object.__setattr__(value, "module", "brought")
        vars(module).update(declared)
        monkeypatch.setitem(sys.modules, "brought", module)
        entry = importlib.metadata.EntryPoint("brought", "brought", group)
        monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: [entry] if group == entry.group else [])
        forget()

    def forget():
        for remembered in (installed_properties, every_property, _installed_causes):
            remembered.cache_clear()

    yield install
    monkeypatch.undo()
    forget()


def stated(name):
    def statement(implementation, case):
        """It holds."""
        yield harness.holds("holds", True, case)

    statement.__name__ = name
    return harness.property(statement)


def test_properties_of_installed_packages_are_asked_of_everything(installed):
    brought = stated("brought_along")
    installed("harness.properties", brought_along=brought)
    assert brought in every_property() and installed_properties() == (brought,)


def test_a_property_of_a_package_that_takes_a_name_is_refused(installed):
    installed("harness.properties", agreement=stated("agreement"))
    with pytest.raises(HarnessError, match=r"entry point brought = brought .* brings a property named 'agreement'"):
        every_property()


def test_causes_of_installed_packages_are_known(installed):
    brought = harness.cause(lambda scene: iter(()))
    installed("harness.causes", brought=brought)
    linear = harness.catalogue()["linear"]
    assert brought in known_causes(Cell(PROPERTIES["agreement"], linear, linear.own, "cpu", "float32"))


def test_what_can_not_be_loaded_is_named(monkeypatch):
    entry = importlib.metadata.EntryPoint("absent", "no_such_module", "harness.causes")
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: [entry])
    with pytest.raises(
        HarnessError, match=r"entry point absent = no_such_module of group harness.causes can't be loaded"
    ):
        brought_by("harness.causes")
