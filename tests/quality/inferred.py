"""Declarations told from one example, held against those that a person would write.

30 functions of torch.nn.functional by lot: `random.Random(20).sample(names, 30)` of the 129 names of PyTorch 2.13 that are public
functions of tensors and run on a CPU. Examples and declarations were written down before anything was told. A name of
an axis does not count, but that the samples' is called batch does; nor does the way in which an expression is written.

    python -m tests.quality.inferred [FUNCTION…]
"""

import argparse
import re
import sys
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F

import harness
from harness.declare.axes import Axis
from harness.errors import DeclarationError

ENOUGH = 25
"""So many are as a person would write them."""

_SOME_SIZES = ((3, 5, 7, 11, 13, 17, 19, 23), (8, 6, 29, 10, 12, 31, 9, 14))
"""At which expressions are compared, by the place of a name among those met."""


@dataclass(frozen=True)
class Row:
    """A function, one call of it, and the declaration that a person would write.

    axes: of the arguments that are tensors, and of the results; domains: by the place of the argument; least: the smallest size of an axis
    where that is not 1.
    """

    function: str
    example: tuple
    axes: str
    domains: dict[int, str] = field(default_factory=dict)
    least: dict[str, int] = field(default_factory=dict)
    differentiable: bool = True


def _table():
    torch.manual_seed(20)
    R, U = torch.randn, torch.rand
    signs = torch.tensor([1, -1, -1, 1, 1, -1, 1])
    pooled, places = F.max_pool1d(R(2, 3, 10), 2, return_indices=True)
    attended = R(5, 3, 6), R(7, 3, 6), R(7, 3, 6), 6, 2
    projected = R(18, 6), R(18), None, None, False, 0.0, R(6, 6), R(6)
    return [
        Row("adaptive_max_pool1d", (R(2, 3, 7), 2), "batch c t -> batch c 2"),
        Row("affine_grid", (R(4, 2, 3), [4, 1, 5, 7]), "batch 2 3 -> batch 5 7 2"),
        Row("avg_pool2d", (R(2, 3, 7, 9), 3), "batch c h w -> batch c h//3 w//3", least={"h": 3, "w": 3}),
        Row(
            "avg_pool3d",
            (R(2, 3, 5, 7, 9), 2),
            "batch c t h w -> batch c t//2 h//2 w//2",
            least={"t": 2, "h": 2, "w": 2},
        ),
        Row(
            "binary_cross_entropy",
            (U(5, 7), torch.randint(0, 2, (5, 7)).float()),
            "n d, n d -> ",
            {0: "within(0, 1)", 1: "within(0, 1)"},
        ),
        Row("conv1d", (R(2, 3, 9), R(4, 3, 3), R(4)), "batch c t, f c k, f -> batch f t-k+1"),
        Row("conv_transpose1d", (R(2, 3, 7), R(3, 5, 4)), "batch c t, c f k -> batch f t+k-1"),
        Row(
            "conv_transpose2d",
            (R(2, 3, 5, 7), R(3, 4, 3, 3), None, 2),
            "batch c h w, c f k l -> batch f 2*h+k-2 2*w+l-2",
        ),
        Row("embedding", (torch.randint(0, 11, (5, 7)), R(11, 6)), "batch t, n d -> batch t d", {0: "below('n')"}),
        Row("feature_alpha_dropout", (R(3, 5, 7), 0.5, True), "batch c t -> batch c t"),
        Row("fold", (R(2, 12, 20), (5, 6), (2, 2)), "batch 4*c 20 -> batch c 5 6"),
        Row(
            "fractional_max_pool2d",
            (R(2, 3, 9, 11), 2, (4, 5)),
            "batch c h w -> batch c 4 5",
            least={"h": 5, "w": 6},
        ),
        Row("hardshrink", (R(3, 5),), "batch d -> batch d"),
        Row("hinge_embedding_loss", (R(7), signs), "n, n -> ", {1: "among(-1, 1)"}),
        Row("interpolate", (R(2, 3, 5, 7), None, 2), "batch c h w -> batch c 2*h 2*w"),
        Row("linear", (R(3, 5), R(7, 5), R(7)), "batch d, n d, n -> batch n"),
        Row(
            "lp_pool3d",
            (R(2, 3, 5, 7, 9), 2, 2),
            "batch c t h w -> batch c t//2 h//2 w//2",
            least={"t": 2, "h": 2, "w": 2},
        ),
        Row("margin_ranking_loss", (R(7), R(7), R(7).sign()), "n, n, n -> ", {2: "among(-1, 1)"}),
        Row(
            "max_pool3d_with_indices",
            (R(2, 3, 5, 7, 9), 2),
            "batch c t h w -> batch c t//2 h//2 w//2, batch c t//2 h//2 w//2",
            least={"t": 2, "h": 2, "w": 2},
        ),
        Row("max_unpool1d", (pooled, places, 2), "batch c t, batch c t -> batch c 2*t", {1: "below('2*t')"}),
        Row(
            "multi_head_attention_forward",
            (*attended, *projected),
            "q batch 2*d, k batch 2*d, k batch 2*d, 6*d 2*d, 6*d, 2*d 2*d, 2*d -> q batch 2*d, batch q k",
        ),
        Row("multi_margin_loss", (R(5, 7), torch.randint(0, 7, (5,))), "n c, n -> ", {1: "below('c')"}),
        Row("prelu", (R(2, 3, 5), R(3)), "batch c t, c -> batch c t"),
        Row("selu", (R(3, 5),), "batch d -> batch d"),
        Row("sigmoid", (R(3, 5),), "batch d -> batch d"),
        Row("silu", (R(3, 5),), "batch d -> batch d"),
        Row("softmax", (R(3, 5), -1), "batch d -> batch d"),
        Row("softmin", (R(3, 5), -1), "batch d -> batch d"),
        Row("softsign", (R(3, 5),), "batch d -> batch d"),
        Row("triplet_margin_loss", (R(5, 7), R(5, 7), R(5, 7)), "n d, n d, n d -> "),
    ]


