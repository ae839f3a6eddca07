"""The kernels: every operator of PyTorch that has one for the CPU, run on the memory behind the device's tensors.

A tensor of the device is an ordinary one whose storage belongs to the device; the storage's Python object owns the host's
memory at the same address. So views share it, strides and offsets are the tensors' own, and memory lives as long as its storage.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache, partial
from typing import Any

import torch
from torch import Tensor

from tests.standin import NAME, device
from tests.standin.device import STATE, allocate, surface
from tests.standin.faults import FAULTS

aten = torch.ops.aten
_library = torch.library.Library("aten", "IMPL")
_SET = aten.set_.source_Storage_storage_offset
_CPU = torch._C.DispatchKey.CPU
_DRAWING: set[Any] = set()
"""Operators that draw random numbers, for which the device has a generator of its own."""

_HOST = torch.device("cpu")
_WIDE = (torch.float64, torch.complex128)
_TAKES_INDICES_OF_THE_HOST = ("aten::index", "aten::index_put", "aten::index_put_", "aten::_index_put_impl_")


def is_here(value: Any) -> bool:
    """Whether a value is a tensor of the device."""
    return isinstance(value, Tensor) and value.device.type == NAME


def host(tensor: Tensor) -> Tensor:
    """The host's tensor over the same memory."""
    plain = torch.empty(0, dtype=tensor.dtype).set_(
        tensor.untyped_storage().host, tensor.storage_offset(), tensor.size(), tensor.stride()
    )
    return _read_as(tensor, plain)


def _read_as(like: Tensor, plain: Tensor) -> Tensor:
    """A tensor that is read conjugated or negated where another one is."""
    if like.is_conj():
        plain = torch._conj(plain)
    return torch._neg_view(plain) if like.is_neg() else plain


def taken_over(made: Tensor, storages: dict[int, Any]) -> Tensor:
    """A tensor of the device over memory of the host: a view where a storage of the device has it already."""
    if not STATE.form.float64 and made.dtype in _WIDE:
        raise TypeError(f"standin has no {str(made.dtype).removeprefix('torch.')}: cast to float32 or complex64")
    tensor = torch._C._acc.create_empty_tensor((0,), made.dtype)
    return _read_as(made, _laid_over(tensor, made, storages))


def _laid_over(tensor: Tensor, made: Tensor, storages: dict[int, Any]) -> Tensor:
    storage = made.untyped_storage()
    mine = storages.get(storage._cdata) or _storage(storage)
    _SET._op_dk(_CPU, tensor, mine, made.storage_offset(), made.size(), made.stride())
    return tensor


def _storage(memory: Any) -> Any:
    """The device's storage over the host's."""
    made = torch._C._construct_storage_from_data_pointer(memory.data_ptr(), device.DEVICE, memory.nbytes())
    allocate(memory, memory.nbytes())
    made.host = memory
    return made


def run(operator: Any, *args: Any, **kwargs: Any) -> Any:
    """An operator on the device."""
    return through(partial(_computed, operator), operator, args, kwargs)


def through(compute: Any, operator: Any, args: Any, kwargs: Any) -> Any:
    """What a function of the host's tensors gives for the device's."""
    if STATE.lost:
        surface()
    given = [*_leaves(args), *_leaves(kwargs.values())]
    pairs = {id(each): (each, host(each)) for each in given if is_here(each)}
    _refuse_mixed(operator, args, given)
    storages = {each.untyped_storage().host._cdata: each.untyped_storage() for each, _ in pairs.values()}
    storages |= {each.host._cdata: each for each in given if isinstance(each, torch.UntypedStorage)}
    below = partial(_below, pairs)
    made = compute(
        *(_mapped(below, each) for each in args),
        **_with_its_generator(operator, {name: _mapped(below, each) for name, each in kwargs.items()}),
    )
    for mine, memory in pairs.values():
        if (memory.shape, memory.stride()) != (mine.shape, mine.stride()) or _moved(memory, mine):
            _laid_over(mine, memory, storages)  # resized, or set to other memory
    given_back = {id(memory): mine for mine, memory in pairs.values()}
    if not any(isinstance(each, Tensor) for each in _leaves((made,))):
        surface()  # the host waits for what it is told
    return _mapped(lambda each: given_back[id(each)] if id(each) in given_back else _above(each, storages), made)


def _leaves(values: Iterable[Any]) -> Iterator[Any]:
    for each in values:
        if isinstance(each, list | tuple):
            yield from _leaves(each)
        else:
            yield each


def _mapped(change: Callable[[Any], Any], value: Any) -> Any:
    return type(value)(_mapped(change, each) for each in value) if isinstance(value, list | tuple) else change(value)


