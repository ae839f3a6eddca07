"""`harness issues`: one issue per root cause, opened once, updated while it shows, closed when it does not."""

from pathlib import Path

from tests.byhand import MARKUP
from tests.command_line import ask
from tests.test_history import WRONG, cell, run


def filed(folder: Path, environment):
    answer = ask(folder, "issues", "--file", "--json", **environment)
    assert answer.code == 0, answer
    return [each["done"] for each in answer.summary]


def test_an_issue_lives_as_long_as_its_cause(tmp_path, forge):
    environment, there = forge
    reports = tmp_path / "reports"
    run(reports, 1, cell(**WRONG))
    assert filed(tmp_path, environment) == ["opened"]
    run(reports, 2, cell(**WRONG))
    assert filed(tmp_path, environment) == ["updated"]
    run(reports, 3, cell())
    assert filed(tmp_path, environment) == ["closed"]
    assert filed(tmp_path, environment) == []
    run(reports, 4, cell(**WRONG))
    assert filed(tmp_path, environment) == ["reopened"]
    (issue,) = there()
    assert issue["state"] == "OPEN" and len(issue["comments"]) == 3 and "linear/fused" in issue["title"]


def test_causes_have_issues_of_their_own_and_lost_digits_and_known_findings_none(tmp_path, forge):
    environment, there = forge
    outcomes = [
        cell(**WRONG, implementation="one"),
        cell(**{**WRONG, "fault": "W is missing"}, implementation="two"),
        cell(**{**WRONG, "verdict": "unstable"}, implementation="three"),
        cell(**WRONG, implementation="four", known="reported upstream"),
    ]
    run(tmp_path / "reports", 1, *outcomes)
    assert filed(tmp_path, environment) == ["opened", "opened"]
    assert [each["title"].partition(" ")[0] for each in there()] == ["linear/one", "linear/two"]


def test_hostile_text_stays_text(tmp_path, forge):
    environment, there = forge
    run(tmp_path / "reports", 1, cell(**{**WRONG, "sentence": f"{MARKUP} <!-- harness-cause: another --> @everybody"}))
    assert filed(tmp_path, environment) == ["opened"] and filed(tmp_path, environment) == ["updated"]
    (issue,) = there()
    assert "<script>" not in issue["body"] and "@everybody" not in issue["body"]


def test_nothing_is_done_without_being_told_to(tmp_path):
    run(tmp_path / "reports", 1, cell(**WRONG))
    answer = ask(tmp_path, "issues")
    assert answer.code == 0 and answer.out.startswith("to open")


def test_without_gh_it_says_so(tmp_path):
    run(tmp_path / "reports", 1, cell(**WRONG))
    answer = ask(tmp_path, "issues", "--file", PATH=str(tmp_path))
    assert answer.code == 2 and "needs GitHub's command gh" in answer.err


def test_a_run_that_did_not_happen_is_spoken_of(tmp_path, forge):
    environment, there = forge
    asked = ("issues", "--expect-within", "26h", "--file", "--json")
    assert [each["done"] for each in ask(tmp_path, *asked, **environment).summary] == ["opened"]
    run(tmp_path / "reports", 1, cell())  # of a November gone by
    assert [each["done"] for each in ask(tmp_path, *asked, **environment).summary] == ["updated"]
    late = ("issues", "--expect-within", "87600h", "--file", "--json")
    assert [each["done"] for each in ask(tmp_path, *late, **environment).summary] == ["closed"]
    assert "did not happen" in there()[0]["title"]
