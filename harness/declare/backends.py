"""Backends: what an implementation is given, what it may return, and what it can't do.

The case is made of torch tensors. A backend takes them over as its own arrays and its results back,
so that an implementation is written in the idiom of its library.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import torch
from torch import Tensor

from harness.declare.devices import ACCELERATOR, CPU
from harness.declare.dtypes import HALVES, WIDE
from harness.declare.exported import exported
from harness.declare.triton_interpreter import VARIABLE, interpreted_on_the_cpu, is_native
from harness.errors import DeclarationError
from harness.registry import Registry

COMPILED = "torch.compile"
"""The backend of what PyTorch's own compiler makes of an implementation."""

EXPORTED = "torch.export"
"""The backend of the programs that torch.export makes of an implementation."""

Function = Callable[..., Any]


def _as_it_is(value: Any) -> Any:
    return value


@dataclass(frozen=True, kw_only=True)
class Backend:
    """One library's way with arrays.

    packages: that must be importable; devices, dtypes: what the library takes (of devices also `accelerator`: whatever is not
    the CPU); receive: makes its array of a tensor,
    give_back: a tensor of its result; differentiable: whether torch's autograd reaches through it; prepare: makes of a
    function what is called, once; watched: whether its kernels are interpreted where it is asked on the CPU, and each access of
    theirs is seen;
    negative_strides: whether its arrays may have them, as NumPy's. For scripts: received: how `{}`, a tensor's literal, becomes
    its array; prepared: how `{}`, a function's name, becomes what is called; setup: lines that stand before anything else.
    """

    name: str
    packages: tuple[str, ...] = ()
    devices: tuple[str, ...] = ("cpu",)
    dtypes: tuple[torch.dtype, ...] = WIDE
    receive: Callable[[Tensor], Any] = _as_it_is
    give_back: Callable[[Any], Any] = _as_it_is
    differentiable: bool = False
    prepare: Callable[[Function], Function] = _as_it_is
    watched: bool = False
    negative_strides: bool = False
    received: str = "{}"
    prepared: str = "{}"
    setup: tuple[str, ...] = ()

    def receive_reversed(self, tensor: Tensor) -> Any:
        """The tensor as an array with negative strides along every axis."""
        return np.flip(self.receive(tensor.flip(tuple(range(tensor.ndim)))))

    def missing(self) -> str | None:
        """Why this backend can't be used here, or None."""
        absent = [package for package in self.packages if importlib.util.find_spec(package) is None]
        return f"the package {', '.join(absent)} is not installed" if absent else None


BACKENDS: Registry[Backend] = Registry("backend", "harness.backends")


def backend(name: str, **facts: Any) -> Backend:
    """Add a backend: a library on which implementations are written, with what is told of it (see Backend).

    ```python
    import harness, torch

    harness.backend("thunder", packages=("thunder",), devices=("cuda",), dtypes=(torch.float32, torch.float16))
    ```

    Without `receive` and `give_back` an implementation gets torch's tensors and returns them. Raises DeclarationError for a
    name that is taken, or a fact that a backend does not have.
    """
    known = {each.name for each in fields(Backend)}
    for fact in facts.keys() - known:
        raise DeclarationError(
            f"backend {name!r}: {fact}= is nothing that is told of one; there are {', '.join(sorted(known))}"
        )
    return BACKENDS.register(name, Backend(name=name, **facts))


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


def _interpreted(function: Function) -> Function:
    """The function, whose Pallas kernels are interpreted where JAX computes on the CPU; NaN stands beyond the end of an array there."""
    on_the_cpu = importlib.import_module("jax").default_backend() == "cpu"
    made: Function = importlib.import_module("jax.experimental.pallas.tpu").force_tpu_interpret_mode(on_the_cpu)(
        function
    )
    return made


def _to_keras(tensor: Tensor) -> Any:
    os.environ.setdefault("KERAS_BACKEND", "torch")
    return tensor.detach().numpy()


def _from_keras(value: Any) -> Any:
    return value.detach() if isinstance(value, Tensor) else _from_jax(value)


_ARRAYS = {"receive": _to_numpy, "give_back": _from_numpy, "negative_strides": True, "received": "{}.numpy()"}
"""What a library that computes with NumPy's arrays is given, and gives back."""

_OF_TORCH = {"differentiable": True, "dtypes": (*WIDE, *HALVES), "devices": (CPU, ACCELERATOR), "packages": ("torch",)}

_OF_JAX: dict[str, Any] = {
    "receive": _to_jax,
    "give_back": _from_jax,
    "received": "jax.device_put({}.numpy())",
    "setup": ("import jax", 'jax.config.update("jax_enable_x64", True)'),
}

backend("torch", **_OF_TORCH)
backend(COMPILED, **_OF_TORCH, prepare=torch.compile, prepared="torch.compile({})")
backend(EXPORTED, **_OF_TORCH, prepare=exported)


def _triton() -> None:
    """Add Triton: its kernels run as they are where they are given tensors of a GPU, and elsewhere in its interpreter.

    Where no GPU is, the environment variable by which Triton is asked for that is set as well, before any candidate can
    import it: what is called beside the harness has nothing else to go by.
    """
    if not is_native():
        os.environ.setdefault(VARIABLE, "1")
    backend("triton", **_OF_TORCH | {"packages": ("triton",)}, prepare=interpreted_on_the_cpu, watched=True)


_triton()
backend("numpy", packages=("numpy",), **_ARRAYS, dtypes=(*WIDE, torch.float16))
backend("scipy", packages=("scipy",), **_ARRAYS)
backend("pylops", packages=("pylops",), **_ARRAYS)
backend("onnxruntime", packages=("onnxruntime", "onnx"), **_ARRAYS, dtypes=(torch.float32,))
backend("jax", packages=("jax",), **_OF_JAX)
backend(
    "pallas",
    packages=("jax",),
    **_OF_JAX | {"setup": (*_OF_JAX["setup"], "from jax.experimental.pallas import tpu")},
    prepare=_interpreted,
    prepared='tpu.force_tpu_interpret_mode(jax.default_backend() == "cpu")({})',
)
backend("equinox", packages=("jax", "equinox"), **_OF_JAX)
backend(
    "keras",
    packages=("keras",),
    receive=_to_keras,
    give_back=_from_keras,
    received="{}.numpy()",
    setup=("import os", 'os.environ.setdefault("KERAS_BACKEND", "torch")'),
)
backend("scikit-learn", packages=("sklearn",), **_ARRAYS)
backend("opencv", packages=("cv2",), **_ARRAYS)
backend("xgboost", packages=("xgboost",), **_ARRAYS, dtypes=(torch.float32,))
backend("lightgbm", packages=("lightgbm",), **_ARRAYS, dtypes=(torch.float64,))
backend("gpytorch", packages=("gpytorch",), differentiable=True)
backend("kornia", packages=("kornia",), differentiable=True)
