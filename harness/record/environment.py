"""The environment of a run: everything that a difference between two runs could come from."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path
from typing import Any

import torch

_PACKAGES = [
    "tensor-harness",
    "hypothesis",
    "torch",
    "numpy",
    "scipy",
    "pytest",
    "pytest-xdist",
    "jaxtyping",
    "mpmath",
    "keras",
    "jax",
    "jaxlib",
    "equinox",
    "onnxruntime",
    "pylops",
    "scikit-learn",
]


def environment() -> dict[str, Any]:
    """Versions, processor, devices, precision settings and the revision of the code, as plain JSON values."""
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": {name: version for name in _PACKAGES if (version := _version(name))},
        "cpu": _cpu(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "cuda": _cuda(),
        "tf32": {"matmul": torch.backends.cuda.matmul.allow_tf32, "cudnn": torch.backends.cudnn.allow_tf32},
        "threads": torch.get_num_threads(),
        "revision": _revision(),
    }


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.processor()
    )


def _cuda() -> list[dict[str, Any]]:
    if not torch.cuda.is_available():
        return []
    found = (torch.cuda.get_device_properties(index) for index in range(torch.cuda.device_count()))
    return [
        {"name": each.name, "memory": each.total_memory, "capability": f"{each.major}.{each.minor}"} for each in found
    ]


def _revision() -> str | None:
    """The git revision of the checkout that the harness runs from, with `+` where files differ from it."""
    folder = Path(__file__).parents[2]
    if not (folder / ".git").exists():
        return None
    try:
        revision, changed = (_git(folder, *words) for words in (("rev-parse", "HEAD"), ("status", "--porcelain")))
    except (OSError, subprocess.TimeoutExpired):
        return None
    return (revision + ("+" if changed else "")) or None


def _git(folder: Path, *words: str) -> str:
    done = subprocess.run(["git", "-C", str(folder), *words], capture_output=True, text=True, timeout=10, check=False)
    return done.stdout.strip()
