"""Listed: implementations and claims as a log names them before anything is asked."""

from __future__ import annotations

from harness.declare.implementation import Implementation
from harness.record.events import ClaimListed, ImplementationListed
from harness.verify.claim import Claim
from harness.verify.support import served_dtypes


def listed(implementation: Implementation) -> ImplementationListed:
    """An implementation as the log names it."""
    return ImplementationListed(
        implementation.operation,
        implementation.name,
        implementation.backend.name,
        list(served_dtypes(implementation)),
        implementation.place,
        implementation.unavailable(),
        *implementation.declared_at,
    )


def claim_listed(claim: Claim) -> ClaimListed:
    """A claim as the log names it."""
    return ClaimListed(
        claim.id,
        claim.source,
        claim.statement,
        claim.expected,
        claim.instead,
        [each.name for each in claim.operations],
        list(claim.by),
    )
