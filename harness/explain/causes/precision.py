"""A computation in a lower precision than asked."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

from harness.explain.cause import Observed, cause
from harness.explain.scene import Scene
from harness.generate.case import DTYPES, Case
from harness.measure.comparison import against
from harness.measure.reference import reference

_LOWER = {"float64": ("float32", "bfloat16", "float16"), "float32": ("bfloat16", "float16")}

_LEAST = 1e-2
"""Units of the lower precision from which an error can be its rounding; a fault far below it is something else."""


@cause
def lower_precision(scene: Scene) -> Iterator[Observed]:
    """The result is right to the digits of a lower precision, and the error looks like its rounding."""
    for dtype in _LOWER.get(scene.case.dtype, ()) if scene.agrees else ():
        scores = [score for case in scene.falling if (score := _score_at(scene, case, dtype)) is not None]
        if scores and max(scores) <= 1 and _LEAST <= float(np.median(scores)) and _is_scattered(scene):
            yield Observed(
                f"it computes in {dtype} where {scene.case.dtype} is asked",
                f"on {len(scores)} of {len(scores)} cases the error is within {dtype}'s rounding, and changes its "
                "direction from entry to entry as rounding does",
            )
            return


def _score_at(scene: Scene, case: Case, dtype: str) -> float | None:
    """The error over what a lower precision's rounding may cause, None where that can't be told."""
    lower = case.replace(dtype=dtype, grid=case.grid or case.dtype)
    results = scene.results(case)
    if results is None:
        return None
    told = [each for each in against(reference(lower), results, lower) if each.is_informative]
    return max((each.score / each.allowance for each in told), default=None)


def _is_scattered(scene: Scene) -> bool:
    """Whether errors point either way: those of a wrong factor all point along the result or against it."""
    signs: list[float] = []
    for case in scene.falling:
        for actual, part in zip(scene.results(case) or (), reference(case).parts, strict=False):
            wide = torch.as_tensor(np.asarray(part.expected, dtype=np.float64))
            error = (actual.detach().cpu().double() - wide) * wide.sign()
            spread = torch.finfo(DTYPES[case.dtype]).eps * wide.abs()
            signs += error[error.abs() > 8 * spread].sign().reshape(-1).tolist()
    return len(signs) >= 8 and abs(float(np.mean(signs))) < 0.8
