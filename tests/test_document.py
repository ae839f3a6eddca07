"""The document that `--json` prints: it is as its schema and its page say, and it says what to do next."""

import json
from pathlib import Path

import msgspec
import pytest

from harness.report.document import CauseEntry, Document, Refusal, schema
from tests.command_line import ask

DOCS = Path(__file__).parents[1] / "docs"

CANDIDATES = """
import torch
from harness.operations.linear import linear

@linear.implementation
def no_bias(x, W, b):
    return x @ W.T

@linear.implementation
def right(x, W, b):
    return torch.nn.functional.linear(x, W, b)
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    folder = tmp_path_factory.mktemp("found")
    (folder / "mine.py").write_text(CANDIDATES)
    return ask(folder, "check", "mine.py", "--profile", "smoke", "--dtype", "float32", "--json")


def test_the_schema_is_the_one_that_is_published():
    committed = (DOCS / "document.schema.json").read_text()
    assert committed == schema(), "write harness.report.document.schema() to docs/document.schema.json"


def test_the_page_tells_every_field():
    page = (DOCS / "agents.md").read_text()
    for kind in (Document, CauseEntry, Refusal):
        missing = [each for each in kind.__struct_fields__ if f"`{each}`" not in page]
        assert not missing, kind


def test_what_is_printed_is_as_the_schema_says(found):
    document = msgspec.json.decode(found.out, type=Document, strict=True)
    assert set(json.loads(found.out)) >= {
        each for each in Document.__struct_fields__ if each not in ("published", "error")
    }
    assert document.version == 1
    (cause,) = document.causes
    assert (cause.verdict, cause.implementation, cause.diagnosis.cause) == ("wrong", "no_bias", "ignored")
    assert cause.diagnosis.where == "" and cause.expected != cause.actual
    case = {}
    exec(cause.inputs, case)
    assert {"x", "W", "b"} <= case.keys()
    exec(cause.script, {"__name__": "shown"})


def test_smoke_asks_what_almost_all_faults_fall_to_and_the_next_step_is_named(found, tmp_path):
    assert {cell.prop for cell in found.cells} == {"agreement", "gradients"}
    (told,) = found.summary["next"]
    assert told.startswith("mend mine.py: no_bias: b is ignored; its script (")
    (tmp_path / "mine.py").write_text(CANDIDATES.replace("W.T\n", "W.T + b\n"))
    mended = ask(tmp_path, "check", "mine.py", "--profile", "smoke", "--dtype", "float32", "--json")
    assert (mended.code, mended.summary["causes"]) == (0, [])
    assert mended.summary["next"] == ["ask with --profile default: nothing fails in the smoke one, which asks less"]


def test_what_a_file_states_itself_is_asked_in_every_profile(tmp_path):
    stated = """
import harness

@harness.property(of=linear)
def nothing_is_right(implementation, case):
    "Nothing is."
    (result,) = implementation(case.call())
    yield harness.close("more", result + 1, result, case)
"""
    (tmp_path / "mine.py").write_text(CANDIDATES + stated)
    answer = ask(tmp_path, "check", "mine.py", "--profile", "smoke", "--dtype", "float32", "--json")
    assert "nothing_is_right" in {cell.prop for cell in answer.cells}


def test_a_refusal_is_as_the_schema_says(tmp_path):
    answer = ask(tmp_path, "check", "nothing.py", "--json")
    refusal = msgspec.json.decode(answer.out, type=Refusal, strict=True)
    assert (refusal.exit_code, answer.code) == (2, 2)
    assert answer.err == f"harness: {refusal.error}\n"


def test_figures_that_json_has_no_word_for_are_strings(found):
    document = msgspec.json.decode(found.out, type=Document)
    told = msgspec.structs.replace(document, seconds=float("inf")).to_json()
    assert json.loads(told)["seconds"] == "inf"
