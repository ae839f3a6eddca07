"""The subject: an implementation while it is being verified.

It hands the implementation a call of its own, keeps its noise and its exits away, and checks that what comes back is
a result at all.
"""

from __future__ import annotations

import contextlib
import io
import re
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, NoReturn

import numpy as np
import torch
from torch import Tensor

from harness.declare.callables import plain
from harness.declare.devices import device_named, lacks_memory
from harness.declare.implementation import Implementation
from harness.declare.operation import Operation
from harness.declare.results import OtherNames
from harness.declare.triton_interpreter import interpreted
from harness.errors import Unsupported
from harness.fault import message
from harness.generate.case import Call, Case
from harness.measure.clock import spending
from harness.measure.gradient import cotangents_like, differentiated, gradients_of
from harness.measure.operators import Operators, padding, spreading
from harness.verify.filled_memory import filled_memory
from harness.verify.result_memory import ResultMemory, result_memory

Results = tuple[Tensor, ...]

LOST = "lost device"
"""The kind of a fault after which every call fails on the device, in this process."""

_TOLD = 1_000
"""Characters of a message that are read."""


class ImplementationFault(Exception):
    """An implementation raised, exited, or returned an invalid result.

    `kind` groups equal faults; `about_dtype`: whether a library says that it does not take the dtype, if that is true.
    """

    def __init__(self, kind: str, sentence: str, about_dtype: bool = False) -> None:
        super().__init__(sentence)
        self.kind, self.about_dtype = kind, about_dtype


class _Sink(io.TextIOBase):
    """Counts what is printed and keeps nothing of it."""

    def __init__(self) -> None:
        self.characters = 0

    def write(self, text: str) -> int:
        self.characters += len(text)
        return len(text)


_COMPILER = "torch._dynamo"


