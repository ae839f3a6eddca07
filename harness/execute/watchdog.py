"""The watchdog: how a worker process survives what it asks, and what it leaves behind when it does not.

faulthandler works below Python: it writes the stack of a segmentation fault, and its timer ends a process that loops
for ever even where the loop never returns to the interpreter.
"""

from __future__ import annotations

import faulthandler
import json
import os
import re
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import Any, NoReturn

from harness.declare.devices import lost_devices
from harness.errors import HarnessError
from harness.execute.countdown import Countdown
from harness.execute.last_case import LastCase, died_over
from harness.execute.outcome import without_asking
from harness.generate.case import Case
from harness.measure.verdict import Verdict
from harness.record.events import CellFinished
from harness.record.kept import kept_by
from harness.record.runlog import decode, encode
from harness.verify.case_observer import observed_by
from harness.verify.cell import Cell

DEATHS_ENOUGH = 2
"""How many workers an implementation may end before its other cells are answered without asking."""

NOT_ASKED = "not asked here, since it has already ended"

GARBLED, ORPHANED = "Garbled", "Orphaned"
"""Notes of the controller: what came from a worker was nothing that a worker says; it went with what had started it."""

_LOST = "Lost: "
"""What stands before the reason of a worker that has lost its device."""

_RETIRED = "Retired"

_MOST_KEPT = 2**30
"""Bytes beyond those it began with that a worker may hold between two groups of cells: libraries and compilers keep half of that."""

_STOPPING = {signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU}
_KILLED = "SIGKILL; the system does that when memory runs out"
_PATIENCE = 1.0
"""Seconds beyond the limit that a case may have, for which the watch need not be set anew at each."""

_EXPLAINING_SECONDS, _LAST_CALL_SECONDS = 10.0, 20.0
"""Of the processor's time: what explaining takes by itself, and what its last call may add before it is ended."""

_SLOWEST = 8
"""How many times as long that may take on a machine that others use."""

_ASKED_BY, _DEFINED_BY = ("verify/subject.py",), ("measure/reference.py", "measure/gradient.py")
"""The modules that call implementations, and those that call definitions."""

CRASHED = "crashed the interpreter"
"""The kind of a fault that has ended the process."""

_PACKAGE = Path(__file__).parents[1]


