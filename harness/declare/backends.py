"""Backends: what an implementation is given, what it may return, and what it can't do.

The case is made of torch tensors. A backend takes them over as its own arrays and its results back,
so that an implementation is written in the idiom of its library.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

HALVES = (torch.float16, torch.bfloat16)
COMPILED = "torch.compile"
"""The backend on which every implementation of torch has a compiled twin."""

Function = Callable[..., Any]


@dataclass(frozen=True)
class Backend:
    """One library's way with arrays.

    `packages` must be importable; `devices` and `dtypes` are what the library takes; `differentiable` says
    whether torch's autograd reaches through it; `prepare` makes of a function what is called, once.
    """

    name: str
    packages: tuple[str, ...]
    devices: tuple[str, ...]
    dtypes: tuple[torch.dtype, ...]
    differentiable: bool
    receive: Callable[[Tensor], Any]
    give_back: Callable[[Any], Any]
    prepare: Callable[[Function], Function] = lambda function: function

    @property
    def takes_negative_strides(self) -> bool:
        """Whether it is given NumPy's arrays, whose strides may be negative."""
        return self.receive is _to_numpy

    def receive_reversed(self, tensor: Tensor) -> Any:
        """The tensor as an array with negative strides along every axis."""
        return np.flip(self.receive(tensor.flip(tuple(range(tensor.ndim)))))

    def missing(self) -> str | None:
        """Why this backend can't be used here, or None."""
        absent = [package for package in self.packages if importlib.util.find_spec(package) is None]
        return f"the package {', '.join(absent)} is not installed" if absent else None


def _to_numpy(tensor: Tensor) -> Any:
    return tensor.detach().numpy()


def _from_numpy(value: Any) -> Any:
    return torch.from_numpy(np.array(value, order="C")) if isinstance(value, np.ndarray | np.generic) else value


def _to_jax(tensor: Tensor) -> Any:
    jax: Any = importlib.import_module("jax")
    jax.config.update("jax_enable_x64", True)
    return jax.device_put(tensor.detach().numpy())  # asarray would compile for each shape


def _from_jax(value: Any) -> Any:
    return torch.from_numpy(np.array(value)) if hasattr(value, "__array__") and not isinstance(value, Tensor) else value


def _to_keras(tensor: Tensor) -> Any:
    os.environ.setdefault("KERAS_BACKEND", "torch")
    return tensor.detach().numpy()


def _from_keras(value: Any) -> Any:
    return value.detach() if isinstance(value, Tensor) else _from_jax(value)


WIDE = (torch.float64, torch.float32)

BACKENDS = {
    backend.name: backend
    for backend in (
        Backend("torch", ("torch",), ("cpu", "cuda"), (*WIDE, *HALVES), True, lambda t: t, lambda v: v),
        Backend(
            COMPILED,
            ("torch",),
            ("cpu", "cuda"),
            (*WIDE, *HALVES),
            True,
            lambda t: t,
            lambda v: v,
            torch.compile,
        ),
        Backend("numpy", ("numpy",), ("cpu",), (*WIDE, torch.float16), False, _to_numpy, _from_numpy),
        Backend("scipy", ("scipy",), ("cpu",), WIDE, False, _to_numpy, _from_numpy),
        Backend("pylops", ("pylops",), ("cpu",), WIDE, False, _to_numpy, _from_numpy),
        Backend("onnxruntime", ("onnxruntime", "onnx"), ("cpu",), (torch.float32,), False, _to_numpy, _from_numpy),
        Backend("jax", ("jax",), ("cpu",), WIDE, False, _to_jax, _from_jax),
        Backend("equinox", ("jax", "equinox"), ("cpu",), WIDE, False, _to_jax, _from_jax),
        Backend("keras", ("keras",), ("cpu",), WIDE, False, _to_keras, _from_keras),
        Backend("scikit-learn", ("sklearn",), ("cpu",), WIDE, False, _to_numpy, _from_numpy),
        Backend("opencv", ("cv2",), ("cpu",), WIDE, False, _to_numpy, _from_numpy),
        Backend("xgboost", ("xgboost",), ("cpu",), (torch.float32,), False, _to_numpy, _from_numpy),
        Backend("lightgbm", ("lightgbm",), ("cpu",), (torch.float64,), False, _to_numpy, _from_numpy),
        Backend("gpytorch", ("gpytorch",), ("cpu",), WIDE, True, lambda t: t, lambda v: v),
        Backend("kornia", ("kornia",), ("cpu",), WIDE, True, lambda t: t, lambda v: v),
    )
}
