"""Measure: how far a result is from the oracle, in multiples of the noise floor."""
