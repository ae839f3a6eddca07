"""Mutations of what is valid: of its values, its structure and its bytes, each told in a few words."""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from tests.byhand import CONTROLS, DIRECTIONS, MARKUP


def _nested(depth: int) -> Any:
    made: Any = 1
    for _ in range(depth):
        made = {"a": [made]}
    return made


ODD = (
    *(None, True, 0, -1, 2**31, 2**63, 10**30, 10**400, 0.1, -0.0, 1e308, 5e-324),
    *(float("nan"), float("inf"), float("-inf"), "nan", "inf", "-inf", "", " ", "0", "x" * 300, "../..", "/tmp/x"),
    *(
        CONTROLS,
        DIRECTIONS,
        MARKUP,
        "\ud800",
        "\0",
        "a\nb",
        "-x",
        "2026-99-99",
        "99999-01-01T00:00:00",
        "%s{}{{x}}[bold]",
    ),
    *([], [[]], [None], {}, {"a": 1}, {"": None}, _nested(30)),
)
"""Values that a field may have to cope with."""

Path = tuple[Any, ...]


@dataclass(frozen=True)
class Mutation:
    """One change: what is done at a path, with a value or at another path, or with a byte."""

    kind: str
    path: Path = ()
    value: Any = None

    def __str__(self) -> str:
        value = repr(self.value)
        return f"{self.kind} {'.'.join(map(str, self.path))} {value[:100]}{'…' * (len(value) > 100)}"


def paths(told: Any, before: Path = ()) -> list[Path]:
    """Every place in a value of JSON but its root, from the outermost."""
    inner = told.items() if isinstance(told, dict) else enumerate(told) if isinstance(told, list) else ()
    return [path for key, each in inner for path in ((*before, key), *paths(each, (*before, key)))]


def mutations(told: Any) -> st.SearchStrategy[list[Mutation]]:
    """One to three changes of a value of JSON, or of the bytes in which it is written."""
    where = st.sampled_from(paths(told))
    values = st.sampled_from(ODD) | st.text(max_size=20) | st.integers() | st.floats()
    one = st.one_of(
        st.builds(Mutation, st.just("set"), where, values),
        st.builds(Mutation, st.sampled_from(("delete", "duplicate", "into a list", "into an object")), where),
        st.builds(Mutation, st.just("swap with"), where, where),
        st.builds(Mutation, st.just("insert"), where, st.sampled_from([each for each in ODD if isinstance(each, str)])),
        st.builds(Mutation, st.just("name"), where, st.sampled_from([each for each in ODD if isinstance(each, str)])),
        st.builds(Mutation, st.sampled_from(("byte", "cut")), st.tuples(st.floats(0, 1)), st.integers(0, 255)),
    )
    return st.lists(one, min_size=1, max_size=3)


def changed(told: Any, by: list[Mutation]) -> Any:
    """The value with those changes that are of it, as far as the places are still there."""
    made = deepcopy(told)
    for each in by:
        holder = _at(made, each.path[:-1])
        if each.path and _has(holder, each.path[-1]):
            _change(made, holder, each.path[-1], each)
    return made


def spoilt(content: bytes, by: list[Mutation]) -> bytes:
    """The bytes with those changes that are of them."""
    made = bytearray(content)
    for each in by:
        if each.kind in ("byte", "cut") and made:
            place = int(each.path[0] * (len(made) - 1))
            if each.kind == "cut":
                del made[place:]
            else:
                made[place] = each.value
    return bytes(made)


def _at(told: Any, path: Path) -> Any:
    for key in path:
        if not _has(told, key):
            return None
        told = told[key]
    return told


def _has(holder: Any, key: Any) -> bool:
    if isinstance(holder, dict):
        return key in holder
    return isinstance(holder, list) and isinstance(key, int) and key < len(holder)


def _change(whole: Any, holder: Any, key: Any, by: Mutation) -> None:
    old = holder[key]
    match by.kind:
        case "set":
            holder[key] = by.value
        case "delete":
            del holder[key]
        case "duplicate" if isinstance(holder, list):
            holder.insert(key, deepcopy(old))
        case "duplicate":
            holder[f"{key}2"] = deepcopy(old)
        case "into a list":
            holder[key] = [old]
        case "into an object":
            holder[key] = {"a": old}
        case "swap with":
            _swap(whole, holder, key, by.value)
        case "insert" if isinstance(old, str):
            holder[key] = old[: len(old) // 2] + by.value + old[len(old) // 2 :]
        case "name" if isinstance(holder, dict):
            holder[by.value] = holder.pop(key)


def _swap(whole: Any, holder: Any, key: Any, path: Path) -> None:
    """Exchange two values, neither of which is inside the other."""
    other = _at(whole, path[:-1])
    if _has(other, path[-1]):
        one, two = deepcopy(holder[key]), deepcopy(other[path[-1]])
        holder[key], other[path[-1]] = two, one


def as_lines(told: list[Any]) -> bytes:
    """Lines of JSON."""
    return b"".join(json.dumps(each).encode() + b"\n" for each in told)


def as_toml(told: dict[str, Any]) -> bytes:
    """TOML, as far as it has a word for what is told."""
    return "".join(f"{json.dumps(key)} = {_toml(each)}\n" for key, each in told.items()).encode("utf-8", "replace")


def _toml(told: Any) -> str:
    if isinstance(told, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {_toml(each)}" for key, each in told.items()) + "}"
    if isinstance(told, list):
        return "[" + ", ".join(map(_toml, told)) + "]"
    return json.dumps(told)
