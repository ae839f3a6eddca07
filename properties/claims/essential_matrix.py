"""What the documents say of the essential matrix: its singular values, its four solutions, and the way to its rotations."""

import numpy as np
import torch
from harness.properties.claims.sources import S1

import harness
from harness import Claim, claim
from harness.operations.essential_matrix import front_depths, kinds, scene

POSTED = (21.47903827647813, 20.28555196246256, 5.167099204708699e-010)
"""The singular values that the asker prints."""

HELD = (
    Claim(
        "essential.singular-values",
        S1,
        "An essential matrix has the singular values (s, s, 0), so 2EEᵀE = tr(EEᵀ)E; x₂ᵀEx₁ = 0, and Eᵀ is that of the pair in reverse.",
        of=("project_essential", "decompose_essential", "recover_pose"),
        by=(
            "two_equal_singular_values",
            "cubic_constraint",
            "transpose_projected",
            "epipolar_constraint",
            "reversed_pair",
        ),
    ),
    Claim(
        "essential.four",
        S1,
        "The textbook decomposition admits four solutions, of which only one has the points in front of the cameras.",
        of=("decompose_essential", "recover_pose"),
        by=("rebuilt", "twisted_pair", "one_of_four", "known_pose"),
    ),
    Claim(
        "essential.scale",
        S1,
        "E is known up to a scale, which changes nothing in rotation and direction.",
        of="recover_pose",
        by=("scale_and_sign",),
    ),
)


@claim("essential.asymmetry", S1, of="project_essential")
def posted_singular_values(project, case):
    """The posted singular values are 6 % off the ideal ones, which are equal; the projection makes them so."""
    call = case.call()
    if not len(call.arguments["E"]):
        return
    U, V = (scene(case.sizes["batch"], 0, case.seed + turn).R for turn in (0, 1))
    E = torch.from_numpy((U * np.array(POSTED)) @ V.swapaxes(1, 2)).to(call.arguments["E"])
    S = np.linalg.svd(harness.as_array(E), compute_uv=False)
    percent = 100 * (S[:, 0] - S[:, 1]) / S[:, 1]
    yield harness.holds("they are 6 % apart, to the nearest per cent", bool((percent.round() == 6).all()), case)
    derived = call.replace(E=E)
    (part,) = harness.reference(case, derived).parts
    S = np.linalg.svd(harness.as_array(project(derived)[0]), compute_uv=False)
    middle = (POSTED[0] + POSTED[1]) / 2
    expected = np.tile([middle, middle, 0.0], (len(S), 1))
    yield harness.close("after the projection", S, expected, case, like=part, both_rounded=True)


@claim(
    "essential.proper",
    S1,
    of="decompose_essential",
    instead="U Wᵀ Vᵀ and U W Vᵀ are rotations or reflections, as the signs of U and V happen to be; negate those of determinant −1",
)
def product_is_rotation(decompose, case):
    """R = U Wᵀ Vᵀ, with U and V from the singular value decomposition of E, is a rotation."""
    U, _, Vt = np.linalg.svd(harness.as_array(case.tensors["E"]))
    W = np.array([[0, -1, 0], [1, 0, 0], [0, 0, 1]])
    (first, *_) = harness.reference(case).parts
    turns = np.linalg.det(U @ W.T @ Vt)
    yield harness.close(
        "the determinant of U Wᵀ Vᵀ",
        turns,
        np.ones_like(turns),
        case,
        like=first.derived(2 * first.noise_floor, axis=0),
    )


@claim(
    "essential.eigenvalues",
    S1,
    of="project_essential",
    instead="two singular values are equal; of the eigenvalues one is zero, and the others are often a complex pair, as the asker saw",
)
def two_eigenvalues_equal(project, case):
    """Two of the eigenvalues of an essential matrix are equal, and the third is zero."""
    made = harness.as_array(project(case)[0])
    (part,) = harness.reference(case).parts
    values = np.linalg.eigvals(made)
    ordered = np.take_along_axis(values, np.argsort(-abs(values), axis=1, kind="stable"), 1)
    gap = abs(ordered[:, 0] - ordered[:, 1])
    yield harness.close(
        "the distance of the two largest", gap, np.zeros_like(gap), case, like=part.derived(part.noise_floor, axis=0)
    )


@claim(
    "essential.projection",
    S1,
    of="project_essential",
    instead="U diag(m, m, 0) Vᵀ with m = (σ₁ + σ₂)/2 is the nearest; with 1 for m it is the same only up to scale",
)
def unit_singular_values(project, case):
    """The ideal matrix for E, brought to the scale of σ₁ = 1, is U diag(1, 1, 0) Vᵀ: no essential matrix is nearer."""
    E = harness.as_array(case.tensors["E"])
    call = case.call()
    U, S, Vt = np.linalg.svd(E)
    sizes = torch.from_numpy(np.where(S[:, :1] > 0, S[:, :1], 1.0))[..., None]
    scaled = call.replace(E=call.arguments["E"] / sizes.to(call.arguments["E"]))
    (part,) = harness.reference(case, scaled).parts
    E, nearest = harness.as_array(scaled.arguments["E"]), harness.as_array(project(scaled)[0])
    away, least = harness.sample_norms(E - U[:, :, :2] @ Vt[:, :2], 0), harness.sample_norms(E - nearest, 0)
    told = part.derived(part.noise_floor, axis=0, where=S[:, 0] > 0)
    yield harness.close("its distance from E against the least one", away, least, case, like=told)


@claim(
    "essential.any-combination",
    S1,
    of="recover_pose",
    instead="one of the four is right; each of the others has points behind a camera, and images rectified by it are black",
)
def any_solution_will_do(recover, case):
    """R = U Wᵀ Vᵀ or U W Vᵀ, with t = u₃ or −u₃: whichever is taken, the scene is seen as it is, before both cameras."""
    told = kinds(case.sizes["batch"], case.seed) < 6
    if not told.any():
        return
    U, _, Vt = np.linalg.svd(harness.as_array(case.tensors["E"])[told])
    W = np.array([[0, -1, 0], [1, 0, 0], [0, 0, 1]])
    R = U @ W.T @ Vt
    R = R * np.sign(np.linalg.det(R))[:, None, None]
    x1, x2 = (harness.as_array(case.tensors[name])[told] for name in ("x1", "x2"))
    x1, x2 = (np.concatenate([x, np.ones_like(x[..., :1])], -1) for x in (x1, x2))
    front = front_depths(x1 @ R.swapaxes(1, 2), x2, U[:, None, :, 2]) > 0
    yield harness.holds("with U Wᵀ Vᵀ and u₃ all points are before both cameras", bool(front.all()), case)
