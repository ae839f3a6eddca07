"""The reference of a case: the oracle's result and the noise floor of each sample.

The noise floor is how far the oracle moves when its inputs are re-rounded in the working precision: each float entry is moved
at random, by one eps of itself in the mean square. To that come eps of the result itself and what underflow may take, the
smallest normal number per entry. One move is also made backwards, so that a tie (an arg-max between equals, a kink) is
broken both ways and shows as a high noise floor. A float64 working precision is moved by a larger step and scaled back, since
the oracle's own rounding would drown the move; what moves so far there that it may have jumped is moved by a few eps as well.

All of that takes the definition for a function. Where a move there and the one back do not cancel, as they do where it is smooth, it is
evaluated once more: if that alone moves the result as far, it is no function, and there is nothing to hold anything against.

A sample that is 0 throughout, since every product in it has a zero, stays 0 so, though an algorithm that mixes the entries (a
Fourier transform) is as stable as any and leaves eps of the inputs as a whole: there each entry is moved by one eps of the
largest (normwise instead of componentwise perturbations: Higham, Accuracy and Stability of Numerical Algorithms, 2002, 7.2).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache, partial
from types import EllipsisType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from harness.declare.callables import place_of
from harness.declare.domain import TensorDomain
from harness.errors import DefinitionFault
from harness.generate.case import Call, Case
from harness.generate.memory import Memory
from harness.measure.arrays import Array, as_array
from harness.measure.clock import spending
from harness.measure.exact_cases import spacing
from harness.measure.own_rounding import rounded_at_random
from harness.measure.perturbation import DIRECTIONS, largest, perturbed, step_of

_SQUARES_VANISH = 1e-140
_NEAR = 64
"""The eps within which a jump is one for whoever computes it: fewer may be lost on the way to a comparison of near equals."""

_CLOSER = 1 / 16
"""The share of a step that is taken to tell a slope from a jump."""

_NO_SLOPE = 1 / 4
"""The share of a move that is left, where it is made there and back, of what is not smooth."""

_FAR = 2.0**-20
"""The share of a result by which a sample must move to be looked at for a jump."""

INCONCLUSIVE_FROM = 0.1
"""The share of the result from which the noise floor leaves no digit to compare."""

_LOOSE_FROM = 0.5
"""The share of the result from which the noise floor leaves not even its size."""


@dataclass(frozen=True)
class ExpectedTensor:
    """One tensor of the expected result, with the noise floor of its samples.

    expected: the oracle's values; axis: the position of the batch axis, None without one; noise_floor: of each sample, as
    a Euclidean norm over its entries (one number without a batch axis); informative: whether it leaves a digit of the
    sample to compare; own_rounding: how far the oracle's own rounding may have moved each sample, found when it is asked
    for; dtype: of the result, where it is not the working precision's; entry_floor: the noise floor of each entry by itself,
    one row a sample, None where nobody has told; spacing: of an exact case, of which its entries are multiples (0: none).
    """

    expected: Array
    axis: int | None
    noise_floor: NDArray[np.float64]
    informative: NDArray[np.bool_]
    own_rounding: Callable[[], NDArray[np.float64]] | None = None
    dtype: str = ""
    entry_floor: Array | None = None
    spacing: float = 0.0

    @property
    def nbytes(self) -> int:
        """Memory held."""
        held = (self.expected, self.noise_floor, self.informative, self.entry_floor)
        return sum(each.nbytes for each in held if each is not None)

    def samples(self, indices: Any) -> ExpectedTensor:
        """Some of its samples, for a result that is computed from those alone; all of it without a batch axis."""
        if self.axis is None:
            return self
        expected = np.take(self.expected, indices, axis=self.axis)
        return ExpectedTensor(
            expected, self.axis, self.noise_floor[indices], self.informative[indices], dtype=self.dtype
        )

    def derived(
        self, noise_floor: Any, *others: ExpectedTensor, axis: int | EllipsisType | None = ..., where: Any = True
    ) -> ExpectedTensor:
        """What a quantity that is computed from this tensor, and from others, is held to.

        noise_floor: of each sample of that quantity, or of all of it; axis: where its samples lie, None if it has none
        (left out: where they lie here); where: the samples of which anything can be said. A sample is informative where
        it is so in all that it comes from.
        """
        floor = np.atleast_1d(np.asarray(noise_floor, dtype=np.float64))
        informative = np.isfinite(floor) & where
        for each in (self, *others):
            informative &= each.informative if each.informative.size == floor.size else each.informative.all()
        where_they_lie = self.axis if axis is ... else axis
        return ExpectedTensor(self.expected, where_they_lie, floor, informative, self.own_rounding, self.dtype)


@dataclass(frozen=True)
class Reference:
    """The expected result: one ExpectedTensor per tensor of it.

    of_arguments: the bytes of the arguments, which are kept until somebody asks for the oracle's own rounding.
    """

    parts: tuple[ExpectedTensor, ...]
    of_arguments: int = 0

    @property
    def nbytes(self) -> int:
        """Memory held."""
        return self.of_arguments + sum(part.nbytes for part in self.parts)


_memory: Memory[Reference] = Memory(256 * 2**20)


def reference(case: Case, call: Call | None = None) -> Reference:
    """What the oracle gives for a case, or for a call that derives from it (`case.call().replace(…)`).

    Computed once, and shared by whoever meets the case. Raises DefinitionFault where the definition itself raises or
    gives something else when it is called again.
    """
    if call is None:
        return remembered(case, "", lambda: _reference(case.plain_call(), case))
    return remembered(case, call.checksum, lambda: _reference(call, case))


def remembered(case: Case, name: str, make: Callable[[], Reference]) -> Reference:
    """A reference that follows from the case alone, made once for all implementations; `name` tells it from others of the case."""
    return _memory.recall((case.operation, case.key, name), make)


def _reference(call: Call, case: Case) -> Reference:
    """The reference of a call, in the case's working precision."""
    operation = case.operation
    axes = [domain.batch_axis(call.options) for domain in operation.results]
    dtypes = [_rounded_in(case, domain) for domain in operation.results]
    evaluate = definition_of(case, call)
    found = measure(case, call, evaluate, axes, _in_extended_precision(case, call), dtypes)
    of = _spacing(case, call, evaluate)
    return replace(found, parts=tuple(replace(part, spacing=of) for part in found.parts)) if of else found


