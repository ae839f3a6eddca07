"""The LSTM autoencoder of S3: a sequence into its last hidden state, and that state, at every step, back.

Sources: docs/sources.md#recurrent-networks.
"""

from __future__ import annotations

from typing import Annotated

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from harness.declare.declaration import operation
from harness.declare.domain import when
from harness.operations.recurrent import faint, fan_in, half_a_bell, lstm
from harness.operations.recurrent_loops import lstm_by_gate, torch_lstm
from harness.operations.recurrent_peers import equinox_lstm, keras_lstm, onnx_lstm

Series = Annotated[Float[Tensor, "time batch feature"], when("batch_first", "batch time feature")]


def _there_and_back(layer, library, x, encoder, decoder, batch_first):
    """`layer` is an implementation of `lstm`; `library` makes the arrays that it takes."""
    _, code, _ = _one_layer(layer, library, x, encoder, batch_first)
    time = 1 if batch_first else 0
    copies = library.stack([code[0]] * x.shape[time], time)
    decoded, _, _ = _one_layer(layer, library, copies, decoder, batch_first)
    return decoded


def _one_layer(layer, library, x, weights, batch_first):
    """One layer in one direction from zero states: (output, h, c)."""
    w_ih, w_hh, b = weights
    batch, hidden = x.shape[0 if batch_first else 1], w_hh.shape[-1]
    zero = _zeros(x, (1, batch, hidden))
    lengths = _zeros(x, (batch,)).astype(np.int64) if library is np else x.new_zeros(batch, dtype=torch.int64)
    none_above = _zeros(x, (0, 1, 4 * hidden, hidden))
    return layer(
        x,
        zero,
        zero,
        lengths,
        w_ih[None],
        none_above,
        w_hh[None, None],
        b[None, None],
        library.zeros_like(b)[None, None],
        layers=1,
        bidirectional=False,
        batch_first=batch_first,
        packed=False,
    )


def _zeros(like, shape):
    """Zeros in the dtype of an array, of torch's where it lies."""
    return like.new_zeros(shape) if isinstance(like, Tensor) else np.zeros(shape, like.dtype)


@operation(sizes={"batch": (0, 17), "time": (1, 33), "feature": (1, 9), "latent": (1, 9)})
def lstm_autoencoder(
    x: Series,
    w_ih: Annotated[Float[Tensor, "4*latent feature"], faint],
    w_hh: Annotated[Float[Tensor, "4*latent latent"], fan_in],
    b: Annotated[Float[Tensor, " 4*latent"], half_a_bell],
    v_ih: Annotated[Float[Tensor, "4*feature latent"], fan_in],
    v_hh: Annotated[Float[Tensor, "4*feature feature"], fan_in],
    d: Annotated[Float[Tensor, " 4*feature"], half_a_bell],
    batch_first: bool,
) -> Series:
    """An LSTM (w_ih, w_hh, b) encodes each series; another (v_ih, v_hh, d) decodes its last hidden state, given at each step.

    x and the result: (time, batch, feature), or (batch, time, feature) with `batch_first`; both LSTMs begin with zero
    states, gates in torch's order. No series reads another one (claims ae.repeat-batch-first, ae.sequence-first).
    """
    return _there_and_back(lstm.definition, torch, x, (w_ih, w_hh, b), (v_ih, v_hh, d), batch_first)


@lstm_autoencoder.in_extended_precision
def lstm_autoencoder_long(x, w_ih, w_hh, b, v_ih, v_hh, d, batch_first):
    """The same maths on long doubles."""
    return _there_and_back(lstm.definition, np, x, (w_ih, w_hh, b), (v_ih, v_hh, d), batch_first)


@lstm_autoencoder.implementation(backend="torch", name="nn.LSTM")
def torch_autoencoder(x, w_ih, w_hh, b, v_ih, v_hh, d, batch_first):
    """Two torch.nn.LSTM."""
    return _there_and_back(torch_lstm, torch, x, (w_ih, w_hh, b), (v_ih, v_hh, d), batch_first)


@lstm_autoencoder.implementation(
    backend="torch", exempt={"compiled": "torch.compile unrolls a Python loop over time, and takes minutes"}
)
def gate_by_gate(x, w_ih, w_hh, b, v_ih, v_hh, d, batch_first):
    """Two loops in which each gate has a matrix of its own."""
    return _there_and_back(lstm_by_gate, torch, x, (w_ih, w_hh, b), (v_ih, v_hh, d), batch_first)


@lstm_autoencoder.implementation(backend="keras", name="LSTM", dtypes=(torch.float32,))
def keras_autoencoder(x, w_ih, w_hh, b, v_ih, v_hh, d, batch_first):
    """Two keras LSTM layers."""
    return _there_and_back(keras_lstm, np, x, (w_ih, w_hh, b), (v_ih, v_hh, d), batch_first)


@lstm_autoencoder.implementation(backend="onnxruntime", name="ONNX.LSTM")
def onnx_autoencoder(x, w_ih, w_hh, b, v_ih, v_hh, d, batch_first):
    """Two LSTM nodes."""
    return _there_and_back(onnx_lstm, np, x, (w_ih, w_hh, b), (v_ih, v_hh, d), batch_first)


@lstm_autoencoder.implementation(backend="equinox", name="LSTMCell")
def equinox_autoencoder(x, w_ih, w_hh, b, v_ih, v_hh, d, batch_first):
    """Two loops over equinox' LSTMCell."""
    encoder, decoder = ([np.asarray(each) for each in weights] for weights in ((w_ih, w_hh, b), (v_ih, v_hh, d)))
    return _there_and_back(equinox_lstm, np, np.asarray(x), encoder, decoder, batch_first)
