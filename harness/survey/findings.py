"""Findings of a survey: what fails, grouped over operators by what they have in common, the surest and worst first.

One kernel stands behind many names. Where several operators fail the same property in the same way, and what one of them calls of
PyTorch's core is among what another calls, the others are shown with the one that calls least.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256

from harness.execute.watchdog import CRASHED
from harness.measure.verdict import Verdict
from harness.record.events import CellFinished
from harness.record.triage import RootCause, causes, fault_of
from harness.survey.declarations import TRANSFORMED

ITSELF = "definition"
"""The way of an operator that is called as it is."""

_PLAIN = "contiguous"
"""The memory layout in which nothing is asked of a layout."""

_OWN_FAULT = "INTERNAL ASSERT FAILED"
"""What PyTorch says of a call that it should have answered or refused, and asks to be told of."""

_COMPILED = "compiled"
"""The property in which a compiler is asked."""

_UNWRITTEN = "uninitialised_memory"
"""The property that falls where a result holds what was in memory before, which may look like any other fault."""

_TRIVIAL = frozenset(
    (
        *(
            "view",
            "expand",
            "_unsafe_view",
            "_reshape_alias",
            "alias",
            "t",
            "transpose",
            "permute",
            "unsqueeze",
            "squeeze",
        ),
        *("select", "slice", "as_strided", "detach", "clone", "_to_copy", "copy_", "resize_"),
        *("empty", "empty_like", "new_empty"),
    )
)
"""Operators that move data or make room for it, which nobody shares a fault by."""


@dataclass(frozen=True)
class Found:
    """One entry of the worklist: a fault, and every operator and use of it in which it shows.

    way: how the operators are called: ITSELF, or by the name of another implementation; causes: what was found, the shown one
    first; operators: their paths, that of the shown one first.
    """

    way: str
    causes: tuple[RootCause, ...]
    operators: tuple[str, ...]

    @property
    def shown(self) -> CellFinished:
        """The cell to show."""
        return self.causes[0].shown

    @property
    def verdict(self) -> Verdict:
        """What is said of it."""
        return self.causes[0].verdict

    @property
    def id(self) -> str:
        """The same in any survey that finds it: of the operator that is shown, how it is called, and what it fails."""
        told = " ".join((self.operators[0], self.way, self.verdict.value, self.shown.prop, self.shown.kind))
        return sha256(told.encode()).hexdigest()[:8]

    @cached_property
    def cells(self) -> list[CellFinished]:
        """Every cell in which it shows."""
        return [cell for cause in self.causes for cell in cause.cells]

    @property
    def ways(self) -> list[str]:
        """How the operators are called where it shows, the shown cell's way first, for people."""
        names = dict.fromkeys(cell.implementation for cell in self.cells)
        return ["as it is" if name == ITSELF else name for name in names]

    @property
    def properties(self) -> list[str]:
        """What fails, the shown cell's first."""
        return list(dict.fromkeys(cell.prop for cell in self.cells))

    @property
    def dtypes(self) -> list[str]:
        """In which dtypes."""
        return list(dict.fromkeys(cell.dtype for cell in self.cells))

    @property
    def title(self) -> str:
        """What stands over an issue about it."""
        how = "" if self.way == ITSELF else f" ({self.way})"
        others = f" and {len(self.operators) - 1} more" if len(self.operators) > 1 else ""
        return f"{self.operators[0]}{how}{others}: {self.what}"

    @property
    def what(self) -> str:
        """What fails, in a few words."""
        return _what(self.causes[0])

    @property
    def script(self) -> str:
        """What shows it to somebody who has PyTorch alone, empty where there is none."""
        return self.shown.counterexample.script if self.shown.counterexample else ""


def findings(
    outcomes: Iterable[CellFinished], paths: Mapping[str, str], calls: Mapping[str, frozenset[str]]
) -> list[Found]:
    """The entries of the worklist; paths, calls: of each operation, its operator, and what that calls of PyTorch's core."""
    groups: dict[tuple[str, ...], list[RootCause]] = {}
    told = _with_what_follows(_with_unwritten_memory(_without_refusals(causes(outcomes))))
    for cause in _with_other_ways([*told]):
        groups.setdefault(_likeness(cause), []).append(cause)
    found = [
        Found(alike[0].shown.implementation, tuple(alike), tuple(dict.fromkeys(paths[each.key[0]] for each in alike)))
        for group in groups.values()
        for alike in _by_calls(group, calls)
    ]
    same: dict[str, list[Found]] = {}
    for each in found:
        same.setdefault(each.id, []).append(each)
    return sorted(map(_as_one, same.values()), key=_rank)


def _as_one(found: list[Found]) -> Found:
    """Findings of the same id, such as those of several uses of an operator, which call other kernels."""
    operators = dict.fromkeys(path for each in found for path in each.operators)
    return replace(found[0], causes=tuple(cause for each in found for cause in each.causes), operators=tuple(operators))


def _with_other_ways(found: list[RootCause]) -> Iterator[RootCause]:
    """The causes, where those of an operator as it is have with them what another way to call it fails likewise."""
    ways: dict[tuple[str, ...], list[RootCause]] = {}
    for cause in found:
        shown = cause.shown
        told = "" if shown.kind == CRASHED else _what(cause)  # by which signal, and where, is chance
        ways.setdefault((shown.operation, cause.verdict, shown.kind or shown.prop, told), []).append(cause)
    for alike in ways.values():
        itself = next((each for each in alike if each.shown.implementation == ITSELF), None)
        if itself is None:
            yield from alike
        else:
            others = (cell for each in alike if each is not itself for cell in each.cells)
            yield replace(itself, cells=(*itself.cells, *others))


