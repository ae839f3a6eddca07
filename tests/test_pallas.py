"""Pallas kernels, interpreted without a word about it: right ones left in peace, and faults of their kind found."""

import math

import pytest
import torch
from jaxtyping import Float
from torch import Tensor

import harness
from harness.declare.implementation import implementation_of
from harness.execute.outcome import outcome
from harness.explain.script import printed_difference
from harness.generate.plan import plan
from harness.verify.cell import Cell
from harness.verify.exploration import explore
from tests.test_reproduction import ran
from tests.verdicts import PROPERTIES

jax = pytest.importorskip("jax", reason="JAX is among the peers")
jnp = jax.numpy
from jax.experimental import pallas as pl  # noqa: E402

BLOCK = 8


@harness.operation(sizes={"n": (1, 25)})
def total(x: Float[Tensor, "n"]) -> Float[Tensor, ""]:
    """The sum of all entries."""
    return x.sum()


def launched(kernel, x):
    (n,) = x.shape
    made = pl.pallas_call(
        kernel,
        out_shape=jax.ShapeDtypeStruct((1,), x.dtype),
        grid=(pl.cdiv(n, BLOCK),),
        in_specs=[pl.BlockSpec((BLOCK,), lambda i: (i,)), pl.BlockSpec((1,), lambda i: (0,))],
        out_specs=pl.BlockSpec((1,), lambda i: (0,)),
    )(x, jnp.full((1,), n, jnp.int32))
    return made[0]


def begin(out):
    @pl.when(pl.program_id(0) == 0)
    def _():
        out[...] = jnp.zeros_like(out)


def masked_kernel(x, n, out):
    begin(out)
    there = pl.program_id(0) * BLOCK + jnp.arange(BLOCK) < n[0]
    out[...] += jnp.where(there, x[...], 0).sum(keepdims=True)


def unmasked_kernel(x, n, out):
    begin(out)
    out[...] += x[...].sum(keepdims=True)


def last_block_kernel(x, n, out):
    there = pl.program_id(0) * BLOCK + jnp.arange(BLOCK) < n[0]
    out[...] = jnp.where(there, x[...], 0).sum(keepdims=True)


def by_blocks(x):
    return launched(masked_kernel, x)


def without_a_mask(x):
    return launched(unmasked_kernel, x)


def of_the_last_block(x):
    return launched(last_block_kernel, x)


def cell(function):
    made = implementation_of(total.name, total.signature, function, "pallas", dtypes=(torch.float32,))
    return Cell(PROPERTIES["agreement"], total, made, "cpu", "float32")


@pytest.mark.parametrize(
    ("function", "is_wrong"), [(by_blocks, False), (without_a_mask, True), (of_the_last_block, True)]
)
def test_kernels_are_interpreted_wrong_ones_found_and_right_ones_left_in_peace(function, is_wrong):
    assert explore(cell(function), plan(total, 8, 0)).verdict.failing is is_wrong


def test_what_is_read_beyond_the_end_is_seen_and_its_script_interprets_the_kernel_too(tmp_path):
    found = outcome(cell(without_a_mask), 8, 0).counterexample
    assert found.case["sizes"]["n"] % BLOCK
    assert any(math.isnan(entry) for cutout in found.results for row in cutout.values for entry in row)
    assert "import harness" not in found.script and "force_tpu_interpret_mode" in found.script
    assert printed_difference(ran(found.script, tmp_path)) > 0


def test_nobody_else_is_changed_by_it():
    assert cell(by_blocks).implementation.ready(jnp.ones(3)) == 3
    with pytest.raises(ValueError, match="Only interpret mode"):
        by_blocks(jnp.ones(3))
