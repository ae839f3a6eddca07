"""Triton: chosen by the name of a backend, interpreted where there is no GPU, and unavailable with a reason where it is not installed."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.declare.triton_interpreter import is_native, script_lines
from harness.execute.outcome import outcome
from harness.verify.cell import Cell
from tests.verdicts import PROPERTIES

ROOT = Path(__file__).parents[1]
NATIVE = is_native()

FILE = """
import harness, triton
from jaxtyping import Float
from torch import Tensor

@harness.operation
def doubled(x: Float[Tensor, "batch d"]) -> Float[Tensor, "batch d"]:
    "Twice x."
    return 2 * x

@doubled.implementation(backend="triton", dtypes=("float32",), forward_only=True)
def kernel(x):
    return x + x if triton.INTERPRETED else x
"""


def printed(code, *paths):
    folders = os.pathsep.join(filter(None, (*map(str, (*paths, ROOT)), os.environ.get("PYTHONPATH", ""))))
    environment = {name: value for name, value in os.environ.items() if name != "TRITON_INTERPRET"}
    command = [sys.executable, "-c", code]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, env={**environment, "PYTHONPATH": folders}
    )
    return done.stdout.strip()


def installed(folder):
    """A package of that name, which knows as it is imported whether it is asked to interpret."""
    (folder / "triton").mkdir()
    (folder / "triton" / "__init__.py").write_text("import os\n\nINTERPRETED = 'TRITON_INTERPRET' in os.environ\n")
    (folder / "kernels.py").write_text(FILE)
    return folder


def test_it_is_asked_to_interpret_before_a_candidate_imports_it(tmp_path):
    code = "import harness, kernels; print(kernels.triton.INTERPRETED, kernels.doubled.find('kernel').unavailable())"
    assert printed(code, installed(tmp_path)) == f"{not NATIVE} None"


def test_without_harness_nobody_asks(tmp_path):
    assert printed("import triton; print(triton.INTERPRETED)", installed(tmp_path)) == "False"


def test_where_it_is_not_installed_its_implementations_say_so():
    code = "from harness.declare.backends import BACKENDS; print(BACKENDS['triton'].missing())"
    told = printed(
        f"import sys; sys.modules['triton'] = None\nimport importlib.util as u\nu.find_spec = lambda name: None\n{code}"
    )
    assert told.startswith("the package triton")


def test_a_script_asks_as_well():
    assert script_lines("@triton.jit")[-1] == 'os.environ.setdefault("TRITON_INTERPRET", "1")'


needs_triton = pytest.mark.skipif(
    importlib.util.find_spec("triton") is None,
    reason="triton is not installed, which takes 700 MB; tox -e triton asks this",
)

KERNELS = """
import triton, triton.language as tl
{first}
import torch
from jaxtyping import Float
from torch import Tensor

@triton.jit
def twice(value):
    return value + value

@triton.autotune(configs=[triton.Config({{"BLOCK": 16}}), triton.Config({{"BLOCK": 64}})], key=["n"])
@triton.jit
def kernel(x_ptr, y_ptr, n, BLOCK: tl.constexpr, MASKED: tl.constexpr, FILTERED: tl.constexpr):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    if MASKED:
        value = tl.load(x_ptr + at, mask=at < n, other=0)
    else:
        value = tl.load(x_ptr + at)  # without a mask
    value = tl.where(at < n, value, 0) + tl.max(value, 0) * 0 if FILTERED else value
    tl.store(y_ptr + at, twice(value), mask=at < n)

def launched(x, masked, filtered=False):
    y = torch.empty(x.shape, dtype=x.dtype)
    if len(x):
        grid = lambda given: (triton.cdiv(len(x), given["BLOCK"]),)
        kernel[grid](x.contiguous(), y, len(x), MASKED=masked, FILTERED=filtered)
    return y

import harness

@harness.operation(sizes={{"n": (1, 65)}})
def doubled(x: Float[Tensor, "n"]) -> Float[Tensor, "n"]:
    "Twice x."
    return 2 * x

OPTIONS = {{"backend": "triton", "dtypes": ("float32",), "forward_only": True}}

@doubled.implementation(**OPTIONS)
def right(x):
    return launched(x, True)

@doubled.implementation(**OPTIONS)
def unmasked(x):
    return launched(x, False)

