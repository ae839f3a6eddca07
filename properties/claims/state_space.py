"""What the document says of state-space memory: HiPPO's matrices, steps and scans, and the test signals for them."""

import dataclasses
import math

import numpy as np
import torch
from harness.properties.claims.sources import S0

import harness
from harness import Claim, claim
from harness.operations.hippo_matrices import hippo_matrices
from harness.operations.hippo_signal import kept, legendre_reconstruct
from harness.operations.hippo_steps import rounded_steps

SCANS = ("legs_scan", "legs_scan_channels", "hippo_lti")
MEASURES = ("legs", "legt", "lagt", "fourier")

HELD = (
    Claim(
        "hippo.identity",
        S0,
        "A + Aᵀ is −(I + BBᵀ) for legs, −BBᵀ for lagt and fourier, and −(BBᵀ + B̃B̃ᵀ) with B̃ = (−1)ⁿB for legt.",
        of="hippo_matrices",
        by=("hippo_identity",),
    ),
    Claim(
        "hippo.spectrum",
        S0,
        "The eigenvalues of legs are −1 … −N, those of its bilinear step (2t−n)/(2t+n), which are inside the unit circle.",
        of=("hippo_matrices", "hippo_discretise"),
        by=("hippo_spectrum", "discretised_spectrum"),
    ),
    Claim(
        "hippo.batch",
        S0,
        "Scans of (L, 1) and of (L, B) agree sample by sample: the first axis is time.",
        of=("legs_scan", "hippo_lti"),
        by=("column_by_column",),
    ),
    Claim(
        "hippo.fast-equals-sequential",
        S0,
        "A fast, parallel scan gives what the loop over steps gives, for one batch axis and for two.",
        of=("legs_scan", "legs_scan_channels"),
        by=("agreement",),
    ),
    Claim(
        "hippo.zoh-exact",
        S0,
        "The held scan is the Legendre projection of the piecewise constant signal that is silent on [0, 1].",
        of="legs_scan",
        by=("exact_projection",),
    ),
    Claim(
        "hippo.running-mean",
        S0,
        "By forward Euler c₀ is the running mean, and a constant input u is exactly u·e₀ from step N on.",
        of="legs_scan",
        by=("running_mean", "constant_input"),
    ),
    Claim("hippo.causal", S0, "A scan does not look ahead.", of=SCANS, by=("no_look_ahead",)),
    Claim("hippo.linear", S0, "A scan is linear in its signal.", of=SCANS, by=("superposition", "adjoint")),
    Claim("hippo.prefix", S0, "The scan of a prefix is the prefix of the scan.", of=SCANS, by=("prefix",)),
    Claim("hippo.resume", S0, "A scan can be resumed from the state that it left.", of=SCANS, by=("resume",)),
    Claim(
        "hippo.single-step",
        S0,
        "The state of a single step reconstructs, at its right end, 2u by bilinear (N ≥ 3), N²u forward, u backward (N ≥ 2).",
        of="legs_scan",
        by=("single_step",),
    ),
    Claim(
        "signal.band",
        S0,
        "A white signal has no energy above freq, and starts at 0.",
        of="white_signal",
        by=("band_limit", "starts_at_zero"),
    ),
)


def bilinear_of_some_order(case):
    """The case as the asker had it: bilinear, with more than two coefficients."""
    yield case.replace(options={"N": max(case.options["N"], 3), "method": "bilinear"})


def longer_than_float32_bears(case):
    """The case over at least 33 steps."""
    yield case.replace(sizes={**case.sizes, "time": max(case.sizes["time"], 33)})


def longer_than_the_transient(case):
    """The case over 65 steps, one more than forward Euler with 64 coefficients needs to settle."""
    yield case.replace(sizes={**case.sizes, "time": 65})