@dataclass
class Subject:
    """An implementation under test. Call it with a Call or a Case; it returns a tuple of tensors.

    wrote_outside: whether it has written beside the memory that it was given for its results.

    Raises ImplementationFault where the implementation fails, Unsupported where it declines.
    """

    operation: Operation
    implementation: Implementation
    wrote_outside: bool = False
    _sink: _Sink = field(default_factory=_Sink)

    @property
    def printed(self) -> int:
        """Characters that the implementation has printed so far."""
        return self._sink.characters

    def __call__(self, call: Call | Case) -> Results:
        """The results, checked for type and shape."""
        call = _owned(call)
        return self._checked(call, self.in_place(call))

    def raw(self, call: Call | Case) -> tuple[Any, ...]:
        """The parts of what the implementation returns, unchecked, computed from memory of its own without gradients."""
        return self.in_place(_owned(call))

    def in_filled_memory(self, call: Call | Case) -> Results:
        """The results, checked, where all memory that PyTorch allocates meanwhile holds NaN; not compiled, which would be anew."""
        call = _owned(call)
        with filled_memory(), _eager():
            return self._checked(call, self.in_place(call))

    def as_defined(self, case: Case) -> Results | None:
        """What the definition itself gives in the dtype of a case, on the CPU where it is what is asked on a device.

        None where it gives nothing, or is what is asked on the CPU.
        """
        if self.implementation is self.operation.own:
            if device_named(case.device).is_cpu:
                return None
            case = case.replace(device="cpu")
        try:
            return Subject(self.operation, self.operation.own)(case)
        except (ImplementationFault, Unsupported):
            return None

    def raises(self, call: Call | Case) -> bool:
        """Whether the implementation raises on a call, as it should on one that makes no sense."""
        try:
            self.raw(call)
        except ImplementationFault as fault:
            return fault.kind.startswith("raised")
        return False

    def in_place(self, call: Call) -> tuple[Any, ...]:
        """The parts of what the implementation returns for exactly these tensors, which it might write to."""
        with torch.no_grad():
            return self._compute(call)

    def operators(self, call: Call | Case) -> set[str]:
        """The names of PyTorch's operators that the implementation calls, also where it is compiled.

        Whoever compiles imports torch's compiler, which takes seconds, and which nothing else needs.
        """
        compiles = _COMPILER in sys.modules
        with Operators() as called, _eager():
            self.in_place(_owned(call))
        return called.names if compiles or _COMPILER not in sys.modules else self.operators(call)

    def require_ieee_spread(self, case: Case) -> None:
        """Raise Unsupported where the operators that it calls decide by their algorithm which entries a NaN reaches."""
        called = self.operators(case)
        if reason := spreading(called) or padding(called, case):
            raise Unsupported(reason)

    def gradients(self, call: Call | Case, cotangents: Results | None = None) -> tuple[Results, dict[str, Tensor]]:
        """Results, and the gradient of their inner product with the cotangents in each float argument.

        Without cotangents, those that the oracle's gradients use (`harness.measure.gradient`).
        """
        self.require_derivatives()
        call = differentiated(_owned(call))
        results = self.through(call)
        with self.backward("its backward pass", call):
            return results, gradients_of(results, call, cotangents or cotangents_like(results))

    @contextlib.contextmanager
    def backward(self, doer: str, call: Call) -> Iterator[None]:
        """In which a backward pass computes as the call of it did, and has ended where it ends."""
        with self.guarded(doer, call), call.precision.computing(), self._interpreting(call):
            yield
            device_named(call.device).synchronize()

    def require_derivatives(self) -> None:
        """Raise Unsupported where no derivative is asked of the implementation, or reaches through its library."""
        if not self.implementation.backend.differentiable:
            raise Unsupported(f"autograd does not reach through {self.implementation.backend.name}")
        if self.implementation.forward_only or self.implementation.out:
            raise Unsupported("it is declared for the forward pass alone")

    def through(self, call: Call) -> Results:
        """The results for exactly these tensors, checked, with all that PyTorch carries through: a graph, tangents, a mapped axis."""
        return self._checked(call, self._compute(self._writable(call)))

    def _interpreting(self, call: Call) -> AbstractContextManager[None]:
        """In which kernels are interpreted, as they are in a call of the implementation itself."""
        here = self.implementation.backend.watched and call.device == "cpu"
        return interpreted(call.arguments) if here else contextlib.nullcontext()

    def _writable(self, call: Call) -> Call:
        """The call with a copy of what is written to, where autograd would refuse it."""
        name = self.implementation.mutates
        return call.replace(**{name: call.arguments[name].clone()}) if name else call

    def _compute(self, call: Call) -> tuple[Any, ...]:
        with self.guarded("it", call), call.precision.computing():
            if call.reversed and not self.implementation.backend.negative_strides:
                raise Unsupported(f"{self.implementation.backend.name} has no negative strides")
            written = self.implementation.mutates
            if written and _shares_memory(call.arguments[written]):
                raise Unsupported(f"it writes to {written}, of which entries share memory in this layout")
            memory = self.memory(call) if self.implementation.out else ()
            result = self.implementation.compute(
                call.arguments, call.options, call.reversed, tuple(each.tensor for each in memory), call.sizes
            )
            device_named(call.device).synchronize()  # so that a kernel's fault is met here and not by somebody else
            self.wrote_outside |= any(each.written_outside() for each in memory)
            return result

    def memory(self, call: Call) -> tuple[ResultMemory, ...]:
        """Memory for the results of a call, in the layout of its arguments."""
        domains = zip(self.operation.results, self.expected_shapes(call), strict=True)
        return tuple(
            result_memory(shape, domain.torch_dtype(call.precision.dtype), call.device, call.layout)
            for domain, shape in domains
        )

    @contextlib.contextmanager
    def guarded(self, doer: str, call: Call) -> Iterator[None]:
        """In which what the implementation raises is a fault of its own, and what it prints goes nowhere."""
        place = self.implementation.place
        try:
            with (
                spending("implementation"),
                contextlib.redirect_stdout(self._sink),
                contextlib.redirect_stderr(self._sink),
                _SettingsKept(),
                np.errstate(all="ignore"),
            ):
                yield
        except (Unsupported, ImplementationFault):
            raise
        except OtherNames as names:
            self._refuse("result", str(names))
        except SystemExit as leaving:
            raise ImplementationFault(
                "exit", f"{place}: {doer} called sys.exit({leaving.code!r}); return a result instead"
            ) from None
        except BaseException as failure:
            if _is_from_outside(failure):
                raise
            if _declines(failure):
                raise Unsupported(_first_line(failure)) from None
            where = _line_in(self.implementation, failure)
            if device_named(call.device).is_lost:
                raise ImplementationFault(
                    LOST,
                    f"{place}: {doer} lost {call.device}: {_first_line(failure)}{where}; every call fails there from then on",
                ) from None
            if lacks_memory(failure):
                raise ImplementationFault(
                    "memory", f"{place}: {doer} ran out of memory{where}: {_first_line(failure)}"
                ) from None
            if refused := self._refused(call, failure):
                raise Unsupported(f"{place}: {refused}") from None
            name = type(failure).__name__
            raise ImplementationFault(
                f"raised {name}",
                f"{place}: {doer} raised {name}{where}: {_first_line(failure)}",
                about_dtype=_names_a_dtype(failure),
            ) from None

    def _refused(self, call: Call, failure: BaseException) -> str:
        """What PyTorch refuses of what the call is, and not of what the implementation makes of it; empty where it is that.

        Another property asks whether arguments are left as they were.
        """
        told, tensors = message(failure), call.arguments.values()
        if _SHARED in told and any(map(_shares_memory, tensors)):
            return "it writes to an argument whose entries share memory in this layout, which PyTorch refuses"
        if _VENDORS.search(told) and not all(tensor.numel() for tensor in tensors):
            return f"the library that PyTorch is built with takes no empty tensor: {_first_line(failure)}"
        if lacking := next((name for name in device_named(call.device).lacking if name in told), ""):
            return f"it computes in {lacking}, which {call.device} does not have: {_first_line(failure)}"
        if any(words in told for words in _IN_PLACE) and self._writes_where_it_may_not(call):
            return "it writes to an argument, which PyTorch refuses where a gradient is asked"
        return ""

    def _writes_where_it_may_not(self, call: Call) -> bool:
        """Whether the implementation, asked for a gradient, changes what it is given where none is asked."""
        if not any(tensor.requires_grad for tensor in call.arguments.values()):
            return False
        fresh = call.map(lambda tensor: tensor.detach().clone(memory_format=torch.contiguous_format))
        before = [tensor._version for tensor in fresh.arguments.values()]
        try:
            self.in_place(fresh)
        except (ImplementationFault, Unsupported):
            return False
        return [tensor._version for tensor in fresh.arguments.values()] != before

    def _checked(self, call: Call, results: tuple[Any, ...]) -> Results:
        expected = self.expected_shapes(call)
        if len(results) != len(expected):
            self._refuse("result", f"returned {len(results)} tensor(s), expected {len(expected)}")
        for index, result in enumerate(results):
            self._check(call, index, result, expected[index])
        return self.operation.picked(results, call.arguments)

    def _check(self, call: Call, index: int, result: Any, shape: tuple[int, ...]) -> None:
        """Refuse what can't be held against the oracle at all."""
        which = self.operation.result_name(index)
        if not isinstance(result, Tensor):
            name = "None" if result is None else type(result).__name__
            self._refuse("result", f"{which} is {name}, expected a tensor of shape {list(shape)}; return one")
        if tuple(result.shape) != shape:
            axes = self._axes(call, index)
            self._refuse("shape", f"{which} has shape {list(result.shape)}, expected {list(shape)} ({axes})")
        domain = self.operation.results[index]
        if not _is_of(domain.kind, result):
            self._refuse("dtype", f"{which} has dtype {_name(result.dtype)}, expected a {domain.kind} dtype")
        if domain.dtype and _name(result.dtype) != domain.dtype:
            self._refuse("dtype", f"{which} has dtype {_name(result.dtype)}, expected {domain.dtype}")
        if not device_named(call.device).holds(result):
            self._refuse("device", f"{which} is on {result.device}, expected on {call.device}, as the arguments are")
        if result.layout is not torch.strided:
            self._refuse("layout", f"{which} is {_name(result.layout)}, expected a dense tensor")

    def _refuse(self, kind: str, fault: str) -> NoReturn:
        raise ImplementationFault(kind, f"{self.implementation.place}: {fault}")

    def expected_shapes(self, call: Call) -> list[tuple[int, ...]]:
        """The shapes that the return annotation means for a call."""
        known = sizes_of(call)
        return [domain.shape(known) for domain in self.operation.results]

    def _axes(self, call: Call, index: int) -> str:
        return " ".join(axis.text for axis in self.operation.results[index].axes(call.options))


