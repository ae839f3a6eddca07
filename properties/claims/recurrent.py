"""What the documents say of recurrent networks: where states stand in the output, and how weights are laid out."""

import mpmath
import torch
from harness.properties.claims.sources import S1, S2, S3, S4

import harness
from harness import Claim, claim

NETWORKS = ("rnn", "lstm", "gru")

HELD = (
    Claim(
        "gru.forward-last",
        S2,
        "The output's last step holds the last layer's forward state: out[:, -1, :H] == h_n.view(X, D, B, H)[-1, 0].",
        of=NETWORKS,
        by=("forward_last",),
    ),
    Claim(
        "gru.backward-first",
        S2,
        "The output's first step holds the last layer's backward state: out[:, 0, H:] == h_n.view(X, 2, B, H)[-1, 1].",
        of=NETWORKS,
        by=("backward_first",),
    ),
    Claim(
        "gru.cell",
        S4,
        "r, z, n and h' = (1−z)n + zh computed by hand are what the layer computes in every step.",
        of="gru",
        by=("steps_are_cells",),
    ),
    Claim(
        "gru.convex",
        S4,
        "h' is a convex combination of n and h, so |h| ≤ 1, and an update gate of 1 copies the state.",
        of=("gru", "gru_cell"),
        by=("convexity", "cell_copies", "copies"),
    ),
    Claim(
        "rnn.time-reversal",
        S2,
        "Reversing time swaps the two directions.",
        of=NETWORKS,
        by=("time_reversal",),
    ),
    Claim(
        "rnn.split",
        S2,
        "A sequence split in two, with the state carried over, gives what the whole sequence gives.",
        of=NETWORKS,
        by=("split_and_carry",),
    ),
    Claim("rnn.padding", S2, "What stands beyond a sequence's length changes nothing.", of=NETWORKS, by=("padding",)),
    Claim("lstm.tuple", S2, "An LSTM's hidden state is a pair, a GRU's is not.", of=NETWORKS, by=("pair_of_states",)),
    Claim(
        "rnn.concatenated",
        S1,
        "tanh([x; h] W) is tanh(x W_x + h W_h) with W split, and is what nn.RNN and keras compute.",
        of=("rnn", "character_rnn"),
        by=("agreement",),
    ),
    Claim(
        "ae.sequence-first",
        S3,
        "The autoencoder for (time, batch, feature) is the batch-first one on permuted data.",
        of="lstm_autoencoder",
        by=("batch_first_permuted",),
    ),
    Claim(
        "flux.sum",
        S2,
        "The sum of the items' losses with the state carried, and no updates, is the loss of the whole sequence.",
        of="sequence_loss",
        by=("agreement",),
    ),
)


def plain(case):
    """The case without lengths and with the batch first, as the documents have it; layers and directions as they are."""
    yield _without_lengths(case)


def both_ways(case):
    """The plain case in both directions."""
    yield _without_lengths(case, bidirectional=True)


def one_layer(case):
    """The plain case with one layer in one direction."""
    yield _without_lengths(case, layers=1, bidirectional=False)


def with_lengths(case):
    """One layer in one direction, over sequences of different lengths."""
    yield case.replace(
        options={**case.options, "packed": True, "batch_first": True, "layers": 1, "bidirectional": False}
    )


def _without_lengths(case, **options):
    return case.replace(options={**case.options, "packed": False, "batch_first": True, **options})


def _held_against(label, seen, reference_entry, case):
    """One comparison where the shapes agree, and a refutation where they do not."""
    if seen.shape != reference_entry.shape:
        return harness.holds(f"{label}: shape {list(seen.shape)} is {list(reference_entry.shape)}", False, case)
    part = harness.reference(case).parts[1]
    unit = part.noise_floor.max(keepdims=True)
    return harness.close(
        label, seen, reference_entry, case, like=harness.ExpectedTensor(part.expected, None, unit, unit >= 0)
    )


@claim(
    "gru.backward-last",
    S2,
    of="gru",
    variants=both_ways,
    instead="the backward direction ends at the first step: out[:, 0, H:] is its last state",
)
def backward_last(gru, case):
    """The output's last step holds the backward direction's last state: out[:, -1, H:] == h_n.view(X, 2, B, H)[-1, 1]."""
    output, state = gru(case)
    hidden = state.shape[-1]
    final = state.reshape(case.options["layers"], 2, *state.shape[1:])[-1, 1]
    yield _held_against("the last output backwards", output[:, -1, hidden:], final, case)


@claim(
    "gru.index-S",
    S2,
    of="gru",
    variants=plain,
    instead="steps are counted from 0, so that the last one is output[:, S - 1, :] or output[:, -1, :]",
)
def index_of_length(gru, case):
    """For a sequence of length S, output[:, S, :] is the last step."""
    output, _ = gru(case)
    try:
        output[:, output.shape[1], :]
        there = True
    except IndexError:
        there = False
    yield harness.holds("output[:, S, :] is there", there, case)


