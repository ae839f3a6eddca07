"""The calibration of the measure of error: `python -m tests.quality.calibration`, or `tox -e calibration`.

Asks every implementation of the catalogue, all of them held to be correct, on many random cases, and counts how often
one is called wrong. Then multiplies right results by 1 + δ and finds the smallest δ that is noticed, and the smallest
that is called wrong. Writes docs/calibration.md, and the figures that every report tells.
"""

import dataclasses
import os
import statistics
import sys
import time
from collections import Counter, defaultdict
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import count
from pathlib import Path

import torch

from harness.catalogue import catalogue
from harness.execute.outcome import without_asking
from harness.generate.plan import fresh, plan
from harness.generate.precision import PRECISIONS
from harness.measure.verdict import Verdict
from harness.report.calibration import Alarms, Calibration, Caught, save_calibration
from harness.verify.cell import Cell, cells
from harness.verify.exploration import explore
from harness.verify.suite import every_property

WANTED = int(os.environ.get("CALIBRATION_CASES", "110000"))
"""Cases of torch and numpy implementations, and as many again of other people's libraries."""

PAGE = Path(__file__).parents[2] / "docs" / "calibration.md"
_CASES_AT_ONCE = 64
_EXPONENTS = range(56, 0, -1)


def agreement_cells(operation_name):
    """The cells of agreement of an operation, the definition's own left out, since it might be unstable itself."""
    agreement = next(prop for prop in every_property() if prop.name == "agreement")
    found = cells(agreement, [catalogue()[operation_name]], None, ["cpu"])
    return [cell for cell in found if cell.implementation.name != "definition"]


def is_outside(cell):
    """Whether the implementation is another library's than torch's and numpy's."""
    return cell.implementation.backend.name not in ("torch", "numpy")


def is_known(cell, verdict):
    """Whether such a finding is known of somebody else's code."""
    return bool(without_asking(cell, verdict, "").known)


def false_alarms(operation_name, outside, wanted, first=1000, at_once=_CASES_AT_ONCE):
    """Verdicts of `wanted` cases of an operation by dtype, and the scores over their allowance, worst last.

    first: the first seed; at_once: cases drawn from a seed.
    """
    asked = [cell for cell in agreement_cells(operation_name) if is_outside(cell) is outside]
    tally, scores, wrong = defaultdict(Counter), defaultdict(list), []
    done = 0
    for seed in count(first):
        cases = plan(catalogue()[operation_name], at_once, seed)
        for cell in asked:
            found = explore(cell, cases, fresh=fresh(cell.operation, seed))
            if is_known(cell, found.verdict):
                continue
            tally[cell.dtype].update({verdict.value: number for verdict, number in found.tally.items()})
            scores[cell.dtype].extend(found.scores)
            done += len(found.scores)
            if found.verdict.failing:
                wrong.append((cell.id, found.worst.case.describe(), found.worst.judgement.reason))
        if done >= wanted or not asked:
            return operation_name, dict(tally), {dtype: sorted(values) for dtype, values in scores.items()}, wrong
    raise AssertionError("count() does not end")


def _everywhere(part, factor):
    return part * factor


def _in_the_last(part, factor):
    made = part.clone()
    made[..., -1:] *= factor
    return made


def _in_one_of_eight(part, factor):
    made = part.clone()
    made[5::8] *= factor
    return made


PLANTED = {
    "everywhere": _everywhere,
    "in the last entry of the last axis": _in_the_last,
    "in one sample of eight (along the first axis)": _in_one_of_eight,
}
"""Where a relative error is planted."""


def smallest_caught(operation_name, where):
    """By dtype: the smallest δ = 2^-k that is noticed (not called rounding), and that is called wrong."""
    caught = {}
    of_torch_first = sorted(
        agreement_cells(operation_name), key=lambda cell: cell.implementation.backend.name != "torch"
    )
    for cell in of_torch_first:
        if cell.implementation.backend.name not in ("torch", "numpy", "scipy") or cell.dtype in caught:
            continue
        right = _explored(cell)
        if right.verdict.severity > Verdict.ROUNDING.severity:
            continue  # an implementation that is unstable by itself would be noticed without a fault
        if 2 * right.comparisons < _CASES_AT_ONCE:
            continue  # one that declines most cases is asked too little for its operation to be judged by it
        noticed = _first(cell, Verdict.UNSTABLE, where)
        if noticed is not None:
            caught[cell.dtype] = (2.0**-noticed, _power(_first(cell, Verdict.WRONG, where)))
    return operation_name, caught


def _first(cell, verdict, where):
    """The largest k for which a factor of 1 + 2^-k gets at least this verdict, by bisection."""
    low, high = 0, max(_EXPONENTS)
    if _verdict_of(cell, low + 1, where).severity < verdict.severity:
        return None
    low = 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _verdict_of(cell, middle, where).severity >= verdict.severity else (low, middle)
    return low


def _verdict_of(cell, exponent, where):
    def scaled(*args, **kwargs):
        result = cell.implementation.function(*args, **kwargs)
        parts = map(torch.as_tensor, result if isinstance(result, tuple) else (result,))
        made = tuple(
            PLANTED[where](part.double(), 1 + 2.0**-exponent).to(part.dtype) if part.ndim else part for part in parts
        )
        return made if isinstance(result, tuple) else made[0]

    faulty = dataclasses.replace(cell.implementation, function=scaled)
    return _explored(Cell(cell.prop, cell.operation, faulty, cell.device, cell.dtype)).verdict


