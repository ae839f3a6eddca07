"""A property-based verification harness for tensor operations.

Declare an operation with one annotated function, add the ways to compute it, and ask whether they agree everywhere:

```python
import harness
from jaxtyping import Float
from torch import Tensor

@harness.operation
def scale(x: Float[Tensor, "batch d"]) -> Float[Tensor, "batch d"]:
    "Twice x."
    return x * 2

assert harness.check(lambda x: x + x, like=scale)
```
"""

from harness.bench.timed import timed
from harness.catalogue import catalogue
from harness.checking import Check, check
from harness.declare.causal import Causal
from harness.declare.domain import when
from harness.declare.domains import below, one_hot
from harness.declare.implementation import Implementation
from harness.declare.operation import Operation, operation
from harness.declare.structure import Stream, structure
from harness.errors import DeclarationError, HarnessError, Unsupported
from harness.explain.cause import Instead, Observed, cause
from harness.explain.counterexample import Counterexample
from harness.explain.diagnosis import Diagnosis
from harness.generate.case import Call, Case
from harness.measure.comparison import Comparison, against, compare, requirement
from harness.measure.derived import close
from harness.measure.reference import Reference, reference
from harness.measure.verdict import Verdict
from harness.verify.battery import Battery, verify
from harness.verify.claim import Claim, claim
from harness.verify.property import Property, property
from harness.verify.subject import Subject

__version__ = "0.1.0"

__all__ = [
    "Battery",
    "Call",
    "Case",
    "Causal",
    "Check",
    "Claim",
    "Comparison",
    "Counterexample",
    "DeclarationError",
    "Diagnosis",
    "HarnessError",
    "Implementation",
    "Instead",
    "Observed",
    "Operation",
    "Property",
    "Reference",
    "Stream",
    "Subject",
    "Unsupported",
    "Verdict",
    "against",
    "below",
    "catalogue",
    "cause",
    "check",
    "claim",
    "close",
    "compare",
    "one_hot",
    "operation",
    "property",
    "reference",
    "requirement",
    "structure",
    "timed",
    "verify",
    "when",
]
