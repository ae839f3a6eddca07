"""Of the device: what PyTorch's own operators do wrong there, and what is wrong there alone."""

from __future__ import annotations

from dataclasses import replace

from harness.declare.devices import device_named
from harness.explain.beside_the_cpu import fails_on_the_cpu, guilty_operators
from harness.explain.circumstances import circumstances, in_words
from harness.explain.diagnosis import Diagnosis
from harness.explain.neighbourhood import FaultNeighbourhood
from harness.verify.cell import Cell
from harness.verify.finding import Finding


def of_an_operator(fault: FaultNeighbourhood) -> Diagnosis | None:
    """The operator that gives something else on the device than on the CPU in every failing case: then it is no fault of who calls it."""
    if device_named(fault.cell.device).is_cpu:
        return None
    found = guilty_operators(fault.cell, fault.failing)
    if not found:
        return None
    told, _ = found.most_common(1)[0]
    others = sorted({*found} - {told})
    sentence = "; or ".join((told, *others))
    where = in_words(circumstances(fault))
    return Diagnosis(
        sentence, f"on {found.total()} of {found.total()} cases", "operator of the device", where, proven=True
    )


def operator_of_the_device(cell: Cell, finding: Finding) -> Diagnosis | None:
    """The operator that gives something else on the device than on the CPU in the case of a finding; None where none does."""
    found = guilty_operators(cell, () if device_named(cell.device).is_cpu else (finding.case,))
    return Diagnosis(next(iter(found)), "in this case", "operator of the device", proven=True) if found else None


def of_one_device(fault: FaultNeighbourhood, found: Diagnosis) -> Diagnosis:
    """A diagnosis that says so where the implementation is right on the CPU."""
    device = fault.cell.device
    if device_named(device).is_cpu or fails_on_the_cpu(fault) is not False:
        return found
    return replace(found, sentence=f"on {device}, and not on the CPU: {found.sentence}")
