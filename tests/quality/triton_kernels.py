"""Triton kernels as their authors write them: five that are right, and what goes wrong in each.

The module needs triton; `python -m tests.quality.triton_trials` tries them.
"""

import torch
import triton
import triton.language as tl
from jaxtyping import Float
from torch import Tensor

import harness
from harness.measure.verdict import Verdict
from tests.quality.planted import Planted

_DTYPES = (torch.float32,)
_ACCESS = ("access of a kernel",)


def right(operation):
    """Declare a kernel that is right."""
    return lambda function: Planted(
        operation, function, Verdict.ROUNDING, backend="triton", dtypes=_DTYPES, forward_only=True
    )


def wrong(operation, *words, cause=()):
    """Declare a kernel with a fault: words one of which its diagnosis must contain, a line's number among them."""
    return lambda function: Planted(
        operation, function, Verdict.WRONG, cause, words, "triton", dtypes=_DTYPES, forward_only=True
    )


# Softmax, a row in one block


@harness.operation(sizes={"d": (1, 129)})
def softmax(x: Float[Tensor, "batch d"]) -> Float[Tensor, "batch d"]:
    """The exponentials of a row over their sum."""
    return x.softmax(-1)


@triton.jit
def row_kernel(x_ptr, y_ptr, d, BLOCK: tl.constexpr, PADDING: tl.constexpr):
    row, column = tl.program_id(0), tl.arange(0, BLOCK)
    inside = column < d
    value = tl.load(x_ptr + row * d + column, mask=inside, other=PADDING)
    value = tl.exp(value - tl.max(value, 0))
    tl.store(y_ptr + row * d + column, value / tl.sum(value, 0), mask=inside)


def in_one_block(x, block=None, padding=float("-inf")):
    x = x.contiguous()
    y = torch.zeros_like(x)
    row_kernel[(len(x),)](x, y, x.shape[1], BLOCK=block or triton.next_power_of_2(x.shape[1]), PADDING=padding)
    return y


@right(softmax)
def softmax_row(x):
    return in_one_block(x)


@wrong(softmax, "no power of two", "no multiple of 4")
def padded_with_zero(x):
    return in_one_block(x, padding=0.0)


@wrong(softmax, "64", "65")
def first_block_alone(x):
    return in_one_block(x, block=64)


# Softmax, online: a row in blocks, with a running maximum and sum


@triton.jit
def online_kernel(
    x_ptr, y_ptr, d, BLOCK: tl.constexpr, RESCALED: tl.constexpr, LOADED: tl.constexpr, STORED: tl.constexpr
):
    row = tl.program_id(0)
    column = tl.arange(0, BLOCK)
    most = float("-inf")
    total = 0.0
    for start in range(0, d, BLOCK):
        at = x_ptr + row * d + start + column
        if LOADED:
            value = tl.load(at, mask=start + column < d, other=float("-inf"))
        else:
            value = tl.load(at)
        higher = tl.maximum(most, tl.max(value, 0))
        if RESCALED:
            total = total * tl.exp(most - higher)
        total += tl.sum(tl.exp(value - higher), 0)
        most = higher
    for start in range(0, d, BLOCK):
        inside = start + column < d
        value = tl.load(x_ptr + row * d + start + column, mask=inside, other=0.0)
        value = tl.exp(value - most) / total
        if STORED:
            tl.store(y_ptr + row * d + start + column, value, mask=inside)
        else:
            tl.store(y_ptr + row * d + start + column, value)


def online(x, rescaled=True, loaded=True, stored=True):
    x = x.contiguous()
    y = torch.zeros_like(x)
    online_kernel[(len(x),)](x, y, x.shape[1], BLOCK=32, RESCALED=rescaled, LOADED=loaded, STORED=stored)
    return y


@right(softmax)
def softmax_online(x):
    return online(x)


@wrong(softmax, "32", "33")
def sum_not_rescaled(x):
    return online(x, rescaled=False)


@wrong(softmax, "value = tl.load(at)", cause=_ACCESS)
def loaded_without_mask(x):
    return online(x, loaded=False)


@wrong(softmax, "tl.store(y_ptr + row * d + start + column, value)", cause=_ACCESS)
def stored_without_mask(x):
    return online(x, stored=False)


# Matrix product, whose inner axis ends within a block


@harness.operation(sizes={"rows": (1, 33), "inner": (1, 65), "columns": (1, 33)})
def product(a: Float[Tensor, "rows inner"], b: Float[Tensor, "inner columns"]) -> Float[Tensor, "rows columns"]:
    """The product of two matrices."""
    return a @ b


