"""Calls on PyTorch's meta device, which has shapes and no numbers: what a large model gives, without computing it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode


class ShapesOfBatchNorm(TorchFunctionMode):
    """What batch_norm gives without numbers: PyTorch decomposes it there in Python, which takes a hundred times as long as a product."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """An empty result where each channel has several numbers and an entry of each vector; else what PyTorch says of it."""
        if func is nn.functional.batch_norm:
            given, *vectors = _tensors_of_batch_norm(*args, **(kwargs or {}))
            channels = given.shape[1:2]
            if given.numel() > channels.numel() and all(each.shape == channels for each in vectors):
                return torch.empty_like(given)
        return func(*args, **(kwargs or {}))


def _tensors_of_batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    *_: Any,
    **__: Any,
) -> list[Tensor]:
    return [each for each in (input, running_mean, running_var, weight, bias) if each is not None]
