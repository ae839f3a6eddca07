"""What README, pages and docstrings show: every example runs as it stands there, and says what it is said to say."""

import io
import re
from pathlib import Path

import click
import pytest
import torch
from sybil.document import Document, PythonDocStringDocument
from sybil.parsers.markdown import PythonCodeBlockParser

import harness
from harness.command.main import main
from harness.declare.implementation import implementation_of
from harness.generate.plan import plan
from harness.measure.verdict import Verdict
from harness.report.terminal import print_outcomes
from harness.verify.cell import Cell
from harness.verify.exploration import explore
from tests.command_line import CANDIDATES, ask

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
PAGES = (README, *sorted((ROOT / "docs").glob("*.md")))
_FENCE = "```python\n"


def _documents():
    """Every page and docstring with an example."""
    for page in PAGES:
        if _FENCE in page.read_text():
            yield pytest.param(page, page.read_text(), id=page.name)
    for path in sorted((ROOT / "harness").rglob("*.py")):
        source = path.read_text()
        if _FENCE in source:
            for start, _, text in PythonDocStringDocument.extract_docstrings(source):
                if _FENCE in text:
                    line = source.count("\n", 0, start) + 1
                    yield pytest.param(path, text, id=f"{path.relative_to(ROOT).as_posix()}:{line}")


def _run(path, text):
    """Run a text's examples one after another in one namespace, which is returned."""
    document = Document(text, str(path))
    document.namespace["__name__"] = f"examples_of_{path.stem}"
    for region in PythonCodeBlockParser()(document):
        document.add(region)
    examples = list(document.examples())
    assert len(examples) == text.count(_FENCE)
    for example in examples:
        example.evaluate()
    return document.namespace


@pytest.mark.usefixtures("registries_put_back")
@pytest.mark.parametrize(("path", "text"), list(_documents()))
def test_every_example_runs(path, text):
    assert _run(path, text)


def _verdict(prop, function):
    (operation,) = prop.operations
    made = implementation_of(operation.name, operation.signature, function, "torch", "shown")
    return explore(Cell(prop, operation, made, "cpu", "float32"), plan(operation, 20, 0)).verdict


def test_the_property_that_the_guide_shows_tells_a_wrong_softmax_from_a_right_one():
    guide = ROOT / "docs" / "guide.md"
    shown = _run(guide, guide.read_text())["sums_to_one"]
    assert not _verdict(shown, lambda x: torch.softmax(x, -1)).failing
    assert _verdict(shown, lambda x: 2 * torch.softmax(x, -1)) is Verdict.WRONG


def test_the_claim_that_a_docstring_shows_is_refuted():
    path = ROOT / "harness" / "verify" / "claim.py"
    text = next(text for *_, text in PythonDocStringDocument.extract_docstrings(path.read_text()) if _FENCE in text)
    claim = _run(path, text)["zero_at_zero"]
    linear = harness.catalogue()["linear"]
    assert claim.is_about(linear) and claim.expected == "refuted"
    assert explore(Cell(claim.own, linear, linear.own, "cpu", "float64"), plan(linear, 20, 0)).verdict is Verdict.WRONG


def _consoles(*pages):
    return [shown for page in pages for shown in re.findall(r"```console\n(.*?)```", page.read_text(), re.DOTALL)]


def test_the_table_that_the_readme_shows_is_what_the_command_prints(tmp_path):
    (shown,) = (each for each in _consoles(README) if each.startswith("$ harness check cdist.py"))
    answer = ask(tmp_path, "check", str(CANDIDATES / "cdist.py"), "--device", "cpu", "--json")
    text = io.StringIO()
    print_outcomes(answer.cells, text)
    assert _cells(text.getvalue().splitlines()[:3]) == _cells(shown.splitlines()[1:4])


def _cells(table):
    """A table's cells; whether bits are the same too is up to the kernels that a machine has."""
    return [[word.replace("= exact", "≈ rounding") for word in re.split(r"\s{2,}", line.strip())] for line in table]


def _commands():
    shown = [line.partition("#")[0].split() for each in _consoles(*PAGES) for line in each.splitlines()]
    return sorted({tuple(words[1:]) for words in shown if words[:2] == ["$", "harness"]})


@pytest.mark.parametrize("words", _commands(), ids=" ".join)
def test_every_command_that_is_shown_is_there_with_its_options(words):
    command = main.get_command(click.Context(main), words[1])
    known = {option for each in command.params for option in (*each.opts, *each.secondary_opts)}
    assert isinstance(command, click.Command)
    assert {word for word in words[2:] if word.startswith("-")} <= known


def test_every_place_in_a_page_that_code_points_to_is_there():
    slugs = {
        re.sub(r"[^\w -]", "", title).strip().lower().replace(" ", "-")
        for page in PAGES
        for title in re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    }
    sources = [path.read_text() for room in ("harness", "properties") for path in (ROOT / room).rglob("*.py")]
    pointed = {found for text in sources for found in re.findall(r"docs/(\w+\.md)(?:#([\w-]+))?", text)}
    assert len(pointed) > 12
    assert {page for page, _ in pointed if not (ROOT / "docs" / page).exists()} == set()
    assert {slug for _, slug in pointed if slug} <= slugs
