"""Processes and folders of a run: none is left, whatever implementations start and however the run ends."""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from harness.command.importing import rehearse_import
from harness.errors import InfrastructureError
from harness.execute import companion
from harness.execute.companion import OWNER, VARIABLE, inscription, left_of, remove_stale
from harness.execute.scratch import scratch
from tests.command_line import SECONDS, Answer, ask, surroundings

FLOAT32 = ("--dtype", "float32", "--device", "cpu", "--examples", "4", "--profile", "quick", "-k", "agreement")

BREEDING = """
import ctypes, multiprocessing, os, signal, subprocess, sys, time
from pathlib import Path
import torch
from harness.operations.linear import linear

PIDS = Path({pids!r})

def note(name):
    (PIDS / f"{{name}}-{{os.getpid()}}").touch()

def stay(name):
    note(name)
    time.sleep(3600)
    os._exit(0)

def waiting(name):
    return f"touch {{PIDS}}/{{name}}-$$; exec sleep 3600"

def is_first(name):
    return not list(PIDS.glob(f"{{name}}-*"))

def fork(name, *, session):
    if os.fork() == 0:
        if session:
            os.setsid()
        stay(name)
    while is_first(name):
        time.sleep(0.01)

"""

IMPLEMENTATIONS = """
subprocess.Popen(["sh", "-c", waiting("imported")], start_new_session=True)

@linear.implementation
def forks(x, W, b):
    if is_first("forks"):
        fork("forks", session=False)
    return torch.nn.functional.linear(x, W, b)

@linear.implementation
def forks_in_a_session(x, W, b):
    if is_first("forks_in_a_session"):
        fork("forks_in_a_session", session=True)
    return torch.nn.functional.linear(x, W, b)

@linear.implementation
def forks_twice(x, W, b):
    if is_first("forks_twice"):
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                stay("forks_twice")
            os._exit(0)
        os.wait()
    return torch.nn.functional.linear(x, W, b)

@linear.implementation
def starts_a_session(x, W, b):
    if is_first("starts_a_session"):
        subprocess.Popen(["sh", "-c", waiting("starts_a_session")], start_new_session=True)
    return torch.nn.functional.linear(x, W, b)

@linear.implementation
def forgets_the_environment(x, W, b):
    if is_first("forgets_the_environment"):
        subprocess.Popen(["sh", "-c", waiting("forgets_the_environment")], start_new_session=True, env={})
    return torch.nn.functional.linear(x, W, b)

@linear.implementation
def multiprocesses(x, W, b):
    if is_first("multiprocesses"):
        multiprocessing.get_context("fork").Process(target=stay, args=("multiprocesses",)).start()
    return torch.nn.functional.linear(x, W, b)

@linear.implementation
def crashes(x, W, b):
    fork("crashes", session=True)
    ctypes.string_at(0)

@linear.implementation
def hangs(x, W, b):
    fork("hangs", session=False)
    while True:
        pass
"""

HANGING = """
@linear.implementation
def hangs(x, W, b):
    fork("forked", session=True)
    subprocess.Popen(["sh", "-c", waiting("started")], start_new_session=True, stdout=subprocess.DEVNULL)
    note("worker")
    while True:
        pass
"""


def noted(folder: Path) -> dict[str, list[int]]:
    """The processes that put themselves down, by what they were started as."""
    found: dict[str, list[int]] = {}
    for file in folder.iterdir():
        name, _, pid = file.name.rpartition("-")
        found.setdefault(name, []).append(int(pid))
    return found


def alive(pids) -> list[int]:
    return [pid for pid in pids if psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE]


def until(happened) -> None:
    """Wait for an event; SECONDS are what nothing takes."""
    end = time.monotonic() + SECONDS
    while not happened():
        assert time.monotonic() < end
        time.sleep(0.02)


def written(folder: Path, source: str) -> Path:
    pids = folder / "pids"
    pids.mkdir()
    file = folder / "mine.py"
    file.write_text(BREEDING.format(pids=str(pids)) + source)
    return file


