"""Events: what a run says while it happens. Every output is a listener on this one stream."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass, field
from statistics import median
from typing import Annotated, Any, Literal

from msgspec import Meta

from harness.explain.counterexample import Counterexample
from harness.measure.speed import Speed
from harness.measure.verdict import Verdict
from harness.verify.cell_key import CellKey, OfACell

FORMAT = 1
"""The version of the log's format; a reader refuses newer ones."""

UNJUDGED = "unjudged"
"""The kind of an error that is no implementation's: the property or the harness itself raised."""

Name = Annotated[str, Meta(pattern=r"\A[0-9][0-9A-Za-z-]{0,63}\Z")]
"""A run's name, which begins with its time; the folder of its pages is called so, and no other among the reports."""

Moment = Annotated[
    str,
    Meta(
        pattern=r"\A2\d{3}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:Z|[+-]\d\d:\d\d)\Z"
    ),
]
"""A day and time in ISO 8601, with its zone."""

Day = Annotated[str, Meta(pattern=r"\A2\d{3}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])\Z")]
Count = Annotated[int, Meta(ge=0, le=2**53)]
Seconds = Annotated[float, Meta(ge=0.0, le=1e12)]
Score = Annotated[float, Meta(ge=0.0)]
Figures = tuple[Count, Count]
"""How many were met, and how many there are."""


@dataclass(frozen=True)
class Scope:
    """What a run set out to ask; nothing named means all there is.

    profile: how much of each, with other numbers of examples and seconds for a cell than that says (0: as it says); keyword:
    as in `-k`; only: pairs of property and operation; shard: `3/8` where others ask the rest, empty where nobody does;
    durations: by what the shards were balanced, as a checksum, empty where no earlier run told any.
    """

    operations: list[str] = field(default_factory=list)
    devices: list[str] = field(default_factory=list)
    dtypes: list[str] = field(default_factory=list)
    keyword: str = ""
    only: list[list[str]] = field(default_factory=list)
    profile: str = ""
    backends: list[str] = field(default_factory=list)
    examples: Count = 0
    cell_seconds: Seconds = 0.0
    shard: str = ""
    durations: str = ""

    @property
    def selects(self) -> bool:
        """Whether cells are chosen by more than operation, device and dtype, so that nothing follows from a missing one."""
        return bool(self.keyword or self.only or self.backends or self.shard)

    def includes(self, operation: str, device: str, dtype: str) -> bool:
        """Whether cells of this operation, device and dtype are meant to be asked."""
        asked = ((self.operations, operation), (self.devices, device), (self.dtypes, dtype))
        return all(not named or name in named for named, name in asked)


@dataclass(frozen=True)
class RunStarted:
    """A run begins.

    environment: says where; command: how; candidates: which file was checked, as seen from the folder in which it was
    (empty: the catalogue); checksum: of that file's content.
    """

    run: Name
    when: Moment
    command: list[str]
    seed: int
    environment: dict[str, Any]
    format: int = FORMAT
    candidates: str = ""
    checksum: str = ""
    scope: Scope = field(default_factory=Scope)


@dataclass(frozen=True)
class ImplementationListed:
    """An implementation of a chosen operation.

    place: for messages; unavailable: why it can't run here; file, line: where it is declared, as seen from the root of
    its checkout, empty where it is in none.
    """

    operation: str
    implementation: str
    backend: str
    dtypes: list[str]
    place: str
    unavailable: str | None = None
    file: str = ""
    line: Count = 0


@dataclass(frozen=True)
class ClaimListed:
    """A claim that the run can settle.

    expected: `holds` or `refuted`; instead: what is true where it is refuted; of: operations (none: all); by: the
    properties whose cells settle it.
    """

    id: str
    source: str
    statement: str
    expected: Literal["holds", "refuted"]
    instead: str = ""
    of: list[str] = field(default_factory=list)
    by: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class CellFinished(OfACell):
    """A cell's outcome.

    tally: cases by verdict; met, planned: cases of the plan that were asked, and that should have been (0: not told);
    score_median, score_high, score_max: errors in multiples of the noise floor, half and 95 % of them below the
    first two; allowance: what the worst case was
    allowed; reason: the finding in one sentence; kind: what equal findings share; seconds: by account;
    pairs, triples: combinations of options and patterns met and there are; sizes: those at which results were compared,
    by axis; exact_cases: those of them in which nothing rounds, so that results are equal or wrong;
    disagreement: the largest difference to other implementations that the same worker had asked before, in multiples of the
    noise floor, over small cases that both met, by name (these five in agreement cells only); claim: the id of the claim that
    the property states; known: why the finding was known before, with its reference; outdated: why
    counterexamples that people keep could not be tried; changed: what the implementation changed in modules that others
    use, and that was put back.
    """

    prop: str
    operation: str
    implementation: str
    backend: str
    device: str
    dtype: str
    verdict: Verdict
    _: KW_ONLY
    tally: dict[Verdict, Count] = field(default_factory=dict)
    comparisons: Count = 0
    score_median: Score | None = None
    score_max: Score | None = None
    score_high: Score | None = None
    allowance: Score | None = None
    reason: str = ""
    kind: str = ""
    place: str = ""
    seconds: dict[str, Seconds] = field(default_factory=dict)
    met: Count = 0
    planned: Count = 0
    printed: Count = 0
    pairs: Figures | None = None
    triples: Figures | None = None
    sizes: dict[str, list[Count]] = field(default_factory=dict)
    exact_cases: Count = 0
    disagreement: dict[str, Score] = field(default_factory=dict)
    counterexample: Counterexample | None = None
    claim: str = ""
    known: str = ""
    outdated: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)

    @property
    def id(self) -> str:
        """The counterexample's short id, the same wherever the same case falsifies the same; empty where there is none."""
        if self.counterexample is None:
            return ""
        return short_id(self.cell, self.counterexample.case)

    @staticmethod
    def unanswered(key: CellKey, **told: Any) -> CellFinished:
        """The error of a cell of which there is nothing but its key, and what else is told."""
        return CellFinished(
            key.prop, key.operation, key.implementation, "", key.device, key.dtype, Verdict.ERROR, **told
        )

    @property
    def is_short(self) -> bool:
        """Whether it met fewer cases than it should have, and is not falsified by those."""
        return self.met < self.planned and not Verdict(self.verdict).failing

    @property
    def share(self) -> float:
        """The share of the cases that it should have met which it met."""
        return self.met / self.planned if self.planned else 1.0

    @property
    def extent(self) -> str:
        """`3 of 48 cases` where it met fewer than it should have, else empty."""
        return f"{self.met} of {self.planned} cases" if self.is_short else ""

    @property
    def fails(self) -> bool:
        """Whether it makes a run fail: falsified, not known before, and no claim, which may be meant to be refuted."""
        return Verdict(self.verdict).failing and not (self.claim or self.known or self.unjudged)

    @property
    def unjudged(self) -> bool:
        """Whether the property or the harness itself raised, so that no implementation has failed."""
        return self.kind == UNJUDGED


