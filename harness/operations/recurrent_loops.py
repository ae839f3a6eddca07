"""Recurrent networks in torch and numpy: torch's own modules, and loops by hand with the weights cut otherwise."""

from __future__ import annotations

from functools import lru_cache, partial

import numpy as np
import torch
from torch.nn.functional import linear
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from harness.errors import Unsupported
from harness.operations.recurrent import Way, gru, gru_cell, lstm, rnn, stacked, step_by_step, through_layers

# torch's modules, which are what most people run


@lru_cache(maxsize=64)
def _skeleton(kind, feature, hidden, layers, bidirectional, batch_first):
    """A module without memory of its own; its weights come with each call."""
    return kind(feature, hidden, layers, bidirectional=bidirectional, batch_first=batch_first, device="meta")


def _module(kind, x, start, lengths, weights, options):
    """torch.nn.RNN, LSTM or GRU on given weights: (output, *final states). Packs where lengths are given."""
    layers, bidirectional, batch_first, packed = options
    named = {}
    for layer, ways in enumerate(stacked(*weights)):
        for way, suffix in zip(ways, ("", "_reverse"), strict=False):
            for name, value in zip(("weight_ih", "weight_hh", "bias_ih", "bias_hh"), way, strict=True):
                named[f"{name}_l{layer}{suffix}"] = value
    module = _skeleton(kind, x.shape[-1], weights[2].shape[-1], layers, bidirectional, batch_first)
    if packed:
        if not len(lengths):
            raise Unsupported("torch packs no empty batch")
        total = x.shape[1 if batch_first else 0]
        x = pack_padded_sequence(x, lengths.cpu(), batch_first=batch_first, enforce_sorted=False)
    # cuDNN takes contiguous states only
    start = tuple(state.contiguous() for state in start)
    output, final = torch.func.functional_call(module, named, (x, start if len(start) > 1 else start[0]))
    if packed:
        output, _ = pad_packed_sequence(output, batch_first=batch_first, total_length=total)
    return output, *(final if isinstance(final, tuple) else (final,))


@rnn.implementation(backend="torch", name="nn.RNN")
def torch_rnn(x, h0, lengths, w_ih, w_ih_upper, w_hh, b_ih, b_hh, layers, bidirectional, batch_first, packed):
    """torch.nn.RNN, packed where sequences have lengths."""
    options = (layers, bidirectional, batch_first, packed)
    return _module(torch.nn.RNN, x, (h0,), lengths, (w_ih, w_ih_upper, w_hh, b_ih, b_hh), options)


@lstm.implementation(backend="torch", name="nn.LSTM")
def torch_lstm(x, h0, c0, lengths, w_ih, w_ih_upper, w_hh, b_ih, b_hh, layers, bidirectional, batch_first, packed):
    """torch.nn.LSTM, packed where sequences have lengths."""
    options = (layers, bidirectional, batch_first, packed)
    return _module(torch.nn.LSTM, x, (h0, c0), lengths, (w_ih, w_ih_upper, w_hh, b_ih, b_hh), options)


@gru.implementation(backend="torch", name="nn.GRU")
def torch_gru(x, h0, lengths, w_ih, w_ih_upper, w_hh, b_ih, b_hh, layers, bidirectional, batch_first, packed):
    """torch.nn.GRU, packed where sequences have lengths."""
    options = (layers, bidirectional, batch_first, packed)
    return _module(torch.nn.GRU, x, (h0,), lengths, (w_ih, w_ih_upper, w_hh, b_ih, b_hh), options)


@gru_cell.implementation(backend="torch", name="nn.GRUCell")
def torch_gru_cell(x, h, w_ih, w_hh, b_ih, b_hh):
    """torch.gru_cell, which is what torch.nn.GRUCell calls."""
    return torch.gru_cell(x, h, w_ih, w_hh, b_ih, b_hh)


# torch by hand

_UNROLLED = {"compiled": "torch.compile unrolls a Python loop over time, and takes minutes for a long sequence"}


