"""Triton's interpreter: kernels that are given tensors on the CPU run in it, whenever and however they were declared.

Triton decides as a kernel is declared whether it is to be interpreted, by an environment variable. Here it is decided as
a kernel is launched: a function that is called with tensors on the CPU has its kernels interpreted, also those that were
declared before anybody asked for that.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from harness.declare.kernel_memory import AccessFault, KernelMemory, Place

VARIABLE = "TRITON_INTERPRET"
"""The environment variable that Triton reads."""

Function = Callable[..., Any]


@dataclass
class Watch:
    """What kernels do to memory while this is entered.

    outside: what a float is that a kernel loads from outside of its tensors; faults: what they did that they may not; narrowed:
    the lines that round to a narrower dtype, and to which; launches: how many kernels were interpreted.
    """

    outside: float = float("nan")
    faults: list[AccessFault] = field(default_factory=list)
    narrowed: dict[Place, str] = field(default_factory=dict)
    launches: int = 0


_watches: list[Watch] = []


@contextlib.contextmanager
def watched(outside: float = float("nan")) -> Iterator[Watch]:
    """Watch what is interpreted. Of several that are entered, the innermost is told."""
    watch = Watch(outside)
    _watches.append(watch)
    try:
        yield watch
    finally:
        _watches.remove(watch)


def interpreted_on_the_cpu(function: Function) -> Function:
    """The function, whose kernels are interpreted where it is given tensors on the CPU, and run as they are elsewhere."""

    @functools.wraps(function)
    def called(*positional: Any, **named: Any) -> Any:
        tensors = _tensors({**{f"argument {place}": each for place, each in enumerate(positional)}, **named})
        if any(tensor.device.type != "cpu" for tensor in tensors.values()):
            return function(*positional, **named)
        with interpreted(tensors):
            return function(*positional, **named)

    return called


def _tensors(arguments: Mapping[str, Any]) -> dict[str, Tensor]:
    """Every tensor among arguments, and in tuples and lists of them, by name."""
    found: dict[str, Tensor] = {}
    for name, value in arguments.items():
        if isinstance(value, Tensor):
            found[name] = value
        elif isinstance(value, tuple | list):
            found |= _tensors({f"{name}[{place}]": each for place, each in enumerate(value)})
    return found


@contextlib.contextmanager
def interpreted(arguments: Mapping[str, Tensor]) -> Iterator[None]:
    """Kernels that are launched meanwhile are interpreted. arguments: those of whoever launches them, beyond whose ends nothing is his."""
    interpreter: Any = importlib.import_module("triton.runtime.interpreter")
    watch = _watches[-1] if _watches else Watch()
    memory = KernelMemory(interpreter._interpreter, watch.outside, arguments)
    launches = _Launches(interpreter, memory, watch)
    jit, tuning = (importlib.import_module(f"triton.runtime.{name}") for name in ("jit", "autotuner"))
    builder = interpreter.interpreter_builder
    with contextlib.ExitStack() as stack:
        stack.enter_context(_variable_set())
        for owner, name, new in (
            (interpreter, "_interpreter", memory),
            (interpreter, "_implicit_cvt", launches.converted(interpreter._implicit_cvt)),
            (interpreter, "_patch_lang", launches.patched(interpreter._patch_lang)),
            (interpreter.GridExecutor, "__call__", launches.launched(interpreter.GridExecutor.__call__)),
            (interpreter.InterpretedFunction, "rewrite", _rewritten_once(interpreter.InterpretedFunction.rewrite)),
            (builder, "set_grid_idx", launches.next_program(builder.set_grid_idx)),
            (builder, "create_masked_load", _load_told(builder.create_masked_load, memory)),
            (builder, "create_fp_trunc", _rounding_told(builder.create_fp_trunc, memory)),
            (jit.JITFunction, "run", _run_interpreted),
            (jit.JITFunction, "__call__", _called_interpreted),
            (tuning.Autotuner, "_bench", _in_turn),
        ):
            stack.enter_context(_replaced(owner, name, new))
        try:
            yield
        finally:
            watch.faults += memory.faults.values()
            watch.narrowed |= memory.narrowed


@contextlib.contextmanager
def _replaced(owner: Any, name: str, new: Any) -> Iterator[None]:
    """Something of Triton's exchanged for a while."""
    own = vars(owner).get(name)
    setattr(owner, name, new)
    try:
        yield
    finally:
        if own is None:
            delattr(owner, name)
        else:
            setattr(owner, name, own)


@contextlib.contextmanager
def _variable_set() -> Iterator[None]:
    """What is declared meanwhile is declared for the interpreter."""
    before = os.environ.get(VARIABLE)
    os.environ[VARIABLE] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[VARIABLE]
        else:
            os.environ[VARIABLE] = before


