"""Kernels as practice writes them, with the faults that practice makes: scales, divisors, tails, masks, indices, signs."""

from typing import Annotated

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

import harness
from harness.declare.structure import typical
from tests.quality.planted import correct, fault

_WIDE = (torch.float64, torch.float32)


def some_of_each_row(stream):
    """True on the diagonal and for half of the others."""
    return (stream.integers(0, 1) == 1) | np.eye(*stream.shape, dtype=bool)


@typical
def a_segment(stream):
    """Numbers of segments."""
    return stream.integers(0, stream.known["segments"] - 1)


@typical
def a_class(stream):
    """Numbers of classes."""
    return stream.integers(0, stream.known["classes"] - 1)


@harness.operation(sizes={"d": (1, 65)})
def softmax(x: Float[Tensor, "batch time d"]) -> Float[Tensor, "batch time d"]:
    """Exponentials over their sum, along the last axis."""
    return x.softmax(-1)


@fault(softmax, cause="another axis", words=("time", "d"))
def softmax_over_time(x):
    return x.softmax(1)


@fault(softmax, cause="negated", words="x has the wrong sign")
def softmin(x):
    return (-x).softmax(-1)


@fault(softmax, cause=("argument scaled", "another function of it"), words="x")
def warm(x):
    return (x / 2).softmax(-1)


@fault(softmax, cause="argument times a size", words=("√n", "size n of d"))
def scaled_by_the_root(x):
    return (x / x.shape[-1] ** 0.5).softmax(-1)


@fault(softmax, cause="another function of the result", words="logarithm")
def log_softmax(x):
    return x.log_softmax(-1)


@fault(softmax, cause="clipped", words="x is cut off at ±5")
def clamped_logits(x):
    return x.clamp(-5, 5).softmax(-1)


@fault(softmax, cause="circumstances", words="d is no multiple of 4")
def tail_of_four(x):
    n = x.shape[-1] // 4 * 4
    return torch.cat([x[..., :n].softmax(-1), torch.zeros_like(x[..., n:])], -1)


@correct(softmax, dtypes=_WIDE)
def softmax_by_hand(x):
    e = (x - x.amax(-1, keepdim=True)).exp()
    return e / e.sum(-1, keepdim=True)


@harness.operation(sizes={"d": (1, 65)})
def row_norm(
    x: Float[Tensor, "batch d"], weight: Float[Tensor, "d"], bias: Float[Tensor, "d"]
) -> Float[Tensor, "batch d"]:
    """Layer norm with an eps of 1e-5."""
    c = x - x.mean(1, keepdim=True)
    return c / (c.square().mean(1, keepdim=True) + 1e-5).sqrt() * weight + bias


def _row_norm(x, weight, bias, divisor, eps=1e-5):
    c = x - x.mean(1, keepdim=True)
    return c / (c.square().sum(1, keepdim=True) / divisor + eps).sqrt() * weight + bias


@fault(row_norm, cause="divisor inside", words=("n - 1", "size n of d"))
def row_norm_unbiased(x, weight, bias):
    return _row_norm(x, weight, bias, max(x.shape[1] - 1, 1))


@fault(row_norm, cause="divisor inside", words=("sum", "size n of d"))
def row_norm_of_a_sum(x, weight, bias):
    return _row_norm(x, weight, bias, 1)


@fault(row_norm, cause="ignored", words="bias is ignored")
def row_norm_without_bias(x, weight, bias):
    return _row_norm(x, weight, 0, x.shape[1])


@fault(row_norm, cause="constant added", words="weight is off by 1")
def row_norm_around_one(x, weight, bias):
    return _row_norm(x, weight + 1, bias, x.shape[1])


@fault(row_norm, cause="one slice for all", words="weight")
def row_norm_scalar_weight(x, weight, bias):
    return _row_norm(x, weight[0], bias, x.shape[1])


@correct(row_norm)
def row_norm_native(x, weight, bias):
    return torch.nn.functional.layer_norm(x, x.shape[1:], weight, bias, 1e-5)


@harness.operation(sizes={"d": (1, 129)})
def mean_square(x: Float[Tensor, "batch d"]) -> Float[Tensor, "batch"]:
    """The mean of squares."""
    return x.square().mean(1)


@fault(mean_square, cause="factor of a size", words=("size n of d", "sum in place"))
def sum_of_squares(x):
    return x.square().sum(1)


