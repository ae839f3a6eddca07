"""Importing this imports what a command imports before it asks anything, so that fork servers of tests have it."""

import torch

torch.set_num_threads(1)  # what is imported may compute, and a pool of OpenMP's threads does not survive a fork

from harness.catalogue import catalogue  # noqa: E402
from harness.command import main  # noqa: E402, F401
from harness.verify.suite import every_claim, every_property  # noqa: E402

catalogue(), every_property(), every_claim()
