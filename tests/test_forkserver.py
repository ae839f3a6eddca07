"""The fork server of the tests: what it runs ends, says and finds what it would in a process started anew."""

import json
import os
import signal
import subprocess
import sys

import pytest

from tests.forkserver import ROOT, SECONDS, server

TELLS = """
import json, os, sys
print(json.dumps([sys.argv, os.getcwd(), sys.path[0], dict(os.environ), __name__, sys.stdin.read()]))
"""


def both(arguments, folder, environment):
    """The same command forked and started anew."""
    anew = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    return server().run(arguments, folder, environment, SECONDS), anew


@pytest.mark.parametrize("how", [["-c", TELLS], ["-m", "tells"], ["tells.py"]], ids=lambda how: how[0])
def test_a_forked_process_finds_itself_where_one_started_anew_does(how, tmp_path):
    (tmp_path / "tells.py").write_text(TELLS)
    if how == ["tells.py"]:
        how = [str(tmp_path / "tells.py")]
    environment = {"PATH": os.environ["PATH"], "LC_CTYPE": "C.UTF-8", "COLOUR": "blue"}
    forked, anew = both([*how, "a word"], tmp_path, environment)
    assert json.loads(forked.stdout) == json.loads(anew.stdout)


@pytest.mark.parametrize(
    "source",
    [
        "",
        "raise SystemExit(3)",
        "raise SystemExit('a sentence')",
        "import os; os._exit(7)",
        "import os, signal; os.kill(os.getpid(), signal.SIGTERM)",
        "import atexit; atexit.register(print, 'bye')",
        "import sys; print('out'); print('err', file=sys.stderr)",
    ],
)
def test_it_ends_and_says_the_same(source, tmp_path):
    forked, anew = both(["-c", source], tmp_path, dict(os.environ))
    assert (forked.returncode, forked.stdout, forked.stderr) == (anew.returncode, anew.stdout, anew.stderr)


def test_a_traceback_is_told(tmp_path):
    forked, anew = both(["-c", "1 / 0"], tmp_path, dict(os.environ))
    assert forked.returncode == anew.returncode == 1
    assert forked.stderr.splitlines()[-1] == anew.stderr.splitlines()[-1] == "ZeroDivisionError: division by zero"


def test_modules_are_found_on_the_path_of_the_process_and_not_on_the_servers(tmp_path):
    (tmp_path / "beside").mkdir()
    (tmp_path / "beside" / "neighbour.py").write_text("")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "beside")}
    assert server().run(["-c", "import neighbour"], tmp_path, environment, SECONDS).returncode == 0
    found = server().run(["-c", "import sys; print(sys.path)"], tmp_path, environment, SECONDS).stdout
    assert str(ROOT) not in eval(found)


def test_one_that_does_not_end_is_ended_and_the_next_one_runs(tmp_path):
    with pytest.raises(subprocess.TimeoutExpired):
        server().run(["-c", "import time; time.sleep(600)"], tmp_path, dict(os.environ), 1)
    time_is_over = (
        "import os, signal, time; print('began', flush=True); os.kill(os.getppid(), signal.SIGALRM); time.sleep(600)"
    )
    with pytest.raises(subprocess.TimeoutExpired) as late:
        server().run(["-c", time_is_over], tmp_path, dict(os.environ), SECONDS)
    assert late.value.stdout == "began\n"
    assert server().run(["-c", "print(1)"], tmp_path, dict(os.environ), SECONDS).stdout == "1\n"
    killed = server().run(["-c", "import os; os.kill(os.getpid(), 9)"], tmp_path, dict(os.environ), SECONDS)
    assert killed.returncode == -signal.SIGKILL
