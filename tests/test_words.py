"""Words: what users read is in the field's terms; the words that this project once made up for itself stay away."""

import re

import click
import pytest
from click.testing import CliRunner

from harness.command.main import main

OLD = re.compile(
    r"\buninformative\b|\bunavoidable\b|\bnobody\b|\b(falls|fell|falling)\b|\bcanary\b|\brungs?\b|\bcrews?\b|\bbatter(y|ies)\b"
    r"|\bconvict\w*|\bwitness\b|\blessons?\b|\bno digits are lost\b|\bmend it\b|\bwithout a word\b|\bdigits get lost\b"
    r"|\d u\b|\bin units of u\b|\bgrades?\b",
    re.IGNORECASE,
)


def commands(group=main, path=()):
    yield path
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name)


@pytest.mark.parametrize("path", list(commands()), ids=" ".join)
def test_help_is_free_of_them(path):
    told = CliRunner().invoke(main, [*path, "--help"]).stdout
    assert told and not OLD.findall(told)
