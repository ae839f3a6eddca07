"""States: what people have made of the findings of a survey, in a file to be committed, `reports/surveys/torch.toml`.

    [[finding]]
    id = "4f1c2a90"
    state = "reported"             # new, reported, expected, ours
    note = "pytorch/pytorch#123"   # where it is reported, or why it is as it should be, or what is wrong with the harness
    title = "torch.special.ndtri: …"

The survey adds what it finds for the first time, and changes nothing that stands there.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from harness.errors import HarnessError
from harness.explain.visible import visible
from harness.record.reading import Unreadable, as_declared, read_text, shown
from harness.survey.findings import Found

_TITLE = 160


@dataclass(frozen=True)
class State:
    """What somebody has made of a finding. since: the first version in which a survey met it."""

    id: str
    state: Literal["new", "reported", "expected", "ours"] = "new"
    note: str = ""
    title: str = ""
    since: str = ""


@dataclass(frozen=True)
class _Content:
    """What a file of states holds."""

    finding: list[State] = field(default_factory=list)


def read_states(path: Path) -> dict[str, State]:
    """The states of a file by the ids of findings; none where there is no file. Raises HarnessError with the entry and the mend."""
    if not path.exists():
        return {}
    try:
        made = as_declared(shown(tomllib.loads(read_text(path, "states of findings"))), _Content).finding
    except (tomllib.TOMLDecodeError, Unreadable, RecursionError) as failure:
        raise HarnessError(
            f"{path}: {failure}; an entry is a table below [[finding]], as the head of the file says"
        ) from None
    return {each.id: each for each in made}


def add_new(path: Path, states: Mapping[str, State], found: Iterable[Found], version: str) -> dict[str, State]:
    """All states, those of findings that the file lacks among them, which are added at its end."""
    fresh = [
        State(each.id, title=visible(each.title, _TITLE), since=version) for each in found if each.id not in states
    ]
    if fresh:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.write("".join(map(_entry, fresh)) if path.stat().st_size else _HEAD + "".join(map(_entry, fresh)))
    return {**states, **{each.id: each for each in fresh}}


_HEAD = """\
# What was made of the findings of surveys; `harness survey` adds new ones at the end, and changes nothing.
# state: new, reported (note: where), expected (note: why), ours (note: what is wrong with the harness)
"""


def _entry(state: State) -> str:
    """A table of TOML, whose strings are written as JSON's are."""
    fields = (
        ("id", state.id),
        ("state", state.state),
        ("note", state.note),
        ("title", state.title),
        ("since", state.since),
    )
    return "\n[[finding]]\n" + "".join(f"{name} = {json.dumps(value)}\n" for name, value in fields)
