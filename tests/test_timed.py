"""`harness.timed`: pytest-benchmark's own items, fixture and options, in a test module of somebody's own."""

import json

import pytest
from jaxtyping import Float
from torch import Tensor

import harness
from harness.bench.ladder import chosen, ladder_points
from harness.errors import DeclarationError, HarnessError
from harness.operations.linear import linear
from tests.command_line import surroundings
from tests.forkserver import HEAVY, SECONDS, server

MODULE = '''
import harness
import torch
from jaxtyping import Float
from torch import Tensor


@harness.operation
def plus(x: Float[Tensor, "batch d"], y: Float[Tensor, "batch d"]) -> Float[Tensor, "batch d"]:
    """x + y."""
    return x + y


plus.implementation(torch.add, backend="torch", name="added")


@plus.implementation(backend="numpy")
def with_numpy(x, y):
    return x + y


@plus.implementation
def forgetful(x, y):
    return x if x.shape[1] > 100 else x + y


@plus.implementation
def raising(x, y):
    raise ValueError("no \\x1b[31m way")


@plus.implementation
def declining(x, y):
    raise harness.Unsupported("it takes no \\x1b[31m such sizes")


test_times = harness.timed(plus, sizes={"batch": 2, "d": (10, 1000)})
test_doubles = harness.timed(plus, sizes={"batch": 2, "d": 10}, dtype="float64")


def test_of_another_kind():
    pass
'''

SMALL, LARGE = "batch=2, d=10", "batch=2, d=1000"
RIGHT = [
    *(f"test_doubles[plus/{name}[{SMALL}, float64]]" for name in ("added", "definition", "forgetful", "with_numpy")),
    *(f"test_times[plus/{name}[{LARGE}]]" for name in ("added", "definition", "with_numpy")),
    *(f"test_times[plus/{name}[{SMALL}]]" for name in ("added", "definition", "forgetful", "with_numpy")),
]


