"""The process that describes a case over which a worker died: in words, as Python, and as a script.

It imports the file that declares the operation, as the worker did, and calls nothing that is in it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from harness.candidates import candidates
from harness.catalogue import catalogue
from harness.engine.last_case import MARK
from harness.explain.evidence import Evidence
from harness.explain.literal import literal
from harness.explain.script import of_the_end
from harness.generate.case import Case
from harness.measure.verdict import Judgement, Verdict
from harness.verify.cell import Cell
from harness.verify.exploration import Finding
from harness.verify.suite import every_property


def described(
    record: dict[str, Any], reason: str, cell: dict[str, Any], candidates_file: str, limit: float
) -> dict[str, str]:
    """The summary, source and script of a case that ended its process."""
    operations, made = dict(catalogue()), {}
    if candidates_file:
        brought = candidates(Path(candidates_file))
        operations |= {operation.name: operation for operation in brought.operations}
        made = {each.key: each for each in brought.implementations}
    operation = operations[cell["operation"]]
    key = f"{cell['operation']}/{cell['implementation']}"
    implementation = made.get(key) or operation.find(cell["implementation"])
    case = Case.rebuild({**record, "device": "cpu"}, operations)
    prop = next(each for each in every_property() if each.name == cell["prop"])
    finding = Finding(case, Judgement(Verdict.ERROR, float("inf"), reason=reason))
    asked = Cell(prop, operation, implementation, "cpu", cell["dtype"])
    return {
        "summary": case.replace(device=record["device"]).describe(),
        "source": literal(case),
        "script": of_the_end(Evidence(asked, finding), limit),
    }


if __name__ == "__main__":
    orders = json.load(sys.stdin)
    told = described(orders["record"], orders["reason"], orders["cell"], orders["candidates"], orders["limit"])
    print(MARK + json.dumps(told), end="")
