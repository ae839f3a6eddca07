"""Statistics repeated with `repeat` where `repeat_interleave` is meant: data stand one after another, not sample by sample.

Verdict: wrong
Row i·K + k then holds the statistics of datum (i·K + k) mod batch (S1, claim iwae.encode-once).
"""

import torch

from harness.operations.importance_weighting import log_importance_weights


@log_importance_weights.implementation(backend="torch")
def repeated_as_a_block(x, encoder, bias, noise, decoder, likelihood):
    batch, samples, _ = noise.shape
    mu, log_std = (x @ encoder.T + bias).repeat(samples, 1).reshape(batch, samples, len(bias)).chunk(2, -1)
    z = mu + torch.exp(log_std) * noise
    ratio = (noise**2 - z**2).sum(-1) / 2 + log_std.sum(-1)
    predicted, seen = z @ decoder.T, x[:, None].expand(-1, samples, -1)
    if likelihood == "gaussian":
        return ratio + torch.distributions.Normal(predicted, 1.0).log_prob(seen).sum(-1)
    loss = torch.nn.functional.binary_cross_entropy_with_logits
    return ratio - loss(predicted, seen, reduction="none").sum(-1)