class Watchdog:
    """A worker's watch over itself; its notes lie in `scratch` under the worker's name.

    limit: seconds that one case may take, without what it waits for a processor; memory: bytes that the process may hold,
    None for no limit. From here on the process has a group of its own with all that it starts, ignores Ctrl-C (the
    process that started it decides) and writes to no terminal.
    """

    def __init__(self, scratch: Path, worker: str, limit: float, memory: int | None) -> None:
        self._scratch = scratch
        self._process = os.getpid()
        self._limit = limit
        self._memory = memory
        self._asking = (scratch / f"{worker}.asking").open("wb", buffering=0)
        self._case = LastCase(scratch / f"{worker}.case")
        self._found = scratch / f"{worker}.found"
        self._fault = (scratch / f"{worker}.fault").open("a+")
        self._countdown = Countdown(self._fault)
        self._noise = (scratch / f"{worker}.noise").open("ab")
        self._folder = Path.cwd()
        self._spoilt_by = ""
        self._held_at_first: int | None = None
        self._settle()
        os.setpgrp()  # no session, since Linux shares processors among those, whoever else is busy
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        faulthandler.enable(file=self._fault, all_threads=False)
        _restrict(resource.RLIMIT_CORE, 0)
        if memory is not None:
            _restrict(resource.RLIMIT_DATA, memory)

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """End this process if what is inside takes longer, and end a copy of it that comes back out."""
        for notes in (self._fault, self._noise):
            notes.truncate(0)
        self._settle()
        self._countdown.begin(seconds + _PATIENCE)
        try:
            yield
        finally:
            if os.getpid() != self._process:
                os._exit(0)
            self._countdown.end()

    @contextmanager
    def over(self, cell: Cell) -> Iterator[None]:
        """Watch a cell, each case of which has to end within the limit."""
        self._retire_if_unfit(cell)
        self._asking.seek(0)
        self._asking.truncate()
        self._asking.write(encode(without_asking(cell, Verdict.ERROR, "")).encode())
        with self.within(self._limit), observed_by(self._note, self._end_over), kept_by(self._explaining):
            yield

    def _note(self, case: Case | None) -> None:
        """Put down what is asked, and begin to wait for it anew; not every time, since that costs as much as a small case."""
        self._case(case)
        if monotonic() > self._countdown.began + _PATIENCE:
            self._countdown.begin(self._limit + _PATIENCE)

    def _end_over(self, reason: str) -> NoReturn:
        """End this process over the case that is asked, with the reason."""
        self._leave(_LOST + reason, 1)

    def _leave(self, why: str, status: int) -> NoReturn:
        """End this process with a note of why."""
        self._fault.truncate(0)
        self._fault.write(why)
        self._fault.flush()
        os._exit(status)

    @contextmanager
    def _explaining(self, found: CellFinished) -> Iterator[None]:
        """Keep what was found while it is explained, and end this process where that takes too long.

        The system itself ends it, by processor time: no code escapes that, and no other process matters.
        """
        self._found.write_text(encode(found), encoding="utf-8")
        seconds = _EXPLAINING_SECONDS + min(self._limit, _LAST_CALL_SECONDS)
        self._countdown.begin(_SLOWEST * seconds + self._limit)
        signal.signal(signal.SIGPROF, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_PROF, seconds)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0.0)
            self._countdown.begin(self._limit)
            self._found.unlink(missing_ok=True)

    def verdict_without_asking(self, cell: Cell) -> CellFinished | None:
        """The answer for an implementation that has ended enough workers already, None for any other."""
        deaths = CrashCounts(self._scratch).of(cell.implementation.key)
        if len(deaths) < DEATHS_ENOUGH:
            return None
        place, words = cell.implementation.place, deaths[-1]
        reason = f"{place}: {words}; {NOT_ASKED} {len(deaths)} workers"
        return without_asking(cell, Verdict.UNSUPPORTED, reason)

    def _settle(self) -> None:
        """Undo what the cell before may have done to the process: closed or redirected its outputs, gone elsewhere."""
        for standard in (1, 2):
            os.dup2(self._noise.fileno(), standard)
        os.chdir(self._folder)

    def spoilt_by(self, cell: Cell) -> None:
        """What an implementation changes of other modules is no longer to be met by any other, which another worker asks."""
        self._spoilt_by = cell.implementation.key

    def _retire_if_unfit(self, cell: Cell) -> None:
        """Let another worker go on where what was asked keeps memory that the next might lack, or has lost its device.

        And where it has changed what others use, though all that was noticed is put back.
        """
        is_spoilt = self._spoilt_by not in ("", cell.implementation.key)
        is_short_of_memory = self._memory is not None and _data_bytes() > self._memory / 2
        if is_spoilt or is_short_of_memory or lost_devices():
            self._leave(_RETIRED, 0)

    def retire_if_much_is_kept(self) -> None:
        """Let another worker go on where much more is held than when this was first asked: what nobody needs any more."""
        held = _resident_bytes()
        if self._held_at_first is None:
            self._held_at_first = held
        if self._memory is not None and held - self._held_at_first > _MOST_KEPT:
            self._leave(_RETIRED, 0)


def _restrict(limited: int, bytes_: int) -> None:
    _, hard = resource.getrlimit(limited)
    resource.setrlimit(limited, (bytes_ if hard == resource.RLIM_INFINITY else min(bytes_, hard), hard))


def _data_bytes() -> int:
    """The writable private memory of this process, used or not, which the system limits; 0 where it does not tell."""
    return _pages(5) * resource.getpagesize()


