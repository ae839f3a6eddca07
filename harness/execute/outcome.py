"""The outcome of a cell: ask, shrink what is bad, and put it down as one event."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from itertools import accumulate
from statistics import median
from typing import Any

from harness.catalogue import is_catalogued
from harness.declare.constants import constants_of
from harness.declare.operation import Operation
from harness.errors import HarnessError
from harness.explain.counterexample import Counterexample, counterexample, explained
from harness.explain.diagnosing import diagnose
from harness.explain.diagnosis import Diagnosis
from harness.explain.of_the_device import operator_of_the_device
from harness.explain.over_cases import explained_over_cases
from harness.explain.reproduction import reproduction
from harness.explain.rounding import lost_digits, unequal_bits
from harness.explain.sentence import sentence
from harness.explain.shrinking import shrink
from harness.generate.case import Case
from harness.generate.drawing import InARow
from harness.generate.patterns import turns_of_ones
from harness.generate.plan import at_constants, at_every_size, coverage, essential, fresh, plan
from harness.generate.precision import eps_of
from harness.measure.clock import keeping_time, spending, undisturbed_seconds
from harness.measure.reference import is_exact
from harness.measure.verdict import Verdict, with_cause
from harness.record.events import CellFinished
from harness.record.example_store import NONE, ExampleStore, SeedCases, rebuilt
from harness.record.kept import kept
from harness.record.known import recognised
from harness.verify.accuracy import LessAccurate
from harness.verify.cell import Cell
from harness.verify.exploration import Exploration, explore
from harness.verify.finding import Finding
from harness.verify.peers import Peers
from harness.verify.systematic_error import SystematicError

_CLAIM_CASES, _CLAIM_SECONDS = 48, 1.0

_SHRINKING_SECONDS, _SHRINKING_SECONDS_OF_OTHERS = 10.0, 2.0
"""For a new finding that fails; for lost digits, for what was known before, and for what refutes a claim."""

_NEARLY_ALL = 0.8
"""The share of cases from which a loss of digits is suspected to be a fault of the dtype."""

_HIGH = 0.95
"""The share of scores below the high one."""

_SMALL = 24
"""Entries up to which a counterexample of an earlier run is not shrunk again."""

_FEW = 12
"""Cases up to which agreement alone meets every size: a run of so few is to be quick, and gradients cost several times as much."""

_REPLAYING_TURNS, _REPLAYING_SECONDS = 6, 1.0

_MOST_EXACT = 40
"""Exact cases of a long form at most: so many as have a one at every place of its longest axis."""

_LOOKED_AT, _ENTRIES = 6, 2**24
"""Cases by which it is told whether an operation has exact ones, and how many entries they may have together, beside the first."""

_peers = Peers()


def outcome(
    cell: Cell,
    examples: int,
    seed: int,
    seconds: float = float("inf"),
    store: ExampleStore = NONE,
    warm_up: float = float("inf"),
) -> CellFinished:
    """Explore a cell on its operation's plan, at most for `seconds`, and describe what was found.

    warm_up: the seconds that its first case, of which compilers and imports take their part, may take for others to follow.

    What falsified it in earlier runs is tried first, and what falsifies it now is remembered; but a claim has to be
    refuted anew.
    """
    if cell.unsupported is not None:
        return without_asking(cell, Verdict.UNSUPPORTED, cell.unsupported)
    shown: Counterexample | None = None
    seeds = SeedCases() if cell.prop.claim else store.of(cell)
    with keeping_time() as ledger:
        enough = max(seconds, _CLAIM_SECONDS) if cell.prop.claim else seconds
        with spending("drawing"):
            planned, reserve = _planned(cell, examples, seed), essential(cell.operation, seed)[examples:]
        done = explore(cell, planned, enough, seeds.cases, reserve, warm_up, fresh(cell.operation, seed))
        if done.worst is not None and done.verdict.severity >= Verdict.UNSTABLE.severity and not done.is_over:
            shown = _shown(done, done.worst, seeds, lambda so_far: _finished(done, so_far, dict(ledger.seconds)))
        disagreement = _peers.disagreement(done) if _is_agreement(cell) else {}
    found = _finished(done, shown, dict(ledger.seconds))
    if not cell.prop.claim:
        falsifying = shown.case if shown and Verdict(found.verdict).failing else None
        store.update(cell, seeds, len(done.tried), falsifying)
    return replace(found, disagreement=disagreement, outdated=list(seeds.outdated))


def replayed(cell: Cell, record: dict[str, Any]) -> CellFinished:
    """What a recorded case shows now: asked a few times, since a result may depend on the calls before."""
    if cell.unsupported is not None:
        return without_asking(cell, Verdict.UNSUPPORTED, cell.unsupported)
    try:
        case = rebuilt(record, cell)
    except HarnessError as refusal:
        return without_asking(cell, Verdict.UNSUPPORTED, str(refusal))
    enough = undisturbed_seconds() + _REPLAYING_SECONDS
    turns = (case for turn in range(_REPLAYING_TURNS) if not turn or undisturbed_seconds() < enough)
    done = explore(cell, (), first=turns)
    return _recognised(
        cell,
        replace(
            _outline(cell, done.verdict),
            tally=dict(done.tally),
            comparisons=done.comparisons,
            reason=sentence(done.worst) if done.worst else "",
            kind=done.worst.kind if done.worst else "",
            printed=done.printed,
        ),
    )


def _planned(cell: Cell, examples: int, seed: int) -> Sequence[Case]:
    """The cases that the cell should be asked; a claim must be able to fall."""
    operation, prop = cell.operation, cell.prop
    if prop.at_every_size and (_is_agreement(cell) or examples > _FEW):
        short = plan(operation, max(examples, len(essential(operation, seed))), seed)
        constants = constants_of(cell.implementation.function)
        long = (*at_constants(operation, constants, seed), *at_every_size(operation, seed))
        return InARow(short, (*long, *_exact_at_every_size(cell, examples, seed)))
    return plan(operation, max(examples, _CLAIM_CASES) if prop.claim else examples, seed)


def _exact_at_every_size(cell: Cell, examples: int, seed: int) -> Iterator[Case]:
    """The long cases once more with few ones, where the operation is one of sums and products, which are exact then."""
    if _is_agreement(cell) and has_exact_cases(cell.operation):
        plain = [case.replace(pattern="few_ones", layout="contiguous") for case in at_every_size(cell.operation, seed)]
        for case in {(tuple(case.sizes.items()), tuple(case.options.items())): case for case in plain}.values():
            turns = min(turns_of_ones(_longest_sum(case), eps_of(cell.dtype)), _MOST_EXACT)
            yield from (case.another(step) for step in range(turns if examples > _FEW else 1))


def _longest_sum(case: Case) -> int:
    """The longest axis along which anything may be added up; 1 where there are more samples than that, which nobody adds."""
    batches = {
        name
        for domain in case.given.values()
        if (place := domain.batch_axis(case.options)) is not None
        for name in domain.axes(case.options)[place].names
    }
    longest = max((size for name, size in case.sizes.items() if name not in batches), default=1)
    return longest if longest == max(case.sizes.values(), default=1) else 1


@cache
def has_exact_cases(operation: Operation) -> bool:
    """Whether an operation adds and multiplies whole numbers alone, told from short cases of its plan."""
    short = [case.replace(pattern="few_ones") for case in essential(operation, 0)[:_LOOKED_AT]]
    entries = accumulate(case.entries for case in short)
    return any(
        is_exact(case) for case, so_far in zip(short, entries, strict=True) if case is short[0] or so_far <= _ENTRIES
    )


def _shown(
    done: Exploration, worst: Finding, seeds: SeedCases, finished: Callable[[Counterexample], CellFinished]
) -> Counterexample:
    """The counterexample: as small as it gets, and explained where it is neither a claim's nor known before.

    finished: the outcome with a counterexample, which is kept while it is explained.
    """
    cell, is_news = done.cell, done.verdict.failing and not done.cell.prop.claim
    is_news = is_news and not without_asking(cell, done.verdict, "").known
    with spending("shrinking"):
        seconds = _SHRINKING_SECONDS if is_news else _SHRINKING_SECONDS_OF_OTHERS
        least = worst if done.over_all or _is_small(worst, seeds) else shrink(cell, worst, seconds)
    with spending("writing"):
        script = reproduction(cell, least)
        shown = counterexample(least, script)
    if done.over_all is not None:
        return explained(shown, script, _over_all(done, done.over_all))
    if not is_news and done.verdict is not Verdict.UNSTABLE:
        return shown
    with kept(lambda: finished(shown)):
        diagnosis = _of_news(done, least) if is_news else _of_one_precision(done, least)
    return explained(shown, script, diagnosis)


def _over_all(done: Exploration, found: SystematicError | LessAccurate) -> Diagnosis:
    """Why an implementation is off over all cases: a theory, or how it is off."""
    told = Diagnosis(found.sentence, found.evidence, found.cause, found.where)
    if not _is_agreement(done.cell):
        return told  # of which theories say nothing
    if isinstance(found, LessAccurate):
        return explained_over_cases(done.cell, done.residuals) or told
    if found.found.kind == "direction":
        return told
    return explained_over_cases(done.cell, found.residuals, found.found) or told


def _is_small(finding: Finding, seeds: SeedCases) -> bool:
    """Whether it is recalled, and small already: then it stays what it is, so that its id does."""
    return finding.case.entries <= _SMALL and any(finding.case is each for each in seeds.cases)


def _is_agreement(cell: Cell) -> bool:
    return cell.prop.name == "agreement"


def _sizes(done: Exploration) -> dict[str, list[int]]:
    """The sizes at which results were compared, by axis, smallest first."""
    met: dict[str, set[int]] = {}
    for case, _ in done.judged:
        for axis, size in case.sizes.items():
            met.setdefault(axis, set()).add(size)
    return {axis: sorted(sizes) for axis, sizes in met.items()}


def without_asking(cell: Cell, verdict: Verdict, reason: str) -> CellFinished:
    """The outcome of a cell that is not asked, or never answered."""
    return _recognised(cell, replace(_outline(cell, verdict), reason=reason))


def _recognised(cell: Cell, found: CellFinished) -> CellFinished:
    """The outcome as a known finding, where it is one: they are of the catalogue's own implementations, not of their names."""
    return recognised(found) if is_catalogued(cell.operation, cell.implementation) else found