def _eager() -> AbstractContextManager[Any]:
    """In which what is compiled by PyTorch runs as it is written; nothing to do where its compiler was never imported."""
    return torch.compiler.set_stance("force_eager") if _COMPILER in sys.modules else contextlib.nullcontext()


def sizes_of(call: Call) -> dict[str, Any]:
    """Sizes and options by name, read off the tensors themselves, so that derived calls have theirs too."""
    return call.operation.signature.sizes(call.arguments, call.options, call.sizes)


_SETTINGS: tuple[tuple[Callable[[], Any], Callable[[Any], Any]], ...] = (
    (torch.is_grad_enabled, torch.set_grad_enabled),
    (torch.get_default_dtype, torch.set_default_dtype),
    (torch.get_num_threads, torch.set_num_threads),
    (torch.are_deterministic_algorithms_enabled, torch.use_deterministic_algorithms),
)
"""What an implementation may change for everybody in its process: how it is read, and how it is set."""


class _SettingsKept:
    """Puts the settings back. A class, since it is entered for each comparison, where a generator costs as much again."""

    def __enter__(self) -> None:
        self._before = [read() for read, _ in _SETTINGS]

    def __exit__(self, *failure: object) -> None:
        for (read, put), before in zip(_SETTINGS, self._before, strict=True):
            if read() != before:
                put(before)


