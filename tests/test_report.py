"""The report: what is one finding, what the sentence says, and that no candidate's text gets through unescaped."""

from __future__ import annotations

import io
import re
from types import SimpleNamespace

import numpy as np
import pytest

from harness.explain.counterexample import entries
from harness.explain.sentence import sentence
from harness.explain.visible import visible
from harness.generate.case import Case
from harness.measure.comparison import Comparison
from harness.measure.verdict import Elsewhere, Judgement, Verdict
from harness.operations.linear import linear
from harness.record.events import ImplementationListed
from harness.record.triage import by_implementation, causes, worst_verdicts
from harness.report.document import Document
from harness.report.fragment import fragment
from harness.report.junit import junit
from harness.report.template import operation_page
from harness.report.terminal import print_outcomes, print_summary
from harness.verify.finding import Finding
from tests.byhand import (
    MEGABYTE,
    assert_harmless,
    assert_shown,
    busy_summary,
    cell,
    hostile_summary,
    raised,
    site,
    summary,
)

# triage: what is one cause, and what is not


def test_a_fault_that_differs_in_figures_alone_is_one_cause():
    found = causes(
        [
            raised("mine.py: the result has shape [3, 2], expected [3]", prop="agreement"),
            raised("mine.py: the result has shape [5, 2, 1], expected [7, 1]", prop="layouts", dtype="float64"),
            raised("mine.py: the result has shape [1e-05], expected [0x7f2a]", prop="gradients"),
        ]
    )
    assert len(found) == 1
    assert found[0].props == ["agreement", "gradients", "layouts"]
    assert found[0].columns == [("cpu", "float64"), ("cpu", "float32")]


def test_the_same_fault_in_another_dtype_is_one_cause():
    assert len(causes([raised("no float32 here"), raised("no bfloat16 here", dtype="bfloat16")])) == 1


@pytest.mark.parametrize(
    "other",
    [
        raised("mine.py: backward failed"),
        raised("conv2d failed"),
        raised("conv1d failed", implementation="slow"),
        raised("conv1d failed", operation="gru"),
        cell("error", kind="exit", reason="conv1d failed"),
        cell("wrong"),
    ],
)
def test_other_faults_stay_apart(other):
    assert len(causes([raised("conv1d failed"), other])) == 2


def test_values_that_are_off_are_one_cause_per_property_and_verdict():
    outcomes = [
        cell("wrong", "agreement", dtype="float64"),
        cell("wrong", "agreement", dtype="float32"),
        cell("unstable", "agreement", dtype="float16"),
        cell("wrong", "gradients"),
    ]
    assert [(cause.verdict, cause.props, len(cause.cells)) for cause in causes(outcomes)] == [
        ("wrong", ["agreement"], 2),
        ("wrong", ["gradients"], 1),
        ("unstable", ["agreement"], 1),
    ]


def test_causes_of_one_implementation_are_shown_together_worst_first():
    outcomes = [
        cell("unstable", implementation="a"),
        cell("wrong", "gradients", implementation="b"),
        raised("no", implementation="c"),
        cell("wrong", "agreement", implementation="b"),
    ]
    groups = by_implementation(causes(outcomes))
    assert list(groups) == [("cdist", "b"), ("cdist", "c"), ("cdist", "a")], "a wrong result tells more than an error"
    assert [cause.props for cause in groups["cdist", "b"]] == [["agreement"], ["gradients"]]


def test_what_is_good_or_silent_is_no_cause():
    assert not causes([cell(verdict) for verdict in ("exact", "rounding", "inconclusive", "unsupported")])


def test_nothing_good_is_said_where_agreement_gave_no_answer():
    outcomes = [
        cell("unsupported", dtype="float16"),
        cell("exact", "batch_of_zero", dtype="float16"),
        cell("inconclusive", dtype="float32"),
        cell("wrong", "gradients", dtype="float32"),
        cell("unsupported", "gradients", dtype="float64"),
        cell("exact", dtype="float64"),
    ]
    row = worst_verdicts(outcomes)["cdist", "fast"]
    assert {dtype: verdict.value for (_, dtype), verdict in row.items()} == {
        "float16": "unsupported",
        "float32": "wrong",
        "float64": "exact",
    }


