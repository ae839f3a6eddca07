"""Words: options and arguments that mean nothing, or more than they say."""

from __future__ import annotations

import os
from collections.abc import Iterator

from tests.hostile.row import Place, Row

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
    "nothing": "",
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
        words = (command, *(("x.py",) if command == "check" else ()), option)
        yield Row(f"{command} {option} below 0", (*words, "-1s"), (2,), "duration")
        yield Row(f"{command} {option} without end", (*words, "99999999999999999999h"), (2,), option)


def _names() -> Iterator[Row]:
    named = {
        "run": (),
        "list": (),
        "bench": (),
        "invariance": (),
        "docs": ("--into", "written"),
        "claims": (),
        "compare": (),
        "report": (),
        "replay": (),
        "issues": (),
        "history": (),
    }
    for kind, word in _ODD.items():
        for command, more in named.items():
            takes_nothing = not word and command not in ("run", "list", "bench", "invariance", "docs", "claims")
            if takes_nothing or (not word and command == "docs"):
                continue
            if kind in ("controls", "no UTF-8", "nothing") or command in ("run", "compare", "replay"):
                yield Row(f"{command} of {kind}", (command, *more, word), (2,), "harness:|Error")
    for command in _COMMANDS:
        yield Row(f"{command} with an unknown option", (command, "--no-such\x1b[31m"), (2,), "no-such")
    yield Row("an unknown command", ("no-such\x1b[31m",), (2,), "No such command")


_KEYWORDS = {
    "3,000 nots": "not " * 3000 + "agreement",
    "3,000 brackets": "(" * 3000 + "agreement" + ")" * 3000,
    "no expression": "agreement and",
    "code": "__import__('os').system('touch executed')",
    "controls": "\x1b[31m\x07",
    "a NUL's look": "\\0",
    "no UTF-8": os.fsdecode(b"\xff"),
    "a call": "agreement(x=1)",
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
    yield Row("run -k an unknown word", (*quick, "-k", "no_such"), (2, 3), "no_such", seconds=_SECONDS)
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
    yield Row(
        "bench --benchmark-nonsense",
        ("bench", "linear", "--benchmark-no-such=\x1b[31m"),
        (2,),
        "benchmark",
        seconds=_SECONDS,
    )
    yield Row("bench --only nobody", ("bench", "linear", "--only", "nobody\x1b[31m"), (2,), "nobody")
    yield Row("bench of two files", ("bench", "a.py", "b.py"), (2,), "one file")
    for command in ("run", "bench", "claims"):
        words = (command, *(("linear",) if command != "claims" else ("gru.subset",)), "--reports", "mine.html")
        yield Row(f"{command} --reports a file", words, (2,), "mine.html", seconds=_SECONDS)
        yield Row(f"{command} --reports a file, in JSON", (*words, "--json"), (2,), "mine.html", seconds=_SECONDS)
        below = (*words[:-1], "mine.html/below")
        yield Row(f"{command} --reports below a file", below, (2, 3), "mine.html", seconds=_SECONDS)
    for command in ("history", "report", "issues", "replay"):
        yield Row(f"{command} --reports a file", (command, "--reports", "mine.html"), (2,), "mine.html")
        yield Row(f"{command} --reports below a file", (command, "--reports", "mine.html/below"), (2, 3), "mine.html")
        yield Row(f"{command} --reports named by controls", (command, "--reports", "\x1b[31m\n"), (2, 3), ".")
    yield Row("docs --into a file", ("docs", "linear", "--into", "mine.html"), (2,), "mine.html")
    yield Row("docs --into below a file", ("docs", "linear", "--into", "mine.html/below"), (2, 3), "mine.html")
    yield Row("docs --into somebody's folder", ("docs", "linear", "--into", "written"), (0,), "page", _notes)


def _notes(place: Place) -> None:
    from tests.hostile.row import SENTINEL

    (place.written / "mine.md").write_bytes(SENTINEL)


ROWS = [*_durations(), *_names(), *_options()]
