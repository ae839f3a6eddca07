"""What the harness says when it can't go on: one sentence with the place, the cause and the mend."""

from __future__ import annotations


class HarnessError(Exception):
    """A refusal in one sentence. `exit_code` follows the table of the README (2 usage, 3 infrastructure)."""

    exit_code = 2


class DeclarationError(HarnessError, TypeError):
    """An operation or implementation is declared in a way that can't be verified."""


class CandidateError(HarnessError):
    """A user's file can't be used: missing, broken, or it declares nothing."""


class UnknownName(HarnessError, LookupError):
    """A name that nothing answers to; carries the nearest names there are."""


class DefinitionFault(HarnessError):
    """A definition raised on a case of its own domain, or is no function there. `kind` groups equal faults."""

    def __init__(self, kind: str, sentence: str) -> None:
        super().__init__(sentence)
        self.kind = kind


class InfrastructureError(HarnessError):
    """Nothing could be verified, through no fault of an implementation."""

    exit_code = 3


class Unsupported(Exception):
    """Raised inside an implementation that does not serve this call (an option, a size, a dtype).

    The message is the reason. The case counts as unsupported, never as a pass and never as a fault.
    """
