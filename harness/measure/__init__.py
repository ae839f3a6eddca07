"""Measure: how far a result is from the oracle, in units of the error that nobody can avoid."""
