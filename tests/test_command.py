"""The command line: what a user types, reads and pipes; exit codes; Ctrl-C and the budget."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
from time import monotonic, sleep

import pytest
from click.testing import CliRunner

from harness import __version__
from harness.command.main import main
from harness.declare.devices import devices_here
from harness.record.events import CellFinished
from harness.record.runlog import read
from tests.command_line import CANDIDATES, SECONDS, Answer, ask, surroundings

ONE_CELL = ("linear", "--dtype", "float32", "--device", "cpu", "--examples", "4", "-k", "result_dtype and torch_linear")


def refused(*arguments: str) -> tuple[int, str]:
    """The exit code and the sentence of a command that can't be run, in this process."""
    result = CliRunner().invoke(main, arguments)
    assert result.stdout == ""
    return result.exit_code, result.stderr


@pytest.fixture(scope="module")
def one_cell(tmp_path_factory) -> Answer:
    return ask(tmp_path_factory.mktemp("elsewhere"), "run", *ONE_CELL, "--json", PYTEST_ADDOPTS="--no-such-option")


def test_json_is_all_there_is_on_standard_output(one_cell):
    assert one_cell.code == 0, one_cell
    assert one_cell.err == ""
    assert one_cell.summary["exit_code"] == 0
    assert one_cell.summary["cells"] == {"exact": 1}
    assert one_cell.summary["causes"] == []


def test_log_and_report_lie_where_the_summary_says(one_cell):
    assert (one_cell.folder / one_cell.summary["log"]).is_file()
    assert (one_cell.folder / one_cell.summary["report"]).is_file()
    assert [cell.key for cell in one_cell.cells] == ["result_dtype[linear/torch_linear-cpu-float32]"]
    assert one_cell.finished.exit_code == 0


def test_a_run_leaves_nothing_but_reports(one_cell):
    assert [path.name for path in one_cell.folder.iterdir()] == ["reports"]


def test_plain_text_without_a_terminal(tmp_path):
    answer = ask(tmp_path, "run", *ONE_CELL, FORCE_COLOR="")
    assert answer.code == 0, answer
    assert "\x1b" not in answer.out + answer.err
    assert re.search(r"^report +reports/latest/index.html$", answer.out, re.MULTILINE)


def test_progress_in_a_terminal_without_colour(tmp_path):
    ours, theirs = pty.openpty()
    environment = surroundings(NO_COLOR="1", TERM="xterm", COLUMNS="120")
    command = [sys.executable, "-m", "harness", "run", *ONE_CELL]
    with subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=theirs, stderr=theirs) as running:
        os.close(theirs)
        shown = b""
        while True:
            try:
                read = os.read(ours, 65536)
            except OSError:  # the other end is closed
                break
            if not read:
                break
            shown += read
    os.close(ours)
    assert running.returncode == 0, shown
    assert b"starting workers" in shown
    assert b"linear/torch_linear" in shown or b"torch_linear" in shown
    assert not re.search(rb"\x1b\[[\d;]*3\d", shown), "a colour in spite of NO_COLOR"


def test_list_names_everything_in_both_forms(tmp_path):
    plain = CliRunner().invoke(main, ["list", "linear"])
    assert plain.exit_code == 0
    assert "torch_linear" in plain.stdout and "agreement" in plain.stdout
    (entry,) = json.loads(CliRunner().invoke(main, ["list", "linear", "--json"]).stdout)
    assert entry["operation"] == "linear"
    assert "torch_linear" in [made["name"] for made in entry["implementations"]]


@pytest.mark.parametrize("command", [[], ["list"], ["run"], ["check"]])
def test_help_has_examples(command):
    result = CliRunner().invoke(main, [*command, "--help"])
    assert result.exit_code == 0
    assert f"harness {' '.join(command)}".strip() in result.stdout.partition("Examples:")[2]


def test_version():
    assert CliRunner().invoke(main, ["--version"]).stdout == f"harness {__version__}\n"


@pytest.mark.parametrize(
    ("typed", "expected"),
    [("harness run lin", "linear"), ("harness run --dtype bf", "bfloat16"), ("harness list linea", "linear")],
)
def test_shell_completion(typed, expected):
    words = {"_HARNESS_COMPLETE": "bash_complete", "COMP_WORDS": typed, "COMP_CWORD": str(len(typed.split()) - 1)}
    result = CliRunner().invoke(main, env=words, prog_name="harness")
    assert f"plain,{expected}" in result.stdout.splitlines()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["run", "lineer"], "operation 'lineer' is unknown; did you mean linear"),
        (["list", "lineer"], "operation 'lineer' is unknown; did you mean linear"),
        (["run", "!"], "operation '!' is unknown; see `harness list`"),
        (
            ["run", "linear", "--dtype", "float33"],
            "dtype 'float33' is unknown; did you mean float32? There are float64, float32",
        ),
        (["run", "linear", "--device", "tpu"], "device 'tpu' is not here; this machine has cpu"),
        (["run", "linear", "--reports", "/dev/null/reports"], "/dev/null/reports can't be written to: Not a directory"),
        (["run", "linear", "--budget", "5 parsecs"], "'5 parsecs' is no duration; write 90s, 5m or 1h"),
        (["run", "linear", "--jobs", "0"], "0 is not in the range"),
        (["run", "linear", "--seed", "x"], "'x' is not a valid integer"),
        (["rum", "linear"], "No such command 'rum'"),
    ],
)
def test_usage_is_refused_in_a_sentence(arguments, sentence):
    code, told = refused(*arguments)
    assert code == 2
    assert sentence in told


