"""Cases: sizes, patterns, layouts, coverage, and rebuilding from recorded parameters."""

import hashlib
import importlib
import json
import math
import os
import subprocess
import sys
import zlib
from types import SimpleNamespace
from typing import Literal

import numpy as np
import pytest
import torch
from jaxtyping import Float
from torch import Tensor

import harness
from harness.declare.implementation import implementation_of
from harness.declare.structure import RandomSource
from harness.execute.outcome import outcome
from harness.generate.case import Call
from harness.generate.layouts import LAYOUTS, Layout, layouts_for
from harness.generate.memory import Memory, forget
from harness.generate.patterns import PATTERNS, SPECIAL, patterns_for
from harness.generate.plan import Coverage, at_every_size, coverage, covering_array, essential, plan
from harness.generate.shapes import BETWEEN, EDGES, LARGEST_ALONE, corners
from harness.generate.strategy import THRESHOLDS, fits
from harness.operations.linear import linear
from harness.verify.cell import Cell
from tests.verdicts import PROPERTIES

Quarter = Literal[1, 2, 3, 4]


@harness.operation
def affine(
    x: Float[Tensor, "batch a b"], y: Float[Tensor, "a b"], one: bool, two: bool, three: bool
) -> Float[Tensor, "batch a b"]:
    """x + y."""
    return x + y


def bits(case):
    made = case.call()
    raw = b"".join(
        tensor.clone(memory_format=torch.contiguous_format).reshape(-1).view(torch.uint8).numpy().tobytes()
        for tensor in made.arguments.values()
    )
    return hashlib.sha256(raw).hexdigest()


def test_the_same_seed_draws_the_same_plan_and_another_seed_another():
    first = [case.record() for case in plan(affine, 40, 3)]
    plan.cache_clear()
    assert first == [case.record() for case in plan(affine, 40, 3)]
    assert first != [case.record() for case in plan(affine, 40, 4)]


def test_a_plan_does_not_depend_on_what_is_imported(tmp_path, monkeypatch):
    """Hypothesis would draw the constants of this module."""
    first = [case.record() for case in plan(affine, 200, 3)]
    (tmp_path / "constants.py").write_text(f"SEEN = {[*range(100, 60_000, 99)]}")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(sys.modules, "constants", importlib.import_module("constants"))
    plan.cache_clear()
    assert first == [case.record() for case in plan(affine, 200, 3)]


PLANS = """
from harness.catalogue import catalogue
from harness.generate.shapes import corners
from harness.generate.plan import at_every_size, plan
for name, operation in catalogue().items():
    print(name, *(case.record() for case in (*plan(operation, 40, 0), *at_every_size(operation)[:9])), sep="|")
"""


def test_the_plans_of_all_operations_are_the_same_in_every_process():
    """Python gives strings, and so the order of sets of them, another hash in every process."""
    told = [
        subprocess.run(
            [sys.executable, "-c", PLANS], env={**os.environ, "PYTHONHASHSEED": each}, capture_output=True, check=True
        ).stdout
        for each in ("2", "3")  # by which the order of two names differs
    ]
    assert told[0].count(b"\n") > 40
    for one, other in zip(*(each.splitlines() for each in told), strict=True):
        assert one == other


@pytest.mark.parametrize("dtype", ["float64", "float32", "bfloat16", "float16"])
def test_a_case_is_rebuilt_from_its_record_with_the_same_bits(dtype):
    for planned in plan(affine, 30, 0):
        for layout in (*LAYOUTS, "reversed", "transposed:y", "expanded:x:2"):
            case = planned.replace(dtype=dtype, layout=layout)
            again = harness.Case.rebuild(json.loads(json.dumps(case.record())), {"affine": affine})
            assert bits(again) == bits(case)


def test_the_bits_are_the_same_on_every_machine():
    """Made by integer and power-of-two arithmetic alone, so this summary holds for any numpy, torch and processor."""
    summaries = [
        bits(
            harness.Case(
                affine, {"batch": 3, "a": 4, "b": 5}, dict.fromkeys(("one", "two", "three"), False), pattern, seed=11
            )
        )
        for pattern in PATTERNS
    ]
    assert hashlib.sha256("".join(summaries).encode()).hexdigest()[:12] == BITS


