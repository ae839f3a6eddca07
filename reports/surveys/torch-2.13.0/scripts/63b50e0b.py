# Tensor_resize/definition is WRONG, by the property layouts: result 0 in layout transposed against contiguous:
# off by 1.2e21 × the noise floor in float32, where rounding explains 64 × (judged by magnitude: no other
# precision to compare with)
# The noise floor, what rounding the arguments to float32 makes of the result, is 3.5e-05 here.
# Why: its result depends on earlier calls
# Largest difference seen: 7.08
# Found with harness 0.1.0, torch 2.13.0+cpu, numpy 2.4.6, Python 3.11.7,
# Linux-6.18.44-fc-v669-x86_64-with-glibc2.36, on cpu.


import platform
import sys
import torch
import torch._refs


def Tensor_resize(x):
    """What torch.Tensor.resize_ computes."""
    return torch.Tensor.resize_(x.clone(), (25, 5))


def reproduce(candidate):
    def case():
        return dict(
            x=torch.full((6,), 0, dtype=torch.float32).as_strided((2, 3, 1), (1, 2, 6), 0).copy_(torch.tensor([[[-117.44971], [-0.00015113689], [1.561615]], [[0.0006341133], [-5.5208044], [0.001142107]]], dtype=torch.float32)),
        )

    def call(arguments):
        with torch.no_grad():
            return candidate(**arguments)

    expected = torch.tensor([[-117.44970703125, -0.00015113689005374908, 1.561614990234375, 0.0006341133266687393, -5.520804405212402], [0.0011421069502830505, 6.90212490712316e-310, 4.6614537512025e-310, 4.6614469912975e-310, 4.66144786814704e-310], [0.0, 0.0, 0.0, 0.0, 0.0], [6.90207768847493e-310, 6.90207769992935e-310, 6.9020776999104e-310, 5.3058896173e-313, 6.2e-322], [0.0, 6.2e-322, 0.0, 5e-324, 6.9020777546829e-310], [0.0, 0.0, 4e-323, 4e-323, 5e-324], [-0.0, -0.0, -0.0, 4.6614537512025e-310, 4.66144732191755e-310], [4.66144786814704e-310, 0.0, 4.66144732191755e-310, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 0.0], [6.9021231430171e-310, 4.66145230949443e-310, 0.0, 0.0, 0.0], [6.9021249068196e-310, 6.9021249067943e-310, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 4.6614537512025e-310, 4.6614469912975e-310], [4.66144786814704e-310, 0.0, 4.6614537512025e-310, 4.66144732191755e-310, 4.66144786814704e-310], [6.9020777548837e-310, 6.2e-322, 0.0, 4e-323, 2e-323], [5e-324, 6.90207775489316e-310, 1.24e-322, 0.0, 2e-322]], dtype=torch.float64)
    actual = call(case())

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


reproduce(Tensor_resize)