def _explored(cell):
    return explore(cell, plan(cell.operation, _CASES_AT_ONCE, 0), fresh=fresh(cell.operation, 0))


def _power(exponent):
    return None if exponent is None else 2.0**-exponent


def main():
    """Print and write the figures; exit 1 where a correct implementation was called wrong."""
    began = time.perf_counter()
    names = list(catalogue())
    inexact = [name for name, operation in catalogue().items() if not operation.exact]
    with ProcessPoolExecutor(initializer=torch.set_num_threads, initargs=(1,)) as pool:
        own, others = (list(_all_alarms(pool, names, outside)) for outside in (False, True))
        caught = {where: list(pool.map(partial(smallest_caught, where=where), inexact)) for where in PLANTED}
    alarms = [*own, *others]
    groups = {"torch and numpy": own, "other libraries, outside the known findings": others}
    tables = (
        *(_alarm_table(whose, found) for whose, found in groups.items()),
        *(_caught_table(where, found) for where, found in caught.items()),
    )
    page = "\n".join(line for table in tables for line in (*table, ""))
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(_HEAD + page)
    save_calibration(
        Calibration([_told(whose, found) for whose, found in groups.items()], list(_smallest(caught["everywhere"])))
    )
    print(page)
    wrong = [each for _, _, _, found in alarms for each in found]
    for each in wrong:
        print("called wrong:", *each, sep="\n  ")
    print(f"{time.perf_counter() - began:.0f} s")
    return 1 if wrong else 0


def _all_alarms(pool, names, outside):
    """The false alarms of every operation that has such implementations, with even shares of the cases."""
    served = [name for name in names if any(is_outside(cell) is outside for cell in agreement_cells(name))]
    share = WANTED // len(served) + 1
    return pool.map(false_alarms, served, [outside] * len(served), [share] * len(served))


_HEAD = """# Calibration of the measure of error

Written by `tox -e calibration`; regenerate it there rather than editing it here. Scores are errors in multiples of
the noise floor; 32 are allowed, more for long axes (`harness/measure/comparison.py`).

"""


def _told(whose, alarms):
    verdicts = sum((verdicts for _, found, _, _ in alarms for verdicts in found.values()), Counter())
    cases = sum(len(values) for _, _, found, _ in alarms for values in found.values())
    return Alarms(whose, len(alarms), cases, sum(verdicts[each.value] for each in Verdict if each.failing))


def _smallest(caught):
    """The smallest planted relative errors by dtype, where any operation shows them."""
    for dtype, precision in PRECISIONS.items():
        pairs = [found[dtype] for _, found in caught if dtype in found]
        if pairs:
            noticed, wrong = [pair[0] for pair in pairs], [pair[1] for pair in pairs if pair[1] is not None]
            figures = (statistics.median(noticed), max(noticed), statistics.median(wrong), max(wrong))
            yield Caught(dtype, precision.eps, *figures)


def _alarm_table(whose, alarms):
    tally, scores = defaultdict(Counter), defaultdict(list)
    for _, found, values, _ in alarms:
        for dtype, verdicts in found.items():
            tally[dtype].update(verdicts)
            scores[dtype].extend(values[dtype])
    told = _told(whose, alarms)
    yield f"## False alarms: {whose}"
    yield ""
    yield f"**{told.cases:,} cases** over {told.operations} operations, correct implementations: **{told.wrong} called wrong**."
    yield ""
    yield "| dtype | cases | exact | rounding | unstable | wrong or error | inconclusive | median score | 99.9 % | largest not unstable |"
    yield "|---|---|---|---|---|---|---|---|---|---|"
    for dtype in PRECISIONS:
        values, verdicts = sorted(scores[dtype]), tally[dtype]
        if values:
            calm = values[: len(values) - verdicts["unstable"]]
            columns = [len(values), *(verdicts[name] for name in ("exact", "rounding", "unstable"))]
            columns += [verdicts["wrong"] + verdicts["error"], verdicts["inconclusive"]]
            shown = [f"{statistics.median(values):.2g}", f"{values[int(len(values) * 0.999)]:.2g}", f"{calm[-1]:.2g}"]
            yield f"| {dtype} | " + " | ".join([*(f"{column:,}" for column in columns), *shown]) + " |"


def _caught_table(where, caught):
    yield f"## Smallest planted relative error that is caught, {where}"
    yield ""
    yield "A right result times 1 + δ there, 64 cases; the median over operations, and the operation that hides it best."
    yield ""
    yield "| dtype | eps | noticed, median | noticed in every operation | called wrong, median | called wrong in every operation |"
    yield "|---|---|---|---|---|---|"
    for each in _smallest(caught):
        shown = (each.noticed, each.everywhere, each.wrong, each.wrong_everywhere)
        yield f"| {each.dtype} | {each.eps:.1e} | " + " | ".join(f"{value:.1e}" for value in shown) + " |"


if __name__ == "__main__":
    sys.exit(main())