def solved_in_every_measure(case):
    """The case with four seeds in a row, each of which means another measure, by a method that solves."""
    method = "backward" if case.options["method"] == "forward" else case.options["method"]
    for turn in range(len(MEASURES)):
        yield case.replace(
            seed=case.seed // len(MEASURES) * len(MEASURES) + turn,
            options={**case.options, "method": method},
            sizes={"N": max(case.sizes["N"], 2)},
        )


def every_measure(case):
    """The case with each measure in turn."""
    for measure in MEASURES:
        options = {**case.options, "measure": measure}
        if case.operation.admits(case.sizes, options):
            yield case.replace(options=options)


def below_nyquist(case):
    """The case where the highest frequency is dropped, so that every kept one has two normals."""
    if kept(case.sizes["bins"] - 1, case.options["dt"], case.options["freq"]) < case.sizes["bins"] - 1:
        yield case


def _scanned(u, transitions, columns):
    """S0's loop: a signal of shape (length, …) to coefficients (length, …, N)."""
    state, states = u.new_zeros(*u.shape[1:], transitions.shape[-1]), []
    for heard, transition, column in zip(u, transitions, columns, strict=False):
        state = torch.nn.functional.linear(state, transition) + heard[..., None] * column
        states.append(state)
    return torch.stack(states)


def _steps(case, like):
    """Ā (time, N, N) and B̄ (time, N) of a case's steps, in a tensor's dtype."""
    made = rounded_steps(case.options["N"], case.options["method"], 65)
    return tuple(torch.from_numpy(each).to(like) for each in made)


def _whole(expected, unit, informative):
    """The part of something derived as a whole: one unit, no batch axis."""
    return harness.ExpectedTensor(
        harness.as_array(expected), None, np.array([float(unit)]), np.array([bool(informative)])
    )


@claim("hippo.one-signal", S0, of="legs_scan")
def one_signal(legs_scan, case):
    """A signal of shape (L,), without a batch axis, gives what it gives as (L, 1) and as a column of (L, B)."""
    call = case.call()
    u = call.arguments["u"]
    (states,) = legs_scan(call)
    transitions, columns = _steps(case, u)
    part = harness.reference(case).parts[0].samples([0])
    for label, signal in (("(L,)", u[:, 0]), ("(L, 1)", u[:, :1])):
        alone = _scanned(signal, transitions, columns).reshape(len(u), 1, -1)
        yield harness.close(
            f"the scan of {label} against a column", alone, states[:, :1], case, like=part, both_rounded=True
        )


@claim("hippo.reconstruct", S0, of="white_signal")
def reconstructed(white_signal, case):
    """The 64 coefficients of a signal of shape [3000], band-limited to 9 periods, give the signal back.

    Measured: a relative mean square error of 1e-5 in the median and 7e-5 at most; a thousandth is asked.
    """
    half, periods = 1500, 9.5
    normals = torch.from_numpy(harness.RandomSource((1, half + 1, 2), {}, case.seed, "normals").normal())
    normals = normals.to(case.call().arguments["normals"])
    options = {**case.options, "freq": periods / (2 * half * case.options["dt"])}
    u = white_signal(dataclasses.replace(case.call().replace(normals=normals), options=options))[0][0].cpu()
    back = legendre_reconstruct(_last_state(u, 64), torch.linspace(0, 1, len(u), dtype=u.dtype))[0]
    error = float((back - u).square().mean() / u.square().mean())
    yield harness.holds(f"the error is a thousandth of the signal's power or less ({error:.1e})", error < 1e-3, case)


def _last_state(u, N):
    """The state of legs after the last step, by bilinear, as (1, N)."""
    A, B = hippo_matrices(torch.ones(1, dtype=u.dtype), "legs", N)
    one, state = torch.eye(N, dtype=u.dtype), u.new_zeros(N, 1)
    for t, heard in enumerate(u, 1):
        explicit = state + (A @ state / 2 + B * heard) / t
        state = torch.linalg.solve_triangular(one - A / (2 * t), explicit, upper=False)
    return state.T


