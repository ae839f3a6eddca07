"""Options that are not heeded."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Iterator
from typing import Any

from harness.explain.cause import Instead, cause
from harness.explain.scene import Scene
from harness.generate.case import Call


def _with_option(name: str, value: Any) -> Callable[[Call], Call | None]:
    def changed(call: Call) -> Call | None:
        return dataclasses.replace(call, options={**call.options, name: value})

    return changed


@cause
def option_ignored(scene: Scene) -> Iterator[Instead]:
    """One value of an option is computed whatever is asked."""
    for name, domain in scene.operation.options.items():
        for value in domain.values:
            yield Instead(f"{name}={value!r} is computed whatever {name} is", _with_option(name, value))


@cause
def another_option(scene: Scene) -> Iterator[Instead]:
    """One value of an option is computed where another is asked."""
    for name, domain in scene.operation.options.items():
        for asked, computed in itertools.permutations(domain.values, 2):
            change = _with_option(name, computed)

            def changed(call: Call, name: str = name, asked: Any = asked, change: Any = change) -> Call | None:
                made: Call | None = change(call) if call.options[name] == asked else call
                return made

            yield Instead(f"{name}={computed!r} is computed where {name}={asked!r} is asked", changed)
