"""Problems in KernelBench's form: a file with `Model`, `get_inputs` and `get_init_inputs`, and one with `ModelNew`.

    problem = harness.kernelbench.problem("reference.py", of=__name__)
    harness.kernelbench.candidate("candidate.py", problem)

The whole numbers at the reference's module level that its two functions read are the sizes. Each is asked from the smallest
value with which the model can be called up to the published one, which is among the cases. Both models have the same state.
"""

from __future__ import annotations

import hashlib
import importlib.util
import inspect
import itertools
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache, partial
from pathlib import Path
from types import CodeType, MappingProxyType, ModuleType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

from harness.declare.axes import ComputedAxis
from harness.declare.callables import signature_of
from harness.declare.domain import Domain, Kind, OptionDomain, TensorDomain
from harness.declare.domains import whole
from harness.declare.meta_device import ShapesOfBatchNorm
from harness.declare.module_operation import state_of, with_statistics
from harness.declare.modules import ModuleFunction, Reference, made, statistics
from harness.declare.operation import Operation
from harness.declare.ranges import Range, positive, within
from harness.declare.rehearsal import small_call
from harness.declare.results import Results
from harness.declare.signature import Signature
from harness.declare.structure import RandomSource
from harness.declare.workload import Workload
from harness.errors import CandidateError, DeclarationError
from harness.inference.example import SCALARS

PUBLISHED = "published_size"
"""The property that asks what a problem's authors do."""

_NEEDED = ("Model", "get_inputs", "get_init_inputs")

_SMALL = (2, 3, 1, 4, 5, 6, 7, 8, 9, 12, 16, 17, 24, 32, 33, 48, 64, 65, 96, 128, 256, 512, 1024)
"""Values that are tried for a size, the plainest first."""

_FEW = 2**18
"""Entries of inputs and parameters up to which a model is called to see whether it can be."""

Sizes = tuple[tuple[str, int], ...]
_Told = tuple[tuple[int, ...], torch.dtype]
_Shapes = tuple[tuple[_Told | None, ...], tuple[_Told | None, ...]]


def is_problem(path: Path) -> bool:
    """Whether a file has the form of a reference, told from its text alone."""
    text = path.read_text(encoding="utf-8", errors="replace")
    return "class Model(" in text and "def get_inputs(" in text


def problem(path: str | Path, *, of: str, name: str = "") -> Operation:
    """The operation that a reference's `Model` computes, with the sizes that its file names.

    of: the `__name__` of the module that declares it; name: the file's own if nothing is said. Raises CandidateError where the
    file lacks one of Model, get_inputs and get_init_inputs, or where its model can't be called with its inputs.
    """
    reference = _Problem(_imported(Path(path)), Path(path))
    return reference.operation(name or Path(path).stem, of)


def candidate(path: str | Path, problem: Operation, model: str = "ModelNew") -> None:
    """Declare a candidate's model as an implementation of a problem.

    Raises CandidateError where the file has no such nn.Module, DeclarationError where its state is not the reference's.
    """
    found = getattr(_imported(Path(path)), model, None)
    if not inspect.isclass(found) or not issubclass(found, nn.Module):
        raise CandidateError(f"{Path(path).name} has no nn.Module named {model}; that is what a candidate is called")
    reference: Reference = problem.definition.reference  # type: ignore[attr-defined]
    build = replace(reference.build, model=found)  # type: ignore[type-var]
    try:
        chosen = {name: domain.values[0] for name, domain in problem.options.items()}
        state = _by_order(reference, build, small_call(problem, chosen))
        problem.implementation(build, name=model, module=True, state=state)
    except DeclarationError as refusal:
        told = str(refusal).partition("; say with state=")[0]
        raise DeclarationError(f"{told}; a candidate has the reference's parameters, by the same names") from None


