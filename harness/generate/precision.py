"""Precisions: how finely a case is computed.

Most are dtypes. Two are math modes of float32: numbers are stored in it, and the factors of products rounded to fewer digits,
which matrix units take many times faster. On CUDA that is TF32, ten bits after the point; on a CPU with matrix units it is
bfloat16's seven, which Intel calls BF32. They are asked where they are named, and everywhere else they are off: PyTorch
leaves TF32 on for cuDNN, and what is right would seem to lose digits there.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass

import torch

from harness.declare.devices import device_named
from harness.errors import DeclarationError
from harness.registry import Registry

_FLOAT32 = torch.finfo(torch.float32).eps


@dataclass(frozen=True)
class Precision:
    """A dtype, or a math mode of one.

    dtype: in which numbers are stored; eps: the relative spacing of what is multiplied; products: PyTorch's word for how
    the products of float32 are computed; device: the only kind that knows the math mode ("" for any).
    """

    name: str
    dtype: torch.dtype
    eps: float
    products: str = "highest"
    device: str = ""

    @property
    def stored(self) -> str:
        """The name of its dtype."""
        return str(self.dtype).removeprefix("torch.")

    @property
    def is_mode(self) -> bool:
        """Whether it is a math mode of its dtype, and not the dtype itself."""
        return bool(self.device)

    @property
    def is_narrow(self) -> bool:
        """Whether it is coarser than float32, in which kernels of it add up."""
        return self.eps > _FLOAT32

    def is_on(self, device: str) -> bool:
        """Whether a device of this machine computes so; which processor rounds factors is found by trying it."""
        there = device_named(device)
        if self.device and not (there.is_one_of((self.device,)) and there.rounds_factors(self.products, self.eps)):
            return False
        return there.has(self.dtype)

    def computing(self) -> AbstractContextManager[None]:
        """Compute products so, and put PyTorch's settings back."""
        return _Computing(self.products)


class _Computing:
    """PyTorch's settings for products. A class, since it is entered for each call, where a generator costs as much again."""

    def __init__(self, products: str) -> None:
        self._products = products

    def __enter__(self) -> None:
        self._before = torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32
        _set(self._products, self._products != "highest")

    def __exit__(self, *failure: object) -> None:
        _set(*self._before)


def _set(products: str, in_cudnn: bool) -> None:
    torch.set_float32_matmul_precision(products)
    torch.backends.cudnn.allow_tf32 = in_cudnn


PRECISIONS: Registry[Precision] = Registry("dtype", "harness.dtypes")
"""By name, in the order of reports."""


def precision(
    dtype: torch.dtype, *, name: str = "", eps: float | None = None, products: str = "highest", device: str = ""
) -> Precision:
    """Add a dtype in which operations are asked, or a math mode of one.

    ```python
    import harness, torch

    harness.precision(torch.float8_e4m3fn)   # asked of whoever says that it takes it: dtypes=(torch.float8_e4m3fn,)
    ```

    name: the dtype's own where it is left out; eps: the relative spacing of its numbers, or of what a math mode multiplies;
    products, device: for a math mode, PyTorch's word for how products are computed, and the device that knows it. Raises
    DeclarationError for a name that is taken, or a dtype that is no floating-point one.
    """
    if not isinstance(dtype, torch.dtype) or not dtype.is_floating_point:
        raise DeclarationError(f"dtype {dtype!r}: name one of torch's floating-point dtypes, as torch.float8_e4m3fn")
    name = name or str(dtype).removeprefix("torch.")
    spacing = torch.finfo(dtype).eps if eps is None else eps
    return PRECISIONS.register(name, Precision(name, dtype, spacing, products, device))


for _each in (torch.float64, torch.float32, torch.bfloat16, torch.float16):
    precision(_each)
precision(torch.float32, name="tf32", eps=2.0**-10, products="high", device="cuda")
precision(torch.float32, name="bf32", eps=2.0**-7, products="medium", device="cpu")


def full_precision() -> tuple[str, ...]:
    """The dtypes that are asked where none is named, of whoever takes them."""
    return tuple(name for name, each in PRECISIONS.items() if not each.is_mode)


def narrower(name: str) -> tuple[str, ...]:
    """The dtypes whose numbers take fewer bytes than one's, widest first."""
    width = PRECISIONS[name].dtype.itemsize
    return tuple(each for each in full_precision() if PRECISIONS[each].dtype.itemsize < width)


def eps_of(name: str) -> float:
    """The relative spacing of what a precision multiplies."""
    return PRECISIONS[name].eps


def finer_than(dtype: str) -> tuple[str, ...]:
    """The dtypes in which rounding is told from another result computed in this one, finest first; none for float64."""
    return tuple(name for name in ("float64", "float32") if eps_of(name) < eps_of(dtype))
