"""Bring your own: the README's twelve lines, run as a user would."""

from pathlib import Path

from harness.measure.verdict import Verdict
from tests.command_line import CANDIDATES, ask

CDIST = CANDIDATES / "cdist.py"
README = Path(__file__).parents[1] / "README.md"


def test_the_direct_form_is_rounding_and_the_matrix_product_loses_digits_near_the_diagonal(tmp_path):
    answer = ask(tmp_path, "check", str(CDIST), "--profile", "quick", "--json")
    assert answer.code == 0
    worst = {}
    for cell in answer.cells:
        if cell.prop == "agreement":
            worst.setdefault(cell.implementation, {})[cell.dtype] = Verdict(cell.verdict)
    assert set(worst["definition"].values()) == {Verdict.ROUNDING}
    assert worst["expanded"]["float32"] is worst["expanded"]["float64"] is Verdict.UNSTABLE
    (cause,) = [c for c in answer.summary["causes"] if c["operation"] == "cdist" and "oracle" in c["sentence"]]
    assert (
        "× the noise floor in float32" in cause["sentence"]
        and cause["case"]["sizes"]["m"] == cause["case"]["sizes"]["n"] == 1
    )


def test_the_readme_shows_that_file():
    body = CDIST.read_text().strip()
    assert body in README.read_text()
    assert len([line for line in body.splitlines() if line.strip()]) <= 12
