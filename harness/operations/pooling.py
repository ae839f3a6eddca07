"""Pooling and a linear decoder: a sequence becomes one vector, which an affine map decodes.

Both orders are operations of their own. Where the pooling is linear with weights that sum to 1 (mean, last, a convex
combination) they compute the same; a sum differs by (time − 1)·b; order statistics (max, min, median) differ.
`properties/pooling_commutation.py` says so in full.

In half precision `decode_then_pool` comes out unstable in its gradients under max, min and median, and it is: adding b
to every step and rounding makes ties of steps that differ, so another step gets the gradient.

Sources: docs/sources.md#pooling-and-a-linear-decoder.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Any, Literal

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from harness.declare.declaration import operation
from harness.declare.structure import RandomSource, typical
from harness.errors import Unsupported

Pooling = Literal["mean", "last", "sum", "max", "min", "median"]

# Up to 600 steps around 100 can be added up in float16 without an overflow.
_SIZES = {"time": (0, 600), "features": (1, 1025), "outputs": (1, 1025)}


@typical
def decoder_rows(stream: RandomSource) -> Any:
    """Rows of norm about 1, as a decoder is initialised; ±1 and ±2, whose products are exact, in a case in four.

    No row is zero: all steps would tie after it, and no gradient of an order statistic be better than another.
    """
    if stream.seed % 4 == 0:
        return np.array([-2.0, -1.0, 1.0, 2.0])[stream.integers(0, 3)]
    return stream.normal() / np.sqrt(stream.shape[-1])


@typical
def step_weights(stream: RandomSource) -> Any:
    """Weights of steps: with odd seeds sixty-fourths that add up to exactly 1 in every dtype, else a bell."""
    batch, time = stream.shape
    if stream.seed % 2 == 0 or not time:
        return stream.normal()
    weights = np.zeros((batch, time))
    np.add.at(weights, (np.arange(batch)[:, None], stream.integers(0, time - 1, (batch, 64))), 1 / 64)
    return weights


Decoder = Annotated[Float[Tensor, "outputs features"], decoder_rows]
Weights = Annotated[Float[Tensor, "batch time"], step_weights]


def can_be_empty(time: int, pooling: str) -> bool:
    """No steps have a mean (NaN) and a sum (0), but no last, largest, smallest or middle one."""
    return time > 0 or pooling in ("mean", "sum")


def _pooled(x: Tensor, pooling: str) -> Tensor:
    match pooling:
        case "mean":
            return x.mean(1)
        case "last":
            return x[:, -1]
        case "sum":
            return x.sum(1)
        case "max":
            return x.amax(1)
        case "min":
            return x.amin(1)
    return x.contiguous().median(1).values  # along an axis of stride 0 torch 2.13 gives what happens to be in memory


def _pooled_long(x: Any, pooling: str) -> Any:
    match pooling:
        case "mean":
            return x.sum(1) / x.shape[1]
        case "last":
            return x[:, -1]
        case "sum":
            return x.sum(1)
        case "max":
            return x.max(1)
        case "min":
            return x.min(1)
    middle = np.sort(x, axis=1)[:, (x.shape[1] - 1) // 2]
    return np.where(np.isnan(x).any(1), np.nan, middle)


@operation(sizes=_SIZES, where=can_be_empty)
def pool_then_decode(
    x: Float[Tensor, "batch time features"], W: Decoder, b: Float[Tensor, "outputs"], pooling: Pooling
) -> Float[Tensor, "batch outputs"]:
    """Pool the steps of a sequence into one vector, then decode it: pool(x) Wᵀ + b.

    x: (batch, time, features); W: (outputs, features); b: (outputs,). The median is the lower of the two middle
    values, as torch's; a NaN among the steps makes every pooling but the last one NaN. No steps give NaN for the mean
    and b for the sum. (Claims pooling.mean, pooling.last, pooling.max.)
    """
    return _pooled(x, pooling) @ W.mT + b


@pool_then_decode.in_extended_precision
def pool_then_decode_long(x, W, b, pooling):
    """`pool_then_decode` in long double."""
    return _pooled_long(x, pooling) @ W.T + b


@operation(sizes=_SIZES, where=can_be_empty)
def decode_then_pool(
    x: Float[Tensor, "batch time features"], W: Decoder, b: Float[Tensor, "outputs"], pooling: Pooling
) -> Float[Tensor, "batch outputs"]:
    """Decode every step of a sequence, then pool the decoded steps: pool(x Wᵀ + b).

    The arguments are those of `pool_then_decode`; no steps give NaN for the mean and 0 for the sum.
    """
    return _pooled(x @ W.mT + b, pooling)


@decode_then_pool.in_extended_precision
def decode_then_pool_long(x, W, b, pooling):
    """`decode_then_pool` in long double."""
    return _pooled_long(x @ W.T + b, pooling)


@operation(sizes=_SIZES)
def weighted_pool_then_decode(
    x: Float[Tensor, "batch time features"], weights: Weights, W: Decoder, b: Float[Tensor, "outputs"]
) -> Float[Tensor, "batch outputs"]:
    """Add up the weighted steps of a sequence, then decode the sum: (Σ wₜ xₜ) Wᵀ + b (claim pooling.weights).

    x: (batch, time, features); weights: (batch, time), used as given; W: (outputs, features); b: (outputs,). No steps
    give b.
    """
    return (weights.unsqueeze(1) @ x).squeeze(1) @ W.mT + b


@weighted_pool_then_decode.in_extended_precision
def weighted_pool_then_decode_long(x, weights, W, b):
    """`weighted_pool_then_decode` in long double, without a matrix product."""
    return (weights[:, :, None] * x).sum(1) @ W.T + b


@operation(sizes=_SIZES, linear_in="weights")
def decode_then_weighted_pool(
    x: Float[Tensor, "batch time features"], weights: Weights, W: Decoder, b: Float[Tensor, "outputs"]
) -> Float[Tensor, "batch outputs"]:
    """Decode every step of a sequence, then add up the weighted results: Σ wₜ (xₜ Wᵀ + b) (claim pooling.weights).

    The arguments are those of `weighted_pool_then_decode`; no steps give 0.
    """
    return (weights.unsqueeze(1) @ (x @ W.mT + b)).squeeze(1)


@decode_then_weighted_pool.in_extended_precision
def decode_then_weighted_pool_long(x, weights, W, b):
    """`decode_then_weighted_pool` in long double, without a matrix product over steps."""
    return (weights[:, :, None] * (x @ W.T + b)).sum(1)


# Ways to pool, each with its library's own words. Steps are axis 1 of (batch, time, features).


def _served_by_torch_layers(x: Tensor, pooling: str) -> None:
    if pooling not in ("mean", "max", "min"):
        raise Unsupported(f"torch.nn has no layer that pools by {pooling}")
    if not x.shape[1]:
        raise Unsupported("torch.nn's layers refuse a sequence without steps")


def _torch_layers_pooled(channels: Tensor, pooling: str) -> Tensor:
    """The pooling layers of torch.nn on (batch, channels, time)."""
    if pooling == "mean":
        return torch.nn.functional.adaptive_avg_pool1d(channels, 1).squeeze(2)
    sign = 1 if pooling == "max" else -1
    return sign * torch.nn.functional.adaptive_max_pool1d(sign * channels, 1).squeeze(2)


def _ranked(steps: Tensor, pooling: str) -> Tensor:
    """Linear poolings as a product with a row of ones, order statistics by their rank in the sorted steps."""
    time = steps.shape[1]
    if pooling in ("mean", "sum"):
        total = steps.new_ones(1, time) @ steps
        return total.squeeze(1) / time if pooling == "mean" else total.squeeze(1)
    if pooling == "last":
        return steps.select(1, time - 1)
    rank = {"min": 0, "median": (time - 1) // 2, "max": time - 1}[pooling]
    ranked = steps.sort(dim=1, stable=True).values.select(1, rank)
    return torch.where(steps.isnan().any(1), torch.nan, ranked)


def _numpy_pooled(steps, pooling):
    """numpy's reductions; the median as the quantile that takes the lower of two middle values."""
    if pooling == "last":
        return steps[:, -1]
    if pooling == "median":
        return np.quantile(steps, 0.5, axis=1, method="lower")
    if pooling == "mean":
        return np.add.reduce(steps, axis=1) / np.array(steps.shape[1], steps.dtype)
    return {"sum": np.sum, "max": np.max, "min": np.min}[pooling](steps, axis=1)


