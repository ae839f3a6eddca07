"""The index is a cache: neither what is wrong with it nor what one log says ends a command."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from harness.command.main import main
from harness.history import generations
from harness.history.history import INDEX, History
from harness.history.priorities import priorities
from harness.history.segment import differences, segment
from harness.record.runlog import encode, read
from harness.report.reporting import Reporting, ended
from tests.test_history import HERE, WRONG, cell, compared, run
from tests.test_slowdowns import benched, timing

PAGE = 4096


@pytest.fixture
def reports(tmp_path, monkeypatch):
    """Reports of two runs, in the folder where commands look for them."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(generations, "_PATIENCE", 0.1)
    folder, ways = Path("reports"), [cell(f"way{n}") for n in range(120)]
    run(folder, 1, cell(), cell("other", **WRONG), *ways)
    run(folder, 2, cell(**WRONG), cell("other"), *ways)
    return folder


COMMANDS = [
    ("history",),
    ("history", "agreement[linear/fused-cpu-float32]"),
    ("report",),
    ("report", "20261102"),
    ("issues", "20261102"),
    ("issues", "--expect-within", "26h"),
    ("compare", "20261101", "20261102"),
]


def harness(*words: str, code: int | None = 0):
    """A command in this process, which may not end in a traceback."""
    done = CliRunner().invoke(main, words)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    assert "fault of the harness" not in done.output, done.output
    assert code is None or done.exit_code == code, (words, done.output)
    return done


def every_command() -> str:
    """All that the commands say, none of which fails; compare says that something is new."""
    return "".join(harness(*words, code=int(words[0] == "compare")).output for words in COMMANDS)


# logs


def started(**more) -> dict:
    """A run's first line, as JSON has it."""
    told = {"event": "RunStarted", "run": "20261103-000000-abcdef", "when": "2026-11-03T00:00:00+00:00"}
    return {**told, "command": ["harness", "run"], "seed": 0, "environment": HERE, **more}


def asked(**more) -> dict:
    """The line of a cell."""
    return {**json.loads(encode(cell())), **more}


def put(reports, *lines: object, name="20261103-000000-abcdef") -> str:
    """Put down a log of these lines, and give its file's name."""
    log = reports / "runs" / f"{name}.jsonl"
    log.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return log.name


def nested(depth: int) -> object:
    return [nested(depth - 1)] if depth else "deep"


@pytest.mark.parametrize(
    "lines",
    [
        [started(run="../../planted")],
        [started(run="")],
        [started(run=".")],
        [started(run="a/b")],
        [started(run="\ud800")],
        [started(when="\ud800")],
        [started(when="2026-11-03T00:00:00")],
        [started(when="0001-01-01T00:00:00+23:00")],
        [started(environment={"python": nested(60)})],
        [asked()],
    ],
    ids=lambda lines: json.dumps(lines[-1])[:60],
)
def test_a_log_that_says_what_no_run_says_is_left_out_with_a_line_that_names_it(reports, lines):
    log = put(reports, *lines)
    assert every_command().count(log) >= len(COMMANDS)
    assert [each["run"] for each in json.loads(harness("history", "--json").stdout)["runs"]] == [
        "20261102-000000-abcdef",
        "20261101-000000-abcdef",
    ]
    assert not list(reports.parent.rglob("planted*"))
    assert not list(reports.glob("*.html"))


@pytest.mark.parametrize("more", [{"tally": {"rounding": 10**30}}, {"score_max": -5.0}, {"verdict": "splendid"}])
def test_a_line_that_says_what_no_cell_says_is_left_out_and_the_others_count(reports, more):
    log = put(reports, started(), asked(implementation="other"), asked(**more))
    every_command()
    runs, complaints = History.ask(reports, lambda history: (len(history.runs), history.complaints))
    assert runs == 3 and [log in each and "line 3 of 3 left out" in each for each in complaints] in ([], [True])
    assert "line 3 of 3 left out" in harness("history").output


