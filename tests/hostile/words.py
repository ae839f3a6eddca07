"""Words: options and arguments that mean nothing, or more than they say."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import product

from tests.hostile.row import SENTINEL, Row, file

_SECONDS = 300

_DURATIONS = (
    "99999999999999999999h",
    "-1s",
    "nan",
    "inf",
    "1e5s",
    "",
    "0",
    "5x",
    "٣s",
    "1" * 400,
    "1s\n",
    "1 s s",
    "\x1b[31m",
)
_COMMANDS = (
    *(
        "list",
        "run",
        "check",
        "bench",
        "invariance",
        "replay",
        "history",
        "compare",
        "report",
        "issues",
        "claims",
        "docs",
    ),
)
_ODD = {
    "controls": "\x1b[31m\x07",
    "lines": "a\nb",
    "directions": "\u202egnp",
    "markup": "[bold]<b>",
    "no UTF-8": os.fsdecode(b"\xff"),
    "100,000 letters": "a" * 100_000,
    "a path": "../../etc/passwd",
    "a glob": "*[",
}
"""Names that nothing has."""


def _durations() -> Iterator[Row]:
    for word in _DURATIONS:
        yield Row(f"run --budget {word[:22]!r}", ("run", "no_such", "--budget", word), (2,), "--budget")
    for command, option in (
        ("run", "--cell-time"),
        ("check", "--limit"),
        ("replay", "--limit"),
        ("bench", "--patience"),
        ("invariance", "--patience"),
        ("issues", "--expect-within"),
    ):
        named = {"check": ("x.py",), "replay": (), "issues": ()}.get(command, ("no_such",))
        words = (command, *named, option)
        yield Row(f"{command} {option} below 0", (*words, "-1s"), (2,), "duration")
        yield Row(f"{command} {option} without end", (*words, "99999999999999999999h"), (2,), option)


_NAMING = {
    **{command: (command,) for command in ("run", "list", "bench", "invariance", "claims")},
    **{command: (command,) for command in ("compare", "report", "replay", "issues", "history")},
    "docs": ("docs", "--into", "written"),
}
"""The commands that take a name."""


def _names() -> Iterator[Row]:
    for (kind, word), told in product(_ODD.items(), _NAMING):
        if kind in ("controls", "no UTF-8") or told in ("run", "compare", "replay"):
            yield Row(f"{told} of {kind}", (*_NAMING[told], word), (2,), "harness:|Error")
    for command in ("list", "bench", "invariance", "claims"):
        yield Row(f"{command} of nothing", (command, ""), (2,), "unknown")
    for command in _COMMANDS:
        yield Row(f"{command} with an unknown option", (command, "--no-such\x1b[31m"), (2,), "no-such")
    yield Row("an unknown command", ("no-such\x1b[31m",), (2,), "No such command")


_KEYWORDS = {
    "3,000 nots": "not " * 3000 + "agreement",
    "3,000 brackets": "(" * 3000 + "agreement" + ")" * 3000,
    "code": "__import__('os').system('touch executed')",
    "controls": "\x1b[31m\x07",
    "no UTF-8": os.fsdecode(b"\xff"),
}


_VALUES = (
    ("--device", "abacus\x1b[31m", "abacus"),
    ("--dtype", "float17\x1b[31m", "float17"),
    ("--backend", "matlab\x1b[31m", "matlab"),
    ("--seed", "-1", "--seed"),
    ("--seed", "1" + "0" * 400, "--seed"),
    ("--seed", "x", "--seed"),
    ("--examples", "0", "--examples"),
    ("--examples", "-1", "--examples"),
    ("--jobs", "0", "--jobs"),
    ("--threads", "0", "--threads"),
    ("--profile", "\x1b[31m", "--profile"),
    ("--baseline", "no_such\x1b[31m", "no_such"),
    ("--baseline", "--upload-pack=touch executed", "no run"),
)
"""Options, values that they can't have, and what has to be said."""

_REVISIONS = (
    *("--upload-pack=touch executed", "--output=executed", "-x", "--no-such"),
    *("no_such", "\x1b[31m", "main\n", "a" * 10_000, os.fsdecode(b"\xff")),
)
"""Words that are no revision, whatever git makes of them."""


def _options() -> Iterator[Row]:
    quick = ("run", "linear", "--profile", "quick", "--examples", "1", "--jobs", "1")
    for name, word in _KEYWORDS.items():
        yield Row(f"run -k {name}", (*quick, "-k", word), (2,), "-k|keyword|expression", seconds=_SECONDS)
    yield Row(
        "run -k an unknown word, in JSON", (*quick, "-k", "no_such", "--json"), (2, 3), "no_such", seconds=_SECONDS
    )
    for option, word, says in _VALUES:
        yield Row(f"run {option} {word[:20]!r}", ("run", "linear", option, word), (2,), says)
    for word in _REVISIONS:
        yield Row(f"bench --against {word!r}", ("bench", "linear", f"--against={word}"), (2,), "against")
    for word in (each for each in _REVISIONS if each.startswith("-")):
        yield Row(f"compare {word!r}", ("compare", "--", word), (2,), "no run")
        yield Row(f"report --baseline {word!r}", ("report", f"--baseline={word}"), (2,), "no run")
        yield Row(f"issues {word!r}", ("issues", "--", word), (2,), "no run")
    yield Row("bench --python nobody", ("bench", "linear", "--against", "HEAD", "--python", "nobody"), (2,), "nobody")
    yield Row("bench --python without --against", ("bench", "linear", "--python", "/bin/sh"), (2,), "against")
    yield Row("bench --only nobody", ("bench", "linear", "--only", "nobody\x1b[31m"), (2,), "nobody")
    yield Row("bench of two files", ("bench", "a.py", "b.py"), (2,), "one file")
    little = {
        "run": (*quick, "-k", "agreement"),
        "claims": ("claims", "gru.subset", *quick[2:]),
        "bench": ("bench", "linear", "--only", "definition", "--processes", "1", "--budget", "1s"),
    }
    for command, words in little.items():
        asked = (*words, "--reports", "mine.html")
        yield Row(f"{command} --reports a file", asked, (2,), "mine.html", seconds=_SECONDS)
    asked = (*little["run"], "--reports", "mine.html/below", "--json")
    yield Row("run --reports below a file, in JSON", asked, (2, 3), "mine.html", seconds=_SECONDS)
    for command in ("history", "report", "issues", "replay"):
        yield Row(f"{command} --reports a file", (command, "--reports", "mine.html"), (2,), "mine.html")
        yield Row(f"{command} --reports below a file", (command, "--reports", "mine.html/below"), (2, 3), "mine.html")
        yield Row(f"{command} --reports named by controls", (command, "--reports", "\x1b[31m\n"), (2, 3), ".")
    yield Row("docs --into a file", ("docs", "linear", "--into", "mine.html"), (2,), "mine.html")
    yield Row("docs --into below a file", ("docs", "linear", "--into", "mine.html/below"), (2, 3), "mine.html")
    yield Row(
        "docs --into somebody's folder",
        ("docs", "linear", "--into", "written"),
        (0,),
        "page",
        file("written/mine.md", SENTINEL),
    )


ROWS = [*_durations(), *_names(), *_options()]
