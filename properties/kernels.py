"""Kernels: what they do to memory, as far as every access is seen, which it is in Triton's interpreter."""

import harness


def is_watched(operation, implementation):
    return implementation.backend.watched


@harness.property(declared=is_watched, at_every_size=True)
def kernel_accesses(implementation, case):
    """Kernels load and store within their tensors, and no program's part depends on when another one runs."""
    found = harness.kernel_accesses(implementation, case)
    yield harness.holds("nothing is stored outside of the tensors of a kernel", not found.of("store"), case)
    yield harness.holds("nothing outside of the tensors of a kernel reaches the result", not found.reaching, case)
    yield harness.holds("nothing depends on which program of a launch comes first", not found.of("race"), case)
