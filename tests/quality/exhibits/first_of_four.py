"""The first of the four poses, without a look at the points: the other three have points behind a camera.

Verdict: wrong
Property: one_of_four

What the asker rectified images with; they came out black (claims essential.four, essential.any-combination).
"""

from harness.operations.essential_matrix import decompose_essential, recover_pose


@recover_pose.implementation(backend="torch")
def first_of_four(E, x1, x2):
    """R₁ and t, unasked."""
    R, _, t = decompose_essential(E)
    return R, t