def differences(row):
    """How the declaration that is told differs from a person's, in words; nothing where it is the same."""
    try:
        told = harness.declare(getattr(F, row.function), example=row.example)
    except DeclarationError as refusal:
        return [f"refused: {refusal}"]
    axes = _text([*told.axes.values()], [each for each, _ in told.results])
    theirs, ours = _by_place(row.axes), _by_place(axes)
    arguments = list(told.axes)
    domains = {arguments.index(name): repr(domain) for name, domain in told.domains.items()}
    least = {name: low for name, (low, _) in told.sizes.items()}
    pairs = {
        "axes": (_measured(row.axes, theirs), _measured(axes, ours), row.axes, axes),
        "domains": (_renamed(row.domains, theirs), _renamed(domains, ours), row.domains, domains),
        "least sizes": (_named(row.least, theirs), _named(least, ours), row.least, least),
        "differentiable": (row.differentiable, told.differentiable, row.differentiable, told.differentiable),
    }
    return [
        f"{what}: {said} told, {meant} meant" for what, (right, found, meant, said) in pairs.items() if right != found
    ]


def _text(arguments, results):
    return " -> ".join(", ".join(map(" ".join, side)) for side in (arguments, results))


def _by_place(axes):
    """Every name by its place among those met, batch by itself."""
    met = dict.fromkeys(name for name in re.findall(r"[A-Za-z_]\w*", axes) if name != "batch")
    return {**{name: f"a{place}" for place, name in enumerate(met)}, "batch": "batch"}


def _measured(axes, places):
    """The axes with what their sizes are, so that 2*t+k-2 is (t-1)*2+k, and which of them are the samples'."""
    known = [{name: sizes[place % len(sizes)] for place, name in enumerate(places)} for sizes in _SOME_SIZES]
    return [
        [
            [axis == "batch" or [Axis(axis).size(each) for each in known] for axis in part.split()]
            for part in side.split(",")
        ]
        for side in axes.split(" -> ")
    ]


def _renamed(domains, places):
    return {
        key: re.sub(r"'[^']*'", lambda text: re.sub(r"[a-z]\w*", lambda name: places[name[0]], text[0]), domain)
        for key, domain in domains.items()
    }


def _named(least, places):
    return {places[name]: low for name, low in least.items()}


def main():
    """Print which declarations differ from a person's, and how. Exits with 1 where too few are the same."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("functions", nargs="*", help="some of the table; all where nothing is said")
    given = options.parse_args()
    rows = [row for row in _table() if not given.functions or row.function in given.functions]
    same = 0
    for row in rows:
        found = differences(row)
        same += not found
        print(f"{'as a person would' if not found else 'differs':18} {row.function}")
        for line in found:
            print(f"    {line}")
    print(f"{same} of {len(rows)} as a person would write them")
    return same < min(ENOUGH, len(rows))


if __name__ == "__main__":
    sys.exit(main())