@dataclass(frozen=True)
class FindingListed:
    """A known finding about somebody else's code.

    Where it shows (an empty list: everywhere), with which verdict, why it is tolerated, where it was reported, and the
    day (ISO) from which it is not tolerated any more; rare: whether few cases show it, so that a run may well miss it.
    """

    operation: str
    implementation: str
    verdict: Verdict
    reason: str
    reference: str
    expires: Day
    properties: list[str] = field(default_factory=list)
    dtypes: list[str] = field(default_factory=list)
    devices: list[str] = field(default_factory=list)
    rare: bool = False


@dataclass(frozen=True)
class TimingFinished:
    """How long an implementation takes at one point of its operation's ladder, and what is said of it.

    build: whose code it is ("" where there is one alone); cache: warm, or cold (overwritten before each call); axes: the
    ladders that the point belongs to; verdict, reason: of its result there, without which nothing is timed; blocks:
    seconds per call, by process and block; against: whom its time is held to; ratio, low, high: its time over theirs and
    the interval; speed: what is said of that; aa_test: what is said of one half of its blocks against the other, which
    are the same code; memory: bytes that a call takes beyond its arguments; roofline: of the machine's limit, which
    `bound` names (operations, bytes of the memory or of the cache; invalid where it cannot be), None where nothing was
    timed; clock: of a GPU meanwhile, in MHz; throttled: blocks that were timed again since it was held back.
    """

    operation: str
    implementation: str
    device: str
    dtype: str
    sizes: dict[str, int]
    options: dict[str, Any]
    axes: list[str]
    verdict: Verdict
    _: KW_ONLY
    reason: str = ""
    build: str = ""
    cache: str = "warm"
    blocks: list[list[Seconds]] = field(default_factory=list)
    against: str = ""
    ratio: float | None = None
    low: float | None = None
    high: float | None = None
    speed: Speed = Speed.NO_DATA
    aa_test: Speed = Speed.NO_DATA
    memory: Count | None = None
    roofline: float | None = None
    bound: str = ""
    clock: Count | None = None
    throttled: Count = 0

    @property
    def seconds(self) -> float | None:
        """The median of the processes' medians, per call; None where nothing was timed."""
        medians = [median(each) for each in self.blocks if each]
        return median(medians) if medians else None

    @property
    def point(self) -> str:
        """`batch=64, inputs=256`, the same in every run."""
        return point_name({**self.sizes, **self.options})

    @property
    def key(self) -> str:
        """`operation/implementation-device-dtype-cache[point]`, the same in every run."""
        return f"{self.operation}/{self.implementation}-{self.device}-{self.dtype}-{self.cache}[{self.point}]"


@dataclass(frozen=True)
class RunFinished:
    """A run ends: cells by verdict, wall-clock seconds, exit code, and why it stopped early if it did."""

    tally: dict[str, Count]
    seconds: Seconds
    exit_code: Annotated[int, Meta(ge=0, le=255)]
    stopped: str = ""


def point_name(known: Mapping[str, Any]) -> str:
    """What a point of a ladder is called, by its sizes and options."""
    return ", ".join(f"{name}={value}" for name, value in known.items())


def short_id(cell: CellKey, case: dict[str, Any]) -> str:
    """Eight hexadecimal digits for a recorded case and what was asked of what in it."""
    told = json.dumps([*cell, case], sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()[:8]


Event = RunStarted | ImplementationListed | ClaimListed | FindingListed | CellFinished | TimingFinished | RunFinished
Listener = Callable[[Event], None]
