"""Candidates that end the process they run in, or keep it busy for ever."""

import ctypes
import os
import signal

import torch

from harness.operations.linear import linear


@linear.implementation
def sound(x, W, b):
    return torch.nn.functional.linear(x, W, b)


@linear.implementation
def segfaults(x, W, b):
    ctypes.string_at(0)


@linear.implementation
def leaves(x, W, b):
    os._exit(7)


@linear.implementation
def gets_killed(x, W, b):
    os.kill(os.getpid(), signal.SIGKILL)


@linear.implementation
def hangs(x, W, b):
    while True:
        pass
