"""`harness bench`: what is timed, what is not, and what is said of it."""

import json
import operator
import random
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from jaxtyping import Float
from torch import Tensor

import harness
from harness.bench import roofline, worker, worker_pool
from harness.bench.clock_sample import Clock, Pace
from harness.bench.ladder import LadderPoint, ladder_points
from harness.bench.protocol import PROTOCOL
from harness.bench.roofline import bytes_per_second, copied_per_second, last_level_cache, operations_per_second
from harness.bench.running import Running
from harness.bench.session import CACHED, INVALID, Session
from harness.bench.stopwatch import BLOCK, Block, settled, stopwatch
from harness.bench.worker_pool import Asked, Build, Timing
from harness.command.bench import _exit_code
from harness.errors import HarnessError, InfrastructureError
from harness.measure.verdict import Verdict
from harness.operations.linear import linear
from harness.record.events import RunFinished, TimingFinished
from harness.record.runlog import read
from harness.report.ladder_tables import print_ladders
from harness.report.ladders import aa_test_sentence, duration, exponent, memory, times
from tests.command_line import CANDIDATES, ask, command_server, surroundings
from tests.forkserver import SECONDS

RIVALS = CANDIDATES / "rivals.py"
LIMITS = "operations", "bytes", "cache"


# the stopwatch and the limits


def test_a_block_is_long_enough_for_the_clock():
    block = Block(stopwatch("cpu"), lambda: sum(range(100)))
    once = block.seconds()
    assert block.calls > 100 and once * block.calls >= BLOCK


class Dozing:
    """A stopwatch of calls of a hundredth of a block, the first of which was held up for two blocks."""

    def __init__(self):
        self.held_up, self.blocks = 2 * BLOCK, []

    def seconds(self, function, calls):
        self.blocks.append(calls)
        took, self.held_up = calls * BLOCK / 100 + self.held_up, 0
        return took / calls


def test_a_block_that_turns_out_short_is_lengthened_and_timed_again():
    watch = Dozing()
    block = Block(watch, lambda: None)
    assert block.seconds() > BLOCK and watch.blocks == [1]
    assert block.seconds() == pytest.approx(BLOCK / 100) and watch.blocks == [1, 1, 120]
    assert block.seconds() == pytest.approx(BLOCK / 100) and watch.blocks == [1, 1, 120, 120]


def test_a_first_call_that_was_held_up_is_not_what_a_call_takes(monkeypatch):
    monkeypatch.setattr(worker, "stopwatch", lambda device, cold: Dozing())
    sizes = {"batch": 2, "inputs": 3, "outputs": 4}
    told = worker.Worker().prepare("linear", "einsum", sizes, {}, "cpu", "float32", False, "", 1.0)
    assert told["once"] == pytest.approx(BLOCK / 100)


def test_a_builtin_gets_its_arguments_in_their_order():
    @harness.operation
    def plus(x: Float[Tensor, "d"], y: Float[Tensor, "d"]) -> Float[Tensor, "d"]:
        """x + y."""
        return x + y

    added = plus.implementation(operator.add, backend="torch", name="added")
    three = torch.tensor([3.0])
    assert plus.find("added").by_name is False and plus.find("added").bound({"x": three, "y": three}, {})() == 6, added


class Pending:
    """What jax returns: a result that is still being computed."""

    def __init__(self):
        self.is_computed = False

    def block_until_ready(self):
        self.is_computed = True


@pytest.mark.parametrize("several", [False, True])
def test_a_call_is_settled_when_all_its_results_are_computed(several):
    made = settled(lambda: (Pending(), Pending()) if several else Pending(), "cpu")()
    assert all(each.is_computed for each in (made if several else [made]))


def test_what_is_computed_when_it_is_returned_is_called_as_it_is():
    def ready():
        return torch.zeros(1)

    assert settled(ready, "cpu") is ready


def test_the_memory_is_measured_by_a_copy_of_four_times_the_largest_cache(monkeypatch):
    monkeypatch.setattr(roofline, "copied_per_second", lambda device, size: size)
    assert bytes_per_second("cpu") >= 2 * 4 * last_level_cache("cpu")  # read and written


