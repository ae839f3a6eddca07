"""The source documents that claims come from: questions and answers from practice, by file name."""

S0 = "000_69a2a9850dc6bf24.txt"
S1 = "001_cf06091899e753dd.txt"
S2 = "002_7aabdfff8df6f4ae.txt"
S3 = "003_da53bb9fa05d324e.txt"
S4 = "004_64586ae9dc431dfd.txt"

SOURCES = {
    S0: "A HiPPO scan that breaks when its signal is batched.",
    S1: "The pseudo-inverse of a convolution; importance weighting, a worked RNN, a Gaussian process, gradients, the "
    "essential matrix.",
    S2: "A worked RNN, boosted trees, sequence training in Flux, GRU output against hidden state, dropout with a noise "
    "shape.",
    S3: "The input dimensions of an LSTM autoencoder; windows and permuting.",
    S4: "Products along axes, pooling before or after a decoder, a GRU by hand, stacking, kernel layouts, x W y.",
}
"""What each of them is about."""