def _by_order(reference: Reference, build: Callable[..., nn.Module], known: Mapping[str, Any]) -> dict[str, str]:
    """The candidate's names for the reference's state, where it has others for parts of the same shapes in the same order."""
    try:
        module = made(build, reference.chosen(known))
    except Exception:  # of which the declaration tells
        return {}
    buffers = {name: each for name, each in module.named_buffers() if name in statistics(module)}
    theirs = {**dict(module.named_parameters()), **buffers}
    ours = reference.state(known)
    if theirs.keys() == ours.keys() or [each.shape for each in theirs.values()] != [
        each.shape for each in ours.values()
    ]:
        return {}
    return dict(zip(ours, theirs, strict=True))


def joined(reference: Path, candidate: Path, folder: Path) -> Path:
    """A file in a folder that declares the problem of a reference and a candidate for it, as a person would write it.

    Raises CandidateError where the first one is no reference.
    """
    if not is_problem(reference):
        raise CandidateError(
            f"{reference.name} is no reference in KernelBench's form; it needs {', '.join(_NEEDED)}, and what is given after "
            "it a ModelNew"
        )
    first, second = (Path(os.path.relpath(each, folder)).as_posix() for each in (reference, candidate))
    name = reference.stem if reference.stem.isidentifier() else f"problem_{reference.stem}"
    text = _JOINED.format(reference=first, candidate=second, name=name)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{reference.stem}-{candidate.stem}-{hashlib.blake2b(text.encode(), digest_size=4).hexdigest()}.py"
    path.write_text(text, encoding="utf-8")
    return path


_JOINED = '''\
"""A problem in KernelBench's form and a candidate for it."""

from pathlib import Path

import harness.kernelbench

HERE = Path(__file__).parent

problem = harness.kernelbench.problem(HERE / {reference!r}, of=__name__, name={name!r})
harness.kernelbench.candidate(HERE / {candidate!r}, problem)
'''


@lru_cache(maxsize=16)
def _imported(path: Path) -> ModuleType:
    specification = importlib.util.spec_from_file_location(f"kernelbench_{path.stem}", path)
    if specification is None or specification.loader is None:
        raise CandidateError(f"{path} is no Python file")
    module = importlib.util.module_from_spec(specification)
    try:
        specification.loader.exec_module(module)
    except Exception as failure:
        raise CandidateError(f"{path.name}: importing it raised {type(failure).__name__}: {failure}") from None
    return module


