"""Emulated machines: what differs between them is told, what does not is left in peace, and each meets everything."""

import re
from collections import Counter

import pytest
import torch

from harness.catalogue import catalogue
from harness.record.events import ClaimListed
from tests.command_line import CANDIDATES
from tests.quality.machines import MACHINES, Machine
from tests.quality.portability import Part, Told, findings, parts, run
from tests.test_history import cell

PLAIN = Machine("plain", {"ATEN_CPU_CAPABILITY": "default"})
THREADS = Machine("in threads", threads=2)


def test_an_implementation_that_depends_on_instructions_or_threads_is_told_and_the_others_are_quiet():
    vectors = torch.backends.cpu.get_cpu_capability() != "DEFAULT"
    every = run([PLAIN, THREADS], [0], [str(CANDIDATES / "of_a_machine.py")], jobs=1)
    lines = list(findings(every))
    told = {found[1] for line in lines if (found := re.search(r"agreement\[doubled/(\w+)-cpu", line))}
    assert told == {"by_threads", "by_instructions"}
    assert not any("everywhere" in line or "doubled/definition" in line for line in lines)
    differing = [
        line for line in lines if line.startswith("differs  seed 0: agreement[doubled/by_threads-cpu-float32]")
    ]
    assert [line.partition("]: ")[2] for line in differing] == ["rounding on plain; wrong on in threads"]
    assert any("by_instructions" in line for line in lines if line.startswith("differs")) is vectors


@pytest.mark.parametrize("whole", [False, True])
def test_every_machine_meets_every_operation(whole):
    met = Counter(
        (part.machine.name, name) for part in parts(MACHINES, (0, 1, 2), (), whole) for name in part.operations
    )
    assert len(MACHINES) >= 12
    assert met == dict.fromkeys(
        ((machine.name, name) for machine in MACHINES for name in catalogue()), 3 if whole else 1
    )


def test_several_machines_share_an_operation_and_a_seed_and_every_seed_has_some():
    shared = Counter((name, part.seed) for part in parts(MACHINES, (0, 1, 2), ()) for name in part.operations)
    assert set(shared) == {(name, seed) for name in catalogue() for seed in (0, 1, 2)}
    assert min(shared.values()) >= 4


def told(machine=PLAIN, **more):
    return Told(Part(machine, 0, ("linear",), ()), **more)


def test_what_is_false_on_one_machine_alone_is_told_too():
    wrong, known = cell("fused", "wrong", reason="off"), cell("other", "wrong", known="reported there")
    (line,) = findings([told(cells=[wrong, known])])
    assert line.startswith("wrong  plain, seed 0: ") and "fused" in line
    assert not list(findings([told(cells=[known]), told(THREADS, cells=[cell("other", "rounding")])]))
    (line,) = findings([told(cells=[cell("other", "unstable")]), told(THREADS, cells=[cell("other", "rounding")])])
    assert line.startswith("differs  seed 0: ") and "unstable on plain; rounding on in threads" in line
    (line,) = findings([told(faults=["exit 3: no place"])])
    assert line == "fault of the harness  plain, seed 0: exit 3: no place"
    (line,) = findings([told(probe={"alarms": [["linear/fused-cpu-float32", "batch=1", "off"]]})])
    assert line.startswith("called wrong  plain, seed 0: linear/fused")


def test_the_same_bits_or_not_is_no_difference_and_lost_digits_are():
    def between(one, other):
        return list(findings([told(cells=[cell("fused", one)]), told(THREADS, cells=[cell("fused", other)])]))

    assert not between("exact", "rounding")
    (line,) = between("rounding", "unstable")
    assert line.endswith("rounding on plain; unstable on in threads")


def test_arguments_of_other_bits_are_a_difference():
    same, other = ({"cases": {"linear": summary}} for summary in ("aa", "bb"))
    assert not list(findings([told(probe=same), told(THREADS, probe=same)]))
    (line,) = findings([told(probe=same), told(THREADS, probe=other)])
    assert line == "cases differ  seed 0: linear: plain / in threads"


def test_a_claim_is_settled_by_all_that_its_machine_was_asked():
    """The operation that refutes it may be in another part."""
    claim = ClaimListed("linear.always", "a.md", "It always holds.", "refuted", "", ["linear", "gru"], ["always"])
    holds, refuted = (cell("fused", verdict, prop="always", claim=True) for verdict in ("rounding", "wrong"))
    (line,) = findings([told(claims=[claim], cells=[holds])])
    assert line.startswith("claim otherwise  plain: linear.always holds")
    assert not list(findings([told(claims=[claim], cells=[holds]), told(claims=[claim], cells=[refuted])]))


def test_a_machine_is_told_its_own_variables_and_nobody_elses(tmp_path, monkeypatch):
    for name in ("ATEN_CPU_CAPABILITY", "MKL_CBWR", "LD_PRELOAD"):
        monkeypatch.setenv(name, "of the user's own")
    plain, threads = PLAIN.environment(tmp_path), THREADS.environment(tmp_path)
    assert plain["ATEN_CPU_CAPABILITY"] == "default" and plain["OMP_NUM_THREADS"] == "1"
    assert threads["OMP_NUM_THREADS"] == "2"
    assert not {"ATEN_CPU_CAPABILITY", "MKL_CBWR", "LD_PRELOAD"} & set(threads)


def test_what_this_machine_has_not_is_left_out_with_a_reason(tmp_path, monkeypatch):
    machine = Machine("with AVX-512", {"ATEN_CPU_CAPABILITY": "avx512"}, level="AVX512")
    monkeypatch.setattr("torch.backends.cpu.get_cpu_capability", lambda: "AVX2")
    assert machine.obstacle(tmp_path) == "it takes AVX512, this machine has AVX2"
    monkeypatch.setattr("torch.backends.cpu.get_cpu_capability", lambda: "AVX512")
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    assert not machine.obstacle(tmp_path)
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    assert "for x86" in machine.obstacle(tmp_path)
    assert not THREADS.obstacle(tmp_path)