@pytest.mark.parametrize(
    "environment",
    [
        {"packages": None},
        {"packages": ["torch"]},
        {"packages": {"torch": None}},
        {"packages": {"torch": {"major": 2}, "numpy": [1, 2]}},
        {"platform": 5},
        {"platform": None, "cpu": None, "instructions": None, "threads": None, "tf32": None},
        {"cuda": {"name": "H200"}},
        {"cuda": ["H200", {"name": None}, None, 5]},
        {"cuda": 1},
        {"kernels": "avx2"},
        {"kernels": None},
        {"kernels": {"MKL_CBWR": ["a"]}},
        {"torch build": 13, "driver": {"major": 600}},
        {"revision": 5},
        {"revision": ["aaaaaaa"]},
        {"python": nested(40)},
        {"cpu": "\u202e\x1b[31m"},
        {"cpu": "A" * 1_000_000},
    ],
    ids=lambda environment: json.dumps(environment)[:40],
)
def test_an_environment_is_whatever_it_is(reports, environment):
    put(reports, started(environment={**HERE, **environment}), asked(), asked(implementation="other"))
    shown = every_command()
    assert "\x1b" not in shown and "\u202e" not in shown
    assert harness("compare", "20261102", "20261103").output
    assert History.ask(reports, lambda history: history.latest.name) == "20261103-000000-abcdef"
    there = {**HERE, **environment}
    assert differences(there, there) == [] and segment(there) == segment(json.loads(json.dumps(there)))


def test_an_environment_of_a_run_is_in_the_segment_in_which_it_always_was():
    told = {
        "platform": "Linux-6.1-x86_64-with-glibc2.36",
        "cpu": "a processor",
        "instructions": "avx2",
        "kernels": {"MKL_CBWR": "AVX2"},
        "cuda": [{"name": "H200"}],
        "driver": None,
        "torch build": "CUDA 13",
        "packages": {"torch": "2.13.0", "numpy": "2"},
        "tf32": {"matmul": False},
        "threads": 1,
    }
    assert segment(told) == "7fa6ddda"


def test_neither_a_date_nor_figures_end_a_later_run(reports):
    put(reports, started(when="tomorrow"), asked(tally={"rounding": -2}), name="a")
    put(reports, started(), *(asked(implementation=f"way{n}", tally={"rounding": 2**62}) for n in range(2)), name="b")
    put(reports, started(), asked(tally={"rounding": 2**62}), asked(tally={"rounding": 2**62}), name="c")
    put(reports, started(), asked(tally={"rounding": 2**62}), name="d")
    harness("issues", "--expect-within", "26h")
    shares = History.ask(reports, priorities)
    assert all(0 < each < 2 for each in shares.values())


def test_what_is_no_file_is_no_log(reports):
    (reports / "runs" / "folder.jsonl.gz").mkdir()
    (reports / "runs" / "nowhere.jsonl.gz").symlink_to("nothing")
    (reports / "runs" / "round.jsonl.gz").symlink_to("round.jsonl.gz")
    os.mkfifo(reports / "runs" / "pipe.jsonl.gz")
    for words in (("history",), ("compare", "20261101", "20261102"), ("issues", "20261102")):
        shown = harness(*words, code=int(words[0] == "compare")).output
        assert all(f"runs/{name}.jsonl.gz can't be read" in shown for name in ("folder", "nowhere", "round", "pipe"))


def test_a_log_that_grows_into_trouble_is_forgotten_and_one_that_is_mended_comes_back(reports):
    log = put(reports, started(), asked())
    assert History.ask(reports, lambda history: len(history.runs)) == 3
    put(reports, started(run="../.."), asked(), asked())
    runs, complaints = History.ask(reports, lambda history: (len(history.runs), history.complaints))
    assert runs == 2 and len(complaints) == 1 and log in complaints[0]
    put(reports, started(), asked())
    assert History.ask(reports, lambda history: (len(history.runs), history.complaints)) == (3, [])


