"""Constants of a source: they are found wherever a function has them, and cases meet them on both sides."""

import functools

import pytest
import torch
from jaxtyping import Float
from torch import Tensor

import harness
from harness.declare.constants import constants_of
from harness.declare.implementation import implementation_of
from harness.execute.outcome import outcome
from harness.generate.plan import at_constants
from harness.verify.cell import Cell
from tests.verdicts import PROPERTIES

SPLIT = 1536
TILES = (48, 96)


@harness.operation(sizes={"n": (1, 5000)})
def normed(x: Float[Tensor, "batch n"]) -> Float[Tensor, "batch n"]:
    """x over its root mean square."""
    return x / (x.square().mean(1, keepdim=True) + 1e-5).sqrt()


def by_parts(x, width=SPLIT):
    """Loses its factor in the second part, where that has one entry."""
    made = normed.definition(x)
    return torch.cat([made[:, :width], 1.5 * made[:, width:]], 1) if x.shape[1] == width + 1 else made


def _tiled(x):
    return sum(TILES) * x + 0.25


def calls_its_module(x):
    return _tiled(x) if len(x) > 700 else torch.nn.functional.softplus(x)


class Kernel:
    """A kernel that an object holds, as Triton's compiler makes it."""

    def __init__(self, fn):
        self.fn = fn


launched = Kernel(lambda x, block=192: x + block)


def launches(x):
    return launched.fn(x)


def of_triton(kind, **facts):
    made = type(kind, (), {"__module__": "triton.runtime"})()
    vars(made).update(facts)
    return made


WIDTH = of_triton("constexpr", value=112)
_jitted = of_triton("JITFunction", fn=lambda x, block=176, width=WIDTH: x, starting_line_number=333)
_tuned = of_triton("Autotuner", fn=_jitted, configs=[of_triton("Config", kwargs={"BLOCK": 208})])


def launches_what_is_tuned(x):
    return _tuned[(1,)](x, SIDE=144)


def within(bound):
    return lambda x: x.clamp(max=bound)


@pytest.mark.parametrize(
    ("function", "found", "missing"),
    [
        (by_parts, {1536.0, 1.5}, {48.0}),
        (calls_its_module, {700.0, 48.0, 96.0, 0.25}, {1536.0}),
        (launches, {192.0}, {48.0}),
        (launches_what_is_tuned, {112.0, 144.0, 176.0, 208.0}, {333.0}),
        (within(77), {77.0}, set()),
        (functools.partial(by_parts, width=80), {1536.0, 80.0}, set()),
        (torch.add, set(), {1.0}),
    ],
)
def test_the_numbers_of_a_source(function, found, missing):
    numbers = constants_of(function)
    assert numbers >= found and not numbers & missing


def test_sizes_on_both_sides_of_a_number_and_values_around_it():
    cases = at_constants(normed, frozenset((1536.0, 6.25, 1e-4, 1.0)))
    assert {1535, 1536, 1537} <= {case.sizes["n"] for case in cases}
    values = [value for case in cases for value in case.values.get("x", ())]
    assert any(6.25 < value < 6.5 for value in values) and any(6 < value < 6.25 for value in values)
    small = [max(map(abs, case.values["x"])) for case in cases if case.values and max(case.values["x"]) < 0.1]
    assert any(0.01 < each < 0.1 for each in small), "the root of 1e-4"
    assert all(case.is_admitted for case in cases)


@pytest.mark.parametrize("constants", [(), (1.0, 2.0, 0.5), (33.0, 1024.0)])
def test_what_every_plan_meets_is_not_met_again(constants):
    met = at_constants(normed, frozenset(constants))
    assert not [case for case in met if case.sizes["n"] in (1, 2, 33, 1024)]


@pytest.mark.parametrize(("function", "verdict"), [(by_parts, "wrong"), (lambda x: normed.definition(x), "rounding")])
def test_a_fault_at_a_number_of_the_source_is_found(function, verdict):
    made = implementation_of("normed", normed.signature, function, "torch")
    told = outcome(Cell(PROPERTIES["agreement"], normed, made, "cpu", "float32"), 24, 0)
    assert told.verdict == verdict
    if verdict == "wrong":
        assert told.counterexample.case["sizes"]["n"] == SPLIT + 1
