"""Extensions: a backend, a dtype, a pattern, a layout, a property, a cause and an output format, each in a file of one's own."""

import importlib.metadata
import json

import pytest
import torch
from click.testing import CliRunner

import harness
from harness.candidates import candidates
from harness.command.main import main
from harness.declare.backends import BACKENDS
from harness.errors import DeclarationError, HarnessError, UnknownName
from harness.generate.layouts import LAYOUTS
from harness.generate.precision import full_precision, narrower
from harness.registry import OURS, Registry, registering_for
from tests.command_line import ask

OPERATION = '''
import harness, torch
from jaxtyping import Float
from torch import Tensor


@harness.operation
def mixed(x: Float[Tensor, "batch d"], y: Float[Tensor, "batch d"]) -> Float[Tensor, "batch d"]:
    """Half of x, and y."""
    return x / 2 + y
'''

BACKEND = """
harness.backend("torchlike", packages=("torch",), dtypes=(torch.float32,), differentiable=True)


@mixed.implementation(backend="torchlike")
def fast(x, y):
    return x * 0.5 + y
"""

DTYPE = """
harness.precision(torch.float8_e4m3fn)


@mixed.implementation(dtypes=(torch.float32, torch.float8_e4m3fn))
def stored(x, y):
    return (x.float() / 2 + y.float()).to(x.dtype)
"""

VALUES = '''
@harness.pattern()
def halves(stream, precision):
    """Multiples of one half."""
    return stream.integers(-8, 8) / 2


@harness.layout(least_axes=2)
def padded_rows(tensor):
    """Rows that begin at multiples of 16 entries."""
    wide = torch.zeros(*tensor.shape[:-1], -(-tensor.shape[-1] // 16) * 16, dtype=tensor.dtype)
    return wide[..., : tensor.shape[-1]].copy_(tensor)


@mixed.implementation
def wide_rows(x, y):
    return x / 2 + y + (1 if x.dim() == 2 and x.stride(0) % 16 == 0 and x.shape[1] > 1 and x.shape[0] > 1 else 0)
'''

STATED = '''
@harness.property(of=mixed)
def nothing_of_nothing(implementation, case):
    """Of zeros come zeros."""
    call = case.call()
    zeros = call.map(torch.zeros_like)
    (result,) = implementation(zeros)
    yield harness.same("of zeros", result, torch.zeros_like(result), case)


@harness.cause
def rounded_up(fault):
    """One is added."""
    yield harness.Instead("one is added, as my file knows", results=lambda results, call: (results[0] + 1,))


@mixed.implementation
def one_more(x, y):
    return x / 2 + y + 1
'''

OUTPUT = """
@harness.output("csv", help="Every cell as a row.")
def csv(findings):
    return "".join(f"{cell.key};{cell.verdict}\\n" for cell in findings.summary.outcomes)
"""

QUICK = ("--profile", "quick", "--jobs", "1", "--json")


pytestmark = pytest.mark.usefixtures("registries_put_back")


def written(folder, *parts):
    (folder / "mine.py").write_text("\n".join((OPERATION, *parts)))
    return folder


def verdicts(answer):
    return {(cell.prop, cell.implementation, cell.dtype): cell.verdict for cell in answer.cells}


def test_a_backend(tmp_path):
    answer = ask(written(tmp_path, BACKEND), "check", "mine.py", *QUICK, "--backend", "torchlike", "-k", "agreement")
    assert verdicts(answer) == {("agreement", "fast", "float32"): "exact"}
    refused = ask(tmp_path, "check", "mine.py", *QUICK, "--backend", "torchlake")
    assert refused.code == 2 and "backend 'torchlake' is unknown" in refused.err and "torchlike" in refused.err


def test_a_dtype_in_which_numbers_are_stored(tmp_path):
    answer = ask(written(tmp_path, DTYPE), "check", "mine.py", *QUICK, "--dtype", "float8_e4m3fn")
    found = verdicts(answer)
    assert found["agreement", "stored", "float8_e4m3fn"] == "exact"
    assert set(found.values()) <= {"exact", "rounding", "unsupported", "inconclusive"}
    refused = ask(tmp_path, "check", "mine.py", *QUICK, "--dtype", "float8_e5m2")
    assert refused.code == 2 and "dtype 'float8_e5m2' is unknown" in refused.err


def test_patterns_and_layouts(tmp_path):
    answer = ask(
        written(tmp_path, VALUES), "check", "mine.py", *QUICK, "-k", "agreement or layouts", "--examples", "30"
    )
    bad = [cell for cell in answer.cells if cell.verdict == "wrong"]
    assert {cell.prop for cell in bad if cell.implementation == "wide_rows"} >= {"layouts"}
    assert any("padded_rows" in cell.reason for cell in bad)
    assert all(cell.verdict == "exact" for cell in answer.cells if cell.implementation == "definition")


