"""Refusals of what can't be read and of what is too much, each in a sentence and before anything is started."""

from __future__ import annotations

import os
import socket

import pytest
from _pytest.mark.expression import Expression
from click.testing import CliRunner

from harness.command.main import main
from harness.command.options import Duration
from harness.errors import HarnessError
from harness.execute.selection import check_keyword
from harness.readable import unreadable
from tests.command_line import CANDIDATES, ask

LONGEST = "87600h"
LONG_NAME = "a" * 300 + ".py"


def refused(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, arguments)
    assert "Traceback" not in result.output
    return result.exit_code, result.output


@pytest.fixture
def odd(tmp_path, monkeypatch):
    """A folder, in which the test runs, of what has names but is no file to read."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.py").mkdir()
    os.mkfifo("pipe.py")
    os.symlink("itself.py", "itself.py")
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind("socket.py")
        yield tmp_path


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("folder.py", "folder.py can't be read: it is a folder"),
        ("pipe.py", "pipe.py can't be read: it is a pipe, a socket or a device"),
        ("socket.py", "socket.py can't be read: it is a pipe, a socket or a device"),
        ("itself.py", "itself.py can't be read: too many levels of symbolic links"),
        (LONG_NAME, None),
    ],
)
@pytest.mark.parametrize(
    ("command", "otherwise"),
    [
        (["check"], "is not there"),
        (["bench"], "is not there"),
        (["run", "linear", "--first"], "can't be read: file name too long"),
        (["replay"], "no run, file or counterexample is called"),
        (["replay", "--candidates"], "is not there"),
    ],
)
def test_what_is_no_file_to_read(odd, command, otherwise, name, reason):
    code, told = refused(*command, name)
    assert code == 2
    assert (reason or otherwise) in told
    assert len(told) < 500
    assert told.startswith("harness: ") and told.count("\n") == 1


def test_a_regular_file_can_be_read(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text("")
    link = tmp_path / "link.py"
    link.symlink_to(file)
    assert unreadable(file) == unreadable(link) == ""
    assert unreadable(tmp_path / "null\0byte") == "embedded null byte"


@pytest.mark.parametrize(
    "option", ["--budget=99999999999999999999h", "--limit=99999999999h", "--cell-time=87601h", f"--limit={'9' * 400}"]
)
def test_a_time_that_no_timer_waits_for(option):
    code, told = refused("run", "linear", option)
    assert code == 2
    assert "is longer than 3650 days; write a shorter time" in told
    assert len(told) < 500


@pytest.mark.parametrize("command", [["bench", "--patience"], ["bench", "--budget"], ["issues", "--expect-within"]])
def test_times_of_other_commands(command):
    assert "is longer than 3650 days" in refused(*command, "99999999999h")[1]


def test_the_longest_time_is_accepted():
    assert Duration().convert(LONGEST, None, None) == 3650 * 86400


def test_the_longest_time_and_the_largest_numbers_work(tmp_path):
    answer = ask(
        tmp_path,
        *("check", str(CANDIDATES / "float32_alone.py"), "-k", "result_dtype", "--seed", str(2**63 - 1)),
        *("--limit", LONGEST, "--budget", LONGEST, "--jobs", "1024", "--examples", "8", "--cell-time", LONGEST),
    )
    assert answer.code == 0, answer


def test_a_plan_that_is_never_asked_to_its_end(tmp_path):
    answer = ask(
        tmp_path,
        *("check", str(CANDIDATES / "float32_alone.py"), "-k", "result_dtype", "--examples", str(10**9)),
        *("--cell-time", "1s"),
    )
    (cell,) = answer.cells
    assert answer.code == 0
    assert cell.planned == 10**9 > cell.met > 1


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--jobs", "100000"], "100000 is not in the range"),
        (["--threads", "100000"], "100000 is not in the range"),
        (["--seed", str(2**63)], "is not in the range"),
        (["--seed", "-1"], "is not in the range"),
        (["--examples", str(10**30)], "is not in the range"),
        (["--dtype", ""], "dtype '' is unknown; write one of float64"),
        (["--device", ""], "device '' is not here; this machine has cpu"),
        (["--backend", ""], "backend '' is unknown; write one of torch"),
        (["-k", "("], "-k takes words, `and`, `or`, `not` and parentheses"),
        (["-k", "not " * 3000 + "layouts"], "-k is nested too deeply to be read"),
        (["-k", "(" * 3000 + "layouts" + ")" * 3000], "-k is nested too deeply to be read"),
    ],
)
def test_numbers_and_words(arguments, sentence):
    code, told = refused("run", "linear", *arguments)
    assert code == 2
    assert sentence in told


@pytest.mark.parametrize("expression", ["", "layouts", "not layouts and (float16 or not (not gru))", "a[b-c]"])
def test_an_expression_that_can_be_read(expression):
    check_keyword(expression)


def test_an_expression_that_workers_could_not_read_is_refused_as_well():
    """Their stacks are deeper than this one."""
    deepest = next(n for n in range(2000, 0, -20) if _is_read("not " * n + "x"))
    with pytest.raises(HarnessError, match="nested too deeply"):
        check_keyword("not " * deepest + "x")


def _is_read(expression: str) -> bool:
    try:
        Expression.compile(expression)
    except RecursionError:
        return False
    return True
