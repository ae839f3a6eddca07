"""Claims and known findings: what settles a claim, what contradicts it, and what a known finding excuses."""

import dataclasses
import re

import pytest
from click.testing import CliRunner
from harness.properties.claims.sources import S0, S1, S2, S3, S4

import harness
from harness.command.main import main
from harness.errors import DeclarationError, HarnessError
from harness.execute.outcome import outcome
from harness.record import known
from harness.record.claim_outcomes import claim_outcomes
from harness.record.events import CellFinished, ClaimListed, FindingListed, RunFinished, RunStarted
from harness.record.known import in_scope, read_findings, recognised
from harness.record.listed import claim_listed
from harness.report.run_summary import RunSummary
from harness.verify.cell import cells
from harness.verify.claim import Claim, claim
from harness.verify.suite import every_claim, every_property
from tests.byhand import site
from tests.command_line import ask

GRU = harness.catalogue()["gru"]


def listed(expected="holds", by=("agreement",), of=()):
    return ClaimListed(
        "some.claim", S2, "It is so.", expected, "it is not" * (expected == "refuted"), list(of), list(by)
    )


def cell(verdict, prop="agreement", operation="gru", **rest):
    return CellFinished(prop, operation, "nn.GRU", "torch", "cpu", "float64", verdict, tally={verdict: 7}, **rest)


@pytest.mark.parametrize(
    ("verdicts", "outcome_of_it"),
    [
        (["exact", "rounding"], "holds"),
        (["unstable"], "holds"),
        (["exact", "wrong"], "refuted"),
        (["error"], "refuted"),
        (["inconclusive", "unsupported"], "undecided"),
        (["unsupported", "unsupported"], "not asked"),
        ([], "not asked"),
    ],
)
def test_verdicts_settle_a_claim(verdicts, outcome_of_it):
    (settled,) = claim_outcomes([listed()], [cell(verdict) for verdict in verdicts])
    assert settled.outcome == outcome_of_it
    assert settled.as_expected == (outcome_of_it in ("holds", "not asked"))


def test_a_claim_whose_package_is_missing_is_not_asked_and_says_so():
    (settled,) = claim_outcomes(
        [listed("refuted")], [cell("unsupported", reason="the package xgboost is not installed")]
    )
    assert settled.as_expected
    assert settled.evidence == "not asked: the package xgboost is not installed"


def test_a_claim_that_should_fall_and_stands_is_unexpected():
    (settled,) = claim_outcomes([listed("refuted")], [cell("exact")])
    assert (settled.outcome, settled.as_expected) == ("holds", False)


def test_only_cells_of_the_claims_operations_count():
    (settled,) = claim_outcomes([listed(of=("gru",))], [cell("exact"), cell("wrong", operation="lstm")])
    assert settled.outcome == "holds"


@pytest.mark.parametrize("excuse", [{"known": "somebody else's"}, {"kind": "unjudged"}])
def test_what_is_known_or_unjudged_refutes_nothing(excuse):
    (settled,) = claim_outcomes([listed()], [cell("exact"), cell("error", **excuse)])
    assert settled.outcome == "holds"


def test_an_own_statement_is_explored_and_shrunk():
    @claim("gru.no-time", S2, of="gru", instead="there is one")
    def no_time(gru, case):
        """The output has no second step."""
        output, _ = gru(case)
        yield harness.holds("one step", output.shape[1 if case.options["batch_first"] else 0] == 1, case)

    (asked,) = cells(no_time.own, [GRU])
    assert (asked.implementation.name, asked.dtype) == ("definition", "float64")
    found = outcome(asked, 16, 0)
    assert (found.verdict, found.claim, found.fails) == ("wrong", "gru.no-time", False)
    assert found.counterexample.case["sizes"] == {"batch": 1, "feature": 1, "hidden": 1, "time": 2}
    (settled,) = claim_outcomes([claim_listed(no_time)], [found])
    assert settled.as_expected and settled.refuting is found


def test_a_claim_that_nothing_settles_is_refused():
    with pytest.raises(DeclarationError, match="names no property"):
        Claim("some.claim", S2, "It is so.")


def test_claims_have_known_sources_and_families():
    claims = every_claim()
    assert {each.source for each in claims} <= {S0, S1, S2, S3, S4}
    assert all("." in each.id and each.statement.endswith((".", "?")) for each in claims)
    assert {"holds", "refuted"} == {each.expected for each in claims}
    assert not {prop.name for prop in every_property()} & {each.id for each in claims}


# pages


def summary_of(*outcomes, claims=(), findings=(), when="2026-11-22T00:00:00+00:00"):
    started = RunStarted("20261122-000000-abc", when, ["harness", "run"], 0, {"python": "3.11"})
    return RunSummary.of([started, *claims, *findings, *outcomes, RunFinished({}, 1.0, 0)])


def test_claims_are_a_page_and_no_verdict_on_an_implementation(tmp_path):
    refuted = dataclasses.replace(listed("refuted", by=("some.claim",)), id="some.claim")
    summary = summary_of(cell("wrong", "some.claim", claim="some.claim", reason="off by 9 ×"), claims=[refuted])
    assert summary.outcomes == [] and not summary.unexpected
    files = site(summary, tmp_path)
    shown = files["claims.html"]
    assert "every one settled as expected" in shown and "it is not" in shown and "off by 9 ×" in shown
    assert "claims.html" in files["index.html"]


