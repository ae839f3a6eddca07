"""The protocol between a pool and its workers: which orders there are, and what they say."""

PROTOCOL = 3
"""Counts its changes, since a pool may have workers of another revision."""
