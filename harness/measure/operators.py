"""Operators: which of PyTorch's a computation calls, and where the spread of a NaN is a matter of their algorithm."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from harness.declare.devices import device_named
from harness.generate.case import Case

_PRODUCTS = frozenset(str(product).rpartition(".")[2] for product in flop_registry) | {"addmv", "dot", "mv"}
_ENTRYWISE = {"linalg_cross", "linalg_vector_norm"}


class EagerMode(TorchDispatchMode):
    """A dispatch mode that is not hidden from torch's compiler, whose import takes seconds, since nothing is compiled in it."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False


class Operators(EagerMode):  # type: ignore[no-untyped-call]
    """Notes the name of every operator that is called inside, composite ones by what they are made of."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.names.add(func.overloadpacket.__name__)
        return func(*args, **(kwargs or {}))


def spreading(names: Collection[str]) -> str:
    """Why nobody can say which entries a NaN reaches in these operators; empty where IEEE arithmetic says it."""
    if any(name.startswith("_fft_") for name in names):
        return "how far NaN and infinities spread in a Fourier transform is a matter of its algorithm"
    if any(factorises(name) for name in names):
        return "how far NaN and infinities spread in a factorisation or a solver is a matter of its algorithm"
    return ""


def padding(names: Collection[str], case: Case) -> str:
    """Why a NaN may reach a neighbour in these operators: kernels for narrow floats multiply what they pad with by zero.

    The same on every CPU, whether it has such a kernel or not.
    """
    narrow = case.precision.is_narrow and device_named(case.device).is_cpu
    if narrow and any(name in _PRODUCTS or name.startswith("mkldnn_") or "attention" in name for name in names):
        return (
            f"CPUs with matrix units pad products in {case.dtype} with the next row times zero, so that a NaN there "
            "reaches another one"
        )
    return ""


def factorises(name: str) -> bool:
    """Whether an operator is a factorisation or a solver, which has more than one right answer."""
    plain = name.lstrip("_")
    kinds = ("linalg_", "cholesky", "lu_", "triangular_solve", "geqrf", "ormqr")
    return plain.startswith(kinds) and plain not in _ENTRYWISE
