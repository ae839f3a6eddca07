"""A step of the definition that is another one: along another axis, with another constant, with the other sign.

What mutation testing does to a program to see whether its tests notice (DeMillo, Lipton and Sayward, Hints on Test Data
Selection, 1978) is done to the definition here, to see which mutant the implementation is.
"""

from __future__ import annotations

import math
import operator
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import CodeType
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_map

from harness.explain.cause import Instead, cause
from harness.explain.causes.options import OTHER_NUMBERS
from harness.explain.neighbourhood import FaultNeighbourhood
from harness.measure.operators import EagerMode
from harness.measure.reference import widened

_TORCH = str(Path(torch.__file__).parent)

_MOST = 60
"""Steps of a definition that are looked at."""

_SMALL = 1e-2
"""The size up to which a constant is one that keeps a computation away from a pole."""

_SMALL_ONES = tuple(10.0**-power for power in range(2, 13))

_NO_COUNTS = ("dtype", "layout", "dim0", "dim1", "dimension")
"""Whole numbers of which one more is another kind of thing."""

_LARGEST = 2**31
"""From which a whole number means that there is no bound."""

_NO_CONSTANTS = ("alpha", "beta")

_OF_THE_FORM = ("keepdim", "half_to_float", "stable", "implicit", "sparse", "is_causal")
"""Switches that decide about the form of a result, and not about its values."""

_NEUTRAL = {"add": 0.0, "sub": 0.0, "rsub": 0.0, "mul": 1.0, "div": 1.0, "pow": 1.0}
"""The constant that leaves an operator's argument as it is."""

_PAIRS = (
    ("lt", "le"),
    ("gt", "ge"),
    ("maximum", "minimum"),
    ("amax", "amin"),
    ("max", "min"),
    ("argmax", "argmin"),
    ("sum", "mean"),
    ("triu", "tril"),
    ("sin", "cos"),
    ("floor", "round"),
    ("exp", "expm1"),
    ("log", "log1p"),
)
_COUNTERPARTS = {**dict(_PAIRS), **{other: one for one, other in _PAIRS}}
_OVERLOADS = {"dim_IntList": "dim", "dim": "dim_IntList"}
"""Overloads that are called otherwise in a counterpart."""

_WITHOUT_VALUES = ("_to_copy", "clone", "zeros", "zeros_like", "ones", "ones_like", "full", "arange", "empty")
"""Operators of whose results the other sign says nothing that another step does not say."""

_APPROXIMATIONS: dict[str, dict[str, Made]] = {
    "gelu": {"x·sigmoid(1.702 x)": lambda given: given["self"] * torch.sigmoid(1.702 * given["self"])},
    "sigmoid": {"the hard sigmoid": lambda given: torch.nn.functional.hardsigmoid(given["self"])},
    "silu": {"the hard swish": lambda given: torch.nn.functional.hardswish(given["self"])},
    "tanh": {"cut off at ±1": lambda given: given["self"].clamp(-1, 1)},
}
"""What is often computed in place of an operator, since it is cheaper."""

_REDUCTIONS = ("mean", "sum", "amax", "amin", "logsumexp")
"""Operators in whose place one entry may be taken."""


@dataclass(frozen=True)
class _Step:
    """A place in a program where an operator is called: the code, the instruction in it, and the operator."""

    code: CodeType
    instruction: int
    operator: Any
    line: int = field(compare=False)

    @property
    def name(self) -> str:
        """The operator's, as PyTorch's own table has it."""
        name: str = self.operator.overloadpacket.__name__
        return name

    def __str__(self) -> str:
        return f"{self.name.strip('_')} in line {self.line} of the definition"


Given = dict[str, Any]
"""What a step is given, by the names of its operator's arguments, defaults included."""

Made = Callable[[Given], Any]


class _Watched(EagerMode):  # type: ignore[no-untyped-call]
    """Notes the steps of what is evaluated inside, each with what it is given first."""

    def __init__(self) -> None:
        super().__init__()
        self.steps: dict[_Step, Given] = {}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.steps.setdefault(_step(func), _given(func, args, kwargs or {}))
        return func(*args, **(kwargs or {}))


