"""What may be given as an implementation or a definition, and the one sentence for what may not."""

import functools

import numpy as np
import pytest
import torch
from jaxtyping import Float
from torch import Tensor

import harness
from harness.declare.axes import Axis
from harness.declare.callables import name_of, place_of, plain, signature_of
from harness.declare.implementation import implementation_of
from harness.errors import DeclarationError
from harness.explain.counterexample import Counterexample
from harness.generate.case import Case
from harness.verify.subject import Subject, sizes_of


@harness.operation
def total(a: Float[Tensor, "batch d"], b: Float[Tensor, "batch d"]) -> Float[Tensor, "batch d"]:
    """a + b."""
    return a + b


@harness.operation(sizes={"half": (1, 9), "c": (1, 5)})
def halves(x: Float[Tensor, "batch 2*half"], y: Float[Tensor, "c+2"]) -> Float[Tensor, "batch half c"]:
    """The products of the first half's entries with y's but its last two."""
    return x[:, : x.shape[1] // 2, None] * y[:-2]


CASE = Case(total, {"batch": 2, "d": 3})


class Sum(torch.nn.Module):
    def __init__(self, factor=1.0, *, weighted=False):
        super().__init__()
        self.factor = factor
        if weighted:
            self.weight = torch.nn.Parameter(torch.ones(1))

    def forward(self, a, b):
        return self.factor * a + b


class Stranger(torch.nn.Module):
    def forward(self, left, right):
        return left + right


class Adder:
    def __call__(self, a, b):
        return a + b


def scaled(a, b, factor):
    return factor * a + b


def made(function, backend="torch", **options):
    return implementation_of(total.name, total.signature, function, backend, **options)


ACCEPTED = [
    (functools.partial(scaled, factor=1.0), "torch", "scaled", "test_callables.py: scaled"),
    (functools.partial(torch.add, alpha=1), "torch", "add", "add"),
    (torch.add, "torch", "add", "add"),
    (np.add, "numpy", "add", "add"),
    (Adder(), "torch", "Adder", "test_callables.py: Adder"),
    (Adder().__call__, "torch", "__call__", "test_callables.py: __call__"),
    (Sum(), "torch", "Sum", "test_callables.py: Sum"),
    (functools.partial(Sum()), "torch", "Sum", "test_callables.py: Sum"),
]


@pytest.mark.parametrize(("function", "backend", "name", "place"), ACCEPTED, ids=lambda each: str(each)[:30])
def test_whatever_can_be_called_is_an_implementation(function, backend, name, place):
    implementation = made(function, backend)
    assert (implementation.name, implementation.place) == (name, place)
    (result,) = Subject(total, implementation)(CASE)
    assert torch.allclose(result, total(**CASE.tensors))
    assert (implementation.file is None) == (plain(function) is None)
    assert implementation.declared_at[0] in ("", "tests/test_callables.py")


def test_a_module_computes_in_the_dtype_of_its_parameters():
    assert made(Sum(weighted=True)).dtypes == (torch.float32,)
    assert made(Sum(weighted=True).double()).dtypes == (torch.float64,)
    assert len(made(Sum()).dtypes) == 4 and made(Sum(weighted=True), dtypes=(torch.float16,)).dtypes == (torch.float16,)


@pytest.mark.parametrize(("function", "backend"), [(Sum(2.0), "torch"), (np.subtract, "numpy"), (torch.sub, "torch")])
def test_a_fault_of_any_of_them_is_found_and_shown(function, backend):
    checked = harness.check(function, like=total, backend=backend, dtypes=["float32"], devices=["cpu"], examples=6)
    (found,) = (each for each in checked.outcomes if each.prop == "agreement")
    assert found.verdict == "wrong" and isinstance(found.counterexample, Counterexample)
    assert "def reproduce" in found.counterexample.script


REFUSED = [
    (
        Stranger(),
        r"^test_callables\.py: Stranger\(left, right\) does not take the arguments of total\(a, b\): .*wrap it",
    ),
    (Sum, r"Sum is a class; give an instance of it, or a function"),
    (functools.partial(scaled), r"^test_callables\.py: scaled\(a, b, factor\) does not take .*'factor'"),
    (len, r"^len\(obj, /\) does not take the arguments of total\(a, b\)"),
    (3, r"int is nothing that can be called"),
]


@pytest.mark.parametrize(("function", "sentence"), REFUSED, ids=lambda each: str(each)[:30])
def test_what_does_not_fit_is_refused_with_place_cause_and_mend(function, sentence):
    with pytest.raises(DeclarationError, match=sentence):
        made(function)


def test_an_unknown_backend_or_dtype_is_refused():
    with pytest.raises(DeclarationError, match=r"scaled: backend 'nunpy' is unknown; did you mean numpy\?"):
        made(scaled, "nunpy")
    with pytest.raises(DeclarationError, match=r"Adder: dtypes= takes torch's dtypes, .* not 'float99'"):
        made(Adder(), dtypes=("float99",))
    assert made(Adder(), dtypes=("float32",)).dtypes == (torch.float32,)


def test_a_definition_is_a_function_that_names_its_arguments():
    def starred(*args: Float[Tensor, "n"]) -> Float[Tensor, "n"]:
        """Some."""
        return args[0]

    with pytest.raises(DeclarationError, match=r"starred: argument \*args.* name each argument"):
        harness.operation(starred)
    with pytest.raises(DeclarationError, match=r"scaled: an operation is declared by a function .* not by partial"):
        harness.operation(functools.partial(scaled, factor=1.0))
    with pytest.raises(DeclarationError, match=r"Sum: an operation is declared by a function .* not by Sum"):
        harness.operation(Sum())


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"ladder": {"bach": (1, 8)}}, r"test_callables\.py: .*: ladder= climbs in 'bach', .*did you mean batch\?"),
        ({"ladder": {"batch": 8}}, r"ladder= gives 8 for 'batch'; write the values"),
        ({"ladder": {"batch": ("1", "8")}}, r"ladder= gives '1' for 'batch', where a size is a whole number"),
        ({"sizes": {"batch": 8}}, "a workload of total lacks d"),
        ({"sizes": {"batch": 8, "d": 8, "e": 1}}, "sizes= and options= give 'e'"),
        ({"oracle_up_to": {"n": 8}}, "oracle_up_to= limits 'n'"),
    ],
)
def test_a_mistyped_workload_is_refused(given, sentence):
    with pytest.raises(DeclarationError, match=sentence):
        total.workload(**{"sizes": {"batch": 8, "d": 8}, **given})(lambda batch, d: batch * d)


