"""Hostile and broken inputs, as a table: what the harness is given, and how it has to answer.

`tests/test_hostile.py` asks every row, and `python -m tests.hostile [WORD…]` prints the table with what was given. A row
is one line in the file of its subject (`logs.py`, `kept.py`, `index.py`, `folders.py`, `findings.py`, `files.py`,
`surveys.py`, `words.py`): a name, the words of the command, the exit codes that are right, a pattern for what has to be said, and a
function that puts the input into a `Place`. `judging.py` says what is demanded of every row besides.
"""
