"""What user code assigns to in modules that others use harms nobody: it is noticed, told and put back."""

from __future__ import annotations

import builtins
import json
import sys
from types import ModuleType

import pytest
import torch

from harness.execute.watchdog import last_asked
from harness.originals import Originals, installed, of_python, python_kept
from tests.command_line import CANDIDATES, ask

FLOAT32 = ("--dtype", "float32", "--device", "cpu", "--examples", "4", "--profile", "quick", "-k", "agreement")


def useless(*anything):
    raise RuntimeError


@pytest.fixture
def module(monkeypatch):
    """A module `shared` that offers a function, a class, a number and something of its own alone."""
    made = ModuleType("shared")
    made.function, made.Class, made.number, made._own = len, dict, 3, len
    monkeypatch.setitem(sys.modules, "shared", made)
    return made


@pytest.fixture
def originals(module):
    return Originals(lambda name: name == "shared")


def test_what_is_as_it_was_is_no_change(originals):
    assert originals.put_back() == []


def test_what_is_changed_or_removed_is_named_and_put_back(module, originals):
    module.function = useless
    del module.Class
    assert originals.put_back() == ["shared.function", "shared.Class"]
    assert (module.function, module.Class) == (len, dict)
    assert originals.put_back() == []


def test_what_is_added_or_no_function_or_private_is_no_change(module, originals):
    module.more, module.number, module._own = useless, 4, useless
    assert originals.put_back() == []
    assert (module.more, module.number, module._own) == (useless, 4, useless)


def test_what_is_loaded_later_is_noted_then(module, originals, monkeypatch):
    later = ModuleType("later")
    later.function = len
    found = Originals(lambda name: name == "later")
    monkeypatch.setitem(sys.modules, "later", later)
    assert found.put_back() == []
    later.function = useless
    assert found.put_back() == ["later.function"]


def test_builtins_are_put_back_without_them(originals, monkeypatch):
    for name in ("len", "all", "map", "isinstance", "setattr", "any", "list"):
        monkeypatch.setattr(builtins, name, getattr(builtins, name))
    builtins.all = builtins.map = builtins.isinstance = builtins.setattr = builtins.any = builtins.list = useless
    changed = originals.put_back()
    assert set(changed) == {f"builtins.{name}" for name in ("all", "map", "isinstance", "setattr", "any", "list")}


def test_methods_of_tensors_and_modules_are_shared_too(monkeypatch):
    found = Originals(lambda name: name in ("torch", "torch.nn"))
    torch.Tensor.add = torch.Tensor.split = torch.nn.Module.__call__ = torch.nn.Linear.forward = useless
    changed = found.put_back()
    assert set(changed) == {
        *("torch.Tensor.add", "torch.Tensor.split"),
        *("torch.nn.modules.module.Module.__call__", "torch.nn.modules.linear.Linear.forward"),
    }
    assert "add" not in vars(torch.Tensor)  # it is inherited, as it was
    assert torch.equal(torch.nn.Linear(2, 3)(torch.ones(2).add(1)).split(1)[0].isnan(), torch.tensor([False]))


def test_a_package_may_wrap_a_function_of_its_own_and_take_none_for_another(module, originals, tmp_path):
    """As PyTorch wraps torch.manual_seed when it first compiles."""
    module.__path__ = [str(tmp_path)]
    own = compile("def wrapper(): pass", str(tmp_path / "shared.py"), "exec")
    exec(own, vars(module))
    wrapper = vars(module).pop("wrapper")
    module.function = wrapper
    assert originals.put_back() == []
    assert module.function is wrapper
    module.Class = wrapper
    assert originals.put_back() == ["shared.Class"]


def test_whose_modules_are_noted():
    assert of_python("json") and of_python("os.path") and of_python("builtins") and not of_python("torch")
    assert installed("json") and installed("torch.nn") and installed("numpy")
    assert not installed(__name__)


def test_an_import_leaves_python_as_it_was_and_other_packages_as_it_likes(monkeypatch):
    monkeypatch.setattr(torch, "add", torch.add)
    dumps = json.dumps
    with python_kept():
        json.dumps, torch.add = useless, useless
    assert json.dumps is dumps
    assert torch.add is useless


def test_a_note_that_cannot_be_read_is_none(tmp_path):
    (tmp_path / "gw0.asking").write_bytes(b"\xffno event")
    assert last_asked(tmp_path, "gw0") is None


def test_what_one_implementation_changes_is_told_and_met_by_no_other(tmp_path):
    answer = ask(tmp_path, "check", str(CANDIDATES / "meddling.py"), *FLOAT32, "--json")
    found = {cell.implementation: cell for cell in answer.cells}
    assert len(answer.cells) == len(found) == answer.summary["planned"] == 5
    assert {"json.dumps", "json.loads"} <= set(found["speechless"].changed)
    assert found["thoughtless"].reason == (
        "meddling.py: thoughtless: it changed builtins.isinstance, builtins.len, builtins.next, builtins.print, "
        "builtins.open, so that what it gave could not be judged"
    )
    assert (found["thoughtless"].verdict, found["thoughtless"].unjudged) == ("error", False)
    assert set(found["unkind"].changed) == {"torch.add", "torch.Tensor.add", "numpy.sum"}
    for innocent in ("sound", "sound_in_numpy"):
        assert (found[innocent].verdict, found[innocent].changed) == ("rounding", [])
    (told,) = (note for note in answer.summary["notes"] if "unkind" in note)
    assert told.endswith("that was put back, and the worker was replaced")
    assert answer.code == 1


def test_what_a_file_changes_at_its_import(tmp_path):
    answer = ask(tmp_path, "check", str(CANDIDATES / "patching.py"), *FLOAT32)
    assert [(cell.verdict, cell.changed) for cell in answer.cells] == [("rounding", [])]
    assert answer.code == 0
