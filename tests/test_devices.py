"""Devices: told by what PyTorch calls them, asked for what they can do."""

import pytest
import torch

import harness
from harness.declare.devices import CPU, absent, check_devices, device_named, device_of, devices_here, lacks_memory
from harness.generate.precision import PRECISIONS
from harness.history.segment import differences, segment


def test_a_device_is_called_as_pytorch_calls_it():
    one, any_of_them = device_named("cuda:1"), device_named("cuda")
    assert (one.kind, one.number, any_of_them.number) == ("cuda", 1, None)
    assert device_named("cuda:1") is one
    assert not one.is_cpu and device_named(CPU).is_cpu and device_of(torch.zeros(1)).is_cpu


def test_a_declaration_means_a_device_by_name_by_kind_or_as_an_accelerator():
    one = device_named("xpu:1")
    assert all(one.is_one_of((named,)) for named in ("xpu:1", "xpu", "accelerator"))
    assert not any(one.is_one_of((named,)) for named in ("xpu:0", "cuda", "cpu"))
    assert device_named(CPU).is_one_of(("cpu", "cuda")) and not device_named(CPU).is_one_of(("accelerator",))


@pytest.mark.parametrize("name", ["gpu", "cuda:77", "", "cpu:0", "cuda:x", "Cuda"])
def test_one_that_is_not_here_is_refused_with_those_that_are(name):
    assert absent(name).startswith(f"device {name!r} is not here; this machine has cpu")
    with pytest.raises(harness.HarnessError, match="is not here; this machine has cpu"):
        check_devices([CPU, name])


def test_the_cpu_is_here_and_first_and_has_every_dtype():
    here = device_named(CPU)
    assert devices_here()[0] == CPU and not absent(CPU)
    assert here.lacking == () and not here.is_lost and here.event() is None and here.title == CPU
    assert all(each.is_on(CPU) for each in PRECISIONS.values() if not each.is_mode)


def test_what_a_script_has_to_say_of_a_device():
    """TF32 is on for cuDNN of itself, and a call to an accelerator is over when it has been waited for."""
    assert device_named("cuda:1").settings == ("torch.backends.cudnn.allow_tf32",)
    assert device_named("mps").settings == device_named(CPU).settings == ()
    assert device_named("mps").waiting == ("torch.mps.synchronize()",) and device_named(CPU).waiting == ()


@pytest.mark.parametrize(
    ("failure", "of_memory"),
    [
        (MemoryError(), True),
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"), True),
        (RuntimeError("MPS backend out of memory (MPS allocated: 18 GB)"), True),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes"), True),
        (RuntimeError("CUDA error: an illegal memory access was encountered"), False),
    ],
)
def test_want_of_memory_is_told_from_other_failures(failure, of_memory):
    assert lacks_memory(failure) is of_memory


def test_logs_of_before_tell_the_same_devices():
    """What was called `cuda` in environments is called `accelerators` now."""
    before, after = {"cuda": [{"name": "H200"}]}, {"accelerators": [{"name": "H200", "device": "cuda"}]}
    assert segment(before) == segment(after) and not differences(before, after)
    assert segment(after) != segment({"accelerators": []})
