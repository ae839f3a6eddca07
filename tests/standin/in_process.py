"""An accelerator in the harness, on the stand-in: what it can do is found, its faults are found, placed and cost no other cell."""

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from click.testing import CliRunner
from jaxtyping import Float, Float64
from torch import Tensor

import harness
from harness.bench import roofline
from harness.bench.clock_sample import Clock, Pace
from harness.bench.roofline import copied_per_second, last_level_cache, operations_per_second
from harness.bench.stopwatch import Events, WallClock, settled, stopwatch
from harness.bench.verification import _wide
from harness.bench.worker import Worker, _peak
from harness.command.main import main
from harness.declare.devices import absent, device_named, device_of, devices_here, lost_devices
from harness.declare.implementation import implementation_of
from harness.execute.outcome import outcome
from harness.explain.literal import tensor_literal
from harness.generate.case import Case
from harness.generate.plan import plan
from harness.generate.precision import PRECISIONS
from harness.measure.verdict import Verdict
from harness.record.environment import environment
from harness.verify.cell import Cell, cells, check_dtypes
from harness.verify.exploration import explore
from harness.verify.invariance import invariance
from harness.verify.subject import LOST, ImplementationFault, Subject
from harness.verify.suite import every_property
from tests.standin.operations import OPERATIONS, centred, product, running, softmax
from tests.verdicts import PROPERTIES

HERE = "standin"
FILE = Path(__file__).with_name("operations.py")


def cell(name, operation, function=None, dtype="float32"):
    """The cell of a property on the device: of a function, or of the definition."""
    made = (
        operation.own if function is None else implementation_of(operation.name, operation.signature, function, "torch")
    )
    return Cell(PROPERTIES[name], operation, made, HERE, dtype)


def found(asked, examples=5):
    return explore(asked, plan(asked.operation, examples, 0))


# the device itself


def test_it_refuses_what_a_device_refuses(standin):
    x = torch.ones(3, device=HERE)
    with pytest.raises(TypeError, match="can't convert standin:0 device type tensor to numpy"):
        x.numpy()
    with pytest.raises(RuntimeError, match="found at least two devices, standin:0 and cpu"):
        x + torch.ones(3)
    standin(float64=False)
    with pytest.raises(TypeError, match="standin has no float64"):
        x.double()


def test_views_share_its_memory_and_writing_keeps_strides(standin):
    x = torch.zeros(3, 4, device=HERE)
    x.T[1].fill_(2)
    assert x.cpu().tolist() == [[0, 2, 0, 0]] * 3 and x.T.stride() == (1, 4) and x[:, 1:].storage_offset() == 1
    out = torch.empty(0, device=HERE)
    torch.add(x, 1, out=out)
    assert out.shape == x.shape and out.sum().item() == 18


