"""What keeps a log or a report from being written keeps no finding from the terminal."""

from __future__ import annotations

import pytest

from tests.command_line import ask

QUICK = ("--dtype", "float32", "--profile", "quick", "--examples", "4", "--jobs", "1")
COMMAND = "psutil.Process().parents()[1].pid"  # of a worker, whose parent is the fork server
FULL = f"resource.prlimit({COMMAND}, resource.RLIMIT_FSIZE, (12_000, resource.RLIM_INFINITY))"  # less than a page has
GONE = "shutil.rmtree('reports', ignore_errors=True)"


@pytest.fixture
def checked(tmp_path):
    def check(harm: str, *words: str):
        (tmp_path / "mine.py").write_text(
            "import psutil, resource, shutil, torch\nfrom harness.operations.linear import linear\n"
            f"@linear.implementation\ndef mine(x, W, b):\n    {harm}\n"
            "    return torch.nn.functional.linear(x, W, b) + 0.01 * (x.shape[-1] > 2)\n"
        )
        return ask(tmp_path, "check", "mine.py", *QUICK, "-k", "agreement", *words, NO_COLOR="1")

    return check


@pytest.mark.parametrize(("harm", "told"), [(FULL, "File too large"), (GONE, "is gone, so that there is no report")])
def test_findings_are_told_though_nothing_can_be_written(checked, harm, told):
    answer = checked(harm)
    assert answer.code == 3
    assert "✗ wrong  linear/mine" in answer.out
    assert "1 of 1 implementation fails" in answer.out
    assert told in answer.err
    assert "report  " not in answer.out
    assert not list(answer.folder.rglob(".unfinished"))


def test_a_machine_is_told_as_well(checked):
    answer = checked(FULL, "--json")
    assert (answer.code, answer.summary["exit_code"]) == (3, 3)
    assert "File too large" in answer.summary["error"]
    assert [cause["verdict"] for cause in answer.summary["causes"]] == ["wrong"]


def test_what_can_be_written_is(checked):
    answer = checked("pass")
    assert answer.code == 1
    assert answer.out.index("✗ wrong  linear/mine") < answer.out.index("report  ")
    assert (answer.folder / "reports" / "latest" / "index.html").exists()
    assert answer.finished.exit_code == 1


def test_a_page_of_somebody_else_is_told_before_anything_is_asked(checked, tmp_path):
    (tmp_path / "reports" / "latest").mkdir(parents=True)
    (tmp_path / "reports" / "latest" / "index.html").write_text("theirs")
    answer = checked("pass", "--json")
    assert (answer.code, answer.summary["exit_code"]) == (3, 3)
    assert "the harness did not make what is there; move it away" in answer.summary["error"]
    assert (tmp_path / "reports" / "latest" / "index.html").read_text() == "theirs"
    assert not (tmp_path / "reports" / "runs").exists()