def _keras_pooled(steps, pooling):
    """keras' global pooling layers."""
    if pooling not in ("mean", "max"):
        raise Unsupported(f"keras has no layer that pools by {pooling}")
    return _keras_layer("GlobalAveragePooling1D" if pooling == "mean" else "GlobalMaxPooling1D")(steps)


def _keras_dense(W, b):
    """keras' Dense layer with these parameters."""
    layer = _keras_layer("Dense", units=W.shape[0], inputs=W.shape[1])
    layer.set_weights([W.T, b])
    return layer


@lru_cache(maxsize=64)
def _keras_layer(kind: str, inputs: int | None = None, **options: int) -> Any:
    """A float32 layer of keras, kept because making one takes longer than calling it."""
    import keras

    layer = getattr(keras.layers, kind)(dtype="float32", **options)
    if inputs is not None:
        layer.build((None, inputs))
    return layer


def _onnx_run(x, W, b, pooling, pools_first):
    """The model with this pooling, run by onnxruntime."""
    if pooling == "mean" and not x.shape[1]:
        raise Unsupported("ONNX leaves the mean of no steps undefined, and onnxruntime gives 0")
    return _onnx_session(pooling, pools_first).run(None, {"x": x, "W": W, "b": b})[0]


@lru_cache(maxsize=16)
def _onnx_session(pooling: str, pools_first: bool) -> Any:
    """An onnxruntime session for any sizes: one reduction and one affine map, in either order."""
    import onnxruntime
    from onnx import TensorProto, helper

    if pooling == "median":
        raise Unsupported("ONNX has no operator for the median")
    constant = helper.make_tensor(
        "step", TensorProto.INT64, [] if pooling == "last" else [1], [-1 if pooling == "last" else 1]
    )

    def pool(source: str, target: str) -> list[Any]:
        if pooling == "last":
            return [helper.make_node("Gather", [source, "step"], [target], axis=1)]
        return [helper.make_node(f"Reduce{pooling.capitalize()}", [source, "step"], [target], keepdims=0)]

    def decode(source: str, target: str) -> list[Any]:
        return [
            helper.make_node("Transpose", ["W"], ["columns"], perm=[1, 0]),
            helper.make_node("MatMul", [source, "columns"], ["product"]),
            helper.make_node("Add", ["product", "b"], [target]),
        ]

    first, second = (pool, decode) if pools_first else (decode, pool)
    shapes = {"x": ["batch", "time", "features"], "W": ["outputs", "features"], "b": ["outputs"]}
    graph = helper.make_graph(
        [*first("x", "between"), *second("between", "y")],
        "pooling",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in shapes.items()],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", "outputs"])],
        [constant],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


