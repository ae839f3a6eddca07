"""Candidates that give something wrong back, or raise, and leave their process alive."""

import contextlib
import itertools
import os
import sys

import torch

from harness.operations.linear import linear

_calls = itertools.count()


class Peculiar(BaseException):
    """Not an Exception, so that `except Exception` does not see it."""


@linear.implementation
def returns_none(x, W, b):
    torch.nn.functional.linear(x, W, b)


@linear.implementation
def wrong_type(x, W, b):
    return {"result": torch.nn.functional.linear(x, W, b)}


@linear.implementation
def two_results(x, W, b):
    return torch.nn.functional.linear(x, W, b), b


@linear.implementation
def wrong_shape(x, W, b):
    return torch.nn.functional.linear(x, W, b).mT[..., None]


@linear.implementation
def wrong_dtype(x, W, b):
    return torch.nn.functional.linear(x, W, b).double()


@linear.implementation
def integer_dtype(x, W, b):
    return torch.nn.functional.linear(x, W, b).int()


@linear.implementation
def wrong_device(x, W, b):
    return torch.nn.functional.linear(x, W, b).to("meta")


@linear.implementation
def sparse(x, W, b):
    return torch.nn.functional.linear(x, W, b).to_sparse()


@linear.implementation
def modifies_input(x, W, b):
    x *= 2
    return torch.nn.functional.linear(x / 2, W, b)


@linear.implementation
def raises_sometimes(x, W, b):
    if next(_calls) % 5 == 4:
        raise ValueError("every fifth call is one too many")
    return torch.nn.functional.linear(x, W, b)


@linear.implementation
def exits(x, W, b):
    sys.exit("no more")


@linear.implementation
def raises_what_is_no_exception(x, W, b):
    raise Peculiar("caught by nobody")


@linear.implementation
def interrupts(x, W, b):
    raise KeyboardInterrupt


@linear.implementation
def recurses(x, W, b):
    return recurses(x, W, b)


@linear.implementation
def bad_message(x, W, b):
    raise ValueError("a lone surrogate \ud800, a bell \a, and\nmore lines")


@linear.implementation
def asks_too_much_of_torch(x, W, b):
    return x @ torch.empty(10**14, dtype=x.dtype)


@linear.implementation(backend="numpy")
def asks_too_much_of_numpy(x, W, b):
    import numpy

    return x @ numpy.empty(10**14, dtype=x.dtype)


@linear.implementation
def chatty(x, W, b):
    print("x" * 2**20)
    os.write(1, b"past Python\n")
    os.write(2, b"past Python\n")
    return torch.nn.functional.linear(x, W, b)


@linear.implementation
def closes_stdout(x, W, b):
    sys.stdout.close()
    with contextlib.suppress(OSError):
        os.close(1)
    return torch.nn.functional.linear(x, W, b)


@linear.implementation
def changes_settings(x, W, b):
    torch.set_default_dtype(torch.float16)
    torch.set_num_threads(3)
    torch.set_grad_enabled(True)
    os.chdir("/")
    return torch.nn.functional.linear(x, W, b)


@linear.implementation
def sound(x, W, b):
    assert torch.get_default_dtype() is torch.float32
    assert torch.get_num_threads() == 1
    return torch.nn.functional.linear(x, W, b)
