"""The source documents that claims come from: questions and answers from practice (docs/sources.md)."""

S0 = "S0: a HiPPO scan that breaks when its signal is batched"
S1 = "S1: the pseudo-inverse of a convolution, importance weighting, gradients, the essential matrix"
S2 = "S2: a worked RNN, boosted trees, sequence training in Flux, GRU outputs, dropout with a noise shape"
S3 = "S3: the input dimensions of an LSTM autoencoder, windows and permuting"
S4 = "S4: products along axes, pooling before or after a decoder, a GRU by hand, kernel layouts"
