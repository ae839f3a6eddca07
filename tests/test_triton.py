"""Triton: chosen by the name of a backend, interpreted where there is no GPU, and unavailable with a reason where it is not installed."""

import os
import subprocess
import sys
from pathlib import Path

import torch

from harness.declare.backends import BACKENDS

ROOT = Path(__file__).parents[1]
NATIVE = torch.cuda.is_available() or torch.xpu.is_available()

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
    folders = os.pathsep.join(map(str, (*paths, ROOT)))
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
    assert ("TRITON_INTERPRET" in " ".join(BACKENDS["triton"].setup)) is not NATIVE