@pytest.mark.parametrize(
    "compute",
    [
        lambda x: (x @ x.mT).softmax(-1),
        lambda x: torch.nn.functional.conv1d(x, x[:2, :, :3]),
        lambda x: torch.fft.rfft(x).conj().mul(1j).imag,
        lambda x: torch.linalg.solve(x @ x.mT + 9 * torch.eye(x.shape[1]).to(x), x),
        lambda x: torch.nn.functional.scaled_dot_product_attention(x, x, x),
        lambda x: x[:, torch.arange(2)].remainder(2),
    ],
)
def test_it_computes_what_the_cpu_computes_gradients_too(standin, compute):
    x = torch.randn(2, 3, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    made, gradients = [], []
    for device in ("cpu", HERE):
        here = x.to(device).requires_grad_()
        made.append(compute(here))
        gradients.append(torch.autograd.grad(made[-1].square().sum(), here)[0].cpu())
    assert made[1].device.type == HERE
    torch.testing.assert_close(made[1].cpu(), made[0])
    torch.testing.assert_close(gradients[1], gradients[0])


@pytest.mark.parametrize("kind", [torch.nn.LSTM, torch.nn.GRU])
def test_its_recurrent_cells_are_the_cpus(standin, kind):
    layer, x = kind(3, 4).double(), torch.randn(5, 2, 3, dtype=torch.float64)
    made, of_made = [], []
    for device in ("cpu", HERE):
        moved = layer.to(device)
        result = moved(x.to(device))[0]
        made.append(result.detach().cpu())
        of_made.append([each.cpu() for each in torch.autograd.grad(result.square().sum(), list(moved.parameters()))])
    torch.testing.assert_close(made[1], made[0])
    torch.testing.assert_close(of_made[1], of_made[0])


def test_it_adds_up_in_another_order_where_that_is_asked(standin):
    x = torch.randn(4, 999, generator=torch.Generator().manual_seed(0))
    assert not torch.equal(x.to(HERE).sum(-1).cpu(), x.sum(-1))
    standin(reorders=False)
    assert torch.equal(x.to(HERE).sum(-1).cpu(), x.sum(-1))


def test_its_memory_is_counted_and_has_an_end(standin):
    standin(memory=2**20)
    device = device_named(HERE)
    assert device.peak(lambda: torch.empty(2**16, device=HERE)) == 4 * 2**16
    with pytest.raises(torch.OutOfMemoryError, match="standin out of memory"):
        torch.empty(2**20, device=HERE)
    assert not device.is_lost


# what the harness asks of it


def test_it_is_here_by_its_name_and_by_its_number(standin):
    assert devices_here() == ("cpu", HERE) and not absent(HERE) and not absent("standin:0")
    assert absent("standin:1") == "device 'standin:1' is not here; this machine has cpu, standin"
    assert device_of(torch.zeros(1, device=HERE)).name == HERE
    (told,) = environment()["accelerators"]
    assert told == {"device": HERE, "name": "stand-in accelerator", "memory": 2**33}
    assert {each.device for each in cells(PROPERTIES["agreement"], [product])} == {"cpu", HERE}
    assert {each.device for each in cells(PROPERTIES["device_agreement"], [product])} == {HERE}


class Reordered(torch.nn.Module):
    """Columns in the order that it holds, which is no part of its state, and all that it holds."""

    def __init__(self, d):
        super().__init__()
        self.register_buffer("order", torch.arange(d).flip(0), persistent=False)

    def forward(self, x):
        return x.index_select(1, self.order)


@harness.operation(module=lambda d: Reordered(d), batch="batch")
def reordered(x: Float[Tensor, "batch d"]) -> Float[Tensor, "batch d"]:
    """Columns from the last to the first."""


reordered.implementation(Reordered, module=True)


def test_whole_numbers_that_a_module_holds_are_moved_to_it(standin):
    (made,) = reordered.implementations.values()
    assert found(Cell(PROPERTIES["agreement"], reordered, made, HERE, "float32")).verdict is Verdict.EXACT


def test_in_a_dtype_that_it_lacks_nothing_is_asked(standin):
    assert device_named(HERE).lacking == ()
    standin(float64=False)
    assert device_named(HERE).lacking == ("float64",)
    assert {each.dtype for each in cells(PROPERTIES["agreement"], [product], devices=[HERE])} == {
        "float32",
        "bfloat16",
        "float16",
    }
    with pytest.raises(harness.HarnessError, match="standin does not compute in float64; leave it out"):
        check_dtypes(["float64"], [HERE])
    check_dtypes(["float64"], ["cpu", HERE])


def test_what_computes_in_a_dtype_that_it_lacks_is_declined_and_no_error(standin):
    inwardly = cell("agreement", softmax, lambda x: x.double().softmax(-1).to(x))
    assert found(inwardly).verdict is Verdict.EXACT  # but for its last rounding, which is the oracle's
    standin(float64=False)
    told = found(cell("agreement", softmax, lambda x: x.double().softmax(-1).to(x)))
    assert told.verdict is Verdict.UNSUPPORTED and "float64, which standin does not have" in told.worst.judgement.reason


def shifted(x):
    """Loses the digits of small numbers, in every precision."""
    return ((x + 1e4) - 1e4).softmax(-1)


@pytest.mark.parametrize("float64", [True, False])
def test_without_float64_rounding_is_told_from_error_by_the_cpu_s(standin, float64):
    standin(float64=float64)
    assert found(cell("agreement", softmax)).verdict is Verdict.ROUNDING
    assert found(cell("agreement", softmax, lambda x: 1.001 * x.softmax(-1))).verdict is Verdict.WRONG
    assert found(cell("agreement", softmax, shifted)).verdict is Verdict.UNSTABLE
    standin(float64=float64, fault="means off by a hundredth")
    assert found(cell("agreement", centred)).verdict is Verdict.WRONG


def test_tensors_are_written_with_their_device(standin):
    x = torch.arange(6.0, device=HERE).reshape(2, 3)
    for tensor in (x, x.T, x[:, 1:], x[:1].expand(4, 3), torch.randn(300, device=HERE)):
        text = tensor_literal(tensor)
        made = eval(text, {name: __import__(name) for name in ("torch", "base64", "zlib")})
        assert made.device.type == HERE and torch.equal(made.cpu(), tensor.cpu()) and made.stride() == tensor.stride()


def test_times_are_the_device_s_where_it_has_events(standin):
    watch = stopwatch(HERE, cold=True)
    assert isinstance(watch, Events) and 0 < watch.seconds(lambda: torch.zeros(9, device=HERE), 3) < 60
    standin(events=False)
    watch = stopwatch(HERE)
    assert isinstance(watch, WallClock) and 0 < watch.seconds(lambda: torch.zeros(9, device=HERE), 3) < 60
    assert isinstance(stopwatch("cpu"), WallClock)


def test_its_limits_are_measured_on_it(standin):
    assert last_level_cache(HERE) == 2**20 and copied_per_second(HERE, 2**20) > 1e5
    assert operations_per_second(HERE, "float32") > 1e5 and Clock(HERE).pace() is None
    assert _peak(lambda: torch.empty(2**10, device=HERE), HERE) == 4 * 2**10


@pytest.mark.parametrize(("reasons", "held"), [(0x1, False), (0x4, True), (0x40 | 0x2, True)])
def test_a_clock_is_read_by_nvml_and_only_heat_and_power_hold_it_back(standin, monkeypatch, reasons, held):
    """1 is waiting for work, 2 a clock that somebody has set; where NVML fails nothing is told."""
    asked = []
    nvml = SimpleNamespace(
        NVMLError=OSError,
        NVML_CLOCK_SM=1,
        nvmlInit=lambda: None,
        nvmlDeviceGetHandleByUUID=asked.append,
        nvmlDeviceGetClockInfo=lambda device, kind: 1980,
        nvmlDeviceGetCurrentClocksThrottleReasons=lambda device: reasons,
        nvmlClocksThrottleReasonSwPowerCap=0x4,
        nvmlClocksThrottleReasonHwThermalSlowdown=0x40,
    )
    monkeypatch.setitem(sys.modules, "pynvml", nvml)
    clock = Clock(HERE)
    assert clock.pace() == Pace(1980, held) and asked == ["GPU-None"]

    def gone(device):
        raise OSError

    nvml.nvmlDeviceGetCurrentClocksThrottleReasons = gone
    assert clock.pace() is None


def test_a_timed_call_has_ended_when_the_device_has(standin):
    standin(asynchronous=True, fault="illegal access in running sums")
    x = torch.ones(2, 99, device=HERE)
    x.cumsum(-1)  # goes wrong, and nobody is told
    with pytest.raises(RuntimeError, match="illegal memory access"):
        settled(lambda: x, HERE)()


def test_bits_are_compared_on_it(standin):
    call = Case(product, {"batch": 8, "d": 64, "k": 3}, dtype="float32", device=HERE).call()
    told = invariance(product.own, product, call, 5.0)
    assert (told.device, told.repeats, told.reason) == (HERE, True, "") and len(told.asked) > 1
    standin(float64=False, fault="products race")
    assert not invariance(product.own, product, call.fresh(), 5.0).repeats


def test_a_command_takes_it_where_no_device_is_named(standin):
    told = json.loads(CliRunner().invoke(main, ["invariance", "linear", "--patience", "1s", "--json"]).stdout)
    assert {each["device"] for each in told} == {HERE}


def test_it_draws_from_a_seed_of_its_own(standin):
    before, drawn = torch.get_rng_state(), []
    for _ in range(2):
        device_named(HERE).seed(3)
        drawn.append(torch.rand(9, device=HERE).cpu())
    assert torch.equal(*drawn) and torch.equal(before, torch.get_rng_state())


def test_a_certificate_is_computed_in_float64_where_there_is_some(standin):
    x = torch.ones(3, device=HERE)
    assert (_wide(x).dtype, _wide(x).device.type) == (torch.float64, HERE)
    standin(float64=False)
    assert (_wide(x).dtype, _wide(x).device.type) == (torch.float64, "cpu")


def test_math_modes_are_those_of_devices_that_round_factors(standin):
    assert not device_named(HERE).rounds_factors("high", PRECISIONS["tf32"].eps)
    assert not PRECISIONS["tf32"].is_on(HERE) and PRECISIONS["float32"].is_on(HERE)


def test_a_bench_verifies_what_it_times_on_it(standin):
    timer = Worker()
    sizes = {"batch": 4, "inputs": 8, "outputs": 3}
    told = timer.prepare("linear", "torch_linear", sizes, {"bias": True}, HERE, "float32", False, "", 60.0)
    assert told["verdict"] in ("rounding", "exact") and told["memory"] > 0, told
    assert timer.block("torch_linear")["seconds"] > 0
    standin(fault="products in half precision")
    told = timer.prepare("linear", "torch_linear", sizes, {"bias": True}, HERE, "float32", False, "", 60.0)
    assert told["verdict"] == "wrong" and "once" not in told


def test_memory_for_results_lies_on_it_in_every_layout(standin):
    """A right one is left in peace; what is written beside the memory for the result is found."""

    def exponentials(x, out):
        torch.softmax(x, -1, out=out)

    def beside(x, out):
        whole = harness.whole_memory(out)
        torch.softmax(x, -1, out=out)
        if whole.numel() > out.numel():
            whole.view(-1)[-1].fill_(2)

    for function, verdicts in ((exponentials, ("exact", "rounding")), (beside, ("wrong",))):
        made = implementation_of("softmax", softmax.signature, function, "torch", out="out")
        asked = Cell(PROPERTIES["layouts"], softmax, made, HERE, "float32")
        assert found(asked, 12).verdict in verdicts, function.__name__


class Dropping(torch.nn.Module):
    """A layer of which half is dropped, or nothing."""

    def __init__(self, d, rate):
        super().__init__()
        self.linear, self.rate = torch.nn.Linear(d, d), rate

    def forward(self, x):
        return torch.nn.functional.dropout(self.linear(x), self.rate / 2, self.training)


class Doubled(Dropping):
    """A layer that is wrong in training."""

    def forward(self, x):
        return super().forward(x) * (2 if self.training else 1)


@pytest.mark.parametrize(
    ("device", "rate", "kind", "verdicts"),
    [
        (HERE, 1, Dropping, ("unsupported",)),
        (HERE, 0, Dropping, ("exact", "rounding")),
        (HERE, 0, Doubled, ("wrong",)),
        ("cpu", 1, Dropping, ("exact", "rounding")),
    ],
)
def test_what_is_drawn_on_it_in_training_is_not_held_to_what_the_cpu_draws(standin, device, rate, kind, verdicts):
    @harness.operation(module=lambda d: Dropping(d, rate), modes=("train",))
    def dropping(x: Float[Tensor, "batch d"]) -> Float[Tensor, "batch d"]: ...

    dropping.implementation(lambda d: kind(d, rate), module=True, name="own")
    told = found(Cell(PROPERTIES["agreement"], dropping, dropping.implementations["own"], device, "float32"))
    assert told.verdict in verdicts
    if told.verdict is Verdict.UNSUPPORTED:
        assert "in training it draws numbers on standin" in told.worst.judgement.reason


def test_the_definition_on_a_device_is_held_to_no_more_nan_than_it_gives_on_the_cpu(standin):
    """A weight of 0.001 that is rounded to 0 makes NaN of an infinity on either."""
    case = plan(product, 1, 0)[0].replace(dtype="bfloat16", device=HERE)
    subject = Subject(product, product.own)
    assert subject(case)[0].device.type == HERE
    assert subject.as_defined(case)[0].device.type == "cpu"
    assert subject.as_defined(case.replace(device="cpu")) is None


@pytest.mark.parametrize("name", ["forward_mode", "double_backward", "vmap"])
def test_transforms_reach_what_computes_on_it(standin, name):
    asked = cell(
        name,
        softmax,
        lambda x: torch.exp(x - x.amax(-1, keepdim=True)) / x.sub(x.amax(-1, keepdim=True)).exp().sum(-1, keepdim=True),
    )
    told = found(asked)
    assert told.verdict in ("exact", "rounding") and told.comparisons, told.worst.judgement.reason


# faults, and none


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each.name)
def test_a_faultless_device_is_left_in_peace(standin, operation):
    standin(float64=False, asynchronous=True)
    for prop in every_property():
        if not prop.nightly:
            for each in cells(prop, [operation], devices=[HERE], dtypes=["float32"]):
                told = explore(each, plan(operation, 3, 0))
                assert told.verdict.severity < Verdict.UNSTABLE.severity, (each.key, told.worst)