@claim(
    "gru.equal",
    S2,
    of="gru",
    variants=plain,
    instead="the output has every step of the last layer, h_n the last step of every layer; "
    "they agree for one layer in one direction and one step",
)
def output_equals_state(gru, case):
    """Output and hidden state of a GRU are the same."""
    output, state = gru(case)
    yield _held_against("output and h_n", output, state.transpose(0, 1), case)


@claim(
    "gru.subset",
    S2,
    of="gru",
    variants=one_layer,
    instead="with a single step h_n is the whole of output, a subset but no strict one",
)
def strict_subset(gru, case):
    """With one layer, h_n is a strict subset of output."""
    output, state = gru(case)
    within = torch.equal(output[:, -1], state[0])
    yield harness.holds("h_n is in output", within, case)
    yield harness.holds("output has entries that h_n has not", output.numel() > state.numel(), case)


@claim(
    "gru.transpose",
    S2,
    of="gru",
    variants=one_layer,
    instead="even with one layer they differ: h_n is the last step of output alone",
)
def some_transpose(gru, case):
    """Output and h_n are transposes of each other."""
    output, state = gru(case)
    same = output.numel() == state.numel() and torch.equal(output.flatten().sort()[0], state.flatten().sort()[0])
    yield harness.holds("the same entries in another order", same, case)


@claim(
    "gru.packed",
    S2,
    of="gru",
    variants=with_lengths,
    instead="out[:, -1] is padding for the shorter sequences; the last state stands at each one's own last step",
)
def last_of_packed(gru, case):
    """With packed sequences, out[:, -1] is the last state."""
    output, state = gru(case)
    yield _held_against("the last output", output[:, -1], state[0], case)


@claim(
    "gru.weight-shape",
    S4,
    of="gru",
    variants=one_layer,
    instead="W_ir is (hidden, input): weight_ih_l0 stacks three of them, and split takes the hidden size",
)
def weight_shape(gru, case):
    """W_ir is shaped (input, hidden), and W_ih.split(input size) gives the three gates."""
    weights = case.tensors["w_ih"]
    stacked, size = weights.reshape(-1, weights.shape[-1]), case.sizes["feature"]
    gates = stacked.split(max(size, 1))
    hidden = case.tensors["w_hh"].shape[-1]
    yield harness.holds("there are three pieces", len(gates) == 3, case)
    yield harness.holds("a piece is (input, hidden)", tuple(gates[0].shape) == (size, hidden), case)


@claim(
    "gru.concat",
    S4,
    of="gru",
    variants=one_layer,
    instead="weight_ih_l0 stacks the reset, update and new gates of the input, weight_hh_l0 those of the state",
)
def concatenated_weights(gru, case):
    """The layer's weights are the concatenation of input-hidden and hidden-hidden."""
    inputs, hidden = case.sizes["feature"], case.tensors["w_hh"].shape[-1]
    shape = torch.nn.GRU(inputs, hidden).weight_ih_l0.shape
    yield harness.holds("weight_ih_l0 is hidden x (inputs + hidden)", tuple(shape) == (hidden, inputs + hidden), case)


@claim(
    "gru.shape-288",
    S4,
    of="gru_cell",
    instead="the product with all of W_ih is (batch, 3·hidden) and holds all three gates; each of r, z and n is (batch, hidden)",
)
def gates_are_three_times_hidden(cell, case):
    """The gates r, z and n are each of shape (batch, 3·hidden)."""
    x, w = case.tensors["x"], case.tensors["w_ih"]
    reset = (x @ w.mT).chunk(3, -1)[0]
    yield harness.holds("r has 3·hidden columns", reset.shape[-1] == w.shape[0], case)


@claim(
    "rnn.figure",
    S1,
    of="rnn",
    variants=one_layer,
    instead="tanh stays below 1 in the reals; only a float is 1, from about 10 (float32) or 19 (float64) on",
)
def state_of_one(rnn, case):
    """The state of a tanh network can be 1, as in the figure's h(1) = [1, 0.3, 1]."""
    x, h0, w_ih, w_hh, b_ih, b_hh = (case.tensors[name] for name in ("x", "h0", "w_ih", "w_hh", "b_ih", "b_hh"))
    sums = x[:, 0] @ w_ih[0].mT + b_ih[0, 0] + h0[0] @ w_hh[0, 0].mT + b_hh[0, 0]
    from_one = [2 / (mpmath.exp(2 * mpmath.mpf(each)) + 1) for each in sums.abs().flatten().tolist()]  # 1 - tanh
    yield harness.holds("an entry of the exact first state is 1", not all(gap > 0 for gap in from_one), case)