def test_what_is_affine_is_not_linear():
    def affine(x: Float[Tensor, "n"]) -> Float[Tensor, "n"]:
        """x and one."""
        return x + 1

    def straight(x: Float[Tensor, "n"]) -> Float[Tensor, "n"]:
        """Twice x."""
        return 2 * x

    with pytest.raises(
        DeclarationError, match=r"affine: linear_in='x', but the definition at x = 0 is not 0 \(it is 1"
    ):
        harness.operation(linear_in="x")(affine)
    assert harness.operation(linear_in="x")(straight).linear_in == "x"


def test_names_and_places_of_what_has_no_code():
    assert (name_of(np.add), place_of(np.add), plain(np.add)) == ("add", "add", None)


# sizes that occur in expressions alone


@pytest.mark.parametrize(
    ("text", "size", "known", "value"),
    [
        ("2*half", 6, {}, 3),
        ("half+2", 6, {}, 4),
        ("g*half", 6, {"g": 2}, 3),
        ("half//2", 3, {}, 6),
        ("7-half", 3, {}, 4),
    ],
)
def test_a_size_is_solved_from_the_expression(text, size, known, value):
    assert Axis(text).solved("half", size, known) == {"half": value}


def test_what_fits_no_size_is_left_open():
    assert Axis("2*half").solved("half", 5, {}) == {}
    assert Axis("half+2").solved("half", 1, {}) == {}
    assert Axis("half//2").solved("half", 3, {}, likely=7) == {"half": 7}


def test_every_axis_of_every_result_is_known_from_the_call():
    case = Case(halves, {"batch": 2, "half": 3, "c": 4})
    call = case.call()
    assert sizes_of(call) == {"batch": 2, "half": 3, "c": 4}
    assert sizes_of(call.take([0])) == {"batch": 1, "half": 3, "c": 4}
    assert sizes_of(call.replace(x=call.arguments["x"][:, :4])) == {"batch": 2, "half": 2, "c": 4}
    assert Subject(halves, halves.own)(call.take([0]))[0].shape == (1, 3, 4)


def test_what_the_tensors_leave_open_is_as_in_the_case():
    @harness.operation(sizes={"groups": (1, 4), "c": (1, 4)}, where=lambda groups, c: groups <= 2)
    def grouped(x: Float[Tensor, "batch groups*c"]) -> Float[Tensor, "batch groups*c"]:
        """Twice x."""
        return 2 * x

    call = Case(grouped, {"batch": 2, "groups": 2, "c": 3}).call()
    assert sizes_of(call.take([1])) == {"batch": 1, "groups": 2, "c": 3}


# signatures of made functions


def test_a_signature_has_these_parameters_and_defaults():
    assert str(signature_of(("x", "n"))) == "(x, n)"
    assert str(signature_of(("x", "eps"), {"eps": 1e-5})) == "(x, eps=1e-05)"
