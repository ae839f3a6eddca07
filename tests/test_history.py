"""History: logs are the truth, an index is made of them, and a run is told apart from its baseline."""

from __future__ import annotations

import gzip
import json
import sqlite3
import subprocess
import sys
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from harness.errors import HarnessError, UnknownName
from harness.explain.counterexample import Counterexample
from harness.explain.diagnosis import Diagnosis
from harness.history.history import FOLDERS, INDEX, History
from harness.history.index import Index
from harness.history.schema import prepare
from harness.history.segment import differences, segment
from harness.measure.verdict import Verdict
from harness.record.events import CellFinished, ImplementationListed, RunFinished, RunStarted, Scope
from harness.record.runlog import RunLog, decode, encode, read
from harness.verify.cell_key import CellKey
from tests.forkserver import SECONDS

HERE = {"cpu": "a processor", "packages": {"torch": "2.13.0"}, "revision": "aaaaaaa"}
SUITE = {"prop": "agreement", "operation": "linear", "backend": "torch", "device": "cpu", "dtype": "float32"}


def cell(implementation="fused", verdict="rounding", score=1.0, sentence="", fault="", **more) -> CellFinished:
    shown = None
    if sentence:
        shown = Counterexample(
            {"batch": 1}, "batch=1", "", sentence, diagnosis=Diagnosis(fault, "", "a cause" if fault else "")
        )
    scores = {"score_median": score / 2, "score_high": score, "score_max": score, "allowance": 32.0}
    fields = {**SUITE, "implementation": implementation, "verdict": verdict, "reason": sentence, **scores, **more}
    return CellFinished(counterexample=shown, **fields)


def run(reports: Path, day: int, *cells: CellFinished, finished=True, stopped="", folder="runs", **more) -> str:
    """Put down a run of a day of November, or later, and give its name."""
    when = datetime(2026, 10, 31, tzinfo=UTC) + timedelta(days=day)
    name = f"{when:%Y%m%d}-000000-abcdef"
    started = RunStarted(name, when.isoformat(), ["harness", "run"], 0, HERE)
    with RunLog(reports / folder / f"{name}.jsonl.gz") as log:
        log(replace(started, **more))
        for each in cells:
            log(each)
        if finished:
            log(RunFinished({}, 1.0, 0, stopped))
    return name


@contextmanager
def history_of(reports: Path):
    """The history of a folder, as long as it is looked at."""
    with closing(sqlite3.connect(reports / INDEX, isolation_level=None)) as base:
        prepare(base)
        index = Index(base, [reports / folder for folder in FOLDERS], [])
        index.refresh()
        yield History(reports, index)


def compared(reports: Path, wanted=""):
    """What changed in the latest run."""

    def question(history: History):
        return history.changes(history.latest, history.baseline_of(history.latest, wanted))

    return History.ask(reports, question)


def commit(folder: Path, subject: str) -> str:
    """Commit nothing in a folder's checkout, which is made where there is none, and give the revision."""
    if not (folder / ".git").exists():
        subprocess.run(["git", "init", "-q", "-b", "main", folder], check=True)
    git = ["git", "-C", str(folder), "-c", "user.name=a", "-c", "user.email=a@b"]
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", subject], check=True)
    return subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()


WRONG = {"verdict": "wrong", "sentence": "off by 100 ×", "fault": "b is missing"}


# what changed


def test_without_an_earlier_run_everything_is_new(tmp_path):
    run(tmp_path, 1, cell(**WRONG), cell("other"))
    found = compared(tmp_path)
    assert found.baseline is None
    assert [each.fault.diagnosis for each in found.new] == ["b is missing"]
    assert found.sentence == "There is no earlier run to compare with."


