"""Visible text: what candidates and their messages contain, made safe to look at, in a page as in a terminal."""

from __future__ import annotations

import unicodedata

_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_STACKED = 2
"""Combining marks that one letter may carry; more are piled up to hide the lines above."""


def visible(text: str, limit: int = 2_000, lines: bool = False) -> str:
    """The text with everything unseen spelled out, cut after `limit` characters with a count of what is left out.

    Spelled out as Python would: controls (a terminal would obey them), marks that change the direction of reading,
    characters of no width, lone surrogates; line ends and tabs as well, unless the text is meant to have `lines`.
    """
    shown, rest = text[:limit], len(text) - limit
    plain = shown.replace("\n", "").replace("\t", "") if lines else shown
    if not (plain.isascii() and plain.isprintable()):
        shown = _spelled(shown, "\n\t" if lines else "")
    return f"{shown}… ({rest:,} more characters)" if rest > 0 else shown


def _spelled(text: str, kept: str) -> str:
    spelled, marks = [], 0
    for character in text:
        marks = marks + 1 if unicodedata.combining(character) else 0
        unseen = unicodedata.category(character) in _UNSEEN or marks > _STACKED
        spelled.append(_escape(character) if unseen and character not in kept else character)
    return "".join(spelled)


def _escape(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")
