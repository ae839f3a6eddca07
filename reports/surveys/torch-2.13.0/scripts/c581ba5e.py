# rad2deg/numpy.degrees is UNSTABLE, by the property agreement: a systematic error: the result is rounded
# towards zero, as 100% of all entries that are off are, over 73 fresh cases
# The noise floor, what rounding the arguments to float32 makes of the result, is 1.5e-07 here.
# Why: the result is rounded towards zero
# Largest difference seen: 6.82e-05
# Found with harness 0.1.0, torch 2.13.0+cpu, numpy 2.4.6, Python 3.11.7,
# Linux-6.18.44-fc-v669-x86_64-with-glibc2.36, on cpu.


import platform
import sys
import numpy
import torch


def rad2deg_numpy_degrees(x):
    return numpy.degrees(x)


def reproduce(candidate):
    def case():
        return dict(
            x=torch.tensor([[-83.2771], [0.00025554746], [0.0087291375], [-0.0018673211]], dtype=torch.float32).numpy(),
        )

    def call(arguments):
        with torch.no_grad():
            results = candidate(**arguments)
        result = results[0] if isinstance(results, (tuple, list)) and len(results) == 1 else results
        if not isinstance(result, torch.Tensor) and hasattr(result, "__array__"):
            result = torch.from_numpy(numpy.array(result))
        return result

    expected = torch.tensor([[-4771.426337707744], [0.014641791146391709], [0.5001427364082993], [-0.10698961728360033]], dtype=torch.float64)
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


reproduce(rad2deg_numpy_degrees)