def test_a_text_that_is_too_long_for_the_database_costs_its_own_log(reports, monkeypatch):
    connect = sqlite3.connect

    def limited(*words, **named):
        base = connect(*words, **named)
        base.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 100_000)
        return base

    monkeypatch.setattr(sqlite3, "connect", limited)
    log = put(reports, started(environment={**HERE, "cpu": "A" * 200_000}), asked())
    runs, complaints = History.ask(reports, lambda history: (len(history.runs), history.complaints))
    assert runs == 2 and log in complaints[0] and "too big" in complaints[0]


def test_where_no_log_can_be_read_it_is_told_why_of_a_few(tmp_path):
    for number in range(9):
        (tmp_path / "runs").mkdir(exist_ok=True)
        put(tmp_path, asked(), name=f"a{number}")
    told = harness("history", "--reports", str(tmp_path), code=3).output
    assert "a0.jsonl" in told and "and 6 more" in told and "a5.jsonl" not in told


def test_benchmarks_without_a_ratio_end_no_report(reports):
    benched(reports, 1, timing(1.0), replace(timing(1.0, implementation="einsum"), ratio=None))
    benched(reports, 2, replace(timing(1.0), low=2.0, ratio=0.0), timing(1.0, low=5.0, implementation="einsum"))
    harness("report")


def test_the_exact_name_of_a_run_means_that_run(reports):
    put(reports, started(run="20261102-000000-abcdefz"), asked())
    for what in ("20261102-000000-abcdef", str(reports / "runs" / "20261102-000000-abcdef.jsonl.gz")):
        assert History.ask(reports, lambda history: history.named(what).name) == "20261102-000000-abcdef", what  # noqa: B023


# the index


def expected(reports) -> tuple:
    """What the comparison says, in words that no number of a row is in."""
    found = compared(reports)
    return found.sentence, [(each.fault.implementation, each.cells, each.first_seen.name) for each in found.new]


def indexes(reports) -> list[str]:
    """The files of indexes, without those that SQLite keeps beside them."""
    return sorted(file.name for file in reports.glob("history*.sqlite"))


@pytest.mark.parametrize("filling", [b"\xff", b"\0"])
def test_a_damaged_page_anywhere_costs_no_answer(reports, filling):
    whole, shares = expected(reports), History.ask(reports, priorities)
    index = reports / INDEX
    content = index.read_bytes()
    assert len(content) > 8 * PAGE
    for page in range(0, len(content), PAGE):
        for file in reports.glob("history*"):
            file.unlink()
        damaged = content[:page] + filling * PAGE + content[page + PAGE :]
        index.write_bytes(damaged)
        assert expected(reports) == whole
        assert History.ask(reports, priorities) == shares
        assert index.read_bytes() == damaged, f"page {page // PAGE}"
        assert len(indexes(reports)) <= 2


def test_a_damaged_index_is_given_up_for_good(reports):
    whole = expected(reports)
    index = reports / INDEX
    content = index.read_bytes()
    root = _root_of("cells", index) - 1
    index.write_bytes(content[: root * PAGE] + b"\xff" * PAGE + content[(root + 1) * PAGE :])
    asked = []

    def question(history):
        asked.append(history)
        return history.index.yields(30)

    History.ask(reports, question)
    assert len(asked) == 2, "it shows in the midst of the question"
    History.ask(reports, question)
    assert len(asked) == 3 and expected(reports) == whole
    assert indexes(reports) == ["history-2.sqlite", "history.sqlite"]


def _root_of(table: str, index) -> int:
    with closing(sqlite3.connect(index)) as base:
        return base.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", [table]).fetchone()[0]


FOREIGN = {
    "no tables": [],
    "other columns": ["CREATE TABLE runs (a)", "CREATE TABLE cells (b)", "CREATE TABLE keys (c)"],
    "odd names": ["""CREATE TABLE "it's a ""table"" of; many words" (a)""", 'CREATE TABLE "runs " (a)'],
    "a view": ["CREATE VIEW runs AS SELECT 1 AS log, 2 AS bytes"],
}


