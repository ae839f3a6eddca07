"""Support: who computes an operation on a device, in a precision."""

from dataclasses import replace

from harness.declare.backends import BACKENDS
from harness.generate.precision import PRECISIONS
from harness.operations.linear import linear
from harness.verify.support import computing


def names(*arguments):
    return [each.name for each in computing(linear, *arguments)]


def test_the_definition_computes_in_every_precision_and_others_in_theirs(monkeypatch):
    monkeypatch.setitem(linear.implementations, "einsum", replace(linear.implementations["einsum"], dtypes=()))
    assert "definition" in names("cpu", "float64") and "definition" in names("cpu", "float32")
    assert "torch_linear" in names("cpu", "float64") and "einsum" not in names("cpu", "float64")


def test_who_is_not_there_or_not_on_the_device_computes_nothing(monkeypatch):
    absent = replace(BACKENDS["torch"], packages=("no_such_package",))
    elsewhere = replace(BACKENDS["torch"], devices=("cuda",))
    ways = linear.implementations
    monkeypatch.setitem(ways, "einsum", replace(ways["einsum"], backend=absent))
    monkeypatch.setitem(ways, "broadcast_sum", replace(ways["broadcast_sum"], backend=elsewhere))
    assert not {"einsum", "broadcast_sum"} & set(names("cpu", "float32"))
    assert "torch_linear" in names("cpu", "float32")


def test_nobody_computes_in_a_grade_that_the_device_lacks(monkeypatch):
    assert names("cpu", "tf32") == []
    monkeypatch.setitem(vars(PRECISIONS)["_known"], "tf32", replace(PRECISIONS["tf32"], device=""))
    assert {"definition", "torch_linear"} <= set(names("cpu", "tf32"))


def test_a_backend_that_is_named_is_the_only_one():
    assert names("cpu", "float32", ["torch.compile"]) and all(
        each.endswith(".compiled") for each in names("cpu", "float32", ["torch.compile"])
    )
