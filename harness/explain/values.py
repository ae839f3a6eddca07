"""Values that matter: what entries an argument of a case has, and the same arguments without them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from harness.generate.case import Case
from harness.measure.reference import widened


def _repeats(tensor: Tensor) -> bool:
    return tensor.numel() > torch.unique(tensor).numel()


OF_VALUES: dict[str, Callable[[Tensor], bool]] = {
    "has a NaN": lambda tensor: bool(tensor.isnan().any()),
    "has an infinity": lambda tensor: bool(tensor.isinf().any()),
    "has a zero": lambda tensor: bool((tensor == 0).any()),
    "has a negative entry": lambda tensor: bool((tensor < 0).any()),
    "has a positive entry": lambda tensor: bool((tensor > 0).any()),
    "has equal entries": _repeats,
}
"""What the entries of a float argument may have, in words."""

OF_INDICES: dict[str, Callable[[Tensor], bool]] = {
    "has equal entries": _repeats,
    "has a zero": lambda tensor: bool((tensor == 0).any()),
    "has a negative entry": lambda tensor: bool((tensor < 0).any()),
    "has an entry that is not zero": lambda tensor: bool((tensor != 0).any()),
}
"""What indices, counts and masks may have, in words: the first of them is 0."""

WITHOUT: dict[str, Callable[[Tensor], Tensor]] = {
    "has a negative entry": torch.abs,
    "has a positive entry": lambda tensor: -tensor.abs(),
    "has a zero": lambda tensor: torch.where(tensor == 0, 1.0, tensor),
    "has a NaN": lambda tensor: torch.where(tensor.isnan(), 1.0, tensor),
    "has an infinity": lambda tensor: torch.where(tensor.isinf(), 1.0, tensor),
    "has equal entries": lambda tensor: tensor + torch.linspace(0, 1, tensor.numel()).reshape(tensor.shape),
}
"""The same tensor without what it has."""


def has(case: Case, name: str, relation: str) -> bool:
    """Whether an argument of a case has such entries; of one that is not there, no."""
    if name not in case.tensors:
        return False
    tensor = widened(case.tensors[name])
    tensor = torch.view_as_real(tensor) if tensor.is_complex() else tensor
    return (OF_VALUES if tensor.is_floating_point() else OF_INDICES)[relation](tensor)


def largest(case: Case, name: str) -> float:
    """The size of the largest finite entry of an argument, 0 where there is none."""
    tensor = widened(case.tensors[name]).abs() if name in case.tensors else torch.empty(0)
    return float(tensor[tensor.isfinite()].max()) if tensor.isfinite().any() else 0.0


def without_each(case: Case) -> Iterator[tuple[str, str, Case]]:
    """What its arguments have, each with the case that differs by nothing but that it lacks it."""
    for name, domain in case.given.items():
        for relation in OF_VALUES if domain.takes_any_numbers else ():
            if has(case, name, relation):
                yield name, relation, _given(case, name, WITHOUT[relation](widened(case.tensors[name])))


def scaled(case: Case) -> Iterator[Case]:
    """The case with all entries of an argument made smaller or larger, signs and zeros kept."""
    for name, domain in case.given.items():
        for factor in _FACTORS if domain.takes_any_numbers else ():
            yield _given(case, name, widened(case.tensors[name]) * factor)


_FACTORS = (0.5, 1.75, 8.0, 1 / 64, 64.0)


def _given(case: Case, name: str, tensor: Tensor) -> Case:
    rounded = tensor.to(case.tensors[name].dtype).double()
    return case.replace(values={**case.values, name: tuple(rounded.reshape(-1).tolist())})
