"""The pseudo-inverse of convolution (claim pinv.moore-penrose): the equations of Moore and Penrose, and what they mean.

With x̂ = A⁺y: AA⁺A = A, A⁺AA⁺ = A⁺, AA⁺ and A⁺A are symmetric, x̂ has no part that A sends to zero, y − Ax̂ is
orthogonal to all that A reaches, and (Aᵀ)⁺ = (A⁺)ᵀ. Every tolerance is the unavoidable error of x̂, which grows with
the condition of A by itself, carried through A at most ‖A‖ times its size.
"""

import dataclasses

import numpy as np
import torch

import harness
from harness.operations.convolution import conv2d, conv2d_circular

FORWARD = {"conv2d_pinv": conv2d, "conv2d_circular_pinv": conv2d_circular}


class _Map:
    """The map A that a case inverts, written out in float64 from the definition of the convolution."""

    def __init__(self, case):
        self.case, self.call = case, case.call()
        self.image = case.operation.results[0].shape(case.known)
        self.result = case.operation.tensors["y"].shape(case.known)
        self.y, self.K = self.call.arguments["y"], self.call.arguments["K"]
        basis = torch.eye(int(np.prod(self.image[1:])), dtype=torch.float64).reshape(-1, *self.image[1:])
        forward = FORWARD[case.operation.name].definition
        A = forward(basis, self.K.detach().cpu().double(), **case.options).flatten(1).T
        _, singular, Vt = torch.linalg.svd(A)
        self.A, self.norm = A.numpy(), float(singular[0])
        self.rank = int((singular > max(A.shape) * np.finfo(float).eps * self.norm).sum())
        self.unseen = Vt[self.rank :].numpy()

    @property
    def nbytes(self):
        return self.A.nbytes + self.unseen.nbytes + self.y.nbytes

    def bells(self, name, shape):
        """Bell-shaped tensors in the case's dtype, another for every name."""
        values = harness.RandomSource(tuple(shape), {}, self.case.seed, name).normal()
        return torch.from_numpy(values).to(self.y)

    def of(self, x):
        """Ax of images, as results in the case's dtype."""
        made = harness.as_array(x).reshape(len(x), -1).astype(np.float64) @ self.A.T
        return torch.from_numpy(made.reshape(len(x), *self.result[1:])).to(self.y)

    def told(self, **results):
        """The reference of A⁺y for several batches in one call, a part for each."""
        call = self.call.replace(y=torch.cat(list(results.values())))
        whole = harness.reference(self.case, call).parts[0]
        stops = np.cumsum([len(result) for result in results.values()])
        return [
            whole.samples(np.arange(stop - len(result), stop))
            for stop, result in zip(stops, results.values(), strict=True)
        ]

    def inverted(self, implementation, **results):
        """A⁺y of several batches in one call: images as rows in float64, each with its part of the reference."""
        (images,) = implementation(self.call.replace(y=torch.cat(list(results.values()))))
        ends = np.cumsum([len(result) for result in results.values()])[:-1]
        return list(zip(np.split(_rows(images), ends), self.told(**results), strict=True))


def _map_of(case):
    """The map of a case, written out once for all implementations."""
    return harness.remembered(case, f"the map on {case.device}", lambda: _Map(case))


def _rows(tensor):
    return harness.as_array(tensor).reshape(len(tensor), -1)


def _in(unit, *parts):
    """The part of a derived quantity: its own units, told where all that it comes from is told."""
    return parts[0].derived(unit, *parts[1:])


@harness.property(of=FORWARD)
def range_reproduced(implementation, case):
    """AA⁺A = A: what A makes of any image is made again (claim pinv.moore-penrose)."""
    m = _map_of(case)
    made = m.of(m.bells("image", m.image))
    ((found, part),) = m.inverted(implementation, made=made)
    unit = m.norm * part.noise_floor + case.precision.eps * harness.sample_norms(_rows(made), 0)
    yield harness.close("AA⁺Ax against Ax", found @ m.A.T, _rows(made), case, like=_in(unit, part), both_rounded=True)


@harness.property(of=FORWARD)
def inverse_reproduced(implementation, case):
    """A⁺AA⁺ = A⁺: the result of the inverse, convolved and inverted again, is itself (claim pinv.moore-penrose)."""
    m = _map_of(case)
    ((once, first),) = m.inverted(implementation, y=m.y)
    (again,) = implementation(m.call.replace(y=m.of(once)))
    (second,) = m.told(again=m.of(first.expected))
    part = _in(first.noise_floor + second.noise_floor, first, second)
    yield harness.close("A⁺AA⁺y against A⁺y", _rows(again), once, case, like=part, both_rounded=True)


