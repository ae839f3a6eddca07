"""Training on sequences as Flux structures it (S2): whole sequences, or one item after another.

Sources: docs/sources.md#recurrent-networks.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from harness.declare.declaration import operation
from harness.operations.recurrent import faint, fan_in, half_a_bell, within_one

_RATE = 2.0**-5


def _states(library, x, h, w_ih, w_hh, b):
    states = []
    for entering in x @ w_ih.T + b:
        h = library.tanh(entering + h @ w_hh.T)
        states.append(h)
    return library.stack(states)


@operation(sizes={"batch": (0, 17), "time": (1, 33), "feature": (1, 9), "hidden": (1, 9)})
def sequence_loss(
    x: Float[Tensor, "time batch feature"],
    targets: Float[Tensor, "time batch hidden"],
    h0: Annotated[Float[Tensor, "batch hidden"], within_one],
    w_ih: Annotated[Float[Tensor, "hidden feature"], faint],
    w_hh: Annotated[Float[Tensor, "hidden hidden"], fan_in],
    b: Annotated[Float[Tensor, "hidden"], half_a_bell],
) -> Float[Tensor, "batch"]:
    """The squared error of a tanh network over a whole sequence, Σ_t ‖h(t) − y(t)‖², one figure for each sample.

    x: (time, batch, feature); targets: (time, batch, hidden); h(t) = tanh(W_ih x(t) + W_hh h(t−1) + b). The sum of the
    items' losses with the state carried is the same (claim flux.sum).
    """
    states = _states(torch, x, h0, w_ih, w_hh, b)
    return (states - targets).square().sum((0, 2))


@sequence_loss.in_extended_precision
def sequence_loss_long(x, targets, h0, w_ih, w_hh, b):
    """The same maths on long doubles."""
    return np.square(_states(np, x, h0, w_ih, w_hh, b) - targets).sum((0, 2))


@sequence_loss.implementation(backend="torch")
def item_by_item(x, targets, h0, w_ih, w_hh, b):
    """The items' losses one after another, with the state carried."""
    h, loss = h0, h0.new_zeros(len(h0))
    for item, target in zip(x, targets, strict=True):
        h = torch.tanh(item @ w_ih.T + b + h @ w_hh.T)
        loss = loss + (h - target).square().sum(-1)
    return loss


@sequence_loss.implementation(backend="torch", name="nn.RNN")
def torch_loss(x, targets, h0, w_ih, w_hh, b):
    """torch.nn.RNN over the whole sequence, and mse_loss."""
    states = _torch_states(x, h0, w_ih, w_hh, b)
    return torch.nn.functional.mse_loss(states, targets, reduction="none").sum((0, 2))


def _torch_states(x, h0, w_ih, w_hh, b):
    module = torch.nn.RNN(x.shape[-1], h0.shape[-1], device="meta")
    weights = {"weight_ih_l0": w_ih, "weight_hh_l0": w_hh, "bias_ih_l0": b, "bias_hh_l0": torch.zeros_like(b)}
    return torch.func.functional_call(module, weights, (x, h0[None]))[0]


@sequence_loss.implementation(backend="numpy")
def sample_by_sample(x, targets, h0, w_ih, w_hh, b):
    """Every sample on its own, with numpy."""
    losses = np.zeros(len(h0), x.dtype)
    for sample, start in enumerate(h0):
        h = start
        for item, target in zip(x[:, sample], targets[:, sample], strict=True):
            h = np.tanh(w_ih @ item + w_hh @ h + b)
            losses[sample] += np.dot(h - target, h - target)
    return losses


def _epoch(library, x, targets, h, w_ih, w_hh, b, nested):
    for item in (slice(None),) if nested else (slice(time, time + 1) for time in range(len(x))):
        gradients, h = _backwards_through_time(library, x[item], targets[item], h, w_ih, w_hh, b)
        w_ih, w_hh, b = (weight - _RATE * gradient for weight, gradient in zip((w_ih, w_hh, b), gradients, strict=True))
    return w_ih, w_hh, b


def _backwards_through_time(library, x, targets, h0, w_ih, w_hh, b):
    """The gradients of Σ ‖h(t) − y(t)‖² in the weights, by the chain rule written out, and the last state."""
    states = [h0]
    for item in x:
        states.append(library.tanh(w_ih @ item + w_hh @ states[-1] + b))
    on_state = library.zeros_like(h0)
    gradients = [library.zeros_like(weight) for weight in (w_ih, w_hh, b)]
    for time in reversed(range(len(x))):
        on_state = on_state + 2 * (states[time + 1] - targets[time])
        on_sum = on_state * (1 - states[time + 1]) * (1 + states[time + 1])
        gradients = [
            gradients[0] + on_sum[:, None] * x[time][None],
            gradients[1] + on_sum[:, None] * states[time][None],
            gradients[2] + on_sum,
        ]
        on_state = w_hh.T @ on_sum
    return gradients, states[-1]


