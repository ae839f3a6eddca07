"""At the published size: what a problem's authors would say of a candidate, told before what is true, and how fast it is there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from harness.bench.revision import builds
from harness.bench.running import Running
from harness.bench.worker_pool import Asked
from harness.candidates import candidates
from harness.declare.implementation import DEFINITION
from harness.errors import HarnessError
from harness.kernelbench import PUBLISHED
from harness.measure.verdict import Verdict
from harness.record.events import CellFinished, TimingFinished
from harness.report.ladders import duration
from harness.verify.support import computing

_PROCESSES = 3
"""The fewest in which a ratio of times has an interval."""


@dataclass(frozen=True)
class Published:
    """What is said of a candidate at the published size, on a device and in a dtype.

    accepted: whether the problem's authors would take it, None where that could not be asked; reason: why not, in either
    case; timing: how long it takes there beside the reference; untimed: why it was accepted and not timed.
    """

    candidate: str
    device: str
    dtype: str
    accepted: bool | None
    reason: str = ""
    timing: TimingFinished | None = None
    untimed: str = ""

    @property
    def speedup(self) -> tuple[float, float, float] | None:
        """The reference's time over the candidate's, and the interval of that; None where they were not timed."""
        timing = self.timing
        if timing is None or not (timing.ratio and timing.low and timing.high):
            return None
        return 1 / timing.ratio, 1 / timing.high, 1 / timing.low

    def __str__(self) -> str:
        answer = {True: "accepted", False: "refused", None: "not asked"}[self.accepted]
        told = [f"{self.candidate} in {self.dtype} on {self.device}: {answer}"]
        if not self.accepted and self.reason:
            told.append(self.reason)
        return "; ".join([*told, *self._times()])

    def _times(self) -> Iterator[str]:
        if self.untimed:
            yield f"not timed: {self.untimed}"
        if self.timing is not None and self.timing.seconds is not None:
            yield duration(self.timing.seconds)
        if self.speedup is not None:
            yield "{:.2f} × as fast as the reference ({:.2f} to {:.2f})".format(*self.speedup)

    def entry(self) -> dict[str, Any]:
        """As plain JSON values, times in seconds."""
        return {
            "candidate": self.candidate,
            "device": self.device,
            "dtype": self.dtype,
            "accepted": self.accepted,
            "reason": self.reason,
            "seconds": self.timing.seconds if self.timing else None,
            "speedup": self.speedup,
            "not_timed": self.untimed,
        }


def published(outcomes: Iterable[CellFinished]) -> list[Published]:
    """What a problem's authors would say of each candidate that was asked at the published size."""
    return [_answer(each) for each in outcomes if each.prop == PUBLISHED and each.implementation != DEFINITION]


def _answer(cell: CellFinished) -> Published:
    asked = cell.verdict not in (Verdict.UNSUPPORTED, Verdict.INCONCLUSIVE)
    accepted = not Verdict(cell.verdict).failing if asked else None
    return Published(cell.implementation, cell.device, cell.dtype, accepted, "" if accepted else cell.reason)


def timed(
    answers: Iterable[Published], file: Path, limit: float, patience: float, step: Callable[[str, int], None]
) -> list[Published]:
    """The same, with how long those take that are accepted.

    file: declares the problem and its candidates; limit: seconds after which a process that does not answer is stopped;
    patience: seconds that one call may take; step: hears the name of what is timed, and of how many.
    """
    return [_with_times(each, file, limit, patience, step) if each.accepted else each for each in answers]


def _with_times(
    answer: Published, file: Path, limit: float, patience: float, step: Callable[[str, int], None]
) -> Published:
    """With its times, or why there are none: what was found is told in any case."""
    try:
        timing = _timing(answer, file, limit, patience, step)
    except HarnessError as refusal:
        return replace(answer, untimed=str(refusal))
    if timing is None or timing.seconds is None:
        return replace(answer, untimed=timing.reason if timing else "nothing was measured")
    return replace(answer, timing=timing)


def _timing(
    answer: Published, file: Path, limit: float, patience: float, step: Callable[[str, int], None]
) -> TimingFinished | None:
    (operation,) = candidates(file).operations
    wanted = (DEFINITION, answer.candidate)
    rivals = [each for each in computing(operation, answer.device, answer.dtype) if each.name in wanted]
    asked = Asked(answer.device, answer.dtype, False, str(file.resolve()))
    with builds("") as there:
        found = Running(
            asked, [operation], {operation.name: rivals}, there, _PROCESSES, limit, patience, 0, None, step
        ).run()
    return next((each for each in found if each.implementation == answer.candidate), None)
