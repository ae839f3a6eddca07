"""Faults and other ways of the character network."""

import numpy as np
import torch

from harness.operations.character_rnn import character_rnn
from tests.quality.planted import correct, fault


@fault(character_rnn, cause="shifted", words=("result 1 is shifted by +1", "time"))
def state_kept_before_the_step(symbols, W, V):
    """The list of states is added to before the state moves, the outputs are computed after it."""
    y, hidden = character_rnn(symbols, W, V)
    return y, torch.cat([torch.zeros_like(hidden[:1]), hidden[:-1]])


@fault(character_rnn, cause="shifted", words=("symbols", "time"))
def previous_symbol(symbols, W, V):
    """Every step reads the symbol before its own; the first one stands for itself."""
    return character_rnn(torch.cat([symbols[:1], symbols[:-1]]), W, V)


@fault(character_rnn, cause="circumstances", words="time ≥ 2")
def one_state_many_times(symbols, W, V):
    """The state is moved in place, so that the list of states holds the last one many times."""
    vocabulary = len(W) - W.shape[1]
    h, states = W.new_zeros(symbols.shape[1], W.shape[1]), []
    for rows in W.detach()[:vocabulary][symbols]:
        h.copy_(torch.tanh(rows + h @ W.detach()[vocabulary:]))
        states.append(h)
    hidden = torch.stack(states)
    return torch.sigmoid(hidden @ V), hidden


@fault(character_rnn, cause=("samples leak", "only some entries"), words="batch")
def state_not_reset_between_samples(symbols, W, V):
    """Sample after sample, each beginning with the last state of the one before."""
    vocabulary = len(W) - W.shape[1]
    h, hidden = W.new_zeros(W.shape[1]), W.new_zeros(*symbols.shape, W.shape[1])
    for sample in range(symbols.shape[1]):
        for time, symbol in enumerate(symbols[:, sample]):
            h = torch.tanh(W[symbol] + h @ W[vocabulary:])
            hidden[time, sample] = h
    return torch.sigmoid(hidden @ V), hidden


@fault(character_rnn, cause="another function of the result", words="result 0")
def logits_for_probabilities(symbols, W, V):
    """The sigmoid is left to the loss."""
    _, hidden = character_rnn(symbols, W, V)
    return hidden @ V, hidden


@fault(character_rnn, cause="reversed axis", words="symbols is reversed along time")
def read_from_the_end(symbols, W, V):
    """The text is read from its end."""
    return character_rnn(symbols.flip(0), W, V)


@correct(character_rnn)
def embedding_and_cell(symbols, W, V):
    """torch's embedding, and rnn_tanh_cell for each step."""
    vocabulary, nothing = len(W) - W.shape[1], W.new_zeros(W.shape[1])
    rows = torch.nn.functional.embedding(symbols, W[:vocabulary])
    one = torch.eye(W.shape[1], dtype=W.dtype)
    h, states = torch.zeros_like(rows[0]), []
    for row in rows:
        h = torch.rnn_tanh_cell(row, h, one, W[vocabulary:].T.contiguous(), nothing, nothing)
        states.append(h)
    hidden = torch.stack(states)
    return torch.sigmoid(hidden @ V), hidden


@correct(character_rnn, backend="numpy")
def tanh_by_exponentials(symbols, W, V):
    """numpy, with tanh(a) as 1 − 2/(e²ᵃ + 1) and σ(a) as (1 + tanh(a/2))/2."""
    vocabulary = len(W) - W.shape[1]
    h, states = np.zeros((symbols.shape[1], W.shape[1]), W.dtype), []
    for now in symbols:
        h = 1 - 2 / (np.exp(2 * (np.take(W, now, 0) + np.einsum("bh,hk->bk", h, W[vocabulary:]))) + 1)
        states.append(h)
    hidden = np.stack(states)
    return (1 + np.tanh(hidden @ V / 2)) / 2, hidden
