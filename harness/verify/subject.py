"""The subject: an implementation while it is being verified.

It hands the implementation a call of its own, keeps its noise and its exits away, and checks that what comes back is
a result at all.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from harness.declare.implementation import Implementation
from harness.declare.operation import Operation
from harness.errors import Unsupported
from harness.generate.case import DTYPES, Call, Case
from harness.measure.clock import spending
from harness.measure.gradient import cotangents_like, gradients_of

Results = tuple[Tensor, ...]


class ImplementationFault(Exception):
    """An implementation raised, exited, or returned what is no result. `kind` groups equal faults."""

    def __init__(self, kind: str, sentence: str) -> None:
        super().__init__(sentence)
        self.kind = kind


class _Sink(io.TextIOBase):
    """Counts what is printed and keeps nothing of it."""

    def __init__(self) -> None:
        self.characters = 0

    def write(self, text: str) -> int:
        self.characters += len(text)
        return len(text)


@dataclass
class Subject:
    """An implementation under test. Call it with a Call or a Case; it returns a tuple of tensors.

    Raises ImplementationFault where the implementation fails, Unsupported where it declines.
    """

    operation: Operation
    implementation: Implementation
    _sink: _Sink = field(default_factory=_Sink)

    @property
    def printed(self) -> int:
        """Characters that the implementation has printed so far."""
        return self._sink.characters

    def __call__(self, call: Call | Case) -> Results:
        """The results, checked for type and shape."""
        call = _concrete(call)
        return self._checked(call, self.raw(call))

    def raw(self, call: Call | Case) -> Any:
        """What the implementation returns, unchecked, computed from memory of its own without gradients."""
        return self.in_place(_concrete(call).fresh())

    def in_place(self, call: Call) -> Any:
        """What the implementation returns for exactly these tensors, which it might write to."""
        with torch.no_grad():
            return self._compute(call)

    def gradients(self, call: Call | Case, cotangents: Results | None = None) -> tuple[Results, dict[str, Tensor]]:
        """Results, and the gradient of their inner product with the cotangents in each float argument.

        Without cotangents, those that the oracle's gradients use (`harness.measure.gradient`).
        """
        if not self.implementation.backend.differentiable:
            raise Unsupported(f"autograd does not reach through {self.implementation.backend.name}")
        call = _concrete(call).fresh().map(lambda t: t.detach().requires_grad_(t.is_floating_point()))
        results = self._checked(call, self._compute(call))
        with self._guarded("its backward pass"):
            return results, gradients_of(results, call, cotangents or cotangents_like(results))

    def _compute(self, call: Call) -> Any:
        with self._guarded("it"):
            return self.implementation.compute(call.arguments, call.options)

    @contextlib.contextmanager
    def _guarded(self, doer: str) -> Iterator[None]:
        place = self.implementation.place
        try:
            with (
                spending("implementation"),
                contextlib.redirect_stdout(self._sink),
                contextlib.redirect_stderr(self._sink),
            ):
                with np.errstate(all="ignore"):
                    yield
        except Unsupported:
            raise
        except SystemExit as leaving:
            raise ImplementationFault(
                "exit", f"{place}: {doer} called sys.exit({leaving.code!r}); return a result instead"
            ) from None
        except Exception as failure:
            if _declines(failure):
                raise Unsupported(_first_line(failure)) from None
            name = type(failure).__name__
            raise ImplementationFault(
                f"raised {name}", f"{place}: {doer} raised {name}: {_first_line(failure)}"
            ) from failure

    def _checked(self, call: Call, returned: Any) -> Results:
        results = returned if isinstance(returned, tuple) else (returned,)
        expected = self.expected_shapes(call)
        place = self.implementation.place
        if len(results) != len(expected):
            raise ImplementationFault("result", f"{place}: returned {len(results)} tensor(s), expected {len(expected)}")
        for index, (result, shape) in enumerate(zip(results, expected, strict=True)):
            which = f"result {index}" if len(expected) > 1 else "the result"
            if not isinstance(result, Tensor):
                name = "None" if result is None else type(result).__name__
                raise ImplementationFault(
                    "result", f"{place}: {which} is {name}, expected a tensor of shape {list(shape)}; return one"
                )
            if tuple(result.shape) != shape:
                raise ImplementationFault(
                    "shape",
                    f"{place}: {which} has shape {list(result.shape)}, expected {list(shape)} ({self._axes(call, index)})",
                )
        return results

    def expected_shapes(self, call: Call) -> list[tuple[int, ...]]:
        """The shapes that the return annotation means for a call."""
        known = sizes_of(call)
        return [domain.shape(known) for domain in self.operation.results]

    def _axes(self, call: Call, index: int) -> str:
        return " ".join(axis.text for axis in self.operation.results[index].axes(call.options))


def sizes_of(call: Call) -> dict[str, Any]:
    """Sizes and options by name, read off the tensors themselves, so that derived calls have theirs too."""
    known: dict[str, Any] = dict(call.options)
    for name, domain in call.operation.tensors.items():
        for axis, size in zip(domain.axes(call.options), call.arguments[name].shape, strict=True):
            if axis.is_name and axis.text not in call.options:
                known[axis.text] = size
    return known


def served_dtypes(implementation: Implementation) -> tuple[str, ...]:
    """The names of the dtypes that an implementation takes."""
    return tuple(name for name, dtype in DTYPES.items() if dtype in implementation.dtypes)


def _concrete(call: Call | Case) -> Call:
    if isinstance(call, Call):
        return call
    with spending("drawing"):
        return call.call()


def _declines(failure: Exception) -> bool:
    return isinstance(failure, NotImplementedError) or "not implemented for" in str(failure)


def _first_line(failure: BaseException) -> str:
    text = (str(failure).strip() or "(no message)").splitlines()[0]
    return text if len(text) <= 300 else text[:300] + "…"
