"""Visible text: what candidates and their messages contain, made safe to look at, in a page as in a terminal."""

from __future__ import annotations

import unicodedata

_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_BLANK = frozenset(
    map(
        chr,
        (
            0x034F,
            0x115F,
            0x1160,
            0x17B4,
            0x17B5,
            *range(0x180B, 0x1810),
            0x2800,
            0x3164,
            *range(0xFE00, 0xFE10),
            0xFFA0,
        ),
    )
) | frozenset(map(chr, range(0xE0100, 0xE01F0)))
"""Letters and marks that show nothing: Unicode's Default_Ignorable_Code_Point beyond those kinds, and the blank of Braille."""

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
        unseen = unicodedata.category(character) in _UNSEEN or character in _BLANK or marks > _STACKED
        spelled.append(_escape(character) if unseen and character not in kept else character)
    return "".join(spelled)


def _escape(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")
