"""HiPPO: definitions against fractions and mpmath, properties on right and on faulty code, the asker's question."""

from fractions import Fraction

import mpmath
import numpy as np
import pytest
import torch

import harness
from harness.measure.verdict import Verdict
from harness.operations.hippo_discretise import hippo_discretise, long_discretise
from harness.operations.hippo_fast import at_once, by_coefficient, fast_scan, in_turn, prefixes, scan
from harness.operations.hippo_lti import hippo_lti
from harness.operations.hippo_matrices import hippo_matrices, long_matrices
from harness.operations.hippo_scan import legs_scan, legs_scan_channels
from harness.operations.hippo_signal import kept, legendre_reconstruct, white_signal
from harness.operations.hippo_steps import long_steps, rounded_steps, summed_steps
from harness.verify.exploration import explore
from tests.command_line import CANDIDATES, ask
from tests.verdicts import cell_of, explored

SIGNAL = [[Fraction(value, 8) for value in row] for row in ([3, -5], [0, 7], [-2, 1], [9, 4], [-6, -6], [1, 12])]
METHODS = ("forward", "backward", "bilinear")
ONE = np.ones(1, dtype=np.longdouble)


def every_result(operation, **arguments):
    """The definition's and every implementation's results for one call, by name, where it is served."""
    options = {name: arguments.pop(name) for name in operation.options}
    call = harness.Call(operation, arguments, options)
    found = {"definition": operation(**arguments, **options)}
    for made in operation.implementations.values():
        try:
            found[made.name] = harness.Subject(operation, made)(call)
        except harness.Unsupported:
            continue
    return {name: tuple(result) if isinstance(result, tuple) else (result,) for name, result in found.items()}


def tensor(nested):
    return torch.tensor([[float(value) for value in row] for row in nested], dtype=torch.float64)


def close(actual, expected, ulps):
    """Whether the distance is at most so many eps of float64 of the expected's size."""
    actual, expected = np.asarray(actual, dtype=np.longdouble), np.asarray(expected, dtype=np.longdouble)
    return bool(
        np.linalg.norm((actual - expected).astype(float)) <= ulps * 2**-52 * np.linalg.norm(expected.astype(float))
    )


def to_long_double(number):
    high = float(number)
    return np.longdouble(high) + np.longdouble(float(number - mpmath.mpf(high)))


def from_long_double(number):
    return mpmath.mpf(float(number)) + mpmath.mpf(float(number - np.longdouble(float(number))))


def from_mpmath(matrix):
    return np.array([[to_long_double(value) for value in row] for row in matrix.tolist()])


def scanned_in_fractions(N, method):
    """legs' scan in the basis x = c/√(2n+1), where A and B are whole numbers: Σ(2k+1)x_k below, n+1 on the diagonal."""
    x, states = [[Fraction(0)] * N for _ in SIGNAL[0]], []
    new = {"forward": Fraction(0), "backward": Fraction(1), "bilinear": Fraction(1, 2)}[method]
    for t, heard in enumerate(SIGNAL, 1):
        for sample, value in enumerate(heard):
            old, now = x[sample], []
            for n in range(N):
                below = sum((2 * k + 1) * ((1 - new) * old[k] + new * now[k]) for k in range(n))
                now.append((old[n] + (value - below - (1 - new) * (n + 1) * old[n]) / t) / (1 + new * (n + 1) / t))
            x[sample] = now
        states.append([list(row) for row in x])
    return states


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("N", [1, 2, 3, 4])
def test_legs_scan_against_fractions(method, N):
    exact = np.array(
        [
            [[to_long_double(mpmath.mpf(v.numerator) / v.denominator) for v in row] for row in state]
            for state in scanned_in_fractions(N, method)
        ]
    )
    expected = exact * np.sqrt(2 * np.arange(N, dtype=np.longdouble) + 1)
    found = every_result(legs_scan, u=tensor(SIGNAL), N=N, method=method)
    assert len(found) >= 6
    assert all(close(result[0], expected, 32) for result in found.values()), found
    assert close(legs_scan.extended(tensor(SIGNAL).numpy().astype(np.longdouble), N, method), expected, 1 / 64)


@pytest.mark.parametrize("method", ["forward", "backward", "bilinear"])
@pytest.mark.parametrize("N", [1, 2, 16])
def test_steps_by_running_sums_are_the_steps(method, N):
    """Two ways to the same matrices, so that orders too large for the first may take the second."""
    for by_elimination, by_sums in zip(long_steps(N, method, 130), summed_steps(N, method, 130), strict=True):
        assert np.abs(by_elimination - by_sums).max() <= 1e-17 * np.abs(by_elimination).max()