@dataclass(frozen=True, eq=False)
class _Problem:
    """A reference's module, asked for its model and inputs at other sizes than the published ones."""

    module: ModuleType
    path: Path

    def operation(self, name: str, of: str) -> Operation:
        """The problem as an operation. Raises CandidateError."""
        lacking = next((each for each in _NEEDED if not hasattr(self.module, each)), None)
        if lacking is not None:
            raise CandidateError(f"{self.path.name} has no {lacking}; a problem has {', '.join(_NEEDED)}")
        base, bounds = self._base, self._bounds
        if self._shapes(base) is None:
            raise CandidateError(f"{self.path.name}: its Model can't be called with its get_inputs(): {self._refusal}")
        reference = Reference(build := _Build(self, self.module.Model))
        reference = replace(reference, buffers=statistics(made(build, reference.chosen(dict(base)))))
        inputs, results = self._domains(base)
        tensors = {name: each for name, each in inputs.items() if isinstance(each, TensorDomain)}
        options = {name: each for name, each in inputs.items() if isinstance(each, OptionDomain)}
        state = state_of(reference, [dict(base)], bounds)
        function = ModuleFunction(reference, build, tuple(inputs), {}, self.module.Model.forward)
        return Operation(
            name,
            function,
            signature=Signature(
                {**tensors, **state},
                (*options, "mode"),
                with_statistics(Results(results), state, reference),
                sized=True,
            ),
            options={**options, "mode": OptionDomain(("train",))},
            sizes=bounds,
            where=self.where,
            differentiable=True,
            module=of,
            timed=Workload(
                dict(self.published), {name: each.values[0] for name, each in options.items()} | {"mode": "train"}
            ),
            published=dict(self.published),
            exempt={"layouts": "a problem's reference need not take others than the contiguous arguments of its file"},
        )

    @cached_property
    def published(self) -> Sizes:
        """The whole numbers that the two functions read, as they are written."""
        read = itertools.chain.from_iterable(_read(getattr(self.module, each).__code__) for each in _NEEDED[1:])
        numbers = {name: vars(self.module).get(name) for name in dict.fromkeys(read)}
        return tuple((name, number) for name, number in numbers.items() if type(number) is int and number > 0)

    @cached_property
    def _base(self) -> Sizes:
        """Small sizes with which the model can be called: all alike if that can be, and each as small as the others let it be."""
        sizes, free = dict(self.published), self._free
        alike = (
            {name: min(size, most) if name in free else most for name, most in sizes.items()}
            for size in (4, 8, 16, 3, 32)
        )
        sizes = next((each for each in alike if self._shapes(_row(each)) is not None), sizes)
        for name in [*free] * 2:
            smaller = (size for size in _SMALL if size < sizes[name])
            sizes[name] = next(
                (size for size in smaller if self._shapes(_row({**sizes, name: size})) is not None), sizes[name]
            )
        return _row(sizes)

    @cached_property
    def _free(self) -> list[str]:
        """The sizes that may vary: those on which it does not hang which parameters a model has, as it hangs on a number of layers."""
        known, names = dict(self.published), (None, self._published_parameters)

        def is_free(name: str) -> bool:
            others = (size for size in _SMALL if size < known[name])
            return all(self._parameters(_row({**known, name: size})) in names for size in others)

        return [name for name in known if is_free(name)]

    def _parameters(self, sizes: Sizes) -> frozenset[str] | None:
        """The names in a model's state at some sizes, without its numbers; None where none is made."""
        return _parameters(self, self._sizes_of_the_model(sizes))

    @cached_property
    def _bounds(self) -> dict[str, tuple[int, int]]:
        """The smallest and the published value of each size; one that may have no other value is fixed."""
        base, bounds = dict(self._base), {}
        for name, published in self.published:
            others = (size for size in _SMALL if size <= published and name in self._free)
            least = min(
                (size for size in others if self._shapes(_row({**base, name: size})) is not None), default=published
            )
            bounds[name] = (least, published)
        return bounds

    @cached_property
    def where(self) -> Callable[..., bool]:
        """Whether the model can be called at some sizes."""

        def where(**sizes: int) -> bool:
            return self._shapes(_row(sizes)) is not None

        where.__signature__ = signature_of(name for name, _ in self.published)  # type: ignore[attr-defined]
        return where

    def _shapes(self, sizes: Sizes) -> _Shapes | None:
        """The shapes and dtypes of inputs and results at some sizes; None where the model can't be called, or has other parameters."""
        return _shapes(self, sizes) if self._parameters(sizes) in (None, self._published_parameters) else None

    @cached_property
    def _published_parameters(self) -> frozenset[str] | None:
        return self._parameters(self.published)

    def called(
        self, sizes: Sizes, device: str, others: Mapping[int, Tensor] = MappingProxyType({})
    ) -> tuple[list[Any], list[Any]]:
        """The inputs at some sizes, and what the model gives for them, on a device; others: in place of some of them."""
        with self.patched(dict(sizes)), torch.device(device), torch.no_grad():
            inputs = [others.get(place, each) for place, each in enumerate(self.module.get_inputs())]
            return inputs, tree_leaves(self.model()(*inputs))

    def model(self) -> nn.Module:
        """The model, with its own numbers."""
        return self.module.Model(*self.module.get_init_inputs())

    def _sizes_of_the_model(self, sizes: Sizes) -> Sizes:
        return tuple((name, size) for name, size in sizes if name in self.of_the_model)

    @cached_property
    def of_the_model(self) -> tuple[str, ...]:
        """The sizes on which a model may depend: those that anything in the file reads beside get_inputs."""
        code = compile(self.path.read_text(encoding="utf-8"), str(self.path), "exec")
        functions = [each for each in code.co_consts if isinstance(each, CodeType) and each.co_name != "get_inputs"]
        read = {*itertools.chain.from_iterable(map(_read, functions))}
        return tuple(name for name, _ in self.published if name in read)

    def tried(self, sizes: Sizes) -> tuple[list[Any], list[Any]]:
        """The same on the CPU where inputs and parameters are few, since there are shapes that pass without numbers alone; else without."""
        with self.patched(dict(sizes)), torch.device("meta"), torch.no_grad():
            inputs, model = self.module.get_inputs(), _without_numbers(self, self._sizes_of_the_model(sizes))
            parts = [*inputs, *(model.parameters() if model is not None else ())]
            if sum(each.numel() for each in parts if isinstance(each, Tensor)) > _FEW:
                with ShapesOfBatchNorm():
                    return inputs, tree_leaves((self.model() if model is None else model)(*inputs))
        return self.called(sizes, "cpu")

    @property
    def _refusal(self) -> str:
        """What the model raises at the published sizes."""
        try:
            self.tried(self.published)
        except Exception as failure:
            return f"{type(failure).__name__}: {failure}".partition("\n")[0]
        return "it can"

    def patched(self, sizes: Mapping[str, int]) -> AbstractContextManager[None]:
        """With other numbers at module level."""
        return _exchanged(vars(self.module), {name: sizes[name] for name, _ in self.published if name in sizes})

    def _domains(self, base: Sizes) -> tuple[dict[str, Domain], tuple[TensorDomain, ...]]:
        """The domains of inputs, by the names that the model's forward has for them, and of results; numbers have one value."""
        taken, given = self._shapes(base) or ((), ())
        samples = self.called(base, "cpu")[0]
        parameters = [name for name in inspect.signature(self.module.Model.forward).parameters if name != "self"]
        names = [parameters[place] if place < len(parameters) else f"input_{place}" for place in range(len(taken))]
        domains = {
            name: OptionDomain((sample,))
            if told is None
            else replace(self._domain(name, 0, place, *told, sample), constraint=self._constraint(base, place, sample))
            for place, (name, told, sample) in enumerate(zip(names, taken, samples, strict=True))
        }
        results = (self._domain("result", 1, place, *told, None) for place, told in enumerate(given) if told)
        return domains, tuple(results)

    def _constraint(self, base: Sizes, place: int, sample: Tensor) -> Range | None:
        """What an input's numbers fulfil, as the file's own do, for the model to give numbers; None where any numbers will do."""
        if not sample.is_floating_point():
            return None
        drawn = torch.randn(sample.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)

        def will_do(numbers: Tensor) -> bool:
            return all(each.isfinite().all() for each in self.called(base, "cpu", {place: numbers.to(sample)})[1])

        inside = [each for each in (positive, within(0, 1)) if each.admits(sample.numpy())]
        if not inside or will_do(-drawn.abs()):
            return None
        return next((each for each in inside if will_do(torch.from_numpy(each.brought(drawn.numpy())))), None)

    def _domain(
        self, name: str, side: int, place: int, shape: tuple[int, ...], dtype: torch.dtype, sample: Tensor | None
    ) -> TensorDomain:
        sizes = [each for each, _ in self.published]
        axes = tuple(
            ComputedAxis(f"{name}.{axis}", partial(self._length, side, place, axis), sizes)
            for axis in range(len(shape))
        )
        kind: Kind = "complex" if dtype.is_complex else "float" if dtype.is_floating_point else "int"
        kind = "bool" if dtype is torch.bool else kind
        structure = _Whole(self, place) if sample is not None and kind in ("int", "bool") else None
        own = str(dtype).removeprefix("torch.") if kind == "int" else ""
        return TensorDomain(kind, axes, structure=structure, dtype=own, independent=False)

    def _length(self, side: int, place: int, axis: int, known: Mapping[str, Any]) -> int:
        told = self._shapes(_row({name: known[name] for name, _ in self.published}))
        part = told[side][place] if told is not None else None
        return int(part[0][axis]) if part is not None else -1


