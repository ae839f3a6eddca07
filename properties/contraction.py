"""Contractions: linear in every factor, symmetric in the two batches, and the same with a dense diagonal.

Sources: docs/sources.md#contractions.
"""

import dataclasses

import torch

import harness
from harness.operations.contraction import dot_axes

FACTORS = {"dot_axes": ("a", "b"), "dot_axes_vector": ("a", "b"), "x_w_y": ("x", "w", "y")}


@harness.property(of="dot_axes_vector")
def product_of_the_document(implementation, case):
    """Axes (2, 1) of 0 to 15 as (2, 2, 4) and [1, 2, 3, 4] for either sample give [[20, 60], [100, 140]]."""
    call = case.call()
    a = torch.arange(16).reshape(2, 2, 4).to(call.arguments["a"])
    b = torch.tensor([[1, 2, 3, 4]] * 2).to(call.arguments["b"])
    (result,) = implementation(call.replace(a=a, b=b))
    yield harness.holds("the document's numbers", result.tolist() == [[20, 60], [100, 140]], case)


@harness.property(of=FACTORS)
def linear_in_every_factor(implementation, case):
    """The result for u + 2v in place of any one factor is the result for u plus twice that for v."""
    call, stranger = case.call(), case.another().call()
    for name in FACTORS[case.operation.name]:
        u, v = call.arguments[name], stranger.arguments[name]
        calls = [call, call.replace(**{name: v}), call.replace(**{name: u + 2 * v})]
        of_u, of_v, of_both = (implementation(each)[0] for each in calls)
        first = harness.reference(case).parts[0]
        second, both = (harness.reference(case, each).parts[0] for each in calls[1:])
        # u + 2v is itself rounded to the working precision, which moves the result by its own noise floor at most.
        part = both.derived(first.noise_floor + 2 * second.noise_floor + both.noise_floor, first, second)
        expected = harness.as_array(of_u) + 2 * harness.as_array(of_v)
        yield harness.close(f"a combination in {name}", of_both, expected, case, like=part, both_rounded=True)


@harness.property(of=("dot_axes", "x_w_y"))
def exchange_transposes(implementation, case):
    """The two batches exchanged give the transposed result."""
    call = case.call()
    (result,) = implementation(call)
    first, second = ("a", "b") if case.operation.name == "dot_axes" else ("x", "y")
    exchanged = call.replace(**{first: call.arguments[second], second: call.arguments[first]})
    if first == "a":
        options = {"first_of_a": call.options["first_of_b"], "first_of_b": call.options["first_of_a"]}
        exchanged = dataclasses.replace(exchanged, options=options)
    (part,) = harness.reference(case).parts
    yield harness.close(
        "exchanged and transposed", implementation(exchanged)[0].mT, result, case, like=part, both_rounded=True
    )


@harness.property(of="x_w_y")
def diagonal_is_weights(implementation, case):
    """x diag(w) yᵀ with the matrix written out is the product of weighted x with y."""
    call = case.call()
    x, w, y = (call.arguments[name].cpu().double() for name in ("x", "w", "y"))
    (part,) = harness.reference(case).parts
    yield harness.close(
        "against the matrix", implementation(call)[0], x @ torch.diag(w) @ y.mT, case, like=part, both_rounded=True
    )


@harness.property(of="x_w_y")
def weights_of_one_are_dot(implementation, case):
    """With weights of 1 the result is the dot product along the last axes."""
    call = case.call()
    x, y = call.arguments["x"], call.arguments["y"]
    plain = call.replace(w=torch.ones_like(call.arguments["w"]))
    (part,) = harness.reference(case, plain).parts
    dots = dot_axes(x.cpu().double(), y.cpu().double(), first_of_a=False, first_of_b=False)
    yield harness.close("against Dot", implementation(plain)[0], dots, case, like=part, both_rounded=True)


@harness.property(of=FACTORS)
def batch_mismatch_is_refused(implementation, case):
    """Batches of different sizes are refused; a batch of one is not repeated."""
    call = case.call()
    name = FACTORS[case.operation.name][-1]
    longer = torch.cat([call.arguments[name], call.arguments[name][:1], call.arguments[name][:1]])
    if case.sizes["batch"] == 0:
        return
    yield harness.holds("a clear error", implementation.raises(call.replace(**{name: longer})), case)
    refused = case.sizes["batch"] == 1 or implementation.raises(call.replace(**{name: longer[:1]}))
    yield harness.holds("a clear error for a batch of one", refused, case)
