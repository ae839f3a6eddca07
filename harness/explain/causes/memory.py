"""What outlives a call: results that depend on earlier ones, arguments that are written to."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from harness.errors import Unsupported
from harness.explain.cause import Observed, cause
from harness.explain.scene import Scene
from harness.generate.case import Case
from harness.generate.strategy import fits
from harness.measure.comparison import against
from harness.measure.reference import reference
from harness.verify.subject import ImplementationFault, Results

_CASES = 12

_APART = 5
"""How much larger every size is in a case that nobody asked before."""


def _same(one: Results | None, other: Results | None) -> bool:
    if one is None or other is None:
        return one is other
    return all(
        a.shape == b.shape and torch.equal(a.double().nan_to_num(7), b.double().nan_to_num(7))
        for a, b in zip(one, other, strict=True)
    )


def _called(scene: Scene, case: Case) -> Results | None:
    try:
        return scene.subject(case)
    except (ImplementationFault, Unsupported):
        return None


@cause
def argument_written(scene: Scene) -> Iterator[Observed]:
    """An argument has other values after the call."""
    written: dict[str, int] = {}
    cases = (scene.falling + scene.holding)[:_CASES]
    for case in cases:
        call = case.call()
        before = call.fresh()
        try:
            scene.subject.in_place(call)
        except (ImplementationFault, Unsupported):
            continue
        for name, tensor in call.arguments.items():
            if not _same((tensor,), (before.arguments[name],)):
                written[name] = written.get(name, 0) + 1
    if written and (not scene.agrees or all(case.layout == "expanded" for case in scene.falling)):
        names = " and ".join(written)
        yield Observed(
            f"it writes to its argument {names}",
            f"on {max(written.values())} of {len(cases)} cases {names} had other values after the call",
        )


@cause
def earlier_calls(scene: Scene) -> Iterator[Observed]:
    """A result depends on the calls before it: the same call gives another one, or a new call gives an old one."""
    cases = (scene.falling + scene.holding)[:_CASES]
    depends = sum(_changes(scene, case, case.another(3)) for case in cases)
    if depends:
        yield Observed(
            "its result depends on earlier calls",
            f"on {depends} of {len(cases)} cases the same call gave other bits after a call with other values",
        )
        return
    stale = [shown for case in cases if (shown := _is_stale(scene, _unusual(case))) is not None]
    if stale and all(stale):
        yield Observed(
            "it gives the result of an earlier call of the same form",
            f"on {len(stale)} of {len(stale)} cases a call with new values gave what was right for the values before",
        )


def _changes(scene: Scene, case: Case, other: Case) -> bool:
    first = _called(scene, case)
    _called(scene, other)
    return not _same(first, _called(scene, case))


def _unusual(case: Case) -> Case:
    """A case of sizes that nobody asked before, so that nothing of it is remembered."""
    bounds = case.operation.sizes
    sizes = {name: min(size + _APART, bounds[name][1]) for name, size in case.sizes.items()}
    grown = case.replace(sizes=sizes, values={})
    return grown if fits(grown) else case


def _is_stale(scene: Scene, case: Case) -> bool | None:
    """Whether the second of two calls gives what is right for the first alone; None where the two can't be told apart."""
    other = case.another(3)
    first, second = _called(scene, case), _called(scene, other)
    if first is None or second is None:
        return None
    was, should_be = _agrees(first, case), _agrees(second, other)
    return _agrees(second, case) if was and not should_be else None if was and should_be else False


def _agrees(results: Results, case: Case) -> bool:
    return all(each.bitwise or each.score <= each.allowance for each in against(reference(case), results, case))
