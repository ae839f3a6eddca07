"""Complex numbers whose parts are not used as they are meant: conjugated, without one part, with the parts exchanged."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from harness.explain.cause import Instead, cause
from harness.explain.causes.arguments import with_argument
from harness.explain.causes.axes import with_result
from harness.explain.neighbourhood import FaultNeighbourhood


@cause
def another_complex_number(fault: FaultNeighbourhood) -> Iterator[Instead]:
    """A complex argument or result is conjugated, lacks a part, or has its parts exchanged."""
    arguments = [name for name, domain in fault.case.given.items() if domain.kind == "complex"]
    results = [index for index, domain in enumerate(fault.operation.results) if domain.kind == "complex"]
    for words, change in _CHANGES.items():
        yield from (Instead(f"{name} {words}", with_argument(name, change)) for name in arguments)
        yield from (Instead(f"{fault.which(each)} {words}", results=with_result(each, change)) for each in results)
    for name, each in itertools.product(arguments, results):
        yield Instead(
            f"{name} and {fault.which(each)} are conjugated, as if the transform were the other way round",
            with_argument(name, _conjugate),
            with_result(each, _conjugate),
        )


def _conjugate(tensor: Tensor) -> Tensor:
    return tensor.conj().resolve_conj()


def _exchanged(tensor: Tensor) -> Tensor:
    return torch.complex(tensor.imag, tensor.real)


_CHANGES: dict[str, Callable[[Tensor], Tensor]] = {
    "is conjugated: its imaginary part has the other sign": _conjugate,
    "lacks its imaginary part": lambda tensor: torch.complex(tensor.real, torch.zeros_like(tensor.real)),
    "lacks its real part": lambda tensor: torch.complex(torch.zeros_like(tensor.imag), tensor.imag),
    "has its real and its imaginary part exchanged": _exchanged,
}
