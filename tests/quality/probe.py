"""What a machine tells of itself, as JSON: `python -m tests.quality.probe THREADS SEED OPERATION…`.

Run in a process of its own, since libraries choose their kernels when they are loaded.
"""

import hashlib
import json
import sys

import numpy as np
import torch

from harness.catalogue import catalogue
from harness.generate.plan import plan
from tests.quality.calibration import false_alarms

_CASES = 8


def kernels():
    """The bits of a few computations, by which one sees whether the machine is another one at all."""
    drawn = torch.from_numpy(np.random.default_rng(0).standard_normal((96, 640)))
    single = drawn.float()
    images, kernel = single.reshape(4, 8, 30, 64), single[:16, :72].reshape(16, 8, 3, 3)
    return {
        "torch product": _checksum(drawn @ drawn.T),
        "torch product in threads": _checksum(single.T @ single),
        "torch sum": _checksum(single.reshape(-1).sum()),
        "torch Fourier transform": _checksum(torch.fft.rfft(single)),
        "torch exponential": _checksum(torch.exp(drawn)),
        "torch convolution": _checksum(torch.nn.functional.conv2d(images, kernel)),
        "numpy product": _checksum(drawn.numpy() @ drawn.numpy().T),
        "numpy exponential": _checksum(np.exp(drawn.numpy())),
    }


def cases(operation, seed):
    """The bits of the arguments of an operation's first cases, which must be the same on every machine, NaN for NaN."""
    drawn = [case.on("cpu", dtype) for case in plan(operation, _CASES, seed) for dtype in ("float64", "float32")]
    return _checksum(*(_plain(argument) for case in drawn for argument in case.call().arguments.values()))


def alarms(name, seed):
    """The correct implementations of an operation that are called wrong in a few cases more."""
    found = (false_alarms(name, outside, 1, 1000 + seed, _CASES) for outside in (False, True))
    return [list(map(str, each)) for *_, wrong in found for each in wrong]


def _plain(argument):
    return torch.where(argument.isnan(), torch.nan, argument) if argument.is_floating_point() else argument


def _checksum(*results):
    sha = hashlib.sha256()
    for each in results:
        sha.update(np.ascontiguousarray(np.asarray(each)).tobytes())
    return sha.hexdigest()[:12]


def main(threads, seed, *names):
    """Print what the machine tells."""
    torch.set_num_threads(int(threads))
    told = {
        "kernels": kernels(),
        "cases": {name: cases(catalogue()[name], int(seed)) for name in names},
        "alarms": [each for name in names for each in alarms(name, int(seed))],
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main(*sys.argv[1:])