class _Changed(EagerMode):  # type: ignore[no-untyped-call]
    """Takes something else for the result of one step of what is evaluated inside, made of what the step is given."""

    def __init__(self, step: _Step, made: Made) -> None:
        super().__init__()
        self._step, self._made = step, made

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is not self._step.operator or _step(func) != self._step:
            return func(*args, **(kwargs or {}))
        return self._made(_given(func, args, kwargs or {}))


def _step(called: Any) -> _Step:
    """The place outside of torch that calls an operator."""
    frame = sys._getframe(2)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_TORCH):
        frame = frame.f_back
    return _Step(frame.f_code, frame.f_lasti, called, frame.f_lineno)


def _given(called: Any, args: tuple[Any, ...], kwargs: Given) -> Given:
    known = called._schema.arguments
    defaults = {each.name: each.default_value for each in known if each.has_default_value()}
    return {**defaults, **{each.name: value for each, value in zip(known, args, strict=False)}, **kwargs}


def _called(called: Any, given: Given) -> Any:
    """What an operator makes of what another step was given.

    Asked without any memory first, where more than shapes of one kind meet: a kernel relies on what its callers check, and
    reads beyond its arguments where they are others.
    """
    known = [each for each in called._schema.arguments if each.name in given]
    plain = [given[each.name] for each in known if not each.kwarg_only]
    named = {each.name: given[each.name] for each in known if each.kwarg_only}
    if torch.Tag.pointwise not in called.tags:
        with suppress(NotImplementedError):  # where nobody has told its shapes
            called(*tree_map(_without_memory, plain), **tree_map(_without_memory, named))
    return called(*plain, **named)


def _without_memory(value: Any) -> Any:
    return value.to("meta") if isinstance(value, Tensor) else value


def _called_with(called: Any, name: str, change: Callable[[Any], Any], given: Given) -> Any:
    """What an operator makes of what is given, with one argument changed."""
    return _called(called, {**given, name: change(given[name])})


@cause
def another_step(fault: FaultNeighbourhood) -> Iterator[Instead]:
    """A step of the definition goes along another axis, has another constant or sign, or is its counterpart."""
    for step, given in _steps(fault).items():
        for words, made in _alternatives(step, given):
            yield Instead(f"as if {step} {words}", within=partial(_Changed, step, made))


def _steps(fault: FaultNeighbourhood) -> dict[_Step, Given]:
    """The steps of the definition that a few failing cases meet."""
    watched = _Watched()
    for case in fault.failing[:3]:
        call = case.plain_call().map(widened).fresh()
        try:
            with torch.no_grad(), watched:
                fault.operation.evaluate_in_place(call.arguments, call.options, call.sizes)
        except Exception:  # what can't be watched has no steps
            return {}
    return dict(list(watched.steps.items())[:_MOST])


def _alternatives(step: _Step, given: Given) -> Iterator[tuple[str, Made]]:
    """What may be done in place of a step, the likeliest first."""
    called = step.operator
    for argument in called._schema.arguments:
        for words, change in _other_values(step, argument, given):
            yield words, partial(_called_with, called, argument.name, change)
    for other in _counterparts(step):
        yield f"were {other.overloadpacket.__name__}", partial(_called, other)
    for words, made in _APPROXIMATIONS.get(step.name, {}).items():
        yield f"were {words}", made
    if step.name in _WITHOUT_VALUES or any(each.alias_info is not None for each in called._schema.returns):
        return
    if torch.Tag.pointwise in called.tags:
        yield "were left out", _first_tensor
    axis = _axis(given)
    if step.name in _REDUCTIONS and axis is not None:
        for place, word in ((0, "first"), (-1, "last")):
            yield f"took the {word} entry alone", partial(_entry, axis, place)
    yield "had a result of the other sign", partial(_negated, called)


