"""Revisions: what git knows of the code between two runs."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

_REVISION = re.compile(r"[0-9a-f]{7,64}\+?")
_SECONDS = 60
"""For git, which answers at once unless the machine is busy."""

_MOST = 1000


def between(folder: Path, good: str | None, bad: str | None) -> list[str]:
    """The commits after one revision up to another, each a short id and its subject, the latest first and 1,000 at most.

    Empty where either is unknown, also to git, or where they are one.
    """
    if not (good and bad and _REVISION.fullmatch(good) and _REVISION.fullmatch(bad)):
        return []
    return _git(folder, "log", "--oneline", f"-{_MOST}", f"{plain(good)}..{plain(bad)}")


def shortened(commits: Sequence[str], most: int) -> list[str]:
    """The first few commits, and how many others there are."""
    rest = len(commits) - most
    return [*commits[:most], *([f"and {rest:,} other{'s' * (rest != 1)}"] if rest > 0 else [])]


def reachable(folder: Path, name: str) -> set[str]:
    """The revisions from which a branch, tag or commit was made; empty where git knows no such name."""
    return set(_git(folder, "rev-list", "--max-count=10000", "--end-of-options", name, "--"))


def plain(revision: str) -> str:
    """The revision without the sign that files differed from it."""
    return revision.removesuffix("+")


def _git(folder: Path, *words: str) -> list[str]:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *words],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return []
    return done.stdout.splitlines() if done.returncode == 0 else []