@claim(
    "hippo.batch-of-one",
    S0,
    of="legs_scan",
    variants=bilinear_of_some_order,
    instead="axis 0 is time, so [1, L] is L signals of one step each, whose right end comes back as exactly 2u; "
    "with the axes 0 and 1 exchanged, as [L, 1], it agrees",
)
def batch_of_one(legs_scan, case):
    """Wrapping the signal as [1, L] gives the same reconstruction."""
    call, N = case.call(), case.options["N"]
    u = call.arguments["u"][:, :1]
    single, wrapped = call.replace(u=u), call.replace(u=u.mT)
    v = torch.arange(1, len(u) + 1).to(u) / len(u)
    plain = legendre_reconstruct(legs_scan(single)[0][-1], v)[0]
    ends = legendre_reconstruct(legs_scan(wrapped)[0][0], v[-1:])[:, 0]
    parts = [harness.reference(case, each).parts[0] for each in (single, wrapped)]
    # |√(2n+1) P_n| is at most √(2n+1), so that a state's error counts N times at any moment
    unit = N * sum(math.sqrt(len(u)) * np.linalg.norm(part.noise_floor) for part in parts)
    part = _whole(plain, unit, all(part.informative.all() for part in parts))
    label = f"the reconstruction from shape {list(u.mT.shape)} against that from {[len(u)]}"
    yield harness.close(label, ends, plain, case, like=part, both_rounded=True)


@claim(
    "hippo.triangular-solve",
    S0,
    of="hippo_discretise",
    variants=solved_in_every_measure,
    instead="the matrices of legs and lagt are triangular, those of legt and fourier are not: what is above the diagonal "
    "is silently left out, and zoh for fourier divides by zero",
)
def solved_as_triangular(hippo_discretise, case):
    """solve_triangular(lower=True) discretises every measure."""
    measure, N = MEASURES[case.seed % len(MEASURES)], case.sizes["N"]
    if measure == "fourier" and N % 2:
        measure = "legt"
    call = case.call()
    call = call.replace(
        **dict(zip("AB", hippo_matrices(torch.ones(1).to(call.arguments["A"]), measure, N), strict=True))
    )
    given = (harness.as_array(call.arguments[name]) for name in "AB")
    made = _triangular_step(*given, case.options["t"], case.options["method"])
    if made is None:
        yield harness.holds(f"the triangle of {measure} can be solved with", False, case)
        return
    names, parts = ("Ā", "B̄"), harness.reference(case, call).parts
    for name, found, expected, part in zip(names, made, hippo_discretise(call), parts, strict=True):
        yield harness.close(f"{name} of {measure}", found, expected, case, like=part, both_rounded=True)


def _triangular_step(A, B, t, method):
    """S0's step with scipy's triangular solve, None where it divides by zero."""
    from scipy.linalg import LinAlgError, expm, solve_triangular

    one = np.eye(len(A))
    if method == "forward":
        return one + A / t, B / t
    try:
        if method == "zoh":
            moved = expm(A * (math.log(t + 1) - math.log(t)))
            return moved, solve_triangular(A, moved @ B - B, lower=True)
        implicit = A / t if method == "backward" else A / t / 2
        explicit = one if method == "backward" else one + A / t / 2
        return tuple(solve_triangular(one - implicit, right, lower=True) for right in (explicit, B / t))
    except LinAlgError:
        return None


@claim(
    "hippo.forward-returns",
    S0,
    of="legs_scan",
    instead="the posted loop collects its states and returns nothing; the fast path names `unroll`, which is not imported",
)
def forward_returns(legs_scan, case):
    """HiPPOScale.forward returns the coefficients."""
    u = case.tensors["u"]
    for fast in (False, True):
        try:
            made = _posted_forward(u, *_steps(case, u), fast)
            seen = "None" if made is None else "a tensor"
        except NameError as failure:
            made, seen = None, f"NameError: {failure}"
        yield harness.holds(f"forward(u, fast={fast}) gives coefficients (it gives {seen})", made is not None, case)


