"""`harness serve`: commands run as they would without it, and nothing that asks it can hurt it."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
import pytest

from harness import handover
from tests.command_line import SECONDS, surroundings

READY = "commands of this user"

SLOW = """
import pathlib, time
from harness.operations.linear import linear

@linear.implementation
def slow(x, W, b):
    pathlib.Path(__file__).with_suffix(".begun").touch()
    time.sleep(3600)
"""


def _heeding_ctrl_c():
    """As a terminal begins a command, though what begins the tests may ignore Ctrl-C, as a shell has what ends in & do."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Served:
    """A server in a folder for sockets of its own, and commands that may be handed over to it."""

    def __init__(self, **environment: str) -> None:
        self.sockets = TemporaryDirectory(prefix="sockets-", dir="/tmp")  # the path of a socket has 108 bytes at most
        self.environment = surroundings(XDG_RUNTIME_DIR=self.sockets.name, **environment)
        self.process = self.start()
        assert READY in self.process.stderr.readline()

    def start(self) -> subprocess.Popen:
        begun = f"trap '' INT; exec {sys.executable} -m harness serve"  # as a shell begins what ends in &
        return subprocess.Popen(["sh", "-c", begun], env=self.environment, stderr=subprocess.PIPE, text=True)

    def begin(self, folder: Path, *words: str, **environment: str) -> subprocess.Popen:
        return subprocess.Popen(
            [sys.executable, "-m", "harness", *words],
            cwd=folder,
            env={**self.environment, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=_heeding_ctrl_c,
        )

    def ask(self, folder: Path, *words: str, **environment: str) -> tuple[int, str, str]:
        begun = self.begin(folder, *words, **environment)
        out, err = begun.communicate(timeout=SECONDS)
        return begun.returncode, out, err

    @property
    def commands(self) -> list[psutil.Process]:
        """The commands that run in it."""
        return psutil.Process(self.process.pid).children()


@pytest.fixture(scope="module")
def served():
    there = Served()
    yield there
    there.process.kill()
    there.process.wait()


def until(happened):
    end = time.monotonic() + SECONDS
    while not happened():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_command_ends_and_says_as_without_a_server(served, tmp_path):
    handed = served.ask(tmp_path, "list", "linear", "--json")
    alone = served.ask(tmp_path, "list", "linear", "--json", XDG_RUNTIME_DIR=str(tmp_path))
    assert handed == alone
    assert json.loads(handed[1])
    assert served.ask(tmp_path, "check", "nothing.py")[0] == 2
    code, out, err = served.ask(tmp_path, "list", "--nonsense")
    assert (code, out) == (2, "") and "No such option" in err


def test_a_handed_over_command_imports_nothing_itself(served, tmp_path):
    watched = served.ask(tmp_path, "--version")
    assert watched[0] == 0
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "harness", "--version"],
        env=served.environment,
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert done.stdout == watched[1]
    assert "harness.handover" in done.stderr and "torch" not in done.stderr


def test_a_run_is_written_where_its_command_stands(served, tmp_path):
    words = ("run", "linear", "-k", "result_dtype and torch_linear", "--dtype", "float32", "--json")
    code, out, _ = served.ask(tmp_path, *words)
    told = json.loads(out)
    assert (code, told["exit_code"], told["cells"]) == (0, 0, {"exact": 1})
    assert (tmp_path / told["log"]).is_file() and (tmp_path / told["report"]).is_file()


def test_what_a_library_reads_as_it_is_loaded_is_read_anew(served, tmp_path):
    code, out, _ = served.ask(tmp_path, "--version", OMP_DYNAMIC="true")
    assert code == 0 and out.startswith("harness ")
    told = served.process.stderr.readline()
    assert told == "declined: a command has other OMP_DYNAMIC than this process; it imports anew\n"


def test_a_signal_reaches_the_command_and_its_end_reaches_the_caller(served, tmp_path):
    (tmp_path / "slow.py").write_text(SLOW)
    begun = served.begin(tmp_path, "check", "slow.py", "--dtype", "float32", "-k", "agreement")
    until((tmp_path / "slow.begun").exists)
    assert len(served.commands) == 1
    begun.send_signal(signal.SIGINT)
    out, err = begun.communicate(timeout=SECONDS)
    assert begun.returncode == 130, out + err
    assert "interrupted (Ctrl-C)" in out + err
    until(lambda: not served.commands)


