"""Fixtures of several files."""

import json
import os
import sys

import pytest

from harness.declare.backends import BACKENDS
from harness.declare.devices import device_named
from harness.generate.layouts import LAYOUTS
from harness.generate.patterns import PATTERNS
from harness.generate.precision import PRECISIONS
from harness.report.outputs import OUTPUTS

GH = """#!{python}
import json, pathlib, sys

file = pathlib.Path({state!r})
there = json.loads(file.read_text()) if file.exists() else []
words = sys.argv[1:]
given = dict(zip(words[2::1], words[3::1]))
if words[:2] == ["issue", "list"]:
    print(json.dumps(there))
elif words[:2] == ["issue", "create"]:
    there.append(dict(number=len(there) + 1, title=given["--title"], body=given["--body"], state="OPEN", comments=[]))
elif words[0] == "issue":
    (mine,) = [each for each in there if each["number"] == int(words[2])]
    mine["comments"].append(given.get("--body") or given.get("--comment"))
    mine["state"] = dict(close="CLOSED", reopen="OPEN").get(words[1], mine["state"])
file.write_text(json.dumps(there))
"""
"""A forge in a file."""


@pytest.fixture
def forge(tmp_path):
    """A folder with a command gh in it, and what that command remembers."""
    folder, state = tmp_path / "bin", tmp_path / "issues.json"
    folder.mkdir()
    command = folder / "gh"
    command.write_text(GH.format(python=sys.executable, state=str(state)))
    command.chmod(0o755)
    return {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}, lambda: json.loads(state.read_text())


@pytest.fixture
def standin():
    """The stand-in accelerator in this process, as long as the test lasts; called, it becomes another one."""
    from tests.standin.device import changed, present

    device_named.cache_clear()
    with present():
        yield lambda **form: (device_named.cache_clear(), changed(**form))
    device_named.cache_clear()


@pytest.fixture
def registries_put_back(monkeypatch):
    """What a test registers is gone after it."""
    for registry in (BACKENDS, PRECISIONS, PATTERNS, LAYOUTS, OUTPUTS):
        for table in ("_known", "_origins"):
            monkeypatch.setattr(registry, table, dict(vars(registry)[table]))
