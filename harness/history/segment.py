"""Segments: runs whose figures may share a series, and what differs between two environments."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

_PARTING = {
    **dict.fromkeys(("platform", "cpu", "instructions", "accelerators"), ("on this machine", "on another machine")),
    "kernels": ("with these kernels", "with other kernels"),
    "driver": ("with this driver", "with another driver"),
    "torch": ("with this torch", "with another torch"),
    "precision": ("in this precision", "in another precision"),
}
"""The facts that part segments, the weightiest first: how one says `here` and `there` where they differ."""

_IGNORED = ("revision", "candidates revision", "cores")

_ONCE = {"accelerators": "cuda"}
"""What earlier versions call a fact in their logs, and what a segment goes on being told by."""


@dataclass(frozen=True)
class Difference:
    """A fact that two environments do not share; `parts`: whether it parts their figures into two segments."""

    name: str
    before: str
    after: str
    parts: bool


def segment(environment: dict[str, Any]) -> str:
    """Eight hexadecimal digits for hardware, chosen kernels, driver, torch and precision: figures are compared within one segment alone."""
    told = _facts(environment)
    parting = {_ONCE.get(name, name): told.get(name, "") for name in _PARTING}
    return hashlib.sha256(json.dumps(parting, sort_keys=True).encode()).hexdigest()[:8]


def differences(before: dict[str, Any], after: dict[str, Any]) -> list[Difference]:
    """What is not the same, what parts segments first."""
    old, new = _facts(before), _facts(after)
    names = [*_PARTING, *sorted({*old, *new} - {*_PARTING})]
    return [
        Difference(name, old.get(name, ""), new.get(name, ""), name in _PARTING)
        for name in names
        if old.get(name, "") != new.get(name, "")
    ]


def here_and_there(differing: Iterable[Difference]) -> tuple[str, str]:
    """How one says `here` and `there` of two segments, by the weightiest fact that parts them."""
    return next((_PARTING[each.name] for each in differing if each.parts), ("here", "there"))


def _facts(environment: dict[str, Any]) -> dict[str, str]:
    """The environment as names and words, packages by themselves."""
    return dict(_told(environment))


def _told(environment: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The facts of an environment, which a log may have from anywhere: what is of another type is told as it is."""
    packages, kernels = _table(environment, "packages"), _table(environment, "kernels")
    for name, value in environment.items():
        if name not in (*_IGNORED, *_PARTING, *_ONCE.values(), "packages", "tf32", "threads", "torch build"):
            yield name, _line(value)
    yield from ((name, _word(version)) for name, version in packages.items() if name != "torch")
    yield "torch", " ".join(filter(None, map(_word, (packages.get("torch"), environment.get("torch build")))))
    yield "platform", _machine(_word(environment.get("platform")))
    yield "cpu", _word(environment.get("cpu"))
    yield "instructions", _word(environment.get("instructions"))
    yield "kernels", " ".join(f"{name}={_word(value)}" for name, value in kernels.items())
    yield "accelerators", _devices(environment.get("accelerators", environment.get("cuda")))
    yield "driver", _word(environment.get("driver"))
    yield "precision", f"tf32 {_line(environment.get('tf32', {}))}, {_line(environment.get('threads', ''))} threads"


def _table(environment: dict[str, Any], name: str) -> dict[str, Any]:
    """A fact that consists of named ones; where it does not, its value has no name."""
    found = environment.get(name)
    return found if isinstance(found, dict) else {"": found} if found else {}


def _devices(found: Any) -> str:
    """The names of devices."""
    if not isinstance(found, list):
        return _word(found)
    return "; ".join(_word(each.get("name")) if isinstance(each, dict) else _word(each) for each in found)


def _machine(platform: str) -> str:
    """The system and the processor's kind, without the build of the kernel, which changes weekly and computes nothing."""
    words = platform.split("-")
    return "-".join([words[0], *(word for word in words if word in _PROCESSORS)])


_PROCESSORS = ("x86_64", "aarch64", "arm64", "AMD64", "ppc64le", "riscv64")


def _word(value: Any) -> str:
    """A value in words; nothing for none."""
    return "" if value is None else _line(value)


def _line(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)
