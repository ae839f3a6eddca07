"""Faults and other ways of the recurrent networks."""

from functools import partial

import numpy as np
import torch

from harness.errors import Unsupported
from harness.operations.recurrent import gru, gru_cell, lstm, rnn, stacked, step_by_step, through_layers
from harness.operations.recurrent_loops import torch_lstm
from tests.quality.planted import correct, fault

_GATES = {"w_ih": 1, "w_ih_upper": 2, "w_hh": 2, "b_ih": 2, "b_hh": 2}
"""The axis along which the gates of each weight are stacked."""


def _in_order(given, order):
    """The weights among the arguments with their gates in another order."""
    weights = {name: given[name].chunk(len(order), axis) for name, axis in _GATES.items()}
    return {name: torch.cat([gates[gate] for gate in order], _GATES[name]) for name, gates in weights.items()}


@fault(gru, cause="permuted blocks", words=("in the order 1, 0, 2", "all weights"))
def gates_in_keras_order(**given):
    """The weights are read in keras' order, z, r, n."""
    return gru(**given | _in_order(given, (1, 0, 2)))


@fault(lstm, cause="permuted blocks", words=("in the order 0, 2, 3, 1", "all weights"))
def gates_in_onnx_order(**given):
    """The weights are read in ONNX' order: the second block is the output gate's, then f and g."""
    return lstm(**given | _in_order(given, (0, 2, 3, 1)))


@fault(lstm, cause="permuted blocks", words=("in the order 0, 2, 1, 3", "w_hh"))
def gates_of_one_matrix(**given):
    """Only the recurrent matrix has g before f, as after half of a conversion."""
    return lstm(**given | {"w_hh": _in_order(given, (0, 2, 1, 3))["w_hh"]})


@fault(rnn, cause=("factors exchanged", "only a slice is changed"), words=("result 1", "layers*(1+bidirectional)"))
def directions_before_layers(layers, bidirectional, **given):
    """The final states are stacked direction by direction."""
    output, last = rnn(layers=layers, bidirectional=bidirectional, **given)
    return output, last.unflatten(0, (layers, 1 + bidirectional)).transpose(0, 1).flatten(0, 1)


@fault(gru, cause="block reversed", words=("block 1 of 2", "result 0", "reversed along time"))
def backward_outputs_as_they_came(bidirectional, batch_first, **given):
    """The backward direction's outputs stay in the order in which they were computed."""
    output, last = gru(bidirectional=bidirectional, batch_first=batch_first, **given)
    if bidirectional:
        forward, backward = output.chunk(2, -1)
        output = torch.cat([forward, backward.flip(1 if batch_first else 0)], -1)
    return output, last


@fault(lstm, cause=("circumstances", "only some entries"), words=("layers=2", "bidirectional=True"))
def upper_backward_with_forward_weights(w_hh, layers, bidirectional, **given):
    """The second layer's backward direction has the forward direction's recurrent weights."""
    if layers == 2 and bidirectional:
        w_hh = torch.stack([w_hh[0], torch.stack([w_hh[1, 0], w_hh[1, 0]])])
    return lstm(w_hh=w_hh, layers=layers, bidirectional=bidirectional, **given)


@fault(lstm, cause="ignored", words="c0 is ignored")
def cell_state_from_zero(c0, **given):
    """h0 is handed on, and c0 is forgotten."""
    return lstm(c0=torch.zeros_like(c0), **given)


@fault(gru, cause="one slice for all", words="the first slice of h0 along layers*(1+bidirectional) is used for all")
def first_state_for_all_layers(h0, **given):
    """Every layer and direction begins with the first one's state."""
    return gru(h0=h0[:1].expand_as(h0), **given)


# moving the other blocks of b_hh as well changes nothing, so either may be said
@fault(gru_cell, cause="misplaced", words=("b_hh is added where", " is"))
def hidden_bias_outside_reset(b_hh, b_ih, **given):
    """b_hn is added outside of the reset gate."""
    outside = torch.cat([torch.zeros_like(b_hh).chunk(3)[0]] * 2 + [b_hh.chunk(3)[2]])
    return gru_cell(b_hh=b_hh - outside, b_ih=b_ih + outside, **given)