def test_a_property_and_a_cause(tmp_path):
    answer = ask(
        written(tmp_path, STATED), "check", "mine.py", *QUICK, "--dtype", "float32", "-k", "nothing or agreement"
    )
    found = verdicts(answer)
    assert found["nothing_of_nothing", "definition", "float32"] == "exact"
    assert found["nothing_of_nothing", "one_more", "float32"] == "wrong"
    (shown,) = [c for c in answer.cells if (c.prop, c.implementation) == ("agreement", "one_more")]
    assert shown.counterexample.diagnosis is not None


def test_an_output_format_of_the_file(tmp_path):
    answer = ask(
        written(tmp_path, BACKEND, OUTPUT),
        *("check", "mine.py", *QUICK, "-k", "agreement", "--dtype", "float32", "--write", "csv=cells.csv"),
    )
    assert answer.code == 0
    assert "agreement[mixed/fast-cpu-float32];exact\n" in (tmp_path / "cells.csv").read_text()
    refused = ask(tmp_path, "check", "mine.py", *QUICK, "--write", "tsv=cells.tsv")
    assert refused.code == 2 and "output format 'tsv' is unknown" in refused.err
    assert not (tmp_path / "cells.tsv").exists()


def test_list_says_what_came_from_where(tmp_path):
    file = written(tmp_path, BACKEND, DTYPE, VALUES, STATED, OUTPUT) / "mine.py"
    told = CliRunner().invoke(main, ["list", str(file)])
    assert told.exit_code == 0, told.output
    rows = [line.split("│") for line in told.stdout.splitlines() if "mine.py" in line]
    added = {(row[1].strip(), row[2].strip()) for row in rows if len(row) > 3}
    assert added == {
        ("operation", "mixed"),
        ("property", "nothing_of_nothing"),
        ("cause", "rounded up"),
        ("backend", "torchlike"),
        ("dtype", "float8_e4m3fn"),
        ("pattern", "halves"),
        ("layout", "padded_rows"),
        ("output format", "csv"),
    }
    (entry,) = json.loads(CliRunner().invoke(main, ["list", "linear", "--json"]).stdout)
    assert entry["from"] == OURS


# registries


def test_a_name_that_is_taken_is_refused_and_a_file_may_be_imported_again(tmp_path):
    with (
        pytest.raises(DeclarationError, match="there is a backend 'numpy' already, of harness"),
        registering_for("mine.py"),
    ):
        harness.backend("numpy")
    with pytest.raises(DeclarationError, match="a name has letters"):
        harness.backend("two words")
    with pytest.raises(DeclarationError, match="speed= is nothing that is told of one"):
        harness.backend("fast", speed=3)
    file = written(tmp_path, BACKEND) / "mine.py"
    candidates(file)
    candidates.cache_clear()
    candidates(file)
    assert BACKENDS.origin("torchlike") == "mine.py"


def test_what_says_nothing_of_itself_is_refused():
    with pytest.raises(DeclarationError, match="has no docstring"):
        harness.pattern()(lambda stream, precision: None)
    with pytest.raises(DeclarationError, match="says nothing of itself"):
        harness.output("silent")(lambda findings: "")
    with pytest.raises(DeclarationError, match="floating-point"):
        harness.precision(torch.int8)


def test_an_unknown_name_gets_the_nearest():
    with pytest.raises(UnknownName, match=r"layout 'transposd' is unknown; did you mean transposed\?"):
        LAYOUTS.found("transposd")


def test_dtypes_are_in_order_of_registration_and_narrower_ones_follow():
    assert full_precision() == ("float64", "float32", "bfloat16", "float16")
    assert narrower("float64") == ("float32", "bfloat16", "float16") and narrower("float16") == ()
    harness.precision(torch.float8_e4m3fn)
    assert narrower("float16") == ("float8_e4m3fn",)


def test_entry_points_are_loaded_when_a_name_is_missing_and_not_before(monkeypatch):
    loads = []

    class Entry:
        name, value, group, dist = "brings", "brings", "harness.test", None

        def load(self):
            loads.append(self.name)
            registry.register("theirs", 2)

    monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: [Entry()])
    registry: Registry[int] = Registry("thing", "harness.test")
    registry.register("ours", 1)
    assert registry["ours"] == 1 and not loads
    assert registry["theirs"] == 2 and loads == ["brings"]
    assert list(registry) == ["ours", "theirs"] and registry.origin("theirs") == "brings" and loads == ["brings"]


def test_an_entry_point_that_can_not_be_loaded_is_told_each_time(monkeypatch):
    class Entry:
        name, value, group, dist = "broken", "broken.module", "harness.test", None

        def load(self):
            raise ImportError("no module named broken")

    monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: [Entry()])
    registry: Registry[int] = Registry("thing", "harness.test")
    for _ in range(2):
        with pytest.raises(HarnessError, match=r"broken\.module of group harness\.test can't be loaded: ImportError"):
            list(registry)
