"""What the documents say of the gradient of a linear model: of which cost, in which order, and of what."""

import torch
from harness.properties.claims.sources import S1

import harness
from harness import Claim, claim

MODEL = "linear_model_gradient"

HELD = (
    Claim(
        "gradient.weights", S1, "dW is Σ r x/n.", of=MODEL, by=("agreement", "slope_of_the_cost", "repeated_samples")
    ),
    Claim("gradient.bias", S1, "db is Σ r/n.", of=MODEL, by=("agreement", "slope_of_the_cost", "repeated_samples")),
    Claim(
        "gradient.solution",
        S1,
        "The gradient is zero at the least squares solution.",
        of=MODEL,
        by=("zero_at_the_solution",),
    ),
)


def _differentiable(case):
    """The case's tensors, each asking for its gradient, and the cost of S1."""
    tensors = {name: tensor.requires_grad_() for name, tensor in case.call().arguments.items()}
    x, W, b, y = (tensors[name] for name in ("x", "W", "b", "y"))
    return tensors, (x @ W + b - y).pow(2).sum() / (2 * len(y))


@claim("gradient.order", S1, of=MODEL)
def order_asked(gradient, case):
    """Gradients come in the order in which they are asked for."""
    expected = dict(zip(("W", "b"), gradient(case), strict=True))
    parts = dict(zip(("W", "b"), harness.reference(case).parts, strict=True))
    with torch.enable_grad():
        tensors, cost = _differentiable(case)
        for order in (("W", "b"), ("b", "W")):
            found = torch.autograd.grad(cost, [tensors[name] for name in order], retain_graph=True)
            for name, each in zip(order, found, strict=True):
                label = f"{name} when {' and '.join(order)} are asked for"
                yield harness.close(label, each, expected[name], case, like=parts[name], both_rounded=True)


@claim("gradient.unconnected", S1, of=MODEL)
def unconnected_variable(gradient, case):
    """A variable that the cost does not depend on has no gradient: None, or zeros on request."""
    with torch.enable_grad():
        tensors, cost = _differentiable(case)
        stranger = torch.ones(3, dtype=cost.dtype, requires_grad=True)
        asked = [tensors["W"], stranger]
        _, none = torch.autograd.grad(cost, asked, retain_graph=True, allow_unused=True)
        _, zeros = torch.autograd.grad(cost, asked, allow_unused=True, materialize_grads=True)
    yield harness.holds("the gradient is None", none is None, case)
    yield harness.holds("the gradient on request is zeros", bool((zeros == 0).all()), case)


@claim(
    "gradient.mean-squared-error",
    S1,
    of=MODEL,
    instead="Σ (pred − y)²/(2n) is half the mean squared error, so that the gradient has no factor 2",
)
def cost_is_the_mean_squared_error(gradient, case):
    """The cost reduce_sum(pow(pred − Y, 2))/(2·n_samples) is the mean squared error: both have this gradient."""
    with torch.enable_grad():
        tensors, _ = _differentiable(case)
        x, W, b, y = (tensors[name] for name in ("x", "W", "b", "y"))
        found = torch.autograd.grad(torch.nn.functional.mse_loss(x @ W + b, y), (W, b))
    parts = harness.reference(case).parts
    for name, each, expected, part in zip(("W", "b"), found, gradient(case), parts, strict=True):
        yield harness.close(f"gradient of mse_loss in {name}", each, expected, case, like=part, both_rounded=True)


@claim(
    "gradient.placeholders",
    S1,
    of=MODEL,
    instead="gradients of what is asked for come, and of nothing else: X and Y are no variables",
)
def placeholders_included(gradient, case):
    """Asked for the gradients of all variables, the placeholders X and Y are included."""
    with torch.enable_grad():
        x, y = (case.call().arguments[name] for name in ("x", "y"))
        model = torch.nn.Linear(x.shape[1], 1, dtype=x.dtype, device=x.device)
        cost = (model(x)[:, 0] - y).pow(2).sum() / (2 * len(y))
        found = torch.autograd.grad(cost, list(model.parameters()))
    shapes = [tuple(each.shape) for each in found]
    for name, tensor in (("X", x), ("Y", y)):
        label = f"a gradient of the shape of {name} is among the {len(found)}"
        yield harness.holds(label, tuple(tensor.shape) in shapes, case)
