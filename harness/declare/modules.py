"""Modules: operations whose parameters live in an nn.Module.

The parameters of the reference, and those of its buffers that a call may change, become arguments of the case, by their names
in its state_dict. They have the shapes that it gives them for the sizes and options of the case, and are filled like its
own initialisation. What buffers hold after the call are results beside its output.
"""

from __future__ import annotations

import difflib
import inspect
import math
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.func import functional_call

from harness.declare.devices import device_of
from harness.declare.structure import RandomSource
from harness.errors import DeclarationError, Unsupported

Build = Callable[..., nn.Module]
State = dict[str, Tensor]

OUTPUT = "output"
"""What the result of a module itself is called beside its buffers."""


@dataclass(frozen=True)
class Reference:
    """A module as a function of its state and its inputs.

    build: makes it, of sizes and options; call: how it is called with its inputs, None for itself with all of them in order;
    buffers: the names of those that are part of its state, which leaves out what its constructor has computed.
    """

    build: Build
    call: Callable[..., Any] | None = None
    buffers: tuple[str, ...] = ()

    @cached_property
    def parameters(self) -> tuple[str, ...]:
        """The sizes and options of which it is made."""
        return tuple(inspect.signature(self.build).parameters)

    def chosen(self, known: Mapping[str, Any]) -> tuple[Any, ...]:
        """Those, in order, of all sizes and options."""
        return tuple(known[name] for name in self.parameters)

    def state(self, known: Mapping[str, Any]) -> State:
        """Its parameters and those buffers, as it begins."""
        return dict(_begun(self, self.chosen(known)))

    def shapes(self, known: Mapping[str, Any]) -> Mapping[str, tuple[int, ...]]:
        """The shapes of its state's parts, by name."""
        return _shapes(self.build, self.chosen(known))


def statistics(module: nn.Module) -> tuple[str, ...]:
    """The names of the buffers that count or average what is seen: they begin as one number, and are no computed table."""
    return tuple(name for name, buffer in module.named_buffers() if _begins_as_one_number(buffer))


def _begins_as_one_number(buffer: Tensor) -> bool:
    return bool((buffer == buffer.reshape(-1)[0]).all()) if buffer.numel() else False


@lru_cache(maxsize=64)
def made(build: Build, arguments: tuple[Any, ...]) -> nn.Module:
    """A module for sizes and options: the same one each time, with numbers of its own, which are not the case's."""
    with _from_one_seed(None):
        return build(*arguments)


@lru_cache(maxsize=64)
def _begun(reference: Reference, arguments: tuple[Any, ...]) -> State:
    module = made(reference.build, arguments)
    parameters = {name: each.detach() for name, each in module.named_parameters()}
    return {**parameters, **{name: each for name, each in module.named_buffers() if name in reference.buffers}}


@lru_cache(maxsize=2**14)
def _shapes(build: Build, arguments: tuple[Any, ...]) -> dict[str, tuple[int, ...]]:
    """The shapes of a module's state, of a module without memory where it can be made so."""
    try:
        with torch.device("meta"):
            module = build(*arguments)
    except Exception:  # one that looks at the numbers which it makes
        module = made(build, arguments)
    return {name: tuple(each.shape) for name, each in (*module.named_parameters(), *module.named_buffers())}


Applied = Callable[[State, tuple[Any, ...], dict[str, Any]], tuple[Any, State]]
"""Gives for a state, inputs and options what a module gives, and what its buffers hold afterwards."""


def applied(module: nn.Module, call: Any, buffers: Collection[str]) -> Applied:
    """What a module does as a function that writes to none of its arguments; by `call`, or by itself where that is None."""

    def function(state: State, inputs: tuple[Any, ...], options: dict[str, Any]) -> tuple[Any, State]:
        own = {name: each.detach().clone() if name in buffers else each for name, each in state.items()}
        if call is None:
            returned = functional_call(module, own, inputs, options)
        else:
            named = {f"module.{name}": each for name, each in own.items()}
            returned = functional_call(_Called(module, call), named, inputs, options)
        return returned, {name: own[name] for name in buffers}

    return function


