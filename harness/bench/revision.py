"""Another revision of this code, unpacked elsewhere for as long as it is timed."""

from __future__ import annotations

import subprocess
import sys
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.bench.worker_pool import Build
from harness.errors import HarnessError, InfrastructureError
from harness.execute.scratch import scratch

HERE = "this code"
"""The name of the build that runs this very code."""

_ROOT = Path(__file__).parents[2]


@contextmanager
def builds(against: str, python: str = sys.executable) -> Iterator[list[Build]]:
    """Whose code is timed: the revision's first, which this one is held to, where one is named; then this code's.

    python: the program that runs the revision, with its own packages.

    Raises HarnessError where this is no checkout, the revision is unknown, or it is from before there was a bench.
    """
    if not against:
        yield [Build(HERE)]
        return
    with scratch() as folder:
        there, packed = folder / "code", folder / "code.tar"
        done = _git("archive", "--format=tar", f"--output={packed}", "--end-of-options", against)
        if done.returncode:
            told = (done.stderr.strip().splitlines() or ["git said nothing"])[-1]
            raise HarnessError(f"--against {against}: {told}; name a branch, a tag or a commit of {_ROOT.name}")
        _unpack(packed, there)
        if not (there / "harness" / "bench" / "worker.py").is_file():
            raise HarnessError(f"--against {against}: that revision has no bench; name a later one")
        yield [Build(against, python, there), Build(HERE)]


def _unpack(packed: Path, there: Path) -> None:
    """Files alone, and no worktree of git's, which the checkout would go on to list where this process is killed."""
    try:
        with tarfile.open(packed) as archive:
            archive.extractall(there, filter="data")
    except (OSError, tarfile.TarError) as failure:
        raise InfrastructureError(
            f"the revision of --against can't be unpacked in {there.parent}: {failure}; make room there"
        ) from None


def _git(*words: str) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            ["git", "-C", str(_ROOT), *words], capture_output=True, text=True, errors="replace", check=False
        )
    except OSError as failure:
        raise HarnessError(f"--against needs git: {failure.strerror or failure}") from None