def test_a_fault_is_new_then_known_then_fixed(tmp_path):
    run(tmp_path, 1, cell(), cell("other"))
    run(tmp_path, 2, cell(**WRONG), cell("other"))
    found = compared(tmp_path)
    assert [each.fault.implementation for each in found.new] == ["fused"]
    assert not (found.known or found.fixed or found.lost)
    assert found.sentence == "Against the run of 2026-11-01 00:00: 1 new."
    run(tmp_path, 3, cell(**WRONG), cell("other"))
    found = compared(tmp_path)
    assert not (found.new or found.fixed)
    assert [each.first_seen.at[:10] for each in found.known] == ["2026-11-02"]
    assert [each.last_good.at[:10] for each in found.known] == ["2026-11-01"]
    run(tmp_path, 4, cell(), cell("other"))
    found = compared(tmp_path)
    assert not (found.new or found.known)
    assert [each.fault.diagnosis for each in found.fixed] == ["b is missing"]
    assert found.sentence.endswith(": 1 fixed.")
    run(tmp_path, 5, cell(), cell("other"))
    assert compared(tmp_path).sentence.endswith(": nothing changed.")


def test_one_cause_in_other_words_or_in_another_cell_stays_known(tmp_path):
    run(tmp_path, 1, cell(**WRONG))
    run(tmp_path, 2, cell(**{**WRONG, "fault": "b is zero"}))
    assert [each.fault.diagnosis for each in compared(tmp_path).known] == ["b is zero"]
    run(tmp_path, 3, cell(**{**WRONG, "fault": "b is zero"}, dtype="float64"), cell())
    assert [each.fault.diagnosis for each in compared(tmp_path).known] == ["b is zero"]


def test_what_gets_worse_is_new(tmp_path):
    run(tmp_path, 1, cell(verdict="unstable", sentence="loses digits"))
    run(tmp_path, 2, cell(**WRONG))
    found = compared(tmp_path)
    assert [each.fault.verdict.value for each in found.new] == ["wrong"]
    assert not found.fixed


def test_a_known_finding_is_never_new_and_its_absence_mends_nothing(tmp_path):
    run(tmp_path, 1, cell())
    run(tmp_path, 2, cell(**WRONG, known="reported there"))
    assert [each.fault.known for each in compared(tmp_path).known] == ["reported there"]
    run(tmp_path, 3, cell())
    assert not compared(tmp_path).fixed


def test_what_is_not_answered_any_more_is_lost_and_not_fixed(tmp_path):
    run(tmp_path, 1, cell(**WRONG), cell("other"), cell("third"), cell("fourth"))
    gone = ImplementationListed("linear", "fourth", "jax", [], "", "jax is not installed")
    name = run(tmp_path, 2, cell("other", "unsupported", reason="no autograd"))
    with RunLog(tmp_path / "runs" / f"{name}.jsonl.gz") as log:
        log(gone)
    found = compared(tmp_path)
    assert not found.fixed
    assert {each.implementation: each.reason for each in found.lost} == {
        "fused": "it is not asked any more",
        "other": "no autograd",
        "third": "it is not asked any more",
        "fourth": "jax is not installed",
    }
    assert found.lost_cells == 4


def test_nothing_is_lost_that_was_not_meant_to_be_asked(tmp_path):
    run(tmp_path, 1, cell(), cell(operation="gru"), cell(dtype="float64"))
    run(tmp_path, 2, cell(), scope=Scope(operations=["linear"], dtypes=["float32"]))
    assert not compared(tmp_path).lost
    run(tmp_path, 3, cell(), scope=Scope(keyword="agreement"))
    assert not compared(tmp_path).lost
    run(tmp_path, 4, cell(), scope=Scope(profile="quick"))
    assert not compared(tmp_path).lost


def test_a_run_that_stopped_early_says_why_cells_are_lost(tmp_path):
    run(tmp_path, 1, cell(), cell("other"))
    run(tmp_path, 2, cell(), stopped="the time budget of 5 s was spent")
    assert [each.reason for each in compared(tmp_path).lost] == ["the time budget of 5 s was spent"]


def test_growth_is_told_within_a_segment_alone(tmp_path):
    run(tmp_path, 1, cell(score=2.0), cell("other", score=2.0), cell("third", score=0.1))
    run(tmp_path, 2, cell(score=9.0), cell("other", score=2.2), cell("third", score=0.5))
    (grown,) = compared(tmp_path).grown
    assert (grown.cell, grown.ratio) == ("agreement[linear/fused-cpu-float32]", 4.5)
    assert [point.largest for point in grown.series] == [2.0, 9.0]
    torch = {**HERE, "packages": {"torch": "2.14.0"}}
    run(tmp_path, 3, cell(score=90.0), environment=torch)
    found = compared(tmp_path)
    assert not found.grown
    assert not found.same_segment
    assert [(each.name, each.before, each.after, each.parts) for each in found.environment] == [
        ("torch", "2.13.0", "2.14.0", True)
    ]
    run(tmp_path, 4, cell(score=99.0))
    (grown,) = compared(tmp_path).grown
    assert [point.largest for point in grown.series] == [2.0, 9.0, 99.0]


# another machine


THERE = {**HERE, "cpu": "another", "instructions": "avx avx2", "revision": "bbbbbbb"}


def test_a_first_run_on_another_machine_blames_nothing_on_the_code(tmp_path):
    run(tmp_path, 1, cell(), cell("other", **WRONG), cell("third", **WRONG))
    run(tmp_path, 2, cell(**WRONG), cell("other"), cell("third", **WRONG), environment=THERE)
    found = compared(tmp_path)
    assert not (found.new or found.fixed or found.grown) and found.first_here
    (unseen,), (elsewhere,), (known,) = found.unseen, found.elsewhere, found.known
    assert [each.fault.implementation for each in (unseen, elsewhere, known)] == ["fused", "other", "third"]
    assert all(each.last_good is None and not each.revisions for each in (unseen, elsewhere, known))
    assert found.sentence == (
        "This is the first run on this machine. Beside the run of 2026-11-01 00:00 on another machine "
        "(cpu a processor, now another): 1 not seen on this machine before, 1 seen only there."
    )
    run(tmp_path, 3, cell(**WRONG), cell("other", **WRONG), cell("third", **WRONG), environment=THERE)
    found = compared(tmp_path)
    assert found.baseline.at == "2026-11-02 00:00"
    assert [each.fault.implementation for each in found.new] == ["other"] and not found.unseen


def test_what_holds_on_another_machine_makes_no_commit_suspect(tmp_path):
    """Two machines by turns: what fell on one alone came with the commits between its own runs, or with none."""
    checkout = tmp_path / "checkout"
    made = [commit(checkout, subject) for subject in ("one", "two", "three", "four")]
    reports = checkout / "reports"
    here, there = ({**where, "revision": None} for where in (HERE, THERE))
    run(reports, 1, cell(), environment={**here, "revision": made[0]})
    run(reports, 2, cell(**WRONG), environment={**there, "revision": made[1]})
    run(reports, 3, cell(), environment={**here, "revision": made[2]})
    run(reports, 4, cell(**WRONG), environment={**there, "revision": made[3]})
    (known,) = compared(reports).known
    assert (known.first_seen.at[:10], known.last_good, known.revisions) == ("2026-11-02", None, ())
    run(reports, 5, cell(**WRONG), environment={**here, "revision": made[3]})
    (new,) = compared(reports).new
    assert new.last_good.at[:10] == "2026-11-03"
    assert [line.partition(" ")[2] for line in new.revisions] == ["four"]


def test_beside_a_run_of_another_machine_what_was_seen_here_is_known(tmp_path):
    there = run(tmp_path, 1, cell())
    run(tmp_path, 2, cell(**WRONG), environment=THERE)
    run(tmp_path, 3, cell(**WRONG), cell("other", **WRONG), environment=THERE)
    found = compared(tmp_path, there)
    assert [each.fault.implementation for each in found.unseen] == ["other"]
    assert [each.fault.implementation for each in found.known] == ["fused"] and not found.first_here


# the baseline


def test_the_baseline_is_the_latest_run_that_asked_as_much(tmp_path):
    everything = run(tmp_path, 1, cell())
    run(tmp_path, 2, cell(), scope=Scope(operations=["linear"]))
    run(tmp_path, 3, cell(), candidates="/there/mine.py")
    run(tmp_path, 4, cell(), finished=False)
    run(tmp_path, 5, cell(), stopped="interrupted")
    run(tmp_path, 6, cell(), scope=Scope(profile="quick"))
    run(tmp_path, 7, cell())
    assert compared(tmp_path).baseline.name == everything
    latest = run(tmp_path, 8, cell(), environment={**HERE, "cpu": "another"})
    assert compared(tmp_path).baseline.at == "2026-11-07 00:00"
    run(tmp_path, 9, cell(), environment={**HERE, "cpu": "another"})
    assert compared(tmp_path).baseline.name == latest


