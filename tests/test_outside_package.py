"""A package of somebody else's: its operation, its tests with the pytest plugin, its entry point."""

import json
import os
import subprocess
import sys
import textwrap
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

import pytest

import harness
from harness.record.events import CellFinished
from harness.record.runlog import decode, read
from tests.forkserver import HEAVY, SECONDS, server

ROOT = Path(harness.__file__).parents[1]

OPERATION = '''
"""Softmax along rows."""

from typing import Annotated

import harness
import torch
from jaxtyping import Float
from scipy.special import softmax
from torch import Tensor


def scores(stream):
    """A bell, as of logits: where a row is all but one-hot, its gradient is what is left of ones that cancel."""
    return stream.normal()


@harness.operation(sizes={"d": (1, 65)})
def softmax_rows(x: Annotated[Float[Tensor, "batch d"], scores]) -> Float[Tensor, "batch d"]:
    """The exponentials of a row over their sum."""
    return torch.softmax(x, 1)


@softmax_rows.implementation(backend="torch")
def shifted(x):
    powers = (x - x.amax(1, keepdim=True)).exp()
    return powers / powers.sum(1, keepdim=True)


@softmax_rows.implementation(backend="scipy")
def from_scipy(x):
    return softmax(x, axis=1)
'''

FAULT = """

@softmax_rows.implementation(backend="torch")
def over_the_batch(x):
    return torch.softmax(x, 0)
"""

DIES = """

@softmax_rows.implementation(backend="torch")
def dies(x):
    import os, signal
    os.kill(os.getpid(), signal.SIGSEGV)
"""

NOTES = """

@softmax_rows.implementation(backend="torch")
def notes_its_process(x):
    import os, pathlib
    pathlib.Path("process").write_text(str(os.getpid()))
    return torch.softmax(x, 1)
"""

TRACES = "import sys\nsys.settrace(lambda *event: None)\n"
"""What a debugger does, in a conftest."""

TESTS = '''
import harness
from rowwise import softmax_rows


@harness.property(of=softmax_rows)
def rows_sum_to_one(implementation, case):
    """Every row of the result sums to one."""
    (result,) = implementation(case)
    yield harness.close("sums of rows", result.sum(1), 1.0, case)


test_softmax = harness.verify(softmax_rows)


def test_of_another_kind():
    assert softmax_rows.implementations
'''

ENTRY_POINT = {
    "METADATA": "Metadata-Version: 2.1\nName: rowwise\nVersion: 1.0\n",
    "entry_points.txt": "[harness.operations]\nrowwise = rowwise\n",
}


def lay(folder, operation=OPERATION):
    """The package as it lies in site-packages, with its tests beside it."""
    folder.mkdir(exist_ok=True)
    (folder / "rowwise.py").write_text(operation)
    (folder / "test_rowwise.py").write_text(TESTS)
    (folder / "pytest.ini").write_text(
        "[pytest]\naddopts = --strict-markers\nfilterwarnings = error::pytest.PytestWarning\n"
    )
    return folder


def install(folder, **files):
    """What pip leaves of it: the metadata with the entry point."""
    metadata = folder / "rowwise-1.0.dist-info"
    metadata.mkdir()
    for name, text in {**ENTRY_POINT, **files}.items():
        (metadata / name).write_text(text)
    return folder


def python(folder, *arguments):
    """`python ARGUMENTS` in the package's folder, with this checkout's harness."""
    return subprocess.run(
        [sys.executable, *arguments],
        check=False,
        cwd=folder,
        env=settings(folder),
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )


def settings(folder):
    """The environment of a user's process."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    path = os.pathsep.join([str(folder), str(ROOT)])
    return {**inherited, "PYTHONPATH": path, "OMP_NUM_THREADS": "1", "COLUMNS": "200", "NO_COLOR": "1"}


def forked(folder, *arguments):
    """The same, sooner: forked from a process that has imported torch, and nothing of ours."""
    return server(*HEAVY).run(arguments, folder, settings(folder), 300)


def ask(folder, *arguments):
    """pytest with the plugin, few cases each."""
    return forked(folder, "-m", "pytest", "-p", "harness.execute.plugin", "--harness-examples=12", *arguments)


def cases_of(junit):
    return {case.get("name"): case for case in ElementTree.parse(junit).iter("testcase")}


def of_cells(events):
    events = list(events)
    assert events and all(isinstance(event, CellFinished) for event in events)
    return {event.key: event for event in events}


@pytest.fixture(scope="module")
def right(tmp_path_factory):
    return lay(tmp_path_factory.mktemp("right"))


@pytest.fixture(scope="module")
def faulty(tmp_path_factory):
    return lay(tmp_path_factory.mktemp("faulty"), OPERATION + FAULT)


def test_every_property_of_every_implementation_is_an_item(right):
    done = ask(right, "--collect-only", "-q", "--harness-dtype=float64", "--harness-device=cpu")
    assert done.returncode == 0, done.stdout + done.stderr
    items = [line.partition("::")[2] for line in done.stdout.splitlines() if line.startswith("test_rowwise.py::")]
    assert items.count("test_of_another_kind") == 1
    asked = {item.partition("[")[0] for item in items if "[" in item}
    assert {"rows_sum_to_one", "agreement", "gradients", "batch_invariance", "batch_of_zero", "layouts"} <= asked
    assert not asked & {"superposition", "no_look_ahead", "pooling_commutes", "compiled"}
    of_torch = {"forward_mode", "double_backward", "vmap"}  # by which nothing else is transformed
    assert of_torch <= asked
    for prop in asked:
        assert f"{prop}[softmax_rows/shifted-cpu-float64]" in items
        assert (f"{prop}[softmax_rows/from_scipy-cpu-float64]" in items) == (prop not in of_torch)
    assert len(items) == len(set(items))
    assert all("float64" in item for item in items if "[" in item)


def test_a_right_package_passes_with_two_workers_and_leaves_a_log(right):
    done = ask(right, "-n", "2", "-q", "--harness-log=run.jsonl", "--junitxml=junit.xml", "--harness-device=cpu")
    assert done.returncode == 0, done.stdout + done.stderr
    cells = of_cells(read(right / "run.jsonl").events)
    assert Counter(cell.verdict for cell in cells.values()).keys() <= {
        "exact",
        "rounding",
        "inconclusive",
        "unsupported",
    }
    assert cells["rows_sum_to_one[softmax_rows/shifted-cpu-bfloat16]"].verdict in ("exact", "rounding")
    assert cells["agreement[softmax_rows/from_scipy-cpu-float64]"].comparisons >= 12
    reported = cases_of(right / "junit.xml")
    assert reported.keys() - {"test_of_another_kind"} == cells.keys()
    assert not [case for case in reported.values() if case.find("failure") is not None]
    skipped = {name for name, case in reported.items() if case.find("skipped") is not None}
    assert skipped == {key for key, cell in cells.items() if cell.verdict == "unsupported"}
    kept = {
        each.get("name"): each.get("value")
        for each in reported["layouts[softmax_rows/shifted-cpu-float32]"].iter("property")
    }
    assert decode(kept["harness-event"]) == cells["layouts[softmax_rows/shifted-cpu-float32]"]


def test_a_wrong_implementation_fails_with_a_message_that_can_be_acted_on(faulty):
    chosen = ["-k", "agreement or rows_sum_to_one", "--harness-dtype=float32", "--harness-device=cpu"]
    done = ask(faulty, *chosen, "--harness-log=logs/run.jsonl", "--junitxml=junit.xml")
    assert done.returncode == 1, done.stdout + done.stderr
    cells = of_cells(read(faulty / "logs" / "run.jsonl").events)
    assert {cell.dtype for cell in cells.values()} == {"float32"}
    assert {cell.prop for cell in cells.values()} == {"agreement", "rows_sum_to_one"}
    wrong = {key for key, cell in cells.items() if cell.verdict == "wrong"}
    assert wrong == {f"{prop}[softmax_rows/over_the_batch-cpu-float32]" for prop in ("agreement", "rows_sum_to_one")}

    reported = cases_of(faulty / "junit.xml")
    assert {name for name, case in reported.items() if case.find("failure") is not None} == wrong
    shown = reported["agreement[softmax_rows/over_the_batch-cpu-float32]"].find("failure").text
    for told in (
        "softmax_rows/over_the_batch is wrong (cpu, float32)",
        "the error does not shrink with higher precision",
        "case: batch=1, d=2",
        "expected: ",
        "actual: ",
        "x = torch.tensor(",
    ):
        assert told in shown and told in done.stdout
    assert "Traceback" not in done.stdout and "site-packages" not in shown

    found = cells["agreement[softmax_rows/over_the_batch-cpu-float32]"]
    assert found.place == "rowwise.py: over_the_batch"
    assert found.counterexample.case["sizes"] == {"batch": 1, "d": 2}


@pytest.mark.parametrize("workers", [(), ("-n", "2")])
def test_what_ends_its_process_costs_itself_a_verdict(tmp_path, workers):
    folder = lay(tmp_path / "dying", OPERATION + DIES)
    chosen = ["-k", "agreement or rows_sum_to_one", "--harness-dtype=float32", "--harness-device=cpu"]
    done = ask(folder, *chosen, *workers, "--harness-log=run.jsonl")
    assert done.returncode == 1 and "INTERNALERROR" not in done.stdout, done.stdout + done.stderr
    cells = of_cells(read(folder / "run.jsonl").events)
    assert len(cells) == 8
    for key, found in cells.items():
        if "/dies-" in key:
            assert found.verdict == "error" and found.reason.startswith(
                "rowwise.py: dies: crashed the interpreter: Segmentation fault at rowwise.py"
            )
        else:
            assert found.verdict in ("exact", "rounding")
    assert "softmax_rows/dies is error (cpu, float32)" in done.stdout
    assert "case: batch=" in done.stdout and "expected:" not in done.stdout


@pytest.mark.parametrize(("conftest", "words", "apart"), [("", (), True), (TRACES, (), False), ("", ("--pdb",), False)])
def test_a_cell_is_asked_in_a_process_of_its_own_but_under_a_debugger(tmp_path, conftest, words, apart):
    folder = lay(tmp_path / "noting", OPERATION + NOTES)
    (folder / "conftest.py").write_text(
        f"{conftest}\nimport os, pathlib\ndef pytest_unconfigure():\n    pathlib.Path('session').write_text(str(os.getpid()))\n"
    )
    done = ask(folder, "-k", "agreement and notes_its_process", "--harness-dtype=float32", *words)
    assert done.returncode == 0, done.stdout + done.stderr
    assert ((folder / "process").read_text() != (folder / "session").read_text()) == apart


def test_a_session_that_collects_otherwise_in_its_worker_is_told_so(tmp_path):
    folder = lay(tmp_path / "changing")
    (folder / "conftest.py").write_text(
        "import pathlib, pytest\n"
        "if pathlib.Path('once').exists():\n    pytest.exit('only once')\n"
        "pathlib.Path('once').touch()\n"
    )
    done = ask(folder, "-k", "agreement and shifted", "--harness-dtype=float32")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "in a worker, though it could here" in done.stdout and "Traceback" not in done.stdout


def test_an_unknown_dtype_or_device_is_a_usage_error(right):
    for option, told in (
        ("--harness-dtype=float31", "dtype 'float31' is unknown"),
        ("--harness-device=abacus", "device 'abacus' is not here"),
        ("--harness-examples=0", "at least one case"),
    ):
        done = ask(right, option)
        assert done.returncode == 4, done.stdout + done.stderr
        assert told in done.stderr and "INTERNALERROR" not in done.stdout + done.stderr


def test_an_installed_package_adds_its_operation_through_its_entry_point(tmp_path):
    site = install(lay(tmp_path / "site"))
    listed = forked(site, "-m", "harness", "list", "softmax_rows", "--json")
    assert listed.returncode == 0, listed.stderr
    (entry,) = json.loads(listed.stdout)
    assert [made["name"] for made in entry["implementations"]] == ["shifted", "from_scipy"]
    assert {"agreement", "batch_invariance", "gradients"} <= set(entry["properties"])
    assert "softmax_rows" in forked(site, "-m", "harness", "list").stdout


def test_an_installed_operation_is_verified_by_the_command(tmp_path):
    site = install(lay(tmp_path / "site", OPERATION + FAULT))
    done = python(
        site,
        *("-m", "harness", "run", "softmax_rows", "-k", "agreement", "--dtype", "float64", "--device", "cpu"),
        *("--examples", "12", "--jobs", "1", "--json", "--reports", "reports"),
    )
    assert done.returncode == 1, done.stderr
    summary = json.loads(done.stdout)
    assert [cause["implementation"] for cause in summary["causes"]] == ["over_the_batch"]


def test_an_installed_property_is_asked_by_the_command(tmp_path):
    both = ENTRY_POINT["entry_points.txt"] + "[harness.properties]\nrowwise = test_rowwise\n"
    site = install(lay(tmp_path / "site", OPERATION + FAULT), **{"entry_points.txt": both})
    done = python(
        site,
        *("-m", "harness", "run", "softmax_rows", "-k", "rows_sum_to_one", "--dtype", "float64", "--device", "cpu"),
        *("--examples", "12", "--jobs", "1", "--json", "--reports", "reports"),
    )
    assert done.returncode == 1, done.stderr
    (cause,) = json.loads(done.stdout)["causes"]
    assert cause["implementation"] == "over_the_batch" and all("rows_sum_to_one" in key for key in cause["cells"])


def test_an_entry_point_that_cannot_be_loaded_is_named(tmp_path):
    site = install(lay(tmp_path / "site"), **{"entry_points.txt": "[harness.operations]\nrowwise = columnwise\n"})
    done = forked(site, "-m", "harness", "list")
    assert done.returncode == 2, done.stderr
    assert "entry point rowwise = columnwise of group harness.operations can't be loaded" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_users_own_conftest_and_plain_tests_are_left_alone(tmp_path):
    (tmp_path / "test_plain.py").write_text(
        textwrap.dedent(
            """
            from hypothesis import given, strategies

            @given(strategies.integers())
            def test_integers(number):
                assert number + 0 == number
            """
        )
    )
    done = ask(tmp_path, "-q")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout
