"""The countdown: it ends a process that does not return, and a busy neighbour takes nothing of its time."""

import faulthandler
import subprocess
import sys

import pytest

from harness.execute import countdown
from harness.execute.countdown import Countdown
from tests.command_line import surroundings
from tests.forkserver import SECONDS


class Machine:
    """Clocks that stand still unless somebody moves them, and the seconds to which a timer is set."""

    def __init__(self):
        self.clock, self.waited, self.set = 100.0, 5.0, []

    def passes(self, seconds, waiting=0.0):
        self.clock += seconds
        self.waited += waiting


@pytest.fixture
def machine(monkeypatch):
    made = Machine()
    monkeypatch.setattr(countdown, "monotonic", lambda: made.clock)
    monkeypatch.setattr(countdown, "waited", lambda thread: made.waited)
    monkeypatch.setattr(Countdown, "_watch", lambda self: None)
    monkeypatch.setattr(faulthandler, "dump_traceback_later", lambda seconds, exit, file: made.set.append(seconds))
    monkeypatch.setattr(faulthandler, "cancel_dump_traceback_later", lambda: made.set.append(None))
    return made


def test_what_a_process_waits_for_a_processor_is_not_counted(machine):
    made = Countdown(sys.stderr)
    made.begin(60)
    machine.passes(30, waiting=20)
    made.put_off()
    assert machine.set == [60, 50]
    machine.passes(40, waiting=40)
    made.put_off()
    assert machine.set[-1] == 50


def test_what_it_spends_is_counted_and_puts_nothing_off(machine):
    made = Countdown(sys.stderr)
    made.begin(60)
    machine.passes(59)
    made.put_off()
    assert machine.set == [60]


def test_nothing_is_put_off_once_it_has_ended(machine):
    made = Countdown(sys.stderr)
    made.begin(60)
    made.end()
    machine.passes(30, waiting=20)
    made.put_off()
    assert machine.set == [60, None]


@pytest.mark.parametrize("hang", ["while True: pass", "time.sleep(600)"])
def test_a_process_that_does_not_return_is_ended_with_its_stack(hang):
    source = (
        f"import sys, time\nfrom harness.execute.countdown import Countdown\nCountdown(sys.stderr).begin(1)\n{hang}"
    )
    done = subprocess.run(
        [sys.executable, "-c", source], env=surroundings(), capture_output=True, text=True, timeout=SECONDS, check=False
    )
    assert done.returncode == 1
    assert "line 4 in <module>" in done.stderr