@triton.jit
def product_kernel(
    a_ptr,
    b_ptr,
    c_ptr,
    rows,
    columns,
    inner,
    end,
    b_row,
    SIDE: tl.constexpr,
    DEPTH: tl.constexpr,
    MASKED: tl.constexpr,
    TOTAL: tl.constexpr,
):
    row = tl.program_id(0) * SIDE + tl.arange(0, SIDE)
    column = tl.program_id(1) * SIDE + tl.arange(0, SIDE)
    total = tl.zeros((SIDE, SIDE), dtype=TOTAL)
    for start in range(0, end, DEPTH):
        k = start + tl.arange(0, DEPTH)
        a_inside = row[:, None] < rows
        b_inside = column[None, :] < columns
        if MASKED:
            a_inside = a_inside & (k[None, :] < inner)
            b_inside = b_inside & (k[:, None] < inner)
        a = tl.load(a_ptr + row[:, None] * inner + k[None, :], mask=a_inside, other=0.0)
        b = tl.load(b_ptr + k[:, None] * b_row + column[None, :], mask=b_inside, other=0.0)
        total += tl.dot(a, b, input_precision="ieee").to(TOTAL)
    inside = (row[:, None] < rows) & (column[None, :] < columns)
    tl.store(c_ptr + row[:, None] * columns + column[None, :], total.to(tl.float32), mask=inside)


def multiplied(a, b, masked=True, total=tl.float32, end=None, b_row=None):
    a, b = a.contiguous(), b.contiguous()
    (rows, inner), columns = a.shape, b.shape[1]
    c = torch.zeros(rows, columns, dtype=a.dtype, device=a.device)
    grid = (triton.cdiv(rows, 16), triton.cdiv(columns, 16))
    end = inner if end is None else end
    strides = columns if b_row is None else b_row
    product_kernel[grid](a, b, c, rows, columns, inner, end, strides, SIDE=16, DEPTH=16, MASKED=masked, TOTAL=total)
    return c


@right(product)
def product_in_blocks(a, b):
    return multiplied(a, b)


@wrong(product, "a = tl.load(", "b = tl.load(", cause=_ACCESS)
def inner_axis_without_mask(a, b):
    return multiplied(a, b, masked=False)


