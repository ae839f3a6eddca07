"""Essential matrices: two equal singular values and a zero, four solutions, one of them before both cameras.

Whatever is derived from a result is told in units of that result's own u, times the most by which the derivation can
stretch it. Samples without a direction (E = 0, rank 1) have no unit: nothing but `no_pose` is asked of them.
"""

import numpy as np
import torch

import harness
from harness.operations.essential_matrix import front_depths, kinds, scene


def _cross(t, R):
    """[t]× R."""
    return np.cross(t[:, None], R.swapaxes(1, 2)).swapaxes(1, 2)


def _eps(case):
    return case.precision.eps


def _kinds(case):
    """What was made of each sample's matrix; a matrix that is given is a plain one."""
    batch = case.sizes["batch"]
    return np.zeros(batch) if "E" in case.values else kinds(batch, case.seed)


def _turned(case, pair):
    """The call with Eᵀ, and with its two images exchanged where there are any."""
    call = case.call()
    changed = {"E": call.arguments["E"].mT}
    if pair:
        changed |= {"x1": call.arguments["x2"], "x2": call.arguments["x1"]}
    return call.replace(**changed)


@harness.property(of="project_essential")
def two_equal_singular_values(implementation, case):
    """The singular values of the result are (s, s, 0) (claim essential.singular-values)."""
    (made,) = implementation(case)
    (part,) = harness.reference(case).parts
    S = np.linalg.svd(harness.as_array(made), compute_uv=False)
    s = S[:, :2].mean(1)
    expected = np.stack([s, s, np.zeros_like(s)], 1)
    yield harness.close(
        "singular values against (s, s, 0)",
        S,
        expected,
        case,
        like=part.derived(part.noise_floor, axis=0),
        both_rounded=True,
    )


@harness.property(of="project_essential")
def cubic_constraint(implementation, case):
    """2EEᵀE = tr(EEᵀ)E, which essential matrices alone satisfy (claim essential.singular-values)."""
    made = harness.as_array(implementation(case)[0])
    (part,) = harness.reference(case).parts
    square = made @ made.swapaxes(1, 2)
    trace = np.trace(square, axis1=1, axis2=2)[:, None, None]
    stretched = part.derived(6 * harness.sample_norms(part.expected, 0) ** 2 * part.noise_floor, axis=0)
    yield harness.close(
        "2EEᵀE against tr(EEᵀ)E", 2 * square @ made, trace * made, case, like=stretched, both_rounded=True
    )


@harness.property(of="project_essential")
def nearest(implementation, case):
    """No essential matrix is nearer: the distance is that which the singular values leave (claim essential.projection, mended)."""
    E, made = harness.as_array(case.tensors["E"]), harness.as_array(implementation(case)[0])
    (part,) = harness.reference(case).parts
    S = np.linalg.svd(E, compute_uv=False)
    least = np.sqrt((S[:, 0] - S[:, 1]) ** 2 / 2 + S[:, 2] ** 2)
    yield harness.close(
        "the distance to E",
        harness.sample_norms(made - E, 0),
        least,
        case,
        like=part.derived(part.noise_floor, axis=0),
        both_rounded=True,
    )


@harness.property(of="project_essential")
def rank_one_projected(implementation, case):
    """Of the many essential matrices nearest to one of rank 1 some one is given: its singular values are half of σ₁, its distance σ₁/√2."""
    call = case.call()
    E = call.arguments["E"].clone(memory_format=torch.contiguous_format)
    E[:, 1:] = 0  # the first row alone
    made, row = harness.as_array(implementation(call.replace(E=E))[0]), harness.sample_norms(harness.as_array(E), 0)
    (part,) = harness.reference(case).parts
    part = harness.ExpectedTensor(part.expected, 0, 4 * _eps(case) * row, row > 0)
    S = np.linalg.svd(made, compute_uv=False)
    half = np.stack([row / 2, row / 2, np.zeros_like(row)], 1)
    yield harness.close("singular values against half the row's", S, half, case, like=part, both_rounded=True)
    away = harness.sample_norms(made - harness.as_array(E), 0)
    yield harness.close("the distance to E", away, row * 0.5**0.5, case, like=part, both_rounded=True)


@harness.property(of="project_essential")
def transpose_projected(implementation, case):
    """The nearest to Eᵀ is the transpose of the nearest to E (claim essential.singular-values)."""
    (made,), (turned,) = implementation(case), implementation(_turned(case, pair=False))
    (part,) = harness.reference(case).parts
    yield harness.close("of Eᵀ against the transpose", turned.mT, made, case, like=part, both_rounded=True)


@harness.property(of=("decompose_essential", "recover_pose"))
def proper_rotations(implementation, case):
    """Every R is a rotation: R Rᵀ = 1 and det R = 1 (claim essential.proper, mended)."""
    results, parts = implementation(case), harness.reference(case).parts
    for index, (result, part) in enumerate(zip(results[:-1], parts, strict=False)):
        R = harness.as_array(result)
        one = np.where(np.isnan(R), np.nan, np.eye(3))
        unit = part.derived(2 * part.noise_floor, axis=0)
        yield harness.close(
            f"R Rᵀ of result {index} against 1", R @ R.swapaxes(1, 2), one, case, like=unit, both_rounded=True
        )
        yield harness.close(
            f"det of result {index}", np.linalg.det(R), one[:, 0, 0], case, like=unit, both_rounded=True
        )


