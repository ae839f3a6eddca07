"""Recurrent networks by keras, onnxruntime, jax and equinox, each with the order of gates that it expects."""

from __future__ import annotations

from functools import lru_cache, partial

import numpy as np
import torch

from harness.errors import Unsupported
from harness.operations.recurrent import Way, gru, gru_cell, lstm, rnn, stacked, step_by_step, through_layers

# torch stacks a GRU's gates r, z, n and an LSTM's i, f, g, o
_UPDATE_FIRST = (1, 0, 2)
"""z, r, n: keras and ONNX."""
_OUTPUT_SECOND = (0, 3, 1, 2)
"""i, o, f, g: ONNX."""


def _reordered(gates, order):
    """Blocks of gates along the first axis in another order."""
    blocks = np.split(gates, len(order))
    return np.concatenate([blocks[gate] for gate in order])


# keras: one layer for each direction of each layer, which masks the steps past a sample's length


def _one_bias(way):
    return [way.w_ih.T, way.w_hh.T, way.b_ih + way.b_hh]


def _two_biases(way):
    """reset_after=True keeps both, because the recurrent one stands inside the reset."""
    w_ih, w_hh, b_ih, b_hh = (_reordered(part, _UPDATE_FIRST) for part in way)
    return [w_ih.T, w_hh.T, np.stack([b_ih, b_hh])]


@lru_cache(maxsize=512)
def _keras_layer(kind, feature, hidden, backwards):
    import keras

    layer = getattr(keras.layers, kind)(
        hidden, return_sequences=True, return_state=True, go_backwards=backwards, dtype="float32"
    )
    layer.build((None, None, feature))
    return layer


def _keras_pass(kind, arranged, steps, start, way, lengths, backwards):
    """One direction of one layer. A backward layer gives its outputs in the order in which it made them."""
    layer = _keras_layer(kind, steps.shape[-1], way.w_hh.shape[-1], backwards)
    layer.set_weights(arranged(way))
    alive = None if lengths is None else np.arange(len(steps)) < lengths[:, None]
    outputs, *final = layer(steps.swapaxes(0, 1), mask=alive, initial_state=list(start))
    outputs = outputs.detach().numpy().swapaxes(0, 1)
    outputs = outputs[::-1] if backwards else outputs
    outputs = outputs if alive is None else np.where(alive.T[..., None], outputs, 0)
    return outputs, tuple(state.detach().numpy() for state in final)


@rnn.implementation(backend="keras", name="SimpleRNN", dtypes=(torch.float32,))
def keras_rnn(x, h0, lengths, w_ih, w_ih_upper, w_hh, b_ih, b_hh, layers, bidirectional, batch_first, packed):
    """SimpleRNN layers, masked where sequences have lengths."""
    ways = stacked(w_ih, w_ih_upper, w_hh, b_ih, b_hh)
    run = partial(_keras_pass, "SimpleRNN", _one_bias)
    return through_layers(run, x, (h0,), lengths if packed else None, ways, batch_first)


@lstm.implementation(backend="keras", name="LSTM", dtypes=(torch.float32,))
def keras_lstm(x, h0, c0, lengths, w_ih, w_ih_upper, w_hh, b_ih, b_hh, layers, bidirectional, batch_first, packed):
    """LSTM layers, masked where sequences have lengths."""
    ways = stacked(w_ih, w_ih_upper, w_hh, b_ih, b_hh)
    run = partial(_keras_pass, "LSTM", _one_bias)
    return through_layers(run, x, (h0, c0), lengths if packed else None, ways, batch_first)


@gru.implementation(backend="keras", name="GRU", dtypes=(torch.float32,))
def keras_gru(x, h0, lengths, w_ih, w_ih_upper, w_hh, b_ih, b_hh, layers, bidirectional, batch_first, packed):
    """GRU layers with reset_after=True, masked where sequences have lengths."""
    ways = stacked(w_ih, w_ih_upper, w_hh, b_ih, b_hh)
    run = partial(_keras_pass, "GRU", _two_biases)
    return through_layers(run, x, (h0,), lengths if packed else None, ways, batch_first)


@gru_cell.implementation(backend="keras", name="keras.GRUCell", dtypes=(torch.float32,))
def keras_gru_cell(x, h, w_ih, w_hh, b_ih, b_hh):
    """A GRUCell with reset_after=True."""
    cell = _keras_cell(x.shape[-1], h.shape[-1])
    cell.set_weights(_two_biases(Way(w_ih, w_hh, b_ih, b_hh)))
    return cell(x, [h])[0]


@lru_cache(maxsize=512)
def _keras_cell(feature, hidden):
    import keras

    cell = keras.layers.GRUCell(hidden, dtype="float32")
    cell.build((None, feature))
    return cell


# onnxruntime: one node for each layer, both directions and the lengths of sequences inside it