def run(
    module: nn.Module, state: State, inputs: tuple[Any, ...], options: dict[str, Any], mode: str, function: Applied
) -> tuple[Any, State]:
    """What the function of a module gives.

    In training what is drawn at random is drawn from the same seed each time, so that two modules that draw alike agree. Raises
    Unsupported where it is drawn on a device, which has other numbers than the CPU for a seed.
    """
    module.train(mode == "train")
    like = next(
        (each for each in (*state.values(), *inputs) if isinstance(each, Tensor) and each.is_floating_point()), None
    )
    if like is not None:
        _move(module, like)
    with _from_one_seed(like) if mode == "train" else nullcontext():
        return function(state, inputs, options)


@contextmanager
def _from_one_seed(like: Tensor | None) -> Iterator[None]:
    """With the generators of the CPU, and of a tensor's device, at their seed 0; that of the CPU goes on afterwards where it was.

    Not `torch.manual_seed`, which takes milliseconds where there is no accelerator.
    """
    before = torch.get_rng_state()
    torch.default_generator.manual_seed(0)
    there = None if like is None else device_of(like)
    if there is not None:
        there.seed(0)
    begun = there and there.drawn
    try:
        yield
    finally:
        torch.set_rng_state(before)
    if there is not None and there.drawn != begun:
        raise Unsupported(f"in training it draws numbers on {there.name}, which are not those of the CPU's oracle")


def _move(module: nn.Module, like: Tensor) -> None:
    """Give a module, and what it has computed for itself and is not in its state, the dtype and device of the arguments.

    What was rounded to a low precision has its digits again in a higher one: the numbers are those that it had before.
    Nothing is touched that has them: within a transform, what is made stands for numbers that are gone when that ends.
    """
    rounded = _ROUNDED.setdefault(module, {})
    if any(_is_elsewhere(each, like) for each in (*module.parameters(), *module.buffers())):
        before = {name: _before(rounded, name, each) for name, each in module.named_buffers()}
        module.to(device=like.device, dtype=like.dtype)
        with torch.no_grad():
            for name, each in module.named_buffers():
                rounded[name] = before[name], each.copy_(before[name])
    for path, part in module.named_modules():
        for attribute, value in vars(part).items():
            if isinstance(value, Tensor) and value.is_floating_point() and _is_elsewhere(value, like):
                name = f"{path}.{attribute}, an attribute"
                first = _before(rounded, name, value)
                rounded[name] = first, first.to(like)
                setattr(part, attribute, rounded[name][1])


_ROUNDED: WeakKeyDictionary[nn.Module, dict[str, tuple[Tensor, Tensor]]] = WeakKeyDictionary()
"""Of modules what was moved last, by name: the numbers before, and what they became. Parameters are given with each call."""


def _before(rounded: Mapping[str, tuple[Tensor, Tensor]], name: str, value: Tensor) -> Tensor:
    """The numbers that a tensor had before it was moved, if that was done here and nobody has put another in its place."""
    first, became = rounded.get(name, (value, value))
    return first if became is value else value.detach().clone()


def _is_elsewhere(tensor: Tensor, like: Tensor) -> bool:
    return tensor.device != like.device or (tensor.is_floating_point() and tensor.dtype != like.dtype)


class _Called(nn.Module):
    """A module that is called by a function of it."""

    def __init__(self, module: nn.Module, call: Callable[..., Any]) -> None:
        super().__init__()
        self.module, self._call = module, call

    def forward(self, *inputs: Any, **options: Any) -> Any:
        return self._call(self.module, *inputs, **options)


