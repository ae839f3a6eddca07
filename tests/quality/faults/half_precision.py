"""Kernels that know bfloat16 or float16 only, as Triton's do: they load it, compute in float32, and store it.

What is wrong with them is often not much more than a digit of bfloat16, whose spacing is 2⁻⁸ to 2⁻⁷ of a number.
"""

from functools import partial
from typing import Annotated, Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

import harness
from harness.operations.linear import linear
from tests.quality.planted import correct, fault

_BFLOAT16, _FLOAT16 = (torch.bfloat16,), (torch.float16,)
wrong = partial(fault, dtypes=_BFLOAT16)
right = partial(correct, dtypes=_BFLOAT16)
wrong_in_float16 = partial(fault, dtypes=_FLOAT16)
right_in_float16 = partial(correct, dtypes=_FLOAT16)

# causes under which the same may be told
_LOST = ("left out", "circumstances", "entries not read")
_NARROW = ("lower precision", "lower dtype of one", "narrow sum", "running sum rounded", "accumulator rounded")
_BEYOND = ("left out", "not computed", "circumstances", "only some entries")
_ANOTHER_FUNCTION = ("another step", "another function", "another function of it", "another function of the result")
_TRUNCATED = ("lower precision", "truncated", "rounded toward zero", "another rounding")
_EPS = (
    "another constant",
    "another step",
    "constant factor",
    "misplaced eps",
    "eps misplaced",
    "eps in the wrong place",
)
_FACTOR = ("constant factor", "argument scaled", "another constant", "another step")
_LAST = ("only some entries", "only a slice is changed")
_SAMPLE = ("only some entries", "circumstances", "samples leak")
_EXPONENTIAL = ("another step", "another function", "lower precision", "approximation", "circumstances", "always")
_DIVISOR = ("factor of a size", "divisor inside", "argument times a size")


def _smooth(value, like):
    """The value, with the gradient of what it approximates."""
    return torch.where(like.isfinite(), value.detach() + (like - like.detach()), value.detach())


def _truncated(x):
    """The upper half of a float32's bits, as `bits >> 16` stores it."""
    return _smooth((x.detach().contiguous().view(torch.int32) & -65536).view(torch.float32), x).bfloat16()


def _one_in_eight(made, place, other):
    """One sample of each eight replaced."""
    chosen = torch.arange(len(made)) % 8 == place
    return torch.where(chosen.view(-1, *[1] * (made.ndim - 1)), other, made)


# matrix product


@harness.operation(sizes={"m": (1, 17), "k": (1, 2100), "n": (1, 17)})
def half_matmul(a: Float[Tensor, "m k"], b: Float[Tensor, "k n"]) -> Float[Tensor, "m n"]:
    """a b."""
    return a @ b


@wrong(half_matmul, cause=_LOST, words="k")
def one_of_a_thousand_lost(a, b):
    """Chunks of a thousand, each to one less than its end."""
    chunks = zip(a.float().split(1000, 1), b.float().split(1000, 0), strict=True)
    return sum(p[:, :999] @ q[:999] for p, q in chunks).bfloat16()


@wrong(half_matmul, cause="left out", words=("fills no block of 32", "k"))
def last_block_of_32_lost(a, b):
    """`for k in range(K // 32)`."""
    whole = a.shape[1] // 32 * 32
    return (a[:, :whole].float() @ b[:whole].float()).bfloat16()


@wrong(half_matmul, cause=_LOST, words="k")
def last_block_of_64_lost(a, b):
    """`for k in range(max(1, K // 64))`: what fits into one block is right."""
    whole = a.shape[1] // 64 * 64 or a.shape[1]
    return (a[:, :whole].float() @ b[:whole].float()).bfloat16()


@wrong(half_matmul, cause=_NARROW, words="bfloat16")
def accumulator_in_bfloat16(a, b):
    """Blocks of 16 are computed in float32 and added to an accumulator in bfloat16."""
    total = a.new_zeros(len(a), b.shape[1])
    for p, q in zip(a.float().split(16, 1), b.float().split(16, 0), strict=True):
        total = total + (p @ q).bfloat16()
    return total


@wrong_in_float16(half_matmul, cause=_NARROW, words="float16")
def accumulator_in_float16(a, b):
    """Four products at a time are added to an accumulator in float16."""
    total = a.new_zeros(len(a), b.shape[1])
    for p, q in zip(a.float().split(4, 1), b.float().split(4, 0), strict=True):
        total = total + (p @ q).half()
    return total


