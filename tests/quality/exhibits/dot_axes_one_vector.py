"""Rows of every sample multiplied with a single vector, as if a2 = [1, 2, 3, 4] stood for a batch of one.

Verdict: wrong
Property: agreement

Dot takes a vector for every sample (claims contraction.vector-shape, contraction.batches). Whoever drops the batch axis
of b multiplies all samples with the first one's vector; with equal vectors, as in the answer, nothing shows.
"""

from harness.operations.contraction import check_batches, dot_axes_vector


@dot_axes_vector.implementation(backend="torch")
def first_vector(a, b):
    """Every row times the first sample's vector."""
    check_batches(a, b)
    return a @ b[0] if len(b) else a.sum(2)
