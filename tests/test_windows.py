"""Windows, stacks and orders of axes: against plain Python lists, at their edges, and faults that must be found."""

import numpy as np
import pytest
import torch

import harness
from harness.operations.windows import overlap_add, sliding_windows, stack_features, to_batch_first
from tests.verdicts import explored

SERIES = [[t, 100 + t, -t] for t in range(100)]


def results(operation, options=None, **arguments):
    call = harness.Call(operation, arguments, options or {})
    for made in (operation.own, *operation.implementations.values()):
        yield made.name, harness.Subject(operation, made)(call)[0].tolist()


@pytest.mark.parametrize(("size", "stride", "count"), [(10, 10, 10), (10, 1, 91), (1, 1, 100), (7, 9, 11), (100, 3, 1)])
def test_windows_against_slices_of_a_list(size, stride, count):
    wanted = [SERIES[start : start + size] for start in range(0, len(SERIES) - size + 1, stride)]
    assert len(wanted) == count
    for name, found in results(
        sliding_windows, {"size": size, "stride": stride}, series=torch.tensor(SERIES, dtype=torch.float32)
    ):
        assert found == wanted, name


@pytest.mark.parametrize("size", [6, 20])
def test_a_window_longer_than_the_series_is_a_clear_error(size):
    series = torch.ones(5, 2)
    with pytest.raises(ValueError, match=f"a window of {size} points does not fit into a series of 5"):
        sliding_windows(series, size, 1)
    assert not sliding_windows.admits({"time": 5, "features": 2}, {"size": size, "stride": 1})
    for made in sliding_windows.implementations.values():
        with pytest.raises((ValueError, RuntimeError)):
            made.compute({"series": series}, {"size": size, "stride": 1})


@pytest.mark.parametrize("stride", [1, 2, 3, 5])
def test_overlap_add_against_a_sum_in_integers(stride):
    pieces = [[[10 * w + p] for p in range(3)] for w in range(4)]
    wanted = [0] * (3 * stride + 3)
    for w, piece in enumerate(pieces):
        for p, (value,) in enumerate(piece):
            wanted[w * stride + p] += value
    for name, found in results(overlap_add, {"stride": stride}, pieces=torch.tensor(pieces, dtype=torch.float32)):
        assert found == [[value] for value in wanted], name


def test_permuting_and_stacking_against_lists():
    x = torch.arange(24, dtype=torch.float32).reshape(4, 2, 3)
    for name, found in results(to_batch_first, x=x):
        assert found == [[x[t, b].tolist() for t in range(4)] for b in range(2)], name
    for name, found in results(stack_features, samples=x):
        assert found == [[[[value] for value in row] for row in sample] for sample in x.tolist()], name


STACKS = ("definition", *stack_features.implementations)


@pytest.mark.parametrize("name", STACKS)
@pytest.mark.parametrize("samples", [[], [torch.ones(3, 2), torch.ones(4, 2)]], ids=["empty", "ragged"])
def test_an_empty_and_a_ragged_stack_are_errors(name, samples):
    made = stack_features.find(name)
    native = [made.backend.receive(sample) for sample in samples]
    with pytest.raises(
        Exception, match=r"stack|non-empty|at least one|same shape|Sizes of tensors|dimensions|equal size"
    ):
        made.function(native)


def test_numpy_keeps_a_ragged_list_as_an_array_of_arrays():
    """The document's X.shape is (699,): the samples are objects until they are stacked."""
    ragged = np.empty(2, dtype=object)
    ragged[:] = [np.ones((3, 2)), np.ones((4, 2))]
    assert ragged.shape == (2,)
    with pytest.raises(ValueError, match="same shape"):
        np.stack(ragged)


def failing(name, operation, function, dtypes=("float64",), seed=0):
    found = [explored(name, operation, function, dtype, 32, seed) for dtype in dtypes]
    return [each for each in found if each.verdict.failing]


def stride_forgotten(series, size, stride):
    return sliding_windows.definition(series, size, 1)[: (len(series) - size) // stride + 1]


def last_window_stale(series, size, stride):
    windows = sliding_windows.definition(series, size, stride)
    return torch.cat([windows[:-1], windows[-2:-1]]) if len(windows) > 1 else windows


def pads_a_short_series(series, size, stride):
    missing = max(size - len(series), 0)
    return sliding_windows.definition(torch.cat([series, series.new_zeros(missing, series.shape[1])]), size, stride)


def detached_overlap(series, size, stride):
    windows = sliding_windows.definition(series, size, stride)
    return torch.cat([windows[:1], windows[1:].detach()])


def rounded(series, size, stride):
    return sliding_windows.definition(series, size, stride) * (1 + 2**-52)


@pytest.mark.parametrize(
    ("name", "faulty"),
    [
        ("agreement", stride_forgotten),
        ("agreement", last_window_stale),
        ("agreement", rounded),
        ("windows_of_the_document", stride_forgotten),
        ("windows_add_up_to_the_series", last_window_stale),
        ("window_too_long_is_refused", pads_a_short_series),
        ("window_gradient", detached_overlap),
    ],
)
def test_a_planted_fault_of_windows_is_found_and_right_code_passes(name, faulty):
    assert failing(name, sliding_windows, faulty)
    assert not failing(name, sliding_windows, sliding_windows.definition, ("float64", "bfloat16", "float16"))


def last_write_wins(pieces, stride):
    series = torch.zeros_like(overlap_add.definition(pieces, stride))
    for number, piece in enumerate(pieces):
        series[number * stride : number * stride + len(piece)] = piece
    return series


def viewed(x):
    return x.reshape(x.shape[1], x.shape[0], x.shape[2])


def flipped(x):
    return x.permute(1, 0, 2).flip(0)


def sorted_stack(samples):
    return samples.flip(0)[..., None]


@pytest.mark.parametrize(
    ("name", "operation", "faulty"),
    [
        ("agreement", overlap_add, last_write_wins),
        ("overlap_add_round_trip", overlap_add, last_write_wins),
        ("agreement", to_batch_first, viewed),
        ("permute_of_the_document", to_batch_first, viewed),
        ("samples_stay_whole", to_batch_first, flipped),
        ("stacks_keep_order", stack_features, sorted_stack),
    ],
)
def test_a_planted_fault_of_moving_data_is_found_and_right_code_passes(name, operation, faulty):
    assert failing(name, operation, faulty)
    assert not failing(name, operation, operation.definition)
