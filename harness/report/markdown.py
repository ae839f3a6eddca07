"""Markdown: what a pull request or a step summary shows, cut to size before it is written."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate

from harness.explain.sentence import figure
from harness.explain.visible import visible
from harness.history.changes import Change, Changes
from harness.history.revisions import shortened
from harness.record.events import RunStarted
from harness.report.again import replay_command
from harness.report.outputs import output
from harness.report.reporting import Findings
from harness.report.run_summary import RunSummary

MOST = 60_000
"""Characters; a comment may have 65,536 of them, a step summary 1 MiB."""

_NAME, _SENTENCE, _SOURCE = 160, 300, 2_000
"""Characters of names, of sentences and of a case's Python."""

_COMMITS = 3
_SPECIAL = re.compile(r"[#$&*<>@\[\]\\`|~!]|(?<![^\W_])_|_(?![^\W_])|(?<!\d):(?=\S)|(?i:www\.)")
"""What Markdown, or what a forge adds to it, may take for more than the character that it is: of underscores none within a word."""

_LINKING = {"@": "<code>@</code>", "#": "<code>#</code>"}
"""People and issues are named by text, in whatever way it is escaped; but not by code."""


@output("markdown", help="Write a summary for a pull request or a step summary; - is standard output here and below.")
def markdown(findings: Findings, most: int = MOST) -> str:
    """The verdict, what changed, and the cases of what is new, in so many characters.

    Rows that don't fit are left out and counted, the least important first.
    """
    summary, changes = findings.summary, findings.changes
    return _fitted(_lead(summary, changes), list(_sections(summary, changes)), _closing(summary, changes), most)


def plain(text: str, limit: int = _SENTENCE) -> str:
    """Hostile text in a sentence: it reads as it is, and means nothing to Markdown, HTML or a forge."""
    return _SPECIAL.sub(lambda found: _LINKING.get(found[0]) or _entities(found[0]), visible(text, limit))


def code(text: str, limit: int = _NAME) -> str:
    """Hostile text in one line of code; as HTML, since a span between backticks can't have a bar in a table."""
    return f"<code>{_SPECIAL.sub(lambda found: _entities(found[0]), visible(text, limit))}</code>"


def fenced(text: str, language: str, limit: int = _SOURCE) -> str:
    """Hostile text as a block of code, between more backticks than it has in a row."""
    shown = visible(text, limit, lines=True).rstrip("\n")
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", shown)), default=0))
    return f"{fence}{language}\n{shown}\n{fence}"


def _entities(characters: str) -> str:
    return "".join(f"&#{ord(each)};" for each in characters)


@dataclass(frozen=True)
class _Section:
    """A heading and rows below it, as a table where it has columns; `noun`: what one row is about."""

    heading: str
    noun: str
    rows: tuple[str, ...]
    columns: tuple[str, ...] = ()

    @property
    def head(self) -> str:
        """What stands above the rows."""
        if not self.columns:
            return ""
        return f"{_row(self.columns)}\n{_row(['---'] * len(self.columns))}\n"

    def text(self, shown: int, most: int) -> str:
        """The section with its first rows, and how many are left out."""
        rows = "".join(row + "\n" for row in self.rows[:shown])
        table = f"{self.head}{rows}\n" if shown else ""
        return f"#### {self.heading}\n\n{table}{self._rest(len(self.rows) - shown, most)}"

    def least(self, most: int) -> int:
        """The characters that it takes besides its rows."""
        return len(f"#### {self.heading}\n\n{self.head}\n{self._rest(len(self.rows), most)}")

    def _rest(self, count: int, most: int) -> str:
        if not count:
            return ""
        told = f"{count:,} more {self.noun}{'s' * (count != 1)} left out"
        return f"{told}, to keep this within {most:,} characters; the report has all of it.\n\n"


def _fitted(lead: str, sections: list[_Section], closing: str, most: int) -> str:
    """The text with as many rows as fit, those of earlier sections first."""
    whole = "".join((lead, *(section.text(len(section.rows), most) for section in sections), closing))
    if len(whole) <= most:
        return whole
    room = most - len(lead) - len(closing) - sum(section.least(most) for section in sections)
    told = []
    for section in sections:
        ends = list(accumulate(len(row) + 1 for row in section.rows))
        shown = bisect_right(ends, room)
        room -= ends[shown - 1] if shown else 0
        told.append(section.text(shown, most))
    return f"{lead}{''.join(told)}{closing}"


