"""The domains that may stand beside an annotation (see harness.declare.domains, .matrices, .ranges and .constraint)."""

from harness.declare.constraint import symmetric
from harness.declare.domains import (
    among,
    below,
    increasing,
    lengths,
    mask,
    offsets,
    one_hot,
    permutation,
    probabilities,
)
from harness.declare.matrices import full_rank, orthonormal, positive_definite, rank_deficient
from harness.declare.ranges import nonnegative, positive, within

__all__ = [
    "among",
    "below",
    "full_rank",
    "increasing",
    "lengths",
    "mask",
    "nonnegative",
    "offsets",
    "one_hot",
    "orthonormal",
    "permutation",
    "positive",
    "positive_definite",
    "probabilities",
    "rank_deficient",
    "symmetric",
    "within",
]