def test_limits_are_measured_and_not_absurd():
    """A busy machine may be a thousand times slower; no machine is a thousand times faster."""
    assert 1e5 < operations_per_second("cpu", "float32") < 1e14
    assert 1e5 < bytes_per_second("cpu") < 1e13 and 1e5 < copied_per_second("cpu", 1000) < 1e13
    assert last_level_cache("cpu") >= 2**20


# what is said of a point


def point(**sizes):
    return LadderPoint(linear, sizes or {"batch": 64, "inputs": 256, "outputs": 256}, {}, ("batch",))


class Written:
    """A pool whose timings were written down by hand."""

    def __init__(self, timings, operations=1e12, bandwidth=1e11, cache=0):
        self._timings, self._limits = timings, {"operations": operations, "bytes": bandwidth, "cache": cache}

    def limits(self, device, dtype):
        return self._limits

    def copying(self, device, size):
        return 10 * self._limits["bytes"]

    def measure(self, point, implementations, asked):
        return [each for each in self._timings if each.implementation in implementations]


def timing(name, seconds, build="this code", verdict=Verdict.ROUNDING, **rest):
    blocks = [[seconds * (1 + 0.001 * (block % 3 + process)) for block in range(6)] for process in range(5)]
    return Timing(build, name, blocks if verdict is Verdict.ROUNDING else [[]] * 5, verdict, **rest)


def told(*timings, builds=("this code",), confirming=None, **limits):
    session = Session(Asked(), [Build(name) for name in builds], Written(timings, **limits))
    session.measured(point(), [each.implementation for each in timings])
    found = session.finished()
    if confirming is not None:
        found = session.confirmed(found, confirming)
    return {(each.build, each.implementation): each for each in found}


def test_everybody_is_held_to_the_reference():
    found = told(timing("definition", 1e-3), timing("numpy", 2e-3), timing("einsum", 0.5e-3))
    assert found["", "numpy"].speed == "slower" and found["", "numpy"].ratio == pytest.approx(2)
    assert found["", "einsum"].speed == "faster" and found["", "einsum"].against == "definition"
    assert found["", "definition"].speed == "no data" and found["", "definition"].ratio is None


def test_a_revision_is_held_to_the_other_implementation_by_implementation():
    builds = ("main", "this code")
    found = told(timing("numpy", 1e-3, "main"), timing("numpy", 1.3e-3), builds=builds)
    assert found["this code", "numpy"].speed == "slower" and found["this code", "numpy"].against == "main"


def test_slower_once_is_not_slower_until_fresh_processes_agree():
    timings = timing("definition", 1e-3), timing("numpy", 1.2e-3)
    agree, disagree = Written(timings), Written((timing("definition", 1e-3), timing("numpy", 1e-3)))
    assert told(*timings, confirming=agree)["", "numpy"].speed == "slower"
    assert told(*timings, confirming=disagree)["", "numpy"].speed == "unsure"


def test_what_is_wrong_has_no_time():
    found = told(timing("definition", 1e-3), timing("numpy", 1e-9, verdict=Verdict.WRONG, reason="off by one"))
    wrong = found["", "numpy"]
    assert (wrong.verdict, wrong.seconds, wrong.speed, wrong.roofline) == ("wrong", None, "no data", None)


def test_the_fraction_names_what_the_machine_lacks_and_one_that_cannot_be_is_invalid():
    operations = 2 * 64 * 256 * 256
    found = told(timing("definition", 1e-3), operations=operations * 2e3)["", "definition"]
    assert found.roofline == pytest.approx(0.5, rel=0.01) and found.bound == "operations"
    assert told(timing("definition", 1e-3), bandwidth=1e9)["", "definition"].bound == "bytes"
    assert told(timing("definition", 1e-3), operations=operations * 0.9e3)["", "definition"].bound == INVALID

    in_cache = told(timing("definition", 1e-3), bandwidth=1e9, cache=2**30)["", "definition"]
    from_memory = told(timing("definition", 1e-3), bandwidth=1e9)["", "definition"]
    assert in_cache.bound == CACHED and in_cache.roofline == pytest.approx(from_memory.roofline / 10)


