"""The gradient of the mean squared error, as the comment in the posted code calls its cost.

Verdict: wrong
The cost is half of that, so that this is twice the gradient (S1, claim gradient.mean-squared-error).
"""

import torch

from harness.operations.linear_model_gradient import linear_model_gradient


@linear_model_gradient.implementation(backend="torch", exempt={"gradients": "asked of the first derivative alone"})
def of_mean_squared_error(x, W, b, y):
    with torch.enable_grad():
        asked = [parameter.detach().requires_grad_() for parameter in (W, b)]
        return torch.autograd.grad(torch.nn.functional.mse_loss(x @ asked[0] + asked[1], y), asked)
