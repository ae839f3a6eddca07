"""The whole table."""

from __future__ import annotations

from tests.hostile import files, findings, folders, index, kept, logs, surveys, words

TABLE = (*logs.ROWS, *kept.ROWS, *index.ROWS, *folders.ROWS, *findings.ROWS, *files.ROWS, *surveys.ROWS, *words.ROWS)

assert len({row.name for row in TABLE}) == len(TABLE), "two rows have one name"