def test_exit_codes_tell_wrong_from_slower_from_nothing_timed():
    timed = TimingFinished("linear", "numpy", "cpu", "float32", {}, {}, [], "rounding", blocks=[[1e-3]], speed="slower")
    untimed = replace(timed, blocks=[[], []], verdict="unsupported", speed="no data")
    assert [_exit_code([timed, untimed], fail) for fail in (False, True)] == [0, 4]
    assert _exit_code([untimed], True) == 3
    assert _exit_code([timed, replace(untimed, verdict="wrong")], True) == 1


class Hot:
    """A worker whose GPU is held back in its first blocks."""

    def __init__(self, held):
        self.asked, self._held = 0, held

    def ask(self, do, implementation):
        self.asked += 1
        return {"seconds": 1e-3 * self.asked, "megahertz": 1500, "throttled": self.asked <= self._held}


@pytest.mark.parametrize(("held", "kept", "throttled"), [(0, 1e-3, 0), (1, 2e-3, 1), (9, 3e-3, 3)])
def test_a_block_in_which_the_gpu_was_held_back_is_timed_again_and_counted(monkeypatch, held, kept, throttled):
    monkeypatch.setattr(worker_pool, "_RECOVERY", 0)
    timing = Timing("this code", "numpy", [[]])
    worker_pool._time(Hot(held), timing)
    assert (timing.blocks, timing.throttled, timing.clocks) == ([[kept]], throttled, [1500])


class Warming:
    """A worker in which the first call takes long, longer at larger sizes, and all others a hundredth of a second."""

    def __init__(self, build, limit):
        self.build = build

    def start(self):
        pass

    def close(self):
        pass

    def ask(self, do, sizes=None, **rest):
        known = {"verdict": "rounding", "reason": "", "memory": None}
        answers = {"begin": {"protocol": PROTOCOL}, "prepare": {**known, "once": 1e-3 * (sizes or {}).get("batch", 0)}}
        return answers.get(do, {"seconds": 0.01})


class Slowed(Warming):
    """Each worker finds the machine slower than the one before did."""

    machine = 8.0

    def ask(self, do, **rest):
        if do in ("limits", "copying"):
            Slowed.machine /= 2
        return {"protocol": PROTOCOL, "operations": Slowed.machine, "bytes": 2 * Slowed.machine, "cache": 3}


def test_the_limits_are_those_of_the_worker_that_found_the_machine_fastest(monkeypatch):
    monkeypatch.setattr(worker_pool, "_Process", Slowed)
    with worker_pool.WorkerPool([Build("this code")], 3, 60, 1.0, random.Random(0)) as made:
        assert made.limits("cpu", "float32") == {"operations": 4.0, "bytes": 8.0, "cache": 3}
        assert made.copying("cpu", 1000) == 1.0


def test_what_was_timed_says_more_of_larger_sizes_than_the_first_call(monkeypatch):
    monkeypatch.setattr(worker_pool, "_Process", Warming)
    with worker_pool.WorkerPool([Build("this code")], 3, 60, 1.0, random.Random(0)) as made:
        for batch in (8, 64, 512):
            assert made.measure(point(batch=batch, inputs=4, outputs=4), ["einsum"], Asked())[0].is_timed
        assert not made._expected.refusal(point(batch=4096, inputs=4, outputs=4), "einsum")


def test_a_gpu_s_clock_and_its_brakes_are_read(monkeypatch):
    nvml = SimpleNamespace(
        nvmlInit=lambda: None,
        nvmlDeviceGetHandleByUUID=lambda name: name,
        NVML_CLOCK_SM=1,
        nvmlDeviceGetClockInfo=lambda device, kind: 1980,
        nvmlDeviceGetCurrentClocksThrottleReasons=lambda device: brakes.pop(),
        nvmlClocksThrottleReasonSwPowerCap=4,
        nvmlClocksThrottleReasonHwThermalSlowdown=64,
        NVMLError=RuntimeError,
    )
    monkeypatch.setitem(sys.modules, "pynvml", nvml)
    monkeypatch.setattr("torch.cuda.get_device_properties", lambda number: SimpleNamespace(uuid="00"))
    brakes = [65, 4, 1, 0]
    assert [Clock("cuda").pace() for _ in range(4)] == [Pace(1980, held) for held in (False, False, True, True)]
    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert Clock("cuda").pace() is None


# figures for people


def climbing(seconds, axis="batch"):
    return [
        TimingFinished("linear", "numpy", "cpu", "float32", {"batch": size}, {}, [axis], "rounding", blocks=[[each]])
        for size, each in seconds.items()
    ]


