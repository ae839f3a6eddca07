"""Imported by the candidate beside it, from inside its function."""


def product(x, W):
    return x @ W.mT
