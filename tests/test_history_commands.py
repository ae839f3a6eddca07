"""history, compare and report at the command line, as somebody meets them who has never used them."""

from __future__ import annotations

import gzip
import json
import shutil
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner

from harness.command.main import main
from harness.declare.devices import devices_here
from harness.record.events import RunStarted, Scope
from harness.record.runlog import encode
from tests.command_line import ask
from tests.test_history import HERE, WRONG, cell, commit, run

ELSEWHERE = {**HERE, "cpu": "another", "candidates revision": "bbbbbbb", "revision": "ccccccc"}


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder to work in; its reports are where commands look for them."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    return tmp_path


def harness(*words: str):
    """A command in this process: exit code, standard output and error. None may end in a traceback."""
    done = CliRunner().invoke(main, words)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done


def told(*words: str) -> dict:
    """A command's JSON, which is all of standard output, with the exit code in it."""
    done = harness(*words, "--json")
    found = json.loads(done.stdout)
    assert found["exit_code"] == done.exit_code
    return found


def damage(log) -> None:
    """Spoil a packed log behind its middle."""
    content = bytearray(log.read_bytes())
    content[len(content) * 9 // 10] ^= 0xFF
    log.write_bytes(bytes(content))


# what changed


def test_three_commits_are_listed_and_the_others_counted(here):
    first, *_, last = [commit(here, f"step {number}") for number in range(21)]
    run(here / "reports", 1, cell(), environment={**HERE, "revision": first})
    run(here / "reports", 2, cell(**WRONG), environment={**HERE, "revision": last})
    lines = [" ".join(line.split()[-4:]) for line in harness("compare", "20261101").stdout.splitlines()]
    listed = [line for line in lines if "step" in line]
    assert [line.partition(" step ")[2] for line in listed] == ["20", "19", "18"]
    assert any(line.endswith("and 17 others") for line in lines)
    (new,) = told("compare", "20261101")["new"]
    assert len(new["revisions"]) == 20


def test_another_machine_is_named_and_no_commit_is(here):
    good, bad = (commit(here, subject) for subject in ("one", "two"))
    run(here / "reports", 1, cell(), cell("other", **WRONG), environment={**HERE, "revision": good})
    run(here / "reports", 2, cell(**WRONG), cell("other"), environment={**HERE, "cpu": "another", "revision": bad})
    done = harness("compare", "20261101")
    shown = " ".join(done.stdout.split())
    assert done.exit_code == 1, "something is falsified that was not"
    assert "on another machine (cpu a processor, now another): 1 not seen on this machine before" in shown
    assert "✗ not seen on this machine before linear/fused wrong" in shown
    assert "✓ seen only there linear/other wrong" in shown
    assert "two" not in shown and " new" not in shown
    found = told("compare", "20261101")
    assert not (found["new"] or found["fixed"]) and len(found["unseen"]) == len(found["elsewhere"]) == 1


# no runs, unknown names


@pytest.mark.parametrize("words", [["history"], ["history", "a[b/c-cpu-float32]"], ["report"], ["compare", "main"]])
def test_without_runs_the_way_to_one_is_told_and_nothing_is_written(here, words):
    done = harness(*words)
    assert done.exit_code == 3
    assert done.stderr == "harness: there is no run in reports; `harness run` makes one\n"
    assert not list(here.iterdir())
    assert told(*words)["error"] == "there is no run in reports; `harness run` makes one"


def test_an_unknown_run_or_branch_is_refused_with_the_nearest_name(here):
    name = run(here / "reports", 1, cell())
    run(here / "reports", 2, cell())
    for words in (["compare", "20261101-000000-abcdee"], ["report", "--baseline", "20261101-000000-abcdee"]):
        done = harness(*words)
        assert done.exit_code == 2
        assert f"no run, log or branch is called '20261101-000000-abcdee'; did you mean {name}" in done.stderr
    assert "`harness history` lists the runs" in harness("report", "no/such/branch").stderr
    assert "did you mean previous?" in harness("report", "--baseline", "previos").stderr
    assert "did you mean" not in harness("report", "previos").stderr  # where the word means nothing
    assert not list((here / "reports").glob("*/index.html"))


@pytest.mark.parametrize(
    ("asked", "hint"),
    [
        ("agreement[linear/fuse-cpu-float32]", "did you mean agreement[linear/fused-cpu-float32]?"),
        ("agreement[linaer/fused-cpu-float32]", "did you mean agreement[linear/fused-cpu-float32]"),
        ("agreement[linear/fused-cpu-float64]", "did you mean agreement[linear/fused-cpu-float32]?"),
        ("linear/fused", "did you mean agreement[linear/fused-cpu-float32]?"),
        ("fast", "a cell is named property[operation/implementation-device-dtype]"),
        ("\udcff", "a cell is named"),
    ],
)
def test_an_unknown_cell_is_refused_with_the_nearest_one(here, asked, hint):
    run(here / "reports", 1, cell(), cell("other"))
    done = harness("history", asked)
    assert done.exit_code == 2
    assert "no run asked the cell" in done.stderr
    assert hint in done.stderr


# what is not as it should be: killed, damaged, newer, from elsewhere


def test_a_killed_run_is_listed_and_has_a_report(here):
    run(here / "reports", 1, cell(), cell("other"))
    name = run(here / "reports", 2, cell(), finished=False)
    assert "its log has no end: it was killed, or still runs" in " ".join(harness("history").stdout.split())
    assert told("history")["runs"][0]["stopped"].startswith("its log has no end")
    done = harness("report")
    assert done.exit_code == 0
    assert "1 cell without the answer they had" in done.stdout
    page = (here / "reports" / name / "index.html").read_text()
    assert "the log ends after 1 cell" in page
    assert [each["reason"] for each in told("compare", "20261101")["lost"]] == ["the log ends before it"]


def test_a_damaged_log_is_told_every_time(here):
    run(here / "reports", 1, cell())
    damaged = run(here / "reports", 2, *(cell(f"way{n}") for n in range(30)))
    damage(here / "reports" / "runs" / f"{damaged}.jsonl.gz")
    for words in (["history"], ["history"], ["report"], ["compare", "20261101"], ["compare", "20261101", damaged]):
        done = harness(*words)
        assert done.exit_code == 0, (words, done.stderr)
        assert f"{damaged}.jsonl.gz is damaged:" in " ".join(done.stdout.split())
        assert ["is damaged" in note for note in told(*words)["notes"]] == [True]


def test_a_log_of_a_newer_format_is_refused_by_name_and_told_otherwise(here):
    name = run(here / "reports", 1, cell())
    newer = encode(RunStarted("20270101-000000-abcdef", "2027", [], 0, {}, format=99))
    log = here / "reports" / "runs" / "20270101-000000-abcdef.jsonl.gz"
    log.write_bytes(gzip.compress(f"{newer}\n".encode()))
    words = "has format 99, this harness reads up to 1; install a newer one"
    found = told("history")
    assert [each["run"] for each in found["runs"]] == [name]
    assert words in found["notes"][0]
    for command in (["report", "20270101-000000-abcdef"], ["compare", str(log)]):
        done = harness(*command)
        assert done.exit_code == 2
        assert words in done.stderr
    (here / "reports" / "runs" / f"{name}.jsonl.gz").unlink()
    done = harness("history")
    assert done.exit_code == 3
    assert words in done.stderr


def test_a_run_of_another_machine_is_reported_once_its_log_is_here(here):
    there = here / "there"
    name = run(there, 2, cell(**WRONG), environment=ELSEWHERE, candidates="/there/mine.py", scope=Scope(["linear"]))
    run(here / "reports", 1, cell())
    log = there / "runs" / f"{name}.jsonl.gz"
    done = harness("report", str(log))
    assert done.exit_code == 2
    assert f"{log} is not among the logs of reports; copy it to reports/runs" in done.stderr
    shutil.copy(log, here / "reports" / "runs")
    assert harness("report", str(log)).exit_code == 0
    assert (here / "reports" / name / "index.html").is_file()
    listing = " ".join(harness("history").stdout.split())
    assert "new segment" in listing
    assert "cpu: a processor → another" in listing


# history


def test_history_lists_the_latest_thirty_unless_all_are_asked_for(here):
    for day in range(1, 35):
        run(here / "reports", day, cell())
    done = harness("history")
    assert done.stdout.count("-000000-abcdef") == 30
    assert "4 earlier ones; --all lists them" in done.stdout
    everything = harness("history", "--all").stdout
    assert everything.count("-000000-abcdef") == 34
    assert "earlier ones" not in everything
    assert len(told("history")["runs"]) == 34


@pytest.mark.parametrize("columns", ["60", "200"])
def test_history_of_a_cell_is_whole_in_any_width(here, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", columns)
    run(here / "reports", 1, cell(score=2.0))
    run(here / "reports", 2, cell(**{**WRONG, "score": 12_345.0}), environment=ELSEWHERE)
    for words in (["history"], ["history", "agreement[linear/fused-cpu-float32]"]):
        done = harness(*words)
        assert done.exit_code == 0
        assert max(map(len, done.stdout.splitlines())) <= int(columns)
        assert done.stdout.count("20261101-000000-abcdef") == done.stdout.count("20261102-000000-abcdef") == 1
    assert all(part in done.stdout for part in ("≈ rounding", "✗ wrong", "12,345", "new segment"))
    assert "…" not in done.stdout
    series = told("history", "agreement[linear/fused-cpu-float32]")["series"]
    assert [(each["verdict"], each["largest"]) for each in series] == [("rounding", 2.0), ("wrong", 12_345.0)]
    assert series[0]["segment"] != series[1]["segment"]


# compare


def test_compare_says_what_is_new_and_fails_for_it(here):
    before = run(here / "reports", 1, cell(), cell("other"))
    after = run(here / "reports", 2, cell(**WRONG), cell("other"))
    found = told("compare", before)
    assert (found["exit_code"], found["run"]["run"], found["baseline"]["run"]) == (1, after, before)
    assert [each["diagnosis"] for each in found["new"]] == ["b is missing"]
    backwards = told("compare", after, before)
    assert (backwards["exit_code"], len(backwards["fixed"]), backwards["new"]) == (0, 1, [])
    assert "✗ new  linear/fused" in harness("compare", before, after).stdout


def test_compare_of_a_run_with_itself(here):
    run(here / "reports", 1, cell(**WRONG))
    name = run(here / "reports", 2, cell(**WRONG))
    assert harness("compare", name, name).stdout.startswith("Against the run of 2026-11-02 00:00: nothing changed.\n")
    alone = harness("compare", name)
    assert alone.exit_code == 2
    assert f"nothing to compare {name} with: '{name}' means no other run" in alone.stderr
    assert told("compare", "2026")["baseline"]["run"].startswith("20261101")  # which begins both


def test_compare_needs_two_runs(here):
    run(here / "reports", 1, cell())
    done = harness("compare", "2026")
    assert done.exit_code == 2
    assert "nothing to compare 20261101-000000-abcdef with" in done.stderr


# report and the outputs


def test_report_makes_every_output_anew(here):
    run(here / "reports", 1, cell())
    name = run(here / "reports", 2, cell(**WRONG))
    done = harness(
        *("report", "--markdown", "a.md", "--junit", "a.xml", "--mail", "a.html", "--annotations", "--json"),
    )
    assert json.loads(done.stdout)["sentence"] == "Against the run of 2026-11-01 00:00: 1 new."
    assert done.stderr.startswith("::error title=linear/fused wrong%2C new::b is missing%0A")
    assert (here / "a.md").read_text().startswith("### ✗ ")
    assert ElementTree.parse(here / "a.xml").getroot().get("failures") == "1"
    assert "b is missing" in (here / "a.html").read_text()
    assert (here / "reports" / name / "index.html").is_file()


def test_an_output_on_standard_output_is_alone_there(here):
    run(here / "reports", 1, cell(**WRONG))
    for option, start in (("--markdown", "### "), ("--junit", "<?xml"), ("--mail", "<!DOCTYPE html>")):
        done = harness("report", option, "-")
        assert done.stdout.lstrip().startswith(start)
        assert "There is no earlier run" in done.stderr
        assert "report  reports" not in done.stdout
    for words in (["--markdown", "-", "--json"], ["--markdown", "-", "--mail", "-"]):
        done = harness("report", *words)
        assert done.exit_code == 2
        assert "only one of --json and the outputs can go to standard output" in done.output


@pytest.mark.parametrize("command", [["report"], ["run", "linear"], ["check", "mine.py"], ["claims", "gru"]])
def test_an_output_that_can_not_be_written_is_refused_before_anything_begins(here, command):
    run(here / "reports", 1, cell())
    done = harness(*command, "--junit", "missing/junit.xml")
    assert done.exit_code == 2
    assert done.stderr == "harness: missing/junit.xml can't be written: there is no folder missing\n"
    assert len(list((here / "reports" / "runs").iterdir())) == 1


def test_runs_and_cells_complete(here, monkeypatch):
    name = run(here / "reports", 1, cell())
    committed = run(here / "reports", 2, cell(), folder="baseline")
    for words, expected in (
        (["report", "2026"], {name, committed}),
        (["compare", "2026"], {name, committed}),
        (["report", "--baseline", "20261102"], {committed}),
        (["replay", "20261101"], {name}),
        (["history", "agree"], {"agreement[linear/fused-cpu-float32]"}),
        (["run", "--device", "c"], {each for each in devices_here() if each.startswith("c")}),
    ):
        monkeypatch.setenv("COMP_WORDS", " ".join(["harness", *words]))
        monkeypatch.setenv("COMP_CWORD", str(len(words)))
        done = CliRunner().invoke(main, prog_name="harness", env={"_HARNESS_COMPLETE": "bash_complete"})
        assert {line.partition(",")[2] for line in done.stdout.splitlines()} == expected, words


CANDIDATE = """
import torch
from harness.operations.linear import linear
@linear.implementation
def mine(x, W, b):
    return torch.nn.functional.linear(x, W, b) + 0.01
"""


def test_a_run_writes_the_outputs_it_is_asked_for(tmp_path):
    (tmp_path / ".git").mkdir()
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "mine.py").write_text(CANDIDATE)
    quick = ("--dtype", "float32", "--device", "cpu", "--profile", "quick", "--examples", "4", "--jobs", "1")
    done = ask(tmp_path, "check", "sub/mine.py", *quick, "-k", "agreement", "--markdown", "-", "--annotations")
    assert done.code == 1
    assert done.out.startswith("### ✗ 1 of 1 implementation fails")
    assert "| ✗ wrong | <code>linear/mine</code> | **the result is off by 0.01 everywhere**" in done.out
    assert "::error file=sub/mine.py,line=4,title=linear/mine wrong%2C new::the result is off by 0.01" in done.err
    assert "report  reports/latest/index.html" in done.err
