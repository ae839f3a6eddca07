"""The leaves of all trees added up, as the asker takes a prediction to be: the base score is forgotten.

Verdict: wrong
Property: no_rounds

Their model's base score was 0.5, so that −2.902778 and 2.652777 stood for −2.4028 and 3.1528 (claim trees.sum-of-leaves).
"""

import torch

from harness.operations.boosted_trees import boosted_trees_leaves, boosted_trees_predict


@boosted_trees_predict.implementation(backend="torch")
def leaves_without_base(x, feature, threshold, left, right, missing_left, leaf, base):
    """What the trees give, and nothing else."""
    reached = boosted_trees_leaves(x, feature, threshold, left, right, missing_left)
    return sum((values[column] for values, column in zip(leaf, reached.T, strict=True)), torch.zeros_like(x[:, 0]))
