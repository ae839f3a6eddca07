# qr/definition is WRONG, by the property finite_gradients: falsified: the gradient in x is finite where the
# oracle's is
# Why: no known cause explains it; what matters is that x has equal entries
# Largest difference seen: inf
# Found with harness 0.1.0, torch 2.13.0+cpu, numpy 2.4.6, Python 3.11.7,
# Linux-6.18.44-fc-v669-x86_64-with-glibc2.36, on cpu.


import platform
import sys
import torch
import torch._refs


def qr(x):
    """What torch.qr computes."""
    return torch.qr(x)


def reproduce(candidate):
    from torch import inf, nan

    def case():
        return dict(
            x=torch.tensor([[[0.0, 0.0, 0.0, 0.0, 0.0], [0.0, 1.0, 1.0, 1.0, 0.0], [0.0, 1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0, 1.0]], [[0.0, 0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 0.0]]], dtype=torch.float32),
        )

    expected = torch.full((50,), 0, dtype=torch.float64).as_strided((2, 5, 5), (25, 1, 5), 0).copy_(torch.tensor([[[nan, nan, nan, nan, -0.375], [nan, nan, inf, -inf, -0.8566476249728008], [nan, nan, -inf, inf, 1.786956401637267], [nan, nan, nan, nan, 1.4374999999999998], [nan, nan, inf, -inf, 2.3172864875271775]], [[nan, nan, nan, nan, nan], [nan, nan, nan, nan, nan], [nan, nan, nan, nan, nan], [nan, nan, nan, nan, nan], [nan, nan, nan, nan, nan]]], dtype=torch.float64))
    arguments = case()
    for each in [arguments['x']]:
        each.requires_grad_()
    directions = [torch.tensor([[[-1.375, -0.875, -0.9375, -0.75, 0.3125], [-0.25, -0.1875, 0.875, -2.6875, -0.875], [-1.0, 1.1875, 0.6875, 1.1875, -0.625], [0.3125, 0.75, 0.875, 0.625, 0.5625], [-0.25, 0.75, 0.6875, 0.375, -1.375]], [[0.875, -1.625, 0.5625, 0.1875, -1.25], [0.6875, -0.75, 0.625, 0.875, -0.125], [-0.125, -0.125, -1.875, -1.0, -1.0625], [0.5, 0.5625, -1.0625, -0.4375, -1.25], [1.125, -0.5, 2.3125, 0.875, -1.375]]], dtype=torch.float64), torch.tensor([[[-1.3125, -2.0, -0.375, -0.75, -0.375], [-1.625, -0.6875, -1.5, 1.3125, -1.875], [-1.0, -0.25, -0.125, -1.5625, -2.375], [-1.6875, -1.1875, -0.125, 1.0625, 1.4375], [0.875, -1.0625, 2.375, 0.6875, 0.375]], [[0.75, -1.875, 0.8125, -0.375, -0.5625], [0.0625, -1.5625, 0.1875, 0.9375, -1.625], [-1.125, -0.0625, 0.6875, 0.125, -1.5], [0.0625, 1.375, 0.9375, 0.875, -0.0625], [1.0625, 0.125, -0.0, 1.125, -0.9375]]], dtype=torch.float64)]  # in which the results are differentiated
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


reproduce(qr)
