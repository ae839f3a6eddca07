"""Pages of operations: one for each, and a list of them."""

import pytest
from jaxtyping import Float
from torch import Tensor

import harness
from harness.errors import InfrastructureError
from harness.report.operation_pages import operation_page, write_pages


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
        "| `x` | float | `batch d` | value patterns",
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
    written = write_pages([stretch], tmp_path)
    assert sorted(path.name for path in written) == ["README.md", "stretch.md"]
    assert (tmp_path / "mine.md").read_text() == "kept"


@pytest.mark.parametrize("name", sorted(harness.catalogue()))
def test_every_operation_of_the_catalogue_has_a_page(name):
    page = operation_page(harness.catalogue()[name])
    assert page.startswith(f"# {name}\n") and "| agreement |" in page


def test_what_somebody_else_wrote_is_not_replaced(tmp_path):
    (tmp_path / "stretch.md").write_text("mine")
    with pytest.raises(InfrastructureError, match="the harness did not make what is there"):
        write_pages([stretch], tmp_path)
    assert (tmp_path / "stretch.md").read_text() == "mine"
    (tmp_path / "stretch.md").unlink()
    for _ in range(2):
        write_pages([stretch], tmp_path)
