"""KernelBench's form: a reference and a candidate in files of their own, asked at other sizes than the published ones."""

import json
from contextlib import nullcontext
from dataclasses import replace

import pytest
import torch
from click.testing import CliRunner

import harness
from harness import kernelbench
from harness.command import published
from harness.command.main import main
from harness.declare.meta_device import ShapesOfBatchNorm
from harness.declare.modules import made
from harness.errors import CandidateError, DeclarationError, InfrastructureError
from harness.execute.outcome import outcome
from harness.generate.plan import essential, plan
from harness.measure.verdict import Verdict
from harness.verify.cell import Cell
from harness.verify.exploration import explore
from harness.verify.subject import Subject
from tests.command_line import ask
from tests.verdicts import PROPERTIES

HEAD = "import torch\nimport torch.nn as nn\nimport torch.nn.functional as F\n\n"

REFERENCES = {
    "product": """
class Model(nn.Module):
    def __init__(self, scale):
        super().__init__()
        self.scale = scale

    def forward(self, a, b):
        return a @ b * self.scale

rows, inner, columns = 24, 32, 40
scale = 0.5

def get_inputs():
    return [torch.rand(rows, inner), torch.rand(inner, columns)]

def get_init_inputs():
    return [scale]
""",
    "convolution": """
class Model(nn.Module):
    def __init__(self, channels, filters, kernel, slope):
        super().__init__()
        self.conv = nn.Conv2d(channels, filters, kernel)
        self.slope = slope

    def forward(self, x):
        return F.leaky_relu(self.conv(x), self.slope)

batch_size = 4
channels = 3
filters = 8
height = 16
width = 16
kernel = 3

def get_inputs():
    return [torch.randn(batch_size, channels, height, width)]

def get_init_inputs():
    return [channels, filters, kernel, 0.1]
""",
    "attention": """
class Model(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.attention = nn.MultiheadAttention(dim, heads, batch_first=True)

    def forward(self, x):
        return self.attention(x, x, x, need_weights=False)[0]

batch_size, length, dim, heads = 4, 16, 32, 4

def get_inputs():
    return [torch.randn(batch_size, length, dim)]

def get_init_inputs():
    return [dim, heads]
""",
}

BEGINS = {
    "product": """
class ModelNew(nn.Module):
    def __init__(self, scale):
        super().__init__()
        self.scale = scale

    def forward(self, a, b):
""",
    "convolution": """
class ModelNew(nn.Module):
    def __init__(self, channels, filters, kernel, slope):
        super().__init__()
        self.conv = nn.Conv2d(channels, filters, kernel)
        self.slope = slope
        self.kept = None

    def forward(self, x):
""",
    "attention": """
class ModelNew(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.attention = nn.MultiheadAttention(dim, heads, batch_first=True)
        self.heads = heads

    def forward(self, x):
        inner, heads = self.attention, self.heads
""",
}

ATTENDED = """
        q, k, v = F.linear(x, inner.in_proj_weight, inner.in_proj_bias).chunk(3, -1)
        q, k, v = (each.unflatten(-1, (heads, -1)).transpose(1, 2) for each in (q, k, v))
        mixed = ((q @ k.mT / q.shape[-1] ** 0.5).softmax(-1) @ v).transpose(1, 2).flatten(-2)
"""

CANDIDATES = {
    ("product", "right"): "        return torch.einsum('ij,jk->ik', a * self.scale, b)\n",
    ("product", "zeros"): "        return torch.zeros_like(a @ b)\n",
    ("product", "bfloat16"): "        return (a.bfloat16() @ b.bfloat16()).to(a.dtype) * self.scale\n",
    ("product", "at_its_size"): """
        inner = a.shape[1] // 8 * 8
        return a[:, :inner] @ b[:inner] * self.scale
""",
    ("convolution", "right"): """
        weight = self.conv.weight
        y = weight.flatten(1) @ F.unfold(x, weight.shape[-2:]) + self.conv.bias[:, None]
        return F.leaky_relu(y.unflatten(-1, (x.shape[-2] - weight.shape[-2] + 1, -1)), self.slope)
""",
    ("convolution", "zeros"): "        return torch.zeros_like(self.conv(x))\n",
    ("convolution", "ignored"): "        return F.leaky_relu(F.conv2d(x, self.conv.weight), self.slope)\n",
    ("convolution", "stale"): """
        y = F.leaky_relu(self.conv(x), self.slope)
        kept = y if self.kept is None or self.kept.shape != y.shape else self.kept.to(y)
        self.kept = y.detach().clone()
        return torch.cat([y[..., :-1], kept[..., -1:]], -1)
""",
    ("convolution", "bfloat16"): """
        y = F.conv2d(x.bfloat16(), self.conv.weight.bfloat16(), self.conv.bias.bfloat16())
        return F.leaky_relu(y.to(x.dtype), self.slope)
""",
    ("attention", "right"): ATTENDED + "        return inner.out_proj(mixed)\n",
    ("attention", "zeros"): "        return torch.zeros_like(x)\n",
    ("attention", "ignored"): ATTENDED + "        return F.linear(mixed, inner.out_proj.weight)\n",
    ("attention", "at_its_size"): "        heads = 4 if x.shape[-1] % 4 == 0 else heads\n"
    + ATTENDED
    + "        return inner.out_proj(mixed)\n",
}


