"""Evidence: a finding, and what the scripts that show it are made from."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch

from harness.declare.backends import Backend
from harness.declare.callables import plain
from harness.errors import HarnessError, Unsupported
from harness.explain.excerpt import Excerpt, NoExcerpt, excerpt
from harness.explain.literal import tensor_literal
from harness.generate.case import Call, Case
from harness.measure.arrays import as_array
from harness.measure.assertions import close
from harness.measure.reference import ExpectedTensor, reference
from harness.verify.cell import Cell
from harness.verify.finding import Finding
from harness.verify.subject import ImplementationFault, Subject

FAULTS = (ImplementationFault, Unsupported, HarnessError)
"""What asking an implementation or the definition may raise."""


def largest_difference(actual: Any, expected: Any) -> float:
    """The largest absolute difference of two results' entries, taken as the scripts take it."""
    actual, expected = as_array(actual), as_array(expected)
    if actual.shape != expected.shape:
        return float("inf")
    wide = complex if expected.dtype.kind == "c" else float
    with np.errstate(all="ignore"):
        same = (actual == expected) | (np.isnan(actual.astype(wide)) & np.isnan(expected.astype(wide)))
        apart = np.where(same, 0.0, np.abs(actual.astype(wide) - expected.astype(wide)))
    return float(np.nan_to_num(apart, nan=np.inf, posinf=np.inf).max(initial=0.0))


@dataclass
class _Recorder(Subject):
    """A subject that keeps the calls that are asked of it."""

    calls: list[Call] = field(default_factory=list)

    def in_place(self, call: Call) -> Any:
        self.calls.append(call.fresh())
        return super().in_place(call)


@dataclass(frozen=True)
class Evidence:
    """A finding, and what the scripts' forms are made from."""

    cell: Cell
    finding: Finding

    @property
    def case(self) -> Case:
        """The case that shows it."""
        return self.finding.case

    @property
    def backend(self) -> Backend:
        """The candidate's."""
        return self.cell.implementation.backend

    @property
    def fails(self) -> bool:
        """Whether no result came that could be compared."""
        return self.finding.comparison is None

    @cached_property
    def call(self) -> Call:
        """The case's own call."""
        return self.case.call()

    @cached_property
    def subject(self) -> Subject:
        """The candidate, for further questions."""
        return Subject(self.cell.operation, self.cell.implementation)

    @cached_property
    def calls(self) -> list[Call]:
        """The calls that the property makes, in their order, up to one that fails."""
        recorder = _Recorder(self.cell.operation, self.cell.implementation)
        with contextlib.suppress(*FAULTS):
            self.cell.prop(recorder, self.case)
        return recorder.calls

    @cached_property
    def excerpt(self) -> Excerpt | NoExcerpt:
        """The candidate's source, or why it can't be had."""
        try:
            return excerpt(self.cell.implementation.function)
        except NoExcerpt as reason:
            return reason

    @property
    def is_declared(self) -> bool:
        """Whether the operation knows the candidate by its name."""
        operation, made = self.cell.operation, self.cell.implementation
        return made.name == "definition" or operation.implementations.get(made.name) is made

    @property
    def file(self) -> str:
        """The name of the candidate's file."""
        code = plain(self.cell.implementation.function)
        return Path(code.__code__.co_filename).name.replace('"', "") if code is not None else "candidate.py"

    @cached_property
    def returns_a_tensor(self) -> bool:
        """Whether the candidate returns one tensor as it is, and no tuple of one."""
        made, returned = self.cell.implementation, []

        def watched(*arguments: Any, **named: Any) -> Any:
            returned.append(made.function(*arguments, **named))
            return returned[-1]

        with contextlib.suppress(*FAULTS):
            Subject(self.cell.operation, dataclasses.replace(made, function=watched)).raw(self.call)
            return not (made.out or made.mutates) and isinstance(returned[-1], torch.Tensor)
        return True


@dataclass(frozen=True)
class Form:
    """One form of a script.

    cases: calls by the name of the function that makes their arguments; lines: Python that sets `expected`; risky:
    Python that sets `actual`, by a call that may fail; measured: the largest difference that the harness saw, 0 where
    it saw none that has a size; index: the result that is looked at; differ: whether `expected` and `actual` are
    tensors, whose difference is taken; harness: whether the script needs the harness.
    """

    cases: dict[str, Call]
    lines: tuple[str, ...]
    risky: tuple[str, ...]
    measured: float
    index: int = 0
    differ: bool = True
    harness: bool = False


def beyond(evidence: Evidence, results: dict[Any, torch.Tensor], parts: tuple[ExpectedTensor, ...]) -> Iterator[Any]:
    """Those that are farther off than rounding explains, worst first: which, what is expected, and how far."""
    compared = {
        which: close("", result, part.expected, evidence.case, like=part)
        for (which, result), part in zip(results.items(), parts, strict=False)
    }
    for which, each in sorted(compared.items(), key=lambda item: -item[1].excess):
        if each.excess > 1:
            yield which, each.expected, largest_difference(each.actual, each.expected)


def parts_of(evidence: Evidence, call: Call) -> tuple[ExpectedTensor, ...]:
    """What the definition makes of a call; nothing where it can't."""
    own = evidence.case.tensors
    same = all(_is_same(tensor, own[name]) for name, tensor in call.arguments.items())
    try:
        return (reference(evidence.case) if same else reference(evidence.case, call)).parts
    except HarnessError:
        return ()


def _is_same(one: torch.Tensor, other: torch.Tensor) -> bool:
    return np.array_equal(as_array(one), as_array(other), equal_nan=one.is_floating_point())


# The same after other calls, for a candidate that remembers


def rows_of(axis: int | None, rows: list[int] | None) -> str:
    """How rows along an axis are taken in a script; empty where all are."""
    return "" if axis is None or rows is None else f"[{':, ' * axis}{rows}]"


def literal(array: Any) -> str:
    """An array as a tensor in Python, floats in float64."""
    wide = np.array(array, dtype=np.float64 if array.dtype.kind == "f" else None)
    return tensor_literal(torch.from_numpy(wide))
