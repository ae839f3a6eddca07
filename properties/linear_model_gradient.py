"""Gradient of a linear model: it is that of half the mean squared error, and 0 at the least squares solution.

Sources: docs/sources.md#gradient-of-a-linear-model.
"""

import numpy as np
import torch

import harness

_PARAMETERS = ("W", "b")


def _cost(x, W, b, y):
    """Half the mean squared error, in long double."""
    return np.square(x @ W + b - y).sum() / (2 * len(y))


@harness.property(of="linear_model_gradient")
def slope_of_the_cost(implementation, case):
    """The gradient is the slope of Σ (xW + b − y)²/(2n) (claims gradient.weights, gradient.bias).

    A cost of second degree has the slope of its chord between any two points that lie to either side: those at −1 and
    1 are taken, in long double.
    """
    values = {name: harness.as_array(tensor).astype(np.longdouble) for name, tensor in case.tensors.items()}
    parts = harness.reference(case).parts
    for index, (name, found) in enumerate(zip(_PARAMETERS, implementation(case), strict=True)):
        steps = np.eye(len(values[name]), dtype=np.longdouble)
        ends = [[_cost(**{**values, name: values[name] + s}) for s in side] for side in (steps, -steps)]
        slopes = (np.array(ends[0]) - np.array(ends[1])) / 2
        yield harness.close(f"slope in {name}", found, slopes, case, like=parts[index], both_rounded=True)


@harness.property(of="linear_model_gradient")
def zero_at_the_solution(implementation, case):
    """At the least squares solution the gradient is 0, but for the rounding of the solution (claim gradient.solution)."""
    call = case.call()
    x, y = (harness.as_array(call.arguments[name]) for name in ("x", "y"))
    design = np.concatenate([x, np.ones_like(x[:, :1])], axis=1)
    solution = torch.from_numpy(np.linalg.lstsq(design, y, rcond=None)[0]).to(call.arguments["W"])
    there = call.replace(W=solution[:-1], b=solution[-1:])
    for name, found, part in zip(_PARAMETERS, implementation(there), harness.reference(case, there).parts, strict=True):
        told = harness.ExpectedTensor(part.expected, part.axis, part.noise_floor, np.isfinite(part.noise_floor))
        yield harness.close(
            f"gradient in {name}", found, np.zeros_like(part.expected), case, like=told, both_rounded=True
        )


@harness.property(of="linear_model_gradient")
def repeated_samples(implementation, case):
    """Every sample twice gives the same gradient: it is a mean, not a sum."""
    call = case.call()
    x, y = call.arguments["x"], call.arguments["y"]
    doubled = call.replace(x=torch.cat([x, x]), y=torch.cat([y, y]))
    again, once = implementation(doubled), implementation(call)
    parts = harness.reference(case).parts
    for name, there, here, part in zip(_PARAMETERS, again, once, parts, strict=True):
        yield harness.close(f"gradient in {name} of samples twice", there, here, case, like=part, both_rounded=True)