@dataclass(frozen=True)
class _Whole:
    """Whole numbers from the least to the largest that the file's own inputs have at the sizes of a case."""

    problem: _Problem
    place: int
    in_any_order = True

    def __call__(self, stream: RandomSource) -> NDArray[np.int64]:
        """Drawn evenly among them."""
        return self._numbers(stream.known)(stream)

    def admits(self, values: NDArray[Any], known: Mapping[str, Any]) -> bool:
        """Whether all lie among them."""
        return self._numbers(known).admits(values, known)

    def simpler(self, stream: RandomSource) -> Iterator[NDArray[Any]]:
        """The simplest of them everywhere."""
        yield from self._numbers(stream.known).simpler(stream)

    def _numbers(self, known: Mapping[str, Any]) -> whole:
        return _whole_numbers(self.problem, self.place, _row({name: known[name] for name, _ in self.problem.published}))


@lru_cache(maxsize=2**12)
def _whole_numbers(of: _Problem, place: int, sizes: Sizes) -> whole:
    """Those of an input at some sizes; it may be drawn, and is drawn alike each time."""
    before = torch.get_rng_state()
    torch.default_generator.manual_seed(0)
    try:
        with of.patched(dict(sizes)):
            numbers = of.module.get_inputs()[place]
    finally:
        torch.set_rng_state(before)
    return whole(int(numbers.min()), int(numbers.max())) if numbers.numel() else whole(0, 1)


