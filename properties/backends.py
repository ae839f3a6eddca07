"""Backends: compiled as eager, CUDA as CPU."""

import dataclasses

import torch

import harness


def a_few(case):
    """One planned case in sixteen: compiling costs seconds for each shape."""
    if case.seed % 16 == 0:
        yield case


@harness.property(device="cuda")
def device_agreement(implementation, case):
    """CUDA gives what the CPU gives."""
    here = implementation(case.replace(device="cpu"))
    for index, (there, cpu, part) in enumerate(
        zip(implementation(case), here, harness.reference(case).parts, strict=True)
    ):
        yield harness.compare(f"result {index} on CUDA against the CPU", there, cpu, case, part, twice=True)


@harness.property(variants=a_few, nightly=True)
def compiled(implementation, case):
    """torch.compile of the implementation gives what it gives eagerly."""
    if implementation.implementation.backend.name != "torch":
        raise harness.Unsupported("only torch functions compile")
    torch.compiler.reset()
    made = dataclasses.replace(
        implementation.implementation, function=torch.compile(implementation.implementation.function)
    )
    results = dataclasses.replace(implementation, implementation=made)(case)
    for index, (fast, eager, part) in enumerate(
        zip(results, implementation(case), harness.reference(case).parts, strict=True)
    ):
        yield harness.compare(f"result {index} compiled against eager", fast, eager, case, part, twice=True)