@lru_cache(maxsize=128)
def _onnx_session(kind, hidden, directions):
    import onnx
    import onnxruntime

    states = ["h", "c"] if kind == "LSTM" else ["h"]
    inputs = ["X", "W", "R", "B", "sequence_lens", *(f"initial_{state}" for state in states)]
    outputs = ["Y", *(f"Y_{state}" for state in states)]
    ranks = {"X": 3, "W": 3, "R": 3, "B": 2, "sequence_lens": 1, "Y": 4}

    def described(name):
        dtype = onnx.TensorProto.INT32 if name == "sequence_lens" else onnx.TensorProto.FLOAT
        return onnx.helper.make_tensor_value_info(name, dtype, [None] * ranks.get(name, 3))

    extra = {"linear_before_reset": 1} if kind == "GRU" else {}
    direction = "bidirectional" if directions == 2 else "forward"
    node = onnx.helper.make_node(kind, inputs, outputs, hidden_size=hidden, direction=direction, **extra)
    graph = onnx.helper.make_graph([node], kind, [*map(described, inputs)], [*map(described, outputs)])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 14)], ir_version=8)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def _onnx(kind, order, x, start, lengths, ways, batch_first):
    """(output, *final states), a session for each layer."""
    steps = np.ascontiguousarray(x.swapaxes(0, 1) if batch_first else x)
    time, batch, _ = steps.shape
    if not batch and kind != "RNN":
        raise Unsupported(f"onnxruntime's {kind} node ends the whole process on an empty batch")
    ends = np.full(batch, time) if lengths is None else lengths
    directions, hidden, finals = len(ways[0]), start[0].shape[-1], []
    session = _onnx_session(kind, hidden, directions)
    for layer, both in enumerate(ways):
        w, r, b, b_r = (np.stack([_reordered(part, order) for part in parts]) for parts in zip(*both, strict=True))
        ranks = slice(layer * directions, (layer + 1) * directions)
        given = {"X": steps, "W": w, "R": r, "B": np.concatenate([b, b_r], 1), "sequence_lens": ends.astype(np.int32)}
        given |= {
            f"initial_{name}": np.ascontiguousarray(state[ranks]) for name, state in zip("hc", start, strict=False)
        }
        output, *final = session.run(None, given)
        steps = np.ascontiguousarray(output.transpose(0, 2, 1, 3)).reshape(time, batch, directions * hidden)
        finals.append(final)
    output = steps.swapaxes(0, 1) if batch_first else steps
    return output, *(np.concatenate(state) for state in zip(*finals, strict=True))


@rnn.implementation(backend="onnxruntime", name="ONNX.RNN")
def onnx_rnn(x, h0, lengths, w_ih, w_ih_upper, w_hh, b_ih, b_hh, layers, bidirectional, batch_first, packed):
    """The RNN node."""
    ways = stacked(w_ih, w_ih_upper, w_hh, b_ih, b_hh)
    return _onnx("RNN", (0,), x, (h0,), lengths if packed else None, ways, batch_first)


@lstm.implementation(backend="onnxruntime", name="ONNX.LSTM")
def onnx_lstm(x, h0, c0, lengths, w_ih, w_ih_upper, w_hh, b_ih, b_hh, layers, bidirectional, batch_first, packed):
    """The LSTM node."""
    ways = stacked(w_ih, w_ih_upper, w_hh, b_ih, b_hh)
    return _onnx("LSTM", _OUTPUT_SECOND, x, (h0, c0), lengths if packed else None, ways, batch_first)


@gru.implementation(backend="onnxruntime", name="ONNX.GRU")
def onnx_gru(x, h0, lengths, w_ih, w_ih_upper, w_hh, b_ih, b_hh, layers, bidirectional, batch_first, packed):
    """The GRU node with linear_before_reset=1."""
    ways = stacked(w_ih, w_ih_upper, w_hh, b_ih, b_hh)
    return _onnx("GRU", _UPDATE_FIRST, x, (h0,), lengths if packed else None, ways, batch_first)


@gru_cell.implementation(backend="onnxruntime", name="ONNX.GRU")
def onnx_gru_cell(x, h, w_ih, w_hh, b_ih, b_hh):
    """The GRU node on a sequence of one step."""
    ways = [[Way(w_ih, w_hh, b_ih, b_hh)]]
    return _onnx("GRU", _UPDATE_FIRST, x[None], (h[None],), None, ways, False)[1][0]


# jax and equinox: a step on arrays with room to spare, so that one compilation serves all sizes

_ROOM = {"batch": 18, "feature": 18, "hidden": 9}
"""Each axis is rounded up to a multiple of these, so that few shapes are ever compiled."""


def _with_room(array, *axes):
    """The array with zeros behind it along the named axes."""
    return np.pad(array, [(0, -size % _ROOM.get(axis, 1)) for size, axis in zip(array.shape, axes, strict=True)])


