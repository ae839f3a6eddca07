"""Modules: operations whose parameters live in an nn.Module, candidates with the same state or another layout of it, and both modes."""

import gc
from dataclasses import replace
from typing import Literal

import pytest
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

import harness
from harness.errors import DeclarationError
from harness.execute.outcome import outcome
from harness.generate.case import Case
from harness.generate.plan import essential, plan
from harness.measure.reference import reference
from harness.measure.verdict import Verdict
from harness.verify.cell import Cell
from harness.verify.exploration import explore
from tests.verdicts import PROPERTIES


@harness.operation(
    module=lambda dim, heads: nn.TransformerEncoderLayer(dim, heads, 2 * dim, dropout=0.0, batch_first=True),
    sizes={"dim": (4, 16), "time": (1, 9)},
    where=lambda dim, heads: dim % heads == 0,
)
def block(x: Float[Tensor, "batch time dim"], heads: Literal[1, 2]) -> Float[Tensor, "batch time dim"]:
    """A layer of attention and one of two products, each with what it was given added, and normalised."""


class Own(nn.TransformerEncoderLayer):
    rate, first = 0.0, False

    def __init__(self, dim, heads):
        super().__init__(dim, heads, 2 * dim, dropout=self.rate, batch_first=True)
        self.heads = heads

    def attended(self, x):
        inner = self.self_attn
        parts = F.linear(x, inner.in_proj_weight, inner.in_proj_bias).chunk(3, -1)
        q, k, v = (each.unflatten(-1, (self.heads, -1)).transpose(1, 2) for each in parts)
        mixed = (q @ k.mT / q.shape[-1] ** 0.5).softmax(-1) @ v
        return inner.out_proj(mixed.transpose(1, 2).flatten(-2))

    def forward(self, x):
        if self.first:
            x = x + self.attended(self.norm1(x))
            return x + self.linear2(self.linear1(self.norm2(x)).relu())
        x = self.norm1(x + F.dropout(self.attended(x), self.rate))
        return self.norm2(x + self.linear2(self.linear1(x).relu()))


class NormalisedFirst(Own):
    first = True


class LeftInTraining(Own):
    rate = 0.1


class OneHead(Own):
    def __init__(self, dim, heads):
        super().__init__(dim, heads)
        self.heads = 1


class WithoutABias(Own):
    def forward(self, x):
        x = self.norm1(x + self.attended(x))
        return self.norm2(x + F.linear(self.linear1(x).relu(), self.linear2.weight))