@fault(rnn, cause="used for another", words="b_ih is used where b_hh is meant")
def input_bias_twice(b_ih, b_hh, **given):
    """The bias of the inputs is added in both places."""
    return rnn(b_ih=b_ih, b_hh=b_ih, **given)


@fault(gru, cause=("option ignored", "another option"), words="packed=True is computed")
def always_packed(packed, **given):
    """Lengths are read whether they count or not."""
    return gru(packed=True, **given)


@fault(rnn, cause=("option ignored", "another option"), words="packed=False is computed")
def equal_lengths_count_as_all_steps(lengths, packed, **given):
    """Where all sequences are of one length there is nothing to pack, and the padding is taken for steps."""
    return rnn(lengths=lengths, packed=packed and (len(lengths) < 2 or bool((lengths != lengths[0]).any())), **given)


@fault(gru, cause=("option ignored", "another option"), words="packed=False is computed")
def lengths_ignored(packed, **given):
    """Padding is walked through like any step."""
    return gru(packed=False, **given)


@fault(lstm, cause=("circumstances", "only some entries"), words="packed=True")
def last_output_for_last_state(layers, bidirectional, batch_first, **given):
    """The final h is the output at the last step, which is padding for short sequences."""
    if layers > 1 or bidirectional:
        raise Unsupported("the outputs show the last layer's states alone")
    output, _, c = lstm(layers=layers, bidirectional=bidirectional, batch_first=batch_first, **given)
    return output, (output[:, -1] if batch_first else output[-1])[None], c


@fault(gru, cause="viewed where permuted", words=("x is viewed", "batch and time", "batch_first=True"))
def batch_first_by_reshape(x, batch_first, **given):
    """A batch-first input is reshaped to time first."""
    if not batch_first:
        return gru(x=x, batch_first=False, **given)
    output, last = gru(x=x.reshape(x.shape[1], x.shape[0], -1), batch_first=False, **given)
    return output.transpose(0, 1), last


@fault(rnn, cause="reversed axis", words="x is reversed along time")
def time_reversed(x, batch_first, **given):
    """The sequence is read from its end, as sequence-to-sequence encoders do."""
    return rnn(x=x.flip(1 if batch_first else 0), batch_first=batch_first, **given)


@fault(rnn, cause="shifted", words=("result 0 is shifted by +1", "time"))
def states_before_the_step(x, h0, batch_first, **given):
    """One layer gives, at each step, the state that it had before it."""
    if given["layers"] > 1 or given["bidirectional"] or given["packed"]:
        raise Unsupported("a loop for one layer")
    output, last = rnn(x=x, h0=h0, batch_first=batch_first, **given)
    time = 1 if batch_first else 0
    before = torch.cat([h0[0].unsqueeze(time), output], time)
    return before.narrow(time, 0, output.shape[time]), last


@fault(gru_cell, cause="left out", words="beyond the first 16 entries of hidden")
def sixteen_units_recur(x, h, w_ih, w_hh, b_ih, b_hh):
    """A kernel of one tile: the recurrent product ends after sixteen units."""
    reached = w_hh.clone()
    reached[:, 16:] = 0
    return gru_cell(x, h, w_ih, reached, b_ih, b_hh)


@fault(rnn, cause="exchanged axes", words=("axes 2 and 3 of w_hh", "batch"))
def transposed_for_one_sample(x, w_hh, batch_first, **given):
    """A batch of one takes the product of matrix and vector, and the weights the wrong way round."""
    alone = x.shape[0 if batch_first else 1] == 1
    return rnn(x=x, w_hh=w_hh.mT if alone else w_hh, batch_first=batch_first, **given)


@fault(gru_cell, cause="exchanged axes", words=("axes 0 and 1 of h",))
def states_by_units(h, **given):
    """Where there are as many samples as units, the state is taken for (hidden, batch)."""
    return gru_cell(h=h.mT if h.shape[0] == h.shape[1] else h, **given)