@pool_then_decode.implementation(backend="torch", name="torch_layers")
def pool_in_layers(x, W, b, pooling):
    """torch.nn's adaptive pooling and linear layers."""
    _served_by_torch_layers(x, pooling)
    return torch.nn.functional.linear(_torch_layers_pooled(x.mT, pooling), W, b)


@pool_then_decode.implementation(backend="torch", name="ranked")
def pool_by_rank(x, W, b, pooling):
    """A row of ones times the steps, or a rank in the sorted steps; products added up without a matrix product."""
    return (_ranked(x, pooling)[:, None, :] * W).sum(-1) + b


@pool_then_decode.implementation(backend="numpy", name="numpy_reductions")
def pool_with_numpy(x, W, b, pooling):
    """numpy's reductions and einsum."""
    return np.einsum("bi,oi->bo", _numpy_pooled(x, pooling), W) + b


@pool_then_decode.implementation(backend="keras", name="keras_layers", dtypes=(torch.float32,))
def pool_with_keras(x, W, b, pooling):
    """keras' GlobalAveragePooling1D or GlobalMaxPooling1D, then Dense; float32 alone, to which keras rounds float64."""
    return _keras_dense(W, b)(_keras_pooled(x, pooling))


@pool_then_decode.implementation(backend="onnxruntime", name="onnx_reduction")
def pool_with_onnx(x, W, b, pooling):
    """ONNX' ReduceMean, ReduceSum, ReduceMax, ReduceMin or Gather, then MatMul and Add."""
    return _onnx_run(x, W, b, pooling, pools_first=True)


@decode_then_pool.implementation(backend="torch", name="torch_layers")
def decode_in_layers(x, W, b, pooling):
    """The decoder as a convolution with a kernel of one step, then torch.nn's adaptive pooling."""
    _served_by_torch_layers(x, pooling)
    return _torch_layers_pooled(torch.nn.functional.conv1d(x.mT, W[:, :, None], b), pooling)


