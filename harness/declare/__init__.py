"""Declare: one annotated function becomes an operation, and functions beside it its implementations."""
