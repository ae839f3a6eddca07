"""Record: what happened, as typed events in an append-only log."""