@wrong(product, "no block of 16", "no multiple of 16")
def inner_axis_without_its_tail(a, b):
    return multiplied(a, b, end=a.shape[1] // 16 * 16)


@wrong(product, "b = tl.load(", "columns differs from inner", cause=_ACCESS)
def rows_of_another_stride(a, b):
    return multiplied(a, b, b_row=a.shape[1])


@wrong(product, "float16")
def accumulated_in_half_precision(a, b):
    return multiplied(a, b, total=tl.float16)


# Layer normalisation, backward: a program for each row, which all add to the gradient of the weight


@harness.operation(sizes={"d": (3, 65)})  # of two entries, dx is what eps leaves of a cancellation
def layer_norm_backward(
    x: Float[Tensor, "batch d"], weight: Float[Tensor, "d"], dy: Float[Tensor, "batch d"]
) -> tuple[Float[Tensor, "batch d"], Float[Tensor, "d"]]:
    """The gradients of layer normalisation in its argument and its weight, for one of its result."""
    centred = x - x.mean(1, keepdim=True)
    scale = (centred.square().mean(1, keepdim=True) + 1 / 1024).rsqrt()
    normal, inner = centred * scale, dy * weight
    dx = inner - inner.mean(1, keepdim=True) - normal * (normal * inner).mean(1, keepdim=True)
    return dx * scale, (dy * normal).sum(0)


@triton.jit
def layer_norm_kernel(
    x_ptr,
    weight_ptr,
    dy_ptr,
    dx_ptr,
    dweight_ptr,
    d,
    BLOCK: tl.constexpr,
    CENTRED: tl.constexpr,
    COUNTED: tl.constexpr,
    ADDED: tl.constexpr,
    CLEARED: tl.constexpr,
):
    row, column = tl.program_id(0), tl.arange(0, BLOCK)
    inside = column < d
    x = tl.load(x_ptr + row * d + column, mask=inside, other=0.0)
    dy = tl.load(dy_ptr + row * d + column, mask=inside, other=0.0)
    weight = tl.load(weight_ptr + column, mask=inside, other=0.0)
    count = d if COUNTED else BLOCK
    centred = x - tl.sum(x, 0) / count
    if CENTRED:
        centred = tl.where(inside, centred, 0.0)
    scale = 1 / tl.sqrt(tl.sum(centred * centred, 0) / count + 1 / 1024)
    normal, inner = centred * scale, dy * weight
    dx = inner - tl.sum(inner, 0) / count - normal * (tl.sum(normal * inner, 0) / count)
    tl.store(dx_ptr + row * d + column, dx * scale, mask=inside)
    if CLEARED and row == 0:
        tl.store(dweight_ptr + column, tl.zeros((BLOCK,), dtype=tl.float32), mask=inside)
    if ADDED:
        tl.atomic_add(dweight_ptr + column, dy * normal, mask=inside)
    else:
        before = tl.load(dweight_ptr + column, mask=inside, other=0.0)
        tl.store(dweight_ptr + column, before + dy * normal, mask=inside)


def layer_norm_of(x, weight, dy, centred=True, counted=True, added=True, cleared=False):
    x, weight, dy = x.contiguous(), weight.contiguous(), dy.contiguous()
    dx = torch.zeros_like(x)
    dweight = torch.ones_like(weight) if cleared else torch.zeros_like(weight)
    if len(x) == 0:
        return dx, torch.zeros_like(weight)
    block = triton.next_power_of_2(x.shape[1])
    layer_norm_kernel[(len(x),)](
        x,
        weight,
        dy,
        dx,
        dweight,
        x.shape[1],
        BLOCK=block,
        CENTRED=centred,
        COUNTED=counted,
        ADDED=added,
        CLEARED=cleared,
    )
    return dx, dweight


@right(layer_norm_backward)
def layer_norm_rows(x, weight, dy):
    return layer_norm_of(x, weight, dy)


@wrong(layer_norm_backward, "no power of two")
def variance_with_padding(x, weight, dy):
    return layer_norm_of(x, weight, dy, centred=False)


@wrong(layer_norm_backward, "no power of two")
def mean_over_the_block(x, weight, dy):
    return layer_norm_of(x, weight, dy, counted=False)


@wrong(layer_norm_backward, "before = tl.load(", cause=_ACCESS)
def added_without_atomics(x, weight, dy):
    return layer_norm_of(x, weight, dy, added=False)


@wrong(layer_norm_backward, "tl.atomic_add(", cause=_ACCESS)
def cleared_by_the_first_program(x, weight, dy):
    return layer_norm_of(x, weight, dy, cleared=True)


# A scan: sums up to each step, in blocks


@harness.operation(sizes={"time": (1, 129)}, causal="time", linear_in="x")
def running_sum(x: Float[Tensor, "batch time"]) -> Float[Tensor, "batch time"]:
    """The sum of all steps up to each."""
    return x.cumsum(1)


@triton.jit
def scan_kernel(x_ptr, y_ptr, time, BLOCK: tl.constexpr, CARRIED: tl.constexpr, SHIFTED: tl.constexpr):
    row = tl.program_id(0)
    step = tl.arange(0, BLOCK)
    carry = 0.0
    for start in range(0, time, BLOCK):
        inside = start + step < time
        value = tl.load(x_ptr + row * time + start + step - SHIFTED, mask=inside, other=0.0)
        tl.store(y_ptr + row * time + start + step, carry + tl.cumsum(value, 0), mask=inside)
        if CARRIED:
            carry += tl.sum(value, 0)


@triton.jit
def chained_kernel(x_ptr, y_ptr, total_ptr, time, BLOCK: tl.constexpr):
    row, block = tl.program_id(0), tl.program_id(1)
    step = block * BLOCK + tl.arange(0, BLOCK)
    value = tl.load(x_ptr + row * time + step, mask=step < time, other=0.0)
    carry = tl.load(total_ptr + row * tl.num_programs(1) + block - 1, mask=block > 0, other=0.0)
    tl.store(total_ptr + row * tl.num_programs(1) + block, carry + tl.sum(value, 0))
    tl.store(y_ptr + row * time + step, carry + tl.cumsum(value, 0), mask=step < time)


def scanned(x, carried=True, shifted=0):
    x = x.contiguous()
    y = torch.zeros_like(x)
    if len(x):
        scan_kernel[(len(x),)](x, y, x.shape[1], BLOCK=32, CARRIED=carried, SHIFTED=shifted)
    return y


@right(running_sum)
def scan_in_blocks(x):
    return scanned(x)


@wrong(running_sum, "32", "33")
def carry_lost(x):
    return scanned(x, carried=False)


@wrong(running_sum, "value = tl.load(", cause=_ACCESS)
def shifted_by_a_step(x):
    return scanned(x, shifted=1)


@wrong(running_sum, "carry = tl.load(", cause=_ACCESS)
def chained_without_waiting(x):
    x = x.contiguous()
    y, blocks = torch.zeros_like(x), triton.cdiv(x.shape[1], 32)
    if len(x):
        chained_kernel[(len(x), blocks)](x, y, x.new_zeros(len(x), blocks), x.shape[1], BLOCK=32)
    return y