def test_the_exponent_is_that_of_the_large_end():
    assert exponent(
        climbing({1: 5e-6, 8: 5e-6, 64: 1e-4, 128: 4e-4, 256: 16e-4, 512: 64e-4}), "batch"
    ) == pytest.approx(2)
    assert exponent(climbing({1: 1.0, 2: 2.0}), "batch") is None


def test_axes_that_climb_together_have_one_exponent():
    square = [
        replace(each, sizes={"height": size, "width": size}, axes=["height width"])
        for size, seconds in {4: 1e-6, 8: 4e-6, 16: 16e-6}.items()
        for each in climbing({size: seconds})
    ]
    assert exponent(square, "height width") == pytest.approx(2)


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(1.5, "1.50 s"), (0.0123, "12.3 ms"), (4.56e-5, "45.6 µs"), (7e-9, "7.00 ns"), (123.0, "123 s")],
)
def test_seconds_are_read_at_a_glance(seconds, told):
    assert duration(seconds) == told


def test_memory_is_read_at_a_glance():
    assert [memory(each) for each in (None, 100, 4096, 1536 * 1024, 20 * 2**20, 3 * 2**30)] == [
        "",
        "",
        "4.0 KiB",
        "1.5 MiB",
        "20 MiB",
        "3.0 GiB",
    ]


def test_ratios_are_read_at_a_glance():
    assert [times(each) for each in (1.0312, 0.0123, 41.2)] == ["×1.03", "×0.0123", "×41"]


def test_what_a_worker_waits_for_a_processor_does_not_count_against_it(monkeypatch):
    with subprocess.Popen([sys.executable, "-c", "print()"], stdout=subprocess.PIPE) as running:
        assert not worker_pool._answers(running, 0.0)
        waits = iter((0.0, SECONDS))
        monkeypatch.setattr(worker_pool, "waited_by", lambda process: next(waits))
        assert worker_pool._answers(running, 0.0)


def test_what_a_worker_does_by_itself_may_take_longer_than_what_is_timed():
    made = worker_pool._Process(worker_pool.Build("mine"), 2.0)
    assert made._limit_of("block") == made._limit_of("prepare") == 2.0 < made._limit_of("begin")


# the command


@pytest.fixture(scope="module")
def benched(tmp_path_factory):
    """The rivals, timed by the command."""
    return ask(tmp_path_factory.mktemp("bench"), "bench", str(RIVALS), "--processes", "3")


def test_the_command_verifies_before_it_times(benched):
    assert benched.code == 1 and "✗ wrong" in benched.out
    assert "scaled/fast_and_wrong: " in benched.out and "in_place" in benched.out
    events = read(next((benched.folder / "reports" / "benchmarks").glob("*.jsonl.gz"))).events
    wrong = [each for each in events if isinstance(each, TimingFinished) and each.implementation == "fast_and_wrong"]
    assert {each.sizes["d"]: (each.verdict, each.seconds is None) for each in wrong if each.sizes["batch"] == 64} == {
        64: ("exact", False),
        1024: ("wrong", True),
        4096: ("wrong", True),
    }
    assert isinstance(events[-1], RunFinished)


def test_what_is_slowed_takes_longer_at_every_size(benched):
    """Other tests run beside this one: its words may be `unsure`, and what copies slowly then sets no limit to a share.

    tests/quality/slowdown.py counts them alone.
    """
    events = read(next((benched.folder / "reports" / "benchmarks").glob("*.jsonl.gz"))).events
    slowed = [each for each in events if isinstance(each, TimingFinished) and each.implementation == "slowed"]
    assert slowed and {each.speed for each in slowed} <= {"slower", "unsure"}
    assert all(each.ratio > 1.5 and each.against == "definition" for each in slowed)
    assert all(each.memory is not None and each.roofline > 0 for each in slowed)
    assert "A/A test" in benched.out


