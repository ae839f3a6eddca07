"""One step of x' = (1/t)(Ax + Bu) from t to t + 1, by four methods.

Sources: docs/sources.md#state-space-memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

import numpy as np
import torch
from annotated_types import Interval
from jaxtyping import Float
from torch import Tensor

from harness.declare.declaration import operation
from harness.declare.dtypes import HALVES, WIDE
from harness.declare.structure import RandomSource, structure, typical
from harness.errors import Unsupported

Method = Literal["forward", "backward", "bilinear", "zoh"]


def _simple_motions(stream: RandomSource) -> Iterator[np.ndarray]:
    """Everything dies out alike; one passes on to the next on the way."""
    one = np.eye(stream.shape[0])
    yield from (
        -one,
        np.eye(stream.shape[0], k=-1) - one,
        np.eye(stream.shape[0], k=1) - np.eye(stream.shape[0], k=-1) - one,
    )


@structure(simpler=_simple_motions)
def dissipative(stream: RandomSource) -> np.ndarray:
    """A matrix whose motion dies out: HiPPO's legs or legt, any lower-triangular one, or a rotation with friction.

    legt and the rotation are full, so a triangular solve is no way round (claim hippo.triangular-solve).
    """
    N = stream.shape[0]
    kind = int(stream.integers(0, 3, (1,))[0])
    n = np.arange(N, dtype=np.float64)
    normal = stream.normal()
    if kind == 0:
        return -np.tril(np.sqrt((2 * n[:, None] + 1) * (2 * n + 1)), -1) - np.diag(n + 1)
    if kind == 1:
        signs = np.where((n[:, None] < n) & ((n - n[:, None]) % 2 == 1), -1.0, 1.0)
        return -signs * np.sqrt((2 * n[:, None] + 1) * (2 * n + 1))
    friction = np.diag(1 + stream.uniform((N,)))
    return (np.tril(normal, -1) if kind == 2 else normal - normal.T) - friction


@typical
def bell(stream: RandomSource) -> np.ndarray:
    """Bell-shaped numbers of size 1: the input's column only scales what is computed, so its size tells nothing."""
    return stream.normal()


def _exponential(X: Tensor) -> Tensor:
    """torch.linalg.matrix_exp of a pair: for one small matrix, alone, it errs by 1e-11 (pytorch issue 196592)."""
    return torch.linalg.matrix_exp(torch.stack([X, X]))[0]


@operation(sizes={"N": (1, 17)})
def hippo_discretise(
    A: Annotated[Float[Tensor, "N N"], dissipative],
    B: Annotated[Float[Tensor, "N 1"], bell],
    t: Annotated[int, Interval(ge=1, le=128)],
    method: Method,
) -> tuple[Float[Tensor, "N N"], Float[Tensor, "N 1"]]:
    """The transition Ā (N, N) and the input's column B̄ (N, 1) of the step from t to t + 1, A (N, N) and B (N, 1) given.

    With I for the identity: forward I + A/t and B/t; backward (I − A/t)⁻¹ times I and B/t; bilinear (I − A/2t)⁻¹ times
    I + A/2t and B/t; zoh, for an input that is held, exp(sA) and ∫exp(rA)dr·B over 0 ≤ r ≤ s with s = log((t+1)/t),
    which is A⁻¹(Ā − I)B where A has an inverse (claims hippo.spectrum, hippo.triangular-solve).
    """
    if A.dtype in HALVES:
        raise Unsupported("torch.linalg knows no half precision")
    one = torch.eye(len(A), dtype=A.dtype, device=A.device)
    if method == "forward":
        return one + A / t, B / t
    if method == "backward":
        return torch.linalg.solve(one - A / t, one), torch.linalg.solve(one - A / t, B / t)
    if method == "bilinear":
        half = A / (2 * t)
        return torch.linalg.solve(one - half, one + half), torch.linalg.solve(one - half, B / t)
    held = torch.nn.functional.pad(torch.cat([A, B], dim=1), (0, 0, 0, 1))
    moved = _exponential(held * float(np.log1p(1 / t)))
    return moved[:-1, :-1], moved[:-1, -1:]


@hippo_discretise.in_extended_precision
def long_discretise(A, B, t, method):
    """The same steps as `long_step`; t may be an array, whose axes come first in both results."""
    t = np.asarray(t, dtype=np.longdouble)
    return long_step(A, B, np.log1p(1 / t) if method == "zoh" else 1 / t, method)


def long_step(A: np.ndarray, B: np.ndarray, span: np.ndarray, method: str) -> tuple[np.ndarray, np.ndarray]:
    """Ā (..., N, N) and B̄ (..., N, 1) of a step of x' = Ax + Bu over spans (...), by elimination or power series."""
    span = np.asarray(span, dtype=np.longdouble)[..., None, None]
    one = np.eye(A.shape[-1], dtype=np.longdouble)
    if method == "zoh":
        return _held(A, B, span)
    if method == "forward":
        return one + span * A, span * B
    implicit = span * A if method == "backward" else span * A / 2
    explicit = np.broadcast_to(one, implicit.shape) if method == "backward" else one + implicit
    solved = _eliminated(np.concatenate([one - implicit, explicit, span * B], axis=-1))
    return solved[..., :-1], solved[..., -1:]


