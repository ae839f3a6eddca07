"""A scan for a signal wrapped as (1, L), as S0's asker wraps it: samples first, where HiPPO's scan takes time first.

Given (time, batch), it takes the samples for the times: a result of the same shape comes back, in which every step has
heard another signal, and the state of a single step reconstructs twice the signal (claim hippo.batch-of-one).
"""

import torch

from harness.operations.hippo_scan import legs_scan


@legs_scan.implementation(backend="torch")
def samples_first(u, N, method):
    if u.shape[1] == 0:
        return u.new_zeros(*u.shape, N)
    signals = [legs_scan(signal[:, None], N, method)[:, 0] for signal in u]
    return torch.stack(signals)
