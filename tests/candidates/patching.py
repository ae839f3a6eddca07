"""A file that assigns to what modules offer while it is imported, as some packages do."""

import builtins
import json
import os

import torch

from harness.operations.linear import linear


def useless(*anything, **more):
    raise RuntimeError("nobody should meet this")


json.dumps = json.loads = os.write = os.fsencode = builtins.len = builtins.print = useless
patched = torch.add = lambda x, y: x + y


@linear.implementation
def wrapped(x, W, b):
    assert torch.add is patched
    return torch.add(torch.nn.functional.linear(x, W), b)
