"""Declarations: the Python that declares an operator, and the other ways in which the library computes the same."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from torch import Tensor

from harness.declare.domain import OwnDtype
from harness.errors import DeclarationError, HarnessError
from harness.inference.declaration import Declaration
from harness.inference.example import Example, parts_of
from harness.inference.trials import Trials
from harness.measure.arrays import as_array
from harness.measure.comparison import equal
from harness.measure.operators import Operators
from harness.survey.operator import Operator, identifier, telling

CHANCE = "it gives something else at each call"
"""What the inference notes of a function that draws at random."""

TRANSFORMED = "transformed"
"""The implementation that is the operator once more, of which is asked what its values do not tell: derivatives, and vmap."""

_HEAD = '''\
from math import inf, nan
from typing import Annotated, Literal

import numpy
import scipy.special
import torch
import torch._refs
from jaxtyping import Bool, Complex, Float, Int, Int8, Int16, Int32, UInt8, UInt16, UInt32, UInt64
from torch import Tensor
from torch._decomp import core_aten_decompositions
from torch.utils._python_dispatch import TorchDispatchMode

import harness

DECOMPOSITIONS = core_aten_decompositions()


class Decomposed(TorchDispatchMode):
    """Calls what an operator is made of in its place, as exporters and compilers do."""

    @classmethod
    def _should_skip_dynamo(cls):
        return False

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if func not in DECOMPOSITIONS:
            return func(*args, **(kwargs or {}))
        with self:
            return DECOMPOSITIONS[func](*args, **(kwargs or {}))
'''


_SPARE = 4
"""Examples that are tried in place of those that make no declaration."""


def head(library: str, version: str = "") -> str:
    """How a file of a library's operators begins."""
    told = f"Operators of {library} {version}, as example calls of them tell. Written by `harness survey`."
    mine = "" if library == "torch" else f"import {library}\n"
    return f'"""{told}"""\n\n' + _HEAD.replace("import torch\n", f"import torch\n{mine}", 1)


class Undeclared(Exception):
    """Why an operator can't be declared by itself."""


@dataclass(frozen=True)
class Written:
    """An operation as Python. calls: the operators of PyTorch's core that its example calls, by name."""

    name: str
    text: str
    calls: list[str]


def declared(operator: Operator, most: int, names: dict[str, Any]) -> list[Written]:
    """An operation for each of so many examples of an operator; names: those that the file's head brings.

    Raises Undeclared, with the reason, where no example makes one.
    """
    if operator.unavailable:
        raise Undeclared(operator.unavailable)
    made: list[Written] = []
    reasons: dict[str, None] = {}
    for example in _examples(operator, most + _SPARE):
        if len(made) == most:
            break
        try:
            made.append(_written(operator, example, len(made) + 1, names))
        except Undeclared as reason:
            reasons[str(reason)] = None
    if not made:
        raise Undeclared("; ".join(reasons) or "no example call of it can be written down")
    return made


def _examples(operator: Operator, most: int) -> list[Example]:
    try:
        return telling(operator.examples(), most)
    except Exception as failure:
        raise Undeclared(f"its examples can't be made: {type(failure).__name__}: {_line(failure)}") from None


def _written(operator: Operator, example: Example, number: int, names: dict[str, Any]) -> Written:
    """An operation, and an implementation for each other way, as far as they can be declared."""
    name = operator.name if number == 1 else f"{operator.name}_{number}"
    told = replace(_told(operator, example, names), name=name, path=operator.path)
    try:
        exec(str(told), names)
    except HarnessError as refusal:
        raise Undeclared(str(refusal).partition(": ")[2] or str(refusal)) from None
    except Exception as failure:
        raise Undeclared(f"its declaration is no Python: {type(failure).__name__}: {_line(failure)}") from None
    calls = _calls(told)
    others = [each for each in _others(operator, told, calls, names) if _is_declared(each, names)]
    return Written(name, "\n\n\n".join((str(told), *others)), sorted(calls))


def _told(operator: Operator, example: Example, names: dict[str, Any]) -> Declaration:
    try:
        told = Trials(operator.function, example).declaration()
    except DeclarationError:
        try:
            told = Trials(operator.function, example).of_these_sizes()
        except DeclarationError as refusal:
            raise Undeclared(str(refusal).partition(": ")[2] or str(refusal)) from None
    if CHANCE in told.notes:
        raise Undeclared("it draws at random")
    written = _written_to(eval(operator.path, names), example)
    notes = (
        (*told.notes, f"it writes to {' and '.join(sorted(written))}, which it is given copies of")
        if written
        else told.notes
    )
    return replace(told, copied=written, notes=notes)


