"""The report's speed and size with 100,000 cells: `python -m tests.quality.scale`, or `tox -e scale`.

Puts down two runs of 50 operations, 5 implementations, 40 properties and 10 pairs of device and dtype, about 1 % of them
bad in a hundred root causes; writes the pages of the second against the first; and, where there is a Chromium, opens
them from the disk and filters. Prints every figure with its limit; exits 1 where one is missed.
"""

import random
import sys
import tempfile
import time
from collections import Counter
from functools import partial
from itertools import product
from pathlib import Path

from harness.explain.counterexample import Counterexample
from harness.explain.cutout import Cutout
from harness.explain.diagnosis import Diagnosis
from harness.history.history import History
from harness.record.events import CellFinished, RunFinished, RunStarted
from harness.record.runlog import SUFFIX, RunLog
from harness.report.reporting import Findings
from harness.report.run_summary import RunSummary
from harness.report.site import Site

OPERATIONS = [f"operation_{number:02}" for number in range(50)]
IMPLEMENTATIONS = ["definition", "torch_fused", "numpy_loop", "jax_scan", "onnxruntime_cpu"]
PROPERTIES = ["agreement", *(f"property_{number:02}" for number in range(1, 40))]
PLACES = [
    *product(("cpu", "cuda"), ("float64", "float32", "bfloat16", "float16")),
    ("mps", "float32"),
    ("mps", "float16"),
]

SECONDS, BYTES, FIRST_SCREEN, FILTER = 10.0, 2 * 2**20, 1.0, 0.1
"""The limits: to write all pages, of all pages together, until the first screen is seen, and until a filter answers."""

_CHROMIUM = Path("/usr/bin/chromium")
_FAULTS = 100
_TURNS = 5
_QUERIES = (
    "operation:operation_07 dtype:bfloat16 -verdict:rounding",
    "verdict:wrong",
    "scan prop*",
    "-verdict:exact",
    "",
)


def run(day, seed):
    """A run as it would be told."""
    chance = random.Random(seed)
    started = RunStarted(
        f"202601{day:02}-000000-abcdef",
        f"2026-01-{day:02}T00:00:00+00:00",
        ["harness", "run"],
        0,
        {"python": "3.11", "cpu": "one", "packages": {"torch": f"2.{day}"}},
    )
    pairs = chance.sample(list(product(OPERATIONS, IMPLEMENTATIONS[1:])), _FAULTS)
    faulty = {pair: number for number, pair in enumerate(pairs)}
    made = [
        cell(chance, prop, operation, implementation, device, dtype, faulty.get((operation, implementation)))
        for operation, implementation, prop, (device, dtype) in product(OPERATIONS, IMPLEMENTATIONS, PROPERTIES, PLACES)
    ]
    return RunSummary(started, [], made, RunFinished(dict(Counter(each.verdict for each in made)), 3600.0, 1))


def cell(chance, prop, operation, implementation, device, dtype, fault):
    """A cell: bad in some properties of a faulty implementation, unsupported or exact or rounding elsewhere."""
    make = partial(CellFinished, prop, operation, implementation, implementation.partition("_")[0], device, dtype)
    seconds = {"implementation": chance.random(), "oracle": chance.random()}
    score = chance.lognormvariate(-1, 1.5)
    figures = {"score_median": score / 4, "score_max": score, "allowance": 32.0, "seconds": seconds, "comparisons": 48}
    if fault is not None and (prop == "agreement" or chance.random() < 0.03) and dtype in ("float64", "float32"):
        reason = (
            f"against the oracle: off by {1000 * score:,.0f} × the noise floor in {dtype}, where rounding explains 32 ×"
        )
        return make("wrong", {"wrong": 3}, reason=reason, counterexample=shown(chance, reason, fault), **figures)
    if (implementation, dtype) in (("onnxruntime_cpu", "bfloat16"), ("numpy_loop", "float16")):
        return make("unsupported", reason=f"{implementation} has no {dtype}")
    if int(prop[-2:], 36) % 2:  # such as result_dtype and inputs_unmodified, which are exact or nothing
        return make("exact", {"exact": 48}, comparisons=48, seconds=seconds)
    verdict = "exact" if chance.random() < 0.3 else "rounding"
    pairs = {"pairs": [40, 44], "triples": [100, 120]} if prop == "agreement" else {}
    return make(verdict, {verdict: 48}, **figures, **pairs)


