"""Command: `harness list`, `harness run`, `harness check`, each a thin layer over the rooms below."""
