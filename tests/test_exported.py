"""torch.export and ONNX as backends: what torch computes is exported, and the program is asked in its place."""

import dataclasses

import pytest
import torch
from jaxtyping import Float
from torch import Tensor, nn

import harness
from harness.declare.exported import export_listeners
from harness.errors import UnknownName
from harness.generate.case import Case
from harness.generate.plan import essential
from harness.measure.verdict import Verdict
from harness.operations.linear import linear
from harness.verify.cell import cells, check_backends
from harness.verify.exploration import explore
from harness.verify.finding import ask
from harness.verify.subject import Subject
from tests.verdicts import PROPERTIES

AGREEMENT = PROPERTIES["agreement"]
EXPORTS = pytest.mark.parametrize("backend", ["torch.export", "onnxruntime"])


@pytest.fixture
def exports():
    """The seconds of every export."""
    seconds = []
    export_listeners.append(seconds.append)
    yield seconds
    export_listeners.remove(seconds.append)


def twin(function, backend):
    made = dataclasses.replace(linear.find("torch_linear"), name="mine", function=function)
    return made.twins[backend]


def cell_of(operation, implementation, dtype="float32"):
    (cell, *_) = cells(AGREEMENT, [operation], [implementation], ["cpu"], [dtype])
    return cell


@EXPORTS
def test_a_program_is_exported_once_and_asked_at_every_size(backend, exports):
    made = twin(lambda x, W, b: x @ W.mT + b, backend)
    call = Subject(linear, made)
    for batch, inputs, outputs in ((3, 2, 4), (5, 7, 2), (1, 9, 6)):
        case = Case(linear, {"batch": batch, "inputs": inputs, "outputs": outputs}, {}, dtype="float32")
        assert not ask(cell_of(linear, made), call, case)[0].verdict.failing
    assert len(exports) == 1


def bound_to_its_size(x, W, b):
    """Which tells small batches by a number of Python's."""
    return x @ W.mT + b if int(x.shape[0]) > 3 else torch.addmm(b, x, W.mT)


def test_a_program_that_is_bound_to_its_sizes_is_exported_anew_for_others():
    call = Subject(linear, twin(bound_to_its_size, "torch.export"))
    for batch in (3, 5, 2):
        case = Case(linear, {"batch": batch, "inputs": 2, "outputs": 4}, {}, dtype="float32")
        assert not ask(cell_of(linear, call.implementation), call, case)[0].verdict.failing


def careless(x, W, b):
    return x @ W.mT + (2 if torch.compiler.is_exporting() else 1) * b


@EXPORTS
def test_what_is_wrong_only_when_exported_is_found_there_alone(backend):
    case = Case(linear, {"batch": 3, "inputs": 2, "outputs": 4}, {}, dtype="float32")
    eager = dataclasses.replace(linear.find("torch_linear"), name="careless", function=careless)
    for made, expected in ((eager, False), (eager.twins[backend], True)):
        assert ask(cell_of(linear, made), Subject(linear, made), case)[0].verdict.failing is expected


def test_twins_are_found_by_name_and_asked_where_their_backend_is_named():
    assert linear.find("torch_linear.exported") is linear.find("torch_linear").twins["torch.export"]
    assert linear.find("definition.onnx") is linear.own.twins["onnxruntime"]
    check_backends(["torch.export", "onnxruntime"])
    named = {cell.implementation.name for cell in cells(AGREEMENT, [linear], backends=["torch.export"])}
    assert named == {f"{each.name}.exported" for each in _of_torch()}
    with pytest.raises(UnknownName, match=r"no implementation 'nobody'"):
        linear.find("nobody.onnx")


def _of_torch():
    return [each for each in (linear.own, *linear.implementations.values()) if each.backend.name == "torch"]


def test_what_writes_to_its_arguments_is_compiled_and_never_exported():
    made = dataclasses.replace(linear.find("torch_linear"), mutates="x")
    assert [*made.twins] == ["torch.compile"]
    assert not dataclasses.replace(made, backend=linear.find("keras_dense").backend).twins


# Modules


def network(features):
    return nn.Sequential(nn.Linear(features, 8), nn.BatchNorm1d(8), nn.GELU(), nn.Linear(8, 3))


@harness.operation(module=network, modes=("train", "eval"), sizes={"rows": (2, 20), "features": (1, 20)})
def classified(x: Float[Tensor, "rows features"]) -> Float[Tensor, "rows 3"]:
    """A small network."""


def of_a_twin(backend, mode):
    made = classified.own.twins[backend]
    cases = [case for case in essential(classified, 0) if case.options["mode"] == mode and case.pattern == "normal"]
    return explore(cell_of(classified, made), cases[:3])


@pytest.mark.parametrize(
    ("backend", "mode"), [("torch.export", "train"), ("torch.export", "eval"), ("onnxruntime", "eval")]
)
def test_an_exported_module_gives_what_it_gives_and_keeps_its_statistics(backend, mode):
    found = of_a_twin(backend, mode)
    assert found.verdict in (Verdict.EXACT, Verdict.ROUNDING), found.worst


def test_a_module_that_is_exported_for_inference_is_found_wrong_in_training():
    """torch.onnx exports batch normalisation as it is in inference, whatever the module's mode."""
    assert of_a_twin("onnxruntime", "train").verdict is Verdict.WRONG
