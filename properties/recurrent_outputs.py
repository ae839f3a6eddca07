"""Recurrent networks: where the last states stand in the output, what time reversal and padding do, what is bounded."""

import dataclasses

import torch

import harness
from harness.operations.recurrent import gru_cell

NETWORKS = ("rnn", "lstm", "gru")


def both_ways(case):
    """The case where it runs in both directions; the statement says nothing of others."""
    if case.options["bidirectional"]:
        yield case


def with_lengths(case):
    """The case where its sequences have lengths."""
    if case.options["packed"]:
        yield case


def one_layer(case):
    """The case where it has one layer, so that the output shows every step."""
    if case.options["layers"] == 1:
        yield case


def _time_first(tensor, call):
    return tensor.transpose(0, 1) if call.options["batch_first"] else tensor


def _hidden(call):
    return call.arguments["w_hh"].shape[-1]


def _ends(call):
    """The number of steps of each sample."""
    lengths = call.arguments["lengths"]
    time = _time_first(call.arguments["x"], call).shape[0]
    return lengths if call.options["packed"] else torch.full_like(lengths, time)


def _clock(call):
    """The times of all steps, (time, 1)."""
    x = _time_first(call.arguments["x"], call)
    return torch.arange(x.shape[0], device=x.device)[:, None]


def _top(state, call):
    """The last layer's states, (directions, batch, hidden): h_n.view(X, D, B, H)[-1]."""
    return state.reshape(call.options["layers"], -1, *state.shape[1:])[-1]


@harness.property(of=NETWORKS)
def forward_last(implementation, case):
    """The output's last step is the last layer's forward state: out[:, -1, :H] == h_n.view(X, D, B, H)[-1, 0].

    `exact` where bit by bit, as in torch (claim gru.forward-last). With lengths, the last step is each sample's own,
    because out[:, -1] is padding for the shorter ones (claim gru.packed).
    """
    call = case.call()
    output, state, *_ = implementation(call)
    samples = torch.arange(call.batch_size, device=output.device)
    last = _time_first(output, call)[_ends(call) - 1, samples, : _hidden(call)]
    part = harness.reference(case).parts[1]
    yield harness.close(
        "the last output forwards", last[None], _top(state, call)[:1], case, like=part, both_rounded=True
    )


@harness.property(of=NETWORKS, variants=both_ways)
def backward_first(implementation, case):
    """The output's first step is the last layer's backward state: out[:, 0, H:] == h_n.view(X, 2, B, H)[-1, 1].

    `exact` where bit by bit, as in torch (claim gru.backward-first).
    """
    call = case.call()
    output, state, *_ = implementation(call)
    first = _time_first(output, call)[0, :, _hidden(call) :]
    part = harness.reference(case).parts[1]
    yield harness.close(
        "the first output backwards", first[None], _top(state, call)[1:], case, like=part, both_rounded=True
    )


def _mirrored(steps, call):
    """A tensor (time, batch, …) with each sample's steps in reverse order, and what is beyond them left in place."""
    clock, ends = _clock(call), _ends(call)
    return steps[torch.where(clock < ends, ends - 1 - clock, clock), torch.arange(len(ends), device=steps.device)]


def _in_each_layer(state, call):
    return state.reshape(call.options["layers"], 2, *state.shape[1:]).flip(1).reshape(state.shape)


def _reversed(call):
    """The call with time reversed and the weights and states of the two directions exchanged."""
    given = call.arguments
    changed = {name: given[name].flip(1) for name in ("w_hh", "b_ih", "b_hh")}
    changed |= {name: _in_each_layer(given[name], call) for name in ("h0", "c0") if name in given}
    # a layer above reads the outputs of both directions side by side, which are exchanged as well
    changed["w_ih_upper"] = given["w_ih_upper"].flip(1).roll(_hidden(call), -1)
    changed["w_ih"] = given["w_ih"].flip(0)
    changed["x"] = _time_first(_mirrored(_time_first(given["x"], call), call), call)
    return call.replace(**changed)


@harness.property(of=NETWORKS, variants=both_ways)
def time_reversal(implementation, case):
    """Reversing time and exchanging the weights of the directions exchanges the directions of the result.

    (claim rnn.time-reversal)
    """
    call = case.call()
    output, *states = implementation(call)
    mirrored, *exchanged = implementation(_reversed(call))
    parts = harness.reference(case).parts
    back = _time_first(_mirrored(_time_first(mirrored, call), call), call).roll(_hidden(call), -1)
    yield harness.close("the output in reversed time", back, output, case, like=parts[0], both_rounded=True)
    for state, other, part in zip(states, exchanged, parts[1:], strict=True):
        yield harness.close(
            "a state in reversed time", _in_each_layer(other, call), state, case, like=part, both_rounded=True
        )


