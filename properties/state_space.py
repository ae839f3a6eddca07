"""State-space memory: what HiPPO's matrices, steps, scans, reconstructions and test signals must fulfil."""

import dataclasses

import numpy as np
import torch

import harness
from harness.operations.hippo_lti import long_constant_step
from harness.operations.hippo_steps import rounded_steps

SCANS = ("legs_scan", "legs_scan_channels", "hippo_lti")


def _with(case, **options):
    """The case with these options, once, where the operation admits them."""
    changed = case.replace(options={**case.options, **options})
    if case.operation.admits(changed.sizes, changed.options):
        yield changed


def of_legs(case):
    return _with(case, measure="legs")


def held(case):
    return _with(case, method="zoh")


def forward_euler(case):
    return _with(case, method="forward", N=min(case.options["N"], 4))


def single_steps(case):
    """The case over one step, by the methods whose step is rational."""
    if case.options["method"] != "zoh":
        yield case.replace(sizes={**case.sizes, "time": 1})


def _in_units(part, unit, informative=True):
    """The part of a result for something derived from it as a whole: one unit, no batch axis."""
    return part.derived(unit, axis=None, where=informative)


def _size(matrix):
    """The largest factor by which a matrix lengthens a vector."""
    return float(np.linalg.norm(harness.as_array(matrix), 2))


def _legs(N, like):
    """The matrix of legs in a tensor's dtype."""
    n = np.arange(N)
    lower = np.tril(np.sqrt((2 * n[:, None] + 1) * (2 * n + 1)), -1)
    return torch.from_numpy(-lower - np.diag(n + 1.0)).to(like)


def _steps_of(case):
    """Ā (time, N, N) and B̄ (time, N) of a scan's steps, as the definition has them."""
    steps, options = case.sizes["time"], case.options
    if "measure" not in options:
        return rounded_steps(options["N"], options["method"], steps)
    step = long_constant_step(options["measure"], options["N"], options["dt"], options["method"])
    return tuple(np.broadcast_to(made.astype(np.float64), (steps, *made.shape)) for made in step)


def _legendre(order, x):
    """P_0 … P_order at x in long double, by Bonnet's recurrence."""
    x = np.asarray(x, dtype=np.longdouble)
    values = [np.ones_like(x), x]
    for n in range(1, order):
        values.append(((2 * n + 1) * x * values[n] - n * values[n - 1]) / (n + 1))
    return np.stack(values[: order + 1])


@harness.property(of="hippo_matrices")
def hippo_identity(implementation, case):
    """A + Aᵀ is −(I + BBᵀ) for legs, −BBᵀ for fourier and for lagt with beta 1, −(BBᵀ + B̃B̃ᵀ) for legt.

    B̃ has the signs of B's rows in alternation (claim hippo.identity). An error of A counts twice, one of B as often as
    B is multiplied with it.
    """
    call = case.call()
    call = call.replace(beta=torch.ones_like(call.arguments["beta"]))
    A, B = (harness.as_array(result) for result in implementation(call))
    of_a, of_b = harness.reference(case, call).parts
    also = {"legs": np.eye(len(A)), "legt": B @ B.T * (-1.0) ** np.add.outer(np.arange(len(A)), np.arange(len(A)))}
    damping = B @ B.T + also.get(case.options["measure"], 0)
    products = 4 if case.options["measure"] == "legt" else 2
    unit = 2 * of_a.noise_floor[0] + products * _size(B) * of_b.noise_floor[0]
    yield harness.close("A + Aᵀ", A + A.T, -damping, case, like=_in_units(of_a, unit))


@harness.property(of="hippo_matrices", variants=of_legs)
def hippo_spectrum(implementation, case):
    """The matrix of legs is triangular with −1, −2, … −N on the diagonal: its eigenvalues (claim hippo.spectrum)."""
    A = harness.as_array(implementation(case)[0])
    part = harness.reference(case).parts[0]
    yield harness.close("eigenvalues", np.diag(A), -np.arange(1.0, len(A) + 1), case, like=part)
    yield harness.close("entries above the diagonal", np.triu(A, 1), np.zeros_like(A), case, like=part)


@harness.property(of="hippo_discretise")
def same_steady_state(implementation, case):
    """(Ā − I)B = A B̄ for every method, so that under a constant input all come to rest where the motion does.

    An error of Ā counts as often as B is long, one of B̄ as often as A lengthens.
    """
    call = case.call()
    transition, column = (harness.as_array(result) for result in implementation(call))
    A, B = harness.as_array(call.arguments["A"]), harness.as_array(call.arguments["B"])
    of_transition, of_column = harness.reference(case).parts
    unit = _size(B) * of_transition.noise_floor[0] + _size(A) * of_column.noise_floor[0]
    pulled = (transition - np.eye(len(A))) @ B
    yield harness.close(
        "(Ā − I)B against A B̄", pulled, A @ column, case, like=_in_units(of_column, unit), both_rounded=True
    )