def is_exact(case: Case) -> bool:
    """Whether a case's sums and products are exact in its dtype; not where the definition has no answer."""
    call = case.plain_call()
    return _spacing(case, call, definition_of(case, call)) > 0


def _spacing(case: Case, call: Call, evaluate: Callable[[dict[str, Tensor]], list[Array]]) -> float:
    """What all numbers of a case are multiples of, where nothing rounds in it; else 0."""
    with spending("oracle"):
        wide = {name: widened(tensor) for name, tensor in call.arguments.items()}
        return 0.0 if case.operation.exact else spacing(case, wide, evaluate)


def _rounded_in(case: Case, domain: TensorDomain) -> torch.dtype:
    """The float dtype in which a result's numbers are held: its own, or the working precision's."""
    own = domain.torch_dtype(case.precision.dtype)
    own = own.to_real() if own.is_complex else own
    return own if own.is_floating_point else case.precision.dtype


def measure(
    case: Case,
    call: Call,
    evaluate: Callable[[dict[str, Tensor]], list[Array]],
    axes: list[int | None],
    extended: Callable[[dict[str, Tensor]], list[Array]] | None = None,
    dtypes: Sequence[torch.dtype] = (),
) -> Reference:
    """The reference of anything that can be evaluated in float64: its values there, and the noise floor from how they move.

    evaluate: float64 tensors by name to arrays; axes: the batch axis of each array; extended: the same with more
    digits, for a float64 working precision; dtypes: those in which each is rounded, the working precision where nobody says.
    """
    with spending("oracle"), torch.no_grad():
        wide = {name: widened(tensor) for name, tensor in call.arguments.items()}
        base = evaluate(wide)
        own = dtypes or [case.precision.dtype] * len(base)
        digits = extended(wide) if extended is not None and case.dtype == "float64" else base
        step, scale = step_of(case)
        moved = [] if case.operation.exact else [evaluate(there) for there in perturbed(case, wide, step)]
        with np.errstate(all="ignore"):
            if moved and _has_no_slope(base, moved, axes) and _as_far(base, evaluate(wide), moved, axes):
                raise _no_function(case)
            parts = [
                _part(case, axes[i], own[i], digits[i], base[i], [each[i] for each in moved]) for i in range(len(base))
            ]
            if step > case.precision.eps and any(_may_jump(part, scale) for part in parts):
                near = [evaluate(there) for there in perturbed(case, wide, _NEAR * case.precision.eps)]
                parts = list(map(_with_jumps, parts, base, zip(*near, strict=True)))
            parts = _settled_together(parts)
            if any(_are_zero(part).any() for part in parts):
                ways = (_moved_as_a_whole(case, call, evaluate, by) for by in (step, step * _CLOSER))
                far, closer = ([*zip(*way, strict=True)] or [()] * len(parts) for way in ways)
                parts = list(map(partial(_with_zeros, scale), parts, base, far, closer))
    if digits is base and not case.operation.exact:
        rounded = cache(partial(_own_rounding, call, evaluate, axes))
        parts = [replace(part, own_rounding=partial(_of_part, rounded, i)) for i, part in enumerate(parts)]
    return Reference(tuple(parts), sum(tensor.nbytes for tensor in call.arguments.values()))


