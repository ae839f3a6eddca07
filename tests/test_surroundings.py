"""What surrounds a run: a full standard output, links among the reports, junk beside good logs, files closed behind its back."""

import gzip
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from harness.errors import HarnessError
from harness.explain.visible import visible
from harness.record import runlog
from harness.record.checked_file import checksum, recorded_file
from harness.report.destination import Destination
from tests.command_line import ask, surroundings
from tests.forkserver import SECONDS

OPERATION = '''
import os
import harness
from jaxtyping import Float
from torch import Tensor


@harness.operation
def row_sums(x: Float[Tensor, "batch d"]) -> Float[Tensor, "batch"]:
    """The sum of every row."""
    return x.sum(-1)


@row_sums.implementation
def wrong(x):
    return x.sum(-1) + x[..., -1]


@row_sums.implementation
def right(x):
    return x.flip(-1).sum(-1)
'''

CLOSING = """

@row_sums.implementation
def closing(x):
    for number in range(3, 300):
        try:
            os.close(number)
        except OSError:
            pass
    return x.sum(-1)
"""

CHECK = ("check", "mine.py", "--profile", "quick", "--dtype", "float32", "-k", "agreement", "--jobs", "1")


def written(folder, *more):
    (folder / "mine.py").write_text("".join((OPERATION, *more)))
    return folder


def program(folder, *words, **settings):
    command = [sys.executable, "-m", "harness", *words]
    return subprocess.Popen(command, cwd=folder, env=surroundings(), stderr=subprocess.PIPE, **settings)


@pytest.mark.parametrize("words", [("--version",), ("list", "linear", "--json"), ("history", "--help")])
def test_a_standard_output_that_is_full_is_a_sentence(tmp_path, words):
    with open("/dev/full", "w") as full:
        done = program(tmp_path, *words, stdout=full)
        _, told = done.communicate(timeout=SECONDS)
    assert (done.returncode, told) == (3, b"harness: No space left on device\n")


@pytest.mark.parametrize("written", [1, 5_000, 20_000])
def test_a_standard_output_that_is_full_keeps_the_exit_code_however_much_is_left_in_it(tmp_path, written):
    refused = (
        "import contextlib, sys; from harness.command.main import main\n"
        f"with contextlib.suppress(OSError): sys.stdout.write('x' * {written})\n"
        "main(['list', 'nothing'], prog_name='harness')"
    )
    buffered = surroundings() | {"PYTHONUNBUFFERED": ""}
    with open("/dev/full", "w") as full:
        done = subprocess.run([sys.executable, "-c", refused], cwd=tmp_path, env=buffered, stdout=full)
    assert done.returncode == 2