def written(folder, reference, candidate):
    """The paths of both files."""
    paths = folder / f"{reference}.py", folder / f"{candidate}.py"
    paths[0].write_text(HEAD + REFERENCES[reference])
    paths[1].write_text(HEAD + BEGINS[reference] + CANDIDATES[reference, candidate])
    return paths


def asked(folder, reference, candidate, name):
    """The cell of a property and of a candidate in float32."""
    first, second = written(folder, reference, candidate)
    operation = kernelbench.problem(first, of=__name__)
    kernelbench.candidate(second, operation)
    return Cell(PROPERTIES[name], operation, operation.find("ModelNew"), "cpu", "float32")


def verdict(folder, reference, candidate, name, cases=12):
    cell = asked(folder, reference, candidate, name)
    return explore(cell, plan(cell.operation, cases, 0)).verdict


@pytest.mark.parametrize("reference", [pytest.param("product"), "convolution", "attention"])
def test_a_candidate_that_is_right_passes(tmp_path, reference):
    cell = asked(tmp_path, reference, "right", "agreement")
    assert not explore(cell, essential(cell.operation, 0)[:15]).verdict.failing
    for name in ("gradients", "published_size", "nothing_remembered", "layouts"):
        there = replace(cell, prop=PROPERTIES[name])
        assert not explore(there, plan(cell.operation, 5, 0)).verdict.failing, name


@pytest.mark.parametrize(
    ("reference", "candidate", "name"),
    [
        pytest.param("product", "zeros", "agreement"),
        pytest.param("product", "at_its_size", "agreement"),
        ("convolution", "zeros", "agreement"),
        ("convolution", "ignored", "agreement"),
        ("convolution", "ignored", "gradients"),
        ("convolution", "stale", "nothing_remembered"),
        ("attention", "zeros", "agreement"),
        ("attention", "ignored", "agreement"),
        ("attention", "at_its_size", "agreement"),
    ],
)
def test_a_candidate_that_is_wrong_is_found(tmp_path, reference, candidate, name):
    cell = asked(tmp_path, reference, candidate, name)
    assert explore(cell, essential(cell.operation, 0)[:20]).verdict is Verdict.WRONG


@pytest.mark.parametrize("reference", [pytest.param("product"), "convolution"])
def test_a_candidate_that_computes_in_bfloat16_is_found(tmp_path, reference):
    cell = asked(tmp_path, reference, "bfloat16", "agreement")
    assert explore(cell, essential(cell.operation, 0)[:20]).verdict in (Verdict.WRONG, Verdict.UNSTABLE)


@pytest.mark.parametrize("reference", [pytest.param("product"), "attention"])
def test_what_is_right_at_the_published_size_alone_is_accepted_there_and_nowhere_else(tmp_path, reference):
    assert not verdict(tmp_path, reference, "at_its_size", "published_size").failing
    assert verdict(tmp_path, reference, "at_its_size", "agreement", 40) is Verdict.WRONG


def test_what_kernelbench_refuses_is_refused_at_the_published_size(tmp_path):
    assert verdict(tmp_path, "convolution", "ignored", "published_size") is Verdict.WRONG
    assert verdict(tmp_path, "attention", "zeros", "published_size") is Verdict.WRONG


