"""An accelerator in the harness, on the stand-in: in a process of its own, and in those of a command."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.measure.verdict import Verdict
from harness.record.events import CellFinished
from harness.record.runlog import read
from tests.command_line import surroundings
from tests.standin import installed

HERE = "standin"
FILE = Path(__file__).with_name("standin") / "operations.py"


def test_what_is_asked_on_it_in_one_process(tmp_path):
    """In a fresh one: PyTorch counts the devices at the first backward pass of a process, which others' tests make here."""
    words = ("-m", "pytest", "-q", "-p", "no:cacheprovider", str(FILE.with_name("in_process.py")))
    asked = subprocess.run([sys.executable, *words], env=surroundings(), capture_output=True, text=True, check=False)
    assert asked.returncode == 0, asked.stdout[-5000:]
    assert " passed" in asked.stdout and "skipped" not in asked.stdout


# in processes of their own


def command(folder, *words, **form):
    """The answer of a command in a process that has the device."""
    variables = {**os.environ, "OMP_NUM_THREADS": "1", **installed(folder, **form)}
    return subprocess.run(
        [sys.executable, *words], cwd=folder, env=variables, capture_output=True, text=True, check=False
    ).stdout


def test_what_loses_the_device_costs_its_cell_its_verdict_and_no_other(tmp_path):
    """An illegal access, seen where the device is waited for: it is told, shown by its script, and replayed where it is mended."""
    form = {"asynchronous": True, "float64": False, "fault": "illegal access in running sums"}
    (tmp_path / "mine.py").write_text(FILE.read_text())
    words = ("check", "mine.py", "--device", HERE, "--dtype", "float32", "--profile", "quick", "--jobs", "1", "--json")
    told = json.loads(
        command(tmp_path, "-m", "harness", *words, "-k", "(running or centred) and (agreement or result_dtype)", **form)
    )
    assert told["exit_code"] == 1 and any("standin has no float64" in note for note in told["notes"])
    assert {(each["operation"], each["verdict"]) for each in told["causes"]} == {("running", "error")}
    lost = "it lost standin: standin error: an illegal memory access was encountered"
    assert all(lost in each["sentence"] for each in told["causes"])
    shown = failing(tmp_path)
    assert shown and {each.operation for each in shown} == {"running"}
    (tmp_path / "shown.py").write_text(shown[0].counterexample.script)
    assert "exit status 1" in command(tmp_path, "shown.py", **form)
    told = command(tmp_path, "-m", "harness", "replay")
    assert f": 0 still fail, {len(shown)} fixed." in told


def failing(folder):
    """The cells of the one run in a folder that failed."""
    (log,) = (folder / "reports" / "runs").glob("*.jsonl.gz")
    return [each for each in read(log).events if isinstance(each, CellFinished) and Verdict(each.verdict).failing]


TIMED = """
import harness
from jaxtyping import Float
from torch import Tensor


@harness.operation(sizes={"batch": (1, 9), "d": (1, 65)})
def squares(x: Float[Tensor, "batch d"]) -> Float[Tensor, "batch"]:
    'The sum of the squares of a row, as a product.'
    return (x[:, None] @ x[:, :, None])[:, 0, 0]


@squares.workload(sizes={"batch": 8, "d": 64})
def squares_cost(batch, d):
    return 2 * batch * d
"""


@pytest.mark.parametrize(("fault", "verdict"), [("", "timed"), ("products in half precision", "wrong")])
def test_a_bench_times_on_it_what_is_right_there(tmp_path, fault, verdict):
    """The definition at one point, in one process: what several say of each other is no matter of the device."""
    (tmp_path / "mine.py").write_text(TIMED)
    words = (
        "bench",
        "mine.py",
        "--device",
        HERE,
        "--processes",
        "1",
        "--limit",
        "10m",
        "--json",
    )
    (told,) = json.loads(command(tmp_path, "-m", "harness", *words, fault=fault))["timings"]
    assert told["device"] == HERE and (told["verdict"] == "wrong") is (verdict == "wrong"), told["reason"]
    assert (told["seconds"] is None) is (verdict == "wrong")
    assert (told["memory"] or 0) > 0 or verdict == "wrong"