def test_the_previous_run_is_the_one_before_on_whatever_pytorch(tmp_path):
    """So that one release after another is told apart, the second time too."""
    run(tmp_path, 1, cell(), environment={**HERE, "packages": {"torch": "2.12.1"}})
    assert compared(tmp_path, "previous").baseline is None
    before = run(tmp_path, 2, cell(), environment={**HERE, "packages": {"torch": "2.13.0"}})
    run(tmp_path, 3, cell(**WRONG), environment={**HERE, "packages": {"torch": "2.12.1"}})
    run(tmp_path, 4, cell(), scope=Scope(profile="quick"))
    with history_of(tmp_path) as history:
        last = history.named("20261103")
        found = history.changes(last, history.baseline_of(last, "previous"))
        assert history.changes(last, history.baseline_of(last)).baseline.name != before
    assert found.baseline.name == before and (len(found.new), len(found.unseen)) == (0, 1)
    assert found.sentence == (
        "Beside the run of 2026-11-02 00:00 with another torch (torch 2.13.0, now 2.12.1): "
        "1 not seen with this torch before."
    )


def test_a_run_of_another_profile_is_no_baseline_unless_it_is_named(tmp_path):
    """What a quick run did not look for long enough to find is not new, and what it does not show is not fixed."""
    quick = run(tmp_path, 1, cell(), scope=Scope(profile="quick"))
    run(tmp_path, 2, cell(**WRONG), scope=Scope(profile="default"))
    assert compared(tmp_path).baseline is None
    assert compared(tmp_path, quick).baseline.name == quick
    run(tmp_path, 3, cell(), scope=Scope(profile="quick"))
    assert compared(tmp_path).baseline.name == quick


@pytest.mark.parametrize(
    ("before", "now", "is_baseline"),
    [
        (Scope(), Scope(dtypes=["float32"]), True),
        (Scope(), Scope(dtypes=["bf32"]), False),
        (Scope(dtypes=["bf32", "float32"]), Scope(dtypes=["bf32"]), True),
        (Scope(), Scope(backends=["numpy"]), True),
        (Scope(), Scope(backends=["torch.compile"]), False),
        (Scope(backends=["torch.compile"]), Scope(), False),
        (Scope(backends=["torch.compile"]), Scope(backends=["torch.compile"]), True),
    ],
)
def test_what_has_to_be_named_is_in_no_run_that_did_not_name_it(tmp_path, before, now, is_baseline):
    run(tmp_path, 1, cell(), scope=before)
    run(tmp_path, 2, cell(), scope=now)
    assert (compared(tmp_path).baseline is not None) is is_baseline


def test_a_committed_run_is_a_baseline_too(tmp_path):
    committed = run(tmp_path, 1, cell(), folder="baseline")
    run(tmp_path, 2, cell())
    assert compared(tmp_path).baseline.name == committed


def test_a_baseline_is_named_by_run_log_or_branch(tmp_path):
    made = [commit(tmp_path, subject) for subject in ("one", "two", "three")]
    subprocess.run(["git", "-C", str(tmp_path), "branch", "old", made[0]], check=True)
    reports = tmp_path / "reports"
    first = run(reports, 1, cell(), environment={**HERE, "revision": made[0]})
    run(reports, 2, cell(), environment={**HERE, "revision": made[1] + "+"})
    run(reports, 3, cell(**WRONG), environment={**HERE, "revision": made[2]})
    for what in ("old", first, first[:10], f"reports/runs/{first}.jsonl.gz"):
        assert compared(reports, what).baseline.name == first, what
    (new,) = compared(reports).new
    assert [line.partition(" ")[2] for line in new.revisions] == ["three"]
    with pytest.raises(UnknownName, match="no run, log or branch is called 'nothing'"):
        compared(reports, "nothing")
    with pytest.raises(UnknownName, match="no run, log or branch is called '--output=x'"):
        compared(reports, "--output=x")


# logs and the index


