"""The quality script that holds declarations told from an example against a person's: it tells the same from another."""

from dataclasses import replace

import pytest
import torch

from tests.quality.inferred import Row, differences

CONVOLUTION = Row(
    "conv1d", (torch.randn(2, 3, 9), torch.randn(4, 3, 3), None, 2), "batch c t, f c k -> batch f (t-k)//2+1"
)


def test_names_and_the_way_of_an_expression_do_not_count():
    assert differences(CONVOLUTION) == []
    assert differences(replace(CONVOLUTION, axes="batch a b, d a e -> batch d (b-e+2)//2")) == []


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"axes": "batch c t, f c k -> batch f (t-k)//2"}, "axes"),
        ({"axes": "n c t, f c k -> n f (t-k)//2+1"}, "axes"),
        ({"axes": "batch c t, f c 3 -> batch f (t-3)//2+1"}, "axes"),
        ({"domains": {1: "positive"}}, "domains"),
        ({"least": {"t": 2}}, "least sizes"),
        ({"differentiable": False}, "differentiable"),
        ({"example": (torch.randn(2, 3, 9), torch.randn(4, 5, 3))}, "refused"),
    ],
)
def test_everything_else_does(change, what):
    assert [each.split(":")[0] for each in differences(replace(CONVOLUTION, **change))] == [what]