@pytest.mark.parametrize("version", [0, 4, 5, 99])
@pytest.mark.parametrize("tables", FOREIGN.values(), ids=FOREIGN)
def test_the_index_of_another_harness_is_left_as_it_is(reports, tables, version):
    index = reports / INDEX
    with closing(sqlite3.connect(index)) as base:
        for statement in tables:
            base.execute(statement)
        base.execute(f"PRAGMA user_version = {version}")
        base.commit()
    before = index.read_bytes()
    every_command()
    ours = version == 0 and not tables  # empty, as one that is about to be made
    assert indexes(reports) == (["history.sqlite"] if ours else ["history-2.sqlite", "history.sqlite"])
    assert ours or index.read_bytes() == before


def test_two_harnesses_take_turns_at_one_folder(reports, monkeypatch):
    whole = expected(reports)
    for _ in range(2):
        for version in (6, 5):
            monkeypatch.setattr("harness.history.schema._OURS", (version, sorted(_statements())))
            monkeypatch.setattr("harness.history.schema._VERSION", version)
            assert expected(reports) == whole
    assert indexes(reports) == ["history-2.sqlite", "history.sqlite"]


def _statements():
    from harness.history.schema import _STATEMENTS

    return _STATEMENTS


def test_an_index_that_is_missing_or_empty_is_made(reports):
    whole = expected(reports)
    for spoil in (Path.unlink, lambda index: index.write_bytes(b"")):
        for file in reports.glob(f"{INDEX}-*"):
            file.unlink()
        spoil(reports / INDEX)
        assert expected(reports) == whole
        assert indexes(reports) == ["history.sqlite"]


def test_a_locked_index_is_not_waited_for_and_not_replaced(reports):
    whole = expected(reports)
    run(reports, 3, cell(**WRONG), cell("other"))
    with closing(sqlite3.connect(reports / INDEX, isolation_level=None)) as base:
        base.execute("PRAGMA locking_mode = EXCLUSIVE")
        base.execute("BEGIN EXCLUSIVE")
        base.execute("DELETE FROM keys WHERE id = -1")
        assert expected(reports) != whole
        done = json.loads(harness("history", "--json").stdout)
        assert len(done["runs"]) == 3
        (note,) = done["notes"]
        assert str(INDEX) in note and "locked" in note and "all logs were read" in note
        base.execute("COMMIT")
    assert indexes(reports) == ["history.sqlite"]
    assert json.loads(harness("history", "--json").stdout)["notes"] == []


def test_who_only_reads_need_not_wait_for_one_that_writes(reports):
    whole = expected(reports)
    with closing(sqlite3.connect(reports / INDEX, isolation_level=None)) as base:
        base.execute("BEGIN IMMEDIATE")
        assert History.ask(reports, lambda history: history.complaints) == []
        assert expected(reports) == whole


def test_on_a_full_disk_the_logs_are_read(reports, monkeypatch):
    connect = sqlite3.connect

    def full(file, *words, **named):
        base = connect(file, *words, **named)
        if file != ":memory:":
            base.execute("PRAGMA max_page_count = 12")
        return base

    with monkeypatch.context() as patched:
        patched.setattr(sqlite3, "connect", full)
        assert "full" in every_command()
        assert indexes(reports) == ["history.sqlite"]
    assert "all logs were read" not in every_command()
    assert indexes(reports) == ["history.sqlite"]


def test_reports_that_can_only_be_read_are_read(reports, monkeypatch):
    connect = sqlite3.connect

    def refused(file, *words, **named):
        if file != ":memory:":
            file = reports / "no such folder" / "index"  # as where nothing may be written
        return connect(file, *words, **named)

    monkeypatch.setattr(sqlite3, "connect", refused)
    for words in (("history",), ("compare", "20261101", "20261102"), ("report", "--output", "elsewhere")):
        assert "all logs were read" in harness(*words, code=None).output
    assert sorted(file.name for file in reports.iterdir()) == ["runs"]
    assert (reports.parent / "elsewhere" / "20261102-000000-abcdef" / "index.html").is_file()