@dataclass(frozen=True)
class Initial:
    """Values like those with which a module begins: of their mean and spread, or around the one number that all of them are.

    any_numbers: whether any others would do, as they don't of statistics that begin above zero, such as a variance.
    """

    reference: Reference
    key: str
    any_numbers: bool = True

    def __repr__(self) -> str:
        return f"like {self.key} at first"

    def __call__(self, stream: RandomSource) -> NDArray[Any]:
        """Numbers for the sizes of the stream; powers of two give their spread, so that they are the same on any machine."""
        begun = self.reference.state(stream.known)[self.key]
        if not begun.is_floating_point():
            return stream.integers(0, 4)
        values = begun.double().numpy()
        first, least, most = (
            (float(each) for each in (values.flat[0], values.min(), values.max())) if values.size else (0,) * 3
        )
        if least == most:
            return stream.normal() / 8 if first == 0 else first * (1 + stream.uniform() / 2)
        spread, middle = 2.0 ** round(math.log2(float(values.std()))), float(values.mean())
        return stream.normal() * spread + (round(8 * middle) / 8 if abs(middle) > spread else 0)

    def admits(self, values: NDArray[Any], known: Mapping[str, Any]) -> bool:
        """Whether none is negative that may not be."""
        return self.any_numbers or bool((values >= 0).all())


@dataclass(frozen=True)
class Stacked:
    """Several parts of a candidate's state that the reference holds as one, one after another along the first axis."""

    keys: tuple[str, ...]

    def split(self, tensor: Tensor, shapes: Mapping[str, tuple[int, ...]]) -> Iterator[tuple[str, Tensor]]:
        """The parts, each as long as the candidate has it."""
        yield from zip(self.keys, tensor.split([shapes[key][0] for key in self.keys]), strict=True)  # type: ignore[no-untyped-call]


@dataclass(frozen=True)
class Transposed:
    """A part of a candidate's state that the reference holds with its last two axes exchanged."""

    key: str

    def split(self, tensor: Tensor, shapes: Mapping[str, tuple[int, ...]]) -> Iterator[tuple[str, Tensor]]:
        """The part, transposed."""
        yield self.key, tensor.transpose(-2, -1)


def stacked(*keys: str) -> Stacked:
    """`state={"in_proj_weight": harness.stacked("q.weight", "k.weight", "v.weight")}`: one in the reference, several here."""
    return Stacked(keys)


def transposed(key: str) -> Transposed:
    """`state={"weight": harness.transposed("kernel")}`: the same with its last two axes exchanged."""
    return Transposed(key)


Layouts = Mapping[str, str | Stacked | Transposed]


def _as_it_is(function: Applied) -> Applied:
    return function


