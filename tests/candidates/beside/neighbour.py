"""Imported by the candidate beside it."""


def bias_added(product, b):
    return product + b