FORMS = (in_turn, at_once, prefixes, by_coefficient)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (2, 1, 2)])
@pytest.mark.parametrize("time", [1, 31, 32, 33, 100])
def test_the_fast_scan_takes_any_batch_axes(form, shape, time):
    u = torch.from_numpy(np.random.default_rng(time).normal(size=(time, *shape)))
    states, last = scan(form, u, 8, "bilinear")
    expected = legs_scan(u.reshape(time, -1), 8, "bilinear").reshape(time, *shape, 8)
    assert states.shape == expected.shape and last.shape == (*shape, 8)
    torch.testing.assert_close(states, expected, rtol=1e-12, atol=1e-13)
    assert torch.equal(last, states[-1])


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("method", ["backward", "bilinear"])
@pytest.mark.parametrize("cut", [1, 32, 40])
def test_a_signal_may_come_in_pieces(form, method, cut):
    """The steps are numbered: a second piece that began at step 1 would be another signal."""
    u = torch.from_numpy(np.random.default_rng(cut).normal(size=(70, 4)))
    whole, _ = scan(form, u, 16, method)
    first, state = scan(form, u[:cut], 16, method)
    second, _ = scan(form, u[cut:], 16, method, state, cut + 1)
    torch.testing.assert_close(torch.cat([first, second]), whole, rtol=1e-12, atol=1e-13)
    anew, _ = scan(form, u[cut:], 16, method, state)
    assert not torch.allclose(anew, whole[cut:])


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_differentiable_in_signal_and_state(form):
    u = torch.randn(40, 2, dtype=torch.float64, requires_grad=True)
    state = torch.randn(2, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda *given: scan(form, given[0], 4, "bilinear", given[1], 5), (u, state))


@pytest.mark.parametrize("N", [4, 24])
def test_the_fast_scan_is_one_of_its_forms(N):
    u = torch.randn(70, 3, dtype=torch.float64)
    torch.testing.assert_close(fast_scan(u, N, "zoh")[0], scan(prefixes, u, N, "zoh")[0], rtol=1e-11, atol=1e-12)
    with pytest.raises(harness.Unsupported, match="no running sum"):
        scan(by_coefficient, u, N, "zoh")


def test_forward_euler_forgets_all_but_a_constant_after_n_steps():
    states = legs_scan(torch.full((9, 1), 3.0, dtype=torch.float64), 4, "forward")
    assert close(states[3:, 0], np.tile([3.0, 0, 0, 0], (6, 1)), 8)


def exponential_step(A, B, span):
    """exp(span·A) and ∫exp(rA)dr·B to 40 digits."""
    N = len(A)
    held = mpmath.zeros(N + 1)
    for row in range(N):
        held[row, N] = span * from_long_double(B[row, 0])
        for column in range(N):
            held[row, column] = span * from_long_double(A[row, column])
    moved = from_mpmath(mpmath.expm(held))
    return moved[:N, :N], moved[:N, N:]


@pytest.fixture(autouse=True)
def forty_digits():
    with mpmath.workdps(40):
        yield


@pytest.mark.parametrize("measure", ["legs", "legt", "lagt", "fourier"])
@pytest.mark.parametrize("t", [1, 3, 64])
def test_steps_against_mpmath(measure, t):
    A, B = hippo_matrices(torch.ones(1, dtype=torch.float64), measure, 4)
    there, one = mpmath.matrix(A.tolist()) / t, mpmath.eye(4)
    column = mpmath.matrix(B.tolist()) / t
    expected = {
        "forward": (one + there, column),
        "backward": (mpmath.inverse(one - there), mpmath.inverse(one - there) * column),
        "bilinear": (mpmath.inverse(one - there / 2) * (one + there / 2), mpmath.inverse(one - there / 2) * column),
    }
    steps = {name: tuple(map(from_mpmath, step)) for name, step in expected.items()}
    steps["zoh"] = exponential_step(A, B, mpmath.log(mpmath.mpf(t + 1) / t))
    for method, (transition, held) in steps.items():
        found = every_result(hippo_discretise, A=A, B=B, t=t, method=method)
        assert len(found) == 3 + (method != "zoh")
        for name, (actual, actual_column) in found.items():
            assert close(actual, transition, 256) and close(actual_column, held, 256 * t), (name, method)
        exact = long_discretise(A.numpy().astype(np.longdouble), B.numpy().astype(np.longdouble), t, method)
        assert close(exact[0], transition, 1 / 64) and close(exact[1], held, 1 / 64), method