def _outline(cell: Cell, verdict: Verdict) -> CellFinished:
    """What was asked of what."""
    implementation = cell.implementation
    return CellFinished(
        cell.prop.name,
        cell.operation.name,
        implementation.name,
        implementation.backend.name,
        cell.device,
        cell.dtype,
        verdict,
        place=implementation.place,
        claim=cell.prop.claim,
    )


def _of_news(done: Exploration, worst: Finding) -> Diagnosis | None:
    """Why an implementation fails: what explains the cases that show it, else what explains all cases that were asked."""
    found = diagnose(done.cell, worst)
    if (found is not None and found.cause) or not _is_agreement(done.cell):
        return found
    return explained_over_cases(done.cell, done.residuals) or found


def _of_one_precision(done: Exploration, worst: Finding) -> Diagnosis:
    """Why an implementation is off in one precision alone.

    Digits get lost in some cases, a fault of one dtype shows in nearly all; then it is looked for, and believed where it
    explains every case. So it is of what knows no other precision, in which the fault would show more clearly.
    """
    told = sum(count for verdict, count in done.tally.items() if verdict.severity > Verdict.INCONCLUSIVE.severity)
    alone = worst.judgement.elsewhere is None
    if alone or done.tally[Verdict.UNSTABLE] >= _NEARLY_ALL * told:
        found = diagnose(done.cell, worst)
        if found is not None and found.proven:
            return found
    if (found := operator_of_the_device(done.cell, worst)) is not None:
        return found
    if alone and _is_agreement(done.cell) and (found := explained_over_cases(done.cell, done.residuals)) is not None:
        return found
    return lost_digits(done)


