"""Files of counterexamples: what people keep and commit, and what `replay` and `run --first` read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tests.byhand import CONTROLS, DIRECTIONS, MARKUP
from tests.hostile.row import SENTINEL, Maker, Place, Row, file, link, nothing, pipe
from tests.hostile.valid import CASE, text

KEPT = "reports/counterexamples.jsonl"
ENTRY: dict[str, Any] = {
    "property": "agreement",
    "operation": "linear",
    "implementation": "torch_linear",
    "device": "cpu",
    "dtype": "float32",
    "verdict": "wrong",
    "sentence": "off by 9 ×",
    "case": CASE,
}
_EVIL = "from pathlib import Path\nPath(__file__).with_name('executed').write_text('executed')\n"
_WORKING = 300
"""Seconds for what starts workers."""


def kept(*told: Any) -> Maker:
    """Puts lines into the file."""
    return lambda place: file(KEPT, text(told))(place)


def evil(path: str) -> Maker:
    """Names a file of candidates that leaves something behind when it is imported."""

    def made(place: Place) -> None:
        (place.outside / "evil.py").write_text(_EVIL)
        told = path.format(outside=place.outside)
        kept({**ENTRY, "implementation": "mine", "candidates": told})(place)

    return made


_FILES: dict[str, bytes] = {
    "no JSON": b"hello\nworld\n",
    "random bytes": bytes(range(256)),
    "no UTF-8": b'{"property": "\xff"}\n',
    "NULs": b"\0" * 1000,
    "200,000 brackets": b"[" * 200_000 + b"\n",
    "10**5000": b'{"property": 1' + b"0" * 5000 + b"}\n",
    "controls": f"{CONTROLS}\n".encode("utf-8", "surrogatepass").replace(b"\xed\xa0\x80", b""),
    "a line of 10 MB": b"x" * 10_000_000,
    "a list": b"[1, 2]\n",
    "a number": b"17\n",
    "null": b"null\n",
}

_ENTRIES: dict[str, Any] = {
    **{f"{name} a number": {**ENTRY, name: 7} for name in ENTRY},
    **{f"{name} null": {**ENTRY, name: None} for name in ENTRY},
    **{f"no {name}": {key: each for key, each in ENTRY.items() if key != name} for name in ("property", "case")},
    "an unknown verdict": {**ENTRY, "verdict": "splendid"},
    "the verdict a list": {**ENTRY, "verdict": []},
    "the candidates a number": {**ENTRY, "candidates": 7},
    "the case a list": {**ENTRY, "case": [1]},
}
"""Lines that are no counterexample."""

_NOBODY: dict[str, Any] = {
    "the candidates with a NUL": {**ENTRY, "candidates": "a\0.py"},
    "an unknown operation": {**ENTRY, "operation": "no_such"},
    "an unknown implementation": {**ENTRY, "implementation": "no_such"},
    "an unknown property": {**ENTRY, "property": "no_such"},
    "an unknown dtype": {**ENTRY, "dtype": "float17"},
    "an unknown device": {**ENTRY, "device": "abacus"},
    "markup": {**ENTRY, "operation": MARKUP, "sentence": MARKUP},
    "controls": {**ENTRY, "operation": CONTROLS, "sentence": CONTROLS},
    "directions": {**ENTRY, "implementation": DIRECTIONS, "sentence": DIRECTIONS},
    "a candidate file that is not there": {**ENTRY, "operation": "x", "candidates": "../mine/no_such.py"},
    "a candidate file that is none": {**ENTRY, "operation": "x", "candidates": "../mine.html"},
    "a folder of candidates": {**ENTRY, "operation": "x", "candidates": ".."},
    "a device of candidates": {**ENTRY, "operation": "x", "candidates": "/dev/zero"},
    "10,000 letters of candidates": {**ENTRY, "operation": "x", "candidates": "a" * 10_000 + ".py"},
}
"""Counterexamples that nobody here can be asked."""

_CASES: dict[str, Any] = {
    "unknown options": {**CASE, "options": {"no_such": 1}},
    "sizes of 10**12": {**CASE, "sizes": {"batch": 10**12, "inputs": 10**12, "outputs": 1}},
    "sizes of 10**400": {**CASE, "sizes": {"batch": 10**400, "inputs": 3, "outputs": 1}},
    "sizes below 0": {**CASE, "sizes": {"batch": -2, "inputs": 3, "outputs": 1}},
    "sizes of text": {**CASE, "sizes": {"batch": "x", "inputs": 3, "outputs": 1}},
    "no sizes": {"operation": "linear", "dtype": "float32"},
    "another operation": {**CASE, "operation": "gru"},
    "an unknown pattern": {**CASE, "pattern": "no_such"},
    "an unknown layout": {**CASE, "layout": "../../x"},
    "an unknown dtype": {**CASE, "dtype": "float17"},
    "a seed below 0": {**CASE, "seed": -1},
    "an infinite seed": {**CASE, "seed": float("inf")},
    "a literal that is code": {**CASE, "values": {"x": "__import__('os').system('touch executed')"}},
    "something deep": {**CASE, "options": {"a": json.loads('{"a":' * 100 + "1" + "}" * 100)}},
    "nothing": {},
}
"""Cases that can't be built."""