def _posted_forward(u, transitions, columns, fast):
    """`HiPPOScale.forward` in our own words, with what it forgets."""
    if fast:
        return unroll.variable_unroll_matrix(transitions, u[..., None] * columns[: len(u), None])
    state, states = u.new_zeros(*u.shape[1:], columns.shape[-1]), []
    for t, heard in enumerate(u):
        state = torch.nn.functional.linear(state, transitions[t]) + heard[..., None] * columns[t]
        states.append(state)


@claim(
    "hippo.basis",
    S0,
    of="hippo_matrices",
    variants=every_measure,
    instead="B·P_n(2v−1) is the basis of legs, and over its window of legt; lagt needs Laguerre functions L_n(x)exp(−x/2), "
    "fourier cosines and sines",
)
def one_basis(hippo_matrices, case):
    """One eval_matrix, B·P_n(2v−1), reconstructs every measure: a memory at rest under a constant 1 gives back 1.

    The rest is c = −A⁻¹B. An error of A counts as often as A⁻¹ and c lengthen it, one of B as often as A⁻¹ does.
    """
    call = case.call()
    call = call.replace(beta=torch.ones_like(call.arguments["beta"]))
    A, B = (harness.as_array(made) for made in hippo_matrices(call))
    inverse = np.linalg.pinv(A)  # fourier has an entry that stays 0
    rest = -inverse @ B
    basis = B[:, 0] * np.polynomial.legendre.legvander(np.linspace(-1, 1, 9), len(B) - 1)
    of_a, of_b = harness.reference(case, call).parts
    moved = np.linalg.norm(inverse, 2) * (np.linalg.norm(rest) * of_a.noise_floor[0] + of_b.noise_floor[0])
    unit = np.linalg.norm(basis, 2) * moved + np.linalg.norm(rest) * 3 * of_b.noise_floor[0]
    back, expected = basis @ rest[:, 0], np.ones(9)
    label = f"a constant 1 in the basis of {case.options['measure']}"
    yield harness.close(label, back, expected, case, like=_whole(expected, unit, True), both_rounded=True)


def _by_forward_euler(u, N):
    """c + (Ac + Bu)/t step by step, in the precision of u: (time, N)."""
    A, B = (made.to(u) for made in hippo_matrices(torch.ones(1, dtype=torch.float64), "legs", N))
    state, states = u.new_zeros(N), []
    for t, heard in enumerate(u, 1):
        state = state + (A @ state + B[:, 0] * heard) / t
        states.append(state)
    return torch.stack(states)


@claim(
    "hippo.forward-euler-stable",
    S0,
    of="legs_scan",
    dtypes=("float32",),
    variants=longer_than_float32_bears,
    instead="with 64 coefficients its transient reaches 1e45 times the signal at step 44, and float32 ends at 3e38",
)
def forward_euler_stays_finite(legs_scan, case):
    """Forward discretisation is usable at N = 64: in float32 its coefficients stay finite."""
    states = _by_forward_euler(case.tensors["u"][:, 0], 64)
    finite = states.isfinite().all(1)
    when = "" if finite.all() else f" (not so from step {int(finite.int().argmin()) + 1} on)"
    yield harness.holds(f"64 coefficients stay finite{when}", bool(finite.all()), case)


@claim(
    "hippo.forward-euler-digits",
    S0,
    of="legs_scan",
    variants=longer_than_the_transient,
    instead="in the reals the transient of 1e45 ends after 64 steps; its rounding errors in float64, 1e29 at their largest, stay",
)
def forward_euler_settles(legs_scan, case):
    """Forward discretisation is usable at N = 64: in float64 a constant input has settled to u·e₀ after 65 steps."""
    u = case.tensors["u"][:1, 0].expand(case.sizes["time"])
    if u[0]:
        settled = _by_forward_euler(u, 64)[-1] / u[0]
        settled[0] -= 1
        off = float(settled.norm())
        yield harness.holds(
            f"there is a digit left (it is {off:.0e} times the input off)", off < harness.INCONCLUSIVE_FROM, case
        )


