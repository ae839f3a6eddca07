"""Reproductions: every script runs alone, and shows the difference that the harness saw; mended, it shows none."""

import base64
import contextlib
import dataclasses
import io
import math
import os
import re
import zlib
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
import torch
from jaxtyping import Float
from torch import Tensor

import harness
from harness.candidates import candidates
from harness.declare.implementation import implementation_of
from harness.explain.counterexample import counterexample, explained
from harness.explain.diagnosing import diagnose
from harness.explain.evidence import largest_difference
from harness.explain.excerpt import excerpt
from harness.explain.literal import tensor_literal
from harness.explain.reproduction import reproduction
from harness.explain.script import printed_difference
from harness.explain.shrinking import shrink
from harness.generate.case import Case
from harness.generate.plan import at_every_size, plan
from harness.operations import recurrent_loops  # noqa: F401  (it adds implementations)
from harness.operations.linear import linear
from harness.operations.recurrent import gru
from harness.verify.cell import Cell
from harness.verify.exploration import explore
from harness.verify.finding import ask
from harness.verify.subject import Subject
from harness.verify.suite import every_claim, every_property
from tests.forkserver import HEAVY, SECONDS, server

ROOT = Path(__file__).parents[1]
TWICE = 2


def doubled(b):
    return TWICE * b


# Faults: each with what mends it in its source


def bias_twice(x, W, b):
    return x @ W.mT + 2 * b


def helped(x, W, b):
    return x @ W.mT + doubled(b)


def gradient_scaled(x, W, b):
    return x @ (1.001 * W - 0.001 * W.detach()).mT + b


def gradient_cut(x, W, b):
    return x @ W.detach().mT + b


def strides_ignored(x, W, b):
    return torch.as_strided(x, x.shape, torch.empty(x.shape).stride()) @ W.mT + b


def reads_its_neighbour(x, W, b):
    return x @ W.mT + b + x.roll(1, 0).sum(1, keepdim=True)


_seen = {}


def remembers_the_shape(x, W, b):
    return _seen.setdefault((x.shape, b.shape), x @ W.mT + b).to(x)


_calls = [0]


def drifts(x, W, b):
    _calls[0] += 1
    return x @ W.mT + b * (1 if _calls[0] % 2 else 2)


def writes_to_its_argument(x, W, b):
    result = x @ W.mT + b
    b += 1
    return result


def always_double(x, W, b):
    return (x @ W.mT + b).double()


def nan_swallowed(x, W, b):
    return (x @ W.mT + b).nan_to_num(nan=0.0)


def raises_for_two(x, W, b):
    if len(x) >= 2:
        raise ValueError("no more than one")
    return x @ W.mT + b


def too_few_rows(x, W, b):
    return (x @ W.mT + b)[:1]


def in_numpy(x, W, b):
    return np.einsum("bi,oi->bo", x, W) + 2 * b


def negative_strides_ignored(x, W, b):
    x = x[::-1] if x.strides[0] < 0 else x
    return x @ W.T + b


def wrong_at_the_last(x, W, b):
    result = x @ W.mT + b
    if len(x) >= 300:
        result[299] += 1
    return result


@lru_cache(maxsize=4)
def table(size):
    return torch.arange(size) * 0 + 1.5


def by_a_table(x, W, b):
    return x @ W.mT + b * table(len(b))


def no_slope_at_zero(x, W, b):
    return x @ W.mT + b + 0 * x.abs().sqrt().sum(1, keepdim=True)


