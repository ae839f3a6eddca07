"""Entries that are wrong by their place: the first, the last, the border, from one entry on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.explain.cause import Observed, cause
from harness.explain.causes.arguments import Place
from harness.explain.neighbourhood import FaultNeighbourhood
from harness.generate.case import Case
from harness.measure.arrays import as_array
from harness.measure.assertions import close
from harness.measure.reference import reference

Places = NDArray[np.int64]


@cause
def only_some_entries(fault: FaultNeighbourhood) -> Iterator[Observed]:
    """Only the entries at certain places along an axis are wrong."""
    if not fault.agrees or fault.kind:
        return
    for index, domain in enumerate(fault.operation.results):
        wrong = [(mask, case) for case in fault.failing if (mask := wrong_entries(fault, case, index)) is not None]
        wrong = [(mask, case) for mask, case in wrong if mask.any()]
        if not wrong:
            continue
        last_two = [axis.text for axis in domain.axes(fault.case.options)[-2:]]
        if "batch" not in last_two and _on_the_border(wrong):
            yield Observed(
                "only the border is wrong", f"on {len(wrong)} of {len(wrong)} cases all entries inside are right"
            )
            return
        for position, axis in enumerate(domain.axes(fault.case.options)):
            places = [(mask, Place(position, axis.text).among(domain.axes(case.options))) for mask, case in wrong]
            along = [(np.unique(np.nonzero(mask)[at]), mask.shape[at]) for mask, at in places if at is not None]
            sentence = _place(along)
            if sentence and sum(size > 1 for _, size in along) >= max(3, len(along) // 5):
                which = "" if len(fault.operation.results) == 1 else f" of result {index}"
                yield Observed(
                    f"only {sentence} along {axis.text}{which} {'are' if 'entries' in sentence else 'is'} wrong",
                    f"on {len(wrong)} of {len(wrong)} cases all other entries are right",
                )
                return


def wrong_entries(fault: FaultNeighbourhood, case: Case, index: int) -> NDArray[np.bool_] | None:
    """Which entries of a result are farther off than their sample's rounding explains; None without a result."""
    results = fault.results(case)
    if results is None:
        return None
    part = reference(case).parts[index]
    told = close("", results[index], part.expected, case, like=part)
    if part.axis is not None and not told.informative.all():
        return None
    with np.errstate(all="ignore"):
        distance = np.abs(as_array(results[index]).astype(np.float64) - np.asarray(part.expected, dtype=np.float64))
    unit: Any = part.noise_floor if part.axis is not None else part.noise_floor.reshape(())
    shape = [-1 if at == part.axis else 1 for at in range(distance.ndim)]
    limit = np.reshape(unit, shape) if part.axis is not None else unit
    wrong: NDArray[np.bool_] = ~(distance <= limit * told.allowance)
    return wrong & ~(np.isnan(as_array(results[index])) & np.isnan(part.expected))


def _place(along: list[tuple[Places, int]]) -> str:
    """What the places of wrong entries have in common, given with the size of the axis; empty where nothing."""
    told = [(places, size) for places, size in along if size > 1]
    if not told or all(len(places) == size for places, size in told):
        return ""
    common = (words for words, fits in PLACES.items() if all(fits(places, size) for places, size in told))
    starts = {int(places.min()) for places, _ in told}
    several = any(len(places) > 1 for places, _ in told)
    if (words := next(common, "")) and (several or words in SINGLE):
        return words
    return f"the entries from {starts.pop()} on" if len(starts) == 1 and min(starts) > 0 else ""


SINGLE = ("the last entry", "the first entry")

PLACES: dict[str, Callable[[Places, int], bool]] = {
    "the last entry": lambda places, size: list(places) == [size - 1],
    "the first entry": lambda places, size: list(places) == [0],
    "the first and last entries": lambda places, size: set(places) <= {0, size - 1},
    "the odd entries": lambda places, size: bool((places % 2 == 1).all()),
    "the even entries": lambda places, size: bool((places % 2 == 0).all()),
    "the entries after the first": lambda places, size: len(places) == size - 1 and places[0] == 1,
}


def _on_the_border(wrong: list[tuple[NDArray[np.bool_], Case]]) -> bool:
    """Whether every wrong entry lies within a few entries of the border of the last two axes, and many there on all sides."""
    masks = [mask for mask, _ in wrong if mask.ndim >= 2 and min(mask.shape[-2:]) > 2]
    width = next((w for w in _WIDTHS if not any(mask[..., w:-w, w:-w].any() for mask in masks)), None)
    inside = sum(min(mask.shape[-2:]) > 2 * width for mask in masks) if width else 0
    sides = (np.s_[..., 0, :], np.s_[..., -1, :], np.s_[..., :, 0], np.s_[..., :, -1])
    usual = all(sum(float(mask[side].mean()) for mask in masks) >= len(masks) / 4 for side in sides)
    return inside >= 3 and usual


_WIDTHS = (1, 2, 3)