def test_the_index_is_rebuilt_when_it_is_gone_or_no_index(tmp_path):
    run(tmp_path, 1, cell())
    for spoil in (Path.unlink, lambda index: index.write_bytes(b"no database at all, but long enough to be read" * 9)):
        run(tmp_path, 2, cell(**WRONG))
        assert len(compared(tmp_path).new) == 1
        spoil(tmp_path / INDEX)
        assert len(compared(tmp_path).new) == 1


def test_a_log_that_is_gone_is_forgotten_and_one_that_grew_is_read_again(tmp_path):
    run(tmp_path, 1, cell())
    name = run(tmp_path, 2, cell(), finished=False)
    with history_of(tmp_path) as history:
        assert [each.finished is None for each in history.runs] == [True, False]
    with RunLog(tmp_path / "runs" / f"{name}.jsonl.gz") as log:
        log(RunFinished({}, 1.0, 0))
    with history_of(tmp_path) as history:
        assert [each.finished is None for each in history.runs] == [False, False]
    (tmp_path / "runs" / f"{name}.jsonl.gz").unlink()
    with history_of(tmp_path) as history:
        assert len(history.runs) == 1


def test_a_damaged_log_is_read_as_far_as_it_goes(tmp_path):
    log = tmp_path / "runs" / f"{run(tmp_path, 1, *(cell(f'way{n}') for n in range(9)))}.jsonl.gz"
    whole = log.read_bytes()
    assert read(log).complaint == ""
    log.write_bytes(whole[: len(whole) * 9 // 10])  # as a kill leaves it
    found = read(log)
    assert 1 < len(found.events) < 11
    assert not found.complaint
    damaged = bytearray(whole)
    damaged[len(damaged) * 9 // 10] ^= 0xFF
    log.write_bytes(bytes(damaged))
    assert len(read(log).events) > 7  # all that comes before the damage
    with history_of(tmp_path) as history:
        assert len(history.runs) == 1
        (complaint,) = history.complaints
        assert str(log) in complaint
        assert "is damaged" in complaint


def test_a_damaged_line_is_left_out_and_told(tmp_path):
    log = tmp_path / "a.jsonl"
    log.write_text(encode(cell()) + "\n{ no event }\n" + encode(cell("other")) + '\n{"event": "CellFin')
    found = read(log)
    assert [event.implementation for event in found.events] == ["fused", "other"]
    assert found.complaint == f"run log {log} is damaged: line 2 of 4 left out (it is no JSON)"
    log.write_text("nothing\nof the kind\n")
    with pytest.raises(HarnessError, match="its first line is no event"):
        read(log)


def test_a_log_of_a_newer_format_is_refused_and_the_others_are_kept(tmp_path):
    run(tmp_path, 1, cell())
    newer = encode(RunStarted("r", "2027", [], 0, {}, format=99)).replace('"seed"', '"grain"')
    (tmp_path / "runs" / "20270101.jsonl.gz").write_bytes(gzip.compress(f"{newer}\n".encode()))
    with history_of(tmp_path) as history:
        assert len(history.runs) == 1
        (complaint,) = history.complaints
        assert "has format 99, this harness reads up to 1; install a newer one" in complaint


WRITER = """
import sys
from pathlib import Path
from tests.test_history import cell, run
from harness.history.history import History
for day in range(int(sys.argv[2]), 29, 2):
    run(Path(sys.argv[1]), day, cell(), cell("other"))
    assert History.ask(Path(sys.argv[1]), lambda history: history.runs)
"""


def test_two_processes_that_write_at_once_lose_nothing(tmp_path):
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), str(first)]) for first in (1, 2)]
    assert [each.wait(timeout=SECONDS) for each in writers] == [0, 0]
    with history_of(tmp_path) as history:
        assert len(history.runs) == 28
        assert all(len(history.index.verdicts(each, (1, 2))) == 2 for each in history.runs)
        assert len(history.index.series(history.index.number(("agreement", "linear", "fused", "cpu", "float32")))) == 28


def test_halves_of_surrogate_pairs_are_spelled_out(tmp_path):
    run(tmp_path, 1, cell("\ud800", "wrong", sentence="off \udfff", fault="\ud800"))
    with history_of(tmp_path) as history:
        (fault,) = history.index.faults(history.runs[0])
        assert (fault.implementation, fault.sentence, fault.diagnosis) == (r"\ud800", r"off \udfff", r"\ud800")
        assert history.index.number(("agreement", "linear", "\ud800", "cpu", "float32")) == fault.keys[0]