FAULTS = [
    (bias_twice, "agreement", "2 * b", "b"),
    (helped, "agreement", "TWICE = 2", "TWICE = 1"),
    (by_a_table, "agreement", "1.5", "1.0"),
    (gradient_scaled, "gradients", "1.001 * W - 0.001 * W.detach()", "W"),
    (gradient_cut, "gradients", "W.detach()", "W"),
    (strides_ignored, "layouts", "torch.as_strided(x, x.shape, torch.empty(x.shape).stride())", "x"),
    (reads_its_neighbour, "batch_leak", " + x.roll(1, 0).sum(1, keepdim=True)", ""),
    (reads_its_neighbour, "batch_invariance", " + x.roll(1, 0).sum(1, keepdim=True)", ""),
    (reads_its_neighbour, "batch_permutation", " + x.roll(1, 0).sum(1, keepdim=True)", ""),
    (reads_its_neighbour, "batch_gradient_leak", " + x.roll(1, 0).sum(1, keepdim=True)", ""),
    (remembers_the_shape, "agreement", "_seen.setdefault((x.shape, b.shape), x @ W.mT + b)", "(x @ W.mT + b)"),
    (drifts, "repeatability", "1 if _calls[0] % 2 else 2", "1"),
    (writes_to_its_argument, "inputs_unmodified", "b += 1", "b = b + 1"),
    (always_double, "result_dtype", ".double()", ""),
    (no_slope_at_zero, "finite_gradients", " + 0 * x.abs().sqrt().sum(1, keepdim=True)", ""),
    (nan_swallowed, "nonfinite_propagation", ".nan_to_num(nan=0.0)", ""),
    (raises_for_two, "agreement", "len(x) >= 2", "False"),
    (raises_for_two, "batch_permutation", "len(x) >= 2", "False"),
    (too_few_rows, "agreement", "(x @ W.mT + b)[:1]", "x @ W.mT + b"),
    (in_numpy, "agreement", "2 * b", "b"),
    (wrong_at_the_last, "agreement", "+= 1", "+= 0"),
    (negative_strides_ignored, "layouts", "x[::-1]", "x"),
    (lambda x, W, b: x @ W.mT - b, "agreement", "W.mT - b", "W.mT + b"),
]


def cell_of(function, prop="agreement", operation=linear, backend=None, dtype="float32"):
    backend = backend or ("numpy" if function in (in_numpy, negative_strides_ignored) else "torch")
    made = implementation_of(operation.name, operation.signature, function, backend)
    return Cell(property_named(prop), operation, made, "cpu", dtype)


def property_named(name):
    return next(prop for prop in every_property() if prop.name == name)


def fallen(cell, seconds=2.0):
    """The shrunk finding of a cell that falls."""
    done = explore(cell, (*plan(cell.operation, 100, 0), *at_every_size(cell.operation)))
    assert done.verdict.failing, done.verdict
    return shrink(cell, done.worst, seconds)


def ran(script, folder, *, with_harness=False):
    """What a script prints in a process of its own, in which there is no harness."""
    (folder / "harness").mkdir(exist_ok=True)
    (folder / "harness" / "__init__.py").write_text("raise ImportError('there is no harness here')\n")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "PYTHON"))}
    place = folder / "script.py"
    if with_harness:
        place = folder / "alone" / "script.py"
        place.parent.mkdir(exist_ok=True)
        kept["PYTHONPATH"] = str(ROOT)
    place.write_text(script, encoding="utf-8")
    done = server(*HEAVY).run([str(place)], folder, {**kept, "OMP_NUM_THREADS": "1"}, SECONDS)
    assert done.returncode == 0, done.stderr
    return done.stdout


def ran_here(script):
    """What a script prints in this process, which is quicker."""
    with contextlib.redirect_stdout(io.StringIO()) as told:
        exec(compile(script, "script", "exec"), {"__name__": "__main__"})
    return told.getvalue()


def seen(script):
    """The largest difference that the script says was seen."""
    (found,) = re.findall(r"^# Largest difference seen: (\S+)$", script, re.MULTILINE)
    return float(found)


@pytest.mark.parametrize(
    ("function", "prop", "fault", "mended"), FAULTS, ids=lambda part: getattr(part, "__name__", None)
)
def test_a_script_shows_what_was_seen_and_nothing_once_it_is_mended(function, prop, fault, mended, tmp_path):
    cell = cell_of(function, prop)
    finding = fallen(cell)
    script = reproduction(cell, finding).because("because").text
    assert "import harness" not in script and "# Why: because" in script
    output = ran(script, tmp_path)
    printed = printed_difference(output)
    assert printed > 0
    assert printed == pytest.approx(seen(script), rel=0.01)
    if prop == "agreement" and finding.comparison is not None and function is not remembers_the_shape:
        measured = largest_difference(finding.comparison.actual, finding.comparison.expected)
        assert printed == pytest.approx(measured, rel=0.01)
    assert re.search(rf"^versions: torch {re.escape(torch.__version__)}, .*Python 3", output, re.MULTILINE)
    assert fault in script
    assert printed_difference(ran_here(script.replace(fault, mended))) <= 1e-5