def test_a_command_whose_caller_is_killed_ends(served, tmp_path):
    (tmp_path / "slow.py").write_text(SLOW)
    begun = served.begin(tmp_path, "check", "slow.py", "--dtype", "float32", "-k", "agreement")
    until((tmp_path / "slow.begun").exists)
    begun.kill()
    until(lambda: not served.commands)
    assert list((tmp_path / "reports" / "runs").iterdir())


@pytest.mark.parametrize(
    "said",
    [b"", b"\xff\xff\xff\xff", b"\x02\x00\x00\x00{}", b"\x04\x00\x00\x00nope", b"\x02\x00\x00\x00"],
    ids=["nothing", "endless", "an empty object", "no JSON", "half of it"],
)
def test_what_is_no_command_is_declined(served, tmp_path, said, monkeypatch):
    monkeypatch.setenv("XDG_RUNTIME_DIR", served.environment["XDG_RUNTIME_DIR"])
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(str(handover.address()))
        line.sendall(said)
        line.shutdown(socket.SHUT_WR)
        assert line.recv(1) == b""
    assert "no command" in served.process.stderr.readline()
    assert served.ask(tmp_path, "--version")[0] == 0


def test_two_servers_are_not_begun_for_one_python(served):
    second = served.start()
    assert "runs already" in second.communicate(timeout=SECONDS)[1]
    assert second.returncode == 3


def test_the_folder_of_sockets_is_this_user_s_alone(served, tmp_path, monkeypatch):
    there = Path(served.environment["XDG_RUNTIME_DIR"])
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(there))
    assert stat.S_IMODE(handover.folder().stat().st_mode) == 0o700
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    handover.folder().chmod(0o770)
    assert handover.folder() is None
    (tmp_path / f".harness-serve-{os.getuid()}").rmdir()
    (tmp_path / f".harness-serve-{os.getuid()}").symlink_to(there)
    assert handover.folder() is None


def test_another_program_that_uses_the_package_is_none_of_its_commands(served, tmp_path):
    (tmp_path / "mine.py").write_text("import harness, sys; print('mine', sys.argv[1:])\n")
    for words in (["-m", "mine", "list"], ["mine.py", "list"]):
        done = subprocess.run(
            [sys.executable, *words],
            cwd=tmp_path,
            env=served.environment,
            capture_output=True,
            text=True,
            timeout=SECONDS,
        )
        assert done.stdout == "mine ['list']\n", done.stderr


def test_what_has_changed_since_it_was_imported_is_imported_anew(tmp_path):
    customized = tmp_path / "sitecustomize.py"
    customized.write_text("")
    paths = f"{tmp_path}{os.pathsep}{surroundings()['PYTHONPATH']}"
    changing = Served(PYTHONPATH=paths)
    try:
        assert changing.ask(tmp_path, "--version")[0] == 0
        customized.write_text("CHANGED = True\n")
        assert changing.ask(tmp_path, "--version")[0] == 0
        assert "have changed" in changing.process.stderr.readline()
        assert READY in changing.process.stderr.readline()
        before = psutil.Process(changing.process.pid).create_time()
        assert changing.ask(tmp_path, "--version")[0] == 0
        assert psutil.Process(changing.process.pid).create_time() == before
    finally:
        changing.process.kill()
    assert changing.process.stderr.read() == ""  # nothing more was declined


def test_the_end_of_a_server_is_told_to_those_who_wait_and_others_do_without(tmp_path):
    lonely = Served()
    (tmp_path / "slow.py").write_text(SLOW)
    begun = lonely.begin(tmp_path, "check", "slow.py", "--dtype", "float32", "-k", "agreement")
    until((tmp_path / "slow.begun").exists)
    lonely.process.kill()
    out, err = begun.communicate(timeout=SECONDS)
    assert (begun.returncode, out) == (3, "")
    assert err.endswith("the process of `harness serve` has ended, and the command with it; run it again\n")
    assert lonely.ask(tmp_path, "--version")[0] == 0
