"""Recurrent networks: definitions against 50 digits and torch's modules, properties on right and on faulty code."""

import functools

import mpmath
import numpy as np
import pytest
import torch

import harness
from harness.declare.implementation import implementation_of
from harness.generate.plan import plan
from harness.measure.comparison import allowance
from harness.measure.verdict import Verdict
from harness.operations import recurrent_loops, recurrent_peers  # noqa: F401  (they add the implementations)
from harness.operations.recurrent import gru, gru_cell, lstm, rnn
from harness.verify.cell import Cell, cells
from harness.verify.exploration import explore
from harness.verify.suite import every_property

PROPERTIES = {prop.name: prop for prop in every_property()}
NETWORKS = (rnn, lstm, gru)
MODULES = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}


# 50 digits: every gate of every unit by itself, with plain lists


def _sigma(a):
    return 1 / (1 + mpmath.exp(-a))


def _sum(matrix, vector, bias):
    return [
        b + mpmath.fsum(w * v for w, v in zip(row, vector, strict=True)) for row, b in zip(matrix, bias, strict=True)
    ]


def rnn_step(x, state, w_ih, w_hh, b_ih, b_hh):
    return ([mpmath.tanh(a + b) for a, b in zip(_sum(w_ih, x, b_ih), _sum(w_hh, state[0], b_hh), strict=True)],)


def lstm_step(x, state, w_ih, w_hh, b_ih, b_hh):
    h, c = state
    size = len(h)
    a = [p + q for p, q in zip(_sum(w_ih, x, b_ih), _sum(w_hh, h, b_hh), strict=True)]
    c = [_sigma(a[size + u]) * c[u] + _sigma(a[u]) * mpmath.tanh(a[2 * size + u]) for u in range(size)]
    return [_sigma(a[3 * size + u]) * mpmath.tanh(c[u]) for u in range(size)], c


def gru_step(x, state, w_ih, w_hh, b_ih, b_hh):
    (h,) = state
    size = len(h)
    a, b = _sum(w_ih, x, b_ih), _sum(w_hh, h, b_hh)
    made = []
    for u in range(size):
        r, z = _sigma(a[u] + b[u]), _sigma(a[size + u] + b[size + u])
        n = mpmath.tanh(a[2 * size + u] + r * b[2 * size + u])
        made.append((1 - z) * n + z * h[u])
    return (made,)


STEPS = {"rnn": rnn_step, "lstm": lstm_step, "gru": gru_step}


def _digits(tensor):
    return [_digits(part) for part in tensor] if tensor.ndim else mpmath.mpf(float(tensor))


def in_50_digits(case):
    """(output, *final states) of a network: nested lists of mpf."""
    given, options = {name: _digits(tensor) for name, tensor in case.tensors.items()}, case.options
    sizes, ways = case.sizes, 1 + options["bidirectional"]
    starts = [given[name] for name in ("h0", "c0") if name in given]
    output = [[None] * sizes["batch"] for _ in range(sizes["time"])]
    finals = [[[None] * sizes["batch"] for _ in state] for state in starts]
    for sample in range(sizes["batch"]):
        length = int(given["lengths"][sample]) if options["packed"] else sizes["time"]
        sequence = [given["x"][sample][t] if options["batch_first"] else given["x"][t][sample] for t in range(length)]
        for layer in range(options["layers"]):
            found = [[] for _ in range(length)]
            for way in range(ways):
                w_ih = given["w_ih"][way] if layer == 0 else given["w_ih_upper"][layer - 1][way]
                weights = (w_ih, *(given[name][layer][way] for name in ("w_hh", "b_ih", "b_hh")))
                state = tuple(start[layer * ways + way][sample] for start in starts)
                for t in reversed(range(length)) if way else range(length):
                    state = STEPS[case.operation.name](sequence[t], state, *weights)
                    found[t] = found[t] + state[0]
                for final, part in zip(finals, state, strict=True):
                    final[layer * ways + way][sample] = part
            sequence = found
        for t in range(sizes["time"]):
            output[t][sample] = sequence[t] if t < length else [mpmath.mpf(0)] * (ways * sizes["hidden"])
    if options["batch_first"]:
        output = [list(sample) for sample in zip(*output, strict=True)]
    return output, *finals


def _long(nested):
    strings = np.array(nested, dtype=object)
    return np.vectorize(lambda digits: np.longdouble(mpmath.nstr(digits, 25)), otypes=[np.longdouble])(strings)