def ask(folder, *options):
    """Run pytest, with all its plugins, on the module in its folder."""
    (folder / "test_mine.py").write_text(MODULE)
    (folder / "pytest.ini").write_text("[pytest]\nfilterwarnings = error::pytest.PytestWarning\n")
    words = ("-m", "pytest", "-v", "-rfs", "-p", "no:cacheprovider", "--benchmark-max-time=0.001", *options)
    return server(*HEAVY).run(words, folder, surroundings(COLUMNS="200", NO_COLOR="1"), SECONDS)


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A folder with a stored run, and what pytest said of it."""
    folder = tmp_path_factory.mktemp("timed")
    return folder, ask(folder, "--benchmark-only", "--benchmark-save=before")


def stored(folder):
    (file,) = (folder / ".benchmarks").rglob("*_before.json")
    return json.loads(file.read_text())["benchmarks"]


def test_every_implementation_is_timed_at_every_point_where_it_is_right(kept):
    folder, answer = kept
    found = stored(folder)
    assert sorted(each["name"] for each in found) == sorted(RIGHT)
    assert all(each["stats"]["rounds"] >= 5 and each["stats"]["min"] > 0 for each in found)
    assert {each["extra_info"]["verdict"] for each in found} <= {"exact", "rounding"}
    assert "4 failed, 11 passed, 4 skipped" in answer.stdout and answer.returncode == 1  # one is of another kind


def test_an_item_s_group_is_its_operation_and_point(kept):
    folder, answer = kept
    assert {each["group"] for each in stored(folder)} == {f"plus {SMALL}", f"plus {LARGE}", f"plus {SMALL}, float64"}
    assert f"benchmark 'plus {LARGE}': 3 tests" in answer.stdout


def test_what_else_tells_items_apart_is_a_parameter_in_words(kept):
    folder, _ = kept
    (one,) = [each for each in stored(folder) if each["name"] == f"test_times[plus/added[{SMALL}]]"]
    assert one["params"] == {"implementation": "added", "point": SMALL, "device": "cpu", "dtype": "float32"}


def test_what_is_wrong_or_raises_fails_with_its_verdict(kept):
    _, answer = kept
    told = answer.stdout
    assert f"test_times[plus/forgetful[{SMALL}]] PASSED" in told
    assert f"test_times[plus/forgetful[{LARGE}]] FAILED" in told
    assert "plus/forgetful is wrong (cpu, float32): against the oracle: off by" in told
    assert "plus/raising is error (cpu, float32): test_mine.py: raising: it raised ValueError" in told
    assert "Traceback" not in told and "not used at all" not in told and "\x1b" not in told


def test_what_declines_is_skipped_with_its_reason(kept):
    _, answer = kept
    assert f"test_times[plus/declining[{SMALL}]] SKIPPED" in answer.stdout
    assert r"it takes no \x1b[31m such sizes" in answer.stdout


def test_a_stored_run_is_compared_with_the_next(kept):
    folder, _ = kept
    answer = ask(folder, "--benchmark-only", "--benchmark-compare", "--benchmark-group-by=fullname", "-k", "plus/added")
    assert answer.returncode == 0 and "Comparing against benchmarks from" in answer.stderr
    assert f"benchmark 'test_mine.py::test_times[plus/added[{LARGE}]]': 2 tests" in answer.stdout


def test_they_are_skipped_where_benchmarks_are(tmp_path):
    answer = ask(tmp_path, "--benchmark-skip")
    assert answer.returncode == 0 and "1 passed, 18 skipped" in answer.stdout


def test_they_are_verified_where_timing_is_disabled(tmp_path):
    answer = ask(tmp_path, "--benchmark-disable")
    assert "4 failed, 12 passed, 3 skipped" in answer.stdout and "tests" not in answer.stdout.partition("FAILURES")[2]


def test_the_plugin_s_own_options_leave_items_out(tmp_path):
    answer = ask(tmp_path, "--benchmark-disable", "--harness-dtype=float64")
    assert (
        "1 failed, 5 passed, 13 skipped" in answer.stdout and "--harness-dtype asks for float64 alone" in answer.stdout
    )


# which items there are


def names(test):
    (mark,) = [each for each in test.pytestmark if each.name == "parametrize"]
    return mark.kwargs["ids"]


def test_without_sizes_it_is_the_ladder_that_the_bench_climbs():
    asked = names(harness.timed(linear, devices=["cpu"]))
    assert len(set(asked)) == len(asked)
    assert {each for each in asked if "/definition[" in each} == {
        f"linear/definition[{point.name}]" for point in ladder_points(linear)
    }


def test_one_value_stays_and_several_climb():
    base = ladder_points(linear)[0].sizes
    found = chosen(linear, {"batch": 3, "inputs": (5, 7), "outputs": [2, 4]})
    assert [dict(each.sizes) for each in found] == [
        {**base, "batch": 3, "inputs": 5},
        {**base, "batch": 3, "inputs": 7},
        {**base, "batch": 3, "outputs": 2},
        {**base, "batch": 3, "outputs": 4},
    ]
    assert [each.sizes["batch"] for each in chosen(linear, {"batch inputs": 10_000})] == [10_000]


@harness.operation(sizes={"d": (2, 9)}, where=lambda d, twice: twice or d % 2 == 0)
def scaled(x: Float[Tensor, "batch d"], twice: bool) -> Float[Tensor, "batch d"]:
    """x, or twice as much."""
    return x * (2 if twice else 1)


def test_sizes_may_be_larger_than_what_is_verified_and_options_climb_too():
    found = chosen(scaled, {"batch": 1, "d": 1000, "twice": (False, True)})
    assert [each.name for each in found] == ["batch=1, d=1000, twice=False", "batch=1, d=1000, twice=True"]


@pytest.mark.parametrize(
    ("sizes", "told"),
    [
        ({"bath": 3}, "sizes= climbs in 'bath', which is no size or option of scaled; did you mean batch"),
        ({"d": ()}, r"sizes= gives \(\) for 'd'; write the values"),
        ({"d": (4, 2.5)}, "gives 2.5 for 'd', where a size is a whole number"),
        ({"d": 1}, "sizes= asks scaled at batch=32, d=1, twice=.*: d=1 is no whole number from 2"),
        ({"twice": "thrice"}, "twice='thrice' is not declared"),
        ({"d": 5, "twice": False}, "where= rejects it"),
    ],
)
def test_points_that_the_operation_does_not_have_are_refused(sizes, told):
    with pytest.raises(DeclarationError, match=told):
        harness.timed(scaled, sizes=sizes)


@pytest.mark.parametrize(
    ("options", "told"),
    [({"devices": ["cuda:7"]}, "cuda:7.* is not here"), ({"dtype": "float12"}, "float12"), ({"dtype": "tf32"}, "tf32")],
)
def test_a_device_or_dtype_that_is_not_there_is_refused(options, told):
    with pytest.raises(HarnessError, match=told):
        harness.timed(scaled, **{"devices": ["cpu"], **options})
