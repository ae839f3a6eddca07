"""Is every line of the harness that mentions a device executed by a test? `python -m tests.quality.device_lines`.

Gives further words, as `-n auto` and tests, to pytest, and prints the lines in which a name or a word with `device` in it
stands, and which were executed in none of the processes that the tests started. Exits with 1 where there are any. Every Python
process that begins meanwhile notes each such line as it gets there for the first time, so that one that is killed has told
what it did.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tempfile
import tokenize
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

HARNESS = Path(__file__).parents[2] / "harness"
FOLDER = "DEVICE_LINES"
"""The variable that names the folder into which processes write what they have executed."""

_BEGIN = """\
import os
if "DEVICE_LINES" in os.environ:
    from tests.quality.device_lines import begin
    begin()
"""

_WORDS = (tokenize.NAME, tokenize.STRING)


def mentioned(text: str) -> set[int]:
    """The lines of a source on which something is executed, and a name or a word has `device` in it; docstrings are neither."""
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    words = {each.start[0] for each in tokens if each.type in _WORDS and "device" in each.string.lower()}
    return words & set(_executed(compile(text, "", "exec")))


def _executed(code: CodeType) -> Iterator[int]:
    """The lines of a code object and of those within it, without the ones that only begin a function."""
    yield from (line for *_, line in code.co_lines() if line is not None and line > 0)
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _executed(inner)


def every_line() -> dict[str, set[int]]:
    """By file all lines that mention a device."""
    found = {str(each): mentioned(each.read_text()) for each in sorted(HARNESS.rglob("*.py"))}
    return {name: lines for name, lines in found.items() if lines}


def begin() -> None:
    """Note in this process, and in those that it forks, each line that mentions a device when it is first executed."""
    import threading

    left = every_line()
    notes = Path(os.environ[FOLDER], "executed")

    def within(frame: FrameType, event: str, argument: Any) -> Any:
        name = frame.f_code.co_filename
        if event == "line" and frame.f_lineno in left.get(name, ()):
            left[name].discard(frame.f_lineno)
            with notes.open("ab", buffering=0) as file:  # a process that is forked may close what it inherits
                file.write(f"{name}:{frame.f_lineno}\n".encode())
        return within

    def entered(frame: FrameType, event: str, argument: Any) -> Any:
        return within if left.get(frame.f_code.co_filename) else None

    threading.settrace(entered)
    sys.settrace(entered)


def executed(words: list[str]) -> dict[str, set[int]]:
    """By file the lines that pytest's tests have executed, in whatever process."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "sitecustomize.py").write_text(_BEGIN)
        paths = os.pathsep.join(filter(None, (folder, str(HARNESS.parent), os.environ.get("PYTHONPATH", ""))))
        subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *words],
            env={**os.environ, FOLDER: folder, "PYTHONPATH": paths},
            check=False,
        )
        found: dict[str, set[int]] = {}
        for note in (Path(folder) / "executed").read_text().splitlines():
            name, _, line = note.rpartition(":")
            found.setdefault(name, set()).add(int(line))
        return found


def main() -> None:
    """Ask the tests, and print what none of them has executed."""
    wanted, met = every_line(), executed(sys.argv[1:])
    left = {name: sorted(lines - met.get(name, set())) for name, lines in wanted.items()}
    for name, lines in left.items():
        text = Path(name).read_text().splitlines()
        for line in lines:
            print(f"{Path(name).relative_to(HARNESS.parent)}:{line}: {text[line - 1].strip()}")
    every, missed = (sum(map(len, each.values())) for each in (wanted, left))
    print(f"{every - missed} of {every} lines that mention a device were executed")
    sys.exit(missed > 0)


if __name__ == "__main__":
    main()
