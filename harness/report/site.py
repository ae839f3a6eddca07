"""The site: a run's pages, readable without a network, and all but the filter of results without scripts."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

from harness.history.slowdowns import benchmarks
from harness.report.calibration import calibration
from harness.report.charts import errors_over_runs, growth
from harness.report.curves import times_over_sizes
from harness.report.folder import ReplacedFolder
from harness.report.ladders import aa_test_sentence, clock_sentence, ladders, untimed
from harness.report.overview import Overview, errors_of, history_of
from harness.report.reporting import Findings
from harness.report.results import packed
from harness.report.template import counterexample_page, operation_page, raw, render

STYLE = "report.css"
"""The one file besides the pages."""

COPYING, FILTERING = "copying.js", "filtering.js"
"""What pages do where scripts run; each stands in the pages that need it."""


class Site:
    """An output: the pages of a run, index.html first, in every one of some folders.

    The folders lie beside those of other runs, to which the pages then lead. Pages that were made there before and that
    this run has not are removed.
    """

    def __init__(self, *folders: Path) -> None:
        self.folders = folders

    def check(self) -> None:
        """Raise InfrastructureError where the pages could not be written, as far as that shows before there are any."""
        for folder in self.folders:
            ReplacedFolder(folder).check("index.html")

    def __call__(self, findings: Findings) -> None:
        """Write the pages."""
        with ExitStack() as stack:
            folders = [stack.enter_context(ReplacedFolder(each)) for each in self.folders]
            for name, text in pages(findings, self.folders[0].parent):
                for folder in folders:
                    folder.write(name, text)


def pages(findings: Findings, beside: Path | None = None) -> Iterator[tuple[str, str]]:
    """The files of a run's site: name and text. `beside` is the folder in which the other runs' sites are looked for."""
    overview = Overview(findings, beside)
    common: dict[str, Any] = {"summary": findings.summary, "changes": findings.changes, "overview": overview}
    timed = _benchmarks_page(overview, common)
    yield STYLE, raw(STYLE)
    yield (
        "index.html",
        page("index.html", COPYING, **common, calibration=calibration(), chart=growth(findings.changes.grown)),
    )
    yield "results.html", page("results.html", FILTERING, **common, cells=packed(findings.summary))
    if findings.summary.settled or findings.summary.declined:
        yield "claims.html", page("claims.html", COPYING, **common)
    if timed:
        yield "benchmarks.html", timed
    yield "methods.html", page("methods.html", **common, calibration=calibration())
    yield "runs.html", page("runs.html", **common, runs=findings.history.runs)
    for operation in findings.summary.operations:
        chart = errors_over_runs(errors_of(findings, operation.name))
        yield (
            operation_page(operation.name),
            page("operation.html", **common, operation=operation, chart=chart, root="../"),
        )
    for cause in findings.summary.causes:
        if name := counterexample_page(cause.shown):
            told: dict[str, Any] = {
                "cause": cause,
                "change": overview.change_of(cause),
                "points": history_of(findings, cause.shown),
            }
            yield name, page("counterexample.html", COPYING, **common, **told, root="../")


def _benchmarks_page(overview: Overview, common: dict[str, Any]) -> str:
    """The latest benchmarks that can be drawn, to which all pages lead; empty where there are none.

    What their logs say is not checked where it is read, and no run is without a report for it.
    """
    for each in benchmarks(overview.reports):
        overview.benchmarks, timings = each, each.timings
        with suppress(ValueError, LookupError, ArithmeticError):
            told: dict[str, Any] = {"ladders": [(found, times_over_sizes(found)) for found in ladders(timings)]}
            told |= {
                "reasons": untimed(timings),
                "aa_test": aa_test_sentence(timings),
                "clock": clock_sentence(timings),
            }
            return page("benchmarks.html", **common, timed=each, **told)
    overview.benchmarks = None
    return ""


def page(template: str, *scripts: str, root: str = "", **values: Any) -> str:
    """A page whose policy lets a browser load nothing but the style beside it, and run no script but the page's own."""
    texts = [raw(name) for name in scripts]
    checksums = " ".join(f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'" for text in texts) or "'none'"
    policy = (
        f"default-src 'none'; style-src 'self' file: 'unsafe-inline'; script-src {checksums}; "
        "base-uri 'none'; form-action 'none'"
    )
    return render(template, here=template, policy=policy, scripts=texts, root=root, **values)
