"""Explain: the smallest case that shows a finding, written so that a person can act on it."""
