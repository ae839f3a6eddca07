# linalg_svd/definition is WRONG, by the property finite_gradients: falsified: the gradient in x is finite where
# the oracle's is
# Why: no known cause explains it; what matters is that x has equal entries
# Largest difference seen: inf
# Found with harness 0.1.0, torch 2.13.0+cpu, numpy 2.4.6, Python 3.11.7,
# Linux-6.18.44-fc-v657-x86_64-with-glibc2.36, on cpu.


import platform
import sys
import torch
import torch._refs


def linalg_svd(x, full_matrices=True):
    """What torch.linalg.svd computes."""
    return torch.linalg.svd(x, full_matrices=full_matrices)


def reproduce(candidate):
    from torch import inf, nan

    def case():
        return dict(
            x=torch.tensor([[[0.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]], [[0.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]], [[0.0, 0.0, 0.0], [1.3147016, 1.3147016, 1.3147016], [1.3147016, 1.3147016, 1.3147016]]], dtype=torch.float32),
            full_matrices=True,
        )

    expected = torch.tensor([[[nan, nan, nan], [nan, nan, nan], [nan, nan, nan]], [[nan, nan, nan], [nan, nan, nan], [nan, nan, nan]], [[-1.670139881388293, 539042456724989.5, -539042456724988.8], [-861499250570957.8, 430749625285478.5, 430749625285477.5], [861499250570956.2, -430749625285478.8, -430749625285477.4]]], dtype=torch.float64)
    arguments = case()
    for each in [arguments['x']]:
        each.requires_grad_()
    directions = [torch.tensor([[[-1.375, -0.875, -0.9375], [-0.75, 0.3125, -0.25], [-0.1875, 0.875, -2.6875]], [[-0.875, -1.0, 1.1875], [0.6875, 1.1875, -0.625], [0.3125, 0.75, 0.875]], [[0.625, 0.5625, -0.25], [0.75, 0.6875, 0.375], [-1.375, 0.875, -1.625]]], dtype=torch.float64), torch.tensor([[-1.3125, -2.0, -0.375], [-0.75, -0.375, -1.625], [-0.6875, -1.5, 1.3125]], dtype=torch.float64), torch.tensor([[[-0.1875, -2.0625, -0.0625], [-0.625, -1.6875, -1.0625], [0.625, 1.125, -0.0625]], [[-0.875, -2.6875, -1.0], [-0.625, -0.8125, -0.4375], [0.625, -0.875, 0.0625]], [[0.4375, -0.5625, -1.0], [1.8125, 0.1875, -0.125], [0.0, 0.875, -0.8125]]], dtype=torch.float64)]  # in which the results are differentiated
    wanted = arguments['x']
    results = candidate(**arguments)
    results = results if isinstance(results, (tuple, list)) else (results,)
    for result, direction in zip(results, directions):
        if result.requires_grad:
            result.backward(direction.to(result), retain_graph=True)
    actual = torch.zeros_like(wanted) if wanted.grad is None else wanted.grad

    torch.set_printoptions(precision=9)
    print("expected:", expected, sep="\n")
    print("actual:", actual, sep="\n")
    largest = float("inf")  # where nothing came that could be compared
    kind = lambda tensor: (tensor.shape, tensor.layout, tensor.is_floating_point(), tensor.is_complex())
    if isinstance(actual, torch.Tensor) and kind(actual) == kind(expected) and actual.device.type == 'cpu':
        actual, expected = (tensor.detach().cpu().to(torch.float64) for tensor in (actual, expected))
        same = (actual == expected) | (actual.isnan() & expected.isnan())
        apart = torch.where(same, 0.0, (actual - expected).abs()).nan_to_num(nan=largest, posinf=largest)
        largest = max(apart.flatten().tolist(), default=0.0)
    print(f"largest difference: {largest:.3g}")
    versions = [f"{name} {sys.modules[name].__version__}" for name in ('torch', 'numpy') if name in sys.modules]
    print("versions:", ", ".join([*versions, f"Python {platform.python_version()}", platform.platform()]))


reproduce(linalg_svd)