def _concatenated_rnn_step(x, state, way):
    """[x; h] times one matrix (claim rnn.concatenated)."""
    return (torch.tanh(linear(torch.cat([x, *state], -1), torch.cat([way.w_ih, way.w_hh], -1), way.b_ih + way.b_hh)),)


def _lstm_step_by_gate(x, state, way):
    """Four gates, each from [x; h] by a matrix of its own."""
    h, c = state
    both = torch.cat([x, h], -1)
    matrices = torch.cat([way.w_ih, way.w_hh], -1).chunk(4)
    i, f, g, o = (linear(both, *pair) for pair in zip(matrices, (way.b_ih + way.b_hh).chunk(4), strict=True))
    c = f.sigmoid() * c + i.sigmoid() * g.tanh()
    return o.sigmoid() * c.tanh(), c


def _gru_step_by_gate(x, state, way):
    """r, z and n one after another, each with matrices of its own (claim gru.cell)."""
    (h,) = state
    (w_ir, w_iz, w_in), (b_ir, b_iz, b_in) = way.w_ih.chunk(3), way.b_ih.chunk(3)
    (w_hr, w_hz, w_hn), (b_hr, b_hz, b_hn) = way.w_hh.chunk(3), way.b_hh.chunk(3)
    r = torch.sigmoid(linear(x, w_ir, b_ir) + linear(h, w_hr, b_hr))
    z = torch.sigmoid(linear(x, w_iz, b_iz) + linear(h, w_hz, b_hz))
    n = torch.tanh(linear(x, w_in, b_in) + r * linear(h, w_hn, b_hn))
    return ((1 - z) * n + z * h,)


@rnn.implementation(backend="torch", exempt=_UNROLLED)
def concatenated(x, h0, lengths, w_ih, w_ih_upper, w_hh, b_ih, b_hh, layers, bidirectional, batch_first, packed):
    """A loop in which [x; h] meets one matrix (claim rnn.concatenated)."""
    run, ways = partial(step_by_step, _concatenated_rnn_step), stacked(w_ih, w_ih_upper, w_hh, b_ih, b_hh)
    return through_layers(run, x, (h0,), lengths if packed else None, ways, batch_first)


@lstm.implementation(backend="torch", name="gate_by_gate", exempt=_UNROLLED)
def lstm_by_gate(x, h0, c0, lengths, w_ih, w_ih_upper, w_hh, b_ih, b_hh, layers, bidirectional, batch_first, packed):
    """A loop in which each gate has a matrix of its own for [x; h]."""
    run, ways = partial(step_by_step, _lstm_step_by_gate), stacked(w_ih, w_ih_upper, w_hh, b_ih, b_hh)
    return through_layers(run, x, (h0, c0), lengths if packed else None, ways, batch_first)


@gru.implementation(backend="torch", name="gate_by_gate", exempt=_UNROLLED)
def gru_by_gate(x, h0, lengths, w_ih, w_ih_upper, w_hh, b_ih, b_hh, layers, bidirectional, batch_first, packed):
    """A loop over r, z and n, each with matrices of its own (claim gru.cell)."""
    run, ways = partial(step_by_step, _gru_step_by_gate), stacked(w_ih, w_ih_upper, w_hh, b_ih, b_hh)
    return through_layers(run, x, (h0,), lengths if packed else None, ways, batch_first)


@gru_cell.implementation(backend="torch", name="gate_by_gate")
def gru_cell_by_gate(x, h, w_ih, w_hh, b_ih, b_hh):
    """r, z and n one after another (claim gru.cell)."""
    return _gru_step_by_gate(x, (h,), Way(w_ih, w_hh, b_ih, b_hh))[0]


# numpy, sample by sample: a sequence is cut to its length and turned round, so there is nothing to mask


def _sigmoid(x):
    return 1 / (1 + np.exp(-x))


def _rnn_vector(x, way, h):
    return (np.tanh(way.w_ih @ x + way.w_hh @ h + (way.b_ih + way.b_hh)),)


