"""Known findings: a file in TOML that a maintainer writes, read by its function."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from tests.byhand import MARKUP
from tests.hostile.row import Row, file, folder

FILE = "findings.toml"
ENTRY = {
    "operation": '"linear"',
    "implementation": '"fused"',
    "verdict": '"wrong"',
    "reason": '"theirs"',
    "reference": '"a#1"',
    "expires": "2027-01-01",
    "properties": '["agreement"]',
    "rare": "false",
}


def entry(**more: str) -> bytes:
    """A finding, some of whose fields have other values; an empty one is left out."""
    told = {**ENTRY, **more}
    return ("[[finding]]\n" + "".join(f"{name} = {value}\n" for name, value in told.items() if value)).encode()


_REFUSED: dict[str, bytes] = {
    "finding a word": b'finding = "x"\n',
    "finding a number": b"finding = 7\n",
    "finding a list of words": b'finding = ["x"]\n',
    "finding one table": b'[finding]\noperation = "linear"\n',
    "no UTF-8": entry().replace(b"theirs", b"\xff\xfe"),
    "UTF-16": entry().decode().encode("utf-16"),
    "NULs": b"\0" * 100,
    "no TOML": b"{]",
    "a table twice": b"[a]\n[a]\n",
    "200,000 brackets": b"a = " + b"[" * 200_000,
    "the properties a word": entry(properties='"agreement"'),
    "the properties numbers": entry(properties="[1]"),
    "the dtypes a table": entry(dtypes="{a = 1}"),
    "rare a word": entry(rare='"no"'),
    "rare a number": entry(rare="2"),
    "the day a word": entry(expires='"soon"'),
    "month 99": entry(expires='"2027-99-01"'),
    "the day a number": entry(expires="20270101"),
    "the day with a time": entry(expires="2027-01-01T00:00:00Z"),
    "the day a list": entry(expires="[]"),
    "an unknown verdict": entry(verdict='"splendid"'),
    "the verdict a list": entry(verdict="[]"),
    "the operation a number": entry(operation="7"),
    "no operation": entry(operation=""),
    "no day": entry(expires=""),
    "an unknown field": entry(colour='"red"'),
    "a field named by controls": entry(**{'"\\u001b[31m"': "1"}),
    "the verdict controls": entry(verdict='"\\u001b[31m\\n"'),
    "the day controls": entry(expires='"\\u001b[31m\\n\\u202e"'),
}

_TAKEN: dict[str, bytes] = {
    "nothing": b"",
    "no finding": b"# nothing yet\n",
    "a finding": entry(),
    "a day in quotes": entry(expires='"2027-01-01"'),
    "a reason of markup": entry(reason=f"'''{MARKUP}'''"),
}


def _rows() -> Iterator[Row]:
    for name, content in _REFUSED.items():
        yield Row(f"known findings with {name}", (FILE,), (2,), FILE, file(FILE, content), module=__name__)
    for name, content in _TAKEN.items():
        yield Row(f"known findings with {name}", (FILE,), (0,), "finding", file(FILE, content), module=__name__)
    yield Row("a folder for the known findings", (FILE,), (2,), FILE, folder(FILE), module=__name__)
    yield Row("known findings that are not there", (FILE,), (2,), FILE, module=__name__)


ROWS = [*_rows()]


def main() -> None:
    """Read a file as the harness does, and refuse as it does."""
    from harness.errors import HarnessError
    from harness.record.known import read_findings

    try:
        print(f"{len(read_findings(Path(sys.argv[1])))} findings")
    except HarnessError as refusal:
        print(refusal, file=sys.stderr)
        sys.exit(refusal.exit_code)


if __name__ == "__main__":
    main()
