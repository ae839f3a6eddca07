"""The environment of a run: everything that a difference between two runs could come from."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch

from harness.declare.backends import BACKENDS


def environment(candidates: str = "", packages: Iterable[str] = ()) -> dict[str, Any]:
    """Versions, processor, devices, precision settings and revisions, as plain JSON values.

    candidates: the file that is checked, whose own checkout's revision is put down too; packages: the distributions that
    its import brings, beside those that this process has imported and those of the backends.
    """
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": {
            name: importlib.metadata.version(name) for name in sorted({*imported(), *_of_backends(), *packages})
        },
        "cpu": _cpu(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "cuda": _cuda(),
        "driver": _driver(),
        "torch build": f"CUDA {torch.version.cuda}" if torch.version.cuda else "CPU",
        "tf32": {"matmul": torch.backends.cuda.matmul.allow_tf32, "cudnn": torch.backends.cudnn.allow_tf32},
        "threads": torch.get_num_threads(),
        "revision": _revision(Path(__file__).parents[2]),
        **({"candidates revision": _revision(Path(candidates).parent)} if candidates else {}),
    }


def imported() -> list[str]:
    """The distributions of which this process has imported a module, by their normal names."""
    return _distributions(name.partition(".")[0] for name in sys.modules)


def _of_backends() -> set[str]:
    """The distributions that workers import where a backend is called first: its own, and those that these require."""
    own = _distributions(package for backend in BACKENDS.values() for package in backend.packages)
    required = (line for name in own for line in importlib.metadata.requires(name) or () if "extra ==" not in line)
    named = {_normal(re.split(r"[^\w.-]", line, maxsplit=1)[0]) for line in required}
    return {*own, *(named & {_normal(each) for found in _modules().values() for each in found})}


def _distributions(modules: Iterable[str]) -> list[str]:
    return sorted({_normal(each) for name in modules for each in _modules().get(name, ())})


@lru_cache(maxsize=1)
def _modules() -> Mapping[str, list[str]]:
    """The installed distributions by the modules that they bring; reading their lists takes a fifth of a second."""
    return importlib.metadata.packages_distributions()


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


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


def _driver() -> str | None:
    """The version of the GPU's driver, None where there is no GPU or nobody tells."""
    if not torch.cuda.is_available():
        return None
    asked = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    try:
        told = subprocess.run(asked, capture_output=True, text=True, timeout=10, check=False).stdout.split()
    except (OSError, subprocess.TimeoutExpired):
        return None
    return told[0] if told else None


def _revision(folder: Path) -> str | None:
    """The git revision of the checkout to which a folder belongs, with `+` where files differ from it."""
    if not any((each / ".git").exists() for each in (folder, *folder.parents)):
        return None
    try:
        revision, changed = (_git(folder, *words) for words in (("rev-parse", "HEAD"), ("status", "--porcelain")))
    except (OSError, subprocess.TimeoutExpired):
        return None
    return (revision + ("+" if changed else "")) or None


def _git(folder: Path, *words: str) -> str:
    done = subprocess.run(["git", "-C", str(folder), *words], capture_output=True, text=True, timeout=10, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""  # without a commit it repeats the question