def test_an_interrupt_before_it_has_begun_is_a_word(tmp_path):
    began = 'import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); sys.argv[0] = "harness"'
    imported = f"{began}; import harness.starting; print(flush=True); import time; time.sleep({SECONDS})"
    running = subprocess.Popen(
        [sys.executable, "-c", imported],
        cwd=tmp_path,
        env=surroundings(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert running.stdout is not None and running.stdout.readline()
    running.send_signal(signal.SIGINT)
    assert running.communicate(timeout=SECONDS)[1] == b"harness: interrupted\n"


@pytest.mark.parametrize("name", ["runs", "examples"])
def test_a_link_among_the_reports_that_leads_elsewhere_is_refused(tmp_path, name):
    written(tmp_path)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / name).symlink_to(tmp_path / "elsewhere")
    answer = ask(tmp_path, *CHECK)
    assert answer.code == 2 and f"reports/{name} is a link that leads out of reports" in answer.err
    assert not list((tmp_path / "elsewhere").iterdir())


def test_pages_that_could_not_be_written_are_told_before_anything_is_asked(tmp_path):
    written(tmp_path)
    (tmp_path / "reports" / "latest").mkdir(parents=True)
    (tmp_path / "reports" / "latest" / "index.html").write_text("mine")
    answer = ask(tmp_path, *CHECK)
    assert answer.code == 3 and "reports/latest/index.html is not written" in answer.err and "wrong" not in answer.out
    assert not (tmp_path / "reports" / "runs").exists()


def test_nothing_is_left_among_the_temporary_files(tmp_path):
    (tmp_path / "temporary").mkdir()
    answer = ask(written(tmp_path), *CHECK, TMPDIR=str(tmp_path / "temporary"))
    assert answer.code == 1 and not list((tmp_path / "temporary").iterdir())


def test_who_closes_files_behind_its_back_is_an_error_and_harms_nobody_else(tmp_path):
    answer = ask(written(tmp_path, CLOSING), *CHECK, "--limit", "20s")
    verdicts = {cell.implementation: cell.verdict for cell in answer.cells}
    assert verdicts["right"] in ("exact", "rounding") and verdicts["wrong"] == "wrong"
    assert verdicts["closing"] in ("exact", "rounding", "error")
    assert not any("fault" in cell.reason for cell in answer.cells)


def test_a_log_that_can_not_be_read_is_passed_over_by_replay_with_a_note(tmp_path):
    assert ask(written(tmp_path), *CHECK).code == 1
    (tmp_path / "reports" / "runs" / "29990101-000000-aaaaaa.jsonl.gz").write_text("junk")
    answer = ask(tmp_path, "replay", "--save", "kept.jsonl")
    assert answer.code == 0 and "1 counterexample of " in answer.out
    assert "29990101-000000-aaaaaa.jsonl.gz can't be read" in answer.out


def test_what_replay_could_not_read_of_a_log_is_told(tmp_path):
    assert ask(written(tmp_path), *CHECK).code == 1
    (log,) = (tmp_path / "reports" / "runs").iterdir()
    text = gzip.decompress(log.read_bytes()).replace(b'"numbers":', b'"numbers":"x","was":')
    log.write_bytes(gzip.compress(text))
    answer = ask(tmp_path, "replay")
    assert (
        answer.code == 3
        and "has no counterexample; run log " in answer.err
        and "left out (counterexample" in answer.err
    )


def test_what_is_no_log_is_given_up_after_its_first_lines(tmp_path, monkeypatch):
    lines, parsed = tmp_path / "lines.jsonl", []
    lines.write_bytes(b"{}\n" * 100_000)
    monkeypatch.setattr(runlog, "parsed", lambda line: parsed.append(line) or {})
    with pytest.raises(HarnessError, match="its first line is no event"):
        runlog.read(lines)
    assert len(parsed) <= 1_000
    endless = tmp_path / "endless.jsonl"
    with endless.open("wb") as file:
        file.truncate(2**35)  # of which the disk holds nothing
    began = time.process_time()
    with pytest.raises(HarnessError, match="its first line is no event"):
        runlog.read(endless)
    assert time.process_time() - began < 10


def test_a_recorded_file_that_a_link_puts_elsewhere_is_not_imported(tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    (tmp_path / "outside.py").write_text(OPERATION)
    (tmp_path / "here" / "link.py").symlink_to("../outside.py")
    (tmp_path / "here" / "mine.py").write_text(OPERATION)
    monkeypatch.chdir(tmp_path / "here")
    assert recorded_file("mine.py", checksum(Path("mine.py"))) == Path("mine.py")
    with pytest.raises(HarnessError, match="a link leads out of the current folder"):
        recorded_file("link.py", checksum(Path("link.py")))


@pytest.mark.parametrize("character", "\u3164\u115f\u034f\ufe0f\u2800\U000e0100")
def test_letters_that_show_nothing_are_spelled_out(character):
    assert visible(f"a{character}b").isascii()


def test_an_output_does_not_replace_a_run_log(tmp_path):
    log = tmp_path / "run.jsonl.gz"
    log.write_bytes(gzip.compress(b'{"event":"RunStarted"}\n'))
    with pytest.raises(HarnessError, match="can't be written: it is a run log"):
        Destination(os.fspath(log))


def test_a_log_that_expands_without_measure_is_read_as_far_as_one_can(tmp_path, monkeypatch):
    event = b'{"event":"ClaimListed","id":"a","source":"S0","statement":"It holds.","expected":"holds"}\n'
    log = tmp_path / "run.jsonl.gz"
    log.write_bytes(gzip.compress(event * 100_000))
    assert len(runlog.read(log).events) == 100_000 and not runlog.read(log).complaint
    monkeypatch.setattr(runlog, "_LEAST", 2**20)
    found = runlog.read(log)
    assert len(found.events) < 100_000 and "it expands to more than 100 times its size" in found.complaint
