"""Names are nobody's: a stranger's `gru` is another operation than the catalogue's, and gets what it declares itself."""

import textwrap

import pytest
import torch
from jaxtyping import Float
from torch import Tensor

import harness
from harness.candidates import candidates
from harness.catalogue import catalogue, is_catalogued, named, operations_in
from harness.declare.implementation import implementation_of
from harness.errors import CandidateError, DeclarationError, UnknownName
from harness.execute.outcome import without_asking
from harness.execute.selection import Selection
from harness.record import known
from harness.verify.cell import Cell
from harness.verify.suite import every_claim, every_property
from tests.verdicts import PROPERTIES

OURS = catalogue()["dot_axes"]

HEAD = """
import harness, torch
from jaxtyping import Float
from torch import Tensor

"""

GRU = (
    HEAD
    + '''
@harness.operation
def gru(x: Float[Tensor, "batch n"]) -> Float[Tensor, "batch n"]:
    """Twice x."""
    return x * 2

@gru.implementation
def twice(x):
    return x + x
'''
)


@harness.operation
def dot_axes(x: Float[Tensor, "batch n"]) -> Float[Tensor, "batch n"]:
    """Twice x, by the name of an operation of the catalogue."""
    return x * 2


@dot_axes.implementation
def keras_dot(x):
    return x + x


@harness.property(of="dot_axes")
def speaks_of_its_neighbour(implementation, case):
    """The result is finite."""
    (result,) = implementation(case)
    yield harness.holds("finite", bool(result.isfinite().all()), case)


@harness.property(of="conv2d")
def speaks_of_the_catalogue(implementation, case):
    """The result is finite."""
    (result,) = implementation(case)
    yield harness.holds("finite", bool(result.isfinite().all()), case)


def written(folder, source):
    path = folder / "mine.py"
    path.write_text(textwrap.dedent(source))
    candidates.cache_clear()
    return path


def test_nothing_is_asked_of_a_namesake_that_was_written_for_the_catalogues_operation():
    of_ours = {prop.name for prop in every_property() if prop.applies(OURS)}
    asked = {prop.name for prop in every_property() if prop.applies(dot_axes)}
    written_for_ours = {prop.name for prop in every_property() if prop.of and prop.applies(OURS)}
    assert written_for_ours and written_for_ours < of_ours
    assert not written_for_ours & asked and "agreement" in asked


def test_no_claim_is_about_a_namesake():
    about = [claim for claim in every_claim() if claim.of and claim.is_about(OURS)]
    assert about and not any(claim.is_about(dot_axes) for claim in about)


def test_a_name_is_looked_up_in_the_module_first_and_then_in_the_catalogue():
    assert speaks_of_its_neighbour.operations == (dot_axes,)
    assert not speaks_of_its_neighbour.applies(OURS)
    assert speaks_of_the_catalogue.operations == (catalogue()["conv2d"],)
    assert named("dot_axes", {}) is OURS


def test_a_misspelt_name_is_refused_with_its_place_and_the_nearest_one():
    @harness.property(of="dot_axis")
    def misspelt(implementation, case):
        """Nothing."""

    with pytest.raises(
        UnknownName, match=r"test_names\.py: misspelt: of= .*'dot_axis' is unknown; did you mean dot_axes"
    ):
        misspelt.applies(OURS)
    with pytest.raises(DeclarationError, match="of= names no operation"):
        harness.property(of=())(misspelt.statement)


def test_a_misspelt_name_in_a_file_is_refused_before_anything_is_asked(tmp_path):
    misspelt = (
        GRU
        + '''
@harness.property(of="grru")
def finite(implementation, case):
    """The result is finite."""
    yield harness.holds("finite", True, case)
'''
    )
    with pytest.raises(UnknownName, match=r"mine\.py: finite: .*did you mean gru"):
        candidates(written(tmp_path, misspelt))


def finding(operation, implementation):
    return known.FindingListed(operation, implementation, "wrong", "rounds twice", "torch#1", "9999-01-01")


def test_known_findings_are_of_the_catalogues_own_implementations(monkeypatch):
    monkeypatch.setattr(known, "known_findings", lambda: (finding("dot_axes", "keras_dot"),))
    agreement, wrong = PROPERTIES["agreement"], harness.Verdict.WRONG

    def found(operation, made):
        return without_asking(Cell(agreement, operation, made, "cpu", "float32"), wrong, "off")

    def keras_dot(a, b, **options):
        return torch.zeros(1)

    same_name = implementation_of(OURS.name, OURS.signature, keras_dot, "torch")
    assert found(OURS, OURS.find("keras_dot")).known and not found(OURS, OURS.find("keras_dot")).fails
    assert found(OURS, same_name).fails, "a function of that name is not the catalogue's"
    assert found(dot_axes, dot_axes.find("keras_dot")).fails


def test_the_catalogues_own_implementations_are_told_by_identity():
    assert is_catalogued(OURS, OURS.own) and is_catalogued(OURS, OURS.find("torch_bmm.compiled"))
    assert not is_catalogued(dot_axes, dot_axes.own) and not is_catalogued(OURS, dot_axes.find("keras_dot"))


def test_a_file_with_a_namesake_gets_what_it_declares(tmp_path):
    path = written(tmp_path, GRU)
    (gru,) = candidates(path).operations
    selection = Selection(candidates=str(path), devices=("cpu",), dtypes=("float32",))
    assert gru is not catalogue()["gru"]
    assert selection.cells(PROPERTIES["agreement"]) and not selection.cells(PROPERTIES["padding"])


def test_a_file_about_two_operations_of_one_name_is_refused(tmp_path):
    both = GRU + "\n@harness.catalogue()['gru'].implementation\ndef mine(**arguments):\n    return None\n"
    with pytest.raises(CandidateError, match=r"mine\.py is about two operations named 'gru'"):
        try:
            candidates(written(tmp_path, both))
        finally:
            catalogue()["gru"].implementations.pop("mine")


def test_two_operations_of_one_name_in_a_module_are_refused():
    module = type("Module", (), {})()
    one = harness.operation(name="same")(dot_axes.definition)
    module.one, module.__name__ = one, one.module
    module.alias = one
    assert operations_in(module) == {"same": one}
    module.other = harness.operation(name="same")(dot_axes.definition)
    with pytest.raises(DeclarationError, match="declares two operations named 'same'"):
        operations_in(module)


def test_nothing_but_the_definition_is_named_so():
    def definition(x):
        return x

    with pytest.raises(DeclarationError, match="choose another name"):
        harness.check(definition, like=dot_axes)
