"""The log of a whole run, written by hand: several operations, every verdict, claims, and what could not be asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import product
from pathlib import Path

from harness.explain.counterexample import Counterexample
from harness.record.events import CellFinished, ClaimListed, Event, ImplementationListed, RunFinished, RunStarted, Scope
from harness.record.runlog import SUFFIX, RunLog

OPERATIONS = ("cdist", "conv2d", "gru", "linear")
IMPLEMENTATIONS = ("definition", "fused", "loop")
PROPERTIES = ("agreement", "gradients", "layouts")
DTYPES = ("float64", "float32", "bfloat16", "float16")

BAD = {
    ("agreement", "gru", "fused", "bfloat16"): "wrong",
    ("agreement", "cdist", "fused", "float32"): "unstable",
    ("layouts", "conv2d", "loop", "float16"): "error",
    ("layouts", "gru", "loop", "float32"): "wrong",
}
KNOWN = ("layouts", "gru", "loop", "float32")

CLAIMS = (
    ClaimListed("linear.holds", "handbook", "A linear layer is linear.", "holds", of=["linear"], by=["agreement"]),
    ClaimListed("gru.refuted", "handbook", "It is exact.", "refuted", "it rounds", ["gru"], ["agreement"]),
    ClaimListed("conv2d.unexpected", "notes", "Layouts change nothing.", "holds", "", ["conv2d"], ["layouts"]),
)


def write(reports: Path, name: str = "20260102-030405-abcdef") -> str:
    """Write the log among the reports; the run's name."""
    with RunLog(reports / "runs" / f"{name}{SUFFIX}") as log:
        for event in _events(name):
            log(event)
    return name


def cells() -> list[CellFinished]:
    """Its cells, one of each property, operation, implementation and dtype."""
    return [_cell(*each) for each in product(PROPERTIES, OPERATIONS, IMPLEMENTATIONS, DTYPES)]


def _events(name: str) -> Iterator[Event]:
    environment = {"python": "3.11.7", "cpu": "a processor", "packages": {"torch": "2.13.0"}, "cuda": []}
    command = ["harness", "run", *OPERATIONS]
    yield RunStarted(name, "2026-01-02T03:04:05+00:00", command, 7, environment, scope=Scope(profile="default"))
    for operation, implementation in product(OPERATIONS, IMPLEMENTATIONS):
        yield ImplementationListed(operation, implementation, "torch", list(DTYPES), "catalogue.py")
    yield ImplementationListed("gru", "scan", "jax", [], "catalogue.py", "jax is not installed")
    yield from CLAIMS
    yield from cells()
    yield RunFinished(dict(Counter(cell.verdict for cell in cells())), 12.5, 1)


def _cell(prop: str, operation: str, implementation: str, dtype: str) -> CellFinished:
    key = (prop, operation, implementation, dtype)
    verdict = BAD.get(key) or _usual(prop, operation, dtype)
    bad = key in BAD
    return CellFinished(
        prop,
        operation,
        implementation,
        "torch",
        "cpu",
        dtype,
        verdict,
        tally={verdict: 20},
        comparisons=40,
        score_median=0.4 if prop == "agreement" else None,
        score_high=2.0 if prop == "agreement" else None,
        score_max=900.0 if bad else 3.1,
        allowance=32.0,
        reason={"unsupported": "no autograd in this dtype", "inconclusive": "no digit to compare"}.get(verdict, "")
        or "off by 900 ×" * bad,
        kind="raised ValueError" if verdict == "error" else "",
        place="catalogue.py: fused",
        seconds={"implementation": 0.5, "oracle": 0.2, "drawing": 0.1},
        pairs=[9, 10] if prop == "agreement" else None,
        triples=[20, 30] if prop == "agreement" else None,
        counterexample=_counterexample(dtype) if bad else None,
        known="it is torch's own (a reference)" if key == KNOWN else "",
    )


def _usual(prop: str, operation: str, dtype: str) -> str:
    if prop == "gradients" and dtype == "float16":
        return "unsupported"
    if prop == "layouts" and operation == "cdist":
        return "inconclusive"
    return "exact" if prop == "layouts" else "rounding"


def _counterexample(dtype: str) -> Counterexample:
    source = f"import torch\nx = torch.tensor([1.5], dtype=torch.{dtype})"
    return Counterexample({"sizes": {"m": 1}}, "m=1, pattern normal", source, "off by 900 ×", "1.5", "1.25", 1)
