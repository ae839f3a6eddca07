"""Hostile and broken inputs: every row of the table is answered as it says, and nothing else happens."""

from __future__ import annotations

import pytest

from tests.hostile.judging import judged
from tests.hostile.table import TABLE


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)
def test_a_hostile_input(row):
    found = judged(row)
    assert not found.complaints, str(found)