BITS = "5728c1cf50d8"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"operation": "gone"}, "no such operation here"),
        ({"pattern": "zebra"}, "does not fit"),
        ({"sizes": {"batch": 1}}, "does not fit"),
        ({"colour": 3}, "does not fit"),
        ({"layout": "zebra"}, "does not fit"),
        ({"layout": "transposed:z"}, "does not fit"),
    ],
)
def test_a_record_that_does_not_fit_any_more_is_refused(change, words):
    record = plan(affine, 2, 0)[0].record() | change
    with pytest.raises(harness.HarnessError, match=words):
        harness.Case.rebuild(record, {"affine": affine})


def test_sizes_come_from_thresholds_two_long_axes_at_a_time():
    drawn = plan(linear, 300, 0)
    sizes = [tuple(case.sizes.values()) for case in drawn[len(essential(linear)) :]]
    assert all(size in THRESHOLDS for case in sizes for size in case)
    assert max(map(max, sizes)) >= 1000
    assert {sum(size > 9 for size in case) for case in sizes} == {0, 1, 2}
    assert all(fits(case) for case in drawn)
    assert len({case.key for case in drawn}) == len(drawn)


def test_a_short_plan_meets_equal_axes_and_each_axis_long_among_others_that_matter():
    short = [case.sizes for case in plan(linear, 12, 0)]
    assert any(len({*sizes.values()}) == 1 and sizes["batch"] > 1 for sizes in short)
    for operation in (linear, harness.catalogue()["conv2d_circular"]):
        for name in operation.sizes:
            assert (
                any(case.sizes[name] == 33 and 1 not in case.sizes.values() for case in plan(operation, 16, 0))
                or operation.sizes[name][1] < 33
            ), (operation, name)


@harness.operation(sizes={"n": (1, 6000), "m": (2, 40)})
def outer(x: Float[Tensor, "batch n"], y: Float[Tensor, "batch m"], flag: bool) -> Float[Tensor, "batch n m"]:
    """Every product of x and y."""
    return x[:, :, None] * y[:, None]


def test_every_axis_meets_both_sides_of_every_size_at_which_code_changes_its_path():
    for operation in (outer, linear):
        met = {name: {case.sizes[name] for case in at_every_size(operation)} for name in operation.sizes}
        for name, (_, high) in operation.sizes.items():
            edges = {size for edge in EDGES for size in (edge, edge + 1) if size <= high}
            assert edges | {size for size in BETWEEN if size <= high} | {high} <= met[name], (operation, name)


def test_every_two_axes_are_long_at_once_and_all_of_them():
    cases = [case.sizes for case in at_every_size(linear)]
    for one, other in (("batch", "inputs"), ("batch", "outputs"), ("inputs", "outputs")):
        assert any(sizes[one] > 128 and sizes[other] >= 128 for sizes in cases)
    assert any(min(sizes.values()) > 32 for sizes in cases)
    assert any(sizes["n"] > 32 and sizes["m"] > 32 for sizes in (case.sizes for case in at_every_size(outer)))


def test_an_axis_that_may_be_longer_than_a_case_can_hold_is_as_long_as_it_can():
    @harness.operation(sizes={"n": (1, 10**12)})
    def total(x: Float[Tensor, "n"]) -> Float[Tensor, ""]:
        """The sum."""
        return x.sum()

    assert max(case.sizes["n"] for case in at_every_size(total)) == 4097 < LARGEST_ALONE


def test_where_the_smallest_case_is_large_others_may_be_about_as_large():
    @harness.operation
    def pictures(x: Float[Tensor, "batch 3 224 224"]) -> Float[Tensor, "batch 3"]:
        """The mean of each channel."""
        return x.mean((-2, -1))

    assert {case.sizes["batch"] for case in plan(pictures, 20, 0)} == {1, 2}


def test_special_shapes_meet_every_option_and_one_another():
    cases = [(case.sizes, case.options) for case in essential(outer)]
    for flag in (False, True):
        assert any(len({*sizes.values()}) == 1 and options["flag"] is flag for sizes, options in cases)
        for name in ("batch", "n"):
            assert any(sizes[name] == 1 and options["flag"] is flag for sizes, options in cases)
    assert any(sizes["batch"] == sizes["n"] == 1 for sizes, _ in cases)
    assert any(sizes["n"] % sizes["m"] == 0 and sizes["n"] > sizes["m"] for sizes, _ in cases)
    assert any(len({*sizes.values()}) == 3 and min(sizes.values()) > 4 for sizes, _ in cases[:1])


@pytest.mark.parametrize("operation", [outer, linear, affine], ids=lambda operation: operation.name)
def test_each_special_shape_is_the_one_that_adds_most_to_those_before_it(operation):
    bases = covering_array(operation)
    chosen = corners(bases, bases)
    assert len(chosen) > 1
    for count in range(len(chosen) + 1):
        assert corners(bases, (*bases, *chosen[:count])) == chosen[count:]


