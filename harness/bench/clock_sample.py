"""The clock of a GPU while it is timed: how fast it ran, and whether something held it back.

Read through NVML, whose Python package comes with PyTorch's builds for Nvidia's GPUs; without it there is no clock to tell. What holds
a GPU back is heat, power or a brake from outside; waiting for work is not that, nor is a clock that somebody has set.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any

from harness.declare.devices import device_named

_HELD_BACK = ("SwPowerCap", "HwSlowdown", "SwThermalSlowdown", "HwThermalSlowdown", "HwPowerBrakeSlowdown")


@dataclass(frozen=True)
class Pace:
    """The clock of the multiprocessors in MHz, and whether the GPU was held back."""

    megahertz: int
    is_throttled: bool


class Clock:
    """Reads the pace of a device. `pace` is None where NVML does not know it."""

    def __init__(self, device: str) -> None:
        try:
            self._nvml: Any = importlib.import_module("pynvml")
            self._nvml.nvmlInit()
            name = f"GPU-{device_named(device).told('uuid')}"  # PyTorch may number devices otherwise
            self._device = self._nvml.nvmlDeviceGetHandleByUUID(name)
        except Exception:  # no package, no driver, or no right to ask
            self._nvml = None

    def pace(self) -> Pace | None:
        """How fast it runs now."""
        if self._nvml is None:
            return None
        try:
            megahertz = self._nvml.nvmlDeviceGetClockInfo(self._device, self._nvml.NVML_CLOCK_SM)
            reasons = self._nvml.nvmlDeviceGetCurrentClocksThrottleReasons(self._device)
        except self._nvml.NVMLError:
            return None
        held = (getattr(self._nvml, f"nvmlClocksThrottleReason{name}", 0) for name in _HELD_BACK)
        return Pace(int(megahertz), any(reasons & reason for reason in held))