@harness.property(of="hippo_discretise")
def discretised_spectrum(implementation, case):
    """The step of legs has the eigenvalues 1 − n/t, t/(t+n), (2t−n)/(2t+n) or (t/(t+1))ⁿ, n = 1 … N.

    In the order forward, backward, bilinear, zoh; all but forward's are inside the unit circle (claim hippo.spectrum).
    """
    call = case.call()
    call = call.replace(A=_legs(case.sizes["N"], call.arguments["A"]))
    transition = harness.as_array(implementation(call)[0])
    part = harness.reference(case, call).parts[0]
    n, t, method = np.arange(1.0, len(transition) + 1), case.options["t"], case.options["method"]
    expected = {
        "forward": 1 - n / t,
        "backward": t / (t + n),
        "bilinear": (2 * t - n) / (2 * t + n),
        "zoh": (t / (t + 1)) ** n,
    }[method]
    yield harness.close("eigenvalues", np.diag(transition), expected, case, like=part)
    yield harness.close(
        "entries above the diagonal", np.triu(transition, 1), np.zeros_like(transition), case, like=part
    )
    if method != "forward":
        inside = bool((np.abs(np.diag(transition)) < 1).all())
        yield harness.holds("the eigenvalues are inside the unit circle", inside, case)


@harness.property(of="hippo_discretise", variants=held)
def held_steps_join(implementation, case):
    """The held steps from 2t to 2t+1 and on to 2t+2 make the step from t to t+1: time counts by its logarithm.

    Errors of either step count as often as the other lengthens.
    """
    call, t = case.call(), case.options["t"]
    calls = [dataclasses.replace(call, options={**call.options, "t": later}) for later in (t, 2 * t, 2 * t + 1)]
    (once, column), (first, early), (second, late) = (
        tuple(map(harness.as_array, implementation(each))) for each in calls
    )
    whole, of_first, of_second = (harness.reference(case, each).parts for each in calls)
    for label, index, joined, single, carried in (
        ("Ā", 0, second @ first, once, _size(first)),
        ("B̄", 1, second @ early + late, column, _size(early)),
    ):
        unit = (
            whole[index].noise_floor[0]
            + _size(second) * of_first[index].noise_floor[0]
            + carried * of_second[0].noise_floor[0]
        )
        unit += of_second[1].noise_floor[0] if index else 0.0
        part = _in_units(whole[index], unit)
        yield harness.close(f"{label} of two held steps", joined, single, case, like=part, both_rounded=True)