def _other_values(step: _Step, argument: Any, given: Given) -> Iterator[tuple[str, Callable[[Any], Any]]]:
    """How an argument of a step may differ: changes of its value, since that may depend on sizes."""
    name, value = argument.name, given.get(argument.name)
    if name == "dim":
        for words, other in _other_axes(value, given):
            yield words, partial(_constant, other)
    elif name == "alpha" and isinstance(given.get("other"), Tensor):
        yield "had the other sign", operator.neg
    elif name == "approximate":
        other = "none" if value == "tanh" else "tanh"
        yield f"had approximate={other!r}", partial(_constant, other)
    elif name == "pad" and isinstance(value, list | tuple) and len(value) > 1:
        yield "padded one more before and one less behind", partial(_shifted, 1)
        yield "padded one less before and one more behind", partial(_shifted, -1)
    elif isinstance(value, bool):
        if name not in _OF_THE_FORM:
            yield f"had {name}={not value}", operator.not_
    elif isinstance(value, int) and (name == "correction" or "int" in str(argument.type)):
        if name not in _NO_COUNTS and abs(value) < _LARGEST:
            yield from (
                (f"had {name}={value + more} instead of {value}", partial(operator.add, more)) for more in (1, -1)
            )
    elif isinstance(value, int | float) and name not in _NO_CONSTANTS and _first_tensor(given) is not None:
        yield from _other_constants(step, name, value)


def _constant(value: Any, before: Any) -> Any:
    return value


def _shifted(by: int, pad: Sequence[int]) -> list[int]:
    return [pad[0] + by, pad[1] - by, *pad[2:]]


def _axis(given: Given) -> int | None:
    """The one axis that a step goes along."""
    tensor, value = given.get("self"), given.get("dim")
    axes = [value] if isinstance(value, int) else value
    if isinstance(tensor, Tensor) and tensor.dim() and isinstance(axes, list | tuple) and len(axes) == 1:
        return int(axes[0]) % tensor.dim()
    return None


def _other_axes(value: Any, given: Given) -> Iterator[tuple[str, Any]]:
    here = _axis(given)
    for other in range(given["self"].dim()) if here is not None else ():
        if other != here:
            yield f"went along axis {other} instead of axis {here}", other if isinstance(value, int) else [other]


_OTHER_NUMBERS: dict[str, Callable[[float], float]] = {
    **OTHER_NUMBERS,
    "one more than": partial(operator.add, 1),
    "one less than": partial(operator.add, -1),
}


def _other_constants(step: _Step, name: str, value: float) -> Iterator[tuple[str, Callable[[float], float]]]:
    if name in ("other", "exponent") and value != _NEUTRAL.get(step.name, value):
        yield f"left out the constant {value:g}", partial(_constant, _NEUTRAL[step.name])
    elif name == "eps" and value:
        yield f"left out eps, {value:g}", partial(_constant, 0.0)
    elif name in ("min", "max"):
        yield f"left out the bound {value:g}", partial(_constant, -math.inf if name == "min" else math.inf)
    for words, change in _OTHER_NUMBERS.items():
        yield f"had {words} the constant {value:g}", change
    for other in _SMALL_ONES if 0 < value <= _SMALL else ():
        yield f"had the constant {other:g} instead of {value:g}", partial(_constant, other)


def _counterparts(step: _Step) -> Iterator[Any]:
    """The operator that is easily taken for a step's own."""
    other: Any = getattr(torch.ops.aten, _COUNTERPARTS.get(step.name, ""), None)
    overload = step.operator._overloadname
    known = () if other is None else other.overloads()
    yield from (getattr(other, word) for word in (overload, _OVERLOADS.get(overload, "")) if word in known)


def _first_tensor(given: Given) -> Tensor | None:
    return next((value for value in given.values() if isinstance(value, Tensor)), None)


def _entry(axis: int, place: int, given: Given) -> Any:
    entry = given["self"].select(axis, place)
    return entry.unsqueeze(axis) if given.get("keepdim") else entry


def _negated(called: Any, given: Given) -> Any:
    made = _called(called, given)
    return -made if isinstance(made, Tensor) else made
