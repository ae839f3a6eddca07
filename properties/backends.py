"""Backends: compiled as eager, an accelerator as the CPU."""

import dataclasses

import harness


def a_few(case):
    """One planned case in sixteen: compiling costs seconds for each shape."""
    if case.turn % 16 == 0:
        yield case


@harness.property(device="accelerator")
def device_agreement(implementation, case):
    """An accelerator gives what the CPU gives."""
    here = implementation(case.replace(device="cpu"))
    for index, (there, cpu, part) in enumerate(
        zip(implementation(case), here, harness.reference(case).parts, strict=True)
    ):
        yield harness.close(
            f"result {index} on {case.device} against the CPU", there, cpu, case, like=part, both_rounded=True
        )


@harness.property(variants=a_few, nightly=True)
def compiled(implementation, case):
    """torch.compile of the implementation gives what it gives eagerly, wherever it does."""
    made = implementation.implementation
    if made.backend.name != "torch":
        raise harness.Unsupported("only torch functions compile")
    try:
        results = implementation(case)
    except harness.ImplementationFault as fault:
        raise harness.Unsupported(f"it fails uncompiled too: {fault}") from None
    faster = dataclasses.replace(implementation, implementation=made.twins["torch.compile"])(case)
    for index, (fast, eager, part) in enumerate(zip(faster, results, harness.reference(case).parts, strict=True)):
        yield harness.close(f"result {index} compiled against eager", fast, eager, case, like=part, both_rounded=True)