@harness.property(of="decompose_essential")
def rebuilt(implementation, case):
    """[t]× R₁ and [−t]× R₂ are E, projected and divided by its scale (claim essential.four)."""
    R1, R2, t = (harness.as_array(each) for each in implementation(case))
    first, second, direction = harness.reference(case).parts
    expected = _cross(harness.as_array(direction.expected), harness.as_array(first.expected))
    for label, way, R, part in (("[t]× R₁", t, R1, first), ("[−t]× R₂", -t, R2, second)):
        unit = part.derived(part.noise_floor + 2 * direction.noise_floor, axis=0)
        yield harness.close(f"{label} against E", _cross(way, R), expected, case, like=unit, both_rounded=True)


@harness.property(of="decompose_essential")
def twisted_pair(implementation, case):
    """R₂ is R₁ turned by half a turn around t: (2ttᵀ − 1)R₁ (claim essential.four)."""
    R1, R2, t = (harness.as_array(each) for each in implementation(case))
    first, second, direction = harness.reference(case).parts
    half_turn = 2 * t[:, :, None] * t[:, None] - np.eye(3)
    unit = second.derived(first.noise_floor + second.noise_floor + 6 * direction.noise_floor, axis=0)
    yield harness.close("(2ttᵀ − 1)R₁ against R₂", half_turn @ R1, R2, case, like=unit, both_rounded=True)


@harness.property(of=("decompose_essential", "recover_pose"))
def reversed_pair(implementation, case):
    """Eᵀ is the essential matrix of the pair in reverse: rotations Rᵀ, direction −Rᵀt (claim essential.singular-values)."""
    *rotations, t = (harness.as_array(each) for each in implementation(case))
    *turned, back = (harness.as_array(each) for each in implementation(_turned(case, pair=len(rotations) == 1)))
    *parts, direction = harness.reference(case).parts
    for index, (R, other, part) in enumerate(zip(rotations, turned, parts, strict=True)):
        yield harness.close(f"rotation {index} of Eᵀ", other.swapaxes(1, 2), R, case, like=part, both_rounded=True)
    expected = -(rotations[0].swapaxes(1, 2) @ t[:, :, None])[:, :, 0]
    unit = direction.derived(2 * direction.noise_floor + parts[0].noise_floor, axis=0)
    yield harness.close("the direction of Eᵀ against −Rᵀt", back, expected, case, like=unit, both_rounded=True)


@harness.property(of=("decompose_essential", "recover_pose"))
def no_pose(implementation, case):
    """Where E leaves no direction (E = 0, which t = 0 gives, and rank 1) the answer is NaN, and no made-up rotation."""
    results = [harness.as_array(each) for each in implementation(case)]
    lost = _kinds(case) >= 6
    if not lost.any():
        return
    for index, result in enumerate(results):
        told = bool(np.isnan(result[lost]).all())
        yield harness.holds(f"result {index} is NaN where E is zero or of rank 1", told, case)


@harness.property(of="recover_pose")
def known_pose(implementation, case):
    """R and t from which E was built come back (claim essential.four)."""
    if case.values:  # whoever gave them knows the pose
        return
    R, t = implementation(case)
    truth = scene(case.sizes["batch"], case.sizes["points"], case.seed)
    exact = _kinds(case) < 4
    for label, found, expected, part in zip("Rt", (R, t), truth[:2], harness.reference(case).parts, strict=True):
        known = part.derived(part.noise_floor, where=exact)
        yield harness.close(
            f"{label} against the one that E was built from", found, expected, case, like=known, both_rounded=True
        )


@harness.property(of="recover_pose")
def epipolar_constraint(implementation, case):
    """(x₂, 1)ᵀ [t]×R (x₁, 1) = 0 for every pair of images (claim essential.singular-values)."""
    R, t = (harness.as_array(each) for each in implementation(case))
    x1, x2 = (_rays(harness.as_array(case.tensors[name])) for name in ("x1", "x2"))
    first, direction = harness.reference(case).parts
    left = ((x2 @ _cross(t, R)) * x1).sum(2)
    size = np.sqrt((x1**2).sum(2) * (x2**2).sum(2)).max(1)
    exact = _kinds(case) < 4
    unit = size * (first.noise_floor + 2 * direction.noise_floor + 2 * _eps(case)) * left.shape[1] ** 0.5
    part = first.derived(unit, axis=0, where=exact)
    yield harness.close("x₂ᵀ E x₁", left, np.zeros_like(left), case, like=part, both_rounded=True)


@harness.property(of="recover_pose")
def one_of_four(implementation, case):
    """Of the four solutions exactly the one that is given has all points in front of both cameras (claim essential.four)."""
    R, t = (harness.as_array(each) for each in implementation(case))
    told = harness.reference(case).parts[0].informative & (_kinds(case) < 6)
    if not told.any():
        return
    twist = (2 * t[:, :, None] * t[:, None] - np.eye(3)) @ R
    x1, x2 = (_rays(harness.as_array(case.tensors[name])) for name in ("x1", "x2"))
    fronts = [
        (front_depths(x1 @ turn.swapaxes(1, 2), x2, way[:, None]) > 0).all((1, 2))[told]
        for turn, way in ((R, t), (R, -t), (twist, t), (twist, -t))
    ]
    yield harness.holds("all points are before both cameras", bool(fronts[0].all()), case)
    yield harness.holds("they are so in no other solution", not np.any(fronts[1:]), case)


@harness.property(of="recover_pose")
def scale_and_sign(implementation, case):
    """E is known up to scale and sign: −4E gives the same pose."""
    call = case.call()
    results, again = implementation(call), implementation(call.replace(E=-4 * call.arguments["E"]))
    for label, found, expected, part in zip("Rt", again, results, harness.reference(case).parts, strict=True):
        yield harness.close(f"{label} of −4E against that of E", found, expected, case, like=part, both_rounded=True)


def _rays(x):
    return np.concatenate([x, np.ones_like(x[..., :1])], -1)