def small_cases(operation):
    """Every combination of options on a few samples of different lengths."""
    sizes = {"batch": 3, "time": 4, "feature": 3, "hidden": 2}
    return [
        harness.Case(
            operation, sizes, {"layers": layers, "bidirectional": both, "batch_first": first, "packed": lengths}, seed=8
        )
        for layers in (1, 2)
        for both in (False, True)
        for first in (False, True)
        for lengths in (False, True)
    ]


def _scores(case, results, expected):
    parts = harness.reference(case).parts
    for result, digits, part in zip(results, expected, parts, strict=True):
        yield harness.close("in 50 digits", result, digits, case, like=part).score


@pytest.mark.parametrize("operation", NETWORKS, ids=lambda operation: operation.name)
def test_definitions_against_50_digits(operation):
    unsorted = [case for case in small_cases(operation) if case.options["packed"]]
    assert any(case.tensors["lengths"].tolist() != [4, 4, 4] for case in unsorted)
    with mpmath.workdps(50):
        for case in small_cases(operation):
            expected = [_long(part) for part in in_50_digits(case)]
            call = case.plain_call()
            definition = operation.definition(**call.arguments, **call.options)
            assert max(_scores(case, definition, expected)) <= allowance(case), case.describe()
            # the reference of a float64 case is the definition in extended precision, 2^-11 of eps
            extended = [part.expected for part in harness.reference(case).parts]
            assert max(_scores(case, extended, expected)) <= allowance(case) / 1024, case.describe()


def test_cell_against_50_digits():
    case = harness.Case(gru_cell, {"batch": 3, "feature": 4, "hidden": 5}, seed=3)
    given = {name: _digits(tensor) for name, tensor in case.tensors.items()}
    weights = [given[name] for name in ("w_ih", "w_hh", "b_ih", "b_hh")]
    with mpmath.workdps(50):
        cells = [gru_step(x, (h,), *weights)[0] for x, h in zip(given["x"], given["h"], strict=True)]
        expected = [_long(cells)]
    assert max(_scores(case, [gru_cell(**case.tensors)], expected)) <= allowance(case)
    assert max(_scores(case, [harness.reference(case).parts[0].expected], expected)) <= allowance(case) / 1024


# Torch's own modules, from their own parameters


def _arguments(module, operation, x, start, lengths):
    """What an operation takes, read off a module's parameters by the names that torch gives them."""
    own = dict(module.named_parameters())
    ways = ("", "_reverse")[: 1 + module.bidirectional]

    def layers(name, first=0):
        rows = [torch.stack([own[f"{name}_l{n}{way}"] for way in ways]) for n in range(first, module.num_layers)]
        return (
            torch.stack(rows)
            if rows
            else torch.zeros(0, len(ways), len(own["bias_ih_l0"]), module.hidden_size * len(ways))
        )

    return {
        "x": x,
        **dict(zip(("h0", "c0"), start, strict=False)),
        "lengths": lengths,
        "w_ih": torch.stack([own[f"weight_ih_l0{way}"] for way in ways]),
        "w_ih_upper": layers("weight_ih", 1).to(x.dtype),
        "w_hh": layers("weight_hh"),
        "b_ih": layers("bias_ih"),
        "b_hh": layers("bias_hh"),
    }


@pytest.mark.parametrize("operation", NETWORKS, ids=lambda operation: operation.name)
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_layout_and_order_of_gates_are_those_of_torch(operation, layers, bidirectional):
    torch.manual_seed(0)
    options = {"bidirectional": bidirectional, "batch_first": True}
    module = MODULES[operation.name](3, 5, layers, dtype=torch.float64, **options)
    x = torch.randn(2, 4, 3, dtype=torch.float64)
    start = [torch.randn(layers * (1 + bidirectional), 2, 5, dtype=torch.float64) for _ in operation.results[1:]]
    given = _arguments(module, operation, x, start, torch.full((2,), 4))
    found = operation(**given, layers=layers, packed=False, **options)
    output, final = module(x, tuple(start) if operation is lstm else start[0])
    for ours, theirs in zip(found, (output, *(final if operation is lstm else (final,))), strict=True):
        torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize(("gate", "rows"), [("r", slice(0, 5)), ("z", slice(5, 10)), ("n", slice(10, 15))])
def test_each_gate_of_the_cell_is_where_torch_has_it(gate, rows):
    torch.manual_seed(1)
    module = torch.nn.GRUCell(3, 5, dtype=torch.float64)
    with torch.no_grad():
        module.bias_ih[rows] += 2
    x, h = torch.randn(4, 3, dtype=torch.float64), torch.randn(4, 5, dtype=torch.float64)
    weights = (module.weight_ih, module.weight_hh, module.bias_ih, module.bias_hh)
    torch.testing.assert_close(gru_cell(x, h, *weights), module(x, h))


