"""Dropout with a noise shape: against exact fractions, at its edges, and faults that its properties must find."""

from fractions import Fraction

import pytest
import torch

import harness
from harness.execute.outcome import outcome
from harness.measure.verdict import Verdict
from harness.operations.dropout import channel_dropout, dropout
from tests.verdicts import cell_of, explored

AXES = ("batch", "rows", "columns", "channels")
SHAPE = (2, 3, 2, 3)
UNIFORMS = [Fraction(n, 32) for n in (31, 1, 15, 17, 9, 23)]
X = torch.arange(1, 37, dtype=torch.float32).reshape(SHAPE) / 4
THREE_AXES = "dropout2d_three_axes"


def shared(*names):
    return {f"shared_{axis}": axis in names for axis in AXES}


def noise_of(names):
    shape = [1 if axis in names else size for axis, size in zip(AXES, SHAPE, strict=True)]
    count = torch.Size(shape).numel()
    return torch.tensor([float(UNIFORMS[i % 6]) for i in range(count)]).reshape(shape)


def results(operation, arguments, options):
    call = harness.Call(operation, arguments, options)
    for made in (operation.own, *operation.implementations.values()):
        try:
            yield made.name, harness.Subject(operation, made)(call)[0]
        except harness.Unsupported:
            continue


@pytest.mark.parametrize("names", [(), ("rows", "columns"), ("batch", "channels"), AXES], ids=str)
@pytest.mark.parametrize("keep", [0.5, 0.0, 1.0])
def test_definition_and_implementations_against_fractions(names, keep):
    uniforms = noise_of(names)
    wanted = torch.zeros(SHAPE)
    for place in torch.cartesian_prod(*(torch.arange(size) for size in SHAPE)).tolist():
        of_noise = [0 if axis in names else index for axis, index in zip(AXES, place, strict=True)]
        if Fraction(float(uniforms[tuple(of_noise)])) >= 1 - Fraction(keep) and keep:
            wanted[tuple(place)] = float(Fraction(float(X[tuple(place)])) / Fraction(keep))
    found = dict(results(dropout, {"x": X, "uniforms": uniforms}, {"keep": keep, **shared(*names)}))
    assert len(found) >= 4
    for name, result in found.items():
        assert torch.equal(result, wanted), name


@pytest.mark.filterwarnings("ignore:dropout2d")
def test_whole_channels_of_an_image_against_fractions():
    image, uniforms = X[0].movedim(2, 0), torch.tensor([0.75, 0.25, 0.5])
    wanted = image * torch.tensor([2.0, 0.0, 2.0])[:, None, None]
    for name, result in results(channel_dropout, {"x": image, "uniforms": uniforms}, {"keep": 0.5}):
        assert torch.equal(result, wanted) == (name != THREE_AXES), name


@pytest.mark.parametrize("value", [torch.inf, torch.nan])
def test_what_is_dropped_is_zero_even_if_infinite_but_for_torch_which_multiplies(value):
    x = torch.full(SHAPE, value)
    for keep, uniform in ((0.5, 0.25), (0.0, 1 - 2**-24)):
        arguments = {"x": x, "uniforms": torch.full(SHAPE, uniform)}
        for name, result in results(dropout, arguments, {"keep": keep, **shared()}):
            assert bool((result == 0).all()) == (name != "torch_dropout"), name
            assert bool(result.isnan().all()) == (name == "torch_dropout"), name


def test_a_keep_of_one_keeps_the_bits_whatever_is_drawn():
    for uniform in (0.0, 1 - 2**-24):
        arguments = {"x": X, "uniforms": torch.full(SHAPE, uniform)}
        for name, result in results(dropout, arguments, {"keep": 1.0, **shared()}):
            assert torch.equal(result, X), name


@pytest.mark.parametrize("shape", [(2, 3, 2, 2), (2, 3, 2, 4), (2, 3, 2), (4, 3, 2, 3)], ids=str)
def test_a_noise_shape_that_does_not_fit_is_a_clear_error(shape):
    with pytest.raises(ValueError, match="each axis must be 1 or x's"):
        dropout(X, torch.full(shape, 0.5), keep=0.5, **shared())


def failing(name, operation, function, dtypes=("float64",), seed=0):
    found = [explored(name, operation, function, dtype, 32, seed) for dtype in dtypes]
    return [each for each in found if each.verdict.failing]


def fault(change):
    """dropout with something changed: a function of (x, uniforms, keep) that returns another triple or a result."""

    def faulty(x, uniforms, keep, shared_batch, shared_rows, shared_columns, shared_channels):
        changed = change(x, uniforms, keep)
        if isinstance(changed, torch.Tensor):
            return changed
        return dropout.definition(*changed, shared_batch, shared_rows, shared_columns, shared_channels)

    faulty.__name__ = change.__name__
    return faulty


def not_scaled(x, uniforms, keep):
    return torch.where(uniforms >= 1 - keep, x, 0.0) if keep else torch.zeros_like(x)


def keeps_the_lower(x, uniforms, keep):
    return torch.where(uniforms < 1 - keep, x / max(keep, 0.1), 0.0)


def one_row_only(x, uniforms, keep):
    last = uniforms.expand(x.shape).clone()
    last[:, -1] = 1 - last[:, -1]
    return x, last, keep


def reversed_samples(x, uniforms, keep):
    return x, uniforms.flip(0), keep


def broadcasts(x, uniforms, keep):
    return torch.where(uniforms >= 1 - keep, x / keep, 0.0) if keep else torch.zeros_like(x)


def doubles_at_the_top(x, uniforms, keep):
    return x / keep * torch.floor(keep + uniforms) if keep else torch.zeros_like(x)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("agreement", not_scaled),
        ("agreement", keeps_the_lower),
        ("zero_or_scaled", not_scaled),
        ("mean_is_kept", not_scaled),
        ("mean_is_kept", keeps_the_lower),
        ("whole_maps_fall_together", one_row_only),
        ("whole_maps_fall_together", reversed_samples),
        ("uniforms_act_alone", reversed_samples),
        ("misshapen_noise_is_refused", broadcasts),
    ],
)
def test_a_planted_fault_is_found_and_right_code_passes(name, change):
    assert failing(name, dropout, fault(change))
    assert not failing(name, dropout, dropout.definition)


@pytest.mark.parametrize("name", ["agreement", "zero_or_scaled"])
def test_a_mask_of_two_is_found_in_float32_where_more_precision_mends_it(name):
    found = outcome(cell_of(name, dropout, fault(doubles_at_the_top), "float32"), 64, 0)
    assert Verdict(found.verdict) is Verdict.UNSTABLE
    assert found.counterexample.case["options"]["keep"] == 1
    assert not failing(name, dropout, fault(doubles_at_the_top))


@pytest.mark.filterwarnings("ignore:dropout2d")
def test_dropout2d_on_three_axes_is_found_and_shrunk_to_two_rows():
    faulty = channel_dropout.find(THREE_AXES).function
    found = outcome(cell_of("whole_channels_fall_together", channel_dropout, faulty), 32, 0)
    if Verdict(found.verdict).failing:
        assert found.counterexample.case["sizes"]["rows"] == 2
    assert not failing("whole_channels_fall_together", channel_dropout, channel_dropout.definition)
