"""JUnit: every cell as a test case, for what draws tests from XML."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from harness.explain.visible import visible
from harness.measure.verdict import Verdict
from harness.record.claim_outcomes import UNASKED, ClaimOutcome
from harness.record.events import CellFinished, RunStarted
from harness.report.again import replay_command
from harness.report.outputs import output
from harness.report.reporting import Findings

_SOURCE = 64_000
"""Characters of a case's Python and of a script."""


@output("junit", help="Write every cell as a test case of JUnit.")
def junit(findings: Findings) -> str:
    """The run as JUnit XML: one suite an operation, one case a cell, and a suite of claims.

    Falsified cells are failures; what raised in the property or the harness is an error; known findings and what gave
    no answer are skipped, with the reason; lost digits pass, and say so, as does what met
    fewer cases than planned. What is no character of XML is spelled out.
    """
    summary = findings.summary
    root = Element("testsuites", name="harness")
    suites = {each.name: [_cell(cell, summary.started) for cell in each.outcomes] for each in summary.operations}
    if claimed := [_claim(each) for each in (*summary.settled, *summary.declined)]:
        suites["claims"] = claimed
    for name, cases in suites.items():
        suite = SubElement(root, "testsuite", name=visible(name), timestamp=summary.started.when[:19])
        suite.extend(cases)
        _count(suite, cases)
    _count(root, list(root.iter("testcase")))
    ElementTree.indent(root)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{ElementTree.tostring(root, encoding="unicode")}\n'


def _count(suite: Element, cases: list[Element]) -> None:
    counted = {"tests": len(cases)}
    counted |= {f"{kind}s": sum(each.find(kind) is not None for each in cases) for kind in ("failure", "error")}
    counted["skipped"] = sum(each.find("skipped") is not None for each in cases)
    for name, count in counted.items():
        suite.set(name, str(count))
    suite.set("time", f"{sum(float(each.get('time', 0)) for each in cases):.3f}")


def _cell(cell: CellFinished, started: RunStarted) -> Element:
    made = Element(
        "testcase",
        classname=visible(f"{cell.operation}.{cell.implementation}"),
        name=visible(f"{cell.prop}[{cell.device}-{cell.dtype}]"),
        time=f"{sum(cell.seconds.values()):.3f}",
    )
    verdict = Verdict(cell.verdict)
    if cell.known:
        SubElement(made, "skipped", message=visible(f"known, {verdict.value}: {cell.known}"))
    elif verdict in (Verdict.UNSUPPORTED, Verdict.INCONCLUSIVE):
        SubElement(made, "skipped", message=visible(f"{verdict.value}: {cell.reason or verdict.meaning}"))
    elif cell.unjudged:
        _add(made, "error", cell, started)
    elif verdict.failing:
        _add(made, "failure", cell, started)
    elif verdict is Verdict.UNSTABLE:
        told = f"{verdict.value}{_extent(cell)}: {cell.reason}"
        SubElement(made, "system-out").text = visible(_body(told, cell, started), _SOURCE, True)
    elif cell.is_short:
        SubElement(made, "system-out").text = visible(f"{verdict.value}{_extent(cell)}")
    return made


def _extent(cell: CellFinished) -> str:
    return f" in {cell.extent}" if cell.is_short else ""


def _add(made: Element, kind: str, cell: CellFinished, started: RunStarted) -> None:
    found = SubElement(made, kind, type=cell.verdict, message=visible(cell.reason))
    found.text = visible(_body(cell.reason, cell, started), _SOURCE, lines=True)


def _body(told: str, cell: CellFinished, started: RunStarted) -> str:
    return "\n\n".join(filter(None, (visible(told), *_shown(cell, started))))


def _shown(cell: CellFinished, started: RunStarted) -> Iterator[str]:
    """The diagnosis, the case in words and as Python, and the script that shows it, each cut by itself."""
    found = cell.counterexample
    if found is None:
        return
    if found.diagnosis is not None:
        yield visible(str(found.diagnosis))
    yield f"case {visible(found.summary)}\nask it again with: {visible(replay_command(cell.id, started))}"
    yield visible(found.source, _SOURCE // 4, lines=True)
    if found.expected:
        yield f"expected {visible(found.expected)}\nactual   {visible(found.actual)}"
    yield visible(found.script, _SOURCE // 2, lines=True)


def _claim(settled: ClaimOutcome) -> Element:
    """A claim: it fails where it comes out otherwise than expected."""
    seconds = sum(sum(cell.seconds.values()) for cell in settled.cells if cell.claim)
    made = Element("testcase", classname="claims", name=visible(settled.claim.id), time=f"{seconds:.3f}")
    if settled.outcome == UNASKED:
        SubElement(made, "skipped", message=visible(settled.evidence))
    elif not settled.as_expected:
        told = f"{settled.outcome}, where it is expected to be {settled.claim.expected}: {settled.claim.statement}"
        SubElement(made, "failure", type=settled.outcome, message=visible(told)).text = visible(settled.evidence)
    return made