@claim(
    "rnn.figure-sigmoid",
    S1,
    of="rnn",
    variants=one_layer,
    instead="a sigmoid is between 0 and 1; the figure's outputs (1.0, 2.2, -3.0, 4.1) are the plain product W_hy h",
)
def outputs_beyond_one(rnn, case):
    """y = sigmoid(W_hy h) gives the outputs of the figure, of which some are above 1 and some below 0."""
    output, _ = rnn(case)
    y = torch.sigmoid(output)
    yield harness.holds("some output is above 1", bool((y > 1).any()), case)
    yield harness.holds("some output is below 0", bool((y < 0).any()), case)


def batch_first(case):
    """The case with the batch first."""
    yield case.replace(options={**case.options, "batch_first": True})


@claim(
    "ae.repeat-batch-first",
    S3,
    of="lstm_autoencoder",
    variants=batch_first,
    instead="repeat puts the copies on the batch axis, so that samples leak into each other; time is axis 1: "
    "last_hidden[-1][:, None].expand(-1, L, -1)",
)
def repeated_for_batch_first(autoencoder, case):
    """last_hidden.repeat(L, 1, 1) also serves an autoencoder with batch_first=True."""
    _, width = case.tensors["w_hh"].shape
    encoder = torch.nn.LSTM(case.sizes["feature"], width, batch_first=True, dtype=torch.float64)
    decoder = torch.nn.LSTM(width, case.sizes["feature"], batch_first=True, dtype=torch.float64)
    x, encoding, decoding = (
        case.tensors["x"],
        _torch_weights(case, "w_ih", "w_hh", "b"),
        _torch_weights(case, "v_ih", "v_hh", "d"),
    )
    _, (last_hidden, _) = torch.func.functional_call(encoder, encoding, (x,))
    encoded = last_hidden.repeat(x.shape[1], 1, 1)
    decoded, _ = torch.func.functional_call(decoder, decoding, (encoded,))
    (expected,) = autoencoder(case)
    part = harness.reference(case).parts[0]
    yield harness.close(
        "the posted autoencoder", decoded.reshape(x.shape), expected, case, like=part, both_rounded=True
    )


def _torch_weights(case, w_ih, w_hh, b):
    tensors = case.tensors
    zero = torch.zeros_like(tensors[b])
    return {"weight_ih_l0": tensors[w_ih], "weight_hh_l0": tensors[w_hh], "bias_ih_l0": tensors[b], "bias_hh_l0": zero}


def time_first(case):
    """A batch of one, time first, as the question has it."""
    yield case.replace(options={**case.options, "batch_first": False}, sizes={**case.sizes, "batch": 1})


@claim(
    "ae.broadcast-loss",
    S3,
    of="lstm_autoencoder",
    variants=time_first,
    instead="(4, 1, 3) against (4, 3) broadcasts to (4, 4, 3): every step is held against every other",
)
def broadcast_loss(autoencoder, case):
    """The loss of an output shaped (time, 1, feature) against targets shaped (time, feature) is the elementwise loss."""
    (output,) = autoencoder(case)
    series = case.tensors["x"][:, 0].to(output.device)
    elementwise = (output[:, 0] - series).square()
    yield harness.holds("no entry is compared twice", (output - series).numel() == elementwise.numel(), case)


@claim(
    "flux.same-gradient",
    S2,
    of="sequence_training",
    variants=lambda case: [case.replace(options={"nested": True})],
    instead="they agree for one step; over several, one item per step moves the weights in between and lets no gradient "
    "reach back through the carried state",
)
def both_structures_train_alike(training, case):
    """Training on one item per step and on one item per sequence is the same."""
    apart = training(case.replace(options={"nested": False}))
    for index, (whole, step_wise) in enumerate(zip(training(case), apart, strict=True)):
        part = harness.reference(case).parts[index]
        yield harness.close(f"weight {index} after an epoch", step_wise, whole, case, like=part, both_rounded=True)


@claim(
    "flux.reset",
    S2,
    of="sequence_loss",
    instead="the state goes on into the next sequence until somebody resets it",
)
def needs_no_reset(loss, case):
    """A second pass over the same sequence, without a reset of the state, has the loss of the first."""
    call = case.call()
    h = call.arguments["h0"]
    for item in call.arguments["x"] @ call.arguments["w_ih"].mT + call.arguments["b"]:
        h = torch.tanh(item + h @ call.arguments["w_hh"].mT)
    part = harness.reference(case).parts[0]
    yield harness.close("the loss again", *loss(call.replace(h0=h)), *loss(call), case, like=part, both_rounded=True)
