"""A stand-in accelerator: a device of its own in pure Python, on which everything for accelerators is tested without one.

It is PyTorch's `PrivateUse1` under the name `standin`. Its memory is the host's, which only its kernels reach; each kernel is the
CPU's (`kernels.py`). On request it sums in another order, lacks float64, computes in the background, has little memory, and
has a fault (`faults.py`).

It comes into a process as any backend of one's own does: PyTorch loads what installed packages name in the entry point group
`torch.backends` as torch is imported. `installed` makes such a package, so that a command, its workers and the scripts that it
writes have the device; `STANDIN` says what it is like. In a test's own process the fixture of `conftest.py` switches it on.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

NAME = "standin"
VARIABLE = "STANDIN"
"""Where a process reads what the device is like; it has none where the variable is not set."""

_PACKAGE = """\
Metadata-Version: 2.1
Name: standin
Version: 1
"""


def autoload() -> None:
    """What PyTorch calls as it is imported."""
    if VARIABLE in os.environ:
        from tests.standin.device import begin

        begin(**json.loads(os.environ[VARIABLE]))


def installed(folder: Path, **form: Any) -> dict[str, str]:
    """The variables of a process that has the device, with a package in a folder that brings it."""
    package = folder / "standin-1.dist-info"
    package.mkdir(parents=True, exist_ok=True)
    (package / "METADATA").write_text(_PACKAGE)
    (package / "entry_points.txt").write_text("[torch.backends]\nstandin = tests.standin:autoload\n")
    root = str(Path(__file__).parents[2])
    paths = os.pathsep.join(filter(None, (str(folder), root, os.environ.get("PYTHONPATH", ""))))
    return {"PYTHONPATH": paths, VARIABLE: json.dumps(form)}