# a run that ends by itself


@pytest.fixture(scope="module")
def bred(tmp_path_factory) -> tuple[Answer, dict[str, list[int]], Path]:
    folder = tmp_path_factory.mktemp("bred")
    temporary = folder / "tmp"
    temporary.mkdir()
    file = written(folder, IMPLEMENTATIONS)
    answer = ask(folder, "check", str(file), *FLOAT32, "--limit", "5s", "--json", TMPDIR=str(temporary))
    return answer, noted(folder / "pids"), temporary


@pytest.mark.parametrize(
    "how",
    [
        *("imported", "forks", "forks_in_a_session", "forks_twice", "starts_a_session"),
        *("forgets_the_environment", "multiprocesses", "crashes", "hangs"),
    ],
)
def test_no_process_is_left_of_a_run(bred, how):
    _, pids, _ = bred
    assert pids[how]
    assert not alive(pids[how])


def test_no_folder_is_left_of_a_run(bred):
    assert not list(bred[2].glob("harness-*"))


def test_a_worker_that_dies_is_noticed_although_its_copy_lives(bred):
    answer, _, _ = bred
    verdicts = {cell.implementation: cell.verdict for cell in answer.cells}
    assert answer.code == 1
    assert (verdicts.pop("crashes"), verdicts.pop("hangs")) == ("error", "error")
    assert not {"error", "wrong"} & set(verdicts.values())
    (crashed,) = answer.of("crashes")
    assert "crashed the interpreter: Segmentation fault at mine.py" in crashed.reason
    assert crashed.counterexample.source  # although what its import starts has the outputs of whoever describes it


# a run that is ended


