"""The process that describes a case over which a worker died: in words, as Python, and as a script.

It imports the file that declares the operation, as the worker did, and calls nothing that is in it.
"""

from __future__ import annotations

from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import msgspec

from harness.candidates import candidates as brought_by
from harness.catalogue import catalogue
from harness.declare.devices import CPU, absent
from harness.execute.last_case import ANSWER
from harness.explain.evidence import Evidence
from harness.explain.literal import literal
from harness.explain.script import of_the_end
from harness.generate.case import Case
from harness.measure.verdict import Judgement, Verdict
from harness.verify.cell import Cell
from harness.verify.finding import Finding
from harness.verify.suite import every_property

_encode = msgspec.json.encode
"""Bound before the file is imported, whatever that does to the standard library's json."""


def described(
    record: dict[str, Any], reason: str, cell: dict[str, Any], candidates: str, limit: float
) -> dict[str, str]:
    """The summary, source and script of a case that ended its process."""
    operations, made = dict(catalogue()), {}
    if candidates:
        brought = brought_by(Path(candidates))
        operations |= {operation.name: operation for operation in brought.operations}
        made = {each.key: each for each in brought.implementations}
    operation = operations[cell["operation"]]
    key = f"{cell['operation']}/{cell['implementation']}"
    implementation = made.get(key) or operation.find(cell["implementation"])
    there = CPU if absent(record["device"]) else record["device"]
    case = Case.rebuild({**record, "device": there}, operations)
    prop = next(each for each in every_property() if each.name == cell["prop"])
    finding = Finding(case, Judgement(Verdict.ERROR, float("inf"), reason=reason))
    asked = Cell(prop, operation, implementation, there, cell["dtype"])
    return {
        "summary": case.replace(device=record["device"]).describe(),
        "source": literal(case),
        "script": of_the_end(Evidence(asked, finding), limit),
    }


def describe(line: Connection, folder: str, **orders: Any) -> None:
    """Leave in a file of the folder what `described` says of the orders."""
    Path(folder, ANSWER).write_bytes(_encode(described(**orders)))
