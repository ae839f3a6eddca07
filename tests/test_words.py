"""Words: what users read is in the field's terms; the words that this project once made up for itself stay away."""

import re

import click
import pytest
from click.testing import CliRunner

from harness.command.main import main
from harness.measure.verdict import Verdict
from harness.report.terminal import print_outcomes, print_summary
from tests.byhand import busy_summary, site

OLD = re.compile(
    r"\buninformative\b|\bunavoidable\b|\bnobody\b|\b(falls|fell|falling)\b|\bcanary\b|\brungs?\b|\bcrews?\b|\bbatter(y|ies)\b"
    r"|\bconvict\w*|\bwitness\b|\blessons?\b|\bno digits are lost\b|\bmend it\b|\bwithout a word\b|\bdigits get lost\b"
    r"|\d u\b|\bin units of u\b|\bgrades?\b",
    re.IGNORECASE,
)


def commands(group=main, path=()):
    yield path
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name)


@pytest.mark.parametrize("path", list(commands()), ids=" ".join)
def test_help_is_free_of_them(path):
    told = CliRunner().invoke(main, [*path, "--help"]).stdout
    assert told and not OLD.findall(told)


def test_the_pages_of_a_report_are_free_of_them(tmp_path):
    for name, page in site(busy_summary(), tmp_path).items():
        if name.endswith(".html"):
            shown = re.sub(r"<(script|style).*?</\1>|<[^>]+>", " ", page, flags=re.DOTALL)
            assert not OLD.findall(shown), name


def test_the_terminal_is_free_of_them(capsys):
    summary = busy_summary()
    print_outcomes(summary.outcomes)
    print_summary(summary, None)
    assert not OLD.findall(capsys.readouterr().out)


def test_what_verdicts_mean_is_free_of_them():
    assert not any(OLD.findall(f"{verdict.value} {verdict.meaning}") for verdict in Verdict)