def test_an_unstable_result_is_reproduced_too(tmp_path):
    """Squares that cancel: rounding alone, and the digits are gone."""

    @harness.operation
    def variance(x: Float[Tensor, "batch d"]) -> Float[Tensor, "batch"]:
        """The variance of every row."""
        return (x - x.mean(1, keepdim=True)).square().mean(1)

    def naive(x):
        return x.square().mean(1) - x.mean(1).square()

    cell = cell_of(naive, operation=variance)
    done = explore(cell, plan(variance, 60, 0))
    script = reproduction(cell, done.worst).text
    assert "variance/naive is UNSTABLE" in script
    assert printed_difference(ran(script, tmp_path)) == pytest.approx(seen(script), rel=0.01)


def test_a_candidate_file_brings_its_helpers_constants_and_the_modules_beside_it(tmp_path):
    (tmp_path / "beside").mkdir()
    (tmp_path / "beside" / "slope_beside.py").write_text("SLOPE = 3\n\ndef slope(x):\n    return SLOPE * x\n")
    file = tmp_path / "beside" / "mine.py"
    file.write_text(
        "import harness\nimport torch as t\nfrom slope_beside import slope as steep\n"
        "from harness.operations.linear import linear\n\n"
        "OFFSET: float = 1.0\nTABLE = [OFFSET]\nTABLE.append(2.0)\nUNUSED = open(__file__).read()\n\n"
        "class Layer(t.nn.Module):\n    def forward(self, x, W):\n        return t.nn.functional.linear(x, W)\n\n"
        "def shifted(b: t.Tensor) -> t.Tensor:\n    return b + TABLE[1] * OFFSET\n\n"
        "@linear.implementation(backend='torch')\ndef mine(x, W, b):\n"
        "    if not len(W):\n        raise harness.Unsupported('no outputs')\n"
        "    exact = linear(x, W, shifted(b))\n    return exact + (steep(b) - 3 * b) + 0 * Layer()(x, W)\n"
        "\nif __name__ == '__main__':\n    raise SystemExit('not to be run')\n"
    )
    (made,) = candidates(file).implementations
    cell = Cell(property_named("agreement"), linear, made, "cpu", "float32")
    try:
        script = reproduction(cell, fallen(cell)).text
    finally:
        del linear.implementations["mine"]
    assert "class Unsupported(Exception)" in script and "UNUSED" not in script and "import harness" not in script
    assert "mine.py" not in script and str(tmp_path) not in script
    assert printed_difference(ran(script, tmp_path)) == pytest.approx(2, rel=1e-3)
    assert printed_difference(ran_here(script.replace("TABLE.append(2.0)", "TABLE.append(0.0)"))) <= 1e-5


@pytest.mark.parametrize(
    ("operation", "name", "options"),
    [
        (linear, "einsum", {}),
        (gru, "gate_by_gate", {"layers": 2, "bidirectional": True, "batch_first": True, "packed": False}),
        (gru, "sample_by_sample", {"layers": 1, "bidirectional": False, "batch_first": False, "packed": True}),
    ],
)
def test_an_implementation_of_the_catalogue_runs_without_it(operation, name, options, tmp_path):
    """They are right, so the finding is made up: the case against an oracle that is one off."""
    made = operation.find(name)
    sizes = dict.fromkeys(operation.sizes, 2)
    case = Case(operation, sizes, options, seed=987_654_321, dtype="float32")  # nobody else's
    cell = Cell(property_named("agreement"), operation, made, "cpu", "float32")
    for part in harness.reference(case).parts:
        part.expected.flat[0] += 1  # it is remembered
    finding, _ = ask(cell, Subject(operation, made), case)
    assert finding.judgement.score > finding.judgement.allowance
    script = reproduction(cell, finding).text
    assert printed_difference(ran(script, tmp_path)) == pytest.approx(1, rel=1e-3)