@pytest.mark.parametrize(
    ("fault", "name", "operation", "operator", "where"),
    [
        ("products read memory in a row", "layouts", product, "mm", "not contiguous"),
        ("means off by a hundredth", "agreement", centred, "mean", ""),
        ("products write to what they are given", "inputs_unmodified", product, "mm", ""),
        ("no empty exponentials", "batch_of_zero", softmax, "softmax", ""),
    ],
)
def test_a_fault_of_the_device_is_found_and_its_operator_named(standin, fault, name, operation, operator, where):
    assert not found(cell(name, operation)).verdict.failing
    standin(fault=fault)
    told = outcome(cell(name, operation), 5, 0)
    diagnosis = told.counterexample.diagnosis
    assert Verdict(told.verdict).failing and told.device == HERE
    assert diagnosis.sentence.startswith(f"PyTorch's {operator} ") and f"on {HERE}" in diagnosis.sentence
    assert where in diagnosis.where and "device='standin'" in told.counterexample.script


def test_a_fault_of_the_implementation_is_not_laid_at_the_device_s_door(standin):
    told = outcome(cell("agreement", softmax, lambda x: 2 * x.softmax(-1)), 5, 0)
    assert told.verdict is Verdict.WRONG and told.counterexample.diagnosis.cause != "operator of the device"
    assert HERE not in told.counterexample.diagnosis.sentence