@pytest.mark.skipif("cuda" in devices_here(), reason="the device is here")
def test_a_device_that_is_not_there():
    assert refused("run", "linear", "--device", "cuda") == (
        2,
        "harness: device 'cuda' is not here; this machine has cpu\n",
    )


def test_a_refusal_is_json_where_json_is_asked_for():
    result = CliRunner().invoke(main, ["run", "lineer", "--json"])
    assert result.exit_code == json.loads(result.stdout)["exit_code"] == 2
    assert "did you mean linear" in json.loads(result.stdout)["error"]


def test_a_fault_of_our_own_is_a_sentence_too(monkeypatch):
    def breaks() -> None:
        raise KeyError("lost")

    monkeypatch.setattr("harness.command.listing.catalogue", breaks)
    code, told = refused("list")
    assert code == 3
    assert told.startswith("harness: a fault of the harness itself: KeyError: 'lost' (test_command.py, line ")


def test_a_selection_of_nothing_is_no_success(tmp_path):
    answer = ask(tmp_path, "run", "linear", "--dtype", "float32", "-k", "nonsense", "--json")
    assert answer.code == answer.summary["exit_code"] == answer.finished.exit_code == 3
    assert "no cell matches -k 'nonsense'" in answer.summary["error"]
    assert answer.summary["error"] in answer.err


def test_an_expression_that_is_none(tmp_path):
    answer = ask(tmp_path, "run", "linear", "--dtype", "float32", "-k", "((")
    assert answer.code == 2
    assert answer.err.startswith("harness: -k takes words")


def test_a_dtype_that_nothing_takes(tmp_path):
    answer = ask(tmp_path, "check", str(CANDIDATES / "float32_alone.py"), "--dtype", "float16")
    assert answer.code == 3
    assert "nothing was asked: no implementation takes float16" in answer.err


def test_the_budget_ends_a_run_that_nothing_else_would_end(tmp_path):
    hanging = ("check", str(CANDIDATES / "deadly.py"), "-k", "result_dtype and hangs", "--dtype", "float32")
    answer = ask(tmp_path, *hanging, "--budget", "1s", "--limit", "1h")
    assert answer.code == 3 and "nothing was asked: the time budget of 1 s was spent" in answer.err


@pytest.mark.parametrize(
    ("name", "code", "told"),
    [
        ("SIGINT", 130, "interrupted"),
        ("SIGTERM", 143, "interrupted"),
        ("SIGALRM", 0, "the time budget of 3600 s was spent"),
    ],
)
def test_an_interrupted_run_keeps_its_log_and_writes_its_report(tmp_path, name, code, told):
    """SIGALRM is what the end of the budget sends."""
    command = ["check", str(CANDIDATES / "deadly.py"), "-k", "result_dtype and (sound or hangs)", "--dtype", "float32"]
    command += ["--budget", "1h", "--limit", "1h"]
    with subprocess.Popen(
        [sys.executable, "-m", "harness", *command],
        cwd=tmp_path,
        env=surroundings(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as running:
        _wait_for_a_cell(tmp_path)
        (os.killpg if name == "SIGINT" else os.kill)(running.pid, signal.Signals[name])
        out, err = running.communicate(timeout=SECONDS)
    answer = Answer(running.returncode, out, err, tmp_path)
    assert answer.code == answer.finished.exit_code == code, answer
    assert "after 1 of 2 cells, while it asked result_dtype[linear/hangs-cpu-float32]" in answer.finished.stopped
    assert [cell.implementation for cell in answer.cells] == ["sound"]
    assert (tmp_path / "reports" / "latest" / "index.html").is_file()
    assert "Traceback" not in out + err
    assert told in " ".join(out.split())


def _wait_for_a_cell(folder) -> None:
    deadline = monotonic() + SECONDS
    while monotonic() < deadline:
        logs = (read(log).events for log in folder.glob("reports/runs/*") if log.stat().st_size)
        if any(isinstance(event, CellFinished) for events in logs for event in events):
            return
        sleep(0.1)
    raise AssertionError(f"no cell was finished in {SECONDS} s")
