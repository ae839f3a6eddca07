"""The folder of reports and the folders of pages: missing, in the way, somebody else's, or somewhere else."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

from tests.hostile.logs import ASKED, REPORT
from tests.hostile.row import SENTINEL, Maker, Place, Row, link
from tests.hostile.valid import GOOD

LATEST = GOOD[1]
_MISSING = {
    name: words
    for name, words in ASKED.items()
    if "JSON" not in name or name in ("history in JSON", "report in JSON", "replay in JSON")
}


def foreign(*names: str) -> Maker:
    """Puts files of somebody else among the reports."""

    def made(place: Place) -> None:
        for name in names:
            (place.reports / name).parent.mkdir(parents=True, exist_ok=True)
            (place.reports / name).write_bytes(SENTINEL)

    return made


def _gone(place: Place) -> None:
    shutil.rmtree(place.reports)


def _a_file(place: Place) -> None:
    _gone(place)
    place.reports.write_bytes(SENTINEL)


def _a_pipe(place: Place) -> None:
    _gone(place)
    os.mkfifo(place.reports)


def _no_runs(place: Place) -> None:
    shutil.rmtree(place.runs)


def _runs_a_file(place: Place) -> None:
    _no_runs(place)
    place.runs.write_bytes(SENTINEL)


def _link_to_itself(place: Place) -> None:
    _gone(place)
    place.reports.symlink_to("reports")


def _read_only(place: Place) -> None:
    """A file where the pages' folder should be: what root may not write to either."""
    (place.reports / LATEST).write_bytes(SENTINEL)


def _page_a_folder(place: Place) -> None:
    (place.reports / LATEST / "index.html").mkdir(parents=True)


_FOREIGN = {
    "a page": "mine.html",
    "a page in a folder": "photos/album.html",
    "a page among the operations": "operation/mine.html",
    "a page among the counterexamples": "counterexample/notes.html",
    "a page deep below": "a/b/c/d.html",
    "a page with blanks": "my notes.html",
    "a page whose name begins with a dot": ".hidden.html",
    "a page in capitals": "INDEX.HTML",
    "a picture": "picture.png",
}


_LINKS = {
    "operation": "../../../outside",
    "counterexample": "../../../outside",
    "index.html": "../../../outside/index.html",
    "report.css": "../../../outside/keep.txt",
    "linked": "../../../outside",
}
"""What lies in the folder of pages, and leads elsewhere."""


def _rows() -> Iterator[Row]:
    for name, words in _MISSING.items():
        yield Row(f"no reports: {name}", words, (3,), "reports", _gone)
    for name in ("history", "report", "issues", "replay"):
        yield Row(f"a file for the reports: {name}", ASKED[name], (2, 3), "reports", _a_file)
        yield Row(f"no folder of logs: {name}", ASKED[name], (3,), "reports", _no_runs)
        yield Row(f"a file for the folder of logs: {name}", ASKED[name], (3,), "reports", _runs_a_file)
    yield Row("a pipe for the reports", ("history",), (2, 3), "reports", _a_pipe)
    yield Row("a link to itself for the reports", ("history",), (2, 3), "reports", _link_to_itself)
    yield Row("a file for the folder of pages", REPORT, (2, 3), LATEST, _read_only)
    yield Row("a folder for a page", REPORT, (2, 3), LATEST, _page_a_folder)
    for name, file in _FOREIGN.items():
        yield Row(f"somebody's: {name}", REPORT, (0,), "2026", foreign(f"{LATEST}/{file}"))
    yield Row(
        "somebody's pages everywhere",
        REPORT,
        (0,),
        "2026",
        foreign(*(f"{LATEST}/{each}" for each in _FOREIGN.values())),
    )
    yield Row(
        "somebody's pages beside", REPORT, (0,), "2026", foreign("latest/mine.html", "mine.html", "runs/mine.html")
    )
    for name, to in _LINKS.items():
        codes = (0,) if name == "linked" else (0, 2, 3)
        yield Row(f"reports/RUN/{name} a link to {to}", REPORT, codes, "2026", link(f"reports/{LATEST}/{name}", to))
    for to in ("../../outside", "../../outside/nowhere", LATEST):
        yield Row(f"reports/RUN a link to {to}", REPORT, (0, 2, 3), "2026", link(f"reports/{LATEST}", to))


_OBSTACLES = {
    "a folder": "reports",
    "no folder": "nowhere/a.xml",
    "below a file": "mine.html/a.xml",
    "300 letters": "written/" + "a" * 300,
    "controls": "nowhere\x1b[31m/a",
    "lines": "nowhere\n/a",
    "nothing": "",
}


def _outputs() -> Iterator[Row]:
    for name, file in _OBSTACLES.items():
        for option in ("--junit", "--markdown") if name in ("a folder", "controls") else ("--mail",):
            yield Row(
                f"report {option} to {name}",
                ("report", option, file),
                (2, 3),
                "can't be written|Error|folder",
            )
    yield Row("two outputs on standard output", ("report", "--junit", "-", "--json"), (2,), "only one of")


ROWS = [*_rows(), *_outputs()]