def test_a_parameter_that_is_not_used_is_named(tmp_path):
    found = outcome(asked(tmp_path, "convolution", "ignored", "agreement"), 5, 0)
    assert found.verdict is Verdict.WRONG
    assert "conv.bias" in found.counterexample.diagnosis.sentence
    assert found.place == "ignored.py: ModelNew"


# Sizes


def problem(folder, text, name="reference.py"):
    (folder / name).write_text(HEAD + text)
    return kernelbench.problem(folder / name, of=__name__)


def test_whole_numbers_that_the_two_functions_read_are_the_sizes(tmp_path):
    text = REFERENCES["convolution"].replace("batch_size = 4", "unread = 7\nbatch_size = 4")
    operation = problem(tmp_path, text)
    assert operation.published == {
        "batch_size": 4,
        "channels": 3,
        "height": 16,
        "width": 16,
        "filters": 8,
        "kernel": 3,
    }
    assert operation.sizes["height"] == (1, 16)
    assert operation.options["mode"].values == ("train",)


def test_a_number_that_is_no_size_stays_as_it_is(tmp_path):
    assert problem(tmp_path, REFERENCES["product"]).published == {"rows": 24, "inner": 32, "columns": 40}


def test_sizes_with_which_the_model_cannot_be_called_are_not_asked(tmp_path):
    convolution = problem(tmp_path, REFERENCES["convolution"])
    small = {**dict.fromkeys(convolution.sizes, 2), "height": 1}
    assert not convolution.admits(small, {"mode": "train"})
    assert convolution.admits({**small, "height": 2}, {"mode": "train"})
    attention = problem(tmp_path, REFERENCES["attention"], "attention.py")
    admitted = [case.sizes for case in plan(attention, 30, 0)]
    assert all(sizes["dim"] % sizes["heads"] == 0 for sizes in admitted)
    assert {sizes["heads"] for sizes in admitted} == {1, 2, 3, 4}


def test_a_number_among_the_inputs_is_an_option_of_one_value(tmp_path):
    text = REFERENCES["product"].replace("def forward(self, a, b):", "def forward(self, a, factor, b):")
    text = text.replace("a @ b * self.scale", "a @ b * factor").replace(
        "[torch.rand(rows, inner), ", "[torch.rand(rows, inner), 3.5, "
    )
    operation = problem(tmp_path, text)
    assert operation.options["factor"].values == (3.5,)
    (tmp_path / "candidate.py").write_text(HEAD + text.replace("class Model", "class ModelNew"))
    kernelbench.candidate(tmp_path / "candidate.py", operation)
    asked_first = next(iter(plan(operation, 1, 0)))
    given = asked_first.call().arguments
    right = given["a"] @ given["b"] * 3.5
    for each in (operation.own, operation.find("ModelNew")):
        assert torch.allclose(Subject(operation, each)(asked_first)[0], right)


def test_inputs_for_which_the_model_gives_no_numbers_are_not_asked(tmp_path):
    text = REFERENCES["product"].replace("a @ b * self.scale", "a.log() @ b * self.scale")
    logarithms = problem(tmp_path, text)
    assert (logarithms.tensors["a"].constraint, logarithms.tensors["b"].constraint) == (harness.positive, None)


def test_whole_numbers_are_those_of_the_inputs_at_the_sizes_of_a_case(tmp_path):
    text = REFERENCES["product"].replace(
        "a @ b * self.scale", "a @ b[torch.arange(len(b)), chosen][:, None] * self.scale"
    )
    text = text.replace("forward(self, a, b)", "forward(self, a, b, chosen)")
    text = text.replace(
        "torch.rand(inner, columns)]", "torch.rand(inner, columns), torch.randint(0, columns, (inner,))]"
    )
    picking = problem(tmp_path, text)
    drawn = [(case.sizes["columns"], case.tensors["chosen"]) for case in plan(picking, 40, 0)]
    assert all(int(each.min()) >= 0 and int(each.max()) < columns for columns, each in drawn)
    assert max(int(each.max()) for _, each in drawn) > 10


def test_a_size_on_which_the_parameters_hang_stays_as_it_is_published(tmp_path):
    text = REFERENCES["convolution"].replace("batch_size = 4", "depth = 3\nbatch_size = 4")
    text = text.replace("__init__(self, channels,", "__init__(self, depth, channels,").replace(
        "[channels, f", "[depth, channels, f"
    )
    text = text.replace(
        "self.slope = slope",
        "self.slope = slope\n        self.more = nn.ModuleList(nn.Linear(2, 2) for _ in range(depth))",
    )
    stacked = problem(tmp_path, text)
    assert stacked.sizes["depth"] == (3, 3)
    assert stacked.sizes["filters"] == (1, 8)
    assert "more.2.bias" in stacked.tensors