class Split(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.q, self.k, self.v, self.out = (nn.Linear(dim, dim) for _ in range(4))
        self.up, self.down = nn.Linear(dim, 2 * dim), nn.Linear(2 * dim, dim)
        self.n1, self.n2, self.heads = nn.LayerNorm(dim), nn.LayerNorm(dim), heads

    def forward(self, x):
        q, k, v = (each(x).unflatten(-1, (self.heads, -1)).transpose(1, 2) for each in (self.q, self.k, self.v))
        mixed = (q @ k.mT / q.shape[-1] ** 0.5).softmax(-1) @ v
        x = self.n1(x + self.out(mixed.transpose(1, 2).flatten(-2)))
        return self.n2(x + self.down(self.up(x).relu()))


ELSEWHERE = {
    "self_attn.in_proj_weight": harness.stacked("q.weight", "k.weight", "v.weight"),
    "self_attn.in_proj_bias": harness.stacked("q.bias", "k.bias", "v.bias"),
    "self_attn.out_proj": "out",
    "linear1": "up",
    "linear2": "down",
    "norm1": "n1",
    "norm2": "n2",
}

for each in (Own, NormalisedFirst, LeftInTraining, OneHead, WithoutABias):
    block.implementation(each, module=True)
block.implementation(Split, module=True, state=ELSEWHERE)
block.implementation(
    Split,
    name="Exchanged",
    module=True,
    state={**ELSEWHERE, "self_attn.in_proj_weight": harness.stacked("k.weight", "q.weight", "v.weight")},
)


@harness.operation(
    module=lambda channels: nn.BatchNorm1d(channels), modes=("train", "eval"), sizes={"batch": (2, 33)}, batch=None
)
def batch_norm(x: Float[Tensor, "batch channels"]) -> Float[Tensor, "batch channels"]:
    """Each channel less its mean, over its deviation: of the batch in training, and otherwise of what was seen."""


class OwnNorm(nn.BatchNorm1d):
    correction, counts, of_the_batch = 1, True, True

    def forward(self, x):
        mean, var = self.running_mean, self.running_var
        if self.training and self.of_the_batch:
            mean, var = x.mean(0), x.var(0, correction=0)
        if self.training:
            if self.counts:
                self.num_batches_tracked += 1
            self.running_mean.lerp_(x.detach().mean(0), self.momentum)
            self.running_var.lerp_(x.detach().var(0, correction=self.correction), self.momentum)
        return (x - mean) / (var + self.eps).sqrt() * self.weight + self.bias


class Biased(OwnNorm):
    correction = 0


class Uncounted(OwnNorm):
    counts = False


class AlwaysEvaluated(OwnNorm):
    of_the_batch = False


for each in (OwnNorm, Biased, Uncounted, AlwaysEvaluated):
    batch_norm.implementation(each, module=True)


@harness.operation(module=lambda d, m: nn.Linear(d, m), sizes={"batch": (0, 4), "d": (1, 6), "m": (1, 4)})
def linear(x: Float[Tensor, "batch d"]) -> Float[Tensor, "batch m"]:
    """x times the transposed weight, and a bias."""


class Kernel(nn.Module):
    def __init__(self, d, m):
        super().__init__()
        self.kernel, self.bias = nn.Parameter(torch.zeros(d, m)), nn.Parameter(torch.zeros(m))

    def forward(self, x):
        return x @ self.kernel + self.bias


class Unbiased(Kernel):
    def forward(self, x):
        return x @ self.kernel


class Dropping(Kernel):
    def forward(self, x):
        return F.dropout(super().forward(x), 0.1)


class Detached(Kernel):
    def forward(self, x):
        return x @ self.kernel.detach() + self.bias


linear.implementation(nn.Linear, name="itself", module=True)
for each in (Kernel, Detached, Unbiased, Dropping):
    linear.implementation(each, module=True, state={"weight": harness.transposed("kernel")})


@harness.operation(
    module=lambda dim: nn.GRU(dim, dim, batch_first=True),
    call=lambda module, x: module(x)[0],
    sizes={"time": (1, 6), "dim": (1, 6)},
)
def recurrent(x: Float[Tensor, "batch time dim"]) -> Float[Tensor, "batch time dim"]:
    """The hidden states of a gated recurrent unit."""


class StepByStep(nn.GRU):
    def __init__(self, dim):
        super().__init__(dim, dim, batch_first=True)

    def forward(self, x):
        h, states = x.new_zeros(len(x), self.hidden_size), []
        for step in x.unbind(1):
            h = torch.gru_cell(step, h, self.weight_ih_l0, self.weight_hh_l0, self.bias_ih_l0, self.bias_hh_l0)
            states.append(h)
        return torch.stack(states, 1), h


class FromTheLast(StepByStep):
    def forward(self, x):
        states, last = super().forward(x.flip(1))
        return states.flip(1), last


for each in (StepByStep, FromTheLast):
    recurrent.implementation(each, module=True)


def cell(name, operation, implementation, dtype="float32"):
    return Cell(PROPERTIES[name], operation, operation.find(implementation), "cpu", dtype)


def verdict(name, operation, implementation, cases=12):
    return explore(cell(name, operation, implementation), plan(operation, cases, 0)).verdict


EVERYWHERE = ("agreement", "gradients", "layouts", "inputs_unmodified", "nothing_remembered", "result_dtype")


class OfATable(nn.Module):
    """Adds a table that it has computed, one as a buffer and one that PyTorch does not know of."""

    def __init__(self, d):
        super().__init__()
        self.register_buffer("table", torch.arange(1, d + 1) / 3)
        self.other = torch.arange(1, d + 1) / 7

    def forward(self, x):
        return x + self.table + self.other


def test_a_module_that_was_asked_in_a_low_precision_has_its_digits_again():
    @harness.operation(module=OfATable)
    def tabled(x: Float[Tensor, "batch d"]) -> Float[Tensor, "batch d"]:
        """x and two tables."""

    case = plan(tabled, 1, 0)[0].replace(sizes={"batch": 2, "d": 5})
    subject = harness.Subject(tabled, tabled.own)
    before = subject(case)[0]
    assert subject(case.at("bfloat16"))[0].dtype == torch.bfloat16
    assert torch.equal(subject(case)[0], before)


class OfTheLastCall(nn.Module):
    """Keeps what it was given, which nobody knows of when it is made."""

    def __init__(self, d):
        super().__init__()

    def forward(self, x):
        self.kept = x.detach() + getattr(self, "kept", x)[:, :1] * 0
        return x + 0


def test_what_a_module_puts_aside_is_its_own():
    @harness.operation(module=OfTheLastCall)
    def keeping(x: Float[Tensor, "batch d"]) -> Float[Tensor, "batch d"]:
        """x."""

    case = plan(keeping, 1, 0)[0].replace(sizes={"batch": 2, "d": 5})
    subject = harness.Subject(keeping, keeping.own)
    for dtype in ("float64", "bfloat16", "float64", "float32"):
        there = case.at(dtype)
        assert torch.equal(subject(there)[0], there.call().arguments["x"])


def test_a_module_lays_out_its_state_itself():
    """A batch norm's parameters are contiguous, and PyTorch's backward pass reads them so."""
    for word in harness.layouts_for(plan(batch_norm, 1, 0)[0].axes):
        case = next(iter(plan(batch_norm, 4, 0))).replace(sizes={"batch": 3, "channels": 5}, layout=word)
        call = case.call()
        state = {name: each for name, each in call.arguments.items() if name != "x"}
        assert state and all(each.is_contiguous() for each in state.values())
        assert word.partition(":")[2].partition(":")[0] in ("", "x")
    assert not case.replace(layout="transposed").call().arguments["x"].is_contiguous()


@pytest.mark.parametrize(
    ("operation", "implementation"),
    [
        (block, "Own"),
        (block, "Split"),
        (batch_norm, "OwnNorm"),
        (linear, "itself"),
        (linear, "Kernel"),
        (recurrent, "StepByStep"),
    ],
    ids=lambda each: getattr(each, "name", each),
)
def test_a_module_that_is_right_passes(operation, implementation):
    for name in EVERYWHERE:
        assert not verdict(name, operation, implementation, 6).failing, name


@pytest.mark.parametrize(
    ("operation", "implementation", "name"),
    [
        (block, "NormalisedFirst", "agreement"),
        (block, "OneHead", "agreement"),
        (block, "LeftInTraining", "agreement"),
        (block, "WithoutABias", "gradients"),
        (block, "Exchanged", "agreement"),
        (batch_norm, "Biased", "agreement"),
        (batch_norm, "Uncounted", "agreement"),
        (batch_norm, "AlwaysEvaluated", "agreement"),
        (linear, "Detached", "gradients"),
        (recurrent, "FromTheLast", "agreement"),
    ],
    ids=lambda each: getattr(each, "name", each),
)
def test_a_module_that_is_wrong_is_found(operation, implementation, name):
    found = explore(cell(name, operation, implementation), essential(operation, 0)[:20])
    assert found.verdict is Verdict.WRONG


def test_a_parameter_that_is_not_used_is_named():
    found = outcome(cell("agreement", linear, "Unbiased"), 5, 0)
    assert found.verdict is Verdict.WRONG
    assert "bias" in found.counterexample.diagnosis.sentence


def test_a_module_that_draws_while_it_evaluates_is_said_to():
    found = outcome(cell("agreement", linear, "Dropping"), 5, 0)
    told = found.counterexample.diagnosis.sentence
    assert any(word in told for word in ("call", "random", "train"))


def test_the_state_is_among_the_arguments_in_the_shapes_that_sizes_and_options_give():
    case = Case(block, {"batch": 2, "time": 3, "dim": 4}, {"heads": 2, "mode": "eval"}, seed=1)
    tensors = case.call().arguments
    assert tuple(tensors["linear1.weight"].shape) == (8, 4)
    assert {name for name in tensors if name != "x"} == dict(
        nn.TransformerEncoderLayer(4, 2, 8).named_parameters()
    ).keys()


def test_buffers_after_the_call_are_results():
    names = [batch_norm.result_name(place) for place in range(len(batch_norm.results))]
    assert names == ["output", "running_mean", "running_var", "num_batches_tracked"]


def test_a_transform_leaves_nothing_of_itself_in_a_module():
    subject = harness.Subject(batch_norm, batch_norm.find("OwnNorm"))
    call = next(case for case in plan(batch_norm, 12, 0) if case.options["mode"] == "train").at("float32").call()
    before = subject(call)
    torch.func.jvp(lambda x: subject.through(call.replace(x=x)), (call.arguments["x"],), (call.arguments["x"],))
    modules = [each for each in gc.get_objects() if type(each) is OwnNorm]
    held = [tensor for module in modules for tensor in (*module.parameters(), *module.buffers())]
    assert held and not any(torch._C._functorch.is_functorch_wrapped_tensor(tensor) for tensor in held)
    assert all(torch.equal(one, other) for one, other in zip(before, subject(call), strict=True))


def test_statistics_are_kept_in_training_alone():
    kept = Case(batch_norm, {"batch": 5, "channels": 2}, {"mode": "eval"}, seed=1)
    trained = kept.replace(options={"mode": "train"})
    before = kept.call().arguments["running_mean"].double().numpy()
    assert (reference(kept).parts[1].expected == before).all()
    assert (reference(trained).parts[1].expected != before).all()


def test_samples_that_interact_are_not_asked_to_be_independent():
    assert not PROPERTIES["batch_invariance"].applies(batch_norm)
    assert PROPERTIES["batch_invariance"].applies(block)


def test_a_batch_is_asked_of_a_module_as_of_any_other():
    class Mixes(nn.Linear):
        def forward(self, x):
            return super().forward(x - x.mean(0, keepdim=True))

    linear.implementation(Mixes, module=True)
    try:
        assert verdict("batch_invariance", linear, "Mixes") is Verdict.WRONG
        assert not verdict("batch_invariance", linear, "Kernel").failing
    finally:
        del linear.implementations["Mixes"]


# Refusals


def refused(declare):
    with pytest.raises(DeclarationError) as found:
        declare()
    told = str(found.value)
    assert "\n" not in told
    return told


def affine(module, **more):
    """The declaration of an operation of some module."""

    def declare():
        @harness.operation(module=module, **more)
        def shaped(x: Float[Tensor, "batch d"]) -> Float[Tensor, "batch d"]:
            """What a module gives."""

    return declare


def broken(d):
    raise ValueError("only 128 features")


def test_an_unknown_name_in_module_is_refused():
    told = refused(affine(lambda d, width: nn.Linear(d, width)))
    assert told.startswith("test_modules.py: shaped: module= takes 'width', which is neither a size")
    assert told.endswith("known are batch, d")


def test_a_module_that_raises_is_refused():
    told = refused(affine(broken))
    assert told.startswith("test_modules.py: shaped: module= raised ValueError: only 128 features for {")


def test_a_module_whose_result_is_otherwise_than_annotated_is_refused():
    told = refused(affine(lambda d: nn.Linear(d, d + 1)))
    assert told.startswith("test_modules.py: shaped: the return annotation 'batch d' means (2, 3)")


def test_what_makes_no_module_is_refused():
    assert refused(affine(lambda d: "no module")).startswith("test_modules.py: shaped: ")


def test_an_unknown_mode_is_refused():
    assert "training" in refused(affine(lambda d: nn.Linear(d, d), modes=("training",)))


def test_no_mode_at_all_is_refused():
    assert "modes" in refused(affine(lambda d: nn.Linear(d, d), modes=()))


@pytest.mark.parametrize("given", [{"modes": ("train",)}, {"call": lambda module, x: module(x)}], ids=["modes", "call"])
def test_what_speaks_of_a_module_is_refused_without_one(given):
    def declare():
        @harness.operation(**given)
        def twice(x: Float[Tensor, "batch d"]) -> Float[Tensor, "batch d"]:
            """Twice x."""
            return x * 2

    assert next(iter(given)) in refused(declare)


class Elsewhere(nn.Module):
    def __init__(self, d, m):
        super().__init__()
        self.inner = nn.Linear(d, m)

    def forward(self, x):
        return self.inner(x)


class WithoutBias(Kernel):
    def __init__(self, d, m):
        nn.Module.__init__(self)
        self.weight = nn.Parameter(torch.zeros(m, d))


class More(Kernel):
    def __init__(self, d, m):
        super().__init__(d, m)
        self.gate = nn.Parameter(torch.ones(d))


class Raises(Kernel):
    def __init__(self, d, m):
        raise ValueError("only 128 features")


class OfOneSize(Kernel):
    def __init__(self, d):
        super().__init__(d, d)


KERNEL = {"weight": harness.transposed("kernel")}


@pytest.mark.parametrize(
    ("made", "state", "words"),
    [
        (Elsewhere, None, "nothing of the reference's state fills 'inner.bias'; say with state= what does"),
        (WithoutBias, None, "it has no 'bias', which the reference's state has; say with state= where it is"),
        (More, KERNEL, "nothing of the reference's state fills 'gate'"),
        (Kernel, {"weight": "kernel"}, "'kernel' has shape [3, 4], and what would fill it [4, 3]; say with state="),
        (Kernel, {"weight": harness.stacked("q", "k")}, "state= does not fit: "),
        (
            Raises,
            None,
            "Raises(d, m) raised ValueError: only 128 features; it is made of what the reference is made of",
        ),
        (OfOneSize, None, "OfOneSize(d, m) raised TypeError: "),
    ],
    ids=lambda each: getattr(each, "__name__", None),
)
def test_a_candidate_whose_state_is_not_the_references_is_refused(made, state, words):
    told = refused(lambda: linear.implementation(made, module=True, name="refused", state=state))
    assert told.startswith("test_modules.py: ")
    assert words in told


def test_a_refused_candidate_is_named():
    told = refused(lambda: linear.implementation(Elsewhere, module=True))
    assert told.startswith("test_modules.py: Elsewhere")


def test_a_refused_candidate_that_inherits_its_forward_is_found_in_its_own_file():
    class Raising(nn.Linear):
        def __init__(self, d, m):
            raise ValueError("only 128 features")

    assert refused(lambda: linear.implementation(Raising, module=True)).startswith("test_modules.py")


def test_a_misspelt_name_in_state_is_refused():
    try:
        told = refused(
            lambda: linear.implementation(nn.Linear, name="misspelt", module=True, state={"wieght": "weight"})
        )
    finally:
        linear.implementations.pop("misspelt", None)
    assert "'wieght'" in told


def test_a_candidate_that_makes_no_module_is_refused():
    assert refused(lambda: linear.implementation(lambda d, m: 3, name="number", module=True))


def test_a_module_for_an_operation_of_none_is_refused():
    @harness.operation
    def twice(x: Float[Tensor, "batch d"]) -> Float[Tensor, "batch d"]:
        """Twice x."""
        return x * 2

    told = refused(lambda: twice.implementation(Kernel, module=True))
    assert "module=True, but twice is no operation of a module; declare it with @harness.operation(module=…)" in told


# Options that decide which parameters there are


class Affine(nn.Module):
    def __init__(self, d, bias, affine):
        super().__init__()
        self.product = nn.Linear(d, d, bias=bias)
        self.scale = nn.Parameter(torch.ones(d)) if affine == "each" else None

    def forward(self, x):
        y = F.linear(x, self.product.weight, self.shift())
        return y if self.scale is None else y * self.scale

    def shift(self):
        return self.product.bias


@harness.operation(module=lambda d, bias, affine: Affine(d, bias, affine), batch=None)
def scaled(x: Float[Tensor, "rows d"], bias: bool, affine: Literal["none", "each"]) -> Float[Tensor, "rows d"]:
    """A product, shifted where there is a bias, and scaled where that is asked for."""


class WithoutAShift(Affine):
    def shift(self):
        return None


for each in (Affine, WithoutAShift):
    scaled.implementation(each, module=True)


def test_parameters_that_hang_on_options_are_there_where_the_options_say_so():
    cases = {tuple(case.options[name] for name in ("bias", "affine")): case for case in essential(scaled, 0)}
    assert {row: {*case.call().arguments} for row, case in cases.items()} == {
        (False, "none"): {"x", "product.weight"},
        (False, "each"): {"x", "product.weight", "scale"},
        (True, "none"): {"x", "product.weight", "product.bias"},
        (True, "each"): {"x", "product.weight", "product.bias", "scale"},
    }


def test_what_ignores_a_parameter_that_hangs_on_an_option_is_found_and_the_others_pass():
    for name in ("agreement", "gradients"):
        right, wrong = (
            Cell(PROPERTIES[name], scaled, scaled.find(made), "cpu", "float32") for made in ("Affine", "WithoutAShift")
        )
        assert not explore(right, essential(scaled, 0)[:15]).verdict.failing
        assert explore(wrong, essential(scaled, 0)[:15]).verdict is Verdict.WRONG
    found = outcome(replace(wrong, prop=PROPERTIES["agreement"]), 5, 0)
    assert "product.bias" in found.counterexample.diagnosis.sentence


def test_buffers_that_hang_on_an_option_are_refused():
    with pytest.raises(DeclarationError, match=r"module= has 'num_batches_tracked' with some options alone"):

        @harness.operation(module=lambda d, kept: nn.BatchNorm1d(d, track_running_stats=kept), batch=None)
        def normalised(x: Float[Tensor, "batch d"], kept: bool) -> Float[Tensor, "batch d"]:
            """Normalised."""