def _what(cause: RootCause) -> str:
    """What fails, in a few words."""
    told, shown = cause.diagnosis, cause.shown
    return _without_place(told.sentence if told and told.cause and not shown.kind else cause.sentence)


def _with_what_follows(found: Iterable[RootCause]) -> Iterator[RootCause]:
    """The causes, where those of a use that computes something else have with them what else is off of its results, which follows."""
    uses: dict[tuple[object, ...], list[RootCause]] = {}
    for cause in found:
        of_results = "gradient" not in cause.shown.prop and not cause.shown.kind
        uses.setdefault((cause.key, cause.verdict, cause.known, of_results or cause.fault), []).append(cause)
    for alike in uses.values():
        if alike[0].shown.prop == "agreement":
            yield replace(alike[0], cells=tuple(cell for cause in alike for cell in cause.cells))
        else:
            yield from alike


def _without_refusals(found: list[RootCause]) -> list[RootCause]:
    """The causes that are no refusals: another way to call an operator may refuse wherever the operator itself does."""
    refusing = [each for each in found if is_refusal(each.shown)]
    refused = {_question(cell) for each in refusing if each.key[1] == ITSELF for cell in each.cells}
    gone = [each for each in refusing if each.key[1] in (ITSELF, TRANSFORMED) or _question(each.shown) in refused]
    return [each for each in found if each not in gone]


def _with_unwritten_memory(found: list[RootCause]) -> Iterator[RootCause]:
    """The causes, where those of a use that leaves a part of its result unwritten have with them whatever else is off of it."""
    told = [cell for cause in found if cause.verdict.failing for cell in cause.cells if cell.prop == _UNWRITTEN]
    unwritten = {cell.operation: cell for cell in reversed(told) if cell.implementation == ITSELF}
    for operation, shown in unwritten.items():
        cells = (cell for cause in found if cause.key[0] == operation for cell in cause.cells if cell is not shown)
        yield RootCause(shown.reason, (shown, *cells))
    yield from (cause for cause in found if cause.key[0] not in unwritten)


def _question(cell: CellFinished) -> tuple[str, ...]:
    return cell.operation, cell.prop, cell.dtype


def is_refusal(cell: CellFinished) -> bool:
    """Whether values or sizes are refused, whatever the memory layout: nobody owes an answer there.

    What PyTorch itself calls a bug of its own is none; and while a rule for a derivative may be lacking, a compiler owes an
    answer wherever the operator gives one.
    """
    if not cell.kind.startswith("raised ") or _OWN_FAULT in cell.reason or cell.prop == _COMPILED:
        return False
    plain = cell.counterexample is None or cell.counterexample.case.get("layout") == _PLAIN
    return plain or ": the definition raised " in cell.reason  # whose own arguments are always plain


def _likeness(cause: RootCause) -> tuple[str, ...]:
    """What findings about several operators have to share to be one."""
    shown = cause.shown
    fault = fault_of(shown) if shown.kind else shown.prop
    return shown.implementation.partition(".")[0], shown.verdict, _without_place(fault).replace(shown.operation, "")


def _by_calls(group: list[RootCause], calls: Mapping[str, frozenset[str]]) -> Iterator[list[RootCause]]:
    """The findings of a group, those together that may have one kernel in common, which is told by the one that calls least."""
    told = {id(each): calls[each.key[0]] - _TRIVIAL or calls[each.key[0]] for each in group}
    left = sorted(group, key=lambda each: (len(told[id(each)]), each.key))
    while left:
        least = told[id(left[0])]
        yield [each for each in left if least <= told[id(each)]]
        left = [each for each in left if not least <= told[id(each)]]


def _rank(found: Found) -> tuple[bool, int, int, int, str]:
    """The surest and worst first: by verdict, operators called as they are, in how many dtypes and cells it shows."""
    return found.way != ITSELF, -found.verdict.telling, -len(found.dtypes), -len(found.cells), found.id


def _without_place(sentence: str) -> str:
    """A sentence without the file and function that stand before it, and the lines of any file in it."""
    place, colon, rest = sentence.partition(": ")
    told = rest.partition(": ")[2] or rest if colon and place.endswith(".py") else sentence
    return re.sub(r""" in line \d+| at \w+\.py, line \d+, \w+| at "[^"]*":\d+""", "", told)


@dataclass(frozen=True)
class Held:
    """How much was asked, of how many operators, and in how many cells nothing was found: in all, and by property."""

    operators: int
    cells: int
    passing: int
    comparisons: int
    properties: Mapping[str, tuple[int, int]]

    @staticmethod
    def of(outcomes: Iterable[CellFinished], operators: Mapping[str, Hashable]) -> Held:
        """What a survey's cells tell; what is unsupported was not asked. operators: what each operation is a use of."""
        asked = [cell for cell in outcomes if cell.verdict != Verdict.UNSUPPORTED]
        passing = Counter(cell.prop for cell in asked if Verdict(cell.verdict).severity < Verdict.UNSTABLE.severity)
        return Held(
            len({operators[cell.operation] for cell in asked}),
            len(asked),
            passing.total(),
            sum(cell.comparisons for cell in asked),
            {prop: (passing[prop], count) for prop, count in Counter(cell.prop for cell in asked).items()},
        )