@claim(
    "hippo.fourier-any-N",
    S0,
    of="hippo_matrices",
    instead="cosine and sine come in pairs: for an odd N from 3 on, the frequencies fill N − 1 rows and numpy raises",
)
def fourier_of_any_order(hippo_matrices, case):
    """The measure fourier works for every N."""
    N = case.options["N"]
    try:
        made = _posted_fourier(N)
        seen = f"shape {list(made.shape)}"
    except ValueError as failure:
        made, seen = None, f"ValueError: {failure}"
    there = made is not None and made.shape == (N, N)
    yield harness.holds(f"fourier has a matrix for N = {N} ({seen})", there, case)


def _posted_fourier(N):
    """The matrix A of fourier as S0 builds it, in our own words."""
    between = np.stack([np.zeros(N // 2), np.arange(N // 2)], axis=-1).ravel()[1:]
    damping = np.where(np.arange(N) % 2, 0.0, 2.0)
    damping[0] = np.sqrt(2)
    return 2 * np.pi * (np.diag(between, -1) - np.diag(between, 1)) - np.outer(damping, damping)


@claim(
    "signal.length",
    S0,
    of="white_signal",
    instead="the length is 2·⌈period/dt/2⌉, so an odd number of steps gives one value more",
)
def length_of_signal(white_signal, case):
    """whitesignal produces a signal of length period / dt."""
    options = case.options
    count = 2 * (case.sizes["bins"] - 1) - case.seed % 2
    period = count * options["dt"]
    if options["freq"] >= 1 / period:  # below, S0 refuses
        length = white_signal(case)[0].shape[1]
        said = f"period {period:g} with dt {options['dt']:g} gives {count} values (it gives {length})"
        yield harness.holds(said, length == count, case)


@claim(
    "signal.rms",
    S0,
    of="white_signal",
    variants=below_nyquist,
    instead="it is √2 times rms: the shift to start at 0 adds the first value's variance to every other",
)
def power_of_signal(white_signal, case):
    """The root mean square of the result is rms, over all normals.

    Exactly, by linearity: the squares of the responses to one normal at a time add up to the mean over normals.
    """
    call, bins = case.call(), case.sizes["bins"]
    ones = torch.eye(2 * bins).to(call.arguments["normals"]).reshape(-1, bins, 2)
    responses = call.replace(normals=ones)
    (signals,) = white_signal(responses)
    rms = np.array([np.linalg.norm(harness.as_array(signals)) / math.sqrt(signals.shape[1])])
    part = harness.reference(case, responses).parts[0]
    unit = np.linalg.norm(part.noise_floor) / math.sqrt(signals.shape[1])
    label = f"a root mean square of {case.options['rms']:g} (it is {rms[0]:.6g})"
    yield harness.close(
        label, rms, np.array([case.options["rms"]]), case, like=_whole(rms, unit, True), both_rounded=True
    )


@claim(
    "signal.freq-none",
    S0,
    of="white_signal",
    instead="None is let past the first check and compared with a number by the second, which raises TypeError",
)
def no_limit(white_signal, case):
    """freq=None means a signal that is not band-limited."""
    period = 2 * (case.sizes["bins"] - 1) * case.options["dt"]
    try:
        _posted_checks(period, case.options["dt"], None)
        seen = "passes"
    except TypeError as failure:
        seen = f"TypeError: {failure}"
    yield harness.holds(f"freq=None is served ({seen})", seen == "passes", case)


def _posted_checks(period, dt, freq):
    """What whitesignal checks before it begins, in our own words."""
    if freq is not None and freq < 1 / period:
        raise ValueError("no frequency is left")
    if freq > 0.5 / dt:
        raise ValueError("beyond the Nyquist frequency")
