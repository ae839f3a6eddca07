"""The baseline: the earlier run that a run is compared with."""

from __future__ import annotations

import difflib
from collections.abc import Collection
from pathlib import Path

from harness.declare.twins import TWINS
from harness.errors import UnknownName
from harness.generate.precision import PRECISIONS, full_precision
from harness.history.archive import run_of
from harness.history.index import Run
from harness.history.revisions import plain, reachable

PREVIOUS = "previous"
"""The word for the latest comparable run, whatever PyTorch or machine it ran on."""


def baseline(runs: list[Run], run: Run) -> Run | None:
    """The latest earlier run of the same profile that asked at least all of this one's cells, None where there is none.

    Not one of another profile: a fault that a quick run did not look for long enough to find is not new in a longer one,
    and what a quick one does not show is not fixed. Of the same segment first.
    """
    return max(_comparable(runs, run), key=lambda each: (each.segment == run.segment, *_age(each)), default=None)


def previous(runs: list[Run], run: Run) -> Run | None:
    """The latest of the same, of any segment: what ran before, so that what differs may be another PyTorch's doing."""
    return max(_comparable(runs, run), key=_age, default=None)


def named(runs: list[Run], what: str, checkout: Path, words: Collection[str] = ()) -> Run:
    """The run that a word means: its name or the beginning of it, its log, or the latest run of a branch.

    words: others that are understood there. Raises UnknownName with the nearest names.
    """
    by_name = [each for each in runs if each.name.startswith(what) or run_of(Path(what)) == each.name]
    if by_name:
        return max(by_name, key=lambda each: each.name == what)  # the latest of those that only begin so
    made = reachable(checkout, what)
    of_branch = [each for each in runs if each.revision and plain(each.revision) in made]
    if of_branch:
        return of_branch[0]
    if made:
        raise UnknownName(f"no run here was made from {what!r}; `harness history` lists the runs with their revisions")
    near = difflib.get_close_matches(what, [*words, *(each.name for each in runs)], n=3)
    hint = f"did you mean {' or '.join(near)}?" if near else "`harness history` lists the runs"
    raise UnknownName(f"no run, log or branch is called {what!r}; {hint}")


def _comparable(runs: list[Run], run: Run) -> list[Run]:
    return [each for each in runs if _is_comparable(each, run)]


def _is_comparable(one: Run, run: Run) -> bool:
    if one.finished is None or one.finished.stopped or one.name == run.name:
        return False
    if one.scope.profile != run.scope.profile:
        return False
    if one.started.candidates != run.started.candidates or one.started.when > run.started.when:
        return False
    if (one.scope.keyword, one.scope.only) not in ((run.scope.keyword, run.scope.only), ("", [])):
        return False
    pairs = (
        (one.scope.operations, run.scope.operations, ()),
        (one.scope.devices, run.scope.devices, ()),
        (one.scope.dtypes, run.scope.dtypes, [*PRECISIONS.keys() - set(full_precision())]),
        (one.scope.backends, run.scope.backends, TWINS),
    )
    return all(_covers(had, asked, apart) for had, asked, apart in pairs)


def _covers(had: Collection[str], asked: Collection[str], apart: Collection[str]) -> bool:
    """Whether all that is asked was had; nothing named means everything but what has to be named."""
    return bool(asked) and set(asked) <= set(had) if had else not set(asked) & set(apart)


def _age(one: Run) -> tuple[str, str]:
    return (one.started.when, one.name)