# Properties on right code


def asked(name, operation, implementation, dtype="float64", count=24):
    made = implementation
    if not hasattr(implementation, "function"):
        made = implementation_of(operation.name, operation.signature, implementation, "torch")
    return explore(Cell(PROPERTIES[name], operation, made, "cpu", dtype), plan(operation, count, 0))


SPECIFIC = [
    *(
        (name, operation)
        for name in ("forward_last", "backward_first", "time_reversal", "padding")
        for operation in NETWORKS
    ),
    ("pair_of_states", lstm),
    ("convexity", gru),
    ("convexity", gru_cell),
    ("copies", gru),
    ("cell_copies", gru_cell),
    ("steps_are_cells", gru),
]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(("name", "operation"), SPECIFIC, ids=lambda value: getattr(value, "name", value))
def test_right_code_passes(name, operation, dtype):
    for made in operation.implementations.values():
        if made.backend.name in ("torch", "numpy"):
            done = asked(name, operation, made, dtype, count=16)
            assert done.verdict in (Verdict.EXACT, Verdict.ROUNDING), (made, done.worst)


@pytest.mark.parametrize("name", ["forward_last", "backward_first"])
@pytest.mark.parametrize("operation", NETWORKS, ids=lambda operation: operation.name)
def test_last_states_are_outputs_bit_by_bit_in_torch(name, operation):
    for dtype in ("float64", "float32", "bfloat16", "float16"):
        module = operation.find(f"nn.{operation.name.upper()}")
        assert asked(name, operation, module, dtype).verdict is Verdict.EXACT, dtype


# Properties on faulty code: torch's modules with something wrong around them


def right(operation):
    return operation.find(f"nn.{operation.name.upper()}").function


def faulty_states(operation, change):
    """The operation with its final states changed: change(state, output, **arguments)."""

    @functools.wraps(operation.definition)
    def made(**given):
        output, *states = right(operation)(**given)
        return output, *(change(state, output, **given) for state in states)

    return made


def layers_and_directions_transposed(state, output, layers, **_):
    return state.reshape(layers, -1, *state.shape[1:]).transpose(0, 1).reshape(state.shape)


def last_step_of_the_padded_output(state, output, w_hh, batch_first, **_):
    steps = output.transpose(0, 1) if batch_first else output
    return torch.cat([state[:-1], steps[-1:, :, -w_hh.shape[-1] :]])


def backward_slice_from_the_last_step(state, output, w_hh, batch_first, bidirectional, **_):
    if not bidirectional:
        return state
    steps = output.transpose(0, 1) if batch_first else output
    return torch.cat([state[:-1], steps[-1:, :, w_hh.shape[-1] :]])


def forward_weights_both_ways(operation):
    @functools.wraps(operation.definition)
    def made(**given):
        shared = {name: given[name][:, :1].expand_as(given[name]) for name in ("w_hh", "b_ih", "b_hh")}
        return right(operation)(**given | shared)

    return made


def lengths_ignored(operation):
    """Runs over the padding and blanks the output after it."""

    @functools.wraps(operation.definition)
    def made(**given):
        output, *states = right(operation)(**given | {"packed": False})
        if given["packed"]:
            time = 1 if given["batch_first"] else 0
            clock = torch.arange(output.shape[time])
            alive = clock < given["lengths"][:, None] if time else clock[:, None] < given["lengths"]
            output = torch.where(alive[..., None], output, 0.0)
        return output, *states

    return made


def states_exchanged(**given):
    output, h, c = right(lstm)(**given)
    return output, c, h


def _gru_of(step):
    """A GRU of one's own step, which takes (x, h, weights)."""

    @functools.wraps(gru.definition)
    def made(x, h0, lengths, w_ih, w_ih_upper, w_hh, b_ih, b_hh, layers, bidirectional, batch_first, packed):
        run = functools.partial(recurrent_loops.step_by_step, lambda x, state, way: (step(x, state[0], *way),))
        ways = recurrent_loops.stacked(w_ih, w_ih_upper, w_hh, b_ih, b_hh)
        return recurrent_loops.through_layers(run, x, (h0,), lengths if packed else None, ways, batch_first)

    return made


def _gates(x, h, w_ih, w_hh, b_ih, b_hh):
    (xr, xz, xn), (hr, hz, hn) = (x @ w_ih.T + b_ih).chunk(3, -1), (h @ w_hh.T + b_hh).chunk(3, -1)
    return torch.sigmoid(xr + hr), torch.sigmoid(xz + hz), xn, hn