@pytest.mark.parametrize("option", ["--benchmark-save=kept", "--benchmark-disable"])
def test_an_option_of_pytest_benchmark_is_refused_with_where_it_is_taken(tmp_path, option):
    words = ("-m", "harness", "bench", "linear", option)
    answer = command_server().run(words, tmp_path, surroundings(), SECONDS)
    assert answer.returncode == 2 and len(answer.stderr.strip().splitlines()) == 1
    assert option in answer.stderr and "`test_times = harness.timed(operation)`" in answer.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["liner"], "did you mean linear"),
        (["linear", "--only", "nobody"], "none of nobody computes linear on cpu in float32"),
        (["linear", "--dtype", "float12"], "float12"),
        (["linear", "--device", "cuda:7"], "is not here"),
        (["linear", "--frobnicate"], "no such option: --frobnicate"),
        (["linear", "--against", "no-such-branch"], "name a branch, a tag or a commit"),
        (["linear", "--python", sys.executable], "say which with --against"),
        (["missing.py"], "is not there"),
    ],
)
def test_what_cannot_be_timed_is_refused_in_a_sentence(tmp_path, words, told):
    answer = ask(tmp_path, "bench", *words)
    assert answer.code == 2 and told in answer.err and len(answer.err.strip().splitlines()) == 1


def test_another_revision_is_timed_in_turns_with_this_code(tmp_path):
    program = tmp_path / "python"
    program.write_text(f'#!/bin/sh\necho $PWD > {tmp_path}/where\nexec {sys.executable} "$@"\n')
    program.chmod(0o755)
    words = ["bench", "linear", "--against", "HEAD", "--only", "torch_linear", "--processes", "1", "--json"]
    answer = ask(tmp_path, *words, "--python", str(program))
    assert Path((tmp_path / "where").read_text().strip()).name == "code"  # the other code, and not this one's
    if answer.code == 2:  # the orders were changed and are not committed yet
        assert "uses an incompatible bench protocol" in answer.err
        return
    timings = json.loads(answer.out)["timings"]
    assert {each["build"] for each in timings} == {"HEAD", "this code"}
    held = [each for each in timings if each["build"] == "this code"]
    assert held and all(each["against"] == "HEAD" and each["ratio"] > 0 for each in held)


def test_a_worker_of_another_protocol_is_refused_and_none_is_left(monkeypatch):
    started = []

    class Old(worker_pool._Process):
        def start(self):
            started.append(self)

        def ask(self, **order):
            return {"took": 0.1}

        def close(self):
            started.remove(self)

    monkeypatch.setattr(worker_pool, "_Process", Old)
    with (
        pytest.raises(HarnessError, match="the bench of v1 uses an incompatible"),
        worker_pool.WorkerPool([Build("v1")], 2, 60, 1.0, None),
    ):
        pass
    assert not started


def test_a_worker_that_is_gone_has_forgotten_everything():
    assert worker_pool._Process(Build("this code", "false"), 60).ask(do="forget") == {}


def test_everybody_is_counted_and_a_rung_is_measured_once(monkeypatch):
    asked, heard = [], []

    class Counting(Warming):
        def ask(self, do, implementation="", **rest):
            asked.extend([implementation] if do == "prepare" else [])
            return super().ask(do, **rest) if do not in ("limits", "copying") else dict.fromkeys(LIMITS, 1.0)

    monkeypatch.setattr(worker_pool, "_Process", Counting)
    rivals = [linear.own, linear.find("einsum")]
    running = Running(
        Asked(),
        [linear],
        {"linear": rivals},
        [Build("this code")],
        1,
        60,
        1.0,
        0,
        None,
        lambda *told: heard.append(told),
    )
    found = running.run()
    points = ladder_points(linear)
    assert asked == [each.name for _ in points for each in rivals] and len(found) == len(asked)
    assert heard == [(f"linear/{made.name}[{point.name}]", len(asked)) for point in points for made in rivals]


def test_a_python_that_cannot_run_the_bench_is_named():
    with (
        pytest.raises(InfrastructureError, match="the bench of v1 does not start with false, and says above why"),
        worker_pool.WorkerPool([Build("v1", "false")], 1, 60, 1.0, None),
    ):
        pass


def test_the_tables_say_what_is_best_and_how_often_the_same_code_differs_from_itself(capsys):
    found = climbing({1: 1e-6, 8: 2e-6, 64: 9e-6})
    print_ladders(found)
    assert "★" in capsys.readouterr().out
    assert aa_test_sentence(found).endswith("0 of 0 called slower or faster")
