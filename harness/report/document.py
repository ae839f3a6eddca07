"""The document that `--json` prints: a finished run for a program or a coding agent, with what to do next.

Its schema, in docs/document.schema.json, is `schema()`. Within a version fields are added, and none is taken away or changes
its meaning.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from harness.explain.diagnosis import Diagnosis
from harness.record.claim_outcomes import ClaimOutcome
from harness.record.events import CellFinished
from harness.record.runlog import plain
from harness.record.triage import RootCause
from harness.report.run_summary import RunSummary

VERSION = 1

_LONGER = {"smoke": "default", "quick": "default"}
"""The profile in which one asks next where nothing fails."""

_MOST_REASONS = 3


def as_json(value: Any) -> str:
    """Such entries as a text; infinite and undefined figures are strings, since JSON has no word for them."""
    return json.dumps(plain(msgspec.to_builtins(value)), indent=2, allow_nan=False)


def _told(what: str) -> Meta:
    return Meta(description=what)


class ClaimEntry(Struct, frozen=True):
    """A claim that the run settled."""

    id: str
    source: str
    statement: str
    expected: str
    outcome: str
    evidence: str
    instead: str
    case: Annotated[dict[str, Any] | None, _told("the case that refutes it")]

    @staticmethod
    def of(each: ClaimOutcome) -> ClaimEntry:
        """The entry of a claim with its outcome."""
        claim, shown = each.claim, each.refuting.counterexample if each.refuting else None
        known = (claim.id, claim.source, claim.statement, claim.expected, each.outcome, each.evidence, claim.instead)
        return ClaimEntry(*known, shown.case if shown else None)


class ShortCell(Struct, frozen=True):
    """A cell that met fewer cases than planned, since its time was over."""

    cell: str
    verdict: str
    met: int
    planned: int


class CauseEntry(Struct, frozen=True):
    """What is wrong with an implementation, once for all cells that show it."""

    verdict: Annotated[str, _told("wrong, error or unstable")]
    operation: str
    implementation: str
    sentence: Annotated[str, _told("what is seen")]
    diagnosis: Annotated[
        Diagnosis | None, _told("why: a sentence, where it holds, and on how many cases that was seen")
    ]
    known: Annotated[str, _told("why it is accepted, from known_findings.toml; empty where it is not")]
    id: Annotated[str, _told("its name in the report and for `harness replay`")]
    cells: Annotated[list[str], _told("property[operation/implementation-device-dtype] of each cell that shows it")]
    case: Annotated[dict[str, Any] | None, _told("the smallest case that shows it, as recorded")]
    inputs: Annotated[str, _told("that case as Python")]
    expected: Annotated[str, _told("entries that the oracle gives there")]
    actual: Annotated[str, _told("what came instead")]
    script: Annotated[str, _told("a Python program that shows it without the harness")]

    @staticmethod
    def of(cause: RootCause) -> CauseEntry:
        """The entry of a cause."""
        cell, shown = cause.shown, cause.shown.counterexample
        return CauseEntry(
            cell.verdict,
            cell.operation,
            cell.implementation,
            cause.sentence,
            cause.diagnosis and replace(cause.diagnosis),  # what was read from a log lacks what is as declared
            cause.known,
            cell.id,
            [each.key for each in cause.cells],
            shown.case if shown else None,
            shown.source if shown else "",
            shown.expected if shown else "",
            shown.actual if shown else "",
            shown.script if shown else "",
        )


class Refusal(Struct, frozen=True):
    """Why there is no run."""

    exit_code: Annotated[int, _told("2 usage or configuration, 3 nothing could be verified, 130 interrupted")]
    error: Annotated[str, _told("what kept it from beginning, with the mend")]

    def to_json(self) -> str:
        """As a text."""
        return as_json(self)


class Document(Struct, frozen=True, kw_only=True):
    """A finished run."""

    version: int = VERSION
    exit_code: Annotated[int, _told("0 clean, 1 falsified, 2 usage, 3 nothing could be verified or written")]
    next: Annotated[list[str], _told("what to do next, the most urgent first; none where nothing is left to do")]
    planned: Annotated[int, _told("cells that were to be asked")]
    sentence: Annotated[str, _told("the verdict on the run")]
    cells: Annotated[dict[str, int], _told("how many cells got each verdict")]
    comparisons: int
    seconds: float
    worker_seconds: Annotated[dict[str, float], _told("what the workers' time went into")]
    stopped: Annotated[str, _told("why it ended before all cells were asked; empty where it did not")]
    claims: list[ClaimEntry]
    notes: list[str]
    short: list[ShortCell]
    causes: Annotated[list[CauseEntry], _told("what is wrong, the worst first")]
    printed: Annotated[dict[str, int], _told("characters that implementations printed")]
    log: str
    report: str
    published: Annotated[
        list[dict[str, Any]] | UnsetType, _told("of a problem in KernelBench's form: the answer at the published size")
    ] = UNSET
    error: Annotated[str | UnsetType, _told("what kept its log or its report from being written")] = UNSET

    @staticmethod
    def of(
        summary: RunSummary, planned: int, log: Path, report: Path, notes: Iterable[str] = (), error: str = ""
    ) -> Document:
        """The document of a run, with further notes; error: why its report could not be written, empty where it was."""
        finished = summary.finished
        return Document(
            exit_code=3 if error else finished.exit_code,
            next=[*_next(summary)],
            planned=planned,
            sentence=summary.sentence,
            cells=finished.tally,
            comparisons=summary.comparisons,
            seconds=round(finished.seconds, 3),
            worker_seconds={account: round(seconds, 3) for account, seconds in summary.seconds.items()},
            stopped=finished.stopped,
            claims=[ClaimEntry.of(each) for each in summary.settled],
            notes=[*summary.unseen_findings, *notes],
            short=[_short(cell) for cell in summary.short],
            causes=[CauseEntry.of(cause) for cause in summary.causes],
            printed=summary.printed,
            log=str(log),
            report=str(report),
            error=error or UNSET,
        )

    def to_json(self) -> str:
        """As a text."""
        return as_json(self)


def _short(cell: CellFinished) -> ShortCell:
    return ShortCell(cell.key, cell.verdict, cell.met, cell.planned)


def _next(summary: RunSummary) -> Iterator[str]:
    """What somebody would do next who reads the report."""
    for cause in summary.failing:
        why = f"{cause.diagnosis}" if cause.diagnosis else cause.sentence
        shows = f"; its script ({cause.shown.id}) shows it" if cause.shown.counterexample else ""
        yield f"mend {cause.shown.place}: {why}{shows}"
    for cause in summary.unstable:
        better = f"; {' and '.join(cause.accurate)} lose none there" if cause.accurate else ""
        yield f"see whether the digits that {cause.shown.place} loses are needed: {cause.diagnosis or cause.sentence}{better}"
    for claim in summary.unexpected:
        yield f"look at the claim {claim.claim.id}, which came out otherwise than expected: {claim.evidence}"
    for reason in (*summary.unavailable_reasons, *summary.inconclusive_reasons)[:_MOST_REASONS]:
        yield f"nothing is known of {', '.join(reason.about[:_MOST_REASONS])}: {reason.text}"
    yield from _further(summary)


def _further(summary: RunSummary) -> Iterator[str]:
    """What a longer run would say more."""
    profile = summary.started.scope.profile
    if summary.finished.stopped:
        yield "`harness run --resume` asks the rest" if not summary.started.candidates else "ask again with more time"
    elif summary.short:
        yield f"ask again with a longer --cell-time: {len(summary.short)} cells met fewer cases than planned"
    elif not summary.causes and profile in _LONGER:
        yield f"ask with --profile {_LONGER[profile]}: nothing fails in the {profile} one, which asks less"


def schema() -> str:
    """The JSON Schema of what is printed, as a text: a document, or a refusal."""
    either, parts = msgspec.json.schema_components([Document, Refusal], ref_template="#/$defs/{name}")
    return json.dumps({"anyOf": list(either), "$defs": parts}, indent=2) + "\n"
