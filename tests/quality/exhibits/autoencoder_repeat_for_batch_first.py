"""The posted autoencoder, changed to batch_first=True and nothing else: the code is still repeated along axis 0.

Verdict: wrong
Property: batch_leak
The copies stand on the batch axis, so that the decoder reads the samples as steps: they leak into each other, and every
sample gets the same output (S3, claim ae.repeat-batch-first).
"""

import torch

from harness.operations.autoencoder import lstm_autoencoder


@lstm_autoencoder.implementation(
    backend="torch",
    dtypes=(torch.float64, torch.float32),
    exempt={"batch_of_zero": "it takes the empty batch for an empty sequence and raises, which is not the point here"},
)
def repeated_along_axis_0(x, w_ih, w_hh, b, v_ih, v_hh, d, batch_first):
    _, (last_hidden, _) = run_lstm(x, w_ih, w_hh, b, batch_first)
    encoded = last_hidden.repeat(x.shape[1 if batch_first else 0], 1, 1)
    decoded, _ = run_lstm(encoded, v_ih, v_hh, d, batch_first)
    return decoded.reshape(x.shape)


def run_lstm(x, w_ih, w_hh, b, batch_first):
    layer = torch.nn.LSTM(x.shape[-1], w_hh.shape[-1], batch_first=batch_first, device="meta")
    weights = {"weight_ih_l0": w_ih, "weight_hh_l0": w_hh, "bias_ih_l0": b, "bias_hh_l0": torch.zeros_like(b)}
    return torch.func.functional_call(layer, weights, (x,))