def _resident_bytes() -> int:
    """The memory that this process has and no file stands behind; 0 where the system does not tell."""
    return (_pages(1) - _pages(2)) * resource.getpagesize()


def _pages(column: int) -> int:
    try:
        return int(Path("/proc/self/statm").read_text().split()[column])
    except OSError:
        return 0


class CrashCounts:
    """How often each implementation ended a worker, and how; written by the controller, read by the workers."""

    def __init__(self, scratch: Path) -> None:
        self._path = scratch / "deaths.json"

    def of(self, implementation: str) -> list[str]:
        """What the workers' last words were, in order."""
        return self._all().get(implementation, [])

    def add(self, implementation: str, words: str) -> None:
        """Put a death down."""
        known = self._all()
        known.setdefault(implementation, []).append(words)
        draft = self._path.with_suffix(".draft")
        draft.write_text(json.dumps(known))
        draft.replace(self._path)

    def _all(self) -> dict[str, list[str]]:
        try:
            return dict(json.loads(self._path.read_text()))
        except FileNotFoundError:
            return {}


def last_asked(scratch: Path, worker: str) -> CellFinished | None:
    """The cell that a worker was asking last, as an error that lacks its reason; None where it asked none."""
    try:
        event = decode((scratch / f"{worker}.asking").read_text(encoding="utf-8", errors="replace"))
    except (OSError, HarnessError):
        return None
    return event if isinstance(event, CellFinished) else None


def kept_finding(scratch: Path, worker: str, cell: CellFinished, status: int | None) -> CellFinished | None:
    """What a worker had found and was explaining when it died, without the explanation; None where it was not."""
    try:
        found = decode((scratch / f"{worker}.found").read_text(encoding="utf-8", errors="replace"))
    except (OSError, HarnessError):
        return None
    if not isinstance(found, CellFinished) or found.key != cell.key:
        return None
    slow = status == -signal.SIGPROF or _notes(scratch, worker, "fault").startswith("Timeout")
    ended = "took too long and was stopped" if slow else "ended the process"
    reason = f"{found.reason}; explaining it {ended}, so that no cause is named"
    shown = found.counterexample and replace(found.counterexample, sentence=reason)
    return replace(found, reason=reason, counterexample=shown)


def doer(scratch: Path, worker: str, cell: CellFinished) -> str:
    """Whose code ran when a worker was stopped, from the stack that its watchdog left: the implementation's where none is."""
    frames = re.findall(r'File "([^"]+)"', _notes(scratch, worker, "fault"))
    ours = [Path(file).relative_to(_PACKAGE).as_posix() for file in frames if Path(file).is_relative_to(_PACKAGE)]
    caller = next((file for file in ours if file in (*_ASKED_BY, *_DEFINED_BY)), None)
    if caller in _DEFINED_BY:
        return f"the definition of {cell.operation}"
    return "the harness" if ours and caller is None else cell.place


def crash_outcome(
    cell: CellFinished,
    words: str,
    record: dict[str, Any] | None = None,
    candidates: str = "",
    limit: float = 60.0,
    place: str = "",
) -> CellFinished:
    """The outcome of a cell whose worker died with these last words, over this case of the catalogue or a candidate file.

    place: whose code ran then, where it was not the implementation's.
    """
    reason = f"{place or cell.place}: {words}"
    shown = died_over(record, reason, cell, candidates, limit) if record is not None and not cell.claim else None
    return replace(cell, reason=reason, kind=_kind(words), counterexample=shown)


def killed_from_outside(scratch: Path, worker: str, status: int | None) -> bool:
    """Whether a worker got the signal that the system sends where memory runs out, with no note of what it met itself."""
    return status == -signal.SIGKILL and _notes(scratch, worker, "fault") in ("", ORPHANED)


