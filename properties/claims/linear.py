"""What the document says of a linear layer: its parameters, its batch."""

import torch
from harness.properties.claims.sources import S0

import harness
from harness import Claim, claim
from harness.operations.linear import split_for_one_row

HELD = (
    Claim(
        "linear.batch-invariance",
        S0,
        "Each row's result depends on that row alone, within rounding.",
        of="linear",
        by=("batch_invariance", "batch_leak"),
    ),
)


@claim("linear.parameters-no-batch", S0, of="linear")
def same_parameters(linear, case):
    """The parameters of a layer do not depend on the batch size: it serves 1, 20 or any other number of rows."""
    x, W, b = (case.tensors[name] for name in ("x", "W", "b"))
    layer = torch.nn.Linear(W.shape[1], W.shape[0], dtype=x.dtype)
    layer.load_state_dict({"weight": W, "bias": b})
    for rows in (x[:1], x, x[:1].expand(20, -1)):
        made = layer(rows)
        shapes = [tuple(parameter.shape) for parameter in layer.parameters()]
        label = f"{len(rows)} rows are served by parameters of the same shapes"
        served = made.shape == (len(rows), len(W)) and shapes == [tuple(W.shape), tuple(b.shape)]
        yield harness.holds(label, served, case)


@claim(
    "linear.batch-invariance-bitwise",
    S0,
    of="linear",
    implementations=("definition", "torch_linear", "broadcast_sum", "einsum"),
    dtypes=("float32",),
    instead="within rounding alone: for another batch size a backend chooses another kernel, which sums in another order",
)
def same_bits(linear, case):
    """A row's result has the same bits whatever other rows are in the batch."""
    call = case.call()
    (whole,) = linear(call)
    (first,) = linear(call.take([0]))
    differ = int((first[0] != whole[0]).sum())
    label = f"the first of {len(whole)} rows has the bits it has alone ({differ} of {first.numel()} entries differ)"
    yield harness.holds(label, not differ, case)
    x, W, b = (case.tensors[name] for name in ("x", "W", "b"))
    same = torch.equal(split_for_one_row(x[:1], W, b)[0], split_for_one_row(x, W, b)[0])
    yield harness.holds("a row alone has its bits of the batch where the kernel splits the sum of one row", same, case)