@dataclass(frozen=True)
class _Build:
    """Makes a model, the reference's or a candidate's, of those sizes of a problem on which it may depend."""

    problem: _Problem
    model: type[nn.Module]

    @property
    def __name__(self) -> str:
        return self.model.__name__

    @property
    def __signature__(self) -> inspect.Signature:
        return signature_of(self.problem.of_the_model)

    @property
    def forward(self) -> Callable[..., Any]:
        """What runs when the model is called."""
        return self.model.forward

    def __call__(self, *sizes: int) -> nn.Module:
        known = dict(zip(self.problem.of_the_model, sizes, strict=True))
        theirs, published = getattr(self.model.__init__, "__globals__", {}), dict(self.problem.published)
        in_both = {name: size for name, size in known.items() if theirs.get(name) == published[name]}
        with self.problem.patched(known), _exchanged(theirs, in_both):  # a candidate's file may have copied the sizes
            return self.model(*self.problem.module.get_init_inputs())


@contextmanager
def _exchanged(names: dict[str, Any], numbers: Mapping[str, int]) -> Iterator[None]:
    """With other numbers for some names, until the end of the block."""
    before = {name: names[name] for name in numbers}
    names.update(numbers)
    try:
        yield
    finally:
        names.update(before)


@lru_cache(maxsize=64)
def _without_numbers(of: _Problem, sizes: Sizes) -> nn.Module | None:
    """A model on the meta device; None where it looks at its numbers as it is made."""
    with of.patched(dict(sizes)), torch.device("meta"), suppress(Exception):
        return of.model()
    return None


@lru_cache(maxsize=2**14)
def _parameters(of: _Problem, sizes: Sizes) -> frozenset[str] | None:
    model = _without_numbers(of, sizes)
    return None if model is None else frozenset(model.state_dict())


@lru_cache(maxsize=2**14)
def _shapes(of: _Problem, sizes: Sizes) -> _Shapes | None:
    """What there is at some sizes. None where the model can't be called, or gives nothing: some kernels refuse to."""
    try:
        inputs, results = of.tried(sizes)
        return (
            (tuple(map(_told, inputs)), tuple(map(_told, results))) if all(each.numel() for each in results) else None
        )
    except Exception:  # whatever a model raises at sizes for which it is not made
        return None


def _told(given: Any) -> _Told | None:
    """What there is to say of a tensor, None of a number."""
    return None if isinstance(given, SCALARS) else (tuple(given.shape), given.dtype)


def _row(sizes: Mapping[str, int]) -> Sizes:
    return tuple(sizes.items())


def _read(code: CodeType) -> Iterator[str]:
    """The global names that code reads, that of functions within it too."""
    codes = [code]
    while codes:
        code = codes.pop()
        yield from code.co_names
        codes += [each for each in code.co_consts if isinstance(each, CodeType)]