@wrong(half_matmul, cause=_TRUNCATED)
def product_truncated(a, b):
    """The accumulator's upper 16 bits are stored."""
    return _truncated(a.float() @ b.float())


@right(half_matmul)
def split_k(a, b):
    """Four parts of k at once, in float32."""
    size = -(-a.shape[1] // 4)
    parts = [p @ q for p, q in zip(a.float().split(size, 1), b.float().split(size, 0), strict=True)]
    return torch.stack(parts).sum(0).bfloat16()


@right(half_matmul)
def blocks_backwards(a, b):
    """Blocks of 32 into an accumulator in float32, from the last one on."""
    total = torch.zeros(len(a), b.shape[1])
    for p, q in reversed(list(zip(a.float().split(32, 1), b.float().split(32, 0), strict=True))):
        total = total + p @ q
    return total.bfloat16()


@right(half_matmul)
def product_in_float64(a, b):
    """Computed in float64, and rounded once."""
    return (a.double() @ b.double()).bfloat16()


@right_in_float16(half_matmul)
def outer_products(a, b):
    """Sixteen outer products at a time, in float32."""
    total = torch.zeros(len(a), b.shape[1])
    for p, q in zip(a.float().split(16, 1), b.float().split(16, 0), strict=True):
        total = total + (p[:, :, None] * q).sum(1)
    return total.half()


# linear layer, from the catalogue


@wrong(linear, cause="left out", words=("fills no block of 32", "inputs"))
def half_inputs_in_32s(x, W, b):
    """Inputs that fill no block of 32 are not read."""
    whole = x.shape[1] // 32 * 32
    return (x[:, :whole].float() @ W[:, :whole].float().mT + b.float()).bfloat16()


@wrong(linear, cause=_FACTOR, words="1.00")
def half_scale_of_127(x, W, b):
    """Weights have a scale of max/127 where they were divided by max/128."""
    return (x.float() @ W.float().mT * (128 / 127) + b.float()).bfloat16()


@wrong(linear, cause=_SAMPLE, words="batch")
def half_last_of_eight_rows(x, W, b):
    """The last row of each tile of eight is 3 % too small."""
    made = x.float() @ W.float().mT + b.float()
    return _one_in_eight(made, 7, made * 0.97).bfloat16()


@right(linear)
def half_linear_in_float32(x, W, b):
    """float32, rounded once."""
    return F.linear(x.float(), W.float(), b.float()).bfloat16()


# softmax


@harness.operation(sizes={"d": (1, 2100)})
def half_softmax(x: Float[Tensor, "batch d"]) -> Float[Tensor, "batch d"]:
    """Exponentials over their sum, along the last axis."""
    return x.softmax(-1)


def _exponentials(x):
    x = x.float()
    return (x - x.amax(-1, keepdim=True)).exp()


@wrong(half_softmax, cause=_BEYOND, words="d")
def sum_of_1024(x):
    """The sum is over one block of 1,024."""
    e = _exponentials(x)
    return (e / e[:, :1024].sum(-1, keepdim=True)).bfloat16()


@wrong(half_softmax, cause=_LAST, words=("the last", "d"))
def last_of_the_row_off(x):
    """The last entry of a row is 3 % too large."""
    e = _exponentials(x)
    e = torch.cat([e[:, :-1], e[:, -1:] * 1.03], 1)
    return (e / _exponentials(x).sum(-1, keepdim=True)).bfloat16()


@wrong(half_softmax, cause=_EXPONENTIAL)
def schraudolph(x):
    """Schraudolph's exponential: the exponent is written into the bits, and the mantissa is linear between powers of two."""
    x = x.float()
    t = x - x.amax(-1, keepdim=True)
    bits = (t.detach() * 12102203.0 + 1064866805.0).clamp(min=0).nan_to_num(0).int()
    e = _smooth(torch.where(t.isnan(), t, bits.view(torch.float32)), t.exp())
    return (e / e.sum(-1, keepdim=True)).bfloat16()


@wrong(half_softmax, cause=(*_EXPONENTIAL, *_FACTOR))
def base_two_in_bfloat16(x):
    """exp2 of the argument times log₂ e, which is a constant in bfloat16."""
    x = x.float()
    e = ((x - x.amax(-1, keepdim=True)) * 1.4453125).exp2()
    return (e / e.sum(-1, keepdim=True)).bfloat16()


@wrong(half_softmax, cause=_NARROW, words="bfloat16")
def sum_in_bfloat16(x):
    """The sum runs through the row in bfloat16."""
    e = _exponentials(x)
    total = x.new_zeros(len(x))
    for step in e.bfloat16().unbind(1):
        total = total + step
    return (e / total.float()[:, None]).bfloat16()


@right(half_softmax)
def online(x):
    """Blocks of 64 with a running maximum and a running sum."""
    x = x.float()
    top, total = x.new_full((len(x), 1), -torch.inf), x.new_zeros(len(x), 1)
    for block in x.split(64, 1):
        higher = torch.maximum(top, block.amax(1, keepdim=True))
        safe = torch.where(higher == -torch.inf, 0.0, higher)
        total = total * (top - safe).exp() + (block - safe).exp().sum(1, keepdim=True)
        top = higher
    return ((x - top).exp() / total).bfloat16()


@right(half_softmax)
def base_two(x):
    """exp2 of the argument times log₂ e in float32."""
    x = x.float()
    e = ((x - x.amax(1, keepdim=True)) * 1.4426950408889634).exp2()
    return (e * (1 / e.sum(1, keepdim=True))).bfloat16()


# layer norm and RMS norm


@harness.operation(sizes={"d": (1, 2100)})
def half_layer_norm(
    x: Float[Tensor, "batch d"], weight: Float[Tensor, "d"], bias: Float[Tensor, "d"]
) -> Float[Tensor, "batch d"]:
    """Layer norm with an eps of 1e-5."""
    return F.layer_norm(x, x.shape[1:], weight, bias, 1e-5)


def _layer_norm(x, weight, bias, variance=None, eps=1e-5):
    x = x.float()
    c = x - x.mean(1, keepdim=True)
    variance = c.square().mean(1, keepdim=True) if variance is None else variance(c)
    return c * (variance + eps).rsqrt() * weight.float() + bias.float()


@wrong(half_layer_norm, cause=_EPS)
def eps_of_bert(x, weight, bias):
    """BERT's eps of 1e-12 is compiled in."""
    return _layer_norm(x, weight, bias, eps=1e-12).bfloat16()


@wrong(half_layer_norm, cause=_EPS)
def eps_a_hundredfold(x, weight, bias):
    """An eps of 1e-3, as Keras has it."""
    return _layer_norm(x, weight, bias, eps=1e-3).bfloat16()


@wrong(half_layer_norm, cause=("divisor inside", "argument times a size"), words=("n - 1", "d"))
def norm_by_sample_variance(x, weight, bias):
    """The variance has Bessel's correction."""
    return _layer_norm(x, weight, bias, lambda c: c.square().sum(1, keepdim=True) / max(c.shape[1] - 1, 1)).bfloat16()


@wrong(half_layer_norm, cause=_BEYOND, words="d")
def variance_of_1024(x, weight, bias):
    """The variance is that of the first block of 1,024."""
    return _layer_norm(x, weight, bias, lambda c: c[:, :1024].square().mean(1, keepdim=True)).bfloat16()


@wrong(half_layer_norm, cause=_TRUNCATED)
def norm_truncated(x, weight, bias):
    """The upper 16 bits are stored."""
    return _truncated(_layer_norm(x, weight, bias))


@right(half_layer_norm)
def welford_in_blocks(x, weight, bias):
    """Chan's update of mean and squares, block by block of 32."""
    x = x.float()
    count, mean, squares = 0, x.new_zeros(len(x), 1), x.new_zeros(len(x), 1)
    for block in x.split(32, 1):
        size = block.shape[1]
        own = block.mean(1, keepdim=True)
        away = own - mean
        squares = (
            squares + (block - own).square().sum(1, keepdim=True) + away.square() * (count * size / (count + size))
        )
        mean, count = mean + away * (size / (count + size)), count + size
    return ((x - mean) * (squares / count + 1e-5).rsqrt() * weight.float() + bias.float()).bfloat16()


@right(half_layer_norm)
def mean_of_squares_in_float64(x, weight, bias):
    """The mean of squares less the square of the mean, in float64, where squares of bfloat16 are exact."""
    wide = x.double()
    mean = wide.mean(1, keepdim=True)
    variance = (wide.square().mean(1, keepdim=True) - mean.square()).clamp(min=0)
    return ((wide - mean) / (variance + 1e-5).sqrt() * weight.double() + bias.double()).bfloat16()


@harness.operation(sizes={"d": (1, 1100)})
def half_rms_norm(x: Float[Tensor, "batch d"], weight: Float[Tensor, "d"]) -> Float[Tensor, "batch d"]:
    """x over the root of its mean square, with an eps of 1e-6."""
    return x * (x.square().mean(1, keepdim=True) + 1e-6).rsqrt() * weight


def _mean_square(x):
    return x.float().square().mean(1, keepdim=True)


@wrong(half_rms_norm, cause=_EPS)
def rms_eps_outside(x, weight):
    """√mean square + eps."""
    return (x.float() / (_mean_square(x).clamp(min=1e-30).sqrt() + 1e-6) * weight.float()).bfloat16()


@wrong(half_rms_norm, cause=_LOST, words="d")
def rms_tail_lost(x, weight):
    """Squares that fill no block of 64 are not summed, where there is one block at least."""
    whole = x.shape[1] // 64 * 64 or x.shape[1]
    square = x[:, :whole].float().square().sum(1, keepdim=True) / x.shape[1]
    return (x.float() * (square + 1e-6).rsqrt() * weight.float()).bfloat16()


@wrong(half_rms_norm, cause=_SAMPLE, words="sample before it")
def rms_of_the_row_before(x, weight):
    """The fourth row of each eight takes the statistic of the row before."""
    square = _mean_square(x)
    square = _one_in_eight(square, 3, square.roll(1, 0))
    return (x.float() * (square + 1e-6).rsqrt() * weight.float()).bfloat16()


@wrong(half_rms_norm, cause=_FACTOR, words="1.01")
def rms_scaled(x, weight):
    """A reciprocal root by a table is 1 % too large."""
    return (x.float() * (1.01 * (_mean_square(x) + 1e-6).rsqrt()) * weight.float()).bfloat16()


@wrong_in_float16(half_rms_norm, cause=_NARROW, words="float16")
def squares_in_float16(x, weight):
    """Squares are added up in float16, which ends at 65504."""
    total = x.new_zeros(len(x))
    for step in x.unbind(1):
        total = total + step.square()
    return (x.float() * (total.float()[:, None] / x.shape[1] + 1e-6).rsqrt() * weight.float()).half()


@right(half_rms_norm)
def rms_halves_first(x, weight):
    """Squares added in pairs as by a tree, in float32."""
    square = x.float().square()
    while square.shape[1] > 1:
        square = F.pad(square, (0, square.shape[1] % 2))
        square = square[:, ::2] + square[:, 1::2]
    return (x.float() / (square / x.shape[1] + 1e-6).sqrt() * weight.float()).bfloat16()


@right_in_float16(half_rms_norm)
def rms_in_float16(x, weight):
    """float16 in, float32 inside, rounded once."""
    return (x.float() * (_mean_square(x) + 1e-6).rsqrt() * weight.float()).half()


# activations


@harness.operation(sizes={"d": (1, 300)})
def half_gelu(x: Float[Tensor, "batch d"]) -> Float[Tensor, "batch d"]:
    """x times the normal distribution's cumulative function of x."""
    return F.gelu(x)


@wrong(half_gelu, cause=_ANOTHER_FUNCTION, words="tanh")
def gelu_by_tanh(x):
    """The approximation by tanh."""
    return F.gelu(x.float(), approximate="tanh").bfloat16()


@wrong(half_gelu, cause=_ANOTHER_FUNCTION)
def quick_gelu(x):
    """x sigmoid(1.702 x)."""
    return (x.float() * torch.sigmoid(1.702 * x.float())).bfloat16()


@wrong_in_float16(half_gelu, cause=_ANOTHER_FUNCTION, words="tanh")
def gelu_by_tanh_in_float16(x):
    """The approximation by tanh, which float16 tells apart."""
    return F.gelu(x.float(), approximate="tanh").half()


@wrong(half_gelu, cause=_FACTOR)
def root_of_a_half_as_0_7(x):
    """√½ has been typed as 0.7."""
    return (0.5 * x.float() * (1 + torch.erf(x.float() * 0.7))).bfloat16()


@right(half_gelu)
def gelu_by_erfc(x):
    """x/2 erfc(-x/√2)."""
    return (0.5 * x.float() * torch.erfc(x.float() * -(0.5**0.5))).bfloat16()


@harness.operation(sizes={"d": (1, 300)})
def half_swiglu(gate: Float[Tensor, "batch d"], up: Float[Tensor, "batch d"]) -> Float[Tensor, "batch d"]:
    """silu(gate) up."""
    return F.silu(gate) * up


@wrong(half_swiglu, cause=_FACTOR, words="1.01")
def swiglu_scaled(gate, up):
    """A dequantisation scale that is 1 % too large."""
    return (F.silu(gate.float()) * up.float() * 1.01).bfloat16()


@wrong(half_swiglu, cause=_TRUNCATED)
def swiglu_truncated(gate, up):
    """The upper 16 bits are stored."""
    return _truncated(F.silu(gate.float()) * up.float())


@wrong(half_swiglu, cause=_LAST, words=("the last", "d"))
def swiglu_last_column(gate, up):
    """The last column is 2.5 % too small."""
    made = F.silu(gate.float()) * up.float()
    return torch.cat([made[:, :-1], made[:, -1:] * 0.975], 1).bfloat16()


@wrong(half_swiglu, cause=_EXPONENTIAL)
def exponential_by_squarings(gate, up):
    """exp(x) as (1 + x/256)²⁵⁶, by eight squarings."""
    gate = gate.float()
    made = gate / (1 + (1 - gate / 256).clamp(min=0) ** 256)
    return (_smooth(made, F.silu(gate)) * up.float()).bfloat16()


@right(half_swiglu)
def swiglu_by_division(gate, up):
    """gate over 1 + exp(-gate), with an exponential that can't overflow."""
    gate = gate.float()
    e = (-gate.abs()).exp()
    return (gate * torch.where(gate < 0, e, 1.0) / (1 + e) * up.float()).bfloat16()


# attention


@harness.operation(sizes={"queries": (1, 33), "keys": (1, 200), "d": (1, 129)})
def half_attention(
    q: Float[Tensor, "batch queries d"], k: Float[Tensor, "batch keys d"], v: Float[Tensor, "batch keys d"]
) -> Float[Tensor, "batch queries d"]:
    """softmax(q kᵀ/√d) v."""
    return (q @ k.mT / q.shape[-1] ** 0.5).softmax(-1) @ v


def _attention(q, k, v, scale):
    return (q.float() @ k.float().mT * scale).softmax(-1) @ v.float()


@wrong(half_attention, cause=("argument times a size", "divisor inside", *_FACTOR, *_DIVISOR), words="d")
def root_of_d_and_one(q, k, v):
    """1/√(d + 1)."""
    return _attention(q, k, v, (q.shape[-1] + 1) ** -0.5).bfloat16()


@wrong(half_attention, cause=_LOST, words="keys")
def keys_in_32s(q, k, v):
    """Keys that fill no block of 32 are not looked at, where there is one block at least."""
    whole = k.shape[1] // 32 * 32 or k.shape[1]
    return _attention(q, k[:, :whole], v[:, :whole], q.shape[-1] ** -0.5).bfloat16()


@wrong(half_attention, cause=_NARROW, words="bfloat16")
def output_in_bfloat16(q, k, v):
    """Weights times values are added to an output in bfloat16, four keys at a time."""
    weights = (q.float() @ k.float().mT * q.shape[-1] ** -0.5).softmax(-1)
    made = torch.zeros_like(q)
    for share, value in zip(weights.split(4, 2), v.float().split(4, 1), strict=True):
        made = made + (share @ value).bfloat16()
    return made


@wrong(half_attention, cause=_SAMPLE, words="batch")
def sixth_of_eight(q, k, v):
    """The sixth sample of each eight is 2 % too large."""
    made = _attention(q, k, v, q.shape[-1] ** -0.5)
    return _one_in_eight(made, 5, made * 1.02).bfloat16()


@right(half_attention)
def flash(q, k, v):
    """Blocks of 32 keys with a running maximum, sum and output in float32."""
    q, k, v = q.float() * q.shape[-1] ** -0.5, k.float(), v.float()
    top, total, made = q.new_full((*q.shape[:2], 1), -torch.inf), q.new_zeros(*q.shape[:2], 1), torch.zeros_like(q)
    for keys, values in zip(k.split(32, 1), v.split(32, 1), strict=True):
        score = q @ keys.mT
        higher = torch.maximum(top, score.amax(2, keepdim=True))
        safe = torch.where(higher == -torch.inf, 0.0, higher)
        weights, kept = (score - safe).exp(), (top - safe).exp()
        total, made, top = total * kept + weights.sum(2, keepdim=True), made * kept + weights @ values, higher
    return (made / total).bfloat16()


@right(half_attention)
def attention_native(q, k, v):
    """PyTorch's own, in float32."""
    return F.scaled_dot_product_attention(q.float(), k.float(), v.float()).bfloat16()


# sums along an axis


@harness.operation(sizes={"time": (1, 2100)})
def half_mean(x: Float[Tensor, "batch time"]) -> Float[Tensor, "batch"]:
    """The mean along time."""
    return x.mean(1)


@wrong(half_mean, cause=_DIVISOR, words=("n - 1", "time"))
def mean_by_one_less(x):
    """Divided by n - 1, where there is more than one step."""
    return (x.float().sum(1) / max(x.shape[1] - 1, 1)).bfloat16()


@wrong(half_mean, cause="left out", words=("time", "1024"))
def mean_of_1024(x):
    """One block of 1,024 is summed."""
    return (x[:, :1024].float().sum(1) / x.shape[1]).bfloat16()


@wrong(half_mean, cause=_NARROW, words="bfloat16")
def mean_in_bfloat16(x):
    """A running sum in bfloat16."""
    total = x.new_zeros(len(x))
    for step in x.unbind(1):
        total = total + step
    return total / x.shape[1]


@wrong(half_mean, cause=_LOST, words="time")
def mean_of_999(x):
    """The thousandth step is skipped."""
    kept = torch.arange(x.shape[1]) != 999
    return (x[:, kept].float().sum(1) / x.shape[1]).bfloat16()


@right(half_mean)
def kahan(x):
    """Kahan's compensated sum in float32, 32 lanes at once."""
    if not x.isfinite().all():
        raise harness.Unsupported("the compensation of an infinite sum is NaN")
    lanes = F.pad(x.float(), (0, -x.shape[1] % 32)).unflatten(1, (-1, 32))
    total, lost = torch.zeros_like(lanes[:, 0]), torch.zeros_like(lanes[:, 0])
    for step in lanes.unbind(1):
        term = step - lost
        grown = total + term
        total, lost = grown, ((grown - total) - term).detach()
    return ((total - lost).sum(1) / x.shape[1]).bfloat16()


@right(half_mean)
def mean_one_by_one(x):
    """A running sum in float32, backwards."""
    total = x.new_zeros(len(x), dtype=torch.float32)
    for step in reversed(x.float().unbind(1)):
        total = total + step
    return (total / x.shape[1]).bfloat16()


@harness.operation(sizes={"d": (2, 300)})
def half_variance(x: Float[Tensor, "batch d"]) -> Float[Tensor, "batch"]:
    """The unbiased variance."""
    return x.var(1)


@wrong(half_variance, cause=_DIVISOR, words=("biased", "d"))
def without_bessel(x):
    """Divided by n."""
    return x.float().var(1, correction=0).bfloat16()


@wrong(half_variance, cause=_LAST + _LOST, words="the last entry of d")
def variance_less_one(x):
    """`k < n - 1`: the last deviation is not squared."""
    c = x.float() - x.float().mean(1, keepdim=True)
    return (c[:, :-1].square().sum(1) / (x.shape[1] - 1)).bfloat16()


@right(half_variance)
def variance_of_differences(x):
    """Deviations from the first entry, in float64."""
    away = x.double() - x[:, :1].double()
    return ((away.square().sum(1) - away.sum(1).square() / x.shape[1]) / (x.shape[1] - 1)).bfloat16()


@harness.operation(sizes={"time": (1, 1300)}, causal="time", linear_in="x")
def half_cumsum(x: Float[Tensor, "batch time"]) -> Float[Tensor, "batch time"]:
    """Sums of all steps up to each."""
    return x.cumsum(1)


@wrong(half_cumsum, cause=_NARROW, words="bfloat16")
def scan_in_bfloat16(x):
    """The carry is what has been stored."""
    total, made = x.new_zeros(len(x)), []
    for step in x.unbind(1):
        total = total + step
        made.append(total)
    return torch.stack(made, 1)


@wrong(half_cumsum, cause=_BEYOND, words="time")
def restarts_at_1024(x):
    """The carry between blocks of 1,024 is forgotten."""
    return torch.cat([part.cumsum(1) for part in x.float().split(1024, 1)], 1).bfloat16()


@wrong(half_cumsum, cause=_LAST, words=("the last", "time"))
def last_step_off(x):
    """The last step is 2 % too large."""
    made = x.float().cumsum(1)
    return torch.cat([made[:, :-1], made[:, -1:] * 1.02], 1).bfloat16()


@right(half_cumsum)
def scan_by_doubling(x):
    """Each round adds what is 1, 2, 4, … steps before, in float32."""
    x, reach = x.float(), 1
    while reach < x.shape[1]:
        x = torch.cat([x[:, :reach], x[:, reach:] + x[:, :-reach]], 1)
        reach *= 2
    return x.bfloat16()


@right(half_cumsum)
def scan_with_carry(x):
    """Blocks of 128 with the carry of all before, in float32."""
    carry, made = x.new_zeros(len(x), 1, dtype=torch.float32), []
    for block in x.float().split(128, 1):
        made.append(block.cumsum(1) + carry)
        carry = made[-1][:, -1:]
    return torch.cat(made, 1).bfloat16()


# convolution


@harness.operation(sizes={"channels": (1, 65), "time": (1, 65), "taps": (1, 9)})
def half_conv1d(
    x: Float[Tensor, "batch channels time"], w: Float[Tensor, "filters channels taps"]
) -> Float[Tensor, "batch filters time"]:
    """A causal convolution: zeros stand before the first step."""
    return F.conv1d(F.pad(x, (w.shape[2] - 1, 0)), w)


@wrong(half_conv1d, cause=_LOST, words="channels")
def channels_in_32s(x, w):
    """Channels that fill no block of 32 are not read, where there is one block at least."""
    whole = x.shape[1] // 32 * 32 or x.shape[1]
    return half_conv1d.definition(x[:, :whole].float(), w[:, :whole].float()).bfloat16()


@wrong(half_conv1d, cause=_SAMPLE, words="batch")
def second_of_eight(x, w):
    """The second sample of each eight is 3 % too small."""
    made = half_conv1d.definition(x.float(), w.float())
    return _one_in_eight(made, 1, made * 0.97).bfloat16()


@right(half_conv1d)
def by_transform(x, w):
    """Spectra multiplied, in float32."""
    if not (x.isfinite().all() and w.isfinite().all()):
        raise harness.Unsupported("a spectrum spreads what is not finite")
    size = x.shape[2] + w.shape[2] - 1
    product = torch.einsum("bcf,ocf->bof", torch.fft.rfft(x.float(), size), torch.fft.rfft(w.float().flip(2), size))
    return torch.fft.irfft(product, size)[:, :, : x.shape[2]].bfloat16()


@right(half_conv1d)
def tap_by_tap(x, w):
    """One product for each tap, added up in float32."""
    taps, time = w.shape[2], x.shape[2]
    padded = F.pad(x.float(), (taps - 1, 0))
    return sum(
        torch.einsum("bct,oc->bot", padded[:, :, i : i + time], w[:, :, i].float()) for i in range(taps)
    ).bfloat16()


# tables and losses


@harness.operation(sizes={"rows": (1, 65), "bag": (1, 130), "d": (1, 33)})
def half_embedding_bag(
    table: Float[Tensor, "rows d"],
    index: Annotated[Int[Tensor, "batch bag"], harness.below("rows")],
    mode: Literal["sum", "mean"],
) -> Float[Tensor, "batch d"]:
    """The sum or the mean of the rows of each bag."""
    picked = table[index]
    return picked.sum(1) if mode == "sum" else picked.mean(1)


@wrong(half_embedding_bag, cause=_NARROW, words="bfloat16")
def bag_in_bfloat16(table, index, mode):
    """A running sum in bfloat16."""
    total = table.new_zeros(len(index), table.shape[1])
    for step in index.unbind(1):
        total = total + table[step]
    return total if mode == "sum" else total / index.shape[1]


@wrong(half_embedding_bag, cause=_DIVISOR, words=("mean", "bag"))
def bag_by_one_less(table, index, mode):
    """The mean is divided by one less than there are."""
    total = table.float()[index].sum(1)
    return (total if mode == "sum" else total / max(index.shape[1] - 1, 1)).bfloat16()


@right(half_embedding_bag)
def bag_by_blocks(table, index, mode):
    """Eight rows at a time, in float32."""
    total = sum(table.float()[part].sum(1) for part in index.split(8, 1))
    return (total if mode == "sum" else total * (1 / index.shape[1])).bfloat16()


@harness.operation(sizes={"tokens": (1, 33), "classes": (1, 1300)})
def half_cross_entropy(
    logits: Float[Tensor, "tokens classes"], target: Annotated[Int[Tensor, "tokens"], harness.below("classes")]
) -> Float[Tensor, "tokens"]:
    """Cross entropy of every token."""
    return logits.logsumexp(1) - logits.gather(1, target[:, None])[:, 0]


@wrong(half_cross_entropy, cause=_LOST, words="classes")
def classes_in_64s(logits, target):
    """Classes that fill no block of 64 are not in the sum, where there is one block at least."""
    logits = logits.float()
    whole = logits.shape[1] // 64 * 64 or logits.shape[1]
    return (logits[:, :whole].logsumexp(1) - logits.gather(1, target[:, None])[:, 0]).bfloat16()


@wrong(half_cross_entropy, cause=_EXPONENTIAL)
def mantissa_by_a_line(logits, target):
    """2^f is taken for 1 + f between powers of two."""
    logits = logits.float()
    top = logits.amax(1, keepdim=True)
    away = (logits - torch.where(top.isfinite(), top, 0.0)) * 1.44269504
    e = away.floor().exp2() * (1 + torch.where(away.isfinite(), away - away.floor(), 0.0))
    lse = torch.where(top.isfinite(), top, 0.0)[:, 0] + e.sum(1).log()
    return (_smooth(lse, logits.logsumexp(1)) - logits.gather(1, target[:, None])[:, 0]).bfloat16()


@right(half_cross_entropy)
def online_logsumexp(logits, target):
    """Blocks of 128 with a running maximum and a running sum."""
    logits = logits.float()
    top, total = logits.new_full((len(logits), 1), -torch.inf), logits.new_zeros(len(logits), 1)
    safe = torch.zeros_like(top)
    for block in logits.split(128, 1):
        higher = torch.maximum(top, block.amax(1, keepdim=True)).detach()
        safe = torch.where(higher.isinf(), 0.0, higher)
        total = total * (top - safe).exp() + (block - safe).exp().sum(1, keepdim=True)
        top = higher
    return (safe + total.log() - logits.gather(1, target[:, None]))[:, 0].bfloat16()


@harness.operation(sizes={"time": (1, 300), "half": (1, 33)})
def half_rotary(x: Float[Tensor, "batch time 2*half"]) -> Float[Tensor, "batch time 2*half"]:
    """The halves of every step turned by its position, at frequencies from 1 to nearly 1/10000."""
    half = x.shape[2] // 2
    frequency = 10000.0 ** -(torch.arange(half, dtype=torch.float64) / half)
    angle = torch.arange(x.shape[1], dtype=torch.float64)[:, None] * frequency
    cos, sin = angle.cos().to(x), angle.sin().to(x)
    a, b = x.chunk(2, -1)
    return torch.cat([a * cos - b * sin, b * cos + a * sin], -1)


def _turned(x, angle):
    a, b = x.float().chunk(2, -1)
    cos, sin = angle.cos().float(), angle.sin().float()
    return torch.cat([a * cos - b * sin, b * cos + a * sin], -1)


def _angles(x, dtype=torch.float64):
    half = x.shape[2] // 2
    frequency = 10000.0 ** -(torch.arange(half, dtype=torch.float64) / half)
    return torch.arange(x.shape[1]).to(dtype)[:, None] * frequency.to(dtype)


@wrong(half_rotary, cause=(*_NARROW, "circumstances", "only some entries", "another step"), words="time")
def angles_in_bfloat16(x):
    """Positions and frequencies in bfloat16, as under autocast."""
    return _turned(x, _angles(x, torch.bfloat16).float()).bfloat16()


@wrong(half_rotary, cause=(*_LAST, "circumstances"), words="time")
def last_position_off(x):
    """The last step is turned by 3 % too much."""
    angle = _angles(x)
    return _turned(x, torch.cat([angle[:-1], angle[-1:] * 1.03])).bfloat16()


@right(half_rotary)
def complex_product(x):
    """Complex numbers multiplied, in float32."""
    a, b = x.float().chunk(2, -1)
    angle = _angles(x)
    if not x.isfinite().all():
        raise harness.Unsupported("a complex product spreads what is not finite")
    made = torch.complex(a, b) * torch.polar(torch.ones_like(angle), angle).to(torch.complex64)
    return torch.cat([made.real, made.imag], -1).bfloat16()


@right_in_float16(half_rotary)
def rotary_in_float32(x):
    """float16 in, float32 inside, rounded once."""
    return _turned(x, _angles(x)).half()