# the sentence and the figures


@pytest.mark.parametrize(
    ("outcomes", "told"),
    [
        ([cell()], "It holds within rounding."),
        ([cell(), cell(implementation="slow")], "Everything holds within rounding."),
        (
            [cell(), cell("unstable", implementation="slow")],
            "Nothing fails, but 1 of 2 implementations is numerically unstable.",
        ),
        ([cell("wrong"), cell("wrong", "gradients")], "1 of 1 implementation fails: it computes something else."),
        (
            [cell("wrong"), raised("no", implementation="b"), raised("no", implementation="c")],
            "3 of 3 implementations fail: 2 end in an error, 1 computes something else.",
        ),
        (
            [cell(), raised("no", implementation="b"), cell("unstable", "gradients", implementation="c")],
            "1 of 3 implementations fails: it ends in an error; 1 more is numerically unstable.",
        ),
        ([cell("unsupported"), cell("inconclusive")], "Nothing could be verified."),
        ([], "Nothing could be verified."),
    ],
)
def test_the_verdict_in_a_sentence(outcomes, told):
    assert summary(*outcomes).sentence == told


def test_a_run_that_was_stopped_says_so_in_its_sentence():
    told = summary(cell(), stopped="the time budget of 60 s was spent").sentence
    assert told == "It holds within rounding, as far as it was asked: the time budget of 60 s was spent."


def test_the_definition_comes_first_and_the_worst_verdict_too():
    names = ("a", "definition", "z")
    (operation,) = summary(
        *(
            cell(verdict, implementation=name)
            for name, verdict in zip(names, ("exact", "wrong", "rounding"), strict=True)
        )
    ).operations
    assert list(operation.worst_verdicts) == ["definition", "a", "z"]
    assert list(operation.cases) == [Verdict.WRONG, Verdict.ROUNDING, Verdict.EXACT]


def test_reasons_are_grouped_and_counted():
    listed = [ImplementationListed("cdist", name, "jax", [], "", "jax is not installed") for name in ("a", "b")]
    made = summary(
        cell("unsupported", reason="no autograd"),
        cell("unsupported", reason="no autograd", dtype="float64"),
        cell("unsupported", reason="float32 alone", implementation="slow"),
        cell("inconclusive"),
        listed=listed,
    )
    assert [(reason.text, reason.count) for reason in made.unavailable_reasons] == [("jax is not installed", 2)]
    assert [(reason.text, reason.count) for reason in made.unsupported_reasons] == [
        ("no autograd", 2),
        ("float32 alone", 1),
    ]
    assert made.inconclusive_reasons[0].text == Verdict.INCONCLUSIVE.meaning


def test_figures():
    made = summary(
        cell(score_median=0.5, score_max=4.0, allowance=32.0, pairs=[3, 4], triples=[5, 9], seconds={"oracle": 3.0}),
        cell("unstable", dtype="float16", score_median=1.0, score_max=90.0, allowance=32.0, met=3, planned=48),
        cell(prop="layouts", printed=12, score_max=700.0),
    )
    (operation,) = made.operations
    row = operation.agreement["fast"]
    assert not row["cpu", "float32"].beyond
    assert row["cpu", "float16"].beyond
    assert made.coverage == {"cdist": ([3, 4], [5, 9])}
    assert made.shares == {"oracle": 0.6, "engine": 0.4}
    assert made.printed == {"cdist/fast": 12}
    assert [each.extent for each in made.short] == ["3 of 48 cases"]
    assert operation.by_property["agreement"]["fast"].where == (("cpu", "float16"),)
    assert made.command == "harness check 'my file.py'"


def finding(verdict, dtype, score, elsewhere, comparison):
    case = Case(linear, {"batch": 1, "inputs": 1, "outputs": 1}, dtype=dtype)
    return Finding(case, Judgement(verdict, score, 32.0, elsewhere), comparison)