def not_convex(x, h, w_ih, w_hh, b_ih, b_hh):
    r, z, xn, hn = _gates(x, h, w_ih, w_hh, b_ih, b_hh)
    return torch.tanh(xn + r * hn) + z * h


def update_exchanged(x, h, w_ih, w_hh, b_ih, b_hh):
    r, z, xn, hn = _gates(x, h, w_ih, w_hh, b_ih, b_hh)
    return z * torch.tanh(xn + r * hn) + (1 - z) * h


def reset_before_the_product(x, h, w_ih, w_hh, b_ih, b_hh):
    r, z, xn, _ = _gates(x, h, w_ih, w_hh, b_ih, b_hh)
    w_hn, b_hn = w_hh.chunk(3)[2], b_hh.chunk(3)[2]
    return (1 - z) * torch.tanh(xn + (r * h) @ w_hn.T + b_hn) + z * h


def starts_from_zero(**given):
    return right(gru)(**given | {"h0": torch.zeros_like(given["h0"])})


def state_never_reset():
    """Starts where the call before it ended."""
    kept = {}

    @functools.wraps(gru.definition)
    def made(**given):
        start = kept.get((given["h0"].shape, given["h0"].dtype), given["h0"])
        output, state = right(gru)(**given | {"h0": start})
        kept[state.shape, state.dtype] = state
        return output, state

    return made


FAULTS = [
    ("forward_last", gru, faulty_states(gru, layers_and_directions_transposed)),
    ("forward_last", lstm, faulty_states(lstm, layers_and_directions_transposed)),
    ("forward_last", rnn, faulty_states(rnn, last_step_of_the_padded_output)),
    ("backward_first", gru, faulty_states(gru, backward_slice_from_the_last_step)),
    ("backward_first", lstm, faulty_states(lstm, backward_slice_from_the_last_step)),
    ("backward_first", rnn, faulty_states(rnn, backward_slice_from_the_last_step)),
    *(("time_reversal", operation, forward_weights_both_ways(operation)) for operation in NETWORKS),
    *(("padding", operation, lengths_ignored(operation)) for operation in NETWORKS),
    ("pair_of_states", lstm, functools.wraps(lstm.definition)(states_exchanged)),
    ("convexity", gru, _gru_of(not_convex)),
    ("convexity", gru_cell, not_convex),
    ("copies", gru, _gru_of(update_exchanged)),
    ("cell_copies", gru_cell, update_exchanged),
    ("cell_copies", gru_cell, not_convex),
    ("steps_are_cells", gru, _gru_of(reset_before_the_product)),
    ("steps_are_cells", gru, functools.wraps(gru.definition)(starts_from_zero)),
    ("repeatability", gru, state_never_reset()),
    ("agreement", gru_cell, reset_before_the_product),
    ("agreement", gru, _gru_of(update_exchanged)),
]


@pytest.mark.parametrize(
    ("name", "operation", "faulty"),
    FAULTS,
    ids=[f"{name}-{operation.name}-{number}" for number, (name, operation, _) in enumerate(FAULTS)],
)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_planted_fault_is_found(name, operation, faulty, dtype):
    assert asked(name, operation, faulty, dtype).verdict is Verdict.WRONG


def test_a_step_of_ones_own_that_is_right_passes():
    """The frame around the faulty steps is not itself at fault."""

    def step(x, h, w_ih, w_hh, b_ih, b_hh):
        r, z, xn, hn = _gates(x, h, w_ih, w_hh, b_ih, b_hh)
        return (1 - z) * torch.tanh(xn + r * hn) + z * h

    for name in ("agreement", "convexity", "copies", "steps_are_cells"):
        assert not asked(name, gru, _gru_of(step)).verdict.failing


def test_a_fault_is_found_by_the_properties_that_it_breaks_and_by_no_other():
    made = implementation_of("gru", gru.signature, _gru_of(reset_before_the_product), "torch")
    usual = [prop for prop in PROPERTIES.values() if not prop.nightly]
    asked_of_it = [cell for prop in usual for cell in cells(prop, [gru], [made], ["cpu"], ["float64"])]
    failing = {cell.prop.name for cell in asked_of_it if explore(cell, plan(gru, 12, 0)).verdict.failing}
    assert {"agreement", "steps_are_cells"} <= failing
    assert not failing & {"forward_last", "backward_first", "time_reversal", "padding", "convexity"}
