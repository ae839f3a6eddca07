"""Replay: what earlier runs found is asked again, and tried first in the next run."""

from __future__ import annotations

import hashlib
import json
import shutil

import pytest
from click.testing import CliRunner

from harness.catalogue import catalogue
from harness.command.main import main
from harness.command.replaying import COULD_NOT_RUN, FIXED, STILL_FAILS, Replayed, _one_in_each_cell
from harness.declare.implementation import implementation_of
from harness.errors import HarnessError, InfrastructureError, UnknownName
from harness.execute.last_case import LastCase, died_over, last_case
from harness.execute.outcome import outcome, replayed
from harness.explain.counterexample import Counterexample
from harness.generate.case import Case
from harness.history.archive import Archive
from harness.record.events import CellFinished, RunStarted
from harness.record.example_store import ExampleStore
from harness.record.runlog import RunLog, decode, encode
from harness.record.saved_counterexamples import (
    SavedCounterexample,
    read_counterexamples,
    recalled,
    save_counterexamples,
)
from harness.verify.cell import Cell
from harness.verify.suite import every_property
from tests.command_line import ask

LINEAR = catalogue()["linear"]
AGREEMENT = next(prop for prop in every_property() if prop.name == "agreement")
CASE = Case(LINEAR, {"batch": 2, "inputs": 3, "outputs": 1}, dtype="float32").record()
FAULTY = SavedCounterexample(
    "agreement", "linear", "mine", "cpu", "float32", CASE, "off by 9 ×", candidates="there/mine.py", checksum="0f"
)

QUICK = ("--dtype", "float32", "--device", "cpu", "--profile", "quick", "--examples", "4", "--jobs", "1", "--json")
SOUND = "torch.nn.functional.linear(x, W, b)"


def candidate(folder, result: str, before: str = "pass"):
    """A candidate file `mine.py` that returns this."""
    path = folder / "mine.py"
    path.write_text(
        "import ctypes, os, time, torch\nfrom harness.operations.linear import linear\n"
        f"@linear.implementation\ndef mine(x, W, b):\n    {before}\n    return {result}\n"
    )
    return path


def check(folder, *more: str, keyword: str = "agreement"):
    return ask(folder, "check", "mine.py", *QUICK, "-k", keyword, *more)


def only(answer) -> dict:
    """The one counterexample of `harness replay --json`."""
    (entry,) = answer.summary["counterexamples"]
    assert answer.summary["exit_code"] == answer.code
    return entry


@pytest.fixture(scope="module")
def faulty(tmp_path_factory):
    """A folder in which a candidate with a fault was checked, and what came out."""
    folder = tmp_path_factory.mktemp("faulty")
    candidate(folder, f"{SOUND} + 0.01 * (x.shape[-1] > 2)")
    return check(folder)


@pytest.fixture
def folder(faulty, tmp_path):
    """The same folder, to be changed."""
    shutil.copytree(faulty.folder, tmp_path, dirs_exist_ok=True)
    return tmp_path


# the whole command


def test_a_finding_has_an_id_and_the_log_names_the_file(faulty):
    (cell,) = (cell for cell in faulty.cells if cell.counterexample)
    (started,) = (event for event in faulty.events if isinstance(event, RunStarted))
    assert started.candidates == "mine.py"
    assert started.checksum == hashlib.sha256((faulty.folder / "mine.py").read_bytes()).hexdigest()
    assert [cause["id"] for cause in faulty.summary["causes"]] == [cell.id]
    assert cell.id in (faulty.folder / "reports" / "latest" / "index.html").read_text()


def test_still_fails_until_it_is_mended(folder):
    again = ask(folder, "replay", "--json")
    assert again.code == 1
    assert only(again)["answer"] == STILL_FAILS
    assert "against the oracle: off by" in only(again)["reason"]
    candidate(folder, SOUND)
    changed = only(ask(folder, "replay", "--json"))
    assert changed["answer"] == COULD_NOT_RUN
    assert changed["reason"].startswith("it was found in mine.py, which has other content now; name the file")
    mended = ask(folder, "replay", only(again)["id"][:5], "--candidates", "mine.py", "--json")
    assert mended.code == 0
    assert (only(mended)["answer"], only(mended)["then"]) == (FIXED, "wrong")
    assert only(mended)["verdict"] in ("exact", "rounding")


def test_a_file_that_is_gone_is_no_fix_unless_another_is_named(folder):
    (folder / "mine.py").rename(folder / "moved.py")
    gone = ask(folder, "replay", "--json")
    assert gone.code == 3
    assert only(gone)["answer"] == COULD_NOT_RUN
    assert only(gone)["reason"] == (
        "it was found in mine.py, which is not here; name the file that declares it with --candidates, if you trust it"
    )
    assert only(ask(folder, "replay", "--candidates", "moved.py", "--json"))["answer"] == STILL_FAILS


@pytest.mark.parametrize(
    ("before", "words"),
    [("ctypes.string_at(0)", "crashed the interpreter: Segmentation fault"), ("time.sleep(600)", "did not return")],
)
def test_a_candidate_that_crashes_or_hangs_now(folder, before, words):
    candidate(folder, SOUND, before)
    answer = ask(folder, "replay", "--candidates", "mine.py", "--limit", "10s", "--json")
    assert answer.code == 1
    assert only(answer)["answer"] == STILL_FAILS
    assert words in only(answer)["reason"]
    assert (only(answer)["verdict"], only(answer)["then"]) == ("error", "wrong")


def test_a_crash_leaves_its_case_which_is_tried_first_until_it_is_mended(tmp_path):
    candidate(tmp_path, SOUND, "x.shape[-1] > 2 and os._exit(7)")
    (crashed,) = check(tmp_path, "--examples", "24").cells
    assert crashed.counterexample is not None
    assert crashed.counterexample.case["sizes"]["inputs"] > 2
    assert "x = " in crashed.counterexample.source or "harness.Case.rebuild" in crashed.counterexample.source
    answer = ask(tmp_path, "replay", "--json")
    assert (only(answer)["id"], only(answer)["answer"]) == (crashed.id, STILL_FAILS)
    candidate(tmp_path, SOUND)
    shutil.rmtree(tmp_path / "reports" / "runs")
    assert list((tmp_path / "reports" / "examples").glob("*/*"))
    (mended,) = check(tmp_path).cells
    assert mended.verdict in ("exact", "rounding")
    assert not list((tmp_path / "reports" / "examples").glob("*/*"))


def test_the_next_run_finds_it_with_its_first_case(folder, faulty):
    (before,) = (cell for cell in faulty.cells if cell.counterexample)
    shutil.rmtree(folder / "reports" / "runs")
    (found,) = check(folder).cells
    assert found.tally == {"wrong": 1}
    if sum(before.counterexample.case["sizes"].values()) < 10:
        assert found.id == before.id
    candidate(folder, SOUND)
    shutil.rmtree(folder / "reports" / "runs")
    (mended,) = check(folder).cells
    assert mended.verdict in ("exact", "rounding")
    assert not list((folder / "reports" / "examples").glob("*/*")), "what no longer falls is forgotten"


def test_a_file_that_is_kept(folder):
    saved = ask(folder, "replay", "--save", "reports/counterexamples.jsonl", "--json")
    assert (saved.code, saved.summary["added"]) == (0, 1)
    again = ask(folder, "replay", "--save", "reports/counterexamples.jsonl", NO_COLOR="1")
    assert "0 counterexamples of" in again.out and "1 was there already" in again.out
    kept = folder / "reports" / "counterexamples.jsonl"
    (line,) = kept.read_text().splitlines()
    assert json.loads(line)["candidates"] == "../mine.py"
    answer = ask(folder, "replay", "reports/counterexamples.jsonl", NO_COLOR="1")
    assert answer.code == 1
    assert "reports/counterexamples.jsonl: 1 still fails, 0 fixed." in answer.out
    assert "\x1b" not in answer.out

    outdated = json.loads(line)
    outdated["case"] = {**outdated["case"], "sizes": {"batch": 2}}
    kept.write_text(f"{line}\nno JSON\n{json.dumps(outdated)}\n")
    for leftover in ("runs", "examples"):
        shutil.rmtree(folder / "reports" / leftover)
    answer = check(folder)
    assert answer.cells[0].tally == {"wrong": 1}
    assert len(answer.summary["notes"]) == 2
    assert answer.summary["notes"][0].endswith(
        "counterexamples.jsonl, line 2: no counterexample (it is no JSON); left out"
    )
    assert "can't be tried: case of linear " in answer.summary["notes"][1]
    assert len(kept.read_text().splitlines()) == 3, "nobody changes the file but its owner"


# what needs no worker


def refused(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["replay", *arguments])
    return result.exit_code, result.stderr


def test_nothing_to_replay(tmp_path):
    assert refused("--reports", str(tmp_path))[0] == 3
    log_of(tmp_path, "20261122-000000-aaaaaa", [])
    code, told = refused("--reports", str(tmp_path))
    assert code == 3
    assert told == "harness: nothing to replay: 20261122-000000-aaaaaa has no counterexample\n"


def log_of(reports, run: str, entries, **more) -> None:
    with RunLog(reports / "runs" / f"{run}.jsonl") as log:
        log(RunStarted(run, "2026-11-22T00:00:00+00:00", [], 0, {}, checksum=FAULTY.checksum, **more))
        for each in entries:
            log(cell_of(each))


def cell_of(each: SavedCounterexample) -> CellFinished:
    shown = Counterexample(each.case, "a case", "", each.sentence)
    asked = (each.prop, each.operation, each.implementation, "torch", each.device, each.dtype, each.verdict)
    return CellFinished(*asked, counterexample=shown, claim=each.claim)


def other(**changes) -> SavedCounterexample:
    return SavedCounterexample(**{**vars(FAULTY), **changes})


def test_what_a_word_means(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    archive = Archive(tmp_path)
    older, newer = other(dtype="float64"), other(implementation="another", candidates="")
    claim = other(claim="linear.posted", implementation="definition")
    log_of(tmp_path, "20261122-000000-aaaaaa", [older, claim], candidates="there/mine.py")
    log_of(tmp_path, "20261123-000000-bbbbbb", [newer])
    assert [each.id for each in archive.find("").entries] == [newer.id]
    for named in ("20261122-000000-aaaaaa", "runs/20261122-000000-aaaaaa.jsonl"):
        found = archive.find(named)
        assert (found.source, found.entries) == ("20261122-000000-aaaaaa", [older])
    assert archive.find(older.id).entries == [older]
    assert archive.find(newer.id[:4]).source == "20261123-000000-bbbbbb"
    assert archive.find(claim.id).entries == [claim]
    save_counterexamples(tmp_path / "kept.jsonl", [older])
    assert archive.find("kept.jsonl").entries == [older]


def test_an_unknown_word_suggests_a_known_one(tmp_path):
    log_of(tmp_path, "20261122-000000-aaaaaa", [FAULTY])
    wrong = FAULTY.id[:-1] + ("0" if FAULTY.id[-1] != "0" else "1")
    assert f"did you mean {FAULTY.id}" in refused(wrong, "--reports", str(tmp_path))[1]
    with pytest.raises(UnknownName, match=r"did you mean 20261122-000000-aaaaaa\?"):
        Archive(tmp_path).find("20261122-000000-aaaaab")
    many = [other(case={**CASE, "seed": seed}) for seed in range(40)]
    log_of(tmp_path, "20261123-000000-bbbbbb", many)
    first = [each.id[0] for each in many]
    shared = next(digit for digit in first if first.count(digit) > 1)
    with pytest.raises(UnknownName, match="write more of it"):
        Archive(tmp_path).find(shared)


def test_an_id_is_the_same_wherever_it_is_computed(tmp_path):
    strange = {**CASE, "values": Case(LINEAR, CASE["sizes"], values={"b": (float("inf"),)}).record()["values"]}
    here = other(case=strange)
    (read,) = recalled(
        [RunStarted("r", "w", [], 0, {}, candidates="there/mine.py", checksum="0f"), decode(encode(cell_of(here)))]
    )
    assert read == here
    save_counterexamples(tmp_path / "kept.jsonl", [here])
    assert read_counterexamples(tmp_path / "kept.jsonl") == ([here], [])
    assert len({here.id, FAULTY.id, other(dtype="float64").id, other(prop="gradients").id}) == 4
    assert len(FAULTY.id) == 8


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("{", "it is no JSON"),
        ("[" * 100_000, "it is nested too deeply"),
        ("[1]", "it is no object"),
        ('{"property": "agreement"}', "Object missing required field `operation`"),
        (json.dumps({**vars(FAULTY), "property": 7}), "prop: Expected `str`, got `int`"),
        (json.dumps({**vars(FAULTY), "property": "p", "verdict": "odd"}), "verdict: Invalid enum value 'odd'"),
        (json.dumps({**vars(FAULTY), "property": "p", "case": []}), "case: Expected `object`, got `array`"),
    ],
)
def test_a_damaged_line_is_told(tmp_path, line, sentence):
    path = tmp_path / "kept.jsonl"
    save_counterexamples(path, [FAULTY])
    path.write_text(path.read_text() + line)
    assert read_counterexamples(path) == ([FAULTY], [f"{path}, line 2: no counterexample ({sentence}); left out"])
    path.write_text(line)
    with pytest.raises(HarnessError, match="neither a run log nor a file of counterexamples"):
        Archive(tmp_path).find(str(path))