def _held(A, B, span):
    """exp(span·A) and ∫exp(rA)dr·B: the power series over a short span, doubled until it is long enough."""
    size = np.abs(A).sum(-1).max() * span.max()
    doublings = max(0, int(np.frexp(size)[1]) + 1)
    short = np.ldexp(span, -doublings)
    transition = term = np.broadcast_to(np.eye(A.shape[-1], dtype=np.longdouble), (short * A).shape)
    integral = short * term
    for power in range(1, 20):
        term = term @ (short * A) / power
        transition = transition + term
        integral = integral + short * term / (power + 1)
    for _ in range(doublings):
        integral = integral + transition @ integral
        transition = transition @ transition
    return transition, integral @ B


def _eliminated(equations):
    """Gauss–Jordan on (..., N, N + k) with the largest pivot of each column: (..., N, k)."""
    rows = equations.shape[-2]
    flat = equations.reshape(-1, *equations.shape[-2:]).copy()
    which = np.arange(len(flat))
    for column in range(rows):
        pivot = column + np.abs(flat[:, column:, column]).argmax(-1)
        flat[which, pivot], flat[which, column] = flat[which, column], flat[which, pivot].copy()
        flat[:, column] /= flat[:, column, column, None].copy()
        multiples = flat[:, :, column].copy()
        multiples[:, column] = 0
        flat -= multiples[:, :, None] * flat[:, None, column]
    return flat[..., rows:].reshape(*equations.shape[:-1], -1)


@hippo_discretise.implementation(backend="scipy")
def cont2discrete(A, B, t, method):
    """scipy.signal.cont2discrete, which knows the methods by the names of control theory.

    x' = (1/t)(Ax + Bu) is time-invariant in log t: the held step is as long as log((t+1)/t), the others take 1/t.
    """
    from scipy.signal import cont2discrete

    names = {"forward": "euler", "backward": "backward_diff", "bilinear": "bilinear", "zoh": "zoh"}
    step = np.log1p(1 / t) if method == "zoh" else 1 / t
    system = (A, B, np.eye(len(A)), np.zeros_like(B))
    transition, column, *_ = cont2discrete(system, step, method=names[method])
    return transition.astype(A.dtype), column.astype(A.dtype)


@hippo_discretise.implementation(backend="torch", dtypes=WIDE)
def resolvent(A, B, t, method):
    """Everything from one inverse: backward's Ā is (I − A/t)⁻¹, bilinear's 2(I − A/2t)⁻¹ − I."""
    one = torch.eye(len(A), dtype=A.dtype, device=A.device)
    if method == "zoh":
        raise Unsupported("an exponential does not come from one inverse")
    if method == "forward":
        return torch.add(one, A, alpha=1 / t), B.mul(1 / t)
    if method == "backward":
        inverse = torch.linalg.inv(one - A / t)
        return inverse, inverse @ B / t
    inverse = torch.linalg.inv(one - A / (2 * t))
    return 2 * inverse - one, inverse @ B / t


@hippo_discretise.implementation(backend="numpy", dtypes=WIDE)
def series(A, B, t, method):
    """No solver: the geometric or exponential series of a short step, doubled.

    (I − X)⁻¹ = (I + X)(I + X²)(I + X⁴)… for ‖X‖ < 1 does for long t only; below, the resolvent is refined by
    Newton's iteration V ← V(2I − MV), which starts from a multiple of Mᵀ.
    """
    one = np.eye(len(A), dtype=A.dtype)
    if method == "forward":
        return one + A * A.dtype.type(1 / t), B * A.dtype.type(1 / t)
    if method == "zoh":
        return _doubled(A, B, A.dtype.type(np.log1p(1 / t)))
    implicit = one - A / A.dtype.type(t if method == "backward" else 2 * t)
    inverse = implicit.T / (np.abs(implicit).sum(0).max() * np.abs(implicit).sum(1).max())
    for _ in range(60):
        better = inverse @ (2 * one - implicit @ inverse)
        if np.array_equal(better, inverse):
            break
        inverse = better
    transition = inverse if method == "backward" else inverse @ (2 * one - implicit)
    return transition, inverse @ B / A.dtype.type(t)


def _doubled(A, B, span):
    """exp(span·A) and ∫exp(rA)dr·B by the series of the column and of the transition, in the arrays' precision."""
    doublings = max(0, int(np.frexp(np.abs(A).sum(0).max() * span)[1]))
    X = A * np.ldexp(span, -doublings)
    transition, factor = np.eye(len(A), dtype=A.dtype), np.eye(len(A), dtype=A.dtype)
    for power in range(18, 1, -1):
        factor = np.eye(len(A), dtype=A.dtype) + X @ factor / A.dtype.type(power)
    transition, column = transition + X @ factor, np.ldexp(span, -doublings) * (factor @ B)
    for _ in range(doublings):
        column = column + transition @ column
        transition = transition @ transition
    return transition, column