def _has_no_slope(before: Sequence[Array], after: Sequence[Sequence[Array]], axes: Sequence[int | None]) -> bool:
    """Whether in some sample the first move and the last, which is the first one back, leave something of it together."""

    def left(one: Array, there: Array, back: Array, axis: int | None) -> bool:
        if one.dtype.kind in "iub":
            return not np.array_equal(one, there)
        way, way_back = _moves(one, [there, back], axis)
        return bool((_lengths(way + way_back) > _NO_SLOPE * _lengths(way)).any())

    return any(map(left, before, after[0], after[-1], axes))


def _as_far(
    before: Sequence[Array], again: Sequence[Array], after: Sequence[Sequence[Array]], axes: Sequence[int | None]
) -> bool:
    """Whether evaluating it again has moved a sample about as far as moving the arguments has, and so by more than rounding."""

    def moved(one: Array, other: Array, there: Array, axis: int | None) -> bool:
        if one.dtype.kind in "iub":
            return not np.array_equal(one, other)
        repeated, way = _moves(one, [other, there], axis)
        return bool((_lengths(repeated) > _NO_SLOPE * _lengths(way)).any())

    return any(map(moved, before, again, after[0], axes))


def _no_function(case: Case) -> DefinitionFault:
    return DefinitionFault(
        "changed",
        f"{place_of(case.operation.definition)}: the definition gives something else when it is called again, on {case.describe()}; "
        "let it follow from its arguments alone, and give it as one of them what is drawn or remembered",
    )


def _may_jump(part: ExpectedTensor, scale: float) -> bool:
    """Whether a sample has moved so far, before it was scaled back, that it may have jumped."""
    return bool((part.noise_floor > _FAR * scale * sample_norms(_finite(part.expected), part.axis)).any())


def _with_jumps(part: ExpectedTensor, before: Array, near: Sequence[Array]) -> ExpectedTensor:
    """A part with units that hold what its samples jump by: what they move by with a smaller step, if that is no smaller."""
    if before.dtype.kind != "f":
        return part
    moved = _lengths(_moves(before, near, part.axis)).max(0, initial=0.0)
    jump = moved > 2 * _NEAR * part.noise_floor
    unit = part.noise_floor + np.where(jump, moved, 0.0)
    told = ~jump | (unit <= INCONCLUSIVE_FROM * sample_norms(_finite(part.expected), part.axis))
    return replace(part, noise_floor=unit, informative=part.informative & told)


def _settled_together(parts: Sequence[ExpectedTensor]) -> list[ExpectedTensor]:
    """Parts of whole numbers tell nothing of a sample of which another part is moved by nearly all that there is of it.

    Such a sample has no answer: whether a singular matrix is told so (`torch.linalg.inv_ex`) is a matter of its rounding, though
    each move makes it regular and none shows it.
    """
    loose = [found for part in parts if _is_float(part) and (found := _is_loose(part)).any()]

    def settled(part: ExpectedTensor) -> ExpectedTensor:
        told = part.informative
        for each in loose:
            told = told & ~(each if each.size == told.size else each.any())
        return replace(part, informative=told)

    return [part if _is_float(part) else settled(part) for part in parts]


def _is_loose(part: ExpectedTensor) -> NDArray[np.bool_]:
    """Whether of each sample not even its size is told."""
    if part.informative.all():
        return ~part.informative
    size = sample_norms(_finite(part.expected), part.axis)
    return ~part.informative & (part.noise_floor >= _LOOSE_FROM * size)


def _is_float(part: ExpectedTensor) -> bool:
    return part.expected.dtype.kind in "fc"