def _is_from_outside(failure: BaseException) -> bool:
    """Whether somebody pressed Ctrl-C; in a worker, which ignores it, the implementation raised it itself."""
    return isinstance(failure, KeyboardInterrupt) and signal.getsignal(signal.SIGINT) is not signal.SIG_IGN


def _line_in(implementation: Implementation, failure: BaseException) -> str:
    """Where in the implementation's own file it raised, if there."""
    code = plain(implementation.function)
    frames = traceback.extract_tb(failure.__traceback__)
    lines = [frame.lineno for frame in frames if code is not None and frame.filename == code.__code__.co_filename]
    return f" in line {lines[-1]}" if lines else ""


def _is_of(kind: str, tensor: Tensor) -> bool:
    if tensor.is_complex() or tensor.is_floating_point():
        return kind == ("complex" if tensor.is_complex() else "float")
    return kind in ("int", "bool")


def _name(described: object) -> str:
    return str(described).removeprefix("torch.")


def _owned(call: Call | Case) -> Call:
    """The call in memory that nobody else reads."""
    with spending("drawing"):
        return call.fresh() if isinstance(call, Call) else call.call()


def _declines(failure: BaseException) -> bool:
    return isinstance(failure, NotImplementedError) or "not implemented for" in message(failure)


_DTYPE = re.compile(r"\b(half|b?float\d*|double|c?double|e[45]m[23]\w*|dtypes?|(scalar|data) ?types?)\b", re.IGNORECASE)
_TWO_DTYPES = re.compile(r"\bsame\b|\bmatch|\bbut found\b|!=", re.IGNORECASE)


def _names_a_dtype(failure: BaseException) -> bool:
    """Whether a message is about a dtype, and not about two that meet, which is the implementation's own doing."""
    told = message(failure)[:_TOLD]
    return bool(_DTYPE.search(told)) and not _TWO_DTYPES.search(told)


_SHARED = "written-to tensor refers to a single memory location"
_IN_PLACE = ("leaf Variable that requires grad", "modified by an inplace operation")
"""What PyTorch says of a write: to a tensor of which entries share memory, and where autograd does not bear it."""

_VENDORS = re.compile(
    r"\b(mkl|onednn|mkldnn|cufft|cudnn|cublas|cusolver|cusparse|hipfft|rocfft|miopen|rocblas|hipblas)\w* (fft )?error\b"
    r"|\b(CUFFT|CUDNN_STATUS|CUBLAS_STATUS|CUSOLVER_STATUS|CUSPARSE_STATUS|miopenStatus|HIPFFT|rocblas_status)_?[A-Z]\w*"
    r"|could not create a primitive",
    re.IGNORECASE,
)
"""What a vendor's library answers by: which one PyTorch is built with is nobody's fault."""


def _shares_memory(tensor: Tensor) -> bool:
    """Whether a tensor has an axis of stride 0, so that several entries are one."""
    return any(size > 1 and not stride for size, stride in zip(tensor.shape, tensor.stride(), strict=True))


def _first_line(failure: BaseException) -> str:
    """What it says first, and what it came from, where whoever raised it says that."""
    origin = _origin(failure)
    return _said(failure) if origin is failure else f"{_said(failure)} (from {type(origin).__name__}: {_said(origin)})"


def _origin(failure: BaseException) -> BaseException:
    """The exception in place of which this one was raised on purpose: `raise … from …`, as compilers do."""
    met = [failure]
    while True:
        last = met[-1]
        before = last.__cause__ or (last.__context__ if last.__suppress_context__ else None)
        if before is None or before in met:  # one may have been raised from itself
            return last
        met.append(before)


def _said(failure: BaseException) -> str:
    text = (message(failure).strip() or "(no message)").splitlines()[0]
    text = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return text if len(text) <= 300 else text[:300] + "…"