@decode_then_pool.implementation(backend="torch", name="ranked")
def decode_then_rank(x, W, b, pooling):
    """torch.nn's linear layer on every step, then a row of ones times the results, or a rank in the sorted ones."""
    return _ranked(torch.nn.functional.linear(x, W, b), pooling)


@decode_then_pool.implementation(backend="numpy", name="numpy_reductions")
def decode_with_numpy(x, W, b, pooling):
    """numpy's einsum and reductions."""
    return _numpy_pooled(np.einsum("bti,oi->bto", x, W) + b, pooling)


@decode_then_pool.implementation(backend="keras", name="keras_layers", dtypes=(torch.float32,))
def decode_with_keras(x, W, b, pooling):
    """keras' Dense on every step, then GlobalAveragePooling1D or GlobalMaxPooling1D."""
    return _keras_pooled(_keras_dense(W, b)(x), pooling)


@decode_then_pool.implementation(backend="onnxruntime", name="onnx_reduction")
def decode_with_onnx(x, W, b, pooling):
    """ONNX' MatMul and Add, then ReduceMean, ReduceSum, ReduceMax, ReduceMin or Gather."""
    return _onnx_run(x, W, b, pooling, pools_first=False)


@weighted_pool_then_decode.implementation(backend="torch", name="embedding_bag")
def bag_then_decode(x, weights, W, b):
    """Steps as the rows of an embedding table, pooled by torch.nn's embedding bag with a weight for each row."""
    batch, time, features = x.shape
    if not batch * time:
        raise Unsupported("torch.nn's embedding bag refuses a table without rows")
    rows = torch.arange(batch * time, device=x.device).reshape(batch, time)
    steps = x.reshape(batch * time, features)
    pooled = torch.nn.functional.embedding_bag(rows, steps, mode="sum", per_sample_weights=weights.contiguous())
    return torch.nn.functional.linear(pooled, W, b)


@weighted_pool_then_decode.implementation(backend="torch", name="broadcast_sum")
def sum_then_decode(x, weights, W, b):
    """Weighted steps, and then products with the decoder, added up without a matrix product."""
    return ((weights[:, :, None] * x).sum(1)[:, None, :] * W).sum(-1) + b


@weighted_pool_then_decode.implementation(backend="numpy", name="numpy_einsum")
def contract_then_decode(x, weights, W, b):
    """numpy's einsum, twice."""
    return np.einsum("bi,oi->bo", np.einsum("bt,bti->bi", weights, x), W) + b


@weighted_pool_then_decode.implementation(backend="keras", name="keras_dot", dtypes=(torch.float32,))
def dot_then_dense(x, weights, W, b):
    """keras' Dot along the steps, then Dense; float32 alone, to which keras rounds float64."""
    return _keras_dense(W, b)(_keras_layer("Dot", axes=1)([weights, x]))


@decode_then_weighted_pool.implementation(backend="torch", name="broadcast_sum")
def linear_then_sum(x, weights, W, b):
    """torch.nn's linear layer on every step, then weighted steps added up without a matrix product."""
    return (weights[:, :, None] * torch.nn.functional.linear(x, W, b)).sum(1)


@decode_then_weighted_pool.implementation(
    backend="torch",
    name="one_contraction",
    exempt={
        "nonfinite_propagation": "the bias is taken as often as the weights add up to, in which infinities may cancel"
    },
)
def contract_all(x, weights, W, b):
    """torch's einsum over steps and features at once, and the bias as often as the weights say."""
    return torch.einsum("bt,bti,oi->bo", weights, x, W) + weights.sum(1, keepdim=True) * b


@decode_then_weighted_pool.implementation(backend="numpy", name="numpy_einsum")
def decode_then_contract(x, weights, W, b):
    """numpy's einsum, twice."""
    return np.einsum("bt,bto->bo", weights, np.einsum("bti,oi->bto", x, W) + b)


@decode_then_weighted_pool.implementation(backend="keras", name="keras_dot", dtypes=(torch.float32,))
def dense_then_dot(x, weights, W, b):
    """keras' Dense on every step, then Dot along the steps; float32 alone, to which keras rounds float64."""
    return _keras_layer("Dot", axes=1)([weights, _keras_dense(W, b)(x)])
