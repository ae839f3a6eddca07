"""The stand-in accelerator: is everything right on a faultless one, and is a planted fault of the device found, placed and named?

    python -m tests.quality.standin              # both
    python -m tests.quality.standin faults       # the planted faults alone; with names of some, these
    python -m tests.quality.standin catalogue    # the whole catalogue in the quick profile; further words go to `harness run`

A fault is found where a property of the operation falls in one of the quick profile's cases. It is placed where the finding names
the operator whose kernel has it, or whose code met it where the process or the device was lost, and the device.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from tests.standin import NAME, installed
from tests.standin.faults import FAULTS

HERE = Path(__file__).parents[1] / "standin"

_LEAST = 0.95
"""The share of the planted faults that are to be found and placed."""


@dataclass(frozen=True)
class Planted:
    """A fault, the operation in which it is looked for, and the dtype."""

    fault: str
    operation: str
    dtype: str = "float32"


PLANTED = (
    Planted("sums read memory in a row", "centred"),
    Planted("products read memory in a row", "product"),
    Planted("exponentials read memory in a row", "softmax"),
    Planted("exponentials read memory in a row", "gated"),
    Planted("entries read memory in a row", "centred"),
    Planted("running sums read memory in a row", "running"),
    Planted("sums begin at the beginning", "centred"),
    Planted("products begin at the beginning", "product"),
    Planted("exponentials begin at the beginning", "softmax"),
    Planted("products of 256 entries", "product"),
    Planted("entries up to 1024", "centred"),
    Planted("exponentials up to 512", "softmax"),
    Planted("running sums up to 128", "running"),
    Planted("products in blocks of 16", "product"),
    Planted("exponentials in blocks of 32", "softmax"),
    Planted("running sums in blocks of 8", "running"),
    Planted("products race", "product"),
    Planted("sums race", "centred"),
    Planted("entries race", "gated"),
    Planted("products in half precision", "product"),
    Planted("sums in half precision", "centred"),
    Planted("doubles as singles in products", "product", "float64"),
    Planted("doubles as singles in exponentials", "softmax", "float64"),
    Planted("maxima lose NaN", "gated"),
    Planted("running sums are remembered", "running"),
    Planted("products write to what they are given", "product"),
    Planted("rows beyond 16", "product"),
    Planted("rows of exponentials beyond 8", "softmax"),
    Planted("backwards off by a thousandth", "softmax"),
    Planted("means off by a hundredth", "centred"),
    Planted("no empty products", "product"),
    Planted("no empty exponentials", "softmax"),
    Planted("illegal access in products", "product"),
    Planted("illegal access in running sums", "running"),
    Planted("no workspace for products", "product"),
    Planted("the driver ends the process", "running"),
)


def asked(folder: Path, *words: str, **form: object) -> dict:
    """What a command says as JSON, in a process that has the device."""
    command = [sys.executable, "-m", "harness", *words, "--device", NAME, "--profile", "quick", "--json"]
    surroundings = {**os.environ, "OMP_NUM_THREADS": "1", **installed(folder, **form)}
    done = subprocess.run(command, cwd=folder, env=surroundings, capture_output=True, text=True, check=False)
    return json.loads(done.stdout or "{}")


def plant(each: Planted) -> tuple[bool, bool, str]:
    """Whether a fault is found, whether it is placed, and what is said of it."""
    with tempfile.TemporaryDirectory() as name:
        told = asked(
            Path(name),
            *("check", str(HERE / "operations.py"), "-k", each.operation, "--dtype", each.dtype, "--jobs", "1"),
            fault=each.fault,
        )
    failing = [cause for cause in told.get("causes", ()) if cause["verdict"] in ("wrong", "error")]
    said = [f"{(cause['diagnosis'] or {}).get('sentence', '')} | {cause['sentence']}" for cause in failing]
    placed = [text for text in said if _is_placed(text, each)]
    return bool(failing), bool(placed), (placed or said or [str(told.get("sentence"))])[0]


def _is_placed(text: str, each: Planted) -> bool:
    """Whether the device is named, and the operator; or the implementation, where the device or the process was lost."""
    if each.fault in _ENDING:
        return f"operations.py: {each.operation}" in text and (
            "lost" in text or "memory" in text or "Segmentation" in text
        )
    kernels = (name.strip("_") for name in FAULTS[each.fault].kernels)
    return NAME in text and any(f"PyTorch's {name} " in text for name in kernels)


_ENDING = (
    "illegal access in products",
    "illegal access in running sums",
    "no workspace for products",
    "the driver ends the process",
)


def faults(names: list[str]) -> bool:
    """Plant each fault, and print what became of it."""
    rows = []
    for each in PLANTED:
        if not names or each.fault in names:
            began = perf_counter()
            is_found, is_placed, told = plant(each)
            rows.append((is_found, is_placed))
            marks = f"{'found' if is_found else 'MISSED'}, {'placed' if is_placed else 'NOT PLACED'}"
            print(
                f"| {each.fault} | {each.operation} | {marks} | {told[:160]} | {perf_counter() - began:.0f} s |",
                flush=True,
            )
    seen, placed = (sum(row[place] for row in rows) for place in (0, 1))
    print(f"{len(rows)} faults of the device: {seen} found, {placed} found with the right place and device named")
    return placed >= _LEAST * len(rows)


def catalogue(words: list[str]) -> bool:
    """Ask the whole catalogue on faultless devices, one of them without float64, and print what fails there."""
    good = True
    for form in ({}, {"float64": False, "asynchronous": True}):
        began = perf_counter()
        with tempfile.TemporaryDirectory() as name:
            told = asked(Path(name), "run", *words, **form)
        print(
            f"{form or 'as it comes'}: {told.get('cells')}, {told.get('sentence')} ({perf_counter() - began:.0f} s)",
            flush=True,
        )
        for cause in told.get("causes", ()):
            if cause["verdict"] in ("wrong", "error"):
                print(f"  {cause['operation']}/{cause['implementation']}: {cause['sentence'][:300]}", flush=True)
        good &= told.get("exit_code") == 0
    return good


def main() -> None:
    """Ask what the command line says; fail where it falls short."""
    what, *words = sys.argv[1:] or [""]
    told = [faults(words)] if what != "catalogue" else []
    told += [catalogue(words)] if what != "faults" else []
    sys.exit(not all(told))


if __name__ == "__main__":
    main()
