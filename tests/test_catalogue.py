"""The catalogue: whoever computes an operation here answers a few cases, and agrees with its definition, or is known not to."""

import pytest

import harness
from harness.execute.outcome import outcome
from harness.measure.verdict import Verdict
from harness.verify.cell import cells
from tests.verdicts import PROPERTIES


@pytest.mark.parametrize("operation", harness.catalogue().values(), ids=lambda each: each.name)
def test_everybody_agrees_or_is_known_not_to(operation):
    for cell in cells(PROPERTIES["agreement"], [operation], devices=["cpu"], dtypes=["float32"]):
        found = outcome(cell, 3, 0)
        assert found.known or not Verdict(found.verdict).failing, (found.key, found.reason)