def test_equal_names_of_two_files_are_told_apart(tmp_path):
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "other_scale.py").write_text(
        "SCALE = 3\n\ndef scaled(b, SCALES=()):\n    return helper(b) * SCALE\n\ndef helper(b):\n    return b + 0\n"
    )
    (tmp_path / "one" / "clashing.py").write_text(
        "import other_scale\nfrom other_scale import scaled\nfrom torch.nn.functional import linear as helper\n"
        "from harness.operations import linear as family\n\nSCALE = 2\n\n"
        "@family.linear.implementation\ndef clashing(x, W, b):\n"
        "    return helper(x, W) + SCALE * b + scaled(b) - 3 * other_scale.helper(b)\n"
    )
    (made,) = candidates(tmp_path / "one" / "clashing.py").implementations
    cell = Cell(property_named("agreement"), linear, made, "cpu", "float32")
    try:
        script = reproduction(cell, fallen(cell)).text
    finally:
        del linear.implementations["clashing"]
    assert "SCALE = 2" in script and "SCALE_of_other_scale = 3" in script and "def helper_of_other_scale(b)" in script
    assert printed_difference(ran(script, tmp_path)) == pytest.approx(seen(script))
    assert printed_difference(ran_here(script.replace("SCALE = 2", "SCALE = 1"))) <= 1e-5


def test_captured_values_are_written_down():
    factor, bias, seen_before = 2, torch.ones(1), []

    def captures(x, W, b):
        seen_before.append(len(x))
        return x @ W.mT + factor * b * bias

    cell = cell_of(captures)
    script = reproduction(cell, fallen(cell)).text
    assert "factor = 2\n" in script and "seen_before = []\n" in script
    assert printed_difference(ran_here(script)) == pytest.approx(seen(script))
    assert printed_difference(ran_here(script.replace("factor = 2", "factor = 1"))) <= 1e-5


def test_what_has_no_source_is_imported_where_it_lies_and_said_so():
    made = {}
    exec("def from_nowhere(x, W, b):\n    return x @ W.mT + 2 * b\n", made)
    cell = cell_of(made["from_nowhere"])
    script = reproduction(cell, fallen(cell)).text
    assert "# The candidate's source is not here: its source is not in a file." in script
    assert "put the candidate here" in script
    compile(script, "script", "exec")


