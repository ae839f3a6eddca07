"""A series cut into M/K windows by reshaping it.

Verdict: error
Property: agreement

M/K is a number of windows only where K divides M, and where none overlap (claim windows.m-over-k): anything else can't
be reshaped, or has other windows.
"""

from harness.operations.windows import sliding_windows


@sliding_windows.implementation(backend="torch")
def pieces(series, size, stride):
    """M/K pieces of K points."""
    return series.reshape(-1, size, series.shape[1])
