"""Ladders: the sizes that are timed, what they cost at the least, and workloads that fit no operation."""

import pytest
from jaxtyping import Float
from torch import Tensor

import harness
from harness.bench.ladder import ladder_points, workload
from harness.errors import DeclarationError, HarnessError

LINEAR = harness.catalogue()["linear"]


def small():
    @harness.operation(sizes={"d": (1, 20)})
    def scaled(x: Float[Tensor, "batch d"], twice: bool) -> Float[Tensor, "batch d"]:
        """x, or twice as much."""
        return x * (2 if twice else 1)

    return scaled


def test_one_axis_climbs_at_a_time_and_the_common_rung_is_had_once():
    found = ladder_points(LINEAR)
    base = workload(LINEAR).sizes
    assert all(sum(each.sizes[name] != base[name] for name in base) <= 1 for each in found)
    assert len({each.name for each in found}) == len(found)
    (common,) = [each for each in found if each.sizes == base]
    assert set(common.axes) == {"batch", "inputs", "outputs"}


def test_axes_may_climb_together():
    pinv = ladder_points(harness.catalogue()["conv2d_pinv"])
    square = [each for each in pinv if "height width" in each.axes]
    assert len(square) >= 3 and all(each.sizes["height"] == each.sizes["width"] for each in square)


def test_the_least_that_must_be_done_is_counted():
    point = next(each for each in ladder_points(LINEAR) if each.sizes == {"batch": 64, "inputs": 256, "outputs": 256})
    assert point.floating_point_operations() == 2 * 64 * 256 * 256
    assert point.bytes("float32") == 4 * (64 * 256 + 256 * 256 + 256 + 64 * 256)


def test_an_operation_without_a_workload_climbs_within_its_own_bounds():
    found = ladder_points(small())
    assert {each.sizes["d"] for each in found} == {1, 4, 16, 20}
    assert found[0].floating_point_operations() is None


@pytest.mark.parametrize("operation", [each for each in harness.catalogue().values() if each.timed], ids=str)
def test_a_declared_workload_can_be_drawn(operation):
    smallest = min(ladder_points(operation), key=lambda each: each.bytes("float32"))
    assert smallest.case("cpu", "float32").call().arguments


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"sizes": {"batch": 2}}, "lacks d, twice"),
        ({"sizes": {"batch": 2, "d": 3}, "options": {"thrice": True}}, "give 'thrice', .*did you mean twice"),
        ({"sizes": {"batch": 2, "d": 3}, "options": {"twice": True}, "ladder": {"width": (1, 2)}}, "width"),
    ],
)
def test_a_workload_that_does_not_fit_is_refused_where_it_stands(wrong, told):
    with pytest.raises(DeclarationError, match=told) as refusal:
        small().workload(**wrong)(lambda d: d)
    assert "test_ladder.py" in str(refusal.value)


def test_an_operation_that_admits_no_rung_says_so():
    @harness.operation(sizes={"d": (1, 9)}, where=lambda d: d == 3)
    def three(x: Float[Tensor, "d"]) -> Float[Tensor, "d"]:
        """x, if there are three."""
        return x * 1

    with pytest.raises(HarnessError, match=r"declare some with @three\.workload"):
        ladder_points(three)