def _finished(done: Exploration, shown: Counterexample | None, seconds: dict[str, float]) -> CellFinished:
    cell, worst = done.cell, done.worst
    pairs, triples, sizes = None, None, {}
    if _is_agreement(cell):
        sizes = _sizes(done)
        pairs, triples = (
            (c.met, c.total) for c in (coverage(cell.operation, done.tried, strength) for strength in (2, 3))
        )
    proven = bool(shown and shown.diagnosis and shown.diagnosis.proven)
    found = replace(
        _outline(cell, with_cause(done.verdict, proven)),
        tally=dict(done.tally),
        comparisons=done.comparisons,
        score_median=_told(median(done.scores)) if done.scores else None,
        score_max=_told(max(done.scores)) if done.scores else None,
        score_high=_told(_high(done.scores)) if done.scores else None,
        allowance=worst.judgement.allowance if worst and worst.comparison is not None else None,
        reason=shown.sentence if shown else _reason(done),
        kind=worst.kind if worst else "",
        seconds={account: _told(spent) for account, spent in seconds.items()},
        met=done.met,
        planned=done.planned,
        printed=done.printed,
        pairs=pairs,
        triples=triples,
        sizes=sizes,
        exact_cases=done.exact_cases,
        counterexample=shown,
    )
    return _recognised(cell, found)


def _high(scores: list[float]) -> float:
    """The smallest score that is not exceeded by more than a twentieth: one of them, since they may be infinite."""
    return sorted(scores)[math.ceil(_HIGH * len(scores)) - 1]


def _told(figure: float) -> float:
    """A measured figure with the four digits that mean anything, so that a log is half as large."""
    return float(f"{figure:.4g}")


def _reason(done: Exploration) -> str:
    if done.worst is None:
        return "no case of the plan has this property's form"
    if done.verdict is Verdict.INCONCLUSIVE and done.untold:
        return f"no digit of {', '.join(done.untold)} could be compared in any of {len(done.judged)} cases"
    return sentence(done.worst) if done.worst.comparison is None else unequal_bits(done.cell, done.worst)
