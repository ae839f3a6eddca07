"""A computation in a lower precision than asked."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

from harness.explain.cause import Observed, cause
from harness.explain.scene import Scene
from harness.generate.case import DTYPES, Case
from harness.measure.comparison import against
from harness.measure.reference import reference, reference_of

_LOWER = {"float64": ("float32", "bfloat16", "float16"), "float32": ("bfloat16", "float16")}

_LEAST = 0.02
"""Units of the lower precision from which an error, in the middle of the cases, can be its rounding."""


@cause
def lower_precision(scene: Scene) -> Iterator[Observed]:
    """The result is right to the digits of a lower precision, and the error looks like its rounding."""
    for dtype in _LOWER.get(scene.case.dtype, ()) if scene.agrees else ():
        told = [judged for case in scene.falling if (judged := _judged_at(scene, case, dtype)) is not None]
        scores = [score for score, _ in told]
        within = all(score <= allowed for score, allowed in told)
        if told and within and _LEAST <= float(np.median(scores)) and _is_scattered(scene):
            yield Observed(
                f"it computes in {dtype} where {scene.case.dtype} is asked",
                f"on {len(told)} of {len(told)} cases the error is within {dtype}'s rounding, and goes up in some "
                "entries and down in others, as rounding does",
            )
            return


def _judged_at(scene: Scene, case: Case, dtype: str) -> tuple[float, float] | None:
    """The error in units of a lower precision's u and what it allows, None where that can't be told."""
    lower = case.replace(dtype=dtype)
    results = scene.results(case)
    if results is None:
        return None
    told = [each for each in against(reference_of(case.plain_call(), lower), results, lower) if each.is_informative]
    return max(((each.score, each.allowance) for each in told), default=None)


def _is_scattered(scene: Scene) -> bool:
    """Whether most entries are off, some up and some down: those of a wrong factor all point one way."""
    signs: list[float] = []
    entries = 0
    for case in scene.falling:
        for actual, part in zip(scene.results(case) or (), reference(case).parts, strict=False):
            wide = torch.as_tensor(np.asarray(part.expected, dtype=np.float64))
            error = (actual.detach().cpu().double() - wide) * wide.sign()
            spread = torch.finfo(DTYPES[case.dtype]).eps * wide.abs()
            entries += error.numel()
            signs += error[error.abs() > 8 * spread].sign().reshape(-1).tolist()
    return len(signs) >= max(8, entries / 2) and abs(float(np.mean(signs))) < 0.8
