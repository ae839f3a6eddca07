"""Exported programs: what torch.export and the ONNX exporter make of a function, run in its place.

A program is exported once with sizes that may vary, as people export what they ship, and is run at every size from then on.
At sizes for which it is not made, another one is exported for those alone.
"""

from __future__ import annotations

import importlib
import logging
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from time import perf_counter
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import TreeSpec, tree_flatten, tree_unflatten

Tensors = tuple[Tensor, ...]

Program = Callable[..., Sequence[Tensor]]
"""Takes tensors, and gives those of the result in order."""

Exporter = Callable[[nn.Module, Tensors, bool], Program]
"""Makes a program of a module and of tensors that it is called with; the last says whether their sizes may vary."""

export_listeners: list[Callable[[float], None]] = []
"""Who is told how many seconds an export took."""


class Exported:
    """A function that is run as the programs which are exported of it."""

    def __init__(self, function: Callable[..., Any], exporter: Exporter) -> None:
        self._function, self._exporter = function, exporter
        self._programs: dict[Any, _Programs] = {}
        self.__wrapped__ = function
        self.__name__ = getattr(function, "__name__", type(function).__name__)

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """The function's result. Raises what an exporter or a program raises."""
        leaves, tree = tree_flatten((arguments, named))
        tensors = tuple(each for each in leaves if isinstance(each, Tensor))
        rest = tuple(None if isinstance(each, Tensor) else each for each in leaves)
        key = (str(tree), repr(rest), *((each.dtype, each.device, each.ndim) for each in tensors))
        if key not in self._programs:
            self._programs[key] = _Programs(_Flat(self._function, tree, rest), self._exporter)
        return self._programs[key](tensors)


class _Flat:
    """A call of a function as one that takes its tensors in order, and gives those of the result."""

    def __init__(self, function: Callable[..., Any], tree: TreeSpec, rest: tuple[Any, ...]) -> None:
        self._function, self._tree, self._rest = function, tree, rest
        self._result: tuple[TreeSpec, list[Any]] | None = None

    def __call__(self, *tensors: Tensor) -> Tensors:
        """The tensors of the result; what else there is in it is kept, since it is the same at every call."""
        given = iter(tensors)
        leaves = [next(given) if each is None else each for each in self._rest]
        arguments, named = tree_unflatten(leaves, self._tree)
        leaves, tree = tree_flatten(self._function(*arguments, **named))
        self._result = tree, [None if isinstance(each, Tensor) else each for each in leaves]
        return tuple(each for each in leaves if isinstance(each, Tensor))

    def result(self, tensors: Sequence[Tensor]) -> Any:
        """The function's result of the tensors in it."""
        assert self._result is not None  # since a program was made
        given, (tree, rest) = iter(tensors), self._result
        return tree_unflatten([next(given) if each is None else each for each in rest], tree)


class _Module(nn.Module):
    """A function as a module, which exporters want. They copy it, but never what it calls."""

    def __init__(self, flat: _Flat) -> None:
        super().__init__()

        def call(*tensors: Tensor) -> Tensors:
            return flat(*tensors)

        self._call = call

    def forward(self, *tensors: Tensor) -> Tensors:
        """What the function gives."""
        return self._call(*tensors)


class _Programs:
    """The programs of one set of options: one for any sizes, and more for those at which that one can't be run."""

    def __init__(self, flat: _Flat, exporter: Exporter) -> None:
        self._flat, self._exporter = flat, exporter
        self._general: Program | None = None
        self._is_fixed = False
        self._exact: dict[tuple[torch.Size, ...], Program] = {}

    def __call__(self, tensors: Tensors) -> Any:
        shapes = tuple(each.shape for each in tensors)
        if shapes not in self._exact:
            general = self._of_any_sizes(tensors)
            try:
                if general is not None:
                    return self._flat.result(general(*tensors))
            except Exception:  # it is made for other sizes; if it is not, the next one raises the same
                pass
            self._exact[shapes] = self._made(tensors, varying=False)
        return self._flat.result(self._exact[shapes](*tensors))

    def _of_any_sizes(self, tensors: Tensors) -> Program | None:
        """The program whose sizes vary, made of the first call without sizes of 0 and 1, which an exporter takes for fixed."""
        if self._general is None and not self._is_fixed and all(size > 1 for each in tensors for size in each.shape):
            try:
                self._general = self._made(tensors, varying=True)
            except Exception:  # one that looks at its sizes
                self._is_fixed = True
        return self._general

    def _made(self, tensors: Tensors, *, varying: bool) -> Program:
        began = perf_counter()
        try:
            with _quiet():
                return self._exporter(_Module(self._flat), tuple(each.detach().clone() for each in tensors), varying)
        finally:
            for told in export_listeners:
                told(perf_counter() - began)


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the warnings and the progress of an exporter."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def _varying(tensors: Tensors) -> tuple[tuple[dict[int, Any], ...]]:
    """That every axis of every tensor may vary, in the form that exporters take for a function of any number of arguments."""
    return (tuple(dict.fromkeys(range(each.ndim), torch.export.Dim.AUTO) for each in tensors),)


def exported(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of torch as torch.export exports it."""

    def export(module: nn.Module, tensors: Tensors, varying: bool) -> Program:
        program = torch.export.export(module, tensors, dynamic_shapes=_varying(tensors) if varying else None)
        return program.module()

    return Exported(function, export)


def exported_to_onnx(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of torch as torch.onnx exports it, run by onnxruntime on the CPU."""

    def export(module: nn.Module, tensors: Tensors, varying: bool) -> Program:
        program = torch.onnx.export(
            module, tensors, dynamo=True, dynamic_shapes=_varying(tensors) if varying else None, verbose=False
        )
        assert program is not None
        return _Session(program.model_proto.SerializeToString())

    return Exported(function, export)


class _Session:
    """An ONNX model in onnxruntime, called with tensors in the order of its inputs."""

    def __init__(self, model: bytes) -> None:
        onnxruntime: Any = importlib.import_module("onnxruntime")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()  # more would wait for each other, spinning
        self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self._inputs = [each.name for each in self._session.get_inputs()]

    def __call__(self, *tensors: Tensor) -> Tensors:
        arrays = (each.detach().contiguous().numpy() for each in tensors)
        return tuple(map(torch.from_numpy, self._session.run(None, dict(zip(self._inputs, arrays, strict=True)))))
