"""Gradients: autograd through an implementation gives the definition's gradients."""

import harness
from harness.measure.gradient import gradient_reference

SMOOTH = ("normal", "offset", "magnitudes", "dominant")


def is_differentiable(operation):
    return operation.differentiable


def smooth_values(case):
    """The case with values that have no ties and no zeros, where a gradient would be a matter of convention."""
    yield case if case.pattern in SMOOTH else case.replace(pattern=SMOOTH[case.seed % len(SMOOTH)])


@harness.property(requires=is_differentiable, variants=smooth_values, at_every_size=True)
def gradients(implementation, case):
    """The gradient in every float argument is the oracle's, within rounding."""
    _, found = implementation.gradients(case)
    for (name, gradient), part in zip(found.items(), gradient_reference(case).parts, strict=True):
        yield harness.compare(f"gradient in {name}", gradient, part.expected, case, part, twice=True)
