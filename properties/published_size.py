"""The published size: what the authors of a collection of problems ask of an implementation, at their own sizes."""

import math

import torch

import harness

TOLERANCE = 1e-2
"""Absolute and relative, as KernelBench has them for float32."""

MOST_ENTRIES = 2**26
"""Entries of arguments and results up to which it is asked."""


def is_published(operation):
    return bool(operation.published)


def at_the_published_size(case):
    """One case of that size."""
    if case.turn == 0:
        yield case.replace(sizes={**case.sizes, **case.operation.published}, pattern="normal")


@harness.property(requires=is_published, variants=at_the_published_size, dtypes=("float32",))
def published_size(implementation, case):
    """At the published size the results are within 1e-2 of the reference's in float32, which is all that KernelBench asks."""
    entries = case.entries + sum(math.prod(each.shape(case.known)) for each in case.operation.results)
    if entries > MOST_ENTRIES:
        raise harness.Unsupported(f"the published size has {entries} entries, and {MOST_ENTRIES} are asked at most")
    reference = harness.Subject(case.operation, case.operation.own)
    for actual, expected in zip(implementation(case), reference(case), strict=True):
        close = torch.allclose(actual, expected, rtol=TOLERANCE, atol=TOLERANCE)
        yield harness.holds("the result is what KernelBench accepts at the published size", close, case)
