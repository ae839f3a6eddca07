"""Agreement: every implementation computes what the definition says."""

import harness


@harness.property(at_every_size=True, systematic=True)
def agreement(implementation, case):
    """The result is the oracle's, within rounding."""
    yield from harness.all_close("against the oracle", implementation(case), harness.reference(case), case)
