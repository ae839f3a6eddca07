"""The Bernoulli log likelihood as it was posted, with 1e-18 added inside the logarithms against NaN.

Verdict: wrong
What is impossible gets −41.45, logits from 42 on as well (in float32 from 17 on), and float16 has NaN all the same
(S1, claims bernoulli.epsilon and bernoulli.floor).
"""

import torch

from harness.operations.importance_weighting import bernoulli_log_prob


@bernoulli_log_prob.implementation(backend="torch")
def with_epsilon(score, obs, given):
    theta = torch.sigmoid(score) if given == "logits" else score
    return torch.sum(obs * torch.log(theta + 1e-18) + (1 - obs) * torch.log(1 - theta + 1e-18), 1)
