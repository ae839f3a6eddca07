# special_i1e/transformed is ERROR, by the property double_backward: the definition of special_i1e: crashed the
# interpreter: Segmentation fault
# Found with harness 0.1.0, torch 2.13.0+cpu, numpy 2.4.6, Python 3.11.7,
# Linux-6.18.44-fc-v657-x86_64-with-glibc2.36, on cpu.


import subprocess
import platform
import sys
import torch
import torch._refs
from torch import inf, nan


def special_i1e(x):
    """What torch.special.i1e computes."""
    return torch.special.i1e(x)


def case():
    return dict(
        x=torch.tensor([-1474.5981, -0.00087420596, 2.450768, 2.3556547, -0.1576058, 0.031732544, 9.027557, -0.3072061, 12.586922, 0.014793634, -3.475472, 0.53106236, 0.21053141, 1.0890656, 63.363968], dtype=torch.float32),
    )



if sys.argv[1:] == ["child"]:
    candidate = special_i1e
    candidate(**case())
else:
    try:
        ended = subprocess.run([sys.executable, __file__, "child"], timeout=60.0).returncode
        print(f"the call ended with exit status {ended}" + ("" if ended >= 0 else ", which is a signal"))
    except subprocess.TimeoutExpired:
        print("the call did not return within 60.0 s and was stopped")