def test_what_goes_wrong_on_the_device_alone_and_in_no_operator_is_said_to_be_there_alone(standin):
    told = outcome(cell("agreement", softmax, lambda x: (1 if x.is_cpu else 2) * x.softmax(-1)), 5, 0)
    assert told.counterexample.diagnosis.sentence.startswith("on standin, and not on the CPU: ")


def test_a_result_elsewhere_or_in_another_dtype_is_told(standin):
    told = found(cell("agreement", softmax, lambda x: x.softmax(-1).cpu()))
    assert "the result is on cpu, expected on standin, as the arguments are" in told.worst.judgement.reason
    told = outcome(cell("result_dtype", softmax, lambda x: x.softmax(-1).half()), 5, 0)
    assert (
        Verdict(told.verdict) is Verdict.WRONG and "expected = torch.float32, 'standin'" in told.counterexample.script
    )


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_call_that_loses_the_device_is_told_and_ends_the_cell(standin, asynchronous):
    standin(asynchronous=asynchronous, fault="illegal access in running sums")
    call = Case(running, {"batch": 2, "time": 99}, dtype="float32", device=HERE).call()
    with pytest.raises(ImplementationFault, match="lost standin: standin error: an illegal memory access") as told:
        Subject(running, running.own)(call)
    assert told.value.kind == LOST and lost_devices() == [HERE]
    standin(fault="illegal access in running sums")
    assert found(cell("agreement", running)).tally[Verdict.ERROR] == 1