def _are_zero(part: ExpectedTensor) -> NDArray[np.bool_]:
    """The samples that are 0 throughout and have not moved."""
    if part.expected.dtype.kind != "f":
        return np.zeros(part.noise_floor.shape, dtype=bool)
    return part.informative & (part.noise_floor > 0) & (sample_norms(part.expected, part.axis) == 0)


def _moved_as_a_whole(
    case: Case, call: Call, evaluate: Callable[[dict[str, Tensor]], list[Array]], step: float
) -> list[list[Array]]:
    """What comes out where every entry is moved by steps of the largest; nothing where the domain has no such entries."""
    wide = {name: widened(tensor) for name, tensor in call.arguments.items()}
    sizes = {name: largest(case, call, name, tensor) for name, tensor in wide.items()}
    try:
        return [evaluate(there) for there in perturbed(case, wide, step, sizes)]
    except DefinitionFault:
        return []


def _with_zeros(
    scale: float, part: ExpectedTensor, before: Array, far: Sequence[Array], near: Sequence[Array]
) -> ExpectedTensor:
    """A part in which the samples that are 0 have units of what they move by with the inputs as a whole.

    A move that does not shrink as the step does is a jump, and tells nothing of rounding.
    """
    if before.dtype.kind != "f":
        return part
    moved, closer = (_lengths(_moves(before, there, part.axis)).max(0, initial=0.0) for there in (far, near))
    smooth = np.isfinite(moved) & (closer <= 2 * _CLOSER * moved) & (closer >= _CLOSER / 2 * moved)
    return replace(part, noise_floor=part.noise_floor + np.where(_are_zero(part) & smooth, moved * scale, 0.0))


def _own_rounding(
    call: Call, evaluate: Callable[[dict[str, Tensor]], list[Array]], axes: list[int | None]
) -> list[NDArray[np.float64]]:
    """How far each sample of each result moves with the rounding of what the definition is made of."""
    with spending("oracle"), torch.no_grad(), np.errstate(all="ignore"):
        wide = {name: widened(tensor) for name, tensor in call.arguments.items()}
        before, after = evaluate(wide), rounded_at_random(lambda: evaluate(wide))
        moves = (_moves(one, [each[i] for each in after], axes[i]) for i, one in enumerate(before))
        return [_lengths(each).max(0, initial=0.0) for each in moves]


def _of_part(own: Callable[[], list[NDArray[np.float64]]], index: int) -> NDArray[np.float64]:
    return own()[index]


def widened(tensor: Tensor) -> Tensor:
    """A tensor as the oracle takes it: floats in float64, complex numbers of two of them, on the CPU."""
    tensor = tensor.detach().cpu()
    if tensor.is_complex():
        return tensor.to(torch.complex128)
    return tensor.double() if tensor.is_floating_point() else tensor


def _moves(before: Array, after: Sequence[Array], axis: int | None) -> Array:
    """The differences, (moves, samples, entries), where NaN that stays NaN and infinity that stays infinite have not moved."""
    rows, there = by_sample(before, axis), [by_sample(each, axis) for each in after]
    moves = np.empty((len(there), *rows.shape))
    for move, moved in zip(moves, there, strict=True):
        np.subtract(moved, rows, out=move)
    if not np.isfinite(moves.sum()):
        for move, moved in zip(moves, there, strict=True):
            move[(rows == moved) | (np.isnan(rows) & np.isnan(moved))] = 0.0
    return moves


def definition_of(case: Case, call: Call) -> Callable[[dict[str, Tensor]], list[Array]]:
    """The definition as a function of the arguments in float64. It raises DefinitionFault where the definition itself raises.

    It is given copies, unless it was seen to write to none of its arguments: each is the same for whoever asks next.
    """
    writes = True

    def evaluate(arguments: dict[str, Tensor]) -> list[Array]:
        nonlocal writes
        given = {name: tensor.clone() for name, tensor in arguments.items()} if writes else arguments
        found = [as_array(part) for part in defined(case, given, call)]
        writes = writes and any(tensor._version for tensor in given.values())
        return found

    return evaluate


def defined(case: Case, arguments: Mapping[str, Tensor], call: Call) -> tuple[Tensor, ...]:
    """What the definition gives for arguments in place of a call's. Raises DefinitionFault where it raises."""
    with answering(case):
        return case.operation.evaluate_in_place(arguments, call.options, call.sizes)


