"""Complex numbers, and dtypes of their own: how they are filled, measured, differentiated, recorded, shown and explained."""

import json
import math
from dataclasses import replace
from typing import Annotated

import numpy as np
import pytest
import torch
from jaxtyping import Complex, Float, Int, Int8
from torch import Tensor

import harness
from harness.execute.outcome import outcome
from harness.explain.literal import literal
from harness.explain.script import printed_difference
from harness.explain.simplifying import simplify
from harness.generate.case import Case
from harness.generate.patterns import PATTERNS
from harness.generate.plan import essential, plan
from harness.measure.verdict import Verdict
from harness.verify.cell import cells
from harness.verify.exploration import explore
from harness.verify.subject import Subject
from tests.verdicts import PROPERTIES, cell_of, explored


@harness.operation(sizes={"batch": (0, 5), "n": (1, 33)}, linear_in="x")
def fourier(x: Complex[Tensor, "batch n"]) -> Complex[Tensor, "batch n"]:
    """The discrete Fourier transform."""
    n = torch.arange(x.shape[-1], dtype=x.real.dtype)
    angle = -2 * torch.pi * (n[:, None] * n % max(len(n), 1)) / len(n)
    return x @ torch.complex(angle.cos(), angle.sin())


@harness.operation(sizes={"batch": (0, 5), "n": (2, 33)}, linear_in="x")
def half_spectrum(x: Float[Tensor, "batch n"]) -> Complex[Tensor, "batch n//2+1"]:
    """The frequencies from 0 to n//2 of a real signal."""
    n, k = torch.arange(x.shape[-1], dtype=x.dtype), torch.arange(x.shape[-1] // 2 + 1, dtype=x.dtype)
    angle = -2 * torch.pi * (n[:, None] * k % len(n)) / len(n)
    return torch.complex(x @ angle.cos(), x @ angle.sin())


@harness.operation(sizes={"batch": (0, 5), "n": (1, 9)})
def product(
    x: Complex[Tensor, "batch n"], y: Complex[Tensor, "n"]
) -> tuple[Complex[Tensor, "batch n"], Float[Tensor, "batch n"]]:
    """x times the conjugate of y, and its squared modulus."""
    z = x * y.conj()
    return z, z.real.square() + z.imag.square()


def asked(name, operation, function, dtype, backend="torch"):
    """The cell of a function that is asked in the dtypes of its operation alone, as one that is declared is."""
    cell = cell_of(name, operation, function, dtype, backend)
    made = cell.implementation
    return replace(cell, implementation=replace(made, dtypes=operation.among(made.dtypes)))


def fft(x):
    return torch.fft.fft(x) if len(x) else x


def numpys_fft(x):
    return np.fft.fft(x).astype(x.dtype)


def rfft(x):
    return torch.fft.rfft(x) if len(x) else torch.zeros(0, x.shape[1] // 2 + 1, dtype=x.dtype.to_complex())


def multiplied(x, y):
    z = torch.mul(x, torch.conj(y))
    return z, z.abs() ** 2


FOURIER = (
    "agreement",
    "gradients",
    "batch_invariance",
    "layouts",
    "superposition",
    "adjoint",
    "repeatability",
    "result_dtype",
)


@pytest.mark.parametrize(("operation", "function"), [(fourier, fft), (half_spectrum, rfft), (product, multiplied)])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_what_is_right_passes(operation, function, dtype):
    for name in FOURIER:
        cell = asked(name, operation, function, dtype)
        if cell.prop.applies(operation):
            found = explore(cell, plan(operation, 12, 0))
            assert not found.verdict.failing and found.verdict is not Verdict.UNSUPPORTED, (name, found.worst)


def test_arrays_of_numpy_are_complex_too():
    assert not explore(
        asked("agreement", fourier, numpys_fft, "float32", backend="numpy"), plan(fourier, 12, 0)
    ).verdict.failing


def conjugated(x):
    return torch.fft.ifft(x, norm="forward") if len(x) else x


def conjugated_result(x):
    return fft(x).conj()


def conjugated_argument(x):
    return fft(x.conj())


def without_imaginary_part(x):
    return fft(x.real.to(x.dtype))


def parts_exchanged(x):
    return fft(torch.complex(x.imag, x.real))


def a_little_imaginary(x):
    return fft(x) + 1e-3j * x.imag


def real_conjugated(x):
    return rfft(x).conj()


def not_conjugated(x, y):
    z = x * y
    return z, z.abs() ** 2


WRONG = [
    (fourier, conjugated, "conjugated"),
    (fourier, conjugated_result, "conjugated"),
    (fourier, conjugated_argument, "conjugated"),
    (fourier, without_imaginary_part, "lacks its imaginary part"),
    (fourier, parts_exchanged, "exchanged"),
    (half_spectrum, real_conjugated, "conjugated"),
    (product, not_conjugated, "y is conjugated"),
]


@pytest.mark.parametrize(("operation", "function", "words"), WRONG, ids=[function.__name__ for _, function, _ in WRONG])
def test_what_is_done_to_complex_numbers_is_found_and_explained(operation, function, words):
    shown = outcome(asked("agreement", operation, function, "float32"), 8, 0)
    assert shown.verdict == "wrong" and words in str(shown.counterexample.diagnosis)
    least = Case.rebuild(json.loads(json.dumps(shown.counterexample.case)), {operation.name: operation})
    assert least.entries <= 6


def test_a_fault_of_the_imaginary_part_alone_is_found():
    assert explored("agreement", fourier, a_little_imaginary, "float32", examples=12).verdict is Verdict.WRONG


def test_the_script_of_a_complex_result_shows_the_difference(capsys):
    for name in ("agreement", "gradients"):
        script = outcome(asked(name, product, not_conjugated, "float32"), 8, 0).counterexample.script
        exec(compile(script, "script.py", "exec"), {"__name__": "shown"})
        shown = capsys.readouterr().out
        assert "complex" in script and 0 < printed_difference(shown) < math.inf


def refuses_where_an_entry_is_large(x):
    if x.numel() and x.abs().max() > 2:
        raise ValueError("too large")
    return torch.fft.fft(x) if len(x) else x


def test_where_complex_numbers_are_refused_the_circumstances_are_looked_for():
    found = outcome(asked("agreement", fourier, refuses_where_an_entry_is_large, "float32"), 12, 0)
    assert found.verdict == "error" and found.counterexample.diagnosis is not None


def test_gradients_of_complex_numbers_are_held_against_the_definitions():
    def half_lost(x, y):
        z, squared = multiplied(x, y)
        return torch.complex(z.real, z.imag.detach()), squared

    def cut(x, y):
        return multiplied(x, y.detach())

    for function in (half_lost, cut):
        assert not explored("agreement", product, function, "float32", examples=8).verdict.failing
        assert explored("gradients", product, function, "float32", examples=8).verdict is Verdict.WRONG


def test_a_conjugate_is_not_linear():
    def conjugate(x: Complex[Tensor, "batch n"]) -> Complex[Tensor, "batch n"]:
        """The conjugate."""
        return x.conj() * 1

    made = harness.operation(linear_in="x")(conjugate)
    assert explored("superposition", made, lambda x: x.conj() * 1, "float32", examples=8).verdict is Verdict.WRONG


def test_only_what_a_complex_dtype_can_hold_is_asked():
    made = harness.operation(name="asked")(fourier.definition)
    made.implementation(fft)
    every = list(cells(PROPERTIES["agreement"], [made], devices=("cpu",)))
    assert {(cell.implementation.name, cell.dtype) for cell in every} == {
        *(("fft", dtype) for dtype in ("float64", "float32")),
        ("definition", "float32"),
    }
    assert all(torch.float16 not in each.dtypes for each in made.implementations.values())
    assert not [*cells(PROPERTIES["agreement"], [made], devices=("cpu",), dtypes=("float16", "bfloat16"))]


@pytest.mark.parametrize("pattern", list(PATTERNS))
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_both_parts_are_filled_by_the_pattern_and_rebuilt(pattern, dtype):
    case = Case(product, {"batch": 3, "n": 5}, pattern=pattern, dtype=dtype, seed=4)
    x = case.tensors["x"]
    assert x.dtype == (torch.complex128 if dtype == "float64" else torch.complex64)
    again = Case.rebuild(json.loads(json.dumps(case.record())), {"product": product}).tensors["x"]
    assert torch.equal(torch.view_as_real(x), torch.view_as_real(again))
    assert pattern == "equal" or not torch.equal(x.real, x.imag)


def test_given_complex_values_are_recorded_and_rebuilt():
    case = Case(product, {"batch": 1, "n": 3}).replace(values={"x": (1 + 2j, -3.5, complex(0, -1))})
    again = Case.rebuild(json.loads(json.dumps(case.record())), {"product": product})
    assert again.key == case.key and again.tensors["x"].tolist() == [[1 + 2j, -3.5, -1j]]


def test_a_nudge_moves_both_parts():
    case = Case(product, {"batch": 3, "n": 5}, dtype="float32")
    moved = case.replace(nudge=1, reach=1 / 64).tensors["x"] / case.tensors["x"] - 1
    assert 1 / 512 < moved.abs().max() <= 1 / 64 + 1e-6


def test_a_complex_case_is_python():
    for pattern in ("normal", "subnormal", "signed_zeros"):
        case, names = Case(product, {"batch": 2, "n": 3}, pattern=pattern, dtype="float32"), {}
        exec(literal(case), names)
        assert torch.equal(torch.view_as_real(names["x"]), torch.view_as_real(case.tensors["x"]))


def test_complex_values_become_simple():
    case, asked = Case(product, {"batch": 3, "n": 5}, dtype="float32", seed=2), []
    kept = [case]

    def shows(each):
        asked.append(each)
        if bool((each.tensors["x"].imag.abs() > 0.5).any()):
            kept.append(each)
        return kept[-1] is each

    simplify(case, shows)
    assert all(each.is_admitted for each in asked)
    assert kept[-1].entries == 2 and kept[-1].tensors["x"].tolist()[0][0] in (1j, -1j, 1 + 1j, 1 - 1j, -1 + 1j, -1 - 1j)


def test_the_noise_floor_of_complex_numbers_is_that_of_their_parts():
    case = Case(half_spectrum, {"batch": 2, "n": 4}, dtype="float32", seed=1)
    (part,) = harness.reference(case).parts
    assert part.expected.shape == (2, 3, 2) and part.noise_floor.shape == (2,)
    assert np.array_equal(
        part.expected[..., 0] + 1j * part.expected[..., 1], half_spectrum(case.tensors["x"].double()).numpy()
    )
    assert (part.noise_floor > 0).all() and (part.noise_floor < 1e-5).all()


def test_what_nonfinite_values_make_of_complex_numbers_is_not_asked():
    assert explored("nonfinite_propagation", fourier, fft, "float32", examples=4).verdict is Verdict.UNSUPPORTED


@pytest.mark.parametrize(
    ("function", "verdict"),
    [(lambda x: fft(x).to(torch.complex128), Verdict.WRONG), (lambda x: fft(x).real, Verdict.ERROR)],
)
def test_a_result_of_another_dtype_is_found(function, verdict):
    assert explored("result_dtype", fourier, function, "float32", examples=4).verdict is verdict


# dtypes of their own


@harness.operation(sizes={"batch": (0, 5), "n": (1, 33), "m": (1, 9)}, dtypes=("bfloat16",))
def project(
    x: Float[Tensor, "batch n"], weight: Annotated[Float[Tensor, "m n"], harness.dtype("float32")]
) -> Annotated[Float[Tensor, "batch m"], harness.dtype("float32")]:
    """x weightᵀ, in float32."""
    return x.to(weight.dtype) @ weight.T


@harness.operation(sizes={"batch": (0, 5), "n": (1, 65), "m": (1, 9)}, dtypes=("float32",), differentiable=False)
def int8_linear(
    x: Int8[Tensor, "batch n"], weight: Int8[Tensor, "m n"], scale: Annotated[Float[Tensor, "m"], harness.positive]
) -> Float[Tensor, "batch m"]:
    """The product of whole numbers, scaled for each output."""
    return (x.double() @ weight.double().T).to(scale.dtype) * scale


@harness.operation(sizes={"batch": (0, 5), "n": (1, 33)}, dtypes=("float32",), exact=True, differentiable=False)
def to_eight_bits(x: Float[Tensor, "batch n"]) -> Annotated[Float[Tensor, "batch n"], harness.dtype("float8_e4m3fn")]:
    """Rounded to eight bits, what is too large to the largest number; NaN stays."""
    return x.float().clamp(-448, 448).to(torch.float8_e4m3fn)


@harness.operation(sizes={"batch": (0, 5), "n": (1, 33)}, differentiable=False)
def scaled_bytes(
    x: Annotated[Float[Tensor, "batch n"], harness.dtype("float8_e4m3fn")], scale: Float[Tensor, "batch"]
) -> Float[Tensor, "batch n"]:
    """Eight-bit numbers with a scale for each sample."""
    return x.to(scale.dtype) * scale[:, None]


def in_float32(x, weight):
    return torch.nn.functional.linear(x.float(), weight)


def turned_rows(x, weight):
    return in_float32(x, weight.roll(1, -1))


def int_product(x, weight, scale):
    return (x.int()[:, None, :] * weight.int()).sum(-1, dtype=torch.int32).to(scale.dtype) * scale


def wraps_around(x, weight, scale):
    return (x.int()[:, None, :] * weight.int()).sum(-1, dtype=torch.int16).to(scale.dtype) * scale


def scale_of_the_first(x, weight, scale):
    return int_product(x, weight, scale[:1].expand_as(scale))


def clamped(x):
    return torch.where(x.isnan(), x, x.clamp(-448, 448)).to(torch.float8_e4m3fn)


def halved_first(x):
    return torch.where(x.isnan(), x, x.clamp(-448, 448)).half().mul(0.5).to(torch.float8_e4m3fn)


def rescaled(x, scale):
    return (x.float() * scale[:, None].float()).to(scale.dtype)


def of_the_first_sample(x, scale):
    return rescaled(x, scale[:1].expand_as(scale))


OWN = [
    (project, in_float32, turned_rows, "bfloat16"),
    (int8_linear, int_product, wraps_around, "float32"),
    (int8_linear, int_product, scale_of_the_first, "float32"),
    (to_eight_bits, clamped, halved_first, "float32"),
    (scaled_bytes, rescaled, of_the_first_sample, "float32"),
]


@pytest.mark.parametrize(("operation", "right", "wrong", "dtype"), OWN)
def test_arguments_and_results_have_dtypes_of_their_own(operation, right, wrong, dtype):
    for name in FOURIER:
        cell = asked(name, operation, right, dtype)
        if cell.prop.applies(operation):
            found = explore(cell, plan(operation, 12, 0))
            assert not found.verdict.failing, (name, found.worst)
    assert explored("agreement", operation, wrong, dtype).verdict in (Verdict.WRONG, Verdict.UNSTABLE)


@pytest.mark.parametrize(
    ("operation", "function", "dtype"),
    [
        (int8_linear, scale_of_the_first, "float32"),
        (scaled_bytes, of_the_first_sample, "float32"),
        (project, turned_rows, "bfloat16"),
    ],
)
def test_what_is_wrong_is_not_called_unstable(operation, function, dtype):
    found = explore(asked("agreement", operation, function, dtype), plan(operation, 24, 0))
    assert found.verdict is Verdict.WRONG


def test_a_case_has_them_whatever_precision_is_asked():
    for dtype in ("float64", "float32", "bfloat16", "float16"):
        case = Case(scaled_bytes, {"batch": 2, "n": 3}, dtype=dtype)
        assert case.tensors["x"].dtype is torch.float8_e4m3fn and case.tensors["scale"].dtype is case.precision.dtype
    case = Case(int8_linear, {"batch": 2, "n": 3, "m": 2}, dtype="float32")
    assert case.tensors["x"].dtype is torch.int8 and case.tensors["scale"].dtype is torch.float32


def test_integers_of_one_dtype_meet_its_ends():
    met = {value for case in plan(int8_linear, 24, 0) for value in case.tensors["x"].reshape(-1).tolist()}
    assert min(met) == -128 and max(met) == 127 and {-1, 0, 1} < met


def test_an_operation_is_asked_in_its_own_dtypes_alone():
    made = harness.operation(dtypes=("bfloat16",))(project.definition)
    made.implementation(in_float32)
    assert {cell.dtype for cell in cells(PROPERTIES["agreement"], [made], devices=("cpu",))} == {"bfloat16"}


def test_a_result_in_the_working_precision_is_refused_where_another_is_declared():
    made = asked("agreement", project, lambda x, weight: (x.float() @ weight.T).bfloat16(), "bfloat16").implementation
    with pytest.raises(harness.ImplementationFault, match="the result has dtype bfloat16, expected float32"):
        Subject(project, made)(Case(project, {"batch": 2, "n": 3, "m": 2}, dtype="bfloat16"))


@pytest.mark.parametrize("operation", [project, int8_linear, to_eight_bits, scaled_bytes])
def test_cases_with_dtypes_of_their_own_are_rebuilt_and_python(operation):
    for case in essential(operation)[:6]:
        case, names = case.replace(dtype="float32"), {}
        again = Case.rebuild(json.loads(json.dumps(case.record())), {operation.name: operation})
        exec(literal(case.replace(sizes=dict.fromkeys(operation.sizes, 2))), names)
        for name, tensor in case.tensors.items():
            assert again.tensors[name].dtype is tensor.dtype is names[name].dtype
            assert torch.equal(again.tensors[name].double(), tensor.double())


def absolute(x, scale):
    return rescaled(x.float().abs(), scale)


@pytest.mark.parametrize(
    ("operation", "wrong"),
    [
        (int8_linear, scale_of_the_first),
        (to_eight_bits, halved_first),
        (scaled_bytes, absolute),
    ],
)
def test_a_script_of_them_shows_the_difference(operation, wrong, capsys):
    script = outcome(asked("agreement", operation, wrong, "float32"), 8, 0).counterexample.script
    exec(compile(script, "script.py", "exec"), {"__name__": "shown"})
    assert 0 < printed_difference(capsys.readouterr().out) < math.inf


def test_a_dtype_is_named_by_a_string_or_by_torch_and_another_is_refused():
    assert harness.dtype("float32") == harness.dtype(torch.float32) == harness.dtype("torch.float32")
    with pytest.raises(
        harness.DeclarationError, match=r"""dtype\('float99'\) is none of torch's dtypes; write one as "float32\""""
    ):
        harness.dtype("float99")
    with pytest.raises(harness.DeclarationError, match=r"dtype\('tensor'\) is none"):
        harness.dtype("tensor")


@pytest.mark.parametrize(
    ("kind", "name"), [(Float, "int8"), (Int, "float32"), (Float, "complex64"), (Complex, "float32")]
)
def test_a_dtype_of_another_kind_is_refused(kind, name):
    def same(x, y):
        """x."""
        return x * 1

    same.__annotations__ = {
        "x": Float[Tensor, "n"],
        "y": Annotated[kind[Tensor, "n"], harness.dtype(name)],
        "return": Float[Tensor, "n"],
    }
    with pytest.raises(harness.DeclarationError):
        harness.operation(same)
