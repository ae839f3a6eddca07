"""The fork server: what it starts has what it is given, ends as it ends, and outlives nobody."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from harness.execute.fork_server import ForkServer, ServerEnded, fork_server
from tests.command_line import SECONDS, surroundings

HERE = __name__


# what is called in the process that is forked


def says_where_it_is(line, word):
    line.send((word, str(Path.cwd()), os.environ["GIVEN"], os.getpid(), os.getpgrp(), sys.path))


def ends(line, how):
    if how == "raises":
        raise RuntimeError
    if how == "exits":
        sys.exit(5)
    if how == "is killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if how == "leaves":
        os._exit(7)
    if how == "is stopped":
        os.kill(os.getpid(), signal.SIGSTOP)


def stays(line):
    if os.fork():
        line.send(os.getpid())
    line.recv()  # for ever


@pytest.fixture(scope="module")
def server():
    return fork_server()


def test_what_is_forked_has_its_orders_its_folder_and_its_variables(server, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    child = server.fork(f"{HERE}:says_where_it_is", {"GIVEN": "42"}, word="order")
    word, folder, given, pid, group, paths = child.line.recv()
    assert (word, folder, given, pid, group) == ("order", str(tmp_path), "42", child.pid, child.pid)
    assert paths == sys.path
    assert "GIVEN" not in os.environ
    assert child.wait(SECONDS) == 0


@pytest.mark.parametrize(
    ("how", "status"),
    [
        ("returns", 0),
        ("raises", 1),
        ("exits", 5),
        ("is killed", -signal.SIGKILL),
        ("leaves", 7),
        ("is stopped", -signal.SIGSTOP),
    ],
)
def test_how_it_ended_is_told(server, how, status):
    assert server.fork(f"{HERE}:ends", how=how).wait(SECONDS) == status


def test_of_many_each_has_an_end_of_its_own(server):
    children = [server.fork(f"{HERE}:ends", how=how) for how in ("raises", "exits", "leaves") * 6]
    assert [child.wait(SECONDS) for child in reversed(children)] == [7, 5, 1] * 6


def test_one_that_lives_is_waited_for_no_longer_than_that_and_ended_with_its_group(server):
    child = server.fork(f"{HERE}:stays")
    parent = child.line.recv()
    assert child.wait(0.01) is None
    group = [each for each in psutil.process_iter() if _group(each.pid) == parent]
    assert len(group) == 2
    child.end()
    assert child.wait(SECONDS) == -signal.SIGKILL
    _until(lambda: not [each for each in group if _alive(each.pid)])


def test_what_it_forked_ends_with_a_server_and_another_one_takes_its_place(monkeypatch):
    first = ForkServer.started({})
    monkeypatch.setattr("harness.execute.fork_server._of_this_process", {(os.getpid(), frozenset()): first})
    assert fork_server() is first
    child = first.fork(f"{HERE}:stays")
    assert child.line.recv() == child.pid
    first.process.kill()
    _until(lambda: not _alive(child.pid))
    with pytest.raises(ServerEnded, match="the process that starts others has ended"):
        child.wait(SECONDS)
    with pytest.raises(ServerEnded, match="the process that starts others has ended"):
        first.fork(f"{HERE}:ends", how="returns")
    second = fork_server()
    assert second is not first
    assert second.fork(f"{HERE}:ends", how="exits").wait(SECONDS) == 5


def test_a_server_that_is_stopped_is_ended(monkeypatch):
    stopped = ForkServer.started({})
    child = stopped.fork(f"{HERE}:stays")
    os.kill(stopped.pid, signal.SIGSTOP)
    with pytest.raises(ServerEnded):
        child.wait(SECONDS)
    with pytest.raises(ServerEnded):
        stopped.fork(f"{HERE}:ends", how="returns")


_USER = """
import os, signal
from harness.execute import fork_server as forking
forking.begin()
server = forking.fork_server()
assert server.process is None, "it is forked from this process"
child = server.fork("tests.test_fork_server:stays")
print(child.line.recv(), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_nothing_is_left_where_the_process_that_uses_a_server_is_killed():
    root = str(Path(__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-c", _USER], cwd=root, env=surroundings(), capture_output=True, text=True, timeout=SECONDS
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    _until(
        lambda: (
            not [each for each in psutil.process_iter() if _group(each.pid) == int(done.stdout) and _alive(each.pid)]
        )
    )


def _alive(pid):
    """Whether a process runs: one that has ended may stay for whom the system has given it to."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _group(pid):
    try:
        return os.getpgid(pid)
    except OSError:
        return None


def _until(happened):
    end = time.monotonic() + SECONDS
    while not happened():
        assert time.monotonic() < end
        time.sleep(0.02)


# what is imported in what is forked


def tells_operators(line, compiles):
    """Which operators a function calls, and whether torch's compiler was imported for that."""
    import torch

    from harness.declare.implementation import implementation_of
    from harness.generate.plan import plan
    from harness.operations.linear import linear
    from harness.verify.subject import Subject

    def plain(x, W, b):
        return torch.nn.functional.linear(x, W, b)

    function = torch.compile(plain) if compiles == "before" else _late(plain, compiles)
    chosen = implementation_of("linear", linear.signature, function, "torch")
    case = next(case for case in plan(linear, 4, 0) if all(case.sizes.values()))
    line.send((sorted(Subject(linear, chosen).operators(case)), "torch._dynamo" in sys.modules))


def _late(plain, compiles):
    def function(x, W, b):
        import torch

        return torch.compile(plain)(x, W, b) if compiles == "late" else plain(x, W, b)

    return function


@pytest.mark.parametrize(("compiles", "imported"), [("never", False), ("before", True), ("late", True)])
def test_torch_s_compiler_is_imported_by_those_who_compile(server, compiles, imported):
    """It takes seconds, which every worker would pay."""
    child = server.fork(f"{HERE}:tells_operators", compiles=compiles)
    names, there = child.line.recv()
    assert there is imported
    assert "addmm" in names or "linear" in names


_THREADED = """
import torch
from harness.operations.linear import linear

torch.set_num_threads(2)

@linear.implementation
def threaded(x, W, b):
    torch.ones(400, 400) @ torch.ones(400, 400)
    return torch.nn.functional.linear(x, W, b)
"""


@pytest.mark.parametrize("words", [(), ("--threads", "2")])
def test_what_is_forked_may_compute_in_several_threads(tmp_path, words):
    """OpenMP's threads do not survive a fork: whoever forks may not have begun any, in a process that may have some."""
    (tmp_path / "mine.py").write_text(_THREADED)
    asked = ("check", "mine.py", "-k", "agreement and float32", "--profile", "quick", "--limit", "60s", *words)
    done = subprocess.run(
        [sys.executable, "-m", "harness", *asked],
        cwd=tmp_path,
        env=surroundings(OMP_NUM_THREADS="2"),
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert done.returncode == 0, done
