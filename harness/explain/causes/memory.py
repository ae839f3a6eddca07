"""What outlives a call: results that depend on earlier ones, arguments that are written to."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from harness.errors import Unsupported
from harness.explain.cause import Observed, cause
from harness.explain.scene import Scene
from harness.generate.case import Case
from harness.verify.subject import ImplementationFault, Results

_CASES = 12


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
def earlier_calls(scene: Scene) -> Iterator[Observed]:
    """The same call gives another result after another call."""
    cases = (scene.falling + scene.holding)[:_CASES]
    pairs = [(case, case.another(3)) for case in cases]
    depends = 0
    for case, other in pairs:
        first = _called(scene, case)
        _called(scene, other)
        depends += not _same(first, _called(scene, case))
    stale = sum(_same(_called(scene, case), _called(scene, other)) for case, other in pairs if case.entries)
    if depends:
        yield Observed(
            "its result depends on earlier calls",
            f"on {depends} of {len(pairs)} cases the same call gave other bits after a call with other values",
        )
    elif stale and stale == len(pairs) and not any(_same_oracle(case, other) for case, other in pairs):
        yield Observed(
            "it gives the result of an earlier call of the same form",
            f"on {stale} of {len(pairs)} cases calls with other values gave the same bits",
        )


def _same_oracle(case: Case, other: Case) -> bool:
    return all(torch.equal(case.tensors[name], other.tensors[name]) for name in case.tensors)


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
    if written and not scene.agrees:
        names = " and ".join(written)
        yield Observed(
            f"it writes to its argument {names}",
            f"on {max(written.values())} of {len(cases)} cases {names} had other values after the call",
        )
