"""Memory that is not a call's own: what is read, written or left unwritten there is found, and right code is left in peace."""

import pytest
import torch
from jaxtyping import Float
from torch import Tensor

import harness
from harness.declare.implementation import implementation_of
from harness.execute.outcome import outcome
from harness.generate.layouts import LAYOUTS
from harness.generate.plan import plan
from harness.measure.verdict import Verdict
from harness.verify.cell import Cell
from harness.verify.exploration import explore
from harness.verify.filled_memory import filled_memory
from tests.verdicts import PROPERTIES


@harness.operation(sizes={"n": (1, 300)})
def doubled(x: Float[Tensor, "batch n"]) -> Float[Tensor, "batch n"]:
    """2 x."""
    return 2 * x


def leaves_the_tail(x):
    made = torch.empty_like(x)
    whole = x.shape[1] // 32 * 32 if x.shape[1] > 32 else x.shape[1]
    made[:, :whole] = 2 * x[:, :whole]
    return made


def _from_its_beginning(x, count):
    """So many entries from the beginning of x on, as far as its buffer goes, as a kernel without a mask takes them."""
    room = len(harness.whole_memory(x)) - x.storage_offset()
    return torch.as_strided(x, (min(count, room),), (1,), x.storage_offset())


def reads_whole_blocks(x):
    return 2 * x + 0 * _from_its_beginning(x, -(-x.numel() // 32) * 32).sum()


def writes_beyond(x):
    if x.is_contiguous():
        _from_its_beginning(x, x.numel() + 1)[x.numel() :].fill_(3)
    return 2 * x


def by_blocks(x):
    made = torch.empty_like(x)
    for first in range(0, x.shape[1], 32):
        made[:, first : first + 32] = 2 * x[:, first : first + 32]
    return made


def found(prop, function):
    made = implementation_of("doubled", doubled.signature, function, "torch")
    return outcome(Cell(PROPERTIES[prop], doubled, made, "cpu", "float32"), 24, 0)


@pytest.mark.parametrize(
    ("prop", "function", "cause"),
    [
        ("uninitialised_memory", leaves_the_tail, "it leaves entries of its result as they were allocated"),
        ("agreement", reads_whole_blocks, "it reads memory outside its argument x"),
        ("layouts", reads_whole_blocks, "it reads memory outside its argument x"),
        ("inputs_unmodified", writes_beyond, "it writes to memory outside its argument x"),
    ],
)
def test_what_is_read_written_or_left_outside_is_found_and_told(prop, function, cause):
    told = found(prop, function)
    assert told.verdict == "wrong"
    assert str(told.counterexample.diagnosis).startswith(cause)


def test_what_was_in_memory_is_told_whatever_it_does_to_the_noise_floor():
    """A definition of which the largest part is what lay in memory has no digit to compare."""

    @harness.operation(sizes={"n": (1, 3)})
    def resized(x: Float[Tensor, "n"]) -> Float[Tensor, "600"]:
        """x, and whatever follows it in memory."""
        return x.clone().resize_(600)

    told = PROPERTIES["uninitialised_memory"]
    done = explore(Cell(told, resized, resized.own, "cpu", "float32"), plan(resized, 24, 0))
    assert done.verdict is Verdict.WRONG
    assert done.worst.comparison.label == "result 0 holds no NaN of fresh memory"


@pytest.mark.parametrize("prop", ["agreement", "uninitialised_memory", "inputs_unmodified", "layouts"])
def test_who_keeps_to_its_memory_is_right(prop):
    assert found(prop, by_blocks).verdict == "exact"


def test_the_script_looks_at_what_lies_around():
    script = found("inputs_unmodified", writes_beyond).counterexample.script
    assert "torch.full((" in script and ".as_strided((" in script


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.int64, torch.bool, torch.complex64])
def test_a_guarded_tensor_is_contiguous_aligned_and_amid_what_shows(dtype):
    tensor = torch.tensor([[1, 0, 1], [0, 1, 1]]).to(dtype)
    laid = LAYOUTS["guarded"](tensor)
    assert torch.equal(laid, tensor) and laid.is_contiguous() and laid.data_ptr() % 64 == 0
    around = harness.whole_memory(laid)
    before, behind = around[: laid.storage_offset()], around[laid.storage_offset() + 6 :]
    assert len(before) == len(behind) >= 64
    amid = torch.cat([before, behind])
    shows = amid.isnan() if dtype.is_floating_point or dtype.is_complex else amid >= 1
    assert shows.all()


def test_a_copy_lies_amid_the_same():
    call = harness.Case(doubled, {"batch": 2, "n": 3}, layout="guarded").call()
    laid, copied = call.arguments["x"], call.fresh().arguments["x"]
    assert copied.data_ptr() != laid.data_ptr()
    around, copied_around = harness.whole_memory(laid), harness.whole_memory(copied)
    assert torch.equal(around.isnan(), copied_around.isnan()) and around.isnan().any()


def test_fresh_memory_is_filled_and_the_switch_put_back():
    before = torch.get_deterministic_debug_mode()
    with filled_memory():
        assert torch.empty(7).isnan().all()
        assert (torch.empty(7, dtype=torch.int32) == torch.iinfo(torch.int32).max).all()
    assert torch.get_deterministic_debug_mode() == before