def test_a_model_is_made_anew_for_the_sizes_that_anything_but_its_inputs_reads(tmp_path):
    text = REFERENCES["convolution"].replace("self.slope = slope", "self.slope = slope * width")
    read_by_the_model = problem(tmp_path, text).definition.reference
    assert read_by_the_model.parameters == ("channels", "width", "filters", "kernel")
    sizes = {"batch_size": 2, "channels": 1, "height": 5, "filters": 2, "kernel": 3}
    narrow, wide = (made(read_by_the_model.build, read_by_the_model.chosen({**sizes, "width": n})) for n in (5, 6))
    assert (narrow.slope, wide.slope) == (pytest.approx(0.5), pytest.approx(0.6))
    by_the_inputs_alone = problem(tmp_path, REFERENCES["convolution"]).definition.reference
    assert by_the_inputs_alone.parameters == ("channels", "filters", "kernel")


RESIDUAL = """
class Model(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.linear = nn.Linear(inputs, outputs)
        self.shortcut = nn.Sequential() if inputs == outputs else nn.Sequential(nn.Linear(inputs, outputs, bias=False))

    def forward(self, x):
        return self.linear(x) + self.shortcut(x)

batch, inputs, outputs = 4, 6, 8

def get_inputs():
    return [torch.randn(batch, inputs)]

def get_init_inputs():
    return [inputs, outputs]
"""


@pytest.mark.parametrize("fewer", ["inputs == outputs", "inputs != outputs"])
def test_sizes_at_which_the_model_has_other_parameters_are_not_asked(tmp_path, fewer):
    """It has those of a shortcut, or has none, as it is published; where both sizes are alike it is the other way round."""
    text = RESIDUAL.replace("inputs == outputs", fewer).replace("4, 6, 8", "4, 40, 56")
    residual = problem(tmp_path, text)
    drawn = [case.sizes for case in plan(residual, 60, 0)]
    assert len(drawn) > 20 and all(sizes["inputs"] != sizes["outputs"] for sizes in drawn)
    assert ("shortcut.0.weight" in residual.tensors) == (fewer == "inputs == outputs")


def test_a_model_that_asserts_something_of_its_sizes_is_made_of_those_alone(tmp_path):
    text = RESIDUAL.replace("super().__init__()", "super().__init__()\n        assert outputs % 4 == 0")
    drawn = [case.sizes for case in plan(problem(tmp_path, text), 60, 0)]
    assert len(drawn) > 10 and {sizes["outputs"] for sizes in drawn} == {4, 8}


REMEMBERING = """
class Model(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.linear = nn.Linear(width, width)
        self.state = torch.zeros(batch, width)

    def forward(self, x):
        return torch.tanh(self.linear(x) + self.state)

batch, width = 6, 8

def get_inputs():
    return [torch.randn(batch, width)]

def get_init_inputs():
    return [width]
"""


def test_a_size_that_a_model_reads_from_its_file_is_the_cases_in_a_copy_of_the_file_too(tmp_path):
    first, second = tmp_path / "reference.py", tmp_path / "copy.py"
    first.write_text(HEAD + REMEMBERING)
    second.write_text(HEAD + REMEMBERING.replace("class Model", "class ModelNew"))
    operation = kernelbench.problem(first, of=__name__)
    kernelbench.candidate(second, operation)
    assert operation.sizes["batch"][0] < 6
    cell = Cell(PROPERTIES["agreement"], operation, operation.find("ModelNew"), "cpu", "float32")
    found = explore(cell, plan(operation, 12, 0))
    assert not found.verdict.failing and found.comparisons


def test_sizes_at_which_the_model_gives_nothing_are_not_asked(tmp_path):
    text = REFERENCES["convolution"].replace("nn.Conv2d(channels, filters, kernel)", "Tiles(kernel)")
    tiled = problem(
        tmp_path,
        text
        + """
class Tiles(nn.Module):
    def __init__(self, kernel):
        super().__init__()
        self.kernel = kernel

    def forward(self, x):
        return x.unfold(-1, self.kernel, self.kernel) if self.kernel <= x.shape[-1] else x[..., :0]
""",
    )
    assert tiled.admits({**tiled.published, "width": 3}, {"mode": "train"})
    assert not tiled.admits({**tiled.published, "width": 2}, {"mode": "train"})