@harness.property(of=FORWARD)
def projections_symmetric(implementation, case):
    """AA⁺ and A⁺A are symmetric: ⟨AA⁺y, z⟩ = ⟨y, AA⁺z⟩ and ⟨A⁺Ax, w⟩ = ⟨x, A⁺Aw⟩ (claim pinv.moore-penrose)."""
    m = _map_of(case)
    y, z = m.y, m.bells("direction", m.result)
    x, w = (m.bells(name, m.image) for name in ("image", "other image"))
    of_y, of_z, of_x, of_w = m.inverted(implementation, y=y, z=z, Ax=m.of(x), Aw=m.of(w))
    for label, (first, one), (second, other), lifted in (
        ("⟨AA⁺y, z⟩ against ⟨y, AA⁺z⟩", (of_y, z), (of_z, y), True),
        ("⟨A⁺Ax, w⟩ against ⟨x, A⁺Aw⟩", (of_x, w), (of_w, x), False),
    ):
        through = m.A.T if lifted else np.eye(m.A.shape[1])
        left, right = ((found @ through * _rows(way)).sum(1) for (found, _), way in ((first, one), (second, other)))
        unit = first[1].noise_floor * harness.sample_norms(_rows(one), 0) + second[
            1
        ].noise_floor * harness.sample_norms(_rows(other), 0)
        part = _in(unit * (m.norm if lifted else 1), first[1], second[1])
        yield harness.close(label, left, right, case, like=part, both_rounded=True)


@harness.property(of=FORWARD)
def least_norm(implementation, case):
    """The inverse has no part that A sends to zero: no shorter image does as well (claim pinv.moore-penrose)."""
    m = _map_of(case)
    if len(m.unseen):
        ((found, part),) = m.inverted(implementation, y=m.y)
        nothing = np.zeros((len(found), len(m.unseen)))
        yield harness.close(
            "the part that A sends to zero", found @ m.unseen.T, nothing, case, like=part, both_rounded=True
        )


@harness.property(of=FORWARD)
def residual_orthogonal(implementation, case):
    """What the inverse leaves of y is orthogonal to all that A reaches (claim pinv.moore-penrose)."""
    m = _map_of(case)
    ((found, part),) = m.inverted(implementation, y=m.y)
    left = _rows(m.y) - found @ m.A.T
    unit = m.norm**2 * part.noise_floor + case.precision.eps * m.norm * harness.sample_norms(_rows(m.y), 0)
    nothing = np.zeros((len(left), m.A.shape[1]))
    yield harness.close("Aᵀ of the residual", left @ m.A, nothing, case, like=_in(unit, part), both_rounded=True)


@harness.property(of=FORWARD)
def one_sided_inverse(implementation, case):
    """AA⁺ = 1 where A has full row rank, A⁺A = 1 where it has full column rank (claim pinv.right-inverse, mended)."""
    m = _map_of(case)
    y, x = m.y, m.bells("image", m.image)
    (of_y, part), (of_x, other) = m.inverted(implementation, y=y, Ax=m.of(x))
    if m.rank == m.A.shape[0]:
        unit = m.norm * part.noise_floor + case.precision.eps * harness.sample_norms(_rows(y), 0)
        yield harness.close("AA⁺y against y", of_y @ m.A.T, _rows(y), case, like=_in(unit, part), both_rounded=True)
    if m.rank == m.A.shape[1]:
        yield harness.close("A⁺Ax against x", of_x, _rows(x), case, like=other, both_rounded=True)


@harness.property(of=FORWARD)
def transpose_inverted(implementation, case):
    """(Aᵀ)⁺ = (A⁺)ᵀ, where Aᵀ is the convolution with the flipped kernel (claim pinv.moore-penrose)."""
    m = _map_of(case)
    K = m.K
    if case.operation.name == "conv2d_pinv":
        if K.shape[2] != K.shape[3]:
            raise harness.Unsupported(
                "the transpose needs k − 1 − padding zeros on each side, one number for all sides"
            )
        flipped, options = K.flip(2, 3).transpose(0, 1), {"padding": K.shape[2] - 1 - case.options["padding"]}
    else:
        flipped, options = _flipped_around(K, m.image[2:]), {}
    ((found, part),) = m.inverted(implementation, y=m.y)
    x = m.bells("image", m.image)
    transposed = dataclasses.replace(m.call.replace(y=x, K=flipped), options=options)
    (back,) = implementation(transposed)
    told = harness.reference(case, transposed).parts[0]
    left, right = (found * _rows(x)).sum(1), (_rows(m.y) * _rows(back)).sum(1)
    unit = part.noise_floor * harness.sample_norms(_rows(x), 0) + told.noise_floor * harness.sample_norms(_rows(m.y), 0)
    label = "⟨A⁺y, x⟩ against ⟨y, (Aᵀ)⁺x⟩"
    yield harness.close(label, left, right, case, like=_in(unit, part, told), both_rounded=True)


def _flipped_around(K, sides):
    """The kernel of the transposed circular map: as large as the image, tap (a, b) moved to (−a, −b)."""
    whole = K.new_zeros(K.shape[1], K.shape[0], *sides)
    for a, b in np.ndindex(*K.shape[2:]):
        whole[:, :, -a % sides[0], -b % sides[1]] = K[:, :, a, b].T
    return whole
