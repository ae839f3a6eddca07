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
from harness.declare.devices import Device, accelerators, device_named, every_accelerator

_PATIENCE = 60
"""Seconds for git and the GPU's driver, which answer at once unless the machine is busy."""

_SETS = (
    *("ssse3", "sse4_1", "sse4_2", "avx", "f16c", "fma", "avx2", "avx_vnni", "avx512f", "avx512bw", "avx512vl"),
    *("avx512_vnni", "avx512_bf16", "avx512_fp16", "amx_tile", "amx_bf16", "amx_fp16"),
    *("asimd", "asimdhp", "asimddp", "bf16", "i8mm", "sve", "svebf16", "sve2", "sme"),
)
"""Sets of instructions by Linux's names, x86's and Arm's."""

_CHOOSING = (
    *("ATEN_CPU_CAPABILITY", "ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA", "ONEDNN_DEFAULT_FPMATH_MODE"),
    *("MKL_ENABLE_INSTRUCTIONS", "MKL_CBWR", "OPENBLAS_CORETYPE", "BLIS_ARCH_TYPE"),
    *("NPY_DISABLE_CPU_FEATURES", "NPY_ENABLE_CPU_FEATURES", "OPENCV_CPU_DISABLE", "XLA_FLAGS", "GLIBC_TUNABLES"),
    *("NVIDIA_TF32_OVERRIDE", "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE", "CUBLAS_WORKSPACE_CONFIG"),
)


def environment(candidates: str = "", packages: Iterable[str] = (), threads: int | None = None) -> dict[str, Any]:
    """Versions, processor, devices, precision settings and revisions, as plain JSON values.

    candidates: the file that is checked, whose own checkout's revision is put down too; packages: the distributions that
    its import brings, beside those that this process has imported and those of the backends; threads: those in which the
    workers compute, this process' own where nobody says.
    """
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": {
            name: importlib.metadata.version(name) for name in sorted({*imported(), *_of_backends(), *packages})
        },
        "cpu": _cpu(),
        "instructions": _instructions(),
        "kernels": _kernels(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "accelerators": _accelerators(),
        "driver": _driver(),
        "torch build": f"CUDA {torch.version.cuda}" if torch.version.cuda else "CPU",
        "tf32": {"matmul": torch.backends.cuda.matmul.allow_tf32, "cudnn": torch.backends.cudnn.allow_tf32},
        "threads": threads or torch.get_num_threads(),
        "revision": _revision(Path(__file__).parents[2]),
        **({"candidates revision": _revision(Path(candidates).parent)} if candidates else {}),
    }


def code_here() -> dict[str, str]:
    """What has to be the same on all machines that share a run: harness, Python, PyTorch, and the revision of a checkout."""
    return {
        "tensor-harness": importlib.metadata.version("tensor-harness"),
        "revision": _revision(Path(__file__).parents[2]) or "none",
        "Python": ".".join(platform.python_version_tuple()[:2]),
        "PyTorch": torch.__version__,
    }


def imported() -> list[str]:
    """The distributions of which this process has imported a module, by their normal names."""
    return _distributions(name.partition(".")[0] for name in list(sys.modules))  # reading them may import more


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
    """The model's name, which in a virtual machine may be no more than the family's."""
    return _cpuinfo("model name") or platform.processor()


def _instructions() -> str:
    """The sets of instructions among which libraries choose their kernels, as far as the system tells."""
    told = set(f"{_cpuinfo('flags')} {_cpuinfo('Features')}".split())
    return " ".join(each for each in _SETS if each in told)


def _cpuinfo(name: str) -> str:
    """What the system says of its first processor, empty where it says nothing."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.partition(":")[0].strip() == name), "")


def _kernels() -> dict[str, str]:
    """The variables with which somebody told a library to choose other kernels than the processor's best."""
    return {name: os.environ[name] for name in _CHOOSING if name in os.environ}


def _accelerators() -> list[dict[str, Any]]:
    """Every device but the CPU: its name here, and what it tells of itself."""
    return [{"device": each.name, "name": each.title, **_told(each)} for each in map(device_named, every_accelerator())]


def _told(device: Device) -> dict[str, Any]:
    memory, major = device.told("total_memory"), device.told("major")
    capability = {} if major is None else {"capability": f"{major}.{device.told('minor')}"}
    return {**({} if memory is None else {"memory": memory}), **capability}


def _driver() -> str | None:
    """The version of the GPU's driver, None where there is no GPU or nobody tells."""
    if not accelerators():
        return None
    asked = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    try:
        told = subprocess.run(
            asked, capture_output=True, text=True, errors="replace", timeout=_PATIENCE, check=False
        ).stdout.split()
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
    done = subprocess.run(
        ["git", "-C", str(folder), *words],
        capture_output=True,
        text=True,
        errors="replace",
        timeout=_PATIENCE,
        check=False,
    )
    return done.stdout.strip() if done.returncode == 0 else ""  # without a commit it repeats the question
