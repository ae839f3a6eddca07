"""Asking again: the command that a report shows beside a counterexample."""

from __future__ import annotations

import shlex

from harness.record.events import RunStarted


def replay_command(counterexample: str, started: RunStarted) -> str:
    """The command that asks a counterexample of a run again, of what the candidate file declares now; it can be pasted."""
    named = ["--candidates", started.candidates] if started.candidates else []
    return shlex.join(["harness", "replay", counterexample, *named])
