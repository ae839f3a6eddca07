"""The survey: a library's public operators, each declared by itself, asked what any right one keeps to, and what was found as a worklist."""
