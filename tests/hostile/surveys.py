"""Surveys: names of libraries, what was made of findings, and the list of operators."""

from __future__ import annotations

from collections.abc import Iterator

from tests.hostile.row import Maker, Place, Row

LIBRARY, STATES, INDEX = "surveyed", "surveys/surveyed.toml", "surveys/surveyed-0/operators.json"

_NAMES = {
    "nothing": "",
    "a path": "../surveyed",
    "an absolute path": "/etc/passwd",
    "an option": "-c",
    "controls": "\x1b[31m\n\u202e",
    "300 letters": "a" * 300,
    "dots": "..",
    "code": "os;import os",
}

_STATES = {
    "no TOML": b"[[finding",
    "bytes": b"\xff\xfe",
    "a number for findings": b"finding = 3",
    "a state that there is not": b'[[finding]]\nid = "a"\nstate = "fine"\n',
    "no id": b'[[finding]]\nstate = "new"\n',
    "brackets": b"a = " + b"[" * 100_000,
}

_OPERATOR = b'{"path": "surveyed.f", "variant": "", "file": "%s", "operations": {"f": []}}'

_INDEXES = {
    "no JSON": b"[{",
    "a number": b"3",
    "a path for a file": b'{"uses": 1, "operators": [' + _OPERATOR % b"../../outside_operators.py" + b"]}",
    "another file": b'{"uses": 1, "operators": [' + _OPERATOR % b"../mine.py" + b"]}",
    "a file that is not there": b'{"uses": 1, "operators": [' + _OPERATOR % b"gone_operators.py" + b"]}",
    "no operator": b'{"uses": 1, "operators": []}',
    "no uses": b'{"uses": 0, "operators": []}',
    "as it was before uses were told": b"[" + _OPERATOR % b"f_operators.py" + b"]",
}


def surveyed(name: str, content: bytes) -> Maker:
    """Puts a library there, and a file among its surveys."""

    def made(place: Place) -> None:
        (place.work / f"{LIBRARY}.py").write_text("def f(x):\n    return x + x\n")
        path = place.reports / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    return made


def _rows() -> Iterator[Row]:
    for name, word in _NAMES.items():
        yield Row(f"a library called {name}", ("survey", "--", word), (2,), "")
    for name, content in _STATES.items():
        yield Row(f"states with {name}", ("survey", LIBRARY), (2,), "surveyed.toml", surveyed(STATES, content))
    for name, content in _INDEXES.items():
        yield Row(
            f"a list of operators with {name}", ("survey", LIBRARY), (2,), "surveyed|gone", surveyed(INDEX, content)
        )


ROWS = [*_rows()]