@harness.property(of=NETWORKS, variants=with_lengths)
def padding(implementation, case):
    """What stands beyond a sample's length changes nothing, and a sample cut to its length gives the same.

    (claim rnn.padding)
    """
    call = case.call()
    whole, parts = implementation(call), harness.reference(case).parts
    x, ends = _time_first(call.arguments["x"], call), _ends(call)
    other = torch.where((_clock(call) < ends)[..., None], x, 1 - 2 * x)
    after = implementation(call.replace(x=_time_first(other, call)))
    for index, (result, before, part) in enumerate(zip(after, whole, parts, strict=True)):
        yield harness.close(f"result {index} after other padding", result, before, case, like=part, both_rounded=True)
    if not call.batch_size:
        return
    shortest = int(ends.argmin())
    length = int(ends[shortest])
    alone = dataclasses.replace(call.take([shortest]), options={**call.options, "packed": False})
    alone = alone.replace(x=_time_first(_time_first(alone.arguments["x"], call)[:length], call))
    one = torch.tensor([shortest], device=x.device)
    kept = [result.index_select(part.axis, one) for result, part in zip(whole, parts, strict=True)]
    kept[0] = _time_first(_time_first(kept[0], call)[:length], call)
    for index, (result, full, part) in enumerate(zip(implementation(alone), kept, parts, strict=True)):
        yield harness.close(
            f"result {index} of a sample cut to its length",
            result,
            full,
            case,
            like=part.samples([shortest]),
            both_rounded=True,
        )


@harness.property(of="lstm")
def pair_of_states(implementation, case):
    """The states are a pair (h, c) in which h is no larger than tanh c.

    (claim lstm.tuple) h = σ(o) tanh(c), so |h| ≤ tanh |c|; c itself may be larger than 1.
    """
    _, h, c = implementation(case)
    _, of_h, of_c = harness.reference(case).parts
    bound = c.abs().tanh()
    part = of_h.derived(of_h.noise_floor + of_c.noise_floor, of_c)
    yield harness.close("h within tanh of c", h, h.clamp(-bound, bound), case, like=part, both_rounded=True)


@harness.property(of=("gru", "gru_cell"))
def convexity(implementation, case):
    """A state is a convex combination of tanh and the state before it, so it stays between -1 and 1 if it began there.

    (claim gru.convex)
    """
    for index, (result, part) in enumerate(zip(implementation(case), harness.reference(case).parts, strict=True)):
        yield harness.close(f"result {index} between -1 and 1", result, result.clamp(-1, 1), case, like=part)


def _with_update_of_one(call):
    """The call whose update gates z are 1, whatever enters them: weights of zero and a bias of a thousand."""
    size = _hidden(call)
    changed = {}
    for name, value in (("w_ih", 0), ("w_ih_upper", 0), ("w_hh", 0), ("b_ih", 1000), ("b_hh", 0)):
        if name in call.arguments:
            changed[name] = call.arguments[name].clone()
            changed[name].narrow(-1 if name.startswith("b") else -2, size, size).fill_(value)
    return call.replace(**changed)


@harness.property(of="gru_cell")
def cell_copies(implementation, case):
    """With an update gate of 1 the state is copied (claim gru.convex).

    In units of the case as it was, whose results are of the same size, so that n + z (h − n) may lose what n takes.
    """
    call = _with_update_of_one(case.call())
    (result,) = implementation(call)
    (part,) = harness.reference(case).parts
    yield harness.close("the state copied", result, call.arguments["h"], case, like=part)


@harness.property(of="gru")
def copies(implementation, case):
    """With update gates of 1 the first state is the last, and every output of the last layer (claim gru.convex).

    In units of the case as it was, whose results are of the same size.
    """
    call = _with_update_of_one(case.call())
    output, state = implementation(call)
    start = call.arguments["h0"]
    expected = torch.where((_clock(call) < _ends(call))[..., None], torch.cat(tuple(_top(start, call)), -1), 0.0)
    of_output, of_state = harness.reference(case).parts
    yield harness.close("the first state in the output", output, _time_first(expected, call), case, like=of_output)
    yield harness.close("the first state as the last", state, start, case, like=of_state)


@harness.property(of="gru", variants=one_layer)
def steps_are_cells(implementation, case):
    """Each step of one layer is a gru_cell of the step before it (claim gru.cell)."""
    call = case.call()
    output, _ = implementation(call)
    steps = _time_first(output.cpu().double(), call)[..., : _hidden(call)]
    x, h0, w_ih, w_hh, b_ih, b_hh = (
        call.arguments[name].cpu().double() for name in ("x", "h0", "w_ih", "w_hh", "b_ih", "b_hh")
    )
    before = torch.cat([h0[:1], steps[:-1]])
    x, weights = _time_first(x, call), (w_ih[0], w_hh[0, 0], b_ih[0, 0], b_hh[0, 0])
    cells = gru_cell(x.flatten(0, 1), before.flatten(0, 1), *weights).reshape(steps.shape)
    expected = torch.where((_clock(call) < _ends(call))[..., None].cpu(), cells, 0.0)
    part = dataclasses.replace(harness.reference(case).parts[0], axis=1)
    yield harness.close("each step against the cell", steps, expected, case, like=part, both_rounded=True)


@harness.property(of=(*NETWORKS, "lstm_autoencoder"))
def batch_first_permuted(implementation, case):
    """The batch-first model gives what the time-first model gives on permuted data (claim ae.sequence-first)."""
    call = case.call()
    other = dataclasses.replace(
        call.replace(x=call.arguments["x"].transpose(0, 1)),
        options={**call.options, "batch_first": not call.options["batch_first"]},
    )
    results, swapped = implementation(call), implementation(other)
    part = harness.reference(case).parts[0]
    yield harness.close("the output", results[0], swapped[0].transpose(0, 1), case, like=part, both_rounded=True)
