"""Hostile and broken inputs: every row of the table is answered as it says, and nothing else happens."""

from __future__ import annotations

import pytest

from harness.explain.visible import visible
from tests.hostile.judging import CODE, COST, LEFT, TOUCHED, TRACEBACK, UNSEEN, WORDS, judged
from tests.hostile.row import Row, file
from tests.hostile.table import TABLE


@pytest.mark.parametrize("row", TABLE, ids=lambda row: ascii(row.name))
def test_a_hostile_input(row):
    found = judged(row)
    assert not found.complaints, visible(str(found), 4_000, lines=True)


@pytest.mark.parametrize(
    ("source", "kinds"),
    [
        ("print('well')", set()),
        ("import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', 'pass'])\nprint('well')", set()),
        ("print('well')\nopen('reports/page.html', 'w').write('new')\nopen('written/x', 'w')", set()),
        ("print('ill')", {WORDS}),
        ("print('well')\nexit(3)", {CODE}),
        ("print('well')\nraise ValueError", {TRACEBACK, CODE}),
        ("print('well\\x1b[31m')", {UNSEEN}),
        ("print('well \\u202e')", {UNSEEN}),
        ("print('well')\nopen('reports/page.html', 'w').write('\\x07')", {UNSEEN}),
        ("print('well')\nopen('../outside/new', 'w')", {TOUCHED}),
        ("print('well')\nopen('../outside/keep.txt', 'a').write('x')", {TOUCHED}),
        ("import os\nprint('well')\nos.remove('reports/runs/20261101-000000-abcdef.jsonl.gz')", {TOUCHED}),
        ("import tempfile\nprint('well')\ntempfile.mkdtemp(prefix='harness-')", {LEFT}),
        (
            "import subprocess, sys\nprint('well')\n"
            "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])",
            {LEFT},
        ),
        ("print('well')\nb'x' * 600_000_000", {COST}),
    ],
)
def test_what_is_demanded_of_every_row_is_seen(source, kinds):
    row = Row("a command", (), (0,), "well", file("misbehaving.py", source.encode()), module="misbehaving")
    assert {kind for kind, _ in judged(row).complaints} == kinds