@contextmanager
def answering(case: Case, doing: str = "") -> Iterator[None]:
    """In which whatever is raised is the definition's own: a DefinitionFault. doing: what it did, such as `in its gradient`."""
    try:
        yield
    except Exception as failure:
        name = type(failure).__name__
        raise DefinitionFault(
            f"raised {name}",
            f"{place_of(case.operation.definition)}: the definition raised {name}{doing}: {failure} on {case.describe()}; "
            "mend it, or narrow its domain with sizes= or where=",
        ) from failure


def _in_extended_precision(case: Case, call: Call) -> Callable[[dict[str, Tensor]], list[Array]] | None:
    extended = case.operation.extended
    if extended is None or np.finfo(np.longdouble).eps > 1e-18:
        return None

    def evaluate(arguments: dict[str, Tensor]) -> list[Array]:
        signature = case.operation.signature
        with np.errstate(all="ignore"):
            given = {name: _long(tensor) for name, tensor in arguments.items()}
            result = extended(**signature.assembled(given, call.options, call.sizes))
        return [np.asarray(part) for part in signature.results.parts(result)]

    return evaluate


def _long(tensor: Tensor) -> Array:
    array = tensor.numpy()
    return array.astype(np.longdouble) if array.dtype == np.float64 else array


def _part(
    case: Case, axis: int | None, dtype: torch.dtype, expected: Array, before: Array, after: list[Array]
) -> ExpectedTensor:
    """The part of a result: what is expected, and its unit from what the oracle gives before and after the moves."""
    if case.operation.exact or expected.dtype.kind in "iub":
        samples = 1 if axis is None else expected.shape[axis]
        settled = np.ones(samples, dtype=bool)
        for each in after:  # an index among near equals, which rounding decides
            settled &= ~(by_sample(before, axis) != by_sample(each, axis)).any(1)
        return ExpectedTensor(expected, axis, np.zeros(samples), settled, dtype=_name_of(case, dtype))
    precision = torch.finfo(dtype)
    eps = case.precision.eps if dtype is case.precision.dtype else precision.eps
    _, scale = step_of(case)
    rows = by_sample(_finite(expected).astype(np.float64, copy=False), axis)
    size = _lengths(rows)
    underflow = precision.smallest_normal * rows.shape[1] ** 0.5
    moves = _moves(before, after, axis) if after else np.zeros((1, *rows.shape))
    moved = _lengths(moves).max(0) * scale
    by_itself = np.sqrt(np.square(moves[:DIRECTIONS]).mean(0)) * scale + eps * np.abs(rows) + precision.smallest_normal
    unit = moved + eps * size + underflow
    within_range = np.abs(rows).max(1, initial=0.0) <= precision.max
    informative = (unit <= INCONCLUSIVE_FROM * size) | (size == 0) & (moved == 0)
    informative &= np.isfinite(unit) & within_range
    return ExpectedTensor(expected, axis, unit, informative, dtype=_name_of(case, dtype), entry_floor=by_itself)


def _name_of(case: Case, dtype: torch.dtype) -> str:
    """A result's dtype by name, empty where it is the working precision's."""
    return "" if dtype is case.precision.dtype else str(dtype).removeprefix("torch.")


def _finite(array: Array) -> Array:
    """The array with 0 for every NaN and infinity."""
    there = np.isfinite(array)
    return array if there.all() else np.where(there, array, 0)


def sample_norms(array: Array, axis: int | None) -> NDArray[np.float64]:
    """The Euclidean norm of each sample's entries; one norm where there is no batch axis."""
    return _lengths(by_sample(array, axis))


def by_sample(array: Array, axis: int | None) -> Array:
    """One row per sample, with its entries; one row where there is no batch axis."""
    if axis is None:
        return array.reshape(1, -1)
    along = np.moveaxis(array, axis, 0) if axis else array
    return along.reshape(len(along), math.prod(along.shape[1:]))


def _lengths(rows: Array) -> NDArray[np.float64]:
    """The Euclidean length of each row."""
    found = np.sqrt(np.square(rows, dtype=np.float64).sum(-1))
    if rows.size and found.min() < _SQUARES_VANISH:
        peak = np.abs(rows).max(-1).astype(np.float64)
        scaled = np.sqrt(np.square(rows / np.where(peak > 0, peak, 1)[..., None], dtype=np.float64).sum(-1))
        found = np.where(found < _SQUARES_VANISH, peak * scaled, found)
    return found
