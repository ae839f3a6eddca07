"""A reproduction: a script that shows a counterexample without the harness, for whoever maintains the candidate.

It holds the candidate's source, the case as literal values and what should come out, calls, and prints both with their
largest difference. Of the forms that it can take, the plainest is chosen that shows the fault when it is run.
"""

from __future__ import annotations

import dataclasses

from harness.explain.evidence import Evidence
from harness.explain.forms import by_the_harness, forms
from harness.explain.script import Script
from harness.generate.case import Case
from harness.measure.clock import undisturbed_seconds
from harness.measure.reference import widened
from harness.verify.cell import Cell
from harness.verify.finding import Finding

_LONGEST = 60_000
"""Characters of a script; an issue on GitHub takes 65,536."""

_MOST_ENTRIES = 2**18
"""Entries that are not zero and may be written out: of more, a bit of each would nearly fill a script."""

_SECONDS = 5.0
"""For a form that shows it without the harness."""


def reproduction(cell: Cell, finding: Finding) -> Script:
    """The script for a shrunk finding, which nobody has explained yet."""
    evidence, began = Evidence(cell, finding), undisturbed_seconds()
    for form in () if _is_long(finding.case) else forms(evidence):
        if undisturbed_seconds() > began + _SECONDS:
            break
        script = Script(evidence, form)
        shown = script.shown() if len(script.text) <= _LONGEST else 0.0
        if shown and shown >= form.measured / 2:
            return dataclasses.replace(script, form=dataclasses.replace(form, measured=shown))
    return Script(evidence, by_the_harness(evidence))


def _is_long(case: Case) -> bool:
    """Whether the values of a case are too many to be written out."""
    if case.entries <= _MOST_ENTRIES:
        return False
    return sum(int(widened(tensor).count_nonzero()) for tensor in case.tensors.values()) > _MOST_ENTRIES