def _lstm_vector(x, way, h, c):
    i, f, g, o = np.split(way.w_ih @ x + way.w_hh @ h + (way.b_ih + way.b_hh), 4)
    c = _sigmoid(f) * c + _sigmoid(i) * np.tanh(g)
    return _sigmoid(o) * np.tanh(c), c


def _gru_vector(x, way, h):
    hidden = len(h)
    inner, outer = way.w_ih @ x + way.b_ih, way.w_hh @ h + way.b_hh
    r, z = np.split(_sigmoid(inner[: 2 * hidden] + outer[: 2 * hidden]), 2)
    return ((1 - z) * np.tanh(inner[2 * hidden :] + r * outer[2 * hidden :]) + z * h,)


def _sample_by_sample(step, x, start, lengths, weights, batch_first, packed):
    """(output, *final states), each sample for itself."""
    samples = x if batch_first else x.swapaxes(0, 1)
    layers = stacked(*weights)
    directions, hidden = len(layers[0]), weights[2].shape[-1]
    output = np.zeros((*samples.shape[:2], directions * hidden), x.dtype)
    finals = tuple(np.zeros_like(state) for state in start)
    for sample, whole in enumerate(samples):
        length = int(lengths[sample]) if packed else len(whole)
        steps = whole[:length]
        for layer, ways in enumerate(layers):
            above = np.zeros((length, directions * hidden), x.dtype)
            for direction, way in enumerate(ways):
                order = slice(None, None, -1) if direction else slice(None)
                columns = slice(direction * hidden, (direction + 1) * hidden)
                at = (layer * directions + direction, sample)
                states = _vector_loop(step, steps[order], tuple(state[at] for state in start), way)
                above[order, columns] = [state[0] for state in states]
                for final, state in zip(finals, states[-1], strict=True):
                    final[at] = state
            steps = above
        output[sample, :length] = steps
    return output if batch_first else output.swapaxes(0, 1), *finals


def _vector_loop(step, steps, state, way):
    states = []
    for x in steps:
        state = step(x, way, *state)
        states.append(state)
    return states


@rnn.implementation(backend="numpy", name="sample_by_sample")
def numpy_rnn(x, h0, lengths, w_ih, w_ih_upper, w_hh, b_ih, b_hh, layers, bidirectional, batch_first, packed):
    """The vectors of one sample at a time, cut to its length."""
    weights = (w_ih, w_ih_upper, w_hh, b_ih, b_hh)
    return _sample_by_sample(_rnn_vector, x, (h0,), lengths, weights, batch_first, packed)


@lstm.implementation(backend="numpy", name="sample_by_sample")
def numpy_lstm(x, h0, c0, lengths, w_ih, w_ih_upper, w_hh, b_ih, b_hh, layers, bidirectional, batch_first, packed):
    """The vectors of one sample at a time, cut to its length."""
    weights = (w_ih, w_ih_upper, w_hh, b_ih, b_hh)
    return _sample_by_sample(_lstm_vector, x, (h0, c0), lengths, weights, batch_first, packed)


@gru.implementation(backend="numpy", name="sample_by_sample")
def numpy_gru(x, h0, lengths, w_ih, w_ih_upper, w_hh, b_ih, b_hh, layers, bidirectional, batch_first, packed):
    """The vectors of one sample at a time, cut to its length."""
    weights = (w_ih, w_ih_upper, w_hh, b_ih, b_hh)
    return _sample_by_sample(_gru_vector, x, (h0,), lengths, weights, batch_first, packed)


@gru_cell.implementation(backend="numpy", name="sample_by_sample")
def numpy_gru_cell(x, h, w_ih, w_hh, b_ih, b_hh):
    """The vectors of one sample at a time."""
    way = Way(w_ih, w_hh, b_ih, b_hh)
    cells = [_gru_vector(vector, way, state)[0] for vector, state in zip(x, h, strict=True)]
    return np.array(cells, dtype=h.dtype).reshape(h.shape)
