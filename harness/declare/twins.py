"""Twins: what an implementation of torch becomes where something else runs it, asked where that is named as a backend."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch

from harness.declare.backends import BACKENDS, COMPILED, EXPORTED, Backend
from harness.declare.exported import exported, exported_to_onnx
from harness.declare.modules import ModuleFunction

_Function = Callable[..., Any]


@dataclass(frozen=True)
class Twin:
    """What runs a function of torch: `--backend` with the backend's name asks it.

    suffix: what the name of a twin has more than its original's; keeps_writes: whether what the function writes to its
    arguments is there afterwards.
    """

    backend: Backend
    suffix: str
    keeps_writes: bool = False

    @property
    def name(self) -> str:
        """The backend's."""
        return self.backend.name


def _through(translate: Callable[[_Function], _Function]) -> Callable[[_Function], _Function]:
    """The same for a module, of which what it does is translated, and not how it is made."""
    return lambda function: function.through(translate) if isinstance(function, ModuleFunction) else translate(function)


_TORCH = BACKENDS["torch"]

TWINS = {
    each.name: each
    for each in (
        Twin(BACKENDS[COMPILED], ".compiled", keeps_writes=True),
        Twin(replace(BACKENDS[EXPORTED], prepare=_through(exported)), ".exported"),
        Twin(
            replace(
                _TORCH,
                name="onnxruntime",
                packages=("onnxruntime", "onnxscript"),
                devices=("cpu",),
                dtypes=(torch.float32,),
                differentiable=False,
                prepare=_through(exported_to_onnx),
            ),
            ".onnx",
        ),
    )
}
"""By the name of a backend."""


def twin_named(name: str) -> tuple[str, Twin | None]:
    """The original's name and the twin, by what a name ends with; of another name itself, and None."""
    for twin in TWINS.values():
        if name.endswith(twin.suffix):
            return name.removesuffix(twin.suffix), twin
    return name, None