@fault(gru, cause="circumstances", words=("raised RuntimeError", "time = 1"), verdict="error")
def in_two_halves(x, h0, batch_first, bidirectional, packed, **given):
    """The sequence is split into halves, the state carried; half of a single step is no step."""
    if bidirectional or packed:
        raise Unsupported("whoever looks ahead can't be split")
    time = 1 if batch_first else 0
    outputs, options = [], {"batch_first": batch_first, "bidirectional": False, "packed": False}
    for part in x.split(x.shape[time] // 2, time):
        output, h0 = gru(x=part, h0=h0, **given, **options)
        outputs.append(output)
    return torch.cat(outputs, time), h0


_carried = {}


@fault(gru, cause="earlier calls", words="its result depends on earlier calls")
def stateful(h0, **given):
    """The final states of a call are the initial states of the next one of the same form."""
    form = (h0.shape, h0.dtype)
    output, last = gru(h0=_carried.get(form, h0), **given)
    _carried[form] = last.detach().clone()
    return output, last


@fault(lstm, cause="lower precision", words="float32")
def states_in_float32(**given):
    """float64 is computed in float32."""
    dtype = given["x"].dtype
    narrow = {
        name: t.float() if isinstance(t, torch.Tensor) and t.dtype == torch.float64 else t for name, t in given.items()
    }
    return tuple(result.to(dtype) for result in lstm(**narrow))


@fault(gru_cell, cause="gradient scaled", words="the gradient in h is cut")
def state_detached(h, **given):
    """The state is taken for a constant."""
    return gru_cell(h=h.detach(), **given)


@fault(gru_cell, cause="gradient scaled", words=("the gradient in w_hh", "counted twice"))
def recurrent_gradient_doubled(w_hh, **given):
    """The recurrent weights get their gradient twice, as from two backward hooks."""
    return gru_cell(w_hh=2 * w_hh - w_hh.detach(), **given)


@correct(gru_cell, backend="numpy")
def unit_by_unit(x, h, w_ih, w_hh, b_ih, b_hh):
    """Every unit of every sample by itself."""
    made, size = np.empty_like(h, order="C"), h.shape[1]
    for sample, unit in np.ndindex(*h.shape):
        entering = [w_ih[gate * size + unit] @ x[sample] + b_ih[gate * size + unit] for gate in range(3)]
        held = [w_hh[gate * size + unit] @ h[sample] + b_hh[gate * size + unit] for gate in range(3)]
        reset, update = (1 / (1 + np.exp(-(entering[gate] + held[gate]))) for gate in range(2))
        new = np.tanh(entering[2] + reset * held[2])
        made[sample, unit] = new + update * (h[sample, unit] - new)
    return made


def _one_product(x, state, way):
    """[x; h] times both matrices at once, sigmoids by tanh."""
    h, c = state
    joined = torch.cat([x, h], -1) @ torch.cat([way.w_ih, way.w_hh], -1).T + (way.b_ih + way.b_hh)
    i, f, g, o = joined.chunk(4, -1)
    c = (1 + torch.tanh(f / 2)) / 2 * c + (1 + torch.tanh(i / 2)) / 2 * torch.tanh(g)
    return (1 + torch.tanh(o / 2)) / 2 * torch.tanh(c), c


@correct(lstm)
def sigmoids_by_tanh(x, h0, c0, lengths, layers, bidirectional, batch_first, packed, **weights):
    """Both products as one, and σ(a) as (1 + tanh(a/2))/2."""
    run, ways = partial(step_by_step, _one_product), stacked(**weights)
    return through_layers(run, x, (h0, c0), lengths if packed else None, ways, batch_first)


@correct(rnn)
def both_biases_first(b_ih, b_hh, **given):
    """The biases are added before anything else."""
    return rnn(b_ih=b_ih + b_hh, b_hh=torch.zeros_like(b_hh), **given)


@correct(lstm)
def time_first_inside(x, batch_first, **given):
    """torch.nn.LSTM, time first whatever is asked."""
    output, h, c = torch_lstm(x=x.transpose(0, 1) if batch_first else x, batch_first=False, **given)
    return (output.transpose(0, 1) if batch_first else output), h, c


@correct(gru)
def exchanged_twice(x, h0, lengths, **given):
    """The samples from the last to the first, and back."""
    sample = 0 if given["batch_first"] else 1
    output, last = gru(x=x.flip(sample), h0=h0.flip(1), lengths=lengths.flip(0), **given)
    return output.flip(sample), last.flip(1)