def _computed(operator: Any, *args: Any, **kwargs: Any) -> Any:
    STATE.calls += 1
    name = operator._schema.name.removeprefix("aten::")
    if any(
        isinstance(given, _NUMBERS) for given, is_tensor in zip(args, _tensors(operator), strict=False) if is_tensor
    ):
        operator = operator.overloadpacket  # a number that PyTorch had made a tensor comes here as a number again
    fault = FAULTS.get(STATE.form.fault)
    ordinary = partial(_reordered, operator, name) if STATE.form.reorders else operator
    if name in _MULTIPLYING and getattr(operator, "_overloadname", "") == "default":
        ordinary = partial(_added_up_in_float32, ordinary)
    if fault is not None and name in fault.kernels:
        return fault.computed(ordinary, operator, args, kwargs)
    return ordinary(*args, **kwargs)


_NUMBERS = (bool, int, float, complex)


@cache
def _tensors(operator: Any) -> tuple[bool, ...]:
    """Which arguments of an operator are tensors."""
    return tuple(isinstance(each.type, torch.TensorType) for each in operator._schema.arguments)


def _moved(memory: Tensor, mine: Tensor) -> bool:
    storage = memory.untyped_storage()
    own = mine.untyped_storage()
    return bool(storage._cdata != own.host._cdata or storage.nbytes() != own.nbytes())


def _below(pairs: dict[int, Any], value: Any) -> Any:
    if isinstance(value, torch.UntypedStorage):
        return value.host
    if isinstance(value, torch.device):
        return _HOST
    return pairs[id(value)][1] if is_here(value) else value


def _above(made: Any, storages: dict[int, Any]) -> Any:
    return taken_over(made, storages) if isinstance(made, Tensor) else made


def _refuse_mixed(operator: Any, args: Any, given: list[Any]) -> None:
    if operator._schema.name in _TAKES_INDICES_OF_THE_HOST:
        given = [args[0], *args[2:]]
    for each in given:
        if isinstance(each, Tensor) and not is_here(each) and each.ndim:
            raise RuntimeError(
                "Expected all tensors to be on the same device, but found at least two devices, "
                f"{NAME}:0 and {each.device}! (when checking {operator})"
            )


def _with_its_generator(operator: Any, kwargs: dict[str, Any]) -> dict[str, Any]:
    if operator in _DRAWING and kwargs.get("generator") is None:
        return {**kwargs, "generator": getattr(torch, NAME).generator}
    return kwargs


_PRODUCTS = {
    "mm": (0, 1),
    "bmm": (0, 1),
    "addmm": (1, 2),
    "baddbmm": (1, 2),
    "dot": (0, 1),
    "mv": (0, 1),
    "addmv": (1, 2),
}


_MULTIPLYING = {*_PRODUCTS, "convolution", "convolution_backward"}
_NARROW = (torch.bfloat16, torch.float16)


def _added_up_in_float32(operator: Any, *args: Any, **kwargs: Any) -> Any:
    """The operator, which adds up products of narrow numbers in float32.

    The host's own kernels may pad a row with the next one times zero, which is NaN where an infinity lies there; that is a matter
    of the host's processor, and this device is the same on all.
    """
    narrow = next((each.dtype for each in _leaves(args) if isinstance(each, Tensor) and each.dtype in _NARROW), None)
    if narrow is None:
        return operator(*args, **kwargs)

    def cast(dtype: torch.dtype, value: Any) -> Any:
        return value.to(dtype) if isinstance(value, Tensor) and value.is_floating_point() else value

    return _mapped(partial(cast, narrow), operator(*_mapped(partial(cast, torch.float32), args), **kwargs))


def _reordered(operator: Any, name: str, *args: Any, **kwargs: Any) -> Any:
    """The operator, which adds up from behind."""
    turned = list(args)
    if name in _PRODUCTS:
        one, other = _PRODUCTS[name]
        turned[one] = args[one].flip(-1)
        turned[other] = args[other].flip(0 if args[other].ndim == 1 else -2)
    elif name in ("sum", "mean"):
        axes = args[1] if len(args) > 1 and args[1] else range(args[0].ndim)
        turned[0] = args[0].flip([axes] if isinstance(axes, int) else tuple(axes))
    return operator(*turned, **kwargs)


def register() -> None:
    """Give the device its kernels."""
    for operator in _operators():
        if any(each.name == "generator" for each in operator._schema.arguments):
            _DRAWING.add(operator)
        if operator._name in _OWN:
            continue
        _library.impl(operator._name, partial(run, operator), "PrivateUse1")
    for name, function in _OWN.items():
        _library.impl(name, function, "PrivateUse1")
    for way in ("Conjugate", "Negative"):  # of which copying makes numbers itself, and would be asked to without end
        _library.impl("aten::_copy_from", torch.library.fallthrough_kernel, way)


def _operators() -> Iterator[Any]:
    for name in torch._C._dispatch_get_all_op_names():
        if name.startswith("aten::") and torch._C._dispatch_has_kernel_for_dispatch_key(name, "CPU"):
            packet, _, overload = name.removeprefix("aten::").partition(".")
            yield getattr(getattr(aten, packet), overload or "default")