def comparison(actual, expected, **rest):
    unit, told = np.ones(1), np.ones(1, dtype=bool)
    return Comparison(
        label="the result",
        actual=np.array(actual),
        expected=np.array(expected),
        noise_floor=unit,
        informative=told,
        axis=None,
        dtype="float32",
        allowance=32.0,
        **rest,
    )


def test_a_sentence_says_what_was_seen_and_what_it_means():
    off = comparison([2.0], [1.0])
    unstable = finding(Verdict.UNSTABLE, "float32", 283.4, Elsewhere(0.0, "float64", 2.0**-52), off)
    wrong = finding(Verdict.WRONG, "float64", 2.63e13, Elsewhere(1234.0, "float32", 2.0**-23), off)
    assert sentence(unstable) == (
        "the result: off by 283 × the noise floor in float32, where rounding explains 32 ×; by 0 × in float64: "
        "the error shrinks with higher precision"
    )
    assert sentence(wrong) == (
        "the result: off by 2.6e13 × the noise floor in float64, where rounding explains 32 ×; by 1,234 × in float32: "
        "the error does not shrink with higher precision"
    )
    never = finding(Verdict.WRONG, "float32", 1e308, None, comparison([False], [True], exact=True))
    moved = finding(Verdict.WRONG, "float32", 9.0, None, comparison([1, 2, 4], [1, 2, 3], exact=True))
    assert sentence(never) == "falsified: the result"
    assert sentence(moved) == "the result: 1 of 3 entries differ, where nothing but equality will do"


def test_expected_and_actual_are_shown_with_the_digits_that_tell_them_apart():
    assert entries(comparison([0.123456789012], [0.123456789034])) == ("0.12345678903", "0.12345678901")
    assert entries(comparison([1.0, 2.0], [1.0, 3.0])) == ("1, 3", "1, 2")
    assert entries(comparison([np.nan], [np.inf])) == ("inf", "nan")
    expected, actual = entries(comparison(np.zeros(100, dtype=bool), np.arange(100.0) == 77))
    assert "True" in expected
    assert "True" not in actual
    assert expected.endswith("(entries 71 to 82 of 100)")


# hostile text


def test_visible_text_spells_out_what_is_unseen():
    assert visible("\x1b[31m\u202e\u200b\ud800\n") == r"\x1b[31m\u202e\u200b\ud800\n"
    assert visible("a\tb\nc\x00", lines=True) == "a\tb\nc\\x00"
    assert visible("naïve 数 ≈ עברית 👍") == "naïve 数 ≈ עברית 👍"
    assert visible("z" + "\u0335" * 9).count("\\u0335") == 7


def test_visible_text_is_cut_with_a_count():
    assert visible(MEGABYTE, limit=100) == "A" * 100 + "… (999,900 more characters)"
    assert visible("A" * 100, limit=100) == "A" * 100


def test_nothing_hostile_gets_into_the_fragment():
    elements = assert_harmless(fragment(hostile_summary().outcomes))
    assert_shown(elements)
    assert "script" not in [tag for tag, _ in elements.found]


def test_nothing_hostile_gets_into_the_terminal(capsys):
    made = hostile_summary()
    print_outcomes(made.outcomes)
    print_summary(made)
    printed = capsys.readouterr().out
    assert "alert(1)" in printed
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f\u200b-\u200f\u202a-\u202e\ufeff\ud800-\udfff]", printed)
    assert len(printed) < 20_000


# the terminal


def in_findings(made):
    """A summary as an output gets it, of which JUnit looks at nothing else."""
    return SimpleNamespace(summary=made)


