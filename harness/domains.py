"""The domains that may stand beside an annotation (see harness.declare.domains)."""

from harness.declare.domains import below, one_hot

__all__ = ["below", "one_hot"]