@harness.property(of=("legs_scan", "hippo_lti"))
def column_by_column(implementation, case):
    """A column scanned alone, as (time, 1), gives what it gives among the others (claim hippo.batch).

    Up to five columns, evenly spread.
    """
    call = case.call()
    columns = list(range(0, call.batch_size, call.batch_size // 5 + 1))
    if columns:
        whole = implementation(call)[0][:, columns]
        alone = torch.cat([implementation(call.take([column]))[0] for column in columns], dim=1)
        part = harness.reference(case).parts[0].samples(columns)
        yield harness.close("columns one by one", alone, whole, case, like=part, both_rounded=True)


@harness.property(of=SCANS)
def resume(implementation, case):
    """The definition's steps, begun at a state that the scan returned, give the scan's later states.

    So a state is all that the rest needs to know (claim hippo.resume). What is wrong with it counts as often as the
    steps from there lengthen it.
    """
    steps = case.sizes["time"]
    middle = (steps + 1) // 2
    if middle == steps:
        return
    call = case.call()
    states, u = harness.as_array(implementation(call)[0]), harness.as_array(call.arguments["u"])
    transitions, columns = _steps_of(case)
    state, carried, later, lengthened = states[middle - 1], np.eye(case.options["N"]), [], 1.0
    for t in range(middle, steps):
        state = state @ transitions[t].T + u[t][..., None] * columns[t]
        later.append(state)
        carried = transitions[t] @ carried
        lengthened = max(lengthened, _size(carried))
    part = harness.reference(case).parts[0]
    part = part.derived(part.noise_floor * lengthened)
    yield harness.close("the states from there", states[middle:], np.stack(later), case, like=part, both_rounded=True)


@harness.property(of="hippo_lti")
def time_shift(implementation, case):
    """A signal that starts later gives the same coefficients later, and none before."""
    call = case.call()
    steps, later = case.sizes["time"], case.sizes["time"] // 2
    u = call.arguments["u"]
    delayed = call.replace(u=torch.cat([torch.zeros_like(u[:later]), u[: steps - later]]))
    now, then = (harness.as_array(implementation(each)[0]) for each in (call, delayed))
    parts = [harness.reference(case, each).parts[0] for each in (call, delayed)]
    part = parts[1].derived(parts[0].noise_floor + parts[1].noise_floor)
    expected = np.concatenate([np.zeros_like(now[:later]), now[: steps - later]])
    yield harness.close("the delayed signal", then, expected, case, like=part, both_rounded=True)


@harness.property(of="legs_scan", variants=forward_euler)
def running_mean(implementation, case):
    """With forward Euler the first coefficient is the mean of what was heard so far (claim hippo.running-mean)."""
    call = case.call()
    first = harness.as_array(implementation(call)[0])[..., 0]
    u = harness.as_array(call.arguments["u"])
    means = u.cumsum(0) / np.arange(1.0, len(u) + 1)[:, None]
    yield harness.close("the first coefficient", first, means, case, like=harness.reference(case).parts[0])


@harness.property(of="legs_scan", variants=forward_euler)
def constant_input(implementation, case):
    """With forward Euler a constant input is its value times the first unit vector from step N on.

    Exactly so in the reals: every other mode meets its factor 1 − n/t = 0 (claim hippo.running-mean).
    """
    N = case.options["N"]
    if case.sizes["time"] < N:
        return
    call = case.call()
    call = call.replace(u=call.arguments["u"][:1].repeat(case.sizes["time"], 1))
    settled = harness.as_array(implementation(call)[0])[N - 1 :]
    expected = np.zeros_like(settled)
    expected[..., 0] = harness.as_array(call.arguments["u"])[N - 1 :]
    yield harness.close("from step N on", settled, expected, case, like=harness.reference(case, call).parts[0])


@harness.property(of="legs_scan", variants=single_steps)
def single_step(implementation, case):
    """The state of a single step reconstructs, at its right end, a fixed multiple of what was heard.

    N² by forward Euler; ½ by backward Euler for N = 1, and 1 from N = 2 on; ⅔ and 5/3 by bilinear for N = 1 and 2, and
    2 from N = 3 on (claim hippo.single-step). At that end the polynomials are √(2n+1), a vector of length N.
    """
    call = case.call()
    N = case.options["N"]
    end = harness.as_array(implementation(call)[0]) @ np.sqrt(2 * np.arange(N) + 1)
    first, later = {"forward": ((), N * N), "backward": ((1 / 2,), 1), "bilinear": ((2 / 3, 5 / 3), 2)}[
        case.options["method"]
    ]
    multiple = first[N - 1] if len(first) >= N else later
    part = harness.reference(case).parts[0]
    part = part.derived(N * part.noise_floor)
    expected = multiple * harness.as_array(call.arguments["u"])
    yield harness.close("the right end", end, expected, case, like=part)


@harness.property(of="legs_scan", variants=held)
def exact_projection(implementation, case):
    """The held scan is the Legendre projection of the piecewise constant signal that is silent on [0, 1].

    Claim hippo.zoh-exact. ∫√(2n+1)P_n(2v−1)dv is (P_{n+1} − P_{n−1})(2v−1)/(2√(2n+1)), taken in long double.
    """
    call = case.call()
    actual = implementation(call)[0]
    u, N = harness.as_array(call.arguments["u"]), case.options["N"]
    n = np.arange(N, dtype=np.longdouble)[:, None]
    states = []
    for t in range(1, len(u) + 1):
        P = _legendre(N, 2 * np.arange(1, t + 2, dtype=np.longdouble) / (t + 1) - 1)
        integral = (P[1:] - np.concatenate([np.zeros_like(P[:1]), P[: N - 1]])) / (2 * np.sqrt(2 * n + 1))
        states.append(u[:t].T @ np.diff(integral).T)
    expected = np.stack(states).astype(np.float64)
    yield harness.close("the projection", actual, expected, case, like=harness.reference(case).parts[0])


@harness.property(of="legendre_reconstruct")
def coefficients_return(implementation, case):
    """The signal at the N nodes of Gauss's rule holds the coefficients: solving for them gives them back.

    At these nodes the polynomials are independent, and an error of the signal counts as often as solving lengthens it.
    """
    call = case.call()
    c = call.arguments["c"]
    N = c.shape[1]
    nodes = torch.from_numpy((np.polynomial.legendre.leggauss(N)[0] + 1) / 2).to(c)
    call = call.replace(points=nodes)
    root = np.sqrt(2 * np.arange(N, dtype=np.longdouble) + 1)[:, None]
    basis = (root * _legendre(N, 2 * harness.as_array(nodes).astype(np.longdouble) - 1)[:N]).astype(np.float64)
    part = harness.reference(case, call).parts[0]
    solving = np.linalg.pinv(basis)
    unit = part.noise_floor * _size(solving)
    part = part.derived(unit, where=unit <= 0.1 * harness.sample_norms(harness.as_array(c), 0))
    yield harness.close(
        "coefficients", harness.as_array(implementation(call)[0]) @ solving, harness.as_array(c), case, like=part
    )


@harness.property(of="white_signal")
def band_limit(implementation, case):
    """No energy above freq (claim signal.band)."""
    bins, options = case.sizes["bins"], case.options
    above = np.arange(bins) > options["freq"] * 2 * (bins - 1) * options["dt"]
    if above.any():
        spectrum = np.abs(np.fft.rfft(harness.as_array(implementation(case)[0]), axis=1, norm="ortho"))[:, above]
        part = harness.reference(case).parts[0]
        yield harness.close("the spectrum above freq", spectrum, np.zeros_like(spectrum), case, like=part)


@harness.property(of="white_signal")
def starts_at_zero(implementation, case):
    """The signal starts at 0, to the last bit (claim signal.band)."""
    start = harness.as_array(implementation(case)[0])[:, 0]
    yield harness.holds("the first value is 0", not start.any(), case)