def test_the_published_size_is_among_those_that_are_asked(tmp_path):
    cell = asked(tmp_path, "attention", "right", "published_size")
    found = explore(cell, plan(cell.operation, 5, 0))
    assert [dict(case.sizes) for case in found.tried[:1]] == [dict(cell.operation.published)]


def test_numbers_at_module_level_are_put_back(tmp_path):
    first, _ = written(tmp_path, "convolution", "right")
    operation = kernelbench.problem(first, of=__name__)
    names = operation.definition.reference.build.problem.module
    assert (names.batch_size, names.height, names.kernel) == (4, 16, 3)


# The command


def test_a_reference_and_a_candidate_are_checked_by_one_command(tmp_path):
    written(tmp_path, "convolution", "ignored")
    answer = ask(
        tmp_path,
        "check",
        "-n1",
        "--examples=5",
        "convolution.py",
        "ignored.py",
        "--dtype",
        "float32",
        "--device",
        "cpu",
        "-k",
        "agreement",
    )
    assert answer.code == 1
    assert "convolution/ModelNew" in answer.out and "conv.bias" in answer.out
    (file,) = (tmp_path / "reports" / "problems").glob("*.py")
    assert "harness.kernelbench.problem(HERE / '../../convolution.py'" in file.read_text()


def test_the_answer_at_the_published_size_is_told_first_and_timed_where_it_is_accepted(tmp_path):
    written(tmp_path, "product", "at_its_size")
    question = ["check", "-n1", "--examples=5", "product.py", "at_its_size.py", "--dtype=float32", "--device=cpu"]
    answer = ask(tmp_path, *question, "-k", "published_size or agreement", "--json")
    told = json.loads(answer.out)
    (published,) = told["published"]
    assert published["candidate"] == "ModelNew" and published["accepted"] is True
    ratio, low, high = published["speedup"]
    assert low <= ratio <= high and published["seconds"] > 0
    assert answer.code == told["exit_code"] == 1
    assert [cause["implementation"] for cause in told["causes"]] == ["ModelNew"]


def test_a_candidate_that_is_refused_at_the_published_size_is_not_timed(tmp_path):
    written(tmp_path, "product", "zeros")
    answer = ask(tmp_path, "check", "-n1", "product.py", "zeros.py", "-k", "published_size")
    first = answer.out.splitlines()[0]
    assert first.startswith("published size  ModelNew in float32 on cpu: refused; ")
    assert "as fast as" not in answer.out and answer.code == 1


def refused(*arguments):
    result = CliRunner().invoke(main, ["check", *map(str, arguments)])
    assert result.exit_code == 2
    assert result.output.startswith("harness: ") and result.output.count("\n") == 1
    return result.output


def test_three_files_are_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    first, second = written(tmp_path, "convolution", "right")
    told = refused(first, second, second)
    assert "3 files are given; give one, or a reference and a candidate in KernelBench's form" in told


def test_two_files_of_which_the_first_is_no_reference_are_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    first, second = written(tmp_path, "convolution", "right")
    told = refused(second, first)
    assert "right.py is no reference in KernelBench's form; it needs Model, get_inputs, get_init_inputs" in told


def test_a_file_that_is_not_there_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    first, _ = written(tmp_path, "convolution", "right")
    assert "did you mean right.py?" in refused(first, tmp_path / "rigth.py")


# Refusals


def told_of(refusing, error=CandidateError):
    with pytest.raises(error) as refused:
        refusing()
    told = str(refused.value)
    assert "\n" not in told
    return told


@pytest.mark.parametrize("lacking", ["get_inputs", "get_init_inputs"])
def test_a_reference_that_lacks_a_function_is_refused(tmp_path, lacking):
    text = REFERENCES["convolution"].replace(f"def {lacking}(", "def other(")
    told = told_of(lambda: problem(tmp_path, text))
    assert told == f"reference.py has no {lacking}; a problem has Model, get_inputs, get_init_inputs"