def test_want_of_memory_is_an_error_of_one_call(standin):
    standin(fault="no workspace for products")
    large, small = (
        Case(product, {"batch": size, "d": size, "k": size}, dtype="float32", device=HERE) for size in (30, 2)
    )
    with pytest.raises(ImplementationFault, match="ran out of memory") as told:
        Subject(product, product.own)(large)
    assert told.value.kind == "memory"
    assert Subject(product, product.own)(small)


def test_what_a_race_hides_in_another_precision_is_wrong_where_the_operator_is_seen(standin):
    standin(fault="sums race")
    told = outcome(cell("agreement", centred), 5, 0)
    assert Verdict(told.verdict) is Verdict.WRONG
    assert told.counterexample.diagnosis.sentence.startswith("PyTorch's mean computes something else on standin")


def test_what_a_device_computes_at_most_is_that_of_its_largest_products(standin, monkeypatch):
    standin()
    sides = []
    monkeypatch.setattr(roofline, "_SIDE", 8)
    monkeypatch.setattr(roofline, "_LARGEST_SIDE", 64)
    monkeypatch.setattr(roofline, "_products_per_second", lambda device, dtype, side: sides.append(side) or 1e9 * side)
    assert operations_per_second(HERE, "float32") == 64e9
    assert sides == [8, 16, 32, 64]


def test_what_has_an_argument_that_the_device_does_not_hold_is_timed_by_nobody_there(standin):
    standin(float64=False)

    @harness.operation(sizes={"d": (1, 4)})
    def moved(x: Float[Tensor, "batch d"], by: Float64[Tensor, "d"]) -> Float[Tensor, "batch d"]:
        """x and something in float64."""
        return x + by.to(x)

    with pytest.raises(harness.HarnessError, match=f"no implementation computes moved on {HERE} in float32 here"):
        harness.timed(moved, devices=[HERE], sizes={"d": 4})
