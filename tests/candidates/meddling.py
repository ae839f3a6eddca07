"""Candidates that assign to what modules offer to everybody, and those beside them that need it."""

import builtins
import json
import os
import struct
import time

import numpy
import torch

from harness.operations.linear import linear


def useless(*anything, **more):
    raise RuntimeError("this was meant for one implementation alone")


@linear.implementation
def speechless(x, W, b):
    json.dumps = json.loads = struct.pack = struct.unpack = os.read = os.write = time.monotonic = useless
    return torch.nn.functional.linear(x, W, b)


@linear.implementation
def thoughtless(x, W, b):
    result = torch.nn.functional.linear(x, W, b)
    builtins.len = builtins.isinstance = builtins.print = builtins.open = builtins.next = useless
    return result


@linear.implementation
def unkind(x, W, b):
    torch.add = torch.Tensor.add = numpy.sum = useless
    return torch.nn.functional.linear(x, W, b)


@linear.implementation
def sound(x, W, b):
    return torch.add(torch.nn.functional.linear(x, W, torch.zeros_like(b)), b).add(0)


@linear.implementation(backend="numpy")
def sound_in_numpy(x, W, b):
    return numpy.sum(x[..., None, :] * W, -1) + b
