import harness, torch
from jaxtyping import Float
from torch import Tensor

@harness.operation
def cdist(a: Float[Tensor, "batch m d"], b: Float[Tensor, "batch n d"]) -> Float[Tensor, "batch m n"]:
    """Euclidean distance between every pair of points."""
    return (a[..., :, None, :] - b[..., None, :, :]).square().sum(-1).sqrt()

@cdist.implementation(backend="torch", exempt={"nonfinite_propagation": "for an infinite point it is inf - inf"})
def expanded(a, b):
    return torch.cdist(a, b, compute_mode="use_mm_for_euclid_dist")
