"""The domains that may stand beside an annotation (see harness.declare.domains and harness.declare.matrices)."""

from harness.declare.domains import below, increasing, lengths, mask, offsets, one_hot, permutation, probabilities
from harness.declare.matrices import full_rank, orthonormal, positive_definite, rank_deficient

__all__ = [
    "below",
    "full_rank",
    "increasing",
    "lengths",
    "mask",
    "offsets",
    "one_hot",
    "orthonormal",
    "permutation",
    "positive_definite",
    "probabilities",
    "rank_deficient",
]
