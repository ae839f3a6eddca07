"""The process in which a candidate file is imported for the first time, and the question put to it."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import msgspec

from harness.candidates import candidates, check_file
from harness.errors import CandidateError, HarnessError
from harness.execute.fork_server import fork_server
from harness.execute.scratch import scratch
from harness.execute.watchdog import Watchdog, crash_reason
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
    server = fork_server()  # before the folder, with which all goes that was started since
    with scratch() as folder:
        child = server.fork(
            f"{__name__}:answer",
            file=str(file),
            folder=str(folder),
            limit=limit,
            memory=memory,
            dtypes=[*dtypes],
            backends=[*backends],
        )
        ended = child.wait()
        child.end()
        answer = folder / "answer"
        if not answer.exists():
            words = crash_reason(folder, _NAME, limit, ended)
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


def answer(
    line: Connection, file: str, folder: str, limit: float, memory: int | None, dtypes: list[str], backends: list[str]
) -> None:
    """Import the file, and leave in the folder what it declares, or why it can't be used."""
    (Path(folder) / "answer").write_bytes(_encode(shown(_told(line, file, folder, limit, memory, dtypes, backends))))


def _told(
    line: Connection, file: str, folder: str, limit: float, memory: int | None, dtypes: list[str], backends: list[str]
) -> dict[str, object]:
    every_property()  # with the catalogue; not the file's doing, so not within its time
    watchdog = Watchdog(Path(folder), _NAME, limit, memory)
    try:
        with watchdog.within(limit):
            brought = candidates(Path(file))
        _check_open(line, Path(file))
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


def _check_open(line: Connection, file: Path) -> None:
    """Refuse a file that closes what it has not opened: no worker could import it and still be spoken to."""
    try:
        os.fstat(line.fileno())
    except OSError:
        raise CandidateError(
            f"{file.name}: its import closes files that it has not opened, among them those of its worker; "
            "close what it has opened itself"
        ) from None