@fault(mean_square, cause="left out", words=("fills no block of 8", "d"))
def mean_square_no_tail(x):
    return x[:, : x.shape[1] // 8 * 8].square().sum(1) / x.shape[1]


@fault(mean_square, cause="left out", words="beyond the first 64")
def mean_square_of_64(x):
    return x[:, :64].square().sum(1) / x.shape[1]


@fault(mean_square, cause="left out", words="the last entry of d")
def mean_square_less_one(x):
    return x[:, :-1].square().sum(1) / x.shape[1]


@fault(mean_square, cause="factor of a size", words="2n - 1")
def mean_square_odd_divisor(x):
    return x.square().mean(1) / (2 * x.shape[1] - 1)


@fault(mean_square, cause="clipped", words="cut off below 0")
def mean_square_of_positives(x):
    return x.relu().square().mean(1)


@fault(mean_square, cause=("clipped",), words="cut off above 10")
def mean_square_saturated(x):
    return x.square().mean(1).clamp(max=10)


@correct(mean_square, dtypes=_WIDE)
def mean_square_by_product(x):
    return torch.einsum("bd,bd->b", x, x) / x.shape[1]


@harness.operation(sizes={"d": (2, 65)})
def variance(x: Float[Tensor, "batch d"]) -> Float[Tensor, "batch"]:
    """The unbiased variance."""
    return x.var(1)


@fault(variance, cause="factor of a size", words=("(n - 1)/n", "biased"))
def biased(x):
    return x.var(1, correction=0)


@fault(variance, cause="another function of the result", words="square root")
def deviation(x):
    return x.std(1)


@correct(variance)
def two_passes(x):
    return (x - x.mean(1, keepdim=True)).square().sum(1) / (x.shape[1] - 1)


@harness.operation(sizes={"time": (1, 33), "d": (1, 33)})
def attend(
    q: Float[Tensor, "batch time d"],
    k: Float[Tensor, "batch time d"],
    v: Float[Tensor, "batch time d"],
    mask: Annotated[Bool[Tensor, "time time"], some_of_each_row],
) -> Float[Tensor, "batch time d"]:
    """softmax(q kᵀ/√d) v where the mask is True."""
    return ((q @ k.mT) / q.shape[-1] ** 0.5).masked_fill(~mask, -torch.inf).softmax(-1) @ v


def _attend(q, k, v, mask, scale):
    return (q @ k.mT * scale).masked_fill(~mask, -torch.inf).softmax(-1) @ v


@fault(attend, cause="argument times a size", words=("√n", "size n of d"))
def unscaled(q, k, v, mask):
    return _attend(q, k, v, mask, 1)


@fault(attend, cause=("argument times a size", "scaled by a size"), words="size n of d")
def scaled_by_d(q, k, v, mask):
    return _attend(q, k, v, mask, 1 / q.shape[-1])


@fault(attend, cause="mask or index misread", words="mask is ignored")
def no_mask(q, k, v, mask):
    return _attend(q, k, v, torch.ones_like(mask), q.shape[-1] ** -0.5)


@fault(attend, cause="exchanged axes", words="mask")
def mask_transposed(q, k, v, mask):
    return _attend(q, k, v, mask.mT | torch.eye(len(mask), dtype=torch.bool), q.shape[-1] ** -0.5)


@fault(attend, cause="exchanged arguments", words="q and k")
def keys_ask(q, k, v, mask):
    return _attend(k, q, v, mask, q.shape[-1] ** -0.5)


@fault(attend, cause="used for another", words="k is used where v")
def values_are_keys(q, k, v, mask):
    return _attend(q, k, k, mask, q.shape[-1] ** -0.5)


@fault(attend, cause="lower dtype of one", words="v is rounded to bfloat16")
def values_in_half(q, k, v, mask):
    return _attend(q, k, v.bfloat16().to(v.dtype), mask, q.shape[-1] ** -0.5)


@correct(attend)
def by_exponentials(q, k, v, mask):
    score = torch.where(mask, q @ k.mT / q.shape[-1] ** 0.5, -torch.inf)
    weights = (score - score.amax(-1, keepdim=True)).exp()
    return weights @ v / weights.sum(-1, keepdim=True)


@fault(attend, cause="nonfinite swallowed or invented", words="NaN")
def attend_native(q, k, v, mask):
    """PyTorch adds -inf where the mask is False, so that a NaN of a masked key reaches the result."""
    return torch.nn.functional.scaled_dot_product_attention(q, k, v, mask)


@harness.operation(sizes={"n": (1, 65), "segments": (1, 9)})
def add_by_segment(
    x: Float[Tensor, "n d"],
    index: Annotated[Int[Tensor, "n"], a_segment],
    start: Float[Tensor, "segments d"],
) -> Float[Tensor, "segments d"]:
    """Every row added to the row of its segment."""
    return start.index_add(0, index, x)


@fault(add_by_segment, cause="equal indices overwrite", words="index")
def overwritten(x, index, start):
    made = start.clone()
    last = {int(i): row for row, i in enumerate(index)}
    for i, row in last.items():
        made[i] += x[row]
    return made


@fault(add_by_segment, cause="ignored", words="start is ignored")
def from_zero(x, index, start):
    return torch.zeros_like(start).index_add(0, index, x)


@fault(add_by_segment, cause="negated", words="x")
def subtracted(x, index, start):
    return start.index_add(0, index, -x)


@fault(add_by_segment, cause="mask or index misread", words="index is ignored")
def all_to_the_first(x, index, start):
    return start.index_add(0, torch.zeros_like(index), x)


@fault(add_by_segment, cause="left out", words="the first entry of n")
def first_row_lost(x, index, start):
    return start.index_add(0, index[1:], x[1:])


@correct(add_by_segment)
def by_one_hot(x, index, start):
    made = start.clone()
    for i, row in zip(index.tolist(), x, strict=True):
        made[i] += row
    return made


@harness.operation(sizes={"half": (1, 17), "time": (1, 33)})
def rotate(
    x: Float[Tensor, "batch time 2*half"], angle: Float[Tensor, "time half"]
) -> Float[Tensor, "batch time 2*half"]:
    """The halves of every step turned by its angles."""
    a, b = x.chunk(2, -1)
    return torch.cat([a * angle.cos() - b * angle.sin(), a * angle.sin() + b * angle.cos()], -1)


@fault(rotate, cause="negated", words="angle has the wrong sign")
def turned_back(x, angle):
    a, b = x.chunk(2, -1)
    return torch.cat([a * angle.cos() + b * angle.sin(), b * angle.cos() - a * angle.sin()], -1)


@fault(rotate, cause=("permuted blocks", "only a slice is changed"), words="")
def halves_swapped(x, angle):
    a, b = x.chunk(2, -1)
    return torch.cat([a * angle.sin() + b * angle.cos(), a * angle.cos() - b * angle.sin()], -1)


@fault(rotate, cause="counted twice", words="angle")
def turned_twice(x, angle):
    return rotate.definition(x, 2 * angle)


@fault(rotate, cause="shifted", words=("angle", "along time"))
def one_step_off(x, angle):
    return rotate.definition(x, torch.cat([torch.zeros_like(angle[:1]), angle[:-1]]))


@harness.operation(sizes={"rows": (1, 65), "inner": (1, 65), "columns": (1, 65)})
def product(a: Float[Tensor, "rows inner"], b: Float[Tensor, "inner columns"]) -> Float[Tensor, "rows columns"]:
    """a b."""
    return a @ b


@fault(product, cause="left out", words=("fills no block of 16", "inner"))
def inner_tail_lost(a, b):
    n = a.shape[1] // 16 * 16
    return a[:, :n] @ b[:n]


@fault(product, cause=("not computed", "left out"), words=("fills no block of 8", "rows"))
def rows_tail_lost(a, b):
    made = a @ b
    made[len(a) // 8 * 8 :] = 0
    return made


@fault(product, cause="left out", words=("beyond the first 32", "inner"))
def short_buffer(a, b):
    return a[:, :32] @ b[:32]


@fault(product, cause="circumstances", words="columns ≥ 33")
def other_beyond_32(a, b):
    return a @ b + (torch.sin(1e3 * b.sum()) if b.shape[1] > 32 else 0)


@fault(product, cause="circumstances", words="rows is no multiple of 16")
def other_off_tiles(a, b):
    return a @ b + (torch.sin(1e3 * b.sum()) if len(a) % 16 else 0)


@fault(product, cause="lower dtype of one", words="b is rounded to bfloat16")
def weights_in_bfloat16(a, b):
    return a @ b.bfloat16().to(b.dtype)


@fault(product, cause=("layout of one", "exchanged axes"), words=("b", "not contiguous"))
def b_read_as_it_lies(a, b):
    return (
        a @ torch.as_strided(b, b.shape, (b.shape[1], 1), b.storage_offset())
        if b.stride(-1) * b.stride(0) == b.shape[1] and b.numel()
        else a @ b
    )


@correct(product)
def product_in_blocks(a, b):
    return sum((a[:, i : i + 16] @ b[i : i + 16] for i in range(16, a.shape[1], 16)), a[:, :16] @ b[:16])


@harness.operation(sizes={"d": (1, 33)})
def cosine(x: Float[Tensor, "batch d"], y: Float[Tensor, "batch d"]) -> Float[Tensor, "batch"]:
    """x·y over 1 + |x||y|."""
    return (x * y).sum(1) / (1 + x.norm(dim=1) * y.norm(dim=1))


@fault(cosine, cause="another function of the result", words="size without the sign")
def cosine_abs(x, y):
    return cosine.definition(x, y).abs()


@fault(cosine, cause="circumstances", words="y has a negative entry")
def cosine_of_negatives(x, y):
    return cosine.definition(x, y) + torch.where((y < 0).any(1), torch.sin(1e3 * x.sum(1)), 0)


@fault(cosine, cause="clipped", words="result is cut off below 0")
def cosine_positive(x, y):
    return cosine.definition(x, y).relu()


@fault(cosine, cause="not read", words="y is not read")
def cosine_with_itself(x, y):
    return (x * x.flip(1)).sum(1) / (1 + x.norm(dim=1) * x.abs().sum(1))


@fault(cosine, cause="used for another", words="x is used where y")
def cosine_of_x(x, y):
    return cosine.definition(x, x)


@harness.operation(sizes={"classes": (1, 33), "tokens": (1, 33)})
def nll(
    logits: Float[Tensor, "tokens classes"], target: Annotated[Int[Tensor, "tokens"], a_class]
) -> Float[Tensor, "tokens"]:
    """Cross entropy of every token."""
    return logits.logsumexp(1) - logits.gather(1, target[:, None])[:, 0]


@fault(nll, cause="constant factor", words="-1")
def likelihood(logits, target):
    return -nll.definition(logits, target)


@fault(nll, cause=("mask or index misread", "one slice for all"), words="the first slice of target")
def target_of_the_first(logits, target):
    return nll.definition(logits, target[:1].expand_as(target)) if len(target) else logits.new_zeros(0)


@fault(nll, cause="offset of a size", words=("log n", "classes"))
def mean_of_exponentials(logits, target):
    return nll.definition(logits, target) - torch.tensor(float(logits.shape[1])).double().log().to(logits.dtype)


@fault(nll, cause="reversed axis", words="target is reversed")
def targets_backwards(logits, target):
    return nll.definition(logits, target.flip(0))


@fault(nll, cause="clipped", words="logits is cut off at ±10")
def logits_clamped(logits, target):
    return nll.definition(logits.clamp(-10, 10), target)


# where a logit is +inf, its NaN is that of inf - inf, and the definition's loss is infinite
@fault(nll, cause="nonfinite swallowed or invented", words="invented")
def nll_native(logits, target):
    return torch.nn.functional.cross_entropy(logits, target, reduction="none")


@harness.operation(sizes={"time": (1, 65)})
def running_sum(x: Float[Tensor, "batch time"]) -> Float[Tensor, "batch time"]:
    """Sums of all steps up to each."""
    return x.cumsum(1)


@fault(running_sum, cause=("shifted", "only some entries"), words="time")
def exclusive(x):
    return x.cumsum(1) - x


@fault(running_sum, cause="reversed axis", words="time")
def from_the_end(x):
    return x.flip(1).cumsum(1).flip(1)


@fault(running_sum, cause="only some entries", words=("32", "time"))
def restarts_at_32(x):
    return torch.cat([part.cumsum(1) for part in x.split(32, 1)], 1)


@fault(running_sum, cause="not computed", words="beyond the first 32")
def stops_at_32(x):
    made = x.cumsum(1)
    made[:, 32:] = 0
    return made


@fault(running_sum, cause="another axis", words=("batch", "time"))
def sums_over_the_batch(x):
    return x.cumsum(0)