def _lead(summary: RunSummary, changes: Changes) -> str:
    symbol = "✗" if summary.finished.exit_code == 1 or summary.failing else "✓" if not summary.finished.stopped else "–"
    counts = {
        f"✗ {changes.worse_word}": len(changes.worse),
        "◇ known": len(changes.known),
        f"✓ {changes.better_word}": len(changes.better),
        "– lost": changes.lost_cells,
    }
    table = f"{_row(counts)}\n{_row(['---:'] * len(counts))}\n{_row(f'{each:,}' for each in counts.values())}\n\n"
    return f"### {symbol} {plain(summary.sentence, 600)}\n\n{plain(changes.sentence)}\n\n{table}"


def _closing(summary: RunSummary, changes: Changes) -> str:
    told = [f"Run {code(changes.run.name)} asked {plain(summary.scope)}: {code(summary.command, 300)}"]
    if changes.baseline is not None:
        told.append(f"Compared with {code(changes.baseline.name)}: {code(f'harness compare {changes.baseline.name}')}")
    return "".join(f"{line}\n\n" for line in told)[:-1]


def _sections(summary: RunSummary, changes: Changes) -> Iterator[_Section]:
    """What there is to tell, the most important first."""
    made = (
        _Section(
            changes.worse_word.capitalize(),
            "root cause",
            tuple(_row(_told(each, summary.started)) for each in changes.worse),
            ("verdict", "implementation", "diagnosis", "cells", "since", "ask again"),
        ),
        _Section(
            "Claims that came out otherwise",
            "claim",
            tuple(
                _row((code(each.claim.id), plain(each.claim.expected), plain(each.outcome), plain(each.evidence)))
                for each in summary.unexpected
            ),
            ("claim", "expected", "outcome", "evidence"),
        ),
        _Section(
            "Coverage lost",
            "implementation that lost an answer",
            tuple(
                _row((code(f"{each.operation}/{each.implementation}"), f"{len(each.cells):,}", plain(each.reason)))
                for each in changes.lost
            ),
            ("implementation", "cells", "reason"),
        ),
        _Section(
            changes.better_word.capitalize(),
            "root cause",
            tuple(_row(_told(each, summary.started)[:4]) for each in changes.better),
            ("verdict then", "implementation", "diagnosis then", "cells"),
        ),
        _Section(
            "Errors that grew",
            "cell",
            tuple(
                _row(
                    (
                        code(each.cell),
                        *(f"{figure(error)} ×" for error in (each.before, each.now)),
                        _allowed(each.allowance),
                    )
                )
                for each in changes.grown
            ),
            ("cell", "before", "now", "allowed"),
        ),
        _Section(
            "Environment" if changes.same_segment else "Environment: errors are not comparable",
            "difference",
            tuple(
                _row((plain(each.name), plain(each.before, 80) or "none", plain(each.after, 80) or "none"))
                for each in changes.environment
            ),
            ("", "before", "now"),
        ),
        _Section("Cases of what is new", "case", tuple(_cases(summary, changes))),
    )
    return (section for section in made if section.rows)


def _told(change: Change, started: RunStarted) -> tuple[str, ...]:
    fault = change.fault
    more = f" and {len(change.cells) - 1:,} more" if len(change.cells) > 1 else ""
    why = f"**{plain(fault.diagnosis)}**<br>" if fault.diagnosis else ""
    return (
        f"{fault.verdict.symbol} {fault.verdict.value}",
        code(f"{fault.operation}/{fault.implementation}"),
        f"{why}{plain(fault.sentence)}",
        code(change.cells[0], 240) + more,
        _since(change),
        code(replay_command(fault.counterexample, started)) if fault.counterexample else "",
    )


def _since(change: Change) -> str:
    """The run that saw it first, and the commits since it held."""
    commits = (plain(each, 80) for each in shortened(change.revisions, _COMMITS))
    return "<br>".join((plain(change.first_seen.at), *commits))


def _cases(summary: RunSummary, changes: Changes) -> Iterator[str]:
    """The case of every new root cause, folded; those alone whose Python can be shown whole."""
    shown = {cell.id: cell for cell in summary.outcomes if cell.counterexample}
    for change in changes.worse:
        cell = shown.get(change.fault.counterexample)
        if cell is None or cell.counterexample is None or not 0 < len(cell.counterexample.source) <= _SOURCE:
            continue
        about = f"{code(cell.key, 240)} {plain(cell.counterexample.summary)}"
        values = f"expected {code(cell.counterexample.expected)}, actual {code(cell.counterexample.actual)}\n\n"
        told = f"{fenced(cell.counterexample.source, 'python')}\n\n{values if cell.counterexample.expected else ''}"
        yield f"<details><summary>{about}</summary>\n\n{told}</details>\n"


def _allowed(allowance: float | None) -> str:
    return f"{figure(allowance)} ×" if allowance is not None else ""


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
