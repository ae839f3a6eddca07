"""Memory layouts: the same values in another order of memory give the same result."""

import harness


def two_layouts(case):
    """Two of the layouts in turn, so that a plan's cases meet all of them."""
    words = harness.layouts_for(case.axes)
    for second in (0, 1):
        yield case.replace(layout=words[(2 * case.turn + second) % len(words)])


@harness.property(variants=two_layouts)
def layouts(implementation, case):
    """Transposed, sliced, strided, channels-last, expanded and reversed arguments give what contiguous ones give.

    So does memory for the result that lies so, where an implementation is given some; nothing outside it is written.
    """
    here, plain = implementation(case), implementation(case.plain_call())
    if implementation.implementation.out:
        yield harness.holds(
            "nothing is written outside the memory for the result", not implementation.wrote_outside, case
        )
    for index, (result, contiguous, part) in enumerate(zip(here, plain, harness.reference(case).parts, strict=True)):
        yield harness.close(
            f"result {index} in layout {case.layout} against contiguous",
            result,
            contiguous,
            case,
            like=part,
            both_rounded=True,
        )