def shown(chance, reason, fault):
    """A counterexample with two small tensors, a case as Python and a script of usual length."""
    values = [[round(chance.gauss(0, 1), 3) for _ in range(4)] for _ in range(3)]
    parts = [Cutout(name, [3, 4], values) for name in ("expected", "actual", "difference")]
    source = f"x = torch.tensor({values}, dtype=torch.float32)"
    script = "\n".join([f"# {reason}", source, *(f"step_{number} = x * {number}" for number in range(60))])
    why = Diagnosis(f"b is counted {fault} times", "on 12 of 12 cases", "a cause", proven=True)
    inputs = [Cutout("x", [3, 4], values)]
    case = {"batch": fault, "seed": chance.random()}
    return Counterexample(case, "batch=3, inputs=4", source, reason, "1.5", "1.25", 12, why, script, inputs, parts)


def logged(summary, reports):
    """Put a run down as its log."""
    with RunLog(reports / "runs" / f"{summary.started.run}{SUFFIX}") as log:
        for event in (summary.started, *summary.outcomes, summary.finished):
            log(event)


def written(summary, reports):
    """Write the pages of a run whose log lies there: seconds of processor time for the index, and for the pages."""
    began = time.process_time()

    def question(history):
        indexed = time.process_time()
        this = history.named(summary.started.run)
        changes = history.changes(this, history.baseline_of(this))
        fresh = RunSummary(summary.started, summary.listed, summary.outcomes, summary.finished)
        Site(reports / summary.started.run, reports / "latest")(Findings(fresh, changes, history))
        return indexed - began, time.process_time() - indexed

    return History.ask(reports, question)


def in_browser(folder):
    """Until the first screen is seen, until results can be filtered, and the slowest filter, in seconds; requests.

    The first screen's and a filter's time is the best of five, since other work on the machine is none of theirs.
    """
    from playwright.sync_api import sync_playwright

    painted = "performance.getEntriesByType('paint').find(e => e.name == 'first-contentful-paint')?.startTime"
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=str(_CHROMIUM), args=["--no-sandbox", "--headless=new"])
        page = browser.new_page(viewport={"width": 1200, "height": 800})
        requests = []
        page.on("request", lambda request: requests.append(request.url))
        first = []
        for _ in range(_TURNS):
            page.goto((folder / "index.html").as_uri())
            page.wait_for_function(painted)
            first.append(page.evaluate(painted))
        began = time.perf_counter()
        page.goto((folder / "results.html").as_uri())
        page.wait_for_selector("#results tbody tr")
        ready = time.perf_counter() - began
        slowest = max(min(page.evaluate(_FILTERED, query) for _ in range(_TURNS)) for query in _QUERIES)
        browser.close()
    return min(first) / 1000, ready, slowest / 1000, [url for url in requests if not url.startswith("file:")]


_FILTERED = """async (query) => {
  const field = document.getElementById("filter");
  await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  const began = performance.now();
  field.value = query;
  field.dispatchEvent(new Event("input"));
  document.getElementById("results").getBoundingClientRect();
  return performance.now() - began;
}"""
"""From the key to the rows laid out."""


def main():
    """Print the figures; exit 1 where a limit is missed."""
    with tempfile.TemporaryDirectory() as folder:
        reports = Path(folder)
        earlier, later = run(1, 1), run(2, 2)
        for each in (earlier, later):
            logged(each, reports)
        indexing, writing = written(later, reports)
        site = reports / later.started.run
        size = sum(file.stat().st_size for file in site.rglob("*") if file.is_file())
        bad = sum(each.verdict == "wrong" for each in later.outcomes)
        print(
            f"{len(later.outcomes):,} cells, {bad:,} bad, {len(later.causes)} causes, {sum(1 for _ in site.rglob('*.html'))} pages"
        )
        print(f"index of two logs  {indexing:.1f} s")
        limits = [("written", writing, SECONDS, "s"), ("size", size, BYTES, "bytes")]
        if _CHROMIUM.exists():
            first, ready, slowest, requests = in_browser(site)
            print(f"results unpacked   {ready:.2f} s\nnetwork requests   {len(requests)}")
            limits += [("first screen", first, FIRST_SCREEN, "s"), ("slowest filter", slowest, FILTER, "s")]
        for name, value, limit, unit in limits:
            print(
                f"{name:<18} {value:,.{0 if value > 100 else 3}f} {unit}, at most {limit:,} {unit}{'' if value <= limit else '  MISSED'}"
            )
        return int(any(value > limit for _, value, limit, _ in limits))


if __name__ == "__main__":
    sys.exit(main())
