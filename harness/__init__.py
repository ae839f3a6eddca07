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

from harness import starting  # noqa: F401 - first of all, since what follows takes seconds
from harness.bench.timed import timed
from harness.catalogue import catalogue
from harness.checking import Check, check
from harness.declare.backends import Backend, backend
from harness.declare.causal import Causal
from harness.declare.constraint import symmetric
from harness.declare.declaration import operation
from harness.declare.domain import dtype, when
from harness.declare.domains import (
    among,
    below,
    increasing,
    lengths,
    mask,
    offsets,
    one_hot,
    permutation,
    probabilities,
)
from harness.declare.implementation import Implementation
from harness.declare.matrices import full_rank, orthonormal, positive_definite, rank_deficient
from harness.declare.modules import stacked, transposed
from harness.declare.operation import Operation
from harness.declare.picks import picks
from harness.declare.ranges import nonnegative, positive, within
from harness.declare.structure import RandomSource, structure
from harness.errors import DeclarationError, HarnessError, Unsupported
from harness.explain.cause import Instead, Observed, cause
from harness.explain.counterexample import Counterexample
from harness.explain.diagnosis import Diagnosis
from harness.generate.case import Call, Case
from harness.generate.layouts import layout, layouts_for, whole_memory
from harness.generate.patterns import pattern
from harness.generate.precision import precision
from harness.given import assert_agrees, cases
from harness.inference import Declaration, declare
from harness.measure.arrays import as_array
from harness.measure.assertions import all_close, close, holds, same
from harness.measure.comparison import Comparison
from harness.measure.gradient import cotangents_like, gradient_reference
from harness.measure.nonfinite import nonfinite_reference
from harness.measure.reference import INCONCLUSIVE_FROM, ExpectedTensor, Reference, reference, remembered, sample_norms
from harness.measure.second_gradient import SecondGradients, directions_of, second_gradient_reference
from harness.measure.verdict import Verdict
from harness.report.outputs import output
from harness.verify.claim import Claim, claim
from harness.verify.kernel_accesses import KernelAccesses, kernel_accesses
from harness.verify.property import Property, property
from harness.verify.subject import ImplementationFault, Subject
from harness.verify.suite import Suite, verify
from harness.verify.transforms import calls_to_map, derivative_along, mapped, second_gradients

__version__ = "0.1.0"

__all__ = [
    "INCONCLUSIVE_FROM",
    "Backend",
    "Call",
    "Case",
    "Causal",
    "Check",
    "Claim",
    "Comparison",
    "Counterexample",
    "Declaration",
    "DeclarationError",
    "Diagnosis",
    "ExpectedTensor",
    "HarnessError",
    "Implementation",
    "ImplementationFault",
    "Instead",
    "KernelAccesses",
    "Observed",
    "Operation",
    "Property",
    "RandomSource",
    "Reference",
    "SecondGradients",
    "Subject",
    "Suite",
    "Unsupported",
    "Verdict",
    "all_close",
    "among",
    "as_array",
    "assert_agrees",
    "backend",
    "below",
    "calls_to_map",
    "cases",
    "catalogue",
    "cause",
    "check",
    "claim",
    "close",
    "cotangents_like",
    "declare",
    "derivative_along",
    "directions_of",
    "dtype",
    "full_rank",
    "gradient_reference",
    "holds",
    "increasing",
    "kernel_accesses",
    "layout",
    "layouts_for",
    "lengths",
    "mapped",
    "mask",
    "nonfinite_reference",
    "nonnegative",
    "offsets",
    "one_hot",
    "operation",
    "orthonormal",
    "output",
    "pattern",
    "permutation",
    "picks",
    "positive",
    "positive_definite",
    "precision",
    "probabilities",
    "property",
    "rank_deficient",
    "reference",
    "remembered",
    "same",
    "sample_norms",
    "second_gradient_reference",
    "second_gradients",
    "stacked",
    "structure",
    "symmetric",
    "timed",
    "transposed",
    "verify",
    "when",
    "whole_memory",
    "within",
]
