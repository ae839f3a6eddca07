"""The countdown at whose end a process is stopped, whatever it does.

faulthandler's timer works below Python, and knows the clock alone. On a busy machine a process may wait for a processor for
longer than it computes; so a thread looks every second how long that was, and puts the end off by as much. Where code
never lets go of the interpreter, the thread can't run either, and the clock decides.
"""

from __future__ import annotations

import faulthandler
import threading
from time import monotonic, sleep
from typing import IO

from harness.measure.clock import waited

_EVERY = 1.0


class Countdown:
    """Stops this process, with the stack of the thread that made this in `file`, unless it ends or begins anew in time."""

    def __init__(self, file: IO[str]) -> None:
        self._file, self._thread = file, threading.get_native_id()
        self._lock = threading.Lock()
        self._seconds: float | None = None
        threading.Thread(target=self._watch, daemon=True).start()

    def begin(self, seconds: float) -> None:
        """Count so many seconds from now."""
        with self._lock:
            self.began, self._waited, self._granted, self._seconds = monotonic(), waited(self._thread), 0.0, seconds
            self._set(seconds)

    def end(self) -> None:
        """Count no more."""
        with self._lock:
            self._seconds = None
            faulthandler.cancel_dump_traceback_later()

    def put_off(self) -> None:
        """Put the end off by what the process has waited for a processor."""
        with self._lock:
            if self._seconds is None:
                return
            lost = waited(self._thread) - self._waited
            if lost > self._granted:
                self._granted = lost
                self._set(max(self._seconds + lost - (monotonic() - self.began), _EVERY))

    def _set(self, seconds: float) -> None:
        faulthandler.dump_traceback_later(seconds, exit=True, file=self._file)

    def _watch(self) -> None:
        while True:
            sleep(_EVERY)
            self.put_off()
