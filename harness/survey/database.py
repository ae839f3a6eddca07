"""PyTorch's own operator database, `torch.testing`, as operators to survey: 702 entries in PyTorch 2.13, with samples of calls.

An entry's function is a public one, or a lambda around it: its path is then the first public function or method of its name
that gives the same for the entry's first sample.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any

import numpy as np
import scipy.special
import torch
import torch._refs
from torch import Tensor

from harness.declare.callables import public_path
from harness.errors import HarnessError
from harness.inference.example import Example
from harness.survey.operator import Operator, can_be_written

_DTYPES = (torch.float32, torch.complex64, torch.int64, torch.bool)
"""In which samples are asked for: the first that an entry takes."""

_POSITIONS = ("x", "y", "z", "u", "v", "w")


def operators() -> Iterator[Operator]:
    """Every entry of the database. Raises HarnessError where a package is missing that it needs."""
    try:
        from torch.testing._internal import common_methods_invocations as database
    except ImportError as failure:
        raise HarnessError(
            f"PyTorch's operator database can't be read: {failure}; install it with `pip install 'tensor-harness[survey]'`"
        ) from None
    references: dict[tuple[str, str], list[str]] = {}
    for each in database.python_ref_db:
        variant = getattr(each, "torch_opinfo_variant_name", "")
        found = references.setdefault((each.torch_opinfo_name, variant), [])
        found.append(f"torch.{each.name}")
    for entry in database.op_db:
        yield _operator(entry, references.get((entry.name, entry.variant_test_name), []))


def _operator(entry: Any, references: list[str]) -> Operator:
    dtype = next((each for each in _DTYPES if each in entry.dtypes), None)
    path = public_path(entry.op) or (_path_of_a_lambda(entry, dtype) if dtype is not None else "")
    found = partial(
        Operator,
        path or f"torch.{entry.name}",
        entry.variant_test_name,
        entry.op,
        partial(_examples, entry, dtype),
    )
    if dtype is None:
        return found(unavailable="it takes neither float32 nor complex64, int64 or bool")
    if not path:
        return found(unavailable="no public function or method of its name takes the same arguments")
    return found(
        writes_to="out" if entry.supports_out else "",
        in_place=_public_method(entry.inplace_variant),
        references=(*references, *_same_name(entry)),
    )


def _examples(entry: Any, dtype: torch.dtype | None) -> Iterator[Example]:
    """The entry's samples, as far as they can be written down; those at zero dimensions or of no entries are among them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for sample in entry.sample_inputs("cpu", dtype, requires_grad=False):
            given = (_first(entry, sample.input), *sample.args)
            names = [*_POSITIONS, *(f"x{place}" for place in range(len(_POSITIONS), len(given)))]
            arguments = {**dict(zip(names, given, strict=False)), **sample.kwargs}
            plain = {name: tuple(each) if isinstance(each, torch.Size) else each for name, each in arguments.items()}
            example = Example(plain, frozenset(sample.kwargs))
            if can_be_written(example):
                yield example


def _first(entry: Any, given: Any) -> Any:
    """A sample's first argument, which is symmetric where PyTorch's own tests of derivatives make it so."""
    from torch.testing._internal.opinfo.core import gradcheck_wrapper_hermitian_input

    is_meant = entry.gradcheck_wrapper is gradcheck_wrapper_hermitian_input
    return given + given.mT if is_meant and given.ndim > 1 else given


def _path_of_a_lambda(entry: Any, dtype: torch.dtype) -> str:
    name = entry.name.rpartition(".")[2]
    for place in (torch.Tensor, torch, torch.nn.functional, torch.special):
        function = getattr(place, name, None)
        if callable(function) and _gives_the_same(function, entry, dtype):
            return public_path(function)
    return ""


def _gives_the_same(function: Callable[..., Any], entry: Any, dtype: torch.dtype) -> bool:
    with warnings.catch_warnings(), suppress(Exception):
        warnings.simplefilter("ignore")
        sample = next(iter(entry.sample_inputs("cpu", dtype, requires_grad=False)))
        given = (sample.input, *sample.args), sample.kwargs
        torch.manual_seed(0)
        right = entry.op(*given[0], **given[1])
        torch.manual_seed(0)
        made = function(*given[0], **given[1])
        return isinstance(made, Tensor) and torch.equal(made, right)
    return False


def _public_method(function: Any) -> str:
    return public_path(function) if function is not None else ""


def _same_name(entry: Any) -> tuple[str, ...]:
    """The functions of NumPy and SciPy that the database holds the entry against, by their public names."""
    found = []
    for place, path in (
        (np, "numpy"),
        (np.linalg, "numpy.linalg"),
        (np.fft, "numpy.fft"),
        (scipy.special, "scipy.special"),
    ):
        name = getattr(entry.ref, "__name__", "")
        if name and getattr(place, name, None) is entry.ref:
            found.append(f"{path}.{name}")
    return tuple(found[:1])
