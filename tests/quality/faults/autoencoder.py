"""Faults and other ways of the LSTM autoencoder."""

import numpy as np
import torch

from harness.operations.autoencoder import lstm_autoencoder
from tests.quality.planted import correct, fault


@fault(lstm_autoencoder, cause="reversed axis", words="the result is reversed along time")
def decoded_backwards(batch_first, **given):
    """The decoder writes the series from its end, and nobody turns it round."""
    return lstm_autoencoder(batch_first=batch_first, **given).flip(1 if batch_first else 0)


@fault(
    lstm_autoencoder,
    cause="viewed where permuted",
    words=("the result is viewed", "batch and time", "batch_first=True"),
)
def batch_first_by_view(x, batch_first, **given):
    """Decoded time first, and made batch first by view."""
    if not batch_first:
        return lstm_autoencoder(x=x, batch_first=False, **given)
    return lstm_autoencoder(x=x.transpose(0, 1), batch_first=False, **given).contiguous().view(x.shape)


def _run(steps, w_ih, w_hh, b, reset=False):
    """(time, batch, feature) through one LSTM from zero states: all h, and the last one."""
    h = c = steps.new_zeros(steps.shape[1], w_hh.shape[1])
    outputs = []
    for step in steps:
        i, f, g, o = (step @ w_ih.T + b + h @ w_hh.T).chunk(4, -1)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        h = o.sigmoid() * c.tanh()
        outputs.append(h)
        if reset:
            h, c = torch.zeros_like(h), torch.zeros_like(c)
    return torch.stack(outputs)


@fault(lstm_autoencoder, cause=("only some entries", "circumstances", "not read"), words="time")
def decoder_reset_at_each_step(x, w_ih, w_hh, b, v_ih, v_hh, d, batch_first):
    """The decoder begins anew at every step, so that all of them are the first one."""
    steps = x.transpose(0, 1) if batch_first else x
    code = _run(steps, w_ih, w_hh, b)[-1]
    decoded = _run(code.expand(len(steps), -1, -1), v_ih, v_hh, d, reset=True)
    return decoded.transpose(0, 1) if batch_first else decoded


@fault(lstm_autoencoder, cause="samples leak", words="samples leak")
def code_of_the_whole_batch(x, batch_first, w_ih, w_hh, b, v_ih, v_hh, d):
    """The codes are averaged over the batch, whose axis is taken for time."""
    steps = x.transpose(0, 1) if batch_first else x
    code = _run(steps, w_ih, w_hh, b)[-1]
    mean = code.mean(0, keepdim=True).expand_as(code) if len(code) else code
    decoded = _run(mean.expand(len(steps), -1, -1), v_ih, v_hh, d)
    return decoded.transpose(0, 1) if batch_first else decoded


@fault(lstm_autoencoder, cause="ignored", words="d is ignored")
def decoder_without_bias(d, **given):
    """The decoder's bias is forgotten."""
    return lstm_autoencoder(d=torch.zeros_like(d), **given)


@fault(lstm_autoencoder, cause="gradient scaled", words="the gradient in w_ih is cut")
def code_detached(x, w_ih, w_hh, b, v_ih, v_hh, d, batch_first):
    """The code is handed on as a constant, so that the encoder does not learn."""
    steps = x.transpose(0, 1) if batch_first else x
    code = _run(steps, w_ih, w_hh, b)[-1].detach()
    decoded = _run(code.expand(len(steps), -1, -1), v_ih, v_hh, d)
    return decoded.transpose(0, 1) if batch_first else decoded


@correct(lstm_autoencoder)
def one_series_at_a_time(x, w_ih, w_hh, b, v_ih, v_hh, d, batch_first):
    """Each series by itself."""
    batch = 0 if batch_first else 1
    made = torch.zeros_like(x, memory_format=torch.contiguous_format)
    for sample, series in enumerate(x.unbind(batch)):
        code = _run(series[:, None], w_ih, w_hh, b)[-1]
        made.select(batch, sample).copy_(_run(code.expand(len(series), -1, -1), v_ih, v_hh, d)[:, 0])
    return made


@correct(lstm_autoencoder, backend="numpy")
def gates_by_einsum(x, w_ih, w_hh, b, v_ih, v_hh, d, batch_first):
    """numpy's einsum with an axis of gates; what enters the decoder is computed once."""

    def sigmoid(a):
        return 1 / (1 + np.exp(-a))

    def moved(entering, h, c, u):
        i, f, g, o = entering + np.einsum("ghk,bk->gbh", u, h)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        return sigmoid(o) * np.tanh(c), c

    steps = x.swapaxes(0, 1) if batch_first else x
    (w, u), (v, r) = ((m.reshape(4, -1, m.shape[1]) for m in pair) for pair in ((w_ih, w_hh), (v_ih, v_hh)))
    h = c = np.zeros((steps.shape[1], u.shape[1]), x.dtype)
    for step in steps:
        h, c = moved(np.einsum("ghf,bf->gbh", w, step) + b.reshape(4, 1, -1), h, c, u)
    entering = np.einsum("ghf,bf->gbh", v, h) + d.reshape(4, 1, -1)
    h, c, decoded = np.zeros_like(steps[0]), np.zeros_like(steps[0]), []
    for _ in steps:
        h, c = moved(entering, h, c, r)
        decoded.append(h)
    made = np.stack(decoded)
    return made.swapaxes(0, 1) if batch_first else made
