"""The session: the points of a run, what was measured at each, and what follows from all of them together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from statistics import median
from time import monotonic

from harness.bench.contrast import Contrast, against_itself, contrast, speeds
from harness.bench.ladder import LadderPoint, workload
from harness.bench.worker_pool import Asked, Build, Timing, WorkerPool
from harness.measure.speed import Speed
from harness.record.events import TimingFinished

_MOST = 1.05
"""Shares of the machine's limit beyond this are no measurement: a count or a limit is wrong."""

INVALID, CACHED = "invalid", "cache"
"""What stands for the bound of a roofline that cannot be, and of one that is held to a copy within the cache."""


@dataclass(frozen=True)
class Measured:
    """A point with the timings of everybody who was asked there."""

    point: LadderPoint
    timings: tuple[Timing, ...]


@dataclass
class Session:
    """A run of the bench.

    builds: this code, and the one that it is compared with, if any; processes: workers of each; seconds: after which no
    further point is begun (None: no limit).
    """

    asked: Asked
    builds: Sequence[Build]
    pool: WorkerPool
    seconds: float | None = None
    _measured: dict[tuple[str, str], Measured] = field(default_factory=dict)
    _limits: dict[str, float] = field(default_factory=dict)
    _cached: dict[int, float] = field(default_factory=dict)
    _began: float = field(default_factory=monotonic)

    @property
    def is_over(self) -> bool:
        """Whether the budget is spent."""
        return self.seconds is not None and monotonic() - self._began > self.seconds

    def measured(self, point: LadderPoint, implementations: Iterable[str]) -> Measured:
        """What a point's implementations take, measured together when the first of them is asked for."""
        key = (point.operation.name, point.name)
        if key not in self._measured:
            timings = [] if self.is_over else self.pool.measure(point, implementations, self.asked)
            self._measured[key] = Measured(point, tuple(timings))
        return self._measured[key]

    def finished(self) -> list[TimingFinished]:
        """Everything that was measured, with what is said of it, false discoveries controlled over the whole run."""
        return list(self._told())

    def confirmed(self, found: Sequence[TimingFinished], fresh: WorkerPool) -> list[TimingFinished]:
        """The same, after a fresh pool timed once more what seems slower: only what is slower there too is called so."""
        again = Session(self.asked, self.builds, fresh)
        for point, names in _by_point((each for each in found if each.speed == Speed.SLOWER), self._measured.values()):
            again.measured(point, names)
        slower = again.slower()
        return [
            replace(each, speed=Speed.UNSURE)
            if each.speed == Speed.SLOWER
            and (each.build, each.implementation, each.operation, each.point) not in slower
            else each
            for each in found
        ]

    def slower(self) -> set[tuple[str, ...]]:
        """Build, implementation, operation and point of whatever is slower than what it is held to."""
        pairs = self._pairs()
        said = zip(pairs, speeds([_contrast(timing, other) for _, timing, other in pairs]), strict=True)
        return {
            (self._build(timing), timing.implementation, point.operation.name, point.name)
            for (point, timing, _), speed in said
            if speed == Speed.SLOWER
        }

    def _told(self) -> Iterator[TimingFinished]:
        pairs = self._pairs()
        contrasts = [_contrast(timing, other) for _, timing, other in pairs]
        aa_tests = [against_itself(timing.blocks) for _, timing, _ in pairs]
        said = zip(pairs, contrasts, speeds(contrasts), speeds(aa_tests), strict=True)
        for (point, timing, other), ratio, speed, aa_test in said:
            yield self._event(point, timing, other, ratio, speed, aa_test)

    def _pairs(self) -> list[tuple[LadderPoint, Timing, Timing | None]]:
        """Every timing at its point, with the one that it is held to."""
        return [
            (each.point, timing, self._opposite(each, timing))
            for each in self._measured.values()
            for timing in each.timings
        ]

    def _build(self, timing: Timing) -> str:
        """Whose code it is; "" where there is one alone."""
        return timing.build if len(self.builds) > 1 else ""

    def _opposite(self, measured: Measured, timing: Timing) -> Timing | None:
        """Whom a timing is held to: the same implementation of the other build, or the point's reference."""
        base, reference = self.builds[0].name, workload(measured.point.operation).reference
        wanted = timing.implementation if timing.build != base else reference
        there = (each for each in measured.timings if each.build == base and each.implementation == wanted)
        return next((each for each in there if each is not timing and each.is_timed), None)

    def _event(
        self, point: LadderPoint, timing: Timing, other: Timing | None, ratio: Contrast, speed: Speed, aa_test: Speed
    ) -> TimingFinished:
        roofline, bound = self._roofline(point, timing)
        told = ratio.processes > 0
        return TimingFinished(
            point.operation.name,
            timing.implementation,
            self.asked.device,
            self.asked.dtype,
            dict(point.sizes),
            dict(point.options),
            list(point.axes),
            timing.verdict,
            reason=timing.reason,
            build=self._build(timing),
            cache="cold" if self.asked.cold else "warm",
            blocks=timing.blocks,
            against=other.implementation if other and other.build == timing.build else other.build if other else "",
            ratio=ratio.ratio if told else None,
            low=ratio.low if told else None,
            high=ratio.high if told else None,
            speed=speed,
            aa_test=aa_test,
            memory=timing.memory,
            roofline=roofline,
            bound=bound,
            clock=round(median(timing.clocks)) if timing.clocks else None,
            throttled=timing.throttled,
        )

    def _roofline(self, point: LadderPoint, timing: Timing) -> tuple[float | None, str]:
        """The least time that the machine would need over the time that was taken, and what the machine lacks first."""
        if not timing.is_timed:
            return None, ""
        operations, moved = point.floating_point_operations() or 0.0, point.bytes(self.asked.dtype)
        bandwidth, place = self._bandwidth(moved)
        computing, moving = operations / self._limits["operations"], moved / bandwidth
        roofline = max(moving, computing) / min(seconds for block in timing.blocks for seconds in block)
        bound = "operations" if computing > moving else place
        return roofline, INVALID if roofline > _MOST else bound

    def _bandwidth(self, moved: int) -> tuple[float, str]:
        """How fast so many bytes can be moved, and from where: the cache, in which they lie if they fit, or the memory."""
        if not self._limits:
            self._limits = self.pool.limits(self.asked.device, self.asked.dtype)
        if self.asked.cold or moved >= self._limits["cache"]:
            return self._limits["bytes"], "bytes"
        if moved not in self._cached:
            self._cached[moved] = self.pool.copying(self.asked.device, moved)
        return self._cached[moved], CACHED


def _contrast(timing: Timing, other: Timing | None) -> Contrast:
    return contrast(other.blocks, timing.blocks) if other is not None else contrast([], [])


def _by_point(
    slower: Iterable[TimingFinished], measured: Iterable[Measured]
) -> Iterator[tuple[LadderPoint, list[str]]]:
    """The points at which somebody seems slower, with them and those that they are held to."""
    wanted: dict[tuple[str, str], set[str]] = {}
    for each in slower:
        wanted.setdefault((each.operation, each.point), set()).update((each.implementation, each.against))
    for there in measured:
        names = wanted.get((there.point.operation.name, there.point.name), set())
        asked = [name for name in dict.fromkeys(each.implementation for each in there.timings) if name in names]
        if asked:
            yield there.point, asked
