"""Claims: what the source documents say, family by family, and what is expected of it."""
