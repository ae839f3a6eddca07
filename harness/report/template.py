"""Templates: Jinja with everything spelled out and escaped, since names, messages and reprs come from candidates."""

from __future__ import annotations

import math
import re
from functools import lru_cache
from hashlib import sha256
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from harness.explain.sentence import figure
from harness.explain.visible import visible
from harness.history.revisions import shortened
from harness.measure.speed import Speed
from harness.measure.verdict import Verdict
from harness.record.events import CellFinished
from harness.record.triage import by_implementation, causes, columns, extents, worst_verdicts
from harness.report.again import replay_command
from harness.report.ladders import duration, memory, share, times

_SOURCE = 64_000
"""Characters of a case's Python that a page shows; literal cases have fewer."""

_LEVELS = 6
"""Strengths of a heat map's colour."""


@lru_cache(maxsize=1)
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("harness.report", "templates"),
        autoescape=True,
        finalize=_finalized,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals.update(
        Verdict=Verdict,
        anchor=anchor,
        by_implementation=by_implementation,
        causes=causes,
        columns=columns,
        counterexample_page=counterexample_page,
        worst_verdicts=worst_verdicts,
        extents=extents,
        operation_page=operation_page,
        place=place,
        replay_command=replay_command,
        tint=_tint,
        word=word,
        Speed=Speed,
        times=times,
    )
    made.filters.update(
        breakable=_breakable,
        duration=duration,
        figure=figure,
        grouped=_grouped,
        memory=memory,
        percent=_percent,
        plural=_plural,
        seconds=_seconds,
        shortened=shortened,
        share=share,
        source=_source,
    )
    return made


def render(name: str, **values: Any) -> str:
    """Fill a template. Every string that is printed becomes visible text, cut where it is long, and is escaped."""
    return _environment().get_template(name).render(**values)


def raw(name: str) -> Markup:
    """A template's own text as it is, for what must match a page byte by byte."""
    loader = _environment().loader
    assert loader is not None
    return Markup(loader.get_source(_environment(), name)[0])


def anchor(kind: str, *names: str) -> str:
    """The id of an element, the same in every run; names that can't stand in an id, or are long, end in a checksum."""
    wanted = "-".join((kind, *names))
    plain = re.sub(r"[^A-Za-z0-9_.]+", "-", wanted)[:80]
    if plain == wanted:
        return plain
    return f"{plain}-{sha256(wanted.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"


@lru_cache
def word(verdict: Verdict) -> Markup:
    """A verdict as symbol and word; its colour only repeats them."""
    return Markup(f'<span class="v-{verdict.value}">{verdict.symbol} {verdict.value}</span>')


@lru_cache
def place(column: tuple[str, str], devices: int) -> Markup:
    """A dtype, with its device where there are several or it is no CPU."""
    device, dtype = (escape(visible(name)) for name in column)
    return dtype + (Markup(f" <small>{device}</small>") if devices > 1 or column[0] != "cpu" else "")


def operation_page(name: str) -> str:
    """The path of an operation's page; a name that can't be a file's everywhere ends in a checksum."""
    plain = re.sub(r"[^a-z0-9_]+", "-", name.lower())[:60]
    checksum = "" if name and plain == name else f"-{sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"
    return f"operation/{plain}{checksum}.html"


def counterexample_page(cell: CellFinished) -> str:
    """The path of the page of a cell's counterexample, empty where it has none."""
    return f"counterexample/{cell.id}.html" if cell.counterexample else ""


def _finalized(value: Any) -> Any:
    return visible(value) if isinstance(value, str) and not hasattr(value, "__html__") else value


def _source(text: str) -> Markup:
    return escape(visible(text, _SOURCE, lines=True))


def _breakable(name: str) -> Markup:
    """A name that a narrow column may break after an underscore, and nowhere else where it can be helped."""
    return Markup(str(escape(visible(name))).replace("_", "_<wbr>"))


def _grouped(number: int) -> str:
    return f"{number:,}"


def _plural(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'s' * (number != 1)}"


def _tint(value: float, largest: float) -> str:
    """How strongly a heat map tints a value, from 0 to 6, with its sign: the class of its cell."""
    if not math.isfinite(value):
        return "hx"
    if not value:
        return ""
    level = max(1, round(_LEVELS * abs(value) / largest)) if largest else _LEVELS
    return f"{'hn' if value < 0 else 'hp'}{level}"


def _percent(share: float) -> str:
    return f"{share:.0%}" if share >= 0.01 or not share else "under 1%"


def _seconds(value: float) -> str:
    if value < 10:
        return f"{value:.1f} s"
    return f"{value:.0f} s" if value < 120 else f"{value / 60:.0f} min"
