"""Verdicts: what a property says of a function, without what follows in a run.

Most of the time of a fault goes into making its counterexample small and explaining it, of which a verdict needs nothing;
the tests of shrinking, of diagnosis and of planted faults look at those.
"""

from __future__ import annotations

from harness.declare.implementation import implementation_of
from harness.declare.operation import Operation
from harness.generate.plan import essential, plan
from harness.verify.cell import Cell
from harness.verify.exploration import Exploration, explore
from harness.verify.suite import every_property

PROPERTIES = {prop.name: prop for prop in every_property()}


def cell_of(name: str, operation: Operation, function, dtype: str = "float64", backend: str = "torch") -> Cell:
    """The cell of a property, by its name, and of a function as an implementation of the operation."""
    made = implementation_of(operation.name, operation.signature, function, backend)
    return Cell(PROPERTIES[name], operation, made, "cpu", dtype)


def explored(
    name: str, operation: Operation, function, dtype: str = "float64", examples: int = 48, seed: int = 0
) -> Exploration:
    """What a run would find on as many cases: the same plan, with every essential case where it asks for agreement."""
    fewest = len(essential(operation, seed)) if name == "agreement" else 1
    return explore(cell_of(name, operation, function, dtype), plan(operation, max(examples, fewest), seed))