@pytest.mark.parametrize("N", [1, 2, 8])
def test_matrices_against_fractions(N):
    A, B = long_matrices(ONE, "legs", N)
    root = np.sqrt(2 * np.arange(N, dtype=np.longdouble) + 1)
    whole = [[2 * k + 1 if k < n else n + 1 if k == n else 0 for k in range(N)] for n in range(N)]
    assert close(A / root[:, None] * root, -np.array(whole), 1 / 64) and close(B[:, 0], root, 1 / 64)
    every = every_result(hippo_matrices, beta=torch.tensor([2.0], dtype=torch.float64), measure="lagt", N=N)
    below = -np.tril(np.ones((N, N))) + np.eye(N) / 2
    assert all(close(A, below, 32) and close(B, np.full((N, 1), 2.0), 1) for A, B in every.values())


@pytest.mark.parametrize("measure", ["legt", "lagt", "fourier"])
@pytest.mark.parametrize("method", [*METHODS, "zoh"])
def test_window_scan_against_long_double(measure, method):
    A, B = long_matrices(ONE, measure, 4)
    if method == "zoh":
        transition, column = exponential_step(A, B, mpmath.mpf(2) ** -6)
    else:
        transition, column = long_discretise(A, B, 64, method)
    state, expected = np.zeros((2, 4), dtype=np.longdouble), []
    for heard in tensor(SIGNAL).numpy():
        state = state @ transition.T + np.multiply.outer(heard, column[:, 0])
        expected.append(state)
    found = every_result(hippo_lti, u=tensor(SIGNAL), measure=measure, N=4, dt=2**-6, method=method)
    assert len(found) == 5 and all(close(result[0], np.stack(expected), 32) for result in found.values())


def test_reconstruction_against_mpmath():
    c = tensor([[Fraction(1, 2), -3, 0, 2, Fraction(5, 4)], [0, 0, 0, 0, 1]])
    points = torch.tensor([0.0, 0.125, 0.5, 0.75, 1.0], dtype=torch.float64)
    expected = [
        [
            to_long_double(
                sum(mpmath.sqrt(2 * n + 1) * value * mpmath.legendre(n, 2 * v - 1) for n, value in enumerate(row))
            )
            for v in points.tolist()
        ]
        for row in c.tolist()
    ]
    found = every_result(legendre_reconstruct, c=c, points=points)
    assert len(found) >= 4 and all(close(result[0], expected, 16) for result in found.values())


def test_a_band_limited_signal_is_reconstructed():
    time = np.arange(1, 1025) / 1024
    u = torch.from_numpy(np.sin(2 * np.pi * 3 * time) - np.cos(2 * np.pi * 2 * time))[:, None]
    c = legs_scan(u, 16, "bilinear")[-1]
    back = legendre_reconstruct(c, torch.from_numpy(time))[0]
    assert float((back - u[:, 0]).square().mean() / u.square().mean()) < 1e-3


@pytest.mark.parametrize("freq", [0.25, 0.375, 0.5])
def test_white_signal_against_its_own_words(freq):
    half, dt, rms = 5, 0.75, 1.25
    normals = torch.from_numpy(np.random.default_rng(3).normal(size=(1, half + 1, 2)))
    sigma, limit = mpmath.mpf(rms) * mpmath.sqrt(0.5), [k > freq * 2 * half * dt for k in range(half + 1)]
    coefficients = [sigma * mpmath.mpc(*pair) for pair in normals[0].tolist()]
    coefficients[-1], coefficients[0] = mpmath.re(coefficients[-1]), mpmath.mpf(0)
    coefficients = [0 if above else value for value, above in zip(coefficients, limit, strict=True)]
    scale = mpmath.sqrt(2 * half) / mpmath.sqrt(1 - mpmath.mpf(sum(limit)) / half)
    signal = []
    for step in range(2 * half):
        turns = [mpmath.expjpi(mpmath.mpf(2 * k * step) / (2 * half)) for k in range(half + 1)]
        terms = [
            (1 if k == half else 2) * mpmath.re(c * turn)
            for k, (c, turn) in enumerate(zip(coefficients, turns, strict=True))
        ]
        signal.append(scale * sum(terms) / (2 * half))
    expected = [[to_long_double(value - signal[0]) for value in signal]]
    found = every_result(white_signal, normals=normals, dt=dt, freq=freq, rms=rms)
    assert len(found) == 4 and all(close(result[0], expected, 32) for result in found.values())
    assert close(white_signal.extended(normals.numpy().astype(np.longdouble), dt, freq, rms), expected, 1 / 64)
    assert kept(half, dt, freq) == half - sum(limit)


