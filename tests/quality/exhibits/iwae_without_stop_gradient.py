"""The loss of the importance weighted autoencoder as it was posted: its normalised weights are not detached.

Verdict: wrong
Its gradient is w̃_k (1 + log w_k − Σ w̃ log w) where the bound's is w̃_k (S1, claim iwae.no-stop-gradient).
"""

import torch

from harness.operations.importance_weighting import iwelbo_gradient


@iwelbo_gradient.implementation(backend="torch")
def without_stop_gradient(log_weights):
    with torch.enable_grad():
        log_w = log_weights.detach().requires_grad_()
        from_largest = torch.exp(log_w - log_w.max(1, keepdim=True)[0])
        normalised = from_largest / from_largest.sum(1, keepdim=True)
        return torch.autograd.grad((log_w * normalised).sum(), log_w)[0]