def test_a_file_that_is_not_there_is_a_usage_error(tmp_path):
    assert CliRunner().invoke(main, ["run", "linear", "--reports", str(tmp_path), "--first", "no.jsonl"]).exit_code == 2
    with pytest.raises(InfrastructureError):
        Archive(tmp_path).find("")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"prop": "gone"}, "property gone is not there any more"),
        ({"operation": "gone"}, "operation gone is not in the catalogue; name the file that declares it with"),
        ({"implementation": "gone"}, "implementation gone of linear is not in the catalogue; name the file"),
        ({"device": "tpu"}, "device 'tpu' is not here; this machine has cpu"),
        ({"dtype": "float8"}, "torch_linear takes no float8"),
    ],
)
def test_what_can_not_run_says_why(tmp_path, changes, reason):
    log_of(
        tmp_path, "20261122-000000-aaaaaa", [other(**{"candidates": "", "implementation": "torch_linear", **changes})]
    )
    result = CliRunner().invoke(main, ["replay", "--json", "--reports", str(tmp_path)])
    (entry,) = json.loads(result.stdout)["counterexamples"]
    assert (result.exit_code, entry["answer"]) == (3, COULD_NOT_RUN)
    assert entry["reason"].startswith(reason)


def test_which_answers_fail():
    assert Replayed(FAULTY, STILL_FAILS, verdict="wrong").fails
    assert Replayed(FAULTY, STILL_FAILS, verdict="unstable").fails, "it was wrong, and is not fixed"
    assert not Replayed(other(verdict="unstable"), STILL_FAILS, verdict="unstable").fails
    assert not Replayed(FAULTY, STILL_FAILS, verdict="wrong", known="somebody else's").fails
    assert not Replayed(other(claim="linear.posted"), STILL_FAILS, verdict="wrong").fails
    assert not Replayed(FAULTY, FIXED, verdict="exact").fails


def test_no_cell_comes_twice_in_a_batch():
    one, two, three = FAULTY, other(case={**CASE, "seed": 1}), other(dtype="float64")
    assert _one_in_each_cell([one, two, three]) == [[one, three], [two]]


# a cell with what earlier runs found


def cell(function) -> Cell:
    made = implementation_of("linear", LINEAR.signature, function, "torch", name="mine")
    return Cell(AGREEMENT, LINEAR, made, "cpu", "float32")


def sound(x, W, b):
    return x @ W.mT + b


def wrong(x, W, b):
    return sound(x, W, b) + (x.shape[-1] > 2)


