"""Leaves and a base score of 0.5, as the answer has it: right for the asker's model, not for one that estimates its base.

Verdict: wrong
Property: agreement

Since xgboost 2 the base score is estimated from the targets unless it is given (claim trees.default-base).
"""

from harness.operations.boosted_trees import boosted_trees_leaves, boosted_trees_predict


@boosted_trees_predict.implementation(backend="torch")
def half_for_base(x, feature, threshold, left, right, missing_left, leaf, base):
    """0.5 and what the trees give."""
    reached = boosted_trees_leaves(x, feature, threshold, left, right, missing_left)
    return 0.5 + leaf.gather(1, reached.mT).sum(0)
