"""Exhibits: code that people posted, each with the verdict that the harness must give it."""

import re
from pathlib import Path

import pytest

from harness.candidates import candidates
from harness.catalogue import catalogue
from harness.generate.plan import plan
from harness.measure.verdict import Verdict
from harness.verify.cell import cells
from harness.verify.exploration import explore
from harness.verify.suite import every_property

EXHIBITS = sorted(Path(__file__).with_name("quality").joinpath("exhibits").glob("*.py"))
EXAMPLES, SECONDS = 16, 1.0


def stated(path, field):
    """The word in the docstring's line `Field: word`, empty where there is none."""
    docstring = path.read_text(encoding="utf-8").split('"""')[1]
    found = re.search(rf"^{field}: *`?(\w+)", docstring, re.MULTILINE)
    return found[1] if found else ""


@pytest.fixture
def leaving_no_trace():
    """Take away again what a file adds to the catalogue, so that no other test meets it."""
    before = {operation: dict(operation.implementations) for operation in catalogue().values()}
    yield
    for operation, implementations in before.items():
        operation.implementations.clear()
        operation.implementations.update(implementations)


def found_in(path):
    """The worst verdict of each property about a file's candidates, in float64 and float32."""
    brought, worst = candidates(path), {}
    for prop in every_property():
        if prop.nightly:
            continue
        for cell in cells(prop, brought.operations, brought.implementations, ["cpu"], ["float64", "float32"]):
            if cell.unsupported is None:
                verdict = explore(cell, plan(cell.operation, EXAMPLES, 0), SECONDS).verdict
                worst[prop.name] = max(verdict, worst.get(prop.name, verdict), key=lambda each: each.severity)
    return worst


def test_there_are_exhibits():
    assert EXHIBITS


@pytest.mark.parametrize("path", EXHIBITS, ids=lambda path: path.stem)
def test_an_exhibit_comes_out_as_it_says(path, leaving_no_trace):
    verdict, named = stated(path, "Verdict"), stated(path, "Property")
    found = found_in(path)
    assert max(found.values(), key=lambda each: each.severity) is Verdict(verdict), found
    if named:
        fallen = [name for name, each in found.items() if each.failing]
        assert named in fallen, found
