"""The story that the tests read: a candidate is sound, a fault gets in, stays, and is mended; one run tells each step.

Every step is the command line as a user meets it, in a folder of its own.
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path

from harness.command.main import main
from tests.browser import whole_run

CANDIDATES = Path(__file__).with_name("candidates")
SOUND, FAULTY = "linear(x, W, b)\n", "linear(x, W)\n"
"""The line of the candidate as it should be, and with its bias forgotten."""

_SECONDS = 300


@dataclass
class Story:
    """Runs about one candidate file, by the name of their step.

    folder: where the commands ran; steps: the name of each step's run.
    """

    folder: Path
    steps: dict[str, str] = field(default_factory=dict)

    @property
    def reports(self) -> Path:
        """The folder of reports."""
        return self.folder / "reports"

    @property
    def latest(self) -> Path:
        """The first page of the latest report."""
        return self.reports / "latest" / "index.html"

    def report(self, step: str) -> Path:
        """The first page of a step's report."""
        return self.reports / self.steps[step] / "index.html"

    def pages(self, step: str, *names: str) -> list[Path]:
        """The pages of a step's report, of these names (with wildcards) if there are any."""
        folder = self.report(step).parent
        return [page for name in names or ("**/*",) for page in sorted(folder.glob(f"{name}.html"))]

    def check(self, step: str, file: str) -> None:
        """Check a candidate as far as the story needs it, in a few seconds."""
        before = self._runs()
        asked = ("--profile", "quick", "-k", "agreement", "--dtype", "float32", "--dtype", "float64", "--jobs", "1")
        self.command("check", file, *asked)
        (self.steps[step],) = self._runs() - before

    def command(self, *arguments: str) -> str:
        """What `harness` says in the story's folder; a process of its own, which has imported torch when it starts."""
        server = multiprocessing.get_context("forkserver")
        server.set_forkserver_preload(["harness.command.main"])
        process = server.Process(target=_harness, args=(self.folder, arguments), daemon=True)
        process.start()
        process.join(_SECONDS)
        said = (self.folder / "said").read_text(errors="replace")
        assert process.exitcode in (0, 1), said
        return said

    def _runs(self) -> set[str]:
        return {log.name.partition(".")[0] for log in (self.reports / "runs").glob("*")}


def _harness(folder: Path, arguments: tuple[str, ...]) -> None:
    os.chdir(folder)
    said = os.open("said", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(said, 1)
    os.dup2(said, 2)
    sys.argv = ["harness", *arguments]
    main()


def regression(folder: Path) -> Story:
    """A fault gets into a sound candidate (`new`), stays (`known`) and is mended (`fixed`)."""
    story = Story(folder)
    file = Path(shutil.copy(CANDIDATES / "mine.py", folder))
    sound = file.read_text(encoding="utf-8")
    assert SOUND in sound
    for step, text in (("sound", sound), ("new", sound.replace(SOUND, FAULTY)), ("known", ""), ("fixed", sound)):
        if text:
            file.write_text(text, encoding="utf-8")
        story.check(step, file.name)
    return story


def hostile(folder: Path) -> Story:
    """One run of a candidate whose names, docstrings, messages and output attack whoever reads about them."""
    story = Story(folder)
    shutil.copy(CANDIDATES / "hostile.py", folder)
    story.check("hostile", "hostile.py")
    return story


def whole(folder: Path) -> Story:
    """One run of a whole catalogue, from a log that lay there."""
    story = Story(folder)
    story.steps["whole"] = whole_run.write(story.reports)
    story.command("report", story.steps["whole"])
    return story