def _written_to(function: Callable[..., Any], example: Example) -> frozenset[str]:
    """The tensors of an example that a call changes, as a batch norm its running statistics."""
    given = {name: tensor.clone() for name, tensor in example.tensors.items()}
    with torch.no_grad():
        example.call(function, given)
    return frozenset(name for name, tensor in example.tensors.items() if not _is_the_same(tensor, given[name]))


def _is_the_same(one: Tensor, other: Tensor) -> bool:
    return one.shape == other.shape and bool(equal(as_array(one), as_array(other)).all())


def _line(failure: BaseException) -> str:
    return (str(failure).splitlines() or ["(no message)"])[0]


def _is_declared(text: str, names: dict[str, Any]) -> bool:
    """Whether the harness takes an implementation."""
    try:
        exec(text, names)
    except Exception:
        return False
    return True


def _others(operator: Operator, told: Declaration, calls: Collection[str], names: dict[str, Any]) -> Iterator[str]:
    """The implementations beside the operator itself that take the example."""
    given = ", ".join(told.parameters)
    call = told.call_of(operator.path)
    yield f'{told.called}.implementation({told.called}.definition, name="{TRANSFORMED}")'
    if operator.writes_to and _writes(operator, told, names):
        with_memory = f"{call[:-1]}, {operator.writes_to}=memory)"
        yield _implementation(told, "out", f"{given}, memory", f"    {with_memory}", 'out="memory"')
    if operator.in_place and _keeps_shape(told) and _takes(operator.in_place, told, names):
        first = told.parameters[0]
        written = replace(told, copied=told.copied - {first}).call_of(operator.in_place)
        yield _implementation(told, "in_place", given, f"    {written}", f'mutates="{first}"')
    for path in operator.references:
        if _takes(path, told, names):
            library = path.partition(".")[0]
            words = "forward_only=True" if library == "torch" else f'backend="{library}"'
            yield _implementation(told, path, given, f"    return {told.call_of(path)}", words)
    if _is_decomposed(told, calls, names):
        yield _implementation(told, "decomposed", given, f"    with Decomposed():\n        return {call}", "")


def _implementation(told: Declaration, name: str, parameters: str, body: str, words: str) -> str:
    said = ", ".join(filter(None, (f'name="{name}"', words)))
    return f"@{told.called}.implementation({said})\ndef {told.called}_{identifier(name)}({parameters}):\n{body}"


def _keeps_shape(told: Declaration) -> bool:
    """Whether the result could stand in the memory of the first argument."""
    first = next(iter(told.example.arguments), "")
    if first not in told.axes or len(told.results) != 1:
        return False
    axes, dtype = told.results[0]
    of_its_own = isinstance(told.about.get(0), OwnDtype)  # whatever that of the argument is
    return not of_its_own and axes == told.axes[first] and dtype == told.example.tensors[first].dtype


def _takes(path: str, told: Declaration, names: dict[str, Any]) -> bool:
    """Whether another function takes the example, and gives as many results of the same shapes."""
    is_torch = path.startswith("torch.")
    arrays = {name: each.clone().numpy() for name, each in told.example.tensors.items()}
    try:
        function = eval(path, names)
        made, right = (
            parts_of(told.example.call(each, given))
            for each, given in ((function, {} if is_torch else arrays), (told.function, {}))
        )
    except Exception:
        return False
    return [tuple(each.shape) for each in made] == [tuple(each.shape) for each in right]


def _writes(operator: Operator, told: Declaration, names: dict[str, Any]) -> bool:
    """Whether an operator takes the example with memory for its results."""
    try:
        memory = [torch.empty_like(each) for each in parts_of(told.example.call(operator.function, {}))]
        whole = memory[0] if len(memory) == 1 else tuple(memory)
        given = partial(eval(operator.path, names), **{operator.writes_to: whole})
        with torch.no_grad():
            told.example.call(given, {})
    except Exception:
        return False
    return True


def _calls(told: Declaration) -> set[str]:
    with Operators() as called, torch.no_grad():
        told.example.call(told.function, {})
    return called.names


def _is_decomposed(told: Declaration, calls: Collection[str], names: dict[str, Any]) -> bool:
    """Whether a decomposition takes the place of an operator that it calls, and gives tensors."""
    if not {each.overloadpacket.__name__ for each in names["DECOMPOSITIONS"]} & {*calls}:
        return False
    try:
        with names["Decomposed"](), torch.no_grad():
            return all(isinstance(each, Tensor) for each in parts_of(told.example.call(told.function, {})))
    except Exception:
        return False