@operation(sizes={"time": (1, 33), "feature": (1, 9), "hidden": (1, 9)}, differentiable=False)
def sequence_training(
    x: Annotated[Float[Tensor, "time feature"], within_one],
    targets: Float[Tensor, "time hidden"],
    h0: Annotated[Float[Tensor, "hidden"], within_one],
    w_ih: Annotated[Float[Tensor, "hidden feature"], fan_in],
    w_hh: Annotated[Float[Tensor, "hidden hidden"], fan_in],
    b: Annotated[Float[Tensor, "hidden"], half_a_bell],
    nested: bool,
) -> tuple[Float[Tensor, "hidden feature"], Float[Tensor, "hidden hidden"], Float[Tensor, "hidden"]]:
    """The weights after one epoch of gradient descent at rate 2⁻⁵ on the squared error of one sequence.

    nested: the data are one item, the whole sequence, whose gradient reaches back through all steps; otherwise every
    step is an item, which moves the weights by its own gradient and hands its state on as a constant. x: (time,
    feature); targets: (time, hidden). The two train differently, but for a single step (claim flux.same-gradient).
    """
    return _epoch(torch, x, targets, h0, w_ih, w_hh, b, nested)


@sequence_training.in_extended_precision
def sequence_training_long(x, targets, h0, w_ih, w_hh, b, nested):
    """The same maths on long doubles."""
    return _epoch(np, x, targets, h0, w_ih, w_hh, b, nested)


@sequence_training.implementation(backend="torch")
def autograd(x, targets, h0, w_ih, w_hh, b, nested):
    """torch.optim.SGD with autograd through torch.nn.RNN."""
    weights = [weight.detach().clone().requires_grad_() for weight in (w_ih, w_hh, b)]
    optimiser = torch.optim.SGD(weights, lr=_RATE)
    h = h0
    for item in [slice(None)] if nested else [slice(time, time + 1) for time in range(len(x))]:
        with torch.enable_grad():
            states = _torch_states(x[item, None], h[None], *weights)[:, 0]
            optimiser.zero_grad()
            (states - targets[item]).square().sum().backward()
        optimiser.step()
        h = states[-1].detach()
    return tuple(weight.detach() for weight in weights)


@sequence_training.implementation(
    backend="numpy",
    exempt={"nonfinite_propagation": "zero derivatives are multiplied out, and zero times NaN is NaN"},
)
def forward_accumulation(x, targets, h0, w_ih, w_hh, b, nested):
    """The derivative of the state in every weight carried along, as in real-time recurrent learning."""
    hidden, joined = len(b), np.concatenate([w_ih, w_hh, b[:, None]], 1)
    h, rate = h0, np.asarray(_RATE, x.dtype)
    derivative = np.zeros((hidden, *joined.shape), x.dtype)
    gradient = np.zeros_like(joined)
    for item, target in zip(x, targets, strict=True):
        entering = np.concatenate([item, h, np.ones(1, x.dtype)])
        recurring = joined[:, len(item) : -1]
        h = np.tanh(joined @ entering)
        direct = np.eye(hidden, dtype=x.dtype)[:, :, None] * entering
        derivative = ((1 - h) * (1 + h))[:, None, None] * (np.tensordot(recurring, derivative, 1) + direct)
        gradient += np.tensordot(2 * (h - target), derivative, 1)
        if not nested:  # the item is over: its state goes on as a constant, its gradient is spent
            joined = joined - rate * gradient
            derivative, gradient = np.zeros_like(derivative), np.zeros_like(gradient)
    joined = joined - rate * gradient if nested else joined
    feature = x.shape[1]
    return joined[:, :feature], joined[:, feature:-1], joined[:, -1]


@sequence_training.implementation(
    backend="jax",
    exempt={"nonfinite_propagation": "jax's gradient multiplies infinities by the zeros of what is saturated"},
)
def jax_gradient(x, targets, h0, w_ih, w_hh, b, nested):
    """jax.grad through a compiled scan, on arrays with zeros behind them, so that few shapes are compiled."""
    (time, feature), hidden = x.shape, len(b)
    weights = _with_room(w_ih, 9, 9), _with_room(w_hh, 9, 9), _with_room(b, 9)
    h = _with_room(h0, 9)
    for item in (slice(None),) if nested else (slice(step, step + 1) for step in range(time)):
        steps = 33 if nested and time > 1 else 1
        counted = _with_room(np.ones((time, hidden), b.dtype)[item], steps, 9)
        gradients, h = _jax_step()(
            weights, _with_room(x[item], steps, 9), _with_room(targets[item], steps, 9), counted, h
        )
        weights = tuple(weight - _RATE * gradient for weight, gradient in zip(weights, gradients, strict=True))
    w_ih, w_hh, b = weights
    return w_ih[:hidden, :feature], w_hh[:hidden, :hidden], b[:hidden]


def _with_room(array, *sizes):
    return np.pad(np.asarray(array), [(0, size - had) for size, had in zip(sizes, array.shape, strict=True)])


@lru_cache(maxsize=1)
def _jax_step():
    import jax

    return jax.jit(jax.grad(_jax_loss, has_aux=True))


def _jax_loss(weights, x, targets, counted, h0):
    """The squared error of the steps and units that count, and the last state."""
    import jax
    import jax.numpy as jnp

    w_ih, w_hh, b = weights

    def step(h, item):
        h = jnp.tanh(w_ih @ item + w_hh @ h + b)
        return h, h

    last, states = jax.lax.scan(step, h0, x)
    return (counted * jnp.square(states - targets)).sum(), last
