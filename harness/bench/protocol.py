"""The protocol between a team and its workers: which orders there are, and what they say."""

PROTOCOL = 3
"""Counts its changes, since a team may have workers of another revision."""
