"""The worked example of S1 and S2: one-hot symbols through a tanh network without biases, and a sigmoid.

Sources: docs/sources.md#recurrent-networks.
"""

from __future__ import annotations

from typing import Annotated

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from harness.declare.declaration import operation
from harness.declare.domains import below
from harness.operations.recurrent import fan_in


@operation(sizes={"batch": (0, 17), "time": (1, 33), "vocabulary": (1, 17), "hidden": (1, 17), "outputs": (1, 17)})
def character_rnn(
    symbols: Annotated[Int[Tensor, "time batch"], below("vocabulary")],
    W: Annotated[Float[Tensor, "vocabulary+hidden hidden"], fan_in],
    V: Annotated[Float[Tensor, "hidden outputs"], fan_in],
) -> tuple[Float[Tensor, "time batch outputs"], Float[Tensor, "time batch hidden"]]:
    """y(t) = σ(h(t) V) and h(t) = tanh([x(t); h(t−1)] W), with x(t) the one-hot vector of a symbol and h(−1) = 0.

    symbols: (time, batch) of 0 to vocabulary − 1; W: (vocabulary + hidden, hidden); V: (hidden, outputs). Returns y and
    h at every step. A one-hot vector times a matrix is a row of it (claims rnn.concatenated, rnn.figure).
    """
    vocabulary = len(W) - W.shape[1]
    h, states = W.new_zeros(symbols.shape[1], W.shape[1]), []
    for rows in W[:vocabulary][symbols]:
        h = torch.tanh(rows + h @ W[vocabulary:])
        states.append(h)
    hidden = torch.stack(states)
    return torch.sigmoid(hidden @ V), hidden


@character_rnn.in_extended_precision
def long_double(symbols, W, V):
    """The same maths on long doubles."""
    vocabulary = len(W) - W.shape[1]
    h, states = np.zeros((symbols.shape[1], W.shape[1]), W.dtype), []
    for rows in W[:vocabulary][symbols]:
        h = np.tanh(rows + h @ W[vocabulary:])
        states.append(h)
    hidden = np.stack(states)
    return 1 / (1 + np.exp(-(hidden @ V))), hidden


@character_rnn.implementation(backend="torch")
def one_hot(symbols, W, V):
    """As the answer says it: a one-hot vector, joined with the state, times W."""
    vocabulary = len(W) - W.shape[1]
    inputs = torch.nn.functional.one_hot(symbols, vocabulary).to(W.dtype)
    h, states = W.new_zeros(symbols.shape[1], W.shape[1]), []
    for x in inputs:
        h = torch.tanh(torch.cat([x, h], -1) @ W)
        states.append(h)
    hidden = torch.stack(states)
    return torch.sigmoid(hidden @ V), hidden


@character_rnn.implementation(backend="torch", name="nn.RNN")
def torch_rnn(symbols, W, V):
    """An embedding without learning, torch.nn.RNN without biases, and a product."""
    vocabulary, hidden = len(W) - W.shape[1], W.shape[1]
    module = torch.nn.RNN(vocabulary, hidden, bias=False, device="meta")
    inputs = torch.nn.functional.one_hot(symbols, vocabulary).to(W.dtype)
    weights = {"weight_ih_l0": W[:vocabulary].T, "weight_hh_l0": W[vocabulary:].T}
    states, _ = torch.func.functional_call(module, weights, (inputs,))
    return torch.sigmoid(states @ V), states


@character_rnn.implementation(backend="numpy")
def scalar_sums(symbols, W, V):
    """v_i = Σ_j u_j W_ji written out, sample by sample, as in the worked example."""
    vocabulary, hidden = len(W) - W.shape[1], W.shape[1]
    states = np.zeros((*symbols.shape, hidden), W.dtype)
    for sample in range(symbols.shape[1]):
        h = np.zeros(hidden, W.dtype)
        for time, symbol in enumerate(symbols[:, sample]):
            u = np.concatenate([np.arange(vocabulary) == symbol, h]).astype(W.dtype)
            h = states[time, sample] = np.tanh((u[:, None] * W).sum(0))
    return 1 / (1 + np.exp(-np.einsum("tbh,ho->tbo", states, V))), states


@character_rnn.implementation(backend="keras", name="SimpleRNN", dtypes=(torch.float32,))
def keras_rnn(symbols, W, V):
    """Embedding, SimpleRNN and Dense without biases."""
    import keras

    vocabulary, hidden = len(W) - W.shape[1], W.shape[1]
    embedding = keras.layers.Embedding(vocabulary, hidden, weights=[np.ascontiguousarray(W[:vocabulary])])
    identity = np.eye(hidden, dtype=W.dtype)
    network = keras.layers.SimpleRNN(hidden, use_bias=False, return_sequences=True)
    network.build((None, None, hidden))
    network.set_weights([identity, W[vocabulary:]])
    dense = keras.layers.Dense(V.shape[1], activation="sigmoid", use_bias=False)
    dense.build((None, None, hidden))
    dense.set_weights([V])
    states = network(embedding(symbols.T))
    return dense(states).detach().permute(1, 0, 2), states.detach().permute(1, 0, 2)