def _rows() -> Iterator[Row]:
    for name, content in _FILES.items():
        yield Row(f"kept cases with {name}: replay", ("replay", KEPT), (2,), "counterexamples", file(KEPT, content))
    for name, entry in _ENTRIES.items():
        yield Row(f"a kept case with {name}: replay", ("replay", KEPT), (2,), "line 1", kept(entry))
    for name, entry in _NOBODY.items():
        yield Row(f"a kept case with {name}: replay", ("replay", KEPT, "--json"), (2, 3), ".", kept(entry))
    cases = [{**ENTRY, "case": each} for each in _CASES.values()]
    for name in ("sizes of 10**12", "sizes below 0"):
        make = kept({**ENTRY, "case": _CASES[name]})
        yield Row(f"a case of {name}: replay", ("replay", KEPT, "--jobs", "1"), (3,), "could not run", make, _WORKING)
    asked = ("run", "linear", "--first", KEPT, "-k", "agreement and torch_linear", "--dtype", "float32")
    few = ("--profile", "quick", "--examples", "1", "--jobs", "1")
    hostile = [*cases, *_ENTRIES.values(), *_NOBODY.values()]
    yield Row("cases that can't be built: run --first", (*asked, *few), (0, 1), "note", kept(*hostile), _WORKING)
    yield Row("kept cases that are no text: run --first", (*asked, *few), (2,), "no text", file(KEPT, b"\xff\xfe"))
    yield Row("a folder of kept cases: run --first", ("run", "linear", "--first", "reports"), (2,), "reports")
    yield Row(
        "kept cases that are not there: run --first", ("run", "linear", "--first", "none.jsonl"), (2,), "none.jsonl"
    )
    yield Row("a pipe of kept cases: replay", ("replay", KEPT), (2,), "counterexamples.jsonl", pipe(KEPT))
    yield Row(
        "a pipe of kept cases: run --first", ("run", "linear", "--first", KEPT), (2,), "counterexamples.jsonl", pipe
    )
    for name, path in {
        "beside the place": "../../outside/evil.py",
        "by an absolute path": "{outside}/evil.py",
        "with dots in its path": "./../../work/../outside/evil.py",
        "by a home": "~/../{outside}/evil.py",
    }.items():
        yield Row(f"a kept case of a file {name}: replay", ("replay", KEPT), (2, 3), "evil.py", evil(path))
    yield Row("a kept case of a file behind a link: replay", ("replay", KEPT), (2, 3), "linked.py", _behind_a_link)


def _behind_a_link(place: Place) -> None:
    (place.outside / "evil.py").write_text(_EVIL)
    (place.work / "linked.py").symlink_to(place.outside / "evil.py")
    kept({**ENTRY, "implementation": "mine", "candidates": "../linked.py"})(place)


_SOURCE = b"import torch\n" + b"# " + SENTINEL + b"\n"

_TARGETS: dict[str, tuple[str, bytes]] = {
    "a Python source": ("mine.py", _SOURCE),
    "a page": ("page.html", b"<html>" + SENTINEL + b"</html>"),
    "a text": ("notes.txt", SENTINEL + b"\nmore\n"),
    "what is no text": ("x.bin", b"\xff\xfe" + SENTINEL),
    "an object in lines": ("settings.json", b'{\n"a": "' + SENTINEL + b'"\n}\n'),
    "a log": ("reports/runs/20261101-000000-abcdef.jsonl.gz", b""),
}


def _saving() -> Iterator[Row]:
    for told, (name, content) in _TARGETS.items():
        make = file(name, content) if content else nothing
        yield Row(f"replay --save onto {told}", ("replay", "--save", name), (2,), name.rpartition("/")[2], make)
    for told, (name, says, make) in _NO_FILES.items():
        yield Row(f"replay --save {told}", ("replay", "--save", name), (2,), says, make)


_NO_FILES: dict[str, tuple[str, str, Maker]] = {
    "onto a folder": ("reports", "reports", nothing),
    "below a file": ("mine.html/x.jsonl", "mine.html", nothing),
    "onto a pipe": ("written/x", "written/x", pipe("written/x")),
    "through a link": ("written/x", "written/x", link("written/x", "../../outside/keep.txt")),
    "to a name of 300 letters": ("written/" + "a" * 300, "aaa", nothing),
    "below a file named by controls": ("x\x1b[31m\n/y", "y", file("x\x1b[31m\n", SENTINEL)),
}
"""Where nothing can be saved."""

ROWS = [*_rows(), *_saving()]