def test_a_reference_that_cannot_be_called_with_its_inputs_is_refused(tmp_path):
    text = REFERENCES["convolution"].replace("channels, height, width)", "channels + 1, height, width)")
    told = told_of(lambda: problem(tmp_path, text))
    assert told.startswith("reference.py: its Model can't be called with its get_inputs(): RuntimeError: ")
    assert "to have 3 channels, but got 4" in told


def test_a_reference_that_raises_on_import_is_refused(tmp_path):
    told = told_of(lambda: problem(tmp_path, "import no_such_module\n" + REFERENCES["convolution"]))
    assert told == "reference.py: importing it raised ModuleNotFoundError: No module named 'no_such_module'"


def given(folder, text):
    """The refusal of a candidate for the convolution."""
    operation = problem(folder, REFERENCES["convolution"])
    (folder / "candidate.py").write_text(HEAD + text)
    return lambda: kernelbench.candidate(folder / "candidate.py", operation)


BODY = BEGINS["convolution"] + CANDIDATES["convolution", "right"]


@pytest.mark.parametrize("text", [BODY.replace("ModelNew", "Model"), "def ModelNew():\n    return None\n"])
def test_a_candidate_without_a_module_of_that_name_is_refused(tmp_path, text):
    told = told_of(given(tmp_path, text))
    assert told == "candidate.py has no nn.Module named ModelNew; that is what a candidate is called"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            BODY.replace("nn.Conv2d(", "nn.Sequential(nn.Conv2d(1, 1, 1), nn.Conv2d(").replace(
                "kernel)\n", "kernel))\n"
            ),
            "nothing of the reference's state fills 'conv.0.",
        ),
        (
            BODY.replace("filters, kernel)\n", "filters, kernel + 1)\n"),
            "and what would fill it",
        ),
        (
            BODY.replace("super().__init__()", "raise ValueError('only 128 channels')"),
            "raised ValueError: only 128 channels",
        ),
        (BODY.replace(", slope)", ")"), "raised TypeError: "),
    ],
    ids=["more parameters", "other shapes", "constructor raises", "other arguments"],
)
def test_a_candidate_of_another_make_is_refused(tmp_path, text, words):
    told = told_of(given(tmp_path, text), DeclarationError)
    assert told.startswith("candidate.py: ")
    assert words in told


def test_a_refused_candidate_is_named_and_told_what_it_can_mend(tmp_path):
    told = told_of(given(tmp_path, BODY.replace("filters, kernel)\n", "filters, kernel + 1)\n")), DeclarationError)
    assert told.startswith("candidate.py: ModelNew: ") and "state=" not in told


def test_a_candidate_with_other_names_for_the_same_parameters_is_taken(tmp_path):
    given(tmp_path, BODY.replace("self.conv", "self.layer"))()


def test_a_candidate_that_raises_on_import_is_refused(tmp_path):
    told = told_of(given(tmp_path, "raise RuntimeError('no compiler')\n"))
    assert told == "candidate.py: importing it raised RuntimeError: no compiler"


def test_what_cannot_be_timed_is_told_and_nothing_is_lost(tmp_path, monkeypatch):
    def nobody(*_):
        raise InfrastructureError("no worker can be started")

    monkeypatch.setattr(published, "_timing", nobody)
    accepted, refused = (published.Published("ModelNew", "cpu", "float32", each) for each in (True, False))
    told, other = published.timed([accepted, refused], tmp_path / "file.py", 1.0, 1.0, lambda name, total: None)
    assert told.entry()["not_timed"] == "no worker can be started" and told.accepted
    assert str(told).endswith("accepted; not timed: no worker can be started")
    assert other == refused


@pytest.mark.parametrize(
    ("channels", "shape", "training", "raised"),
    [
        (4, (2, 4, 3), True, None),
        (4, (2, 4, 3), False, None),
        (5, (2, 4, 3), True, RuntimeError),
        (4, (1, 4), True, ValueError),
        (4, (1, 4), False, None),
    ],
)
def test_without_numbers_batch_norm_takes_and_refuses_the_shapes_that_it_does_with_them(
    channels, shape, training, raised
):
    def called(device):
        module = torch.nn.BatchNorm1d(channels, device=device).train(training)
        return module(torch.ones(shape, device=device)).shape

    for device, mode in (("cpu", nullcontext()), ("meta", ShapesOfBatchNorm())):
        with mode, pytest.raises(raised) if raised else nullcontext():
            assert called(device) == shape