@contextmanager
def running(folder: Path):
    """A run in the midst of a case, which never ends; its pids, with its companion's, and the place of its folder."""
    temporary = folder / "tmp"
    temporary.mkdir()
    file = written(folder, HANGING)
    run = subprocess.Popen(
        [sys.executable, "-m", "harness", "check", str(file), *FLOAT32, "--limit", "1h", "--jobs", "1"],
        cwd=folder,
        env=surroundings(TMPDIR=str(temporary)),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        until(lambda: {"worker", "forked", "started"} <= noted(folder / "pids").keys() or run.poll() is not None)
        assert run.poll() is None, run.stdout.read()
        yield run, [pid for pids in noted(folder / "pids").values() for pid in pids], temporary
    finally:
        run.kill()
        run.communicate()


@pytest.mark.parametrize(
    ("by", "code"), [(signal.SIGKILL, -signal.SIGKILL), (signal.SIGTERM, 128 + signal.SIGTERM), (signal.SIGINT, 130)]
)
def test_nothing_is_left_of_a_run_that_is_ended(tmp_path, by, code):
    with running(tmp_path) as (run, pids, temporary):
        assert alive(pids) == pids
        assert len(list(temporary.glob("harness-*"))) == 1
        run.send_signal(by)
        assert run.wait(SECONDS) == code
        if by == signal.SIGKILL:
            until(lambda: not alive(pids) and not list(temporary.glob("harness-*")))
        assert not alive(pids)
        assert not list(temporary.glob("harness-*"))
        run.stdout.read()  # nobody holds it any more


def test_what_is_left_where_the_companion_was_killed_as_well_is_removed_by_the_next_run(tmp_path, monkeypatch):
    with running(tmp_path) as (run, pids, temporary):
        (beside,) = (each for each in psutil.Process(run.pid).children() if companion.__file__ in each.cmdline())
        (server,) = (each for each in psutil.Process(run.pid).children() if each != beside)
        for each in (beside, server, run):
            each.kill()
        run.wait()
    until(lambda: not alive([beside.pid, server.pid]))
    until(lambda: len(alive(pids)) < len(pids))  # the worker ends with the server
    assert alive(pids)
    (stale,) = temporary.glob("harness-*")
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    with scratch() as folder:
        until(lambda: not stale.exists())
        assert folder.exists()
    until(lambda: not alive(pids))


# whose folder it is


@pytest.fixture
def temporary(tmp_path, monkeypatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_a_folder_that_somebody_else_made_is_not_touched(temporary):
    for name in ("harness-foo", "harness-bar", "harness-copy", "elsewhere"):
        (temporary / name).mkdir()
    (temporary / "harness-bar" / OWNER).write_text("me")
    (temporary / "harness-copy" / OWNER).write_bytes(inscription(temporary / "harness-qwertyui"))
    (temporary / "elsewhere" / OWNER).write_bytes(inscription(temporary / "harness-link"))
    (temporary / "harness-link").symlink_to(temporary / "elsewhere")
    (temporary / "harness-file").touch()
    before = sorted(temporary.rglob("*"))
    remove_stale(temporary)
    assert sorted(temporary.rglob("*")) == before


def test_the_folder_of_a_run_that_lives_is_not_touched_and_a_stale_one_is_removed(temporary):
    stale = temporary / "harness-stale"
    (stale / "deep").mkdir(parents=True)
    (stale / OWNER).write_bytes(inscription(stale))
    with scratch() as folder:
        remove_stale(temporary)
        assert not stale.exists()
        assert (folder / OWNER).exists()
        with scratch() as inner:
            assert folder.exists() and inner.exists()
        assert folder.exists() and not inner.exists()
    assert not list(temporary.iterdir())


def test_what_another_run_started_is_left_alone(temporary, monkeypatch):
    with scratch() as folder:
        child = subprocess.Popen(["sleep", "3600"])
        until(lambda: child.pid in [each.pid for each in left_of(folder)])
        assert child.pid not in [each.pid for each in left_of(folder.with_name(f"{folder.name}x"))]
        assert child.poll() is None
    assert child.wait(SECONDS) == -signal.SIGKILL


def test_the_environment_is_as_it_was(temporary, monkeypatch):
    monkeypatch.setenv(VARIABLE, "an outer run's")
    environment = dict(companion.os.environ)
    with scratch() as folder:
        assert companion.os.environ[VARIABLE] == str(folder)
    assert dict(companion.os.environ) == environment


def test_a_folder_that_cannot_be_made_is_refused_in_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    with (
        pytest.raises(InfrastructureError, match=r"missing: No such file or directory; make room there, or name"),
        scratch(),
    ):
        pass


IMPORTED = """
fork("led", session=True)
fork("plain", session=False)

@linear.implementation
def f(x, W, b):
    return x
"""


def test_an_import_leaves_nothing(tmp_path, temporary):
    file = written(tmp_path, IMPORTED)
    assert [each.implementation for each in rehearse_import(file, 60.0, None).implementations] == ["f"]
    pids = noted(tmp_path / "pids")
    assert pids.keys() == {"led", "plain"}
    until(lambda: not alive([pid for each in pids.values() for pid in each]))


# a worker that the system kills

KILLED = """
import os, signal, torch
from pathlib import Path
from harness.operations.linear import linear

def once(name):
    marker = Path({folder!r}, name)
    if not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)

@linear.implementation
def sound(x, W, b):
    once("sound")
    return torch.nn.functional.linear(x, W, b)

@linear.implementation
def wrong(x, W, b):
    once("wrong")
    return 2 * torch.nn.functional.linear(x, W, b) + 1

@linear.implementation
def always(x, W, b):
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_worker_that_the_system_kills_once_convicts_nobody(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(KILLED.format(folder=str(tmp_path)))
    answer = ask(tmp_path, "check", str(file), *FLOAT32, "--jobs", "1", "--json")
    (sound,), (wrong,), (always,) = (answer.of(name) for name in ("sound", "wrong", "always"))
    assert (sound.verdict, wrong.verdict, always.verdict) == ("unsupported", "wrong", "error")
    assert sound.reason == (
        "mine.py: sound: no answer: its worker was ended by SIGKILL; the system does that when memory runs out; "
        "that did not happen when it was asked again"
    )
    assert always.reason == "mine.py: always: was ended by SIGKILL; the system does that when memory runs out"
    assert answer.code == 1


# an implementation that ends or stops what it is a child of, or itself

STOPPING = """
import os, signal, torch
from pathlib import Path
from harness.operations.linear import linear

def once(name):
    marker = Path({folder!r}, name)
    return not marker.exists() and (marker.touch() or True)

@linear.implementation
def sound(x, W, b):
    return torch.nn.functional.linear(x, W, b)

@linear.implementation
def chance(x, W, b):
    if once("chance"):
        os.kill(os.getppid(), signal.SIGKILL)
        signal.pause()  # until its own end, which may come a while after
    return torch.nn.functional.linear(x, W, b)

@linear.implementation
def kills_its_parent(x, W, b):
    os.kill(os.getppid(), signal.SIGKILL)
    while True:
        pass

@linear.implementation
def stops_its_parent(x, W, b):
    if once("stops_its_parent"):
        os.kill(os.getppid(), signal.SIGSTOP)
    os._exit(5)

@linear.implementation
def stops(x, W, b):
    os.kill(os.getpid(), signal.SIGSTOP)
"""


def test_what_ends_or_stops_the_process_that_starts_the_workers_costs_itself_a_verdict_and_nobody_else(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(STOPPING.format(folder=str(tmp_path)))
    answer = ask(tmp_path, "check", str(file), *FLOAT32, "--jobs", "2", "--json")
    names = ("sound", "chance", "kills_its_parent", "stops_its_parent", "stops")
    found = {name: each for name in names for each in answer.of(name)}
    assert {name: each.verdict for name, each in found.items()} == {
        "sound": found["sound"].verdict,
        "chance": "unsupported",
        "kills_its_parent": "error",
        "stops_its_parent": "error",
        "stops": "error",
    }
    assert (
        found["sound"].verdict in ("exact", "rounding")
        or "did not happen when it was asked again" in found["sound"].reason
    )
    gone = "ended with the process that starts the workers"
    assert (
        found["chance"].reason
        == f"mine.py: chance: no answer: its worker {gone}; that did not happen when it was asked again"
    )
    assert found["kills_its_parent"].reason == f"mine.py: kills_its_parent: {gone}"
    assert "ended the process with exit status 5" in found["stops_its_parent"].reason
    assert "was stopped by SIGSTOP" in found["stops"].reason
    assert answer.code == 1


SUSPECTS = """
import os, signal, time, torch
from pathlib import Path
from harness.operations.linear import linear

def note(name):
    Path({folder!r}, name).touch()

def noted(name):
    return Path({folder!r}, name).exists()

@linear.implementation(dtypes=["float32"])
def innocent(x, W, b):
    if not noted("once"):
        note("once")
        time.sleep(3600)
    if not noted("again"):
        note("again")
        time.sleep(2)  # in which the other one would end both, were it asked beside
    return torch.nn.functional.linear(x, W, b)

@linear.implementation(dtypes=["float64"])
def kills_its_parent(x, W, b):
    while not noted("once"):
        time.sleep(0.01)
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(3600)
"""


def test_of_two_that_lose_their_workers_at_once_the_one_that_does_it_again_answers_for_it(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(SUSPECTS.format(folder=str(tmp_path)))
    words = ("--dtype", "float32", "--dtype", "float64", "--device", "cpu", "--profile", "quick", "-k", "agreement")
    answer = ask(tmp_path, "check", str(file), *words, "--jobs", "2", "--json")
    (innocent,), (guilty,) = answer.of("innocent"), answer.of("kills_its_parent")
    assert (innocent.verdict, guilty.verdict) == ("unsupported", "error"), (innocent.reason, guilty.reason)
    assert "did not happen when it was asked again" in innocent.reason
