"""Which argument's layout of memory matters: laid out alone, the others in memory of their own."""

from __future__ import annotations

from collections.abc import Iterator

from harness.errors import Unsupported
from harness.explain.cause import Observed, cause
from harness.explain.neighbourhood import FaultNeighbourhood
from harness.generate.case import Case
from harness.generate.layouts import LAYOUTS
from harness.measure.assertions import all_close
from harness.measure.reference import reference
from harness.verify.subject import ImplementationFault

_CASES, _FEWEST = 24, 3


@cause
def layout_of_one(fault: FaultNeighbourhood) -> Iterator[Observed]:
    """A result is right where all arguments have memory of their own, and wrong where one of them alone lies otherwise."""
    cases = [case for case in fault.failing if case.layout in LAYOUTS and case.layout != "contiguous"][:_CASES]
    if not fault.agrees or len(cases) < min(_FEWEST, len(fault.failing)):
        return
    if len(fault.case.given) < 2 and not all(map(_is_contiguous, cases)):
        return  # of one argument alone, the circumstances say as much
    if any(_wrong(fault, case, ()) for case in cases):
        return
    names = [name for name in fault.case.given if sum(_wrong(fault, case, (name,)) for case in cases) >= 1]
    if names:
        each, which = sum(_wrong(fault, case, tuple(names)) for case in cases), " and ".join(names)
        misread = f"misreads {which} where {'it is' if len(names) == 1 else 'they are'} not contiguous in memory"
        outside = f"reads memory outside its argument{'s' * (len(names) > 1)} {which}"
        yield Observed(
            f"it {outside if all(map(_is_contiguous, cases)) else misread}",
            f"on {each} of {len(cases)} cases with {which} alone in that layout, and on none without",
        )


def _is_contiguous(case: Case) -> bool:
    """Whether its layout leaves one entry next to the other, amid others."""
    return all(tensor.is_contiguous() for tensor in case.call().arguments.values())


def _wrong(fault: FaultNeighbourhood, case: Case, names: tuple[str, ...]) -> bool:
    """Whether a case is wrong with these arguments in its layout, and the others contiguous."""
    call = case.plain_call().fresh()
    laid = {name: LAYOUTS[case.layout](call.arguments[name]) for name in names}
    try:
        return not all(
            each.within
            for each in all_close("against the oracle", fault.subject(call.replace(**laid)), reference(case), case)
        )
    except (ImplementationFault, Unsupported):
        return False