def test_an_index_that_can_not_be_opened_has_one_beside_it(reports):
    (reports / INDEX).mkdir()
    assert "all logs were read" not in every_command()
    assert indexes(reports) == ["history-2.sqlite", "history.sqlite"]


def test_there_is_an_end_to_new_indexes(reports):
    for number in range(1, 10):
        (reports / (f"history-{number}.sqlite" if number > 1 else INDEX)).write_bytes(b"no database" * 100)
    shown = every_command()
    assert "none of the 9 indexes beside" in shown and "throw them away" in shown
    assert len(indexes(reports)) == 9


def test_values_that_nobody_wrote_are_damage_too(reports):
    whole = expected(reports)
    with closing(sqlite3.connect(reports / INDEX)) as base:
        base.execute("UPDATE cells SET verdict = 99")
        base.execute("UPDATE runs SET started = 'nothing' WHERE id = 1")
        base.commit()
    assert expected(reports) == whole
    assert "is damaged" in every_command()


def test_what_a_question_refuses_or_stumbles_over_itself_is_told(reports):
    asked = []

    def question(history):
        asked.append(history)
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        History.ask(reports, question)
    assert len(asked) == 2 and indexes(reports) == ["history.sqlite"]
    with pytest.raises(BlockingIOError):
        History.ask(reports, lambda history: (_ for _ in ()).throw(BlockingIOError()))
    harness("report", "nothing", code=2)


def test_an_output_that_is_written_is_not_written_again(reports):
    """One adds to a file; the next one meets the damage."""
    written = []

    def adds(findings):
        written.append(findings)

    def meets(findings):
        if len(meetings) < 1:
            meetings.append(findings)
            raise sqlite3.DatabaseError("database disk image is malformed")

    meetings = []
    reporting = Reporting(reports, [adds, meets, adds])
    for event in ended(read(reports / "runs" / "20261102-000000-abcdef.jsonl.gz").events):
        reporting(event)
    assert len(written) == 2 and len(meetings) == 1


# reports


def test_pages_are_written_elsewhere_and_the_reports_stay_as_they_are(reports):
    benched(reports, 1, timing(1.0))
    harness("report", "20261101", "--output", "there")
    before = sorted(reports.iterdir())
    done = json.loads(harness("report", "--output", "there", "--json").stdout)
    assert done["report"] == "there/20261102-000000-abcdef/index.html"
    page = (reports.parent / done["report"]).read_text()
    assert 'href="../20261101-000000-abcdef/index.html"' in page, "the runs' pages lie side by side there too"
    assert (reports.parent / "there" / "20261102-000000-abcdef" / "benchmarks.html").is_file()
    assert sorted(reports.iterdir()) == before
    harness("report")
    assert (reports / "20261102-000000-abcdef" / "index.html").is_file()


def test_a_folder_that_takes_no_pages_is_refused_in_a_sentence(reports):
    (reports.parent / "taken").mkdir()
    (reports.parent / "taken" / "20261102-000000-abcdef").write_text("a file")
    done = harness("report", "--output", "taken", code=3)
    assert "taken/20261102-000000-abcdef is not a folder; move it away, or choose another folder" in done.stderr


@pytest.mark.parametrize("cells", [0, 1, 2])
def test_the_first_sentence_of_a_killed_run_says_so_and_how_far_it_came(reports, cells):
    name = run(reports, 3, *(cell(f"way{n}") for n in range(cells)), finished=False)
    sentence = f"og ends after {cells} cell{'s' * (cells != 1)}, since the run was killed or still goes on."
    assert harness("report").stdout.startswith(f"The l{sentence} ")
    assert json.loads(harness("report", "--json").stdout)["sentence"].startswith(f"The l{sentence} ")
    page = (reports / name / "index.html").read_text()
    assert f"l{sentence}" in page.partition('<span id="verdict">')[2].partition("</span>")[0]
    shutil.rmtree(reports / name)
    assert harness("report", "20261102").stdout.startswith("Against the run of ")