def test_what_is_done_with_every_nth_case_meets_the_plan_evenly():
    drawn = plan(linear, 48, 0)
    assert [case.turn for case in drawn] == [*range(48)]
    assert {case.seed % 4 for case in drawn[::4]} == {0, 1, 2, 3}, "what the seed decides goes its own way"


def test_a_plan_covers_every_pair_of_options_and_patterns():
    drawn = plan(affine, 64, 0)
    pairs, triples = coverage(affine, drawn, 2), coverage(affine, drawn, 3)
    assert pairs.met == pairs.total == 3 * 4 + 3 * 2 * len(patterns_for(affine))
    assert 0.9 <= triples.share <= 1
    assert coverage(affine, drawn[:2], 2).share < 0.5


def test_a_stream_gives_the_words_of_its_own_philox_whoever_draws_between():
    stream, other = RandomSource((3,), {}, 7, "x"), RandomSource((3,), {}, 7, "y")
    philox = np.random.Philox(key=[7, zlib.crc32(b"x")])
    for count in (1, 4, 0, 6, 3, 2):
        other.words((5,))
        assert np.array_equal(stream.words((count,)), philox.random_raw(count))


@pytest.mark.parametrize("name", {**PATTERNS, **SPECIAL})
def test_patterns_are_what_they_say(name):
    def filled(argument):
        return {**PATTERNS, **SPECIAL}[name](RandomSource((40, 10), {}, 5, argument), torch.finfo(torch.float32))

    values, other = filled(name), filled("another")
    assert values.shape == (40, 10) and values.dtype == np.float64
    finite = values[np.isfinite(values)]
    assert (finite.size < values.size) == (name == "nonfinite")
    facts = {
        "normal": abs(finite.mean()) < 0.2 and 0.9 < finite.std() < 1.1,
        "integers": np.array_equal(values, values.round()) and np.abs(values).max() == 4,
        "constant": np.unique(values).size == 1,
        "sparse": 0.6 < (values == 0).mean() < 0.9,
        "offset": 96 < np.abs(finite).min() < np.abs(finite).max() < 104 and (values * other > 0).all(),
        "magnitudes": np.abs(values[values != 0]).max() / np.abs(values[values != 0]).min() > 1e4,
        "dominant": np.sort(np.abs(values).ravel())[-1] > 50 * np.sort(np.abs(values).ravel())[-2],
        "subnormal": (np.abs(values) < torch.finfo(torch.float32).smallest_normal).all(),
        "equal": np.array_equal(values, other),
        "partly_equal": np.array_equal(values[::2], other[::2]) and (values == other).mean() == 0.5,
        "repeated": np.array_equal(values[-1], values[0]) and np.array_equal(values[:, -1], values[:, 0]),
        "signed_zeros": 0.5 < (values == 0).mean() < 0.8 and 0.3 < np.signbit(values[values == 0]).mean() < 0.7,
        "nonfinite": not np.isfinite(values).all(),
        "few_ones": np.isin(values, (-1, 0, 1)).all() and 0.3 < (values != 0).mean() < 0.7,
        "many_ones": np.isin(values, (-1, 1)).all() and 0 < values.mean() < 1,
    }
    assert facts[name]


@pytest.mark.parametrize("name", LAYOUTS)
@pytest.mark.parametrize("shape", [(3, 4), (2, 3, 4, 5), (5,), (), (0, 3), (1, 1)])
def test_layouts_keep_values_and_change_memory(name, shape):
    tensor = torch.randn(shape)
    if name == "expanded" and tensor.ndim and tensor.shape[0]:
        tensor = tensor[:1].expand(shape).clone()
    made = LAYOUTS[name](tensor)
    assert torch.equal(made, tensor)
    assert made.data_ptr() != tensor.data_ptr() or tensor.numel() == 0
    if min(shape, default=0) > 2 and len(shape) > 2 and name != "contiguous":
        assert not made.is_contiguous() or made.storage_offset()


@pytest.mark.parametrize(
    ("name", "strides", "offset"),
    [
        ("contiguous", (12, 4, 1), 0),
        ("transposed", (1, 2, 6), 0),
        ("channels_last", (12, 1, 3), 0),
        ("strided", (24, 8, 2), 0),
        ("offset", (12, 4, 1), 3),
        ("expanded", (0, 4, 1), 0),
    ],
)
def test_each_layout_has_its_strides(name, strides, offset):
    made = LAYOUTS[name](torch.arange(12.0).reshape(1, 3, 4).repeat(2, 1, 1))
    assert made.stride() == strides and made.storage_offset() == offset


