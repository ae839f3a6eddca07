"""Faults and other ways of training on sequences."""

import numpy as np
import torch

from harness.operations.sequence_training import sequence_loss, sequence_training
from tests.quality.planted import correct, fault

_RATE = 2.0**-5


def _states(x, h, w_ih, w_hh, b, handed_on=lambda h: h):
    states = []
    for item in x:
        h = torch.tanh(item @ w_ih.T + b + handed_on(h) @ w_hh.T)
        states.append(h)
    return torch.stack(states)


@fault(sequence_loss, cause="factor of a size", words=("1/n", "time"))
def mean_over_time(x, **given):
    """The mean of the items' losses."""
    return sequence_loss(x=x, **given) / len(x)


@fault(sequence_loss, cause=("samples leak", "only some entries"), words="batch")
def state_not_reset(x, targets, h0, w_ih, w_hh, b):
    """Sample after sample; only the first one begins with its own state."""
    h, losses = None, []
    for sample in range(len(h0)):
        states = _states(x[:, sample], h0[sample] if h is None else h, w_ih, w_hh, b)
        h = states[-1]
        losses.append((states - targets[:, sample]).square().sum())
    return torch.stack(losses) if losses else h0.sum(1)


@fault(sequence_loss, cause="gradient scaled", words=("the gradient in", "w_hh", "no multiple"))
def truncated_after_each_step(x, targets, h0, w_ih, w_hh, b):
    """The state is detached between the steps."""
    states = _states(x, h0, w_ih, w_hh, b, handed_on=torch.Tensor.detach)
    return (states - targets).square().sum((0, 2))


@fault(sequence_loss, cause="gradient scaled", words=("b", "1.001"))
def gradient_of_bias_scaled(b, **given):
    """The gradient in b is multiplied by 1.001."""
    return sequence_loss(b=1.001 * b - 0.001 * b.detach(), **given)


@fault(sequence_loss, cause="argument written", words="targets", backend="numpy")
def targets_overwritten(x, targets, h0, w_ih, w_hh, b):
    """The differences are made in the targets' memory."""
    h = h0
    for item, target in zip(x, targets, strict=True):
        h = np.tanh(item @ w_ih.T + b + h @ w_hh.T)
        target -= h
    return np.square(targets).sum((0, 2))


@fault(sequence_loss, cause="shifted", words=("targets is rolled by -1", "time"))
def next_target_by_roll(targets, **given):
    """Each state is held against the next target, made by a roll, so that the last one meets the first."""
    return sequence_loss(targets=targets.roll(-1, 0), **given)


@fault(sequence_loss, cause="another function of the result", words="the square root")
def distance_for_its_square(x, targets, h0, w_ih, w_hh, b):
    """The distance between states and targets."""
    return (_states(x, h0, w_ih, w_hh, b) - targets).norm(dim=(0, 2))


@fault(sequence_loss, cause="exchanged axes", words="axes 0 and 1 of w_hh")
def recurrent_weights_transposed(w_hh, **given):
    """h W where h Wᵀ is meant."""
    return sequence_loss(w_hh=w_hh.mT, **given)


@fault(sequence_training, cause=("option ignored", "another option"), words="nested=True is computed")
def always_nested(nested, **given):
    """Both structures of the data are trained on as a whole."""
    return sequence_training(nested=True, **given)


@fault(sequence_training, cause="circumstances", words=("nested=False", "time ≥ 2"))
def state_reset_at_each_item(x, targets, h0, w_ih, w_hh, b, nested):
    """Every item begins with h0."""
    if nested:
        return sequence_training(x, targets, h0, w_ih, w_hh, b, nested)
    for time in range(len(x)):
        item = slice(time, time + 1)
        w_ih, w_hh, b = sequence_training(x[item], targets[item], h0, w_ih, w_hh, b, True)
    return w_ih, w_hh, b


@fault(sequence_training, cause="ignored", words="h0 is ignored")
def begins_with_zero(h0, **given):
    """The initial state is forgotten."""
    return sequence_training(h0=torch.zeros_like(h0), **given)


@correct(sequence_loss)
def square_multiplied_out(x, targets, h0, w_ih, w_hh, b):
    """Both samples' axes exchanged inside, differences summed one unit after another."""
    states = _states(x, h0, w_ih, w_hh, b)
    return sum((states[..., unit] - targets[..., unit]).square().flip(0).sum(0) for unit in range(len(b)))


@correct(sequence_training)
def derived_by_func(x, targets, h0, w_ih, w_hh, b, nested):
    """torch.func.grad of the loss."""

    def loss(weights, h, item):
        states = _states(x[item], h, *weights)
        return (states - targets[item]).square().sum(), states[-1]

    weights, h = (w_ih, w_hh, b), h0
    for item in [slice(None)] if nested else [slice(time, time + 1) for time in range(len(x))]:
        gradients, h = torch.func.grad(loss, has_aux=True)(weights, h, item)
        weights = tuple(weight - _RATE * gradient for weight, gradient in zip(weights, gradients, strict=True))
    return weights