@dataclass
class _Launches:
    """The launches of a call: their tensors get addresses, and their programs are told apart."""

    interpreter: Any
    memory: KernelMemory
    watch: Watch
    _names: Iterator[str] = field(default_factory=lambda: iter(()))
    _name: str = ""
    _nested: bool = False
    _scopes: list[Any] = field(default_factory=list)
    _languages: set[int] = field(default_factory=set)

    def launched(self, own: Function) -> Function:
        """The launch of a grid."""

        def launch(executor: Any, *positional: Any, **named: Any) -> Any:
            self.watch.launches += 1
            self._names = iter([name for name in executor.arg_names if name not in executor.constexprs])
            try:
                return own(executor, *positional, **named)
            finally:
                while self._scopes:
                    self._scopes.pop().restore()
                self._languages.clear()

        return launch

    def patched(self, own: Function) -> Function:
        """What the interpreter exchanges in Triton's language, once for a launch and not for every function that a kernel calls."""

        def patch(function: Any) -> Any:
            known = (self.interpreter.tl, self.interpreter.tl.core)
            there = {id(each) for each in function.__globals__.values() if any(each is one for one in known)}
            if not there or not there <= self._languages:
                self._scopes.append(own(function))
                self._languages |= there
            return _Nothing

        return patch

    def converted(self, own: Function) -> Function:
        """An argument as a kernel sees it."""

        def convert(argument: Any) -> Any:
            if self._nested:
                return self._placed(own(argument), argument)
            self._name = next(self._names, "a tensor")
            self._nested = True
            try:
                return self._placed(own(argument), argument)
            finally:
                self._nested = False

        return convert

    def _placed(self, made: Any, argument: Any) -> Any:
        if hasattr(argument, "data_ptr"):
            tensor = self.interpreter._unwrap_tensor(argument)
            made.handle.data[...] = self.memory.address(self._name, tensor)
        return made

    def next_program(self, own: Function) -> Function:
        """The program that runs now."""

        def begin(x: int, y: int, z: int) -> None:
            _, height, depth = self.interpreter.interpreter_builder.grid_dim
            if x == y == z == 0:
                self.memory.launched(self._programs)
            given = (x, y, z) if depth > 1 else (x, y) if height > 1 else (x,)
            self.memory.running((x * height + y) * depth + z, str(given) if len(given) > 1 else str(x))
            own(x, y, z)

        return begin

    @property
    def _programs(self) -> int:
        width, height, depth = self.interpreter.interpreter_builder.grid_dim
        return int(width * height * depth)


class _Nothing:
    """What is to be put back by a function inside a launch: nothing, the launch does it."""

    @staticmethod
    def restore() -> None:
        pass


def _load_told(own: Function, memory: KernelMemory) -> Function:
    def load(pointers: Any, *positional: Any, **named: Any) -> Any:
        volatile = named.get("is_volatile", positional[-1])
        memory.loading(bool(volatile), str(pointers.get_element_ty()) == "bf16")
        return own(pointers, *positional, **named)

    return load


def _rounding_told(own: Function, memory: KernelMemory) -> Function:
    def truncate(value: Any, dtype: Any) -> Any:
        memory.rounded(_DTYPES.get(str(dtype.scalar), str(dtype.scalar)))
        return own(value, dtype)

    return truncate


_DTYPES = {"fp64": "float64", "fp32": "float32", "fp16": "float16", "bf16": "bfloat16"}
"""Triton's names of dtypes, and those of everybody else."""

_rewritten: dict[Any, Function] = {}


def _rewritten_once(own: Function) -> Function:
    """A kernel as the interpreter has rewritten it; one that is declared anew in every call is rewritten once."""

    def rewrite(kernel: Any) -> Function:
        key = (kernel.fn.__code__, id(kernel.fn.__globals__))
        if key not in _rewritten:
            _rewritten[key] = own(kernel)
        return _rewritten[key]

    return rewrite


@functools.lru_cache(maxsize=1024)
def _interpreted_kernel(function: Function) -> Any:
    """A kernel's function, declared for the interpreter."""
    interpreter: Any = importlib.import_module("triton.runtime.interpreter")
    return interpreter.InterpretedFunction(function)


def _run_interpreted(kernel: Any, *positional: Any, grid: Any, warmup: bool, **named: Any) -> Any:
    made = _interpreted_kernel(kernel.fn)
    made.pre_run_hooks = getattr(kernel, "pre_run_hooks", [])
    return made.run(*positional, grid=grid, warmup=warmup, **named)


def _called_interpreted(kernel: Any, *positional: Any, **named: Any) -> Any:
    return _interpreted_kernel(kernel.fn)(*positional, **named)


def _in_turn(tuner: Any, *positional: Any, config: Any, **named: Any) -> list[float]:
    """In place of how long a kernel takes so: which configuration is chosen follows from the sizes, so that each has its turn."""
    given = {**dict(zip(tuner.arg_names, positional, strict=False)), **named}
    sizes = (given.get(name, 0) for name in tuner.keys)
    wanted = sum(size for size in sizes if isinstance(size, int)) % len(tuner.configs)
    return [float(tuner.configs.index(config) != wanted)]


_IN_TURN = (
    "import triton.runtime.autotuner",
    "def in_turn(tuner, *given, config, **named):  # where nothing can be timed, the sizes choose",
    "    given = {**dict(zip(tuner.arg_names, given)), **named}",
    "    sizes = (given.get(name, 0) for name in tuner.keys)",
    "    wanted = sum(size for size in sizes if isinstance(size, int)) % len(tuner.configs)",
    "    return [tuner.configs.index(config) != wanted]",
    "triton.runtime.autotuner.Autotuner._bench = in_turn",
)


def script_lines(source: str) -> tuple[str, ...]:
    """The lines of a script, before all others, by which the kernels in this source are interpreted as they are here."""
    asked = ("import os", f'os.environ.setdefault("{VARIABLE}", "1")')
    return (*asked, *_IN_TURN) if "autotune" in source else asked


def is_native() -> bool:
    """Whether this machine has a device on which Triton's kernels run."""
    return torch.cuda.is_available() or torch.xpu.is_available()
