"""Callables: what may be given as an implementation, what it is called, and where its own Python code is.

A function, a method, a functools.partial, an object with `__call__`, an nn.Module, a torch.autograd.Function's `apply`, or a
builtin such as torch.add and np.add, which has no code and no names of its own and takes its arguments in their order.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import FunctionType
from typing import Any

import torch
import torch.masked
import torch.signal.windows

from harness.errors import DeclarationError


def plain(function: Callable[..., Any]) -> FunctionType | None:
    """The Python function that runs when something is called, None for a builtin."""
    if isinstance(function, functools.partial):
        return plain(function.func)
    if isinstance(function, torch.nn.Module):
        return plain(function.forward)
    if (made := applied(function)) is not None:
        return plain(made.forward)
    unwrapped = inspect.unwrap(function)
    method = getattr(unwrapped, "__func__", unwrapped)
    called = method if inspect.isfunction(method) else inspect.getattr_static(unwrapped, "__call__", None)
    return called if inspect.isfunction(called) else None


def applied(function: Callable[..., Any]) -> type[torch.autograd.Function] | None:
    """The torch.autograd.Function of which this is `apply`, None for anything else."""
    made = getattr(function, "__self__", None)
    of_autograd = isinstance(made, type) and issubclass(made, torch.autograd.Function)
    return made if of_autograd and getattr(function, "__name__", "") == "apply" else None


def name_of(function: Callable[..., Any]) -> str:
    """What it is called: by itself, by what a partial calls, or by its class."""
    if isinstance(function, functools.partial):
        return name_of(function.func)
    function = applied(function) or function
    return str(getattr(function, "__name__", type(function).__name__))


def module_of(function: Callable[..., Any]) -> str:
    """The name of the module in which its code stands, empty for a builtin."""
    code = plain(function)
    return code.__module__ if code is not None and isinstance(code.__module__, str) else ""


_PUBLIC = (
    torch.nn.functional,
    torch,
    torch.linalg,
    torch.fft,
    torch.special,
    torch.signal.windows,
    torch.masked,
    torch.Tensor,
)
"""Where PyTorch's functions stand."""


def public_path(function: Callable[..., Any]) -> str:
    """How Python calls one of PyTorch's functions, as `torch.linalg.svd`; empty for another one."""
    for place in _PUBLIC:
        name = next((name for name, each in _functions(place).items() if each is function), "")
        if name:
            return f"torch.Tensor.{name}" if place is torch.Tensor else f"{place.__name__}.{name}"
    return ""


@functools.cache
def _functions(place: Any) -> dict[str, Any]:
    """What a module or a class has by name, its bases included, which are where methods of tensors stand."""
    return {name: getattr(place, name, None) for name in dir(place) if name.isidentifier()}


def place_of(function: Callable[..., Any]) -> str:
    """`file.py: name`, so that a message says where to look."""
    code = plain(function)
    name = name_of(function)
    return f"{Path(code.__code__.co_filename).name}: {name}" if code is not None else name


def signature_of(names: Iterable[str], defaults: Mapping[str, Any] | None = None) -> inspect.Signature:
    """The signature of a made function with these parameters, for its `__signature__`; defaults: of those that have one."""
    kind, fixed = inspect.Parameter.POSITIONAL_OR_KEYWORD, defaults or {}
    return inspect.Signature(
        [inspect.Parameter(name, kind, default=fixed.get(name, inspect.Parameter.empty)) for name in names]
    )


def takes_by_name(function: Callable[..., Any], of: str, parameters: tuple[str, ...]) -> bool:
    """Whether it takes these parameters by their names; otherwise it is a builtin that takes them in their order.

    Raises DeclarationError, with the mend, where it takes them in neither way.
    """
    expected = f"{of}({', '.join(parameters)})"
    if inspect.isclass(function) or not callable(function):
        kind = "a class; give an instance of it" if inspect.isclass(function) else "nothing that can be called"
        raise DeclarationError(f"{place_of(function)} is {kind}, or a function that takes the arguments of {expected}")
    signature = _signature(function)
    if signature is None:
        return False
    try:
        signature.bind(**dict.fromkeys(parameters))
    except TypeError as mismatch:
        if plain(function) is None and _binds(signature, parameters):
            return False
        raise DeclarationError(
            f"{place_of(function)}{signature} does not take the arguments of {expected}: {mismatch}; name its parameters "
            "as the operation does, or wrap it in a function that does"
        ) from None
    return True


def _signature(function: Callable[..., Any]) -> inspect.Signature | None:
    """The parameters that count: of a module those of its forward, for its __call__ takes anything."""
    try:
        return inspect.signature(function.forward if isinstance(function, torch.nn.Module) else function)
    except (TypeError, ValueError):
        return None


def _binds(signature: inspect.Signature, parameters: tuple[str, ...]) -> bool:
    try:
        signature.bind(*parameters)
    except TypeError:
        return False
    return True