def test_the_points_of_an_operation_are_those_of_its_last_runs(tmp_path):
    run(tmp_path, 1, cell(score=1.0), cell("other"), cell(operation="gru"), cell(prop="layouts", score=9.0))
    run(tmp_path, 2, cell(operation="gru"))
    run(tmp_path, 3, cell(score=3.0), environment={**HERE, "cpu": "another"})
    run(tmp_path, 4, cell(score=4.0), candidates="/mine.py")
    run(tmp_path, 5, cell(score=5.0), cell(dtype="float64"))
    with history_of(tmp_path) as history:
        index, key = history.index, ("agreement", "linear", "fused", "cpu", "float32")
        found = index.agreement("linear")
        assert [point.largest for point in found[key]] == [1.0, 3.0, 5.0]
        assert [(name[2], name[4], len(points)) for name, points in sorted(found.items())] == [
            ("fused", "float32", 3),
            ("fused", "float64", 1),
            ("other", "float32", 1),
        ]
        assert [point.largest for point in index.agreement("linear", last=2)[key]] == [3.0, 5.0]
        assert [point.largest for point in index.agreement("linear", candidates="/mine.py")[key]] == [4.0]
        here = history.runs[0].segment
        assert [point.largest for point in index.agreement("linear", of=here)[key]] == [1.0, 5.0]
        assert index.agreement("nothing") == {}


def test_a_comparison_asks_a_few_questions_however_many_faults_there_are(tmp_path):
    def bad(count, fault):
        return [cell(f"way{n}", **{**WRONG, "fault": fault}) for n in range(count)]

    run(tmp_path, 1, *(cell(f"way{n}") for n in range(300)))
    run(tmp_path, 2, *bad(200, "b is missing"), cell("way299", verdict="inconclusive"))
    asked = []
    with history_of(tmp_path) as history:
        latest, before = history.runs
        history.index._base.set_trace_callback(asked.append)
        found = history.changes(latest, before)
    assert len(found.new) == 200
    assert {each.last_good.name for each in found.new} == {before.name}
    assert sum(len(each.cells) for each in found.lost) == 100
    assert len(asked) < 40


# segments


@pytest.mark.parametrize(
    ("change", "parts"),
    [
        ({"cpu": "another"}, True),
        ({"instructions": "avx avx2"}, True),
        ({"kernels": {"ATEN_CPU_CAPABILITY": "avx2"}}, True),
        ({"cuda": [{"name": "H200"}]}, True),
        ({"driver": "600"}, True),
        ({"tf32": {"matmul": True}}, True),
        ({"threads": 2}, True),
        ({"torch build": "CUDA 13"}, True),
        ({"packages": {"torch": "2.13.0", "keras": "4"}}, False),
        ({"python": "3.14"}, False),
        ({"revision": "bbbbbbb"}, False),
    ],
)
def test_what_parts_two_segments(change, parts):
    there = {**HERE, **change}
    assert (segment(HERE) != segment(there)) is parts
    told = differences(HERE, there)
    assert [each.parts for each in told] == ([] if "revision" in change else [parts])


def test_a_log_of_an_earlier_version_reads_in_todays_words():
    told = {"prop": "agreement", "operation": "linear", "implementation": "fused", "backend": "torch", "device": "cpu"}
    earlier = {**told, "dtype": "float32", "verdict": "uninformative", "tally": {"uninformative": 3, "exact": 1}}
    event = decode(json.dumps({"event": "CellFinished", **earlier}))
    assert (event.verdict, event.tally) == (Verdict.INCONCLUSIVE, {Verdict.INCONCLUSIVE: 3, Verdict.EXACT: 1})
    assert "uninformative" not in encode(event)


@pytest.mark.parametrize("implementation", ["fused", "nn.GRU", "two-words-in-float16", "a/b[c]", "one\ntwo"])
def test_a_cell_s_key_can_be_read_back(implementation):
    key = CellKey("agreement", "linear", implementation, "cpu", "float32")
    assert CellKey.parse(str(key)) == key
    assert CellKey.parse(f"cells.py::{key}") != key and CellKey.parse(implementation) is None