def _way_with_room(way, hidden):
    """The weights with zeros behind each gate's block: units that do not exist add nothing to those that do."""

    def blocks(part, *axes):
        wide = _with_room(part.reshape(-1, hidden, *part.shape[1:]), "gate", "hidden", *axes)
        return wide.reshape(-1, *wide.shape[2:])

    return Way(blocks(way.w_ih, "feature"), blocks(way.w_hh, "hidden"), blocks(way.b_ih), blocks(way.b_hh))


def _tanh_cell(x, state, way):
    import jax.numpy as jnp

    return (jnp.tanh(x @ way.w_ih.T + state[0] @ way.w_hh.T + (way.b_ih + way.b_hh)),)


def _equinox_gru_cell(x, state, way):
    """The cell takes one bias for r and z, and the recurrent one of n apart."""
    import equinox
    import jax

    r_and_z = 2 * len(way.b_hh) // 3
    bias = way.b_ih.at[:r_and_z].add(way.b_hh[:r_and_z])
    skeleton = equinox.filter_eval_shape(equinox.nn.GRUCell, x.shape[-1], state[0].shape[-1], key=jax.random.key(0))
    values = (way.w_ih, way.w_hh, bias, way.b_hh[r_and_z:])
    cell = equinox.tree_at(lambda made: (made.weight_ih, made.weight_hh, made.bias, made.bias_n), skeleton, values)
    return (jax.vmap(cell)(x, state[0]),)


def _equinox_lstm_cell(x, state, way):
    import equinox
    import jax

    skeleton = equinox.filter_eval_shape(equinox.nn.LSTMCell, x.shape[-1], state[0].shape[-1], key=jax.random.key(0))
    values = (way.w_ih, way.w_hh, way.b_ih + way.b_hh)
    cell = equinox.tree_at(lambda made: (made.weight_ih, made.weight_hh, made.bias), skeleton, values)
    return jax.vmap(cell)(x, state)


@lru_cache(maxsize=8)
def _compiled(cell):
    """A cell for arrays with room. Units that do not exist stay zero, or a NaN of theirs would reach the others."""
    import jax
    import jax.numpy as jnp

    return jax.jit(lambda x, state, way, units: tuple(jnp.where(units, new, 0) for new in cell(x, state, way)))


def _jax_pass(cell, steps, start, way, lengths, backwards):
    """One direction of one layer, for numpy arrays."""
    import jax

    batch, hidden = start[0].shape
    units = jax.device_put(_with_room(np.ones(hidden, bool), "hidden"))

    def step(x, state, weights):
        return _compiled(cell)(x, state, weights, units)

    outputs, final = step_by_step(
        step,
        _with_room(steps, "time", "batch", "feature"),
        tuple(_with_room(state, "batch", "hidden") for state in start),
        jax.device_put(_way_with_room(way, hidden)),
        None if lengths is None else _with_room(lengths, "batch"),
        backwards,
    )
    return outputs[:, :batch, :hidden], tuple(np.asarray(state)[:batch, :hidden] for state in final)


def _jax(cell, x, start, lengths, weights, batch_first, packed):
    x, lengths, *start = map(np.asarray, (x, lengths, *start))
    ways = stacked(*map(np.asarray, weights))
    return through_layers(partial(_jax_pass, cell), x, tuple(start), lengths if packed else None, ways, batch_first)


@rnn.implementation(backend="jax", name="jit")
def jax_rnn(x, h0, lengths, w_ih, w_ih_upper, w_hh, b_ih, b_hh, layers, bidirectional, batch_first, packed):
    """A step compiled by jax."""
    return _jax(_tanh_cell, x, (h0,), lengths, (w_ih, w_ih_upper, w_hh, b_ih, b_hh), batch_first, packed)


@lstm.implementation(backend="equinox", name="LSTMCell")
def equinox_lstm(x, h0, c0, lengths, w_ih, w_ih_upper, w_hh, b_ih, b_hh, layers, bidirectional, batch_first, packed):
    """The LSTMCell of equinox, compiled by jax."""
    return _jax(_equinox_lstm_cell, x, (h0, c0), lengths, (w_ih, w_ih_upper, w_hh, b_ih, b_hh), batch_first, packed)


@gru.implementation(backend="equinox", name="GRUCell")
def equinox_gru(x, h0, lengths, w_ih, w_ih_upper, w_hh, b_ih, b_hh, layers, bidirectional, batch_first, packed):
    """The GRUCell of equinox, compiled by jax."""
    return _jax(_equinox_gru_cell, x, (h0,), lengths, (w_ih, w_ih_upper, w_hh, b_ih, b_hh), batch_first, packed)


@gru_cell.implementation(backend="equinox", name="GRUCell")
def equinox_gru_cell(x, h, w_ih, w_hh, b_ih, b_hh):
    """The GRUCell, compiled by jax."""
    x, h, *weights = map(np.asarray, (x, h, w_ih, w_hh, b_ih, b_hh))
    _, (final,) = _jax_pass(_equinox_gru_cell, x[None], (h,), Way(*weights), None, False)
    return final
