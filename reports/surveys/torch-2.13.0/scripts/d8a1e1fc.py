# matrix_exp/definition is WRONG, by the property finite_gradients: falsified: the gradient in x is finite where
# the oracle's is
# Why: no known cause explains it
# Largest difference seen: inf
# Found with harness 0.1.0, torch 2.13.0+cpu, numpy 2.4.6, Python 3.11.7,
# Linux-6.18.44-fc-v669-x86_64-with-glibc2.36, on cpu.


import platform
import sys
import torch
import torch._refs


def matrix_exp(x):
    """What torch.matrix_exp computes."""
    return torch.matrix_exp(x)


def reproduce(candidate):
    def case():
        return dict(
            x=torch.tensor([[[1.0]]], dtype=torch.bfloat16),
        )

    expected = torch.tensor([[[-3.737637514131187]]], dtype=torch.float64)
    arguments = case()
    for each in [arguments['x']]:
        each.requires_grad_()
    directions = [torch.tensor([[[-1.375]]], dtype=torch.float64)]  # in which the results are differentiated
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


reproduce(matrix_exp)