class ModuleFunction:
    """A module, the reference or a candidate, as a function of `state`, the inputs, the options, `mode` and the sizes.

    build: makes it of what the reference is made of; inputs: the arguments that it is called with, in order; layouts:
    where its state is other than the reference's; declared: the function that declares the operation, of the reference
    itself.
    """

    def __init__(
        self,
        reference: Reference,
        build: Build,
        inputs: tuple[str, ...],
        layouts: Layouts,
        declared: Callable[..., Any] | None = None,
    ) -> None:
        self.reference, self._build, self._inputs, self._layouts = reference, build, inputs, layouts
        self._translate: Callable[[Applied], Applied] = _as_it_is
        self._functions: dict[tuple[nn.Module, str], Applied] = {}
        forward = getattr(build, "forward", None)
        self.__wrapped__ = declared or (forward if inspect.isfunction(forward) else build)
        self.__name__ = getattr(declared or build, "__name__", type(build).__name__)
        self.__doc__ = getattr(declared or build, "__doc__", None)
        self.__signature__ = inspect.Signature(
            [inspect.Parameter("arguments", inspect.Parameter.VAR_KEYWORD)], return_annotation=Any
        )

    def __call__(self, *, mode: str, sizes: Mapping[str, int], state: State | None = None, **arguments: Any) -> Any:
        """What the module gives, beside what its buffers hold afterwards where it has some."""
        given = state or {}
        module = made(self._build, self.reference.chosen({**sizes, **arguments}))
        inputs = tuple(arguments[name] for name in self._inputs)
        taken = {n: v for n, v in arguments.items() if n not in self._inputs and n not in self.reference.parameters}
        function = self._applied(module, mode)
        returned, kept = run(module, dict(self._mapped(given, module)), inputs, taken, mode, function)
        if not self.reference.buffers:
            return returned
        return {OUTPUT: returned, **{name: self._back(name, given, kept) for name in self.reference.buffers}}

    def through(self, translate: Callable[[Applied], Applied]) -> ModuleFunction:
        """The same, with what a module does translated, as by a compiler: once for each module and mode."""
        other = ModuleFunction(self.reference, self._build, self._inputs, self._layouts, self.__wrapped__)
        other._translate = translate
        return other

    def _applied(self, module: nn.Module, mode: str) -> Applied:
        """What a module does in a mode, translated where that is asked for."""
        if (module, mode) not in self._functions:
            names = [each for each in map(self._layout_of, self.reference.buffers) if isinstance(each, str)]
            self._functions[module, mode] = self._translate(applied(module, self.reference.call, names))
        return self._functions[module, mode]

    def _mapped(self, state: State, module: nn.Module) -> Iterator[tuple[str, Tensor]]:
        """The state by the candidate's own names."""
        shapes = {name: tuple(each.shape) for name, each in (*module.named_parameters(), *module.named_buffers())}
        for name, tensor in state.items():
            layout = self._layout_of(name)
            if isinstance(layout, str):
                yield layout, tensor
            else:
                yield from layout.split(tensor, shapes)

    def _layout_of(self, name: str) -> str | Stacked | Transposed:
        """Where a part of the reference's state is here: by its whole name, by what it begins with, or under the same name."""
        if name in self._layouts:
            return self._layouts[name]
        for first, layout in self._layouts.items():
            if name.startswith(f"{first}.") and isinstance(layout, str):
                return layout + name.removeprefix(first)
        return name

    def _back(self, name: str, given: State, kept: State) -> Tensor:
        """What a buffer holds now, by the reference's name; one that is stacked elsewhere is as it was."""
        layout = self._layout_of(name)
        return kept[layout] if isinstance(layout, str) else given[name]

    def as_candidate(self, build: Build, layouts: Layouts) -> ModuleFunction:
        """Another module with this one's state, as a function of the same arguments."""
        return ModuleFunction(self.reference, build, self._inputs, layouts)

    @property
    def _place(self) -> str:
        """The candidate's file and class, for messages."""
        made = getattr(self._build, "model", self._build)
        own = (each.__code__.co_filename for each in (made, *vars(made).values()) if inspect.isfunction(each))
        file = next(own, None)
        return f"{Path(file).name}: {self.__name__}" if file else self.__name__

    def check(self, known: Mapping[str, Any]) -> None:
        """Raise DeclarationError where the candidate has other parameters than the reference's state fills."""
        place = self._place
        try:
            module = made(self._build, self.reference.chosen(known))
        except Exception as failure:
            raise DeclarationError(
                f"{place}: {self.__name__}({', '.join(self.reference.parameters)}) raised {type(failure).__name__}: {failure}; "
                "it is made of what the reference is made of, in that order"
            ) from None
        if not isinstance(module, nn.Module):
            raise DeclarationError(f"{place} makes {type(module).__name__}, and no nn.Module")
        parts = self.reference.state(known)
        unknown = [key for key in self._layouts if not any(f"{name}.".startswith(f"{key}.") for name in parts)]
        if unknown:
            near = difflib.get_close_matches(unknown[0], parts, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(parts)}"
            raise DeclarationError(
                f"{place}: state= names {unknown[0]!r}, which the reference's state does not have; {hint}"
            )
        own = {name: tuple(each.shape) for name, each in module.named_parameters()}
        buffers = {name for name, _ in module.named_buffers()}
        try:
            filled = dict(self._mapped(parts, module))
        except (KeyError, RuntimeError) as failure:
            raise DeclarationError(f"{place}: state= does not fit: {failure}") from None
        if lacking := sorted(own.keys() - filled.keys()):
            raise DeclarationError(
                f"{place}: nothing of the reference's state fills {lacking[0]!r}; say with state= what does, as "
                f'state={{"name there": "{lacking[0]}"}}'
            )
        if odd := sorted(filled.keys() - own.keys() - buffers):
            raise DeclarationError(
                f"{place}: it has no {odd[0]!r}, which the reference's state has; say with state= where it is"
            )
        for name, shape in own.items():
            if tuple(filled[name].shape) != shape:
                raise DeclarationError(
                    f"{place}: {name!r} has shape {list(shape)}, and what would fill it {list(filled[name].shape)}; say with "
                    "state= how they belong together"
                )