def _copy_from(source: Tensor, target: Tensor, non_blocking: bool = False) -> Tensor:
    """Entries from the host, to it, or from one tensor of the device to another."""
    if not is_here(target):
        surface()  # the host waits for what it reads
    taken, put = (host(each) if is_here(each) else each for each in (source, target))
    put.copy_(taken)
    return target


def _convolution_backward(gradient: Tensor, x: Tensor, weight: Tensor, *rest: Any) -> Any:
    *how, wanted = rest
    sizes = [weight.shape[1] * how[-1] if how[3] else weight.shape[0]]
    return run(aten.convolution_backward.default, gradient, x, weight, sizes, *how, wanted)


def _dropout(x: Tensor, rate: float, train: bool | None) -> tuple[Tensor, Tensor]:
    kept = torch.ones_like(x, dtype=torch.bool)
    if train is not False:
        kept.bernoulli_(1 - rate, generator=getattr(torch, NAME).generator)
    return x * kept / (1 - rate if train is not False and rate < 1 else 1), kept


def _lstm_cell(fed: Tensor, kept: Tensor, cell: Tensor, *biases: Tensor | None) -> tuple[Tensor, ...]:
    gates = _sum(fed, kept, *biases)
    entered, forgotten, made, shown = gates.chunk(4, 1)
    entered, forgotten, made, shown = entered.sigmoid(), forgotten.sigmoid(), made.tanh(), shown.sigmoid()
    after = forgotten * cell + entered * made
    return shown * after.tanh(), after, torch.cat((entered, forgotten, made, shown), 1)


def _lstm_cell_backward(
    out: Tensor | None, after: Tensor | None, cell: Tensor, now: Tensor, gates: Tensor, has_bias: bool
) -> tuple[Tensor | None, ...]:
    entered, forgotten, made, shown = gates.chunk(4, 1)
    out, after = (torch.zeros_like(now) if each is None else each for each in (out, after))
    held = now.tanh()
    of_cell = out * shown * (1 - held * held) + after
    ways = (
        of_cell * made * entered * (1 - entered),
        of_cell * cell * forgotten * (1 - forgotten),
        of_cell * entered * (1 - made * made),
        out * held * shown * (1 - shown),
    )
    of_gates = torch.cat(ways, 1)
    return of_gates, of_cell * forgotten, of_gates.sum(0) if has_bias else None


def _gru_cell(
    fed: Tensor, kept: Tensor, hidden: Tensor, fed_bias: Tensor | None = None, kept_bias: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    of_fed, of_kept = (_sum(*each).chunk(3, 1) for each in ((fed, fed_bias), (kept, kept_bias)))
    reset, update = ((of_fed[gate] + of_kept[gate]).sigmoid() for gate in (0, 1))
    new = (of_fed[2] + reset * of_kept[2]).tanh()
    return new + update * (hidden - new), torch.cat((reset, update, new, hidden, of_kept[2]), 1)


def _gru_cell_backward(out: Tensor, workspace: Tensor, has_bias: bool) -> tuple[Tensor | None, ...]:
    reset, update, new, hidden, kept = workspace.chunk(5, 1)
    of_new = out * (1 - update) * (1 - new * new)
    of_update = out * (hidden - new) * update * (1 - update)
    of_reset = of_new * kept * reset * (1 - reset)
    of_fed, of_kept = torch.cat((of_reset, of_update, of_new), 1), torch.cat((of_reset, of_update, of_new * reset), 1)
    biases = (of_fed.sum(0), of_kept.sum(0)) if has_bias else (None, None)
    return of_fed, of_kept, out * update, *biases


def _sum(*parts: Tensor | None) -> Tensor:
    return sum(each for each in parts if each is not None)  # type: ignore[return-value]


def _of_the_host(function: Any, operator: Any, *args: Any, **kwargs: Any) -> Any:
    return through(function, operator, args, kwargs)


_OWN = {
    "aten::_copy_from": _copy_from,
    "aten::_copy_from_and_resize": _copy_from,
    "aten::_fused_sdp_choice": lambda *args, **kwargs: 0,  # attention by its formula
    "aten::native_dropout": partial(_of_the_host, _dropout, aten.native_dropout.default),
    "aten::convolution_overrideable": partial(run, aten.convolution.default),
    "aten::convolution_backward_overrideable": _convolution_backward,
    **{
        f"aten::_thnn_fused_{name}": partial(_of_the_host, function, getattr(aten, f"_thnn_fused_{name}").default)
        for name, function in (
            ("lstm_cell", _lstm_cell),
            ("lstm_cell_backward_impl", _lstm_cell_backward),
            ("gru_cell", _gru_cell),
            ("gru_cell_backward", _gru_cell_backward),
        )
    },
}
"""What the CPU has no kernel for by that name."""