def test_an_argument_whose_rows_differ_is_not_expanded():
    assert LAYOUTS["expanded"](torch.arange(12.0).reshape(3, 4)).stride() == (4, 1)


def test_one_argument_alone_has_a_layout():
    case = harness.Case(affine, {"batch": 2, "a": 3, "b": 4}, dict.fromkeys(("one", "two", "three"), False))
    call = case.replace(layout="transposed:y").call()
    assert call.arguments["x"].is_contiguous() and call.arguments["y"].stride() == (1, 3)
    call = case.replace(layout="expanded:x:1").call()
    assert call.arguments["x"].stride() == (4, 0, 1) and call.arguments["y"].is_contiguous()
    assert case.replace(layout="expanded:x:1").key != case.key == case.replace(layout="transposed:y").key
    assert Layout.parse("expanded:x:1").words == "x expanded along axis 1"


def test_arrays_of_numpy_get_negative_strides_and_tensors_decline():
    seen = []

    def read(x, y, **_):
        seen.append((x.strides, y.strides))
        return x + y

    case = harness.Case(affine, {"batch": 2, "a": 3, "b": 4}, dict.fromkeys(("one", "two", "three"), False))
    subject = harness.Subject(affine, implementation_of("affine", affine.signature, read, "numpy"))
    assert torch.equal(subject(case.replace(layout="reversed:x"))[0], subject(case)[0])
    assert seen == [((-96, -32, -8), (32, 8)), ((96, 32, 8), (32, 8))]
    with pytest.raises(harness.Unsupported, match="torch has no negative strides"):
        harness.Subject(affine, affine.own)(case.replace(layout="reversed"))


def test_every_layout_of_a_call_is_listed_of_all_arguments_and_of_each():
    words = layouts_for((("x", 3), ("b", 1)))
    assert {"transposed", "expanded", "reversed", "transposed:x", "expanded:x:2", "expanded:b:0"} <= {*words}
    assert not {"transposed:b", "channels_last:b", "contiguous", "expanded:b:1"} & {*words}
    assert layouts_for((("x", 2),)) == (
        "transposed",
        "strided",
        "offset",
        "guarded",
        "reversed",
        "expanded",
        "expanded:x:0",
        "expanded:x:1",
    )


def test_a_fresh_call_keeps_strides_and_shares_no_memory():
    for layout in LAYOUTS:
        call = harness.Case(
            affine, {"batch": 2, "a": 3, "b": 4}, dict.fromkeys(("one", "two", "three"), False), layout=layout
        ).call()
        fresh = call.fresh()
        for name, tensor in call.arguments.items():
            assert fresh.arguments[name].stride() == tensor.stride()
            assert fresh.arguments[name].data_ptr() != tensor.data_ptr()
            assert torch.equal(fresh.arguments[name], tensor)


def test_samples_are_taken_along_every_batch_axis():
    call = harness.Case(linear, {"batch": 5, "inputs": 2, "outputs": 3}).call()
    taken = call.take([3, 0])
    assert torch.equal(taken.arguments["x"], call.arguments["x"][[3, 0]])
    assert torch.equal(taken.arguments["W"], call.arguments["W"])
    assert call.batch_size == 5 and taken.batch_size == 2


def test_a_stream_without_axes_gives_arrays():
    stream = RandomSource((), {}, 0, "x")
    assert all(isinstance(each, np.ndarray) for each in (stream.uniform(), stream.normal(), stream.integers(0, 4)))


def test_an_argument_may_have_no_axes():
    @harness.operation
    def shifted(x: Float[Tensor, "batch d"], by: Float[Tensor, ""]) -> Float[Tensor, "batch d"]:
        """x + by."""
        return x + by

    case = plan(shifted, 1, 0)[0]
    assert case.tensors["by"].shape == case.call().arguments["by"].shape == ()
    assert harness.check(lambda x, by: by + x, like=shifted, examples=8, dtypes=["float32"])


def test_a_few_cases_see_every_value_of_an_option():
    pooling = harness.catalogue()["pool_then_decode"]
    assert {case.options["pooling"] for case in plan(pooling, 12, 0)} == set(pooling.options["pooling"].values)