def test_what_falls_is_kept_and_what_falls_no_more_is_forgotten(tmp_path):
    store = ExampleStore(str(tmp_path / "examples"))
    first = outcome(cell(wrong), 12, 0, store=store)
    again = outcome(cell(wrong), 12, 0, store=store)
    assert again.tally == {"wrong": 1}
    assert again.counterexample.case == first.counterexample.case
    assert outcome(cell(sound), 12, 0, store=store).tally.keys() <= {"exact", "rounding"}
    assert not store.of(cell(wrong)).cases


@pytest.mark.parametrize("damage", [b"\xff\x00", b"{", b"[]", b"{}", b'{"operation": "gone"}'])
def test_a_damaged_entry_is_passed_over(tmp_path, damage):
    store = ExampleStore(str(tmp_path))
    store._database.save(cell(sound).key.encode(), damage)
    assert store.of(cell(sound)).cases == ()


@pytest.mark.parametrize(
    "changes",
    [
        {"sizes": {"batch": 2, "inputs": 3}},
        {"sizes": {"batch": "two", "inputs": 3, "outputs": 1}},
        {"sizes": {"batch": 2, "inputs": 3.5, "outputs": 1}},
        {"options": {"gone": True}},
        {"pattern": "gone"},
        {"values": {"W": [1.0]}},
        {"dtype": "float64"},
        {"no such field": 1},
    ],
)
def test_an_outdated_case_is_told_where_somebody_keeps_it(tmp_path, changes):
    kept = other(case={**CASE, **changes})
    store = ExampleStore(kept=(kept,))
    seeds = store.of(cell(sound))
    assert seeds.cases == ()
    assert seeds.outdated[0].startswith(f"counterexample {kept.id} can't be tried: case of linear ")
    assert replayed(cell(sound), kept.case).verdict == "unsupported"


def test_a_case_that_falls_now_and_then_is_asked_a_few_times():
    calls = iter(range(100))

    def raises_sometimes(x, W, b):
        if next(calls) % 3 == 2:
            raise ValueError("every third call is one too many")
        return sound(x, W, b)

    assert replayed(cell(raises_sometimes), CASE).verdict == "error"
    assert replayed(cell(sound), CASE).verdict in ("exact", "rounding")


# what a dying worker leaves


def test_the_case_that_is_asked_is_put_down(tmp_path):
    note = LastCase(tmp_path / "gw0.case")
    case = Case.rebuild(CASE, {"linear": LINEAR})
    assert last_case(tmp_path / "gw0.case") is None
    note(case)
    assert last_case(tmp_path / "gw0.case") == CASE
    note(case.replace(sizes={"batch": 1, "inputs": 2**18, "outputs": 1}, values={"W": (0.5,) * 2**18}))
    assert last_case(tmp_path / "gw0.case") is None, "it has no room"
    note(case)
    note._room[12] ^= 1
    assert last_case(tmp_path / "gw0.case") is None, "somebody wrote over it"
    note(case)
    note(None)
    assert last_case(tmp_path / "gw0.case") is None
    assert last_case(tmp_path / "gw1.case") is None


def test_a_case_over_which_a_worker_died_in_words():
    cell = CellFinished("agreement", "linear", "definition", "torch", "cpu", "float32", "error")
    shown = died_over({**CASE, "device": "cuda"}, "crashed", cell, "", 60.0)
    assert (shown.sentence, shown.case["device"]) == ("crashed", "cuda")
    assert shown.summary == "batch=2, inputs=3, outputs=1, pattern normal, seed 0, float32, cuda"
    assert "x = torch.tensor(" in shown.source
    assert 'subprocess.run([sys.executable, __file__, "child"]' in shown.script
    own = died_over({**CASE, "operation": "mine", "layout": "strided"}, "crashed", cell, "", 60.0)
    assert own.summary == "batch=2, inputs=3, outputs=1, pattern normal, layout strided, seed 0, float32"
    assert own.source == ""


def test_help_has_examples():
    result = CliRunner().invoke(main, ["replay", "--help"])
    assert result.exit_code == 0
    assert "harness replay" in result.stdout.partition("Examples:")[2]
