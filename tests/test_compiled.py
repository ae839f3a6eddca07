"""torch.compile as a backend of its own: twins of what torch computes, asked where it is named."""

import dataclasses
import time

import pytest
import torch

import harness
from harness.declare.backends import COMPILED
from harness.declare.implementation import on_backends
from harness.errors import UnknownName
from harness.execute.outcome import outcome
from harness.explain.reproduction import reproduction
from harness.generate.case import Case
from harness.measure.verdict import Verdict
from harness.operations.linear import linear
from harness.verify.cell import Cell, cells, check_backends
from harness.verify.finding import ask
from harness.verify.subject import Subject
from harness.verify.suite import every_property

AGREEMENT = next(prop for prop in every_property() if prop.name == "agreement")
WAYS = (linear.own, *linear.implementations.values())


def test_twins_are_asked_where_torch_compile_is_named():
    assert not any(made.backend.name == COMPILED for made in on_backends(WAYS, ()))
    named = {cell.implementation.name for cell in cells(AGREEMENT, [linear], backends=[COMPILED])}
    torch_s = {made.name for made in WAYS if made.backend.name == "torch"}
    assert named == {f"{name}.compiled" for name in torch_s}
    assert {made.backend.name for made in on_backends(WAYS, ["numpy", COMPILED])} == {"numpy", COMPILED}


def test_a_twin_is_found_by_its_name_and_is_the_same_every_time():
    assert linear.find("torch_linear.compiled") is linear.find("torch_linear").twins[COMPILED]
    with pytest.raises(UnknownName, match="has no implementation 'nobody'"):
        linear.find("nobody.compiled")


def test_an_unknown_backend_is_refused_in_a_sentence():
    with pytest.raises(
        harness.HarnessError,
        match=r"backend 'torch_compile' is unknown; did you mean torch\.compile\? There are torch, torch\.compile",
    ):
        check_backends(["torch_compile"])


def careless(x, W, b):
    return x @ W.mT + (2 if torch.compiler.is_compiling() else 1) * b


def test_what_is_wrong_only_when_compiled_is_found_there_alone_and_its_script_compiles():
    """In one case, since every shape is compiled anew."""
    eager = dataclasses.replace(linear.find("torch_linear"), name="careless", function=careless)
    case = Case(linear, {"batch": 3, "inputs": 2, "outputs": 4}, {}, dtype="float64")
    (cell, *_) = cells(AGREEMENT, [linear], dtypes=["float64"])
    verdicts = {}
    for made in (eager, eager.twins[COMPILED]):
        asked = dataclasses.replace(cell, implementation=made)
        verdicts[made.name], _ = ask(asked, Subject(linear, made), case)
    assert not verdicts["careless"].verdict.failing and str(verdicts["careless.compiled"].verdict) == "wrong"
    script = reproduction(asked, verdicts["careless.compiled"]).text
    assert "reproduce(torch.compile(careless))" in script and "# Largest difference seen: " in script


def test_of_what_fails_uncompiled_too_no_compiler_is_asked():
    def failing(x, W, b):
        raise ValueError("not today")

    compiling = next(prop for prop in every_property() if prop.name == "compiled")
    made = dataclasses.replace(linear.find("torch_linear"), name="failing", function=failing)
    asked = Cell(compiling, linear, made, "cpu", "float64")
    found, _ = ask(asked, Subject(linear, made), Case(linear, {"batch": 3, "inputs": 2, "outputs": 4}, {}))
    assert found.verdict is Verdict.UNSUPPORTED and "it fails uncompiled too: " in found.judgement.reason


def test_a_users_own_torch_compile_compiles_for_as_many_shapes_as_there_are():
    """It falls back to eager after eight, and says so nowhere."""
    shapes = []

    def backend(graph, inputs):
        shapes.append([tuple(each.shape) for each in inputs])
        return graph

    own = torch.compile(lambda x, W, b: x @ W.mT + b, backend=backend, dynamic=False)
    made = dataclasses.replace(linear.find("torch_linear"), function=lambda x, W, b: own(x, W, b))
    (cell, *_) = cells(AGREEMENT, [linear], dtypes=["float64"])
    cell = dataclasses.replace(cell, implementation=made)
    for size in range(2, 14):
        ask(cell, Subject(linear, made), Case(linear, {"batch": size, "inputs": 2, "outputs": 3}, {}))
    assert len(shapes) == 12


def test_what_a_compiler_takes_is_booked_apart_and_costs_no_cases():
    handler = torch._dynamo.callback.callback_handler

    def compiles_for_long(x, W, b):
        handler.run_start_callbacks(None)
        time.sleep(0.05)
        handler.run_end_callbacks(None)
        return x @ W.mT + b

    made = dataclasses.replace(linear.find("torch_linear"), function=compiles_for_long)
    (cell, *_) = cells(
        next(prop for prop in every_property() if prop.name == "result_dtype"), [linear], dtypes=["float64"]
    )
    found = outcome(dataclasses.replace(cell, implementation=made), 12, 0, seconds=0.4)
    assert found.seconds["compiling"] > 0.5 and not found.is_short