def test_an_unexpected_claim_stands_out(tmp_path):
    summary = summary_of(cell("wrong", reason="<b>off</b>"), claims=[listed()])
    shown = site(summary, tmp_path)["claims.html"]
    assert "1 of 1 claim came out otherwise than expected" in shown
    assert "&lt;b&gt;off" in shown and "Expected: holds" in shown


# known findings

FINDING = FindingListed("gru", "nn.GRU", "wrong", "rounds twice", "torch#1", "2027-01-01", dtypes=["float64"])


@pytest.fixture
def finding(monkeypatch):
    monkeypatch.setattr(known, "known_findings", lambda: (FINDING,))


def test_a_known_finding_fails_no_run(finding):
    assert cell("wrong").fails
    found = recognised(cell("wrong"), "2026-12-31")
    assert found.known == "rounds twice (torch#1)" and not found.fails


@pytest.mark.parametrize("other", [{"verdict": "error"}, {"dtype": "float32"}, {"implementation": "definition"}])
def test_another_finding_is_not_known(finding, other):
    assert recognised(dataclasses.replace(cell("wrong"), **other), "2026-12-31").known == ""


def test_a_known_finding_expires(finding):
    assert recognised(cell("wrong"), "2027-01-01").known == ""


def test_scope_lists_are_wide_where_empty():
    assert in_scope(dataclasses.replace(FINDING, dtypes=[]), dataclasses.replace(cell("wrong"), dtype="float16"))
    assert not in_scope(dataclasses.replace(FINDING, properties=["layouts"]), cell("wrong"))


def test_a_finding_that_disappears_or_changes_is_told(tmp_path):
    seen = summary_of(cell("wrong", known="rounds twice (torch#1)"), findings=[FINDING])
    gone = summary_of(cell("exact"), findings=[FINDING])
    changed = summary_of(cell("error"), findings=[FINDING])
    unasked = summary_of(cell("exact", operation="lstm"), findings=[FINDING])
    expired = summary_of(cell("exact"), findings=[FINDING], when="2027-02-01T00:00:00+00:00")
    assert not seen.unseen_findings and not unasked.unseen_findings
    assert "did not show: its cells are exact at worst" in gone.unseen_findings[0]
    assert "error at worst" in changed.unseen_findings[0] and changed.failing
    assert "expired on 2027-01-01" in expired.unseen_findings[0]
    assert not seen.failing
    assert "Tolerated: rounds twice (torch#1)" in site(seen, tmp_path / "seen")["index.html"]
    assert "did not show" in site(gone, tmp_path / "gone")["index.html"]


WHOLE = """[[finding]]
operation = "a"
implementation = "b"
verdict = "wrong"
reason = "c"
reference = "d"
expires = 2027-01-01
"""


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[[finding]", "is no TOML"),
        ("a = " + "[" * 100_000, "is no TOML"),
        ('finding = "x"', "'finding' is no list of tables"),
        (WHOLE.replace("[[finding]]", "[finding]"), "'finding' is no list of tables"),
        ("[[findings]]", "'findings' is no list of tables"),
        ("finding = [7]", "finding 1: Expected `object`"),
        ('[[finding]]\noperation = "gru"', "finding 1: Object missing required field `implementation`"),
        (WHOLE.replace("wrong", "odd"), "finding 1: verdict: Invalid enum value 'odd'"),
        (WHOLE + 'properties = "agreement"', "finding 1: properties: Expected `array`, got `str`"),
        (WHOLE + 'rare = "no"', "finding 1: rare: Expected `bool`, got `str`"),
        (WHOLE + "since = 2026", "finding 1: nothing is called 'since'"),
        (WHOLE.replace("2027-01-01", '"soon"'), "finding 1: expires"),
        (WHOLE.replace("2027-01-01", '"2027-02-30"'), "finding 1: day is out of range"),
    ],
)
def test_a_broken_file_of_findings_is_refused_in_a_sentence(tmp_path, text, told):
    path = tmp_path / "known.toml"
    path.write_text(text)
    with pytest.raises(HarnessError, match=re.escape(told)) as refusal:
        read_findings(path)
    assert str(path) in str(refusal.value)


def test_a_whole_finding_is_read_and_what_is_no_text_is_refused(tmp_path):
    path = tmp_path / "known.toml"
    path.write_text(WHOLE + 'properties = ["agreement"]\nrare = true')
    (found,) = read_findings(path)
    assert (found.properties, found.rare, found.expires) == (["agreement"], True, "2027-01-01")
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(HarnessError, match="no text in UTF-8"):
        read_findings(path)


def test_the_findings_of_the_repository_can_be_read():
    for each in known.known_findings():
        assert each.operation in harness.catalogue()
        assert each.implementation in harness.catalogue()[each.operation].implementations


# the command


def test_the_command_settles_what_it_is_asked_for(tmp_path):
    answer = ask(tmp_path, "claims", "gru.index-S", "gru.transpose", "--profile", "quick", "--json")
    told = {each["id"]: each for each in answer.summary}
    assert answer.code == 0 and set(told) == {"gru.index-S", "gru.transpose"}
    assert all(each["outcome"] == each["expected"] == "refuted" and each["case"] for each in told.values())
    assert "gru.index-S" in (tmp_path / "reports" / "latest" / "claims.html").read_text()


def test_an_unknown_claim_gets_the_nearest_names(tmp_path):
    refusal = CliRunner().invoke(main, ["claims", "gru.indexS", "--reports", str(tmp_path)])
    assert refusal.exit_code == 2 and "did you mean gru.index-S" in refusal.stderr