class Doubled(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return launched(x, True)

    @staticmethod
    def backward(ctx, dy):
        return launched(dy, False)

@doubled.implementation(backend="triton", dtypes=("float32",))
def unmasked_backward(x):
    return Doubled.apply(x)
"""


def file_of_kernels(folder, first=""):
    path = folder / "twice.py"
    path.write_text(KERNELS.format(first=first))
    return path


@needs_triton
@pytest.mark.parametrize("first", ["", "import harness"])
def test_kernels_are_interpreted_whether_triton_or_the_harness_was_imported_first(tmp_path, first):
    file_of_kernels(tmp_path, first)
    code = (
        "import torch, twice; x = torch.arange(33.0)\n"
        "print(type(twice.kernel.fn).__name__, (twice.doubled.find('right').ready(x=x) == 2 * x).all().item())"
    )
    assert printed(code, tmp_path) == f"{'InterpretedFunction' if first else 'JITFunction'} True"


def command(folder, *words):
    environment = {name: value for name, value in os.environ.items() if name != "TRITON_INTERPRET"}
    paths = os.pathsep.join(filter(None, (str(ROOT), environment.get("PYTHONPATH", ""))))
    done = subprocess.run(
        [sys.executable, *words],
        capture_output=True,
        text=True,
        cwd=folder,
        env={**environment, "PYTHONPATH": paths},
        check=False,
    )
    return done.stdout + done.stderr


@needs_triton
def test_every_way_of_asking_interprets(tmp_path):
    path = file_of_kernels(tmp_path)
    line = next(number for number, text in enumerate(path.read_text().splitlines(), 1) if "without a mask" in text)
    checked = ("-m", "harness", "check", "twice.py", "--profile", "quick", "--jobs", "1", "--json")
    told = json.loads(command(tmp_path, *checked, "-k", "kernel_accesses"))
    assert {each["implementation"] for each in told["causes"]} == {"unmasked", "unmasked_backward"}
    for found in told["causes"]:
        assert found["verdict"] == "error"
        assert found["diagnosis"]["sentence"].startswith(f"line {line} of twice.py (kernel) loads up to ")
    (log,) = (tmp_path / "reports" / "runs").iterdir()
    assert f"line {line} of twice.py" in command(tmp_path, "-m", "harness", "replay", str(log))
    (tmp_path / "conftest.py").write_text("import triton\n")
    (tmp_path / "test_twice.py").write_text("import harness, twice\n\ntest_doubled = harness.verify(twice.doubled)\n")
    asked = command(tmp_path, "-m", "pytest", "-q", "-k", "kernel_accesses", "--harness-examples", "5")
    assert "2 failed, 1 passed" in asked and f"line {line} of twice.py" in asked


@needs_triton
def test_a_script_of_a_tuned_kernel_shows_its_fault_without_the_harness(tmp_path):
    path = file_of_kernels(tmp_path)
    path.write_text(path.read_text().replace("return value + value", "return value * 3"))
    checked = ("-m", "harness", "check", "twice.py", "--profile", "smoke", "--jobs", "1", "--json")
    found = json.loads(command(tmp_path, *checked))["causes"]
    script = next(each["script"] for each in found if each["implementation"] == "right")
    (tmp_path / "script.py").write_text(script)
    assert "import harness" not in script and "largest difference: 1\n" in command(tmp_path, "script.py")


@needs_triton
@pytest.mark.parametrize(
    ("name", "prop", "verdict", "piece"),
    [
        ("softmax_row", "kernel_accesses", "exact", ""),
        ("scan_in_blocks", "kernel_accesses", "exact", ""),
        ("layer_norm_rows", "kernel_accesses", "exact", ""),
        ("stored_without_mask", "kernel_accesses", "wrong", "tl.store(y_ptr + row * d + start + column, value)"),
        ("loaded_without_mask", "kernel_accesses", "wrong", "value = tl.load(at)"),
        ("added_without_atomics", "kernel_accesses", "wrong", "before = tl.load(dweight_ptr + column"),
        ("chained_without_waiting", "kernel_accesses", "wrong", "carry = tl.load(total_ptr"),
    ],
)
def test_accesses_are_told_by_their_line(name, prop, verdict, piece):
    from tests.quality import triton_kernels

    each = getattr(triton_kernels, name)
    lines = Path(triton_kernels.__file__).read_text().splitlines()
    told = outcome(Cell(PROPERTIES[prop], each.operation, each.implementation, "cpu", "float32"), 12, 0, 1.0)
    assert told.verdict == verdict
    if piece:
        (line,) = (number for number, text in enumerate(lines, 1) if text.strip().startswith(piece))
        assert f"line {line} of triton_kernels.py" in told.counterexample.diagnosis.sentence


@needs_triton
def test_constants_of_real_kernels_are_met(tmp_path):
    file_of_kernels(tmp_path)
    code = "import twice; from harness.declare.constants import constants_of; print({16, 64} <= constants_of(twice.launched))"
    assert printed(code, tmp_path) == "True"