def unscaled_basis(beta, measure, N):
    A, B = hippo_matrices(beta, measure, N)
    if measure != "legs":
        return A, B
    root = (2 * torch.arange(N, dtype=beta.dtype) + 1).sqrt()
    return A / root[:, None] * root, torch.ones_like(B)


def counted_from_zero(beta, measure, N):
    A, B = hippo_matrices(beta, measure, N)
    return (A + torch.eye(N, dtype=beta.dtype) if measure == "legs" else A), B


def column_left_as_it_is(A, B, t, method):
    return hippo_discretise(A, B, t, method)[0], B / t


def whole_steps_on_both_sides(A, B, t, method):
    if method != "bilinear":
        return hippo_discretise(A, B, t, method)
    one = torch.eye(len(A), dtype=A.dtype)
    return torch.linalg.solve(one - A / t, one + A / t), torch.linalg.solve(one - A / t, B / t)


def time_without_logarithm(A, B, t, method):
    if method != "zoh":
        return hippo_discretise(A, B, t, method)
    moved = torch.linalg.matrix_exp(torch.nn.functional.pad(torch.cat([A, B], 1), (0, 0, 0, 1)) / t)
    return moved[:-1, :-1], moved[:-1, -1:]


def triangular_for_all(A, B, t, method):
    if method in ("forward", "zoh"):
        return hippo_discretise(A, B, t, method)
    one = torch.eye(len(A), dtype=A.dtype)
    implicit, explicit = (one - A / t, one) if method == "backward" else (one - A / (2 * t), one + A / (2 * t))
    return tuple(torch.linalg.solve_triangular(implicit, given, upper=False) for given in (explicit, B / t))


def samples_first(u, N, method):
    return legs_scan(u.mT, N, method).transpose(0, 1) if u.shape[1] else u.new_zeros(*u.shape, N)


def input_forgotten_in_the_second_block(u, N, method):
    return legs_scan(torch.where(torch.arange(len(u))[:, None] == 8, 0, u), N, method)


def begins_anew(operation):
    """A scan in pieces of four steps that forgets the state between them."""

    def restarted(u, *arguments, **options):
        return torch.cat([operation(piece, *arguments, **options) for piece in u.split(4)])

    return restarted


def ages(u, **options):
    return hippo_lti(u * (1 + 1e-3 * torch.arange(len(u)))[:, None].to(u), **options)


def late_by_one(u, N, method):
    """t counted from 2."""
    return legs_scan(torch.cat([torch.zeros_like(u[:1]), u]), N, method)[1:]


def without_roots(c, points):
    return legendre_reconstruct(c / (2 * torch.arange(c.shape[1], dtype=c.dtype) + 1).sqrt(), points)


def one_frequency_more(normals, dt, freq, rms):
    half = normals.shape[1] - 1
    return white_signal(normals, dt, min((kept(half, dt, freq) + 1) / (2 * half * dt), 0.5 / dt), rms)


def unshifted(normals, dt, freq, rms):
    return white_signal(normals, dt, freq, rms) + normals[:, :1, 0]


def legs_scan_by_hand(u, N, method):
    transitions, columns = (torch.from_numpy(made).to(u) for made in rounded_steps(N, method, len(u)))
    states = [u.new_zeros(u.shape[1], N)]
    for t in range(len(u)):
        states.append(torch.einsum("nk,bk->bn", transitions[t], states[-1]) + u[t, :, None] * columns[t])
    return torch.stack(states[1:])


