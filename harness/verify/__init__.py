"""Verify: statements, the cells in which they are asked, and the exploration that answers them."""
