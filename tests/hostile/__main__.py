"""`python -m tests.hostile [WORD…]`: ask the rows in whose names a word occurs, all for none, and print the table.

The last line counts; exit code 1 where anything was not as it should be.
"""

from __future__ import annotations

import sys
from collections import Counter

from harness.explain.visible import visible
from tests.hostile.judging import CODE, COST, LEFT, TOUCHED, TRACEBACK, UNSEEN, WORDS, Judged, judged
from tests.hostile.table import TABLE

_COUNTED = {
    TRACEBACK: "tracebacks",
    CODE: "wrong exit codes",
    WORDS: "answers without their words",
    UNSEEN: "outputs with unseen characters",
    TOUCHED: "files touched outside",
    LEFT: "processes and folders left",
    COST: "too costly",
}


def main(words: list[str]) -> int:
    """Print a line for every row, and below it what is wrong."""
    asked = [row for row in TABLE if not words or any(word in row.name for word in words)]
    counted: Counter[str] = Counter()
    for row in asked:
        found = judged(row)
        counted.update(kind for kind, _ in found.complaints)
        _print(found)
    print(f"{len(asked)} inputs; " + ", ".join(f"{counted[kind]} {told}" for kind, told in _COUNTED.items()))
    return int(bool(counted))


def _print(found: Judged) -> None:
    row, wanted = found.row, " or ".join(map(str, found.row.codes))
    given = "hung" if found.code is None else str(found.code)
    verdict = "WRONG" if found.complaints else "ok"
    command = visible(" ".join(row.words), 50)
    print(
        f"{found.seconds:5.1f} s  {verdict:6} {visible(row.name, 60):60} {command:50} wanted {wanted:7} given {given}"
    )
    for kind, what in found.complaints:
        print(f"       {kind}: {visible(what, 300)}", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
