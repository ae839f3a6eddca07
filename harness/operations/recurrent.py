"""Recurrent networks: rnn, lstm, gru and gru_cell, in torch's layouts and order of gates.

The weights of a layer are stacked gate by gate, each gate a block of `hidden` rows (claims gru.weight-shape,
gru.concat, gru.shape-288): `w_ih` is (directions, gates·hidden, feature) for the first layer, `w_ih_upper` the same for
the layers above it, which read what the directions below gave, side by side; `w_hh`, `b_ih` and `b_hh` have a leading
axis of layers. States are (layers·directions, batch, hidden), whatever `batch_first` says.

Packed: sample i has `lengths[i]` steps. Past them it keeps its state, its outputs are zero, and its input is not read;
the backward direction begins at its last step (claim gru.packed). Not packed: `lengths` is not read.

Left out: a projection of the state (torch's `proj_size`), layers without biases, dropout between layers.

Sources: docs/sources.md#recurrent-networks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Annotated, Any, NamedTuple

import numpy as np
import torch
from annotated_types import Interval
from jaxtyping import Float, Int
from numpy.typing import NDArray
from torch import Tensor

from harness.declare import domains
from harness.declare.causal import Causal
from harness.declare.declaration import operation
from harness.declare.domain import when
from harness.declare.structure import RandomSource, structure, typical

Array = Any
"""A torch tensor or a numpy array: the loops below serve both."""

State = tuple[Array, ...]
"""What is carried from step to step: (h,) or (h, c), each (batch, hidden)."""


class Way(NamedTuple):
    """The weights of one direction of one layer, gates stacked along the first axis."""

    w_ih: Array
    w_hh: Array
    b_ih: Array
    b_hh: Array


Step = Callable[[Array, State, Way], State]
"""One step: what enters it (batch, …) and the state before, to the state after."""

Pass = Callable[[Array, State, Way, Array, bool], tuple[Array, State]]
"""One direction of one layer: steps (time, batch, feature), the state before them, weights, lengths (None: all steps
count) and whether it runs backwards; to outputs (time, batch, hidden) in the order of the steps and the last state."""


# Structures


_WITHIN_TIME = domains.lengths("time")


@structure(admits=_WITHIN_TIME.admits, simpler=_WITHIN_TIME.simpler)
def sequence_lengths(stream: RandomSource) -> NDArray[np.int64]:
    """From 1 to `time` in any order, in a case in eight all the same; not packed they are there too, and not read."""
    steps = stream.integers(1, stream.known["time"])
    alike = steps.size and stream.integers(0, 7, (1,))[0] == 0
    return np.full_like(steps, steps[0]) if alike else steps


@typical
def fan_in(stream: RandomSource) -> NDArray[np.float64]:
    """Weights of variance 1 over the number of inputs, so that a sum of them neither saturates nor dies."""
    return stream.normal() / np.sqrt(float(stream.shape[-1]))


@typical
def faint(stream: RandomSource) -> NDArray[np.float64]:
    """Weights of an input that may be thousands, small enough that it does not saturate every gate.

    Beyond about 10, tanh's slope 1 − tanh² has no digits left in any precision, and a gradient through nothing but
    saturated gates is lost by every implementation.
    """
    return np.ldexp(fan_in(stream), -5)


@typical
def half_a_bell(stream: RandomSource) -> NDArray[np.float64]:
    """Biases of deviation 1/2."""
    return stream.normal() / 2


@typical
def within_one(stream: RandomSource) -> NDArray[np.float64]:
    """States that these networks can reach: between -1 and 1."""
    return 2 * stream.uniform() - 1


# The maths, for torch tensors and numpy arrays alike


def stacked(w_ih: Array, w_ih_upper: Array, w_hh: Array, b_ih: Array, b_hh: Array) -> list[list[Way]]:
    """The weights by layer and direction."""
    return [
        [Way(inputs[way], w_hh[layer][way], b_ih[layer][way], b_hh[layer][way]) for way in range(len(inputs))]
        for layer, inputs in enumerate((w_ih, *w_ih_upper))
    ]


def through_layers(
    run: Pass, x: Array, start: State, lengths: Array, layers: Sequence[Sequence[Way]], batch_first: bool
) -> tuple[Array, ...]:
    """Layer after layer, each reading the outputs of all directions of the one below: (output, *final states)."""
    library = _library_of(x)
    steps = x.swapaxes(0, 1) if batch_first else x
    finals: list[State] = []
    for ways in layers:
        first = len(finals)
        runs = [
            run(steps, tuple(state[first + index] for state in start), way, lengths, index == 1)
            for index, way in enumerate(ways)
        ]
        steps = library.concatenate([outputs for outputs, _ in runs], axis=-1)
        finals += [final for _, final in runs]
    output = steps.swapaxes(0, 1) if batch_first else steps
    return output, *(library.stack(state) for state in zip(*finals, strict=True))


def step_by_step(
    step: Step, steps: Array, start: State, way: Way, lengths: Array, backwards: bool
) -> tuple[Array, State]:
    """A Pass, once `step` is given: a loop over time."""
    library = _library_of(steps)
    state, frames = start, list(steps)
    outputs = frames[:]
    for time in reversed(range(len(frames))) if backwards else range(len(frames)):
        moved = step(frames[time], state, way)
        if lengths is None:
            state, outputs[time] = moved, moved[0]
        else:
            alive = (time < lengths)[:, None]
            state = tuple(library.where(alive, new, old) for new, old in zip(moved, state, strict=True))
            outputs[time] = library.where(alive, moved[0], 0.0)
    return library.stack(outputs), state


def _library_of(array: Array) -> Any:
    return torch if isinstance(array, Tensor) else np


def _defined(step: Step, steps: Array, start: State, way: Way, lengths: Array, backwards: bool) -> tuple[Array, State]:
    """A Pass, once `step` is given: what enters the gates is summed for all steps at once."""
    return step_by_step(step, _entering(steps, way), start, way, lengths, backwards)


def _entering(steps: Array, way: Way) -> Array:
    return steps @ way.w_ih.T + way.b_ih


def _recurring(h: Array, way: Way) -> Array:
    return h @ way.w_hh.T + way.b_hh


def _rnn_step(entering: Array, state: State, way: Way) -> State:
    (h,) = state
    return (_tanh(entering + _recurring(h, way)),)


def _lstm_step(entering: Array, state: State, way: Way) -> State:
    h, c = state
    i, f, g, o = _gates(entering + _recurring(h, way), 4)
    c = _sigmoid(f) * c + _sigmoid(i) * _tanh(g)
    return _sigmoid(o) * _tanh(c), c


def _gru_step(entering: Array, state: State, way: Way) -> State:
    (h,) = state
    xr, xz, xn = _gates(entering, 3)
    hr, hz, hn = _gates(_recurring(h, way), 3)
    n = _tanh(xn + _sigmoid(xr + hr) * hn)
    # σ(-a) is 1 - σ(a) with the digits that the difference loses where σ(a) is near 1
    return (_sigmoid(-(xz + hz)) * n + _sigmoid(xz + hz) * h,)


def _gates(sums: Array, count: int) -> list[Array]:
    hidden = sums.shape[-1] // count
    return [sums[..., gate * hidden : (gate + 1) * hidden] for gate in range(count)]


def _tanh(x: Array) -> Array:
    return _library_of(x).tanh(x)


def _sigmoid(x: Array) -> Array:
    return x.sigmoid() if isinstance(x, Tensor) else 1 / (1 + np.exp(-x))


# The operations

Inputs = Annotated[Float[Tensor, "time batch feature"], when("batch_first", "batch time feature")]
Lengths = Annotated[Int[Tensor, "batch"], sequence_lengths]
Hidden = Float[Tensor, "layers*(1+bidirectional) batch hidden"]
Reached = Annotated[Hidden, within_one]
Outputs = Annotated[
    Float[Tensor, "time batch (1+bidirectional)*hidden"], when("batch_first", "batch time (1+bidirectional)*hidden")
]
Layers = Annotated[int, Interval(ge=1, le=2)]

_SIZES = {"batch": (0, 17), "time": (1, 33), "feature": (1, 33), "hidden": (1, 17)}
_LOOKING_AHEAD = ("bidirectional", "packed")


@operation(sizes=_SIZES, causal=Causal("time", unless=_LOOKING_AHEAD, carry={"h0": 1}))
def rnn(
    x: Inputs,
    h0: Reached,
    lengths: Lengths,
    w_ih: Annotated[Float[Tensor, "(1+bidirectional) hidden feature"], faint],
    w_ih_upper: Annotated[Float[Tensor, "layers-1 (1+bidirectional) hidden (1+bidirectional)*hidden"], fan_in],
    w_hh: Annotated[Float[Tensor, "layers (1+bidirectional) hidden hidden"], fan_in],
    b_ih: Annotated[Float[Tensor, "layers (1+bidirectional) hidden"], half_a_bell],
    b_hh: Annotated[Float[Tensor, "layers (1+bidirectional) hidden"], half_a_bell],
    layers: Layers,
    bidirectional: bool,
    batch_first: bool,
    packed: bool,
) -> tuple[Outputs, Hidden]:
    """Elman's network, h' = tanh(W_ih x + b_ih + W_hh h + b_hh) (claim rnn.concatenated): outputs and final states."""
    run, ways = partial(_defined, _rnn_step), stacked(w_ih, w_ih_upper, w_hh, b_ih, b_hh)
    return through_layers(run, x, (h0,), lengths if packed else None, ways, batch_first)


@operation(sizes=_SIZES, causal=Causal("time", unless=_LOOKING_AHEAD, carry={"h0": 1, "c0": 2}))
def lstm(
    x: Inputs,
    h0: Reached,
    c0: Reached,
    lengths: Lengths,
    w_ih: Annotated[Float[Tensor, "(1+bidirectional) 4*hidden feature"], faint],
    w_ih_upper: Annotated[Float[Tensor, "layers-1 (1+bidirectional) 4*hidden (1+bidirectional)*hidden"], fan_in],
    w_hh: Annotated[Float[Tensor, "layers (1+bidirectional) 4*hidden hidden"], fan_in],
    b_ih: Annotated[Float[Tensor, "layers (1+bidirectional) 4*hidden"], half_a_bell],
    b_hh: Annotated[Float[Tensor, "layers (1+bidirectional) 4*hidden"], half_a_bell],
    layers: Layers,
    bidirectional: bool,
    batch_first: bool,
    packed: bool,
) -> tuple[Outputs, Hidden, Hidden]:
    """Long short-term memory: outputs, final h and final c (claim lstm.tuple), gates in the order i, f, g, o.

    With a = W_ih x + b_ih + W_hh h + b_hh split by gate: c' = σ(a_f) c + σ(a_i) tanh(a_g), h' = σ(a_o) tanh(c').
    """
    run, ways = partial(_defined, _lstm_step), stacked(w_ih, w_ih_upper, w_hh, b_ih, b_hh)
    return through_layers(run, x, (h0, c0), lengths if packed else None, ways, batch_first)


@operation(sizes=_SIZES, causal=Causal("time", unless=_LOOKING_AHEAD, carry={"h0": 1}))
def gru(
    x: Inputs,
    h0: Reached,
    lengths: Lengths,
    w_ih: Annotated[Float[Tensor, "(1+bidirectional) 3*hidden feature"], faint],
    w_ih_upper: Annotated[Float[Tensor, "layers-1 (1+bidirectional) 3*hidden (1+bidirectional)*hidden"], fan_in],
    w_hh: Annotated[Float[Tensor, "layers (1+bidirectional) 3*hidden hidden"], fan_in],
    b_ih: Annotated[Float[Tensor, "layers (1+bidirectional) 3*hidden"], half_a_bell],
    b_hh: Annotated[Float[Tensor, "layers (1+bidirectional) 3*hidden"], half_a_bell],
    layers: Layers,
    bidirectional: bool,
    batch_first: bool,
    packed: bool,
) -> tuple[Outputs, Hidden]:
    """Gated recurrent unit: outputs and final states, every step a `gru_cell` (claim gru.cell)."""
    run, ways = partial(_defined, _gru_step), stacked(w_ih, w_ih_upper, w_hh, b_ih, b_hh)
    return through_layers(run, x, (h0,), lengths if packed else None, ways, batch_first)


@gru.workload(
    sizes={"batch": 8, "time": 64, "feature": 64, "hidden": 64},
    options={"layers": 1, "bidirectional": False, "batch_first": False, "packed": False},
    ladder={"batch": (1, 8, 64), "time": (16, 64, 256, 1024), "hidden": (16, 64, 256)},
)
def gru_cost(batch: int, time: int, feature: int, hidden: int) -> int:
    """Three gates, each a product with the input and one with the state; what follows from them is little beside it."""
    return 6 * batch * time * hidden * (feature + hidden)


@operation(sizes={"batch": (0, 33), "feature": (1, 65), "hidden": (1, 33)})
def gru_cell(
    x: Float[Tensor, "batch feature"],
    h: Annotated[Float[Tensor, "batch hidden"], within_one],
    w_ih: Annotated[Float[Tensor, "3*hidden feature"], faint],
    w_hh: Annotated[Float[Tensor, "3*hidden hidden"], fan_in],
    b_ih: Annotated[Float[Tensor, " 3*hidden"], half_a_bell],
    b_hh: Annotated[Float[Tensor, " 3*hidden"], half_a_bell],
) -> Float[Tensor, "batch hidden"]:
    """One step of a gated recurrent unit (claim gru.cell), gates in the order r, z, n, reset after the product.

    r = σ(W_ir x + b_ir + W_hr h + b_hr), z likewise, n = tanh(W_in x + b_in + r (W_hn h + b_hn)), and
    h' = (1 − z) n + z h, a convex combination (claim gru.convex).
    """
    way = Way(w_ih, w_hh, b_ih, b_hh)
    return _gru_step(_entering(x, way), (h,), way)[0]


# The same maths on long doubles, for which it is written as well
rnn.in_extended_precision(rnn.definition)
lstm.in_extended_precision(lstm.definition)
gru.in_extended_precision(gru.definition)
gru_cell.in_extended_precision(gru_cell.definition)
