"""Machines to emulate: what a library is told so that it takes the kernels of another processor.

To add one, add an entry to MACHINES; every variable of it is read by a library when it is loaded:

    ATEN_CPU_CAPABILITY         PyTorch's own kernels         OPENBLAS_CORETYPE          NumPy's and SciPy's products
    ONEDNN_MAX_CPU_ISA          oneDNN: convolutions, LSTM    NPY_DISABLE_CPU_FEATURES   NumPy's own kernels
    MKL_ENABLE_INSTRUCTIONS     MKL, as on an Intel           XLA_FLAGS                  JAX
    MKL_CBWR                    MKL, as on any processor      GLIBC_TUNABLES             exp, sin, pow of the C library

MKL takes other paths on an Intel than on any other processor, and obeys MKL_ENABLE_INSTRUCTIONS on an Intel alone. It asks
one function which it is; where a C compiler is at hand, a few lines of C answer in its place.

What can't be emulated: instructions that this machine does not have (AMX, AVX-512 on a processor without it, and Arm
altogether), libraries that ask the processor themselves (onnxruntime, XGBoost, LightGBM, OpenCV), and GPUs. About those
one has to reason: nothing that is expected may rest on which kernel a library picks, neither on the order of a sum nor on
how far an infinity spreads.
"""

import os
import platform
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import torch

ROOT = Path(__file__).parents[2]

_LEVELS = ("DEFAULT", "AVX2", "AVX512")


@dataclass(frozen=True, eq=False)
class Machine:
    """A machine: what libraries are told, and in how many threads they compute.

    level: the least that this machine must offer, as PyTorch calls it; intel: whether MKL shall see an Intel or another
    processor, None for the one that is there.
    """

    name: str
    variables: dict[str, str] = field(default_factory=dict)
    threads: int = 1
    level: str = "DEFAULT"
    intel: bool | None = None

    def obstacle(self, folder):
        """Why it can't be emulated here, empty where it can."""
        here = torch.backends.cpu.get_cpu_capability()
        if self.variables and platform.machine() not in ("x86_64", "AMD64"):
            return f"its variables are for x86, this is {platform.machine()}"
        if self.level not in _LEVELS[: _LEVELS.index(here) + 1 if here in _LEVELS else 1]:
            return f"it takes {self.level}, this machine has {here}"
        if self.intel is not None and vendor_library(folder, self.intel) is None:
            return "without a C compiler MKL can't be told another vendor"
        return ""

    def environment(self, folder):
        """The variables of a process on it, in which the harness of this checkout is imported."""
        inherited = {name: value for name, value in os.environ.items() if name not in _VARIABLES}
        told = {**inherited, **self.variables, **dict.fromkeys(_POOLS, str(self.threads)), "PYTHONPATH": str(ROOT)}
        if self.intel is not None:
            told["LD_PRELOAD"] = str(vendor_library(folder, self.intel))
        return told


_POOLS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def _kernels(aten, onednn, openblas, numpy="", **more):
    """The variables of a processor: PyTorch's, oneDNN's, OpenBLAS' and NumPy's, which is told what it has not."""
    told = {"ATEN_CPU_CAPABILITY": aten, "ONEDNN_MAX_CPU_ISA": onednn, "OPENBLAS_CORETYPE": openblas}
    return {**told, **({"NPY_DISABLE_CPU_FEATURES": numpy} if numpy else {}), **more}


_NO_AVX2, _NO_AVX512, _NO_ICE_LAKE = (
    "X86_V3 X86_V4 AVX512_ICL AVX512_SPR",
    "X86_V4 AVX512_ICL AVX512_SPR",
    "AVX512_ICL AVX512_SPR",
)

_OLD = {
    "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX,-AVX2,-FMA,-FMA4,-AVX512F",
    "XLA_FLAGS": "--xla_cpu_max_isa=SSE4_2",
}
_HASWELL = _kernels("avx2", "AVX2", "Haswell", _NO_AVX512, XLA_FLAGS="--xla_cpu_max_isa=AVX2")
_SKYLAKE = _kernels("avx512", "AVX512_CORE", "SkylakeX", _NO_ICE_LAKE, XLA_FLAGS="--xla_cpu_max_isa=AVX512")

MACHINES = (
    Machine("this one"),
    Machine("this one, two threads", threads=2),
    Machine(
        "the plainest x86-64", {**_kernels("default", "SSE41", "Prescott", _NO_AVX2, MKL_CBWR="COMPATIBLE"), **_OLD}
    ),
    Machine(
        "Intel Nehalem (SSE4.2)",
        {**_kernels("default", "SSE41", "Nehalem", _NO_AVX2, MKL_ENABLE_INSTRUCTIONS="SSE4_2"), **_OLD},
        intel=True,
    ),
    Machine(
        "Intel Sandy Bridge (AVX)",
        _kernels(
            *("default", "AVX", "Sandybridge", _NO_AVX2),
            MKL_ENABLE_INSTRUCTIONS="SSE4_2",  # what MKL takes by now where there is AVX alone
            GLIBC_TUNABLES="glibc.cpu.hwcaps=-AVX2,-FMA,-AVX512F",
            XLA_FLAGS="--xla_cpu_max_isa=AVX",
        ),
        level="AVX2",
        intel=True,
    ),
    Machine("Intel Haswell (AVX2)", {**_HASWELL, "MKL_ENABLE_INSTRUCTIONS": "AVX2"}, level="AVX2", intel=True),
    Machine(
        *("Intel Haswell, two threads", {**_HASWELL, "MKL_ENABLE_INSTRUCTIONS": "AVX2"}, 2), level="AVX2", intel=True
    ),
    Machine("Intel Skylake-X (AVX-512)", {**_SKYLAKE, "MKL_CBWR": "AVX512"}, level="AVX512", intel=True),
    Machine("Intel Skylake-X, two threads", _SKYLAKE, 2, level="AVX512", intel=True),
    Machine(
        "Intel Cooper Lake (AVX-512, bfloat16)",
        _kernels("avx512", "AVX512_CORE_BF16", "Cooperlake"),
        level="AVX512",
        intel=True,
    ),
    Machine("AMD Zen 2 (AVX2)", {**_HASWELL, "OPENBLAS_CORETYPE": "Zen"}, level="AVX2", intel=False),
    Machine("AMD Zen 2, two threads", {**_HASWELL, "OPENBLAS_CORETYPE": "Zen"}, 2, level="AVX2", intel=False),
    Machine("AMD Zen 4 (AVX-512)", _kernels("avx512", "AVX512_CORE_BF16", "SkylakeX"), level="AVX512", intel=False),
)
"""Every machine that is emulated."""

_VARIABLES = {name for machine in MACHINES for name in machine.variables} | {*_POOLS, "LD_PRELOAD", "PYTHONPATH"}


def vendor_library(folder, intel):
    """A library in `folder` that answers MKL's question after the vendor, None where none can be made."""
    made = Path(folder) / f"vendor-{int(intel)}.so"
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if made.exists() or compiler is None or not sys.platform.startswith("linux"):
        return made if made.exists() else None
    source = f"int mkl_serv_intel_cpu_true(void) {{ return {int(intel)}; }}\nint mkl_serv_intel_cpu(void) {{ return {int(intel)}; }}\n"
    asked = [compiler, "-shared", "-fPIC", "-x", "c", "-", "-o", str(made)]
    done = subprocess.run(asked, input=source, text=True, capture_output=True, check=False)
    return made if done.returncode == 0 else None