def many():
    """Twenty operations with five implementations each, of which two deviate."""
    return [
        cell(
            "unstable" if (number, name) == (3, "torch_expanded_by_products") else verdict,
            operation=f"operation_with_a_long_name_{number}",
            implementation=name,
            dtype=dtype,
        )
        for number in range(20)
        for name in ("definition", "torch_expanded_by_products", "numpy_loop", "keras_layer", "jax_scan")
        for dtype in ("float64", "float32", "bfloat16", "float16")
        if not (name == "definition" and dtype == "float64")
        for verdict in (["inconclusive"] if (number, name, dtype) == (4, "jax_scan", "float16") else ["rounding"])
    ]


@pytest.mark.parametrize("width", [40, 80, 120])
def test_no_name_is_cut_and_no_line_is_too_long(width, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", str(width))
    print_outcomes(many())
    printed = capsys.readouterr().out
    joined = "".join(printed.split())
    assert "…" not in printed
    assert max(map(len, printed.splitlines())) <= width
    assert not re.search(" +$", printed, re.MULTILINE)
    assert all(f"operation_with_a_long_name_{number}" in joined for number in range(20))


def test_a_long_table_shows_what_deviates_alone(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "120")
    print_outcomes(many())
    printed = capsys.readouterr().out
    table = printed.partition("\n\n")[0].splitlines()
    assert table[0].split() == ["float64", "float32", "bfloat16", "float16"]
    assert [line.split()[0] for line in table[1:]] == [
        "operation_with_a_long_name_3/torch_expanded_by_products",
        "operation_with_a_long_name_4/jax_scan",
    ]
    assert "in 98 more implementations" in printed
    assert "operation_with_a_long_name_3 (4)" in printed


def test_the_terminal_shows_the_case_and_explains_its_words(capsys):
    print_outcomes([cell(implementation="definition"), cell("unstable", implementation="expanded")])
    printed = capsys.readouterr().out
    assert "cdist/definition  ≈ rounding" in printed
    assert "cdist/expanded    ~ unstable" in printed
    for wanted in ("off by 99 ×", "m=1, pattern normal", "a = torch.tensor([1.5]", "expected  1.5", "actual    1.25"):
        assert wanted in printed
    assert Verdict.UNSTABLE.meaning in " ".join(printed.split())


def test_colour_goes_to_terminals_alone_and_no_color_is_honoured(monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    coloured = io.StringIO()
    print_outcomes([cell("wrong")], coloured)
    monkeypatch.setenv("NO_COLOR", "1")
    plain = io.StringIO()
    print_outcomes([cell("wrong")], plain)
    assert "\x1b[1;31m" in coloured.getvalue()
    assert not re.search(r"\x1b\[[0-9;]*3[0-7]", plain.getvalue())


def test_the_summary_says_what_gave_no_answer(capsys):
    print_summary(busy_summary())
    printed = " ".join(capsys.readouterr().out.split())
    assert "unavailable 1 implementation, jax is not installed" in printed
    assert "1 unsupported and 1 inconclusive cells" in printed


def test_what_met_too_few_cases_says_so_wherever_its_verdict_stands(tmp_path):
    short, whole = cell("exact", implementation="slow", met=3, planned=48), cell("exact", met=48, planned=48)
    text = io.StringIO()
    print_outcomes([short, whole], text)
    assert "cdist/slow  = exact 3 of 48" in text.getvalue() and "cdist/fast  = exact\n" in text.getvalue()
    assert "3 of 48 cases" in fragment([short, whole]) and "3 of 48 cases" not in fragment([whole])
    made = summary(short, whole)
    assert made.sentence == (
        "Nothing fails; 1 cell met fewer cases than planned, cdist/slow in float32 as few as 3 of 48 cases (agreement)."
    )
    assert summary(whole, cell("exact", implementation="other")).sentence == "Everything holds within rounding."
    assert "exact in 3 of 48 cases" in junit(in_findings(made)) and "of 48" not in junit(in_findings(summary(whole)))
    pages = site(made, tmp_path)
    assert "3 of 48 cases" in pages["index.html"] and "3 of 48 cases" in pages[operation_page("cdist")]
    assert [entry.met for entry in Document.of(made, 0, tmp_path, tmp_path).short] == [3]
