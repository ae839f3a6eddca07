"""The handbook: a page for every operation, and the committed pages are those of the code."""

from pathlib import Path

import pytest
from jaxtyping import Float
from torch import Tensor

import harness
from harness.report.handbook import operation_page, write_handbook

COMMITTED = Path(__file__).parents[1] / "docs" / "operations"


@harness.operation(sizes={"batch": (0, 3), "d": (1, 4)}, where=lambda d, double: d > 1 or not double, linear_in="x")
def stretch(x: Float[Tensor, "batch d"], double: bool) -> Float[Tensor, "batch d"]:
    """Twice x | or x itself.

    x: (batch, d).
    """
    return x * (1 + double)


@stretch.implementation(backend="torch", exempt={"layouts": "a reason"})
def by_sum(x, double):
    """x + x | x."""
    return x + x if double else x * 1


def test_a_page_says_what_the_declaration_says():
    page = operation_page(stretch)
    for told in (
        "# stretch\n\nTwice x | or x itself.",
        "| `x` | float | batch, d | value patterns",
        "| `double` | `False`, `True` |",
        "| batch | 0 to 3 |",
        "A condition ties `d`, `double`.",
        "Linear in `x`.",
        "return x * (1 + double)",
        "| `by_sum` | torch | float64, float32, bfloat16, float16 | x + x \\| x. Not asked for layouts: a reason. |",
        "| superposition |",
    ):
        assert told in page, told


def test_only_the_pages_that_are_asked_for_are_written(tmp_path):
    (tmp_path / "mine.md").write_text("kept")
    written = write_handbook([stretch], tmp_path)
    assert sorted(path.name for path in written) == ["README.md", "stretch.md"]
    assert (tmp_path / "mine.md").read_text() == "kept"


@pytest.mark.parametrize("name", sorted(harness.catalogue()))
def test_the_committed_page_is_that_of_the_code(name):
    page = operation_page(harness.catalogue()[name])
    assert (COMMITTED / f"{name}.md").read_text() == page, "run `harness docs`"


def test_no_committed_page_is_of_an_operation_that_is_gone():
    assert {path.stem for path in COMMITTED.glob("*.md")} == {"README", *harness.catalogue()}