def test_what_moves_data_meets_zeros_of_both_signs_and_keeps_them():
    @harness.operation
    def turned(x: Float[Tensor, "n m"], flip: bool) -> Float[Tensor, "m n"]:
        """x transposed, and flipped where asked."""
        return x.flip(0).T if flip else x.T

    turned.implementation(lambda x, flip: (x.flip(0) if flip else x).permute(1, 0), name="permuted")
    turned.implementation(lambda x, flip: (x.flip(0) if flip else x).T + 0.0, name="added_to")
    assert "signed_zeros" in patterns_for(turned) and turned.moves_data
    assert "signed_zeros" not in patterns_for(linear) and not linear.moves_data
    case = next(case for case in plan(turned, 48, 0) if case.pattern == "signed_zeros" and case.entries > 9)
    x = case.tensors["x"]
    assert {math.copysign(1, value) for value in x[x == 0].tolist()} == {1, -1}
    verdicts = {
        name: outcome(Cell(PROPERTIES["agreement"], turned, turned.implementations[name], "cpu", "float32"), 48, 0)
        for name in ("permuted", "added_to")
    }
    assert {name: found.verdict for name, found in verdicts.items()} == {"permuted": "exact", "added_to": "rounding"}


def test_impossible_combinations_are_left_out():
    @harness.operation(sizes={"d": (1, 4)}, where=lambda d, wide, first: not (wide and first))
    def chosen(x: Float[Tensor, "batch d"], wide: bool, first: bool, last: bool) -> Float[Tensor, "batch d"]:
        """x, whatever the options."""
        return x * 1

    array = covering_array(chosen)
    assert not any(case.options["wide"] and case.options["first"] for case in array)
    pairs, triples = coverage(chosen, array, 2), coverage(chosen, array, 3)
    assert (triples.met, triples.total) == (6, 6)
    assert pairs.met == pairs.total == 3 + 4 + 4 + 3 * 2 * len(patterns_for(chosen))


def test_every_triple_of_options_is_met():
    @harness.operation
    def many(x: Float[Tensor, "batch d"], a: Quarter, b: Quarter, c: Quarter) -> Float[Tensor, "batch d"]:
        """x, whatever the options."""
        return x * 1

    array = covering_array(many)
    assert coverage(many, array, 3) == Coverage(3, 4**3, 4**3)
    assert len(array) <= 1.25 * 4**3


@pytest.mark.parametrize("layout", [*LAYOUTS, "expanded:x:1"])
def test_a_fresh_call_keeps_strides_and_offset(layout):
    rows = torch.arange(24.0).reshape(2, 3, 4)
    tensor = Layout.parse(layout).laid_out({"x": rows[:, :1].expand(2, 3, 4) if "x" in layout else rows})["x"]
    call = Call(linear, {"x": tensor}, {})
    fresh = call.fresh().arguments["x"]
    assert (fresh.stride(), fresh.storage_offset()) == (tensor.stride(), tensor.storage_offset())
    assert torch.equal(fresh, tensor) and fresh.data_ptr() != tensor.data_ptr()


@pytest.mark.parametrize("dtype", ["float64", "float32", "bfloat16", "float16"])
def test_a_nudge_moves_by_its_reach_and_is_rebuilt(dtype):
    case = plan(linear, 30, 0)[-1].replace(dtype=dtype, pattern="normal")
    plain, nudged, other = (case.replace(nudge=nudge, reach=1 / 64).tensors["W"].double() for nudge in (0, 1, 2))
    moved = (nudged - plain).abs() / plain.abs()
    assert 1 / 512 < moved.max() <= 1 / 64 + torch.finfo(getattr(torch, dtype)).eps and not torch.equal(nudged, other)
    again = harness.Case.rebuild(case.replace(nudge=1, reach=1 / 64).record(), {"linear": linear})
    assert torch.equal(again.tensors["W"].double(), nudged)


class Made:
    """Makes what a memory is asked to recall, and keeps for what."""

    def __init__(self, most_bytes):
        self.memory, self.keys = Memory(most_bytes), []

    def recall(self, key):
        self.memory.recall(key, lambda: self.keys.append(key) or SimpleNamespace(nbytes=2**20))


def test_what_is_forgotten_is_made_anew():
    made = Made(2**30)
    for key in ("one", "another", "one"):
        made.recall(key)
    forget()
    made.recall("one")
    assert made.keys == ["one", "another", "one"]


def test_memory_stays_within_its_bound_before_and_after_something_is_forgotten():
    made = Made(3 * 2**20)  # two fit beside what an entry takes itself
    for _ in range(2):
        for key in (0, 1, 2, 2, 1, 0):
            made.recall(key)
        forget()
    assert made.keys == 2 * [0, 1, 2, 0]