def test_an_example_of_a_page_is_no_file_of_python(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("# A page\n\nIt doubles:\n\ndef doubling(x, W, b):\n    return x @ W.mT + 2 * b\n")
    made = {}
    example = page.read_text().partition("It doubles:\n\n")[2]
    exec(compile("\n" * 4 + example, str(page), "exec"), made)
    cell = cell_of(made["doubling"])
    script = reproduction(cell, fallen(cell)).text
    assert "# The candidate's source is not here: page.md is not Python as it stands, or no longer." in script
    compile(script, "script", "exec")


def test_a_claim_is_asked_by_the_harness(tmp_path):
    refuted = next(each for each in every_claim() if each.own is not None and each.instead)
    operation = harness.catalogue()[refuted.of[0]]
    cell = Cell(refuted.own, operation, operation.own, "cpu", "float64")
    script = reproduction(cell, fallen(cell)).text
    assert "# Needs the harness" in script
    assert printed_difference(ran(script, tmp_path, with_harness=True)) > 0


def test_hostile_text_breaks_nothing(tmp_path):
    hostile = "\n\x1b[31m\u202e\u2028import os; os.abort()\r\n'''\"\"\""

    def innocent(x, W, b):
        """Nothing to see.\u202e\x1b[31m \\"""
        return x @ W.mT + 2 * b  # \u202e

    cell = cell_of(innocent)
    made = dataclasses.replace(cell.implementation, name=hostile)
    innocent.__name__ = hostile
    script = reproduction(dataclasses.replace(cell, implementation=made), fallen(cell)).because(hostile).text
    assert all(line.isprintable() for line in script.splitlines())
    assert printed_difference(ran(script, tmp_path)) > 0


def test_a_message_that_cannot_be_printed_is_spelled_out(tmp_path):
    def bad_message(x, W, b):
        raise ValueError("a lone surrogate \ud800, a bell \a, and\nmore lines")

    cell = cell_of(bad_message)
    output = ran(reproduction(cell, fallen(cell)).text, tmp_path)
    assert r"ValueError('a lone surrogate \ud800" in output and printed_difference(output) == np.inf


def test_every_implementation_of_the_catalogue_has_an_excerpt():
    for operation in harness.catalogue().values():
        for made in (operation.own, *operation.implementations.values()):
            source = excerpt(made.function)
            text = "\n".join((*source.imports, source.source))
            compile(text, made.key, "exec")
            assert "import harness" not in text and "from harness" not in text


def test_values_are_not_written_out_where_they_are_too_many_for_a_script(monkeypatch):
    @harness.operation(sizes={"n": (1, 2**20)})
    def itself(x: Float[Tensor, "n"]) -> Float[Tensor, "n"]:
        """x."""
        return x

    written = []
    monkeypatch.setattr(
        "harness.explain.script.tensor_literal", lambda tensor: written.append(tensor) or tensor_literal(tensor)
    )
    made = implementation_of("itself", itself.signature, lambda x: x + 1, "torch")
    asked = Cell(property_named("agreement"), itself, made, "cpu", "float32")
    for pattern in ("normal", "few_ones"):
        finding, _ = ask(
            asked, Subject(itself, made), Case(itself, {"n": 2**18 + 2**16}, pattern=pattern, dtype="float32")
        )
        assert len(reproduction(asked, finding).text) < 60_000
        assert bool(written) is (pattern == "few_ones")


@pytest.mark.parametrize(
    "dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16, torch.int64, torch.bool]
)
def test_a_long_literal_gives_the_same_bits(dtype):
    dense = torch.randn(20, 30, generator=torch.Generator().manual_seed(0)).to(dtype)
    sparse = torch.zeros(20, 30, dtype=dtype)
    sparse[3, 4:6] = dense[0, :2]
    if dtype.is_floating_point:
        sparse[7, 1], sparse[8, 2], sparse[9, 3] = -0.0, torch.nan, -torch.inf
    for tensor in (dense, sparse, torch.zeros_like(dense), dense.mT, dense[:, ::2]):
        made = eval(tensor_literal(tensor), {"torch": torch, "zlib": zlib, "base64": base64, **vars(math)})
        assert made.dtype is dtype and made.stride() == tensor.stride()
        assert torch.equal(bits(made), bits(tensor))


def bits(tensor):
    return tensor.contiguous().view(torch.uint8)


def test_a_counterexample_carries_its_script():
    cell = cell_of(bias_twice)
    least = shrink(cell, explore(cell, plan(linear, 60, 0)).worst, 1.0)
    diagnosis = diagnose(cell, least)
    script = reproduction(cell, least)
    shown = explained(counterexample(least, script), script, diagnosis)
    assert shown.script.startswith("# linear/bias_twice is WRONG")
    assert str(diagnosis) in shown.script.replace("\n# ", " ")


APPLIED = """
import torch
from jaxtyping import Float
from torch import Tensor

import harness

POWER = 3


@harness.operation
def power(x: Float[Tensor, "batch d"]) -> Float[Tensor, "batch d"]:
    "x³"
    return x * x * x


class Base(torch.autograd.Function):
    @staticmethod
    def backward(ctx, gradient):
        (x,) = ctx.saved_tensors
        return POWER * x * gradient


class Kernel(Base):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**POWER


power.implementation(Kernel.apply)
"""


def test_an_autograd_function_is_written_out_with_its_class(tmp_path):
    (tmp_path / "applied.py").write_text(APPLIED)
    (made,) = candidates(tmp_path / "applied.py").operations
    (kernel,) = made.implementations.values()
    assert kernel.key == "power/Kernel" and kernel.place == "applied.py: Kernel"
    prop = next(each for each in every_property() if each.name == "gradients")
    cell = Cell(prop, made, kernel, "cpu", "float32")
    script = reproduction(cell, fallen(cell)).text
    assert "class Base(" in script and "class Kernel(Base)" in script and "POWER = 3" in script
    assert script.endswith("reproduce(Kernel.apply)\n") and printed_difference(ran(script, tmp_path)) > 0
    assert printed_difference(ran_here(script.replace("POWER * x *", "POWER * x * x *"))) <= 1e-5