@pytest.mark.parametrize(
    ("name", "operation", "faulty"),
    [
        ("hippo_identity", hippo_matrices, unscaled_basis),
        ("hippo_spectrum", hippo_matrices, counted_from_zero),
        ("same_steady_state", hippo_discretise, column_left_as_it_is),
        ("discretised_spectrum", hippo_discretise, whole_steps_on_both_sides),
        ("held_steps_join", hippo_discretise, time_without_logarithm),
        ("agreement", hippo_discretise, triangular_for_all),
        ("agreement", legs_scan, input_forgotten_in_the_second_block),
        ("column_by_column", legs_scan, samples_first),
        ("resume", legs_scan, begins_anew(legs_scan)),
        ("resume", legs_scan_channels, begins_anew(legs_scan_channels)),
        ("resume", hippo_lti, begins_anew(hippo_lti)),
        ("time_shift", hippo_lti, ages),
        ("running_mean", legs_scan, late_by_one),
        ("constant_input", legs_scan, late_by_one),
        ("exact_projection", legs_scan, late_by_one),
        ("coefficients_return", legendre_reconstruct, without_roots),
        ("band_limit", white_signal, one_frequency_more),
        ("starts_at_zero", white_signal, unshifted),
    ],
)
def test_both_sides(name, operation, faulty):
    right = legs_scan_by_hand if operation is legs_scan else operation.definition
    for function, failing in ((right, False), (faulty, True)):
        found = asked(name, operation, function, "float64", "float32")
        assert any(each.failing for each in found) == failing, (function, found)


def asked(name, operation, function, *dtypes):
    """The verdicts of a property about a function."""
    return [explored(name, operation, function, dtype).verdict for dtype in dtypes]


def unsqueezed_once(u, N, method):
    """The fast scan with room for one batch axis where there are two: pairs of steps are joined, level by level."""
    transitions, columns = (torch.from_numpy(made).to(u) for made in rounded_steps(N, method, len(u)))
    state, reach = u[..., None] * columns[:, None, None], 1
    while reach < len(u):
        moved = (transitions[reach:, None] @ state[:-reach, ..., None])[..., 0]
        state = torch.cat([state[:reach], moved + state[reach:]])
        transitions = torch.cat([transitions[:reach], transitions[reach:] @ transitions[:-reach]])
        reach *= 2
    return state


def test_a_fast_scan_for_one_batch_axis_fails_with_two():
    u = torch.ones(3, 2, 2, dtype=torch.float64)
    silent = unsqueezed_once(u, 2, "bilinear")
    assert silent.shape == (3, 2, 2, 2) and not torch.allclose(silent, legs_scan_channels(u, 2, "bilinear"))
    with pytest.raises(RuntimeError, match="must match the size"):
        unsqueezed_once(torch.ones(9, 2, 3), 2, "bilinear")
    assert all(each.failing for each in asked("agreement", legs_scan_channels, unsqueezed_once, "float64", "float32"))


def alone(A, B, t, method):
    """The held step from the exponential of a single matrix."""
    if method != "zoh":
        return hippo_discretise(A, B, t, method)
    held = torch.nn.functional.pad(torch.cat([A, B], dim=1), (0, 0, 0, 1))
    moved = torch.linalg.matrix_exp(held * float(np.log1p(1 / t)))
    return moved[:-1, :-1], moved[:-1, -1:]


def test_the_exponential_of_a_single_small_matrix_is_found_where_torch_has_it_wrong():
    turn = torch.tensor([[0.0, -0.03], [0.03, 0.0]], dtype=torch.float64)
    if abs(float(torch.linalg.matrix_exp(turn)[0, 1]) + np.sin(0.03)) < 1e-15:
        pytest.skip("this torch has the mended coefficient (pytorch issue 196592)")
    small = [harness.Case(hippo_discretise, {"N": 2}, {"t": 128, "method": "zoh"}, seed=seed) for seed in range(8)]
    for function, verdict in ((alone, Verdict.WRONG), (hippo_discretise.definition, Verdict.ROUNDING)):
        assert explore(cell_of("agreement", hippo_discretise, function), small).verdict is verdict


def test_single_steps_reconstruct_twice_the_signal():
    u = torch.tensor([[0.75, -2.0, 3.5]], dtype=torch.float64)
    present = torch.ones(1, dtype=torch.float64)
    for N, factor in ((1, 2 / 3), (2, 5 / 3), (3, 2), (8, 2)):
        wrapped = legendre_reconstruct(legs_scan(u, N, "bilinear")[0], present)[:, 0]
        assert close(wrapped, factor * u[0].numpy(), 8)
    for method, factor in (("forward", 16), ("backward", 1)):
        wrapped = legendre_reconstruct(legs_scan(u, 4, method)[0], present)[:, 0]
        assert close(wrapped, factor * u[0].numpy(), 8)


def test_the_asker_s_wrapped_signal_is_found_by_the_command(tmp_path):
    answer = ask(
        tmp_path, "check", str(CANDIDATES / "hippo_wrapped.py"), "--profile", "quick", "-k", "agreement and not device"
    )
    assert answer.code == 1
    assert {cell.verdict for cell in answer.of("samples_first")} == {"wrong"}
    assert "case" in answer.out and "time=" in answer.out
