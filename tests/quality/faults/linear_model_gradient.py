"""Faults and other ways of the linear model's gradient."""

import numpy as np
import torch

from harness.operations.linear_model_gradient import linear_model_gradient
from tests.quality.planted import correct, fault


@fault(linear_model_gradient, cause="factor of a size", words=("as a sum in place of a mean", "samples"))
def sum_of_squares(y, **given):
    """The cost is not divided by the number of samples."""
    return tuple(gradient * len(y) for gradient in linear_model_gradient(y=y, **given))


@fault(linear_model_gradient, cause="common factor", words="multiplied by -1")
def residuals_the_other_way(**given):
    """y − xW − b for the residuals, whose sign is forgotten."""
    return tuple(-gradient for gradient in linear_model_gradient(**given))


@fault(linear_model_gradient, cause="ignored", words="b is ignored")
def no_bias_in_the_prediction(b, **given):
    """The residuals are those of xW."""
    return linear_model_gradient(b=torch.zeros_like(b), **given)


@fault(linear_model_gradient, cause="circumstances", words="samples ≥ 2")
def predictions_as_a_column(x, W, b, y):
    """Predictions of shape (samples, 1) less targets of shape (samples,) are a table of all differences."""
    r = (x @ W[:, None] + b - y).mean(1) / len(y)
    return r @ x, r.sum(0, keepdim=True)


@fault(linear_model_gradient, cause=("factor of a size", "circumstances"), words="samples")
def bias_gradient_summed(x, W, b, y):
    """The bias has the sum of the residuals where the mean is meant."""
    on_weights, on_bias = linear_model_gradient(x, W, b, y)
    return on_weights, on_bias * len(y)


@fault(linear_model_gradient, cause="one slice for all", words="the last slice of")
def bias_of_the_last_sample(x, W, b, y):
    """A stochastic step on the last sample of the batch."""
    return linear_model_gradient(x[-1:], W, b, y[-1:])


@correct(linear_model_gradient, backend="numpy")
def accumulated(x, W, b, y):
    """Sample after sample."""
    on_weights, on_bias = np.zeros_like(W), np.zeros_like(b)
    for row, target in zip(x, y, strict=True):
        r = (np.dot(row, W) + b - target) / x.dtype.type(len(y))
        on_weights += r * row
        on_bias += r
    return on_weights, on_bias


@correct(linear_model_gradient)
def homogeneous(x, W, b, y):
    """The bias as a weight of inputs that are all 1."""
    design = torch.cat([torch.ones_like(x[:, :1]), x], 1)
    r = torch.cat([-y[:, None], design], 1) @ torch.cat([torch.ones_like(b), b, W])
    both = design.mT @ (r / len(y))
    return both[1:], both[:1]
