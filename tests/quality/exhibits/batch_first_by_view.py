"""A sequence made batch first by view.

Verdict: wrong
Property: agreement

view keeps the entries in their order in memory and gives the axes other lengths, so that steps of different samples end
up in one (claim windows.view). The shape is right, which is why nobody notices.
"""

from harness.operations.windows import to_batch_first


@to_batch_first.implementation(backend="torch")
def viewed(x):
    """The right shape, and the wrong entries in it."""
    return x.contiguous().view(x.shape[1], x.shape[0], x.shape[2])
