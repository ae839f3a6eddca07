"""The environment of a run: every distribution that it has imported, whatever brought it."""

import importlib.metadata
import importlib.util
import sys

from harness.record import environment as recorded
from harness.record.environment import environment
from tests.command_line import ask


def test_every_installed_backend_is_recorded_by_its_distribution():
    packages = environment()["packages"]
    by_module = importlib.metadata.packages_distributions()
    for module in ("cv2", "xgboost", "lightgbm", "gpytorch", "kornia", "onnx", "sklearn", "jaxlib"):
        if importlib.util.find_spec(module) is not None:
            assert {name.lower() for name in by_module[module]} <= {*packages}, module


def test_what_is_imported_is_recorded():
    assert {"torch", "numpy", "hypothesis", "pytest", "tensor-harness"} <= {*environment()["packages"]}


def test_what_a_checked_file_imports_is_recorded(tmp_path):
    source = """
import harness, yaml
from jaxtyping import Float
from torch import Tensor

@harness.operation
def doubled(x: Float[Tensor, "batch d"]) -> Float[Tensor, "batch d"]:
    '''Twice x.'''
    return x * 2
"""
    (tmp_path / "mine.py").write_text(source)
    quick = ("--profile", "quick", "--examples", "2", "--dtype", "float32", "--device", "cpu", "-k", "agreement")
    started = ask(tmp_path, "check", "mine.py", *quick, "--json").events[0]
    assert "pyyaml" in started.environment["packages"]


def test_what_is_imported_meanwhile_does_no_harm(monkeypatch):
    """Reading the lists of distributions may import what they are read with."""

    def read():
        monkeypatch.setitem(sys.modules, f"imported_{len(sys.modules)}", sys)
        return {"numpy": ["numpy"]}

    monkeypatch.setattr(recorded, "_modules", read)
    assert recorded.imported() == ["numpy"]
