"""The process in which a candidate file is imported for the first time, and the question put to it."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from harness.candidates import candidates, check_file
from harness.engine.scratch import scratch
from harness.engine.watchdog import Watchdog, crash_reason
from harness.errors import CandidateError, HarnessError
from harness.record.environment import imported
from harness.record.events import ClaimListed, ImplementationListed
from harness.record.listed import claim_listed, listed
from harness.record.reading import Unreadable, parsed, shown, structured
from harness.verify.cell import check_backends, check_dtypes
from harness.verify.suite import every_property

_NAME = "import"

_encode = msgspec.json.encode
"""Bound before the file is imported, whatever that does to the standard library's json."""


@dataclass(frozen=True)
class Brought:
    """What a file declares, as the log names it.

    properties: the dtypes of its own statements by their names (none: all); packages: the distributions that its process
    has imported.
    """

    implementations: list[ImplementationListed]
    properties: dict[str, list[str]]
    claims: list[ClaimListed]
    packages: list[str]


def rehearse_import(
    file: Path, limit: float, memory: int | None, *, dtypes: Iterable[str] = (), backends: Iterable[str] = ()
) -> Brought:
    """What a file declares, found in a process of its own, so that what the file does there costs nothing here.

    limit: seconds that the import may take; memory: bytes that it may hold; dtypes, backends: names that are meant to be
    there once it is imported, which may bring some. Raises CandidateError where the import fails, crashes or does not end,
    HarnessError where one of the names is not there.
    """
    check_file(file)
    package = Path(__file__).parents[2]
    paths = os.pathsep.join(filter(None, (str(package), os.environ.get("PYTHONPATH", ""))))
    with scratch() as folder:
        question = {
            "file": str(file),
            "folder": str(folder),
            "limit": limit,
            "memory": memory,
            "dtypes": [*dtypes],
            "backends": [*backends],
        }
        done = subprocess.run(
            [sys.executable, "-P", "-m", __name__, json.dumps(question)],
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": paths},
        )
        answer = folder / "answer"
        if not answer.exists():
            words = crash_reason(folder, _NAME, limit, done.returncode)
            mend = "; move long work into functions" if words.startswith("did not return") else ""
            raise CandidateError(f"{file.name}: its import {words}{mend}")
        text = answer.read_bytes()
    try:
        told = parsed(text)
        if isinstance(told, dict) and "refusal" in told:
            raise CandidateError(str(told["refusal"]))
        return structured(told, Brought)
    except Unreadable as failure:  # what the file did there to Python, or to the answer
        raise CandidateError(f"{file.name}: its import left an answer that can't be read ({failure})") from None


def _answer(
    file: str, folder: str, limit: float, memory: int | None, dtypes: list[str], backends: list[str]
) -> dict[str, object]:
    every_property()  # with the catalogue; not the file's doing, so not within its time
    watchdog = Watchdog(Path(folder), _NAME, limit, memory)
    try:
        with watchdog.within(limit):
            brought = candidates(Path(file))
        check_dtypes(dtypes)
        check_backends(backends)
    except HarnessError as refusal:
        return {"refusal": str(refusal)}
    found = Brought(
        [listed(made) for made in brought.subjects],
        {prop.name: list(prop.dtypes) for prop in brought.statements},
        [claim_listed(claim) for claim in brought.claims],
        imported(),
    )
    return dataclasses.asdict(found)


if __name__ == "__main__":
    asked = json.loads(sys.argv[1])
    (Path(asked["folder"]) / "answer").write_bytes(_encode(shown(_answer(**asked))))
    os._exit(0)  # whatever the file left to be done at exit