def answered_again(cell: CellFinished, found: CellFinished) -> CellFinished:
    """What is told of a cell over which one worker ended, for this reason, and which the next answered: what fails alone."""
    if Verdict(found.verdict).failing or found.unjudged:
        return found
    told = f"; then: {found.reason}" if found.verdict == Verdict.UNSUPPORTED else ""
    reason = f"{cell.place}: no answer: its worker {cell.reason}; that did not happen when it was asked again{told}"
    return replace(cell, verdict=Verdict.UNSUPPORTED, reason=reason, known="", seconds=found.seconds)


def recycled(scratch: Path, worker: str) -> bool:
    """Whether a worker left of itself, since it was no longer fit to ask anything."""
    return noted(scratch, worker, _RETIRED)


def note(scratch: Path, worker: str, what: str) -> None:
    """Put down of a worker why it is ended."""
    (scratch / f"{worker}.fault").write_text(what)


def has_lost_its_device(scratch: Path, worker: str) -> bool:
    """Whether a worker left since a call had lost it its device: the next has it again."""
    return _notes(scratch, worker, "fault").startswith(_LOST)


def noted(scratch: Path, worker: str, what: str) -> bool:
    """Whether that was put down of a worker."""
    return _notes(scratch, worker, "fault") == what


def crash_reason(scratch: Path, worker: str, limit: float, status: int | None = None) -> str:
    """Why a process died, in a sentence, from its watchdog's notes and its exit status (below 0: a signal)."""
    notes = _notes(scratch, worker, "fault")
    if notes == ORPHANED:
        return "ended with the process that starts the workers"
    if notes == GARBLED:
        return "wrote into the files of its process, so that nobody could understand what its worker said"
    if notes.startswith("Timeout"):
        return f"did not return within {limit:.0f} s and was stopped{_where(notes)}"
    if notes.startswith(_LOST):
        return notes.removeprefix(_LOST)
    fatal = re.match(r"Fatal Python error: (.+)", notes)
    if fatal:
        complaint = _complaint(scratch, worker) if fatal.group(1) == "Aborted" else ""
        return f"{CRASHED}: {fatal.group(1)}{_where(notes)}{complaint}"
    # what a process leaves that ended in order is no reason
    return _end(status) if status == 0 else f"{_end(status)}{_complaint(scratch, worker)}"


def _notes(scratch: Path, worker: str, kind: str) -> str:
    try:
        return (scratch / f"{worker}.{kind}").read_text(errors="replace")
    except OSError:
        return ""


def _kind(words: str) -> str:
    return re.split(r":| at | \(|;", words)[0]


def _end(status: int | None) -> str:
    if status is None:
        return "exited without an error message (killed, out of memory, or os._exit)"
    if status >= 0:
        return f"ended the process with exit status {status} (os._exit, exit in a library, or its files closed)"
    if -status in _STOPPING:
        return (
            f"was stopped by {signal.Signals(-status).name}, as a process that reads from a terminal is, and then ended"
        )
    return f"was ended by {_KILLED if status == -signal.SIGKILL else signal.Signals(-status).name}"


def _complaint(scratch: Path, worker: str) -> str:
    """The last line that a library wrote to standard error before it gave up; no frame of a traceback that broke off."""
    noise = _notes(scratch, worker, "noise")[-2_000:].splitlines()
    lines = [line.rstrip() for line in noise if line.strip() and not line[0].isspace() and "Traceback (" not in line]
    return f" ({lines[-1][:200]})" if lines else ""


def _where(notes: str) -> str:
    """The innermost frame that is neither a library's nor the harness' own."""
    for file, line, function in re.findall(r'File "([^"]+)", line (\d+) in (\S+)', notes):
        path = Path(file)
        ours = path.is_relative_to(_PACKAGE) and not path.is_relative_to(_PACKAGE / "operations")
        if not ours and "site-packages" not in file and "/lib/python" not in file and not file.startswith("<"):
            return f" at {path.name}, line {line}, {function}"
    return ""
