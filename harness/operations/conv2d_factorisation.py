"""The inverse of a large convolution, factorised once and applied to many results (the efficient inverse that S1 asks for).

With zero padding (k − 1)/2 a convolution A keeps the size of the image. On a torus that is (k − 1)/2 larger it is a
circulant C, which the Fourier transform makes one small matrix per frequency, and A = R C Rᵀ, where R cuts out the image:
what C wraps around comes from, or falls on, the ring S that was added. So Ax = y is Cx̃ = Rᵀy + Sᵀz with x̃ zero on the
ring, and z solves the capacitance system

    (S C⁻¹ Sᵀ) z = −S C⁻¹ Rᵀy,        x = R C⁻¹ (Rᵀy + Sᵀz),

of as many unknowns as the ring has pixels times channels: exact, not the circular approximation. Where C itself is nearly
singular, the torus is twisted: what wraps around changes its sign, which shifts the frequencies by half a step and leaves
A as it is. One step of iterative refinement brings the residual to rounding.

The least-squares solution with damping λ, (AᵀA + λ²)⁻¹Aᵀy, is the second half of the solution of the convolution

    [ I   A  ] [r]   [y]
    [ Aᵀ −λ² ] [x] = [0]

of as many channels as both sides have together, to which the same factorisation applies. It serves any channels, and
operators that are singular; repeated on its own residual (iterated Tikhonov) it tends to A⁺y, singular values far below
λ left out.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from functools import cached_property
from typing import Any

import torch
from torch import Tensor
from torch.nn.grad import conv2d_weight

_HALF_TURNS = ((0, 0), (0, 1), (1, 0), (1, 1))
_STEPS = 12
_SINGULAR = 1e-13
"""A circulant whose smallest singular value is smaller, relative to the largest, is not divided by."""

_WELL_AWAY = 1e-6
"""The same ratio from which no other torus is tried."""


_UNTRUSTED = 1e14
"""The condition from which a solution in float64 is not to be trusted."""


class SingularOperator(ValueError):
    """There is nothing to divide by; a damped or iterated solution still exists."""


class Circulant:
    """A convolution on a torus, divided by frequency after frequency.

    K: (channels, channels, k, k'), odd sides, float64; sides: of the torus; turns: along which axes what wraps around
    changes its sign.
    """

    def __init__(self, K: Tensor, sides: tuple[int, int], turns: tuple[int, int] = (0, 0)) -> None:
        self.sides, self.turns = sides, turns
        kept = sides[1] if turns[1] else sides[1] // 2 + 1  # the other half of a real image's frequencies says the same
        waves = [
            torch.exp(1j * torch.outer(self._frequencies(axis, K.device)[:count], _offsets(K, axis)))
            for axis, count in enumerate((sides[0], kept))
        ]
        self.symbol = torch.einsum("ocab,ia,jb->ijoc", K.to(waves[0].dtype), *waves)

    def _frequencies(self, axis: int, device: torch.device) -> Tensor:
        steps = torch.arange(self.sides[axis], dtype=torch.float64, device=device)
        return 2 * math.pi * (steps + self.turns[axis] / 2) / self.sides[axis]

    @cached_property
    def extremes(self) -> tuple[float, float]:
        """The smallest and the largest singular value."""
        values = torch.linalg.svdvals(self.symbol)
        return float(values.min()), float(values.max())

    @cached_property
    def inverse(self) -> Tensor:
        """The inverse of every frequency's matrix, (height, frequencies, channels, channels)."""
        return torch.linalg.inv(self.symbol)

    def divide(self, v: Tensor, adjoint: bool = False) -> Tensor:
        """C⁻¹v, or C⁻ᵀv, for v of (batch, channels, height, width)."""
        inverse = self.inverse.mH if adjoint else self.inverse
        told = self._transformed(v).permute(2, 3, 1, 0)
        return self._untransformed((inverse @ told).permute(3, 2, 0, 1))

    @cached_property
    def response(self) -> Tensor:
        """C⁻¹ of a one at the origin, (channels, channels, height, width)."""
        return self._untransformed(self.inverse.permute(2, 3, 0, 1))

    def _transformed(self, v: Tensor) -> Tensor:
        wave = self._wave(v.device)
        return (
            torch.fft.fft2(v * wave.conj()) if self.turns[1] else torch.fft.fft(torch.fft.rfft(v) * wave.conj(), dim=-2)
        )

    def _untransformed(self, f: Tensor) -> Tensor:
        wave = self._wave(f.device)
        if self.turns[1]:
            return (torch.fft.ifft2(f) * wave).real
        return torch.fft.irfft(torch.fft.ifft(f, dim=-2) * wave, n=self.sides[1])

    def _wave(self, device: torch.device) -> Tensor:
        """What a result that changes its sign around the torus has more than a periodic one."""
        down, across = (
            torch.exp(1j * math.pi * turn / side * torch.arange(side, dtype=torch.float64, device=device))
            for side, turn in zip(self.sides, self.turns, strict=True)
        )
        return torch.outer(down, across) if self.turns[1] else down[:, None]


class Factorisation:
    """A⁻¹ for the convolution with K and zero padding (k − 1)/2, of images of some height and width.

    K: (channels, channels, k, k'), odd sides, any float dtype, computed with in float64. Raises ValueError for other
    kernels, SingularOperator where no torus has an inverse.
    """

    def __init__(self, K: Tensor, height: int, width: int) -> None:
        _check(K)
        self._given, self.kernel, self.image = K, K.detach().double(), (height, width)
        self.padding = (K.shape[2] // 2, K.shape[3] // 2)
        self.circulant = _best_circulant(self.kernel, (height + self.padding[0], width + self.padding[1]))
        self._ring = _ring(self.image, self.circulant.sides, K.device)
        self._factors = torch.linalg.lu_factor(self._capacitance()) if len(self._ring[0]) else None

    def solve(self, y: Tensor, refinements: int = 1, adjoint: bool = False) -> Tensor:
        """A⁻¹y, or A⁻ᵀy, for y of (batch, channels, height, width), in y's dtype; differentiable in y and in K."""
        return _Solve.apply(y, self._given, self, refinements, adjoint)

    def apply(self, x: Tensor, adjoint: bool = False) -> Tensor:
        """Ax, or Aᵀx, in float64."""
        if adjoint:
            return torch.nn.functional.conv_transpose2d(x, self.kernel, padding=self.padding)
        return torch.nn.functional.conv2d(x, self.kernel, padding=self.padding)

    def residual(self, x: Tensor, y: Tensor) -> float:
        """‖Ax − y‖ / ‖y‖."""
        return float((self.apply(x.double()) - y.double()).norm() / y.double().norm())

    @cached_property
    def condition(self) -> float:
        """An estimate of ‖A‖·‖A⁻¹‖ from below, by a few power iterations; usually within a factor of two."""
        there = _largest(lambda v: self.apply(self.apply(v), adjoint=True), self._start())
        back = _largest(lambda v: self._solved(self._solved(v, True), False), self._start())
        return math.sqrt(there * back)

    def _start(self) -> Tensor:
        stream = torch.Generator().manual_seed(0)
        shape = (1, self.kernel.shape[0], *self.image)
        return torch.randn(shape, generator=stream, dtype=torch.float64).to(self.kernel.device)

    def _capacitance(self) -> Tensor:
        """S C⁻¹ Sᵀ: how the ring's pixels answer to each other, (ring·channels, ring·channels)."""
        rows, columns = self._ring
        down, across = rows[:, None] - rows, columns[:, None] - columns
        sign = torch.ones_like(down, dtype=torch.float64)
        for offset, turn in zip((down, across), self.circulant.turns, strict=True):
            sign = torch.where(offset < 0, -sign, sign) if turn else sign
        height, width = self.circulant.sides
        made = self.circulant.response[:, :, down % height, across % width] * sign
        channels, pixels = made.shape[0], made.shape[2]
        return made.permute(2, 0, 3, 1).reshape(pixels * channels, pixels * channels)

    def _solved(self, y: Tensor, adjoint: bool) -> Tensor:
        """One pass, without refinement."""
        height, width = self.image
        extended = torch.nn.functional.pad(y, (0, self.padding[1], 0, self.padding[0]))
        first = self.circulant.divide(extended, adjoint)
        if self._factors is None:
            return first
        rows, columns = self._ring
        wanted = -first[:, :, rows, columns]
        flat = wanted.permute(0, 2, 1).reshape(len(y), -1).T
        strength = torch.linalg.lu_solve(*self._factors, flat, adjoint=adjoint)
        extended[:, :, rows, columns] = strength.T.reshape(len(y), len(rows), -1).permute(0, 2, 1)
        return self.circulant.divide(extended, adjoint)[:, :, :height, :width]

    def refined(self, y: Tensor, refinements: int, adjoint: bool) -> Tensor:
        """The solution in float64, each refinement a solve with what is left of y."""
        if not len(y):
            return y
        x = self._solved(y, adjoint)
        for _ in range(refinements):
            x = x + self._solved(y - self.apply(x, adjoint), adjoint)
        return x


class Damped:
    """(AᵀA + λ²)⁻¹Aᵀ for any channels: the least-squares solution that pays for its own size.

    K: (outputs, inputs, k, k'), odd sides; damping: λ, in the units of A. Raises ValueError for other kernels.
    """

    def __init__(self, K: Tensor, height: int, width: int, damping: float) -> None:
        _check_sides(K)
        self.kernel, self.damping = K.double(), damping
        self.padding = (K.shape[2] // 2, K.shape[3] // 2)
        self._both = Factorisation(_augmented(self.kernel, damping), height, width)

    def solve(self, y: Tensor, repetitions: int = 1) -> Tensor:
        """The damped solution for y of (batch, outputs, height, width); differentiable in y. Same dtype and device.

        repetitions: how often what is left of y is solved for again; singular values σ are damped by
        1 − (λ²/(σ² + λ²))^repetitions, so that many tend to the pseudo-inverse cut at λ.
        """
        wide = y.double()
        x = self._once(wide)
        for _ in range(repetitions - 1):
            x = x + self._once(wide - torch.nn.functional.conv2d(x, self.kernel, padding=self.padding))
        return x.to(y.dtype)

    def _once(self, y: Tensor) -> Tensor:
        outputs, inputs = self.kernel.shape[:2]
        nothing = y.new_zeros(len(y), inputs, *y.shape[2:])
        return self._both.solve(torch.cat([y, nothing], dim=1))[:, outputs:]


class Iterated:
    """A⁺ by LSMR, image after image: for what can't be factorised. `reason` says why.

    K: (outputs, inputs, k, k'); padding: of the convolution; steps: at most, 8 for each unknown if left out. Not
    differentiable.
    """

    def __init__(self, K: Tensor, height: int, width: int, padding: int, reason: str, steps: int = 0) -> None:
        self.kernel, self.image, self.padding, self.reason, self.steps = (
            K.double(),
            (height, width),
            padding,
            reason,
            steps,
        )

    def solve(self, y: Tensor) -> Tensor:
        """The image of least norm that explains y best, for y of (batch, outputs, …). Same dtype, on the CPU."""
        from scipy.sparse.linalg import LinearOperator, lsmr

        conv = torch.nn.functional.conv2d
        inputs = (1, self.kernel.shape[1], *self.image)
        back = [
            side + 2 * self.padding - taps + 1 for side, taps in zip(self.image, self.kernel.shape[2:], strict=True)
        ]
        outputs = (1, self.kernel.shape[0], *back)
        unknowns = math.prod(inputs)
        A = LinearOperator(
            (math.prod(outputs), unknowns),
            matvec=lambda x: (
                conv(torch.from_numpy(x).reshape(inputs), self.kernel, padding=self.padding).numpy().ravel()
            ),
            rmatvec=lambda r: (
                torch.nn.functional.conv_transpose2d(
                    torch.from_numpy(r).reshape(outputs), self.kernel, padding=self.padding
                )
                .numpy()
                .ravel()
            ),
            dtype=float,
        )
        steps = self.steps or 8 * unknowns
        rows = [lsmr(A, each.double().cpu().numpy().ravel(), atol=0, btol=0, conlim=0, maxiter=steps)[0] for each in y]
        return torch.stack([torch.from_numpy(row).reshape(inputs[1:]) for row in rows]).to(y.dtype)


def conv2d_inverse(K: Tensor, height: int, width: int, padding: int) -> Factorisation | Iterated:
    """The inverse of a convolution of images of some height and width, to be applied to many results.

    Factorised where A is square and regular. Where it is not, LSMR, with a warning that says why; where it is nearly
    singular, a warning that says how far a solution can be trusted. `Damped` is the regularised solution.
    """
    try:
        if (padding, padding) != (K.shape[2] // 2, K.shape[3] // 2):
            raise ValueError(f"padding {padding} changes the size of the image under a kernel of {tuple(K.shape[2:])}")
        made = Factorisation(K, height, width)
    except ValueError as refusal:
        warnings.warn(f"solved by LSMR, image after image, since it can't be factorised: {refusal}", stacklevel=2)
        return Iterated(K, height, width, padding, str(refusal))
    if made.condition > _UNTRUSTED:
        warnings.warn(
            f"the condition of this convolution is about {made.condition:.0e}: a solution has hardly a digit left, however "
            "small its residual; Damped(K, height, width, damping) is the regularised one",
            stacklevel=2,
        )
    return made


class _Solve(torch.autograd.Function):
    """x = A⁻¹y. With λ = A⁻ᵀ∂x, the derivative in y is λ, and in K it is −∂⟨λ, Ax⟩/∂K."""

    @staticmethod
    def forward(ctx: Any, y: Tensor, K: Tensor, factors: Factorisation, refinements: int, adjoint: bool) -> Tensor:
        x = factors.refined(y.double(), refinements, adjoint).to(y.dtype)
        ctx.save_for_backward(x)
        ctx.told = (factors, refinements, adjoint)
        return x

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (x,), (factors, refinements, adjoint) = ctx.saved_tensors, ctx.told
        back = factors.solve(gradients[0], refinements, not adjoint)
        in_kernel = None
        if ctx.needs_input_grad[1]:
            entering, leaving = (back, x) if adjoint else (x, back)
            shape, padding = factors.kernel.shape, factors.padding
            in_kernel = -conv2d_weight(entering.double(), shape, leaving.double(), padding=padding)
            in_kernel = in_kernel.to(x.dtype)
        return back, in_kernel, None, None, None


def _check_sides(K: Tensor) -> None:
    if K.dim() != 4 or not K.shape[2] % 2 or not K.shape[3] % 2:
        raise ValueError(
            f"a kernel of (outputs, inputs, odd, odd) is needed to keep the image's size; it is {tuple(K.shape)}"
        )


def _check(K: Tensor) -> None:
    _check_sides(K)
    if K.shape[0] != K.shape[1]:
        raise ValueError(
            f"as many channels out as in are needed for an inverse; they are {K.shape[0]} and {K.shape[1]}"
        )


def _best_circulant(K: Tensor, sides: tuple[int, int]) -> Circulant:
    """The first torus that is well away from singular, or the one that is farthest. Raises SingularOperator."""
    best = None
    for turns in _HALF_TURNS:
        made = Circulant(K, sides, turns)
        least, largest = made.extremes
        if largest and least / largest > _WELL_AWAY:
            return made
        if best is None or least > best.extremes[0]:
            best = made
    assert best is not None
    least, largest = best.extremes
    if not largest:
        raise SingularOperator("the convolution is zero")
    if least <= _SINGULAR * largest:
        raise SingularOperator("whichever way the torus is twisted, the matrix of some frequency is singular")
    return best


def _ring(image: tuple[int, int], sides: tuple[int, int], device: torch.device) -> tuple[Tensor, Tensor]:
    """Rows and columns of the torus' pixels that are not the image's."""
    outside = torch.ones(sides, dtype=torch.bool, device=device)
    outside[: image[0], : image[1]] = False
    rows, columns = outside.nonzero(as_tuple=True)
    return rows, columns


def _offsets(K: Tensor, axis: int) -> Tensor:
    """How far from the centre each tap of the kernel reaches."""
    taps = K.shape[2 + axis]
    return torch.arange(taps, dtype=torch.float64, device=K.device) - taps // 2


def _augmented(K: Tensor, damping: float) -> Tensor:
    """The kernel of [λ A; Aᵀ −λ], whose singular values are √(σ² + λ²) and λ."""
    outputs, inputs, height, width = K.shape
    both = K.new_zeros(outputs + inputs, outputs + inputs, height, width)
    both[:outputs, outputs:] = K
    both[outputs:, :outputs] = K.flip(2, 3).transpose(0, 1)
    signs = torch.cat([K.new_ones(outputs), -K.new_ones(inputs)])
    both[:, :, height // 2, width // 2] += damping * torch.diag(signs)
    return both


def _largest(apply: Callable[[Tensor], Tensor], v: Tensor) -> float:
    """The largest eigenvalue of a symmetric positive map, by power iteration."""
    for _ in range(_STEPS):
        v = apply(v / v.norm())
    return float(v.norm())
