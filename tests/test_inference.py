"""A declaration told from one example call: the axes a person would write, what is refused, and what a check by example finds."""

import re
import warnings

import pytest
import torch
import torch.nn.functional as F

import harness
from harness.declare.ranges import positive, within
from harness.errors import DeclarationError
from harness.execute.outcome import outcome
from harness.generate.plan import essential, plan
from harness.measure.verdict import Verdict
from harness.verify.exploration import explore
from tests.verdicts import PROPERTIES, cell_of

R = torch.randn


def below(size, *shape):
    """Every index of an axis at least once, and others after them."""
    return (torch.arange(torch.Size(shape).numel()) % size).reshape(shape)


def above_zero(*shape):
    return torch.rand(*shape) + 0.5


def returns(x):
    """What is still to come, at every time."""
    return x.flip(0).cumsum(0).flip(0)


def numbers_to_halves(x):
    """No argument has a precision."""
    return x.float() / 2


def less_the_last(x):
    return x - x[-1:]


def numbered(x):
    return x + torch.arange(len(x), dtype=x.dtype)[:, None]


AS_A_PERSON_WOULD = [
    (torch.log, (above_zero(3, 4),), "batch d -> batch d"),
    (torch.sqrt, (above_zero(3, 4),), "batch d -> batch d"),
    (returns, (R(3, 4),), "n d -> n d"),
    (less_the_last, (R(3, 4),), "n d -> n d"),
    (torch.tril, (R(3, 5),), "n m -> n m"),
    (numbered, (R(3, 5),), "n m -> n m"),
    (torch.add, (R(3, 4), R(3, 4)), "batch d, batch d -> batch d"),
    (torch.softmax, (R(3, 4), -1), "batch d -> batch d"),
    (F.gelu, (R(3, 4),), "batch d -> batch d"),
    (torch.matmul, (R(3, 4), R(4, 5)), "batch d, d n -> batch n"),
    (torch.bmm, (R(2, 3, 4), R(2, 4, 5)), "batch n d, batch d m -> batch n m"),
    (torch.mv, (R(3, 4), R(4)), "batch d, d -> batch"),
    (torch.cdist, (R(3, 5, 8), R(3, 7, 8)), "batch n d, batch m d -> batch n m"),
    (F.linear, (R(3, 4), R(5, 4), R(5)), "batch d, n d, n -> batch n"),
    (F.bilinear, (R(3, 4), R(3, 5), R(6, 4, 5), R(6)), "batch n, batch m, k n m, k -> batch k"),
    (F.conv1d, (R(2, 3, 8), R(4, 3, 3), R(4)), "batch c t, f c k, f -> batch f t-k+1"),
    (F.conv2d, (R(2, 3, 8, 9), R(4, 3, 3, 2)), "batch c h w, f c k l -> batch f h-k+1 w-l+1"),
    (F.conv_transpose1d, (R(2, 3, 8), R(3, 4, 3)), "batch c t, c f k -> batch f t+k-1"),
    (F.conv1d, (R(2, 3, 9), R(4, 3, 3), None, 2), "batch c t, f c k -> batch f (t-k)//2+1"),
    (F.conv_transpose1d, (R(2, 3, 7), R(3, 4, 3), None, 2), "batch c t, c f k -> batch f 2*t+k-2"),
    (F.max_pool1d, (R(2, 3, 8), 2), "batch c t -> batch c t//2"),
    (F.conv1d, (R(2, 3, 37), R(4, 3, 16), None, 16), "batch c t, f c k -> batch f (t-k)//16+1"),
    (F.pad, (R(3, 5), (70, 2)), "batch d -> batch d+72"),
    (F.avg_pool2d, (R(2, 3, 8, 10), 2), "batch c h w -> batch c h//2 w//2"),
    (F.avg_pool1d, (R(2, 3, 20), 4), "batch c t -> batch c t//4"),
    (F.pixel_shuffle, (R(2, 8, 5, 6), 2), "batch 4*c h w -> batch c 2*h 2*w"),
    (F.interpolate, (R(2, 3, 5), None, 2), "batch c t -> batch c 2*t"),
    (F.interpolate, (R(2, 3, 5), None, 1.7), "batch c t -> batch c (17*t)//10"),
    (F.group_norm, (R(3, 8, 6), 2, R(8), R(8)), "batch 2*c t, 2*c, 2*c -> batch 2*c t"),
    (F.batch_norm, (R(6, 4), R(4), above_zero(4), R(4), R(4)), "batch d, d, d, d, d -> batch d"),
    (F.embedding, (below(11, 5, 7), R(11, 6)), "batch t, n d -> batch t d"),
    (F.cross_entropy, (R(5, 7), below(7, 5)), "n c, n -> "),
    (F.mse_loss, (R(5, 7), R(5, 7)), "n d, n d -> "),
    (F.cosine_similarity, (R(5, 7), R(5, 7)), "batch d, batch d -> batch"),
    (
        F.scaled_dot_product_attention,
        (R(2, 3, 5, 8), R(2, 3, 7, 8), R(2, 3, 7, 6)),
        "batch h q d, batch h k d, batch h k v -> batch h q v",
    ),
    (F.glu, (R(3, 8),), "batch 2*d -> batch d"),
    (torch.cumsum, (R(3, 4), 0), "n d -> n d"),
    (torch.cumsum, (R(3, 4), 1), "batch d -> batch d"),
    (F.binary_cross_entropy, (torch.rand(3, 4), torch.rand(3, 4)), "n d, n d -> "),
    (torch.linalg.inv, (R(3, 4, 4),), "batch n n -> batch n n"),
    (torch.diff, (R(3, 6),), "batch d -> batch d-1"),
    (torch.fft.rfft, (R(3, 8),), "batch d -> batch d//2+1"),
    (torch.kron, (R(2, 3), R(4, 5)), "n d, m k -> n*m d*k"),
    (F.pad, (R(3, 5), (1, 2)), "batch d -> batch d+3"),
    (torch.einsum, ("bij,bjk->bik", R(2, 3, 4), R(2, 4, 5)), "batch n d, batch d m -> batch n m"),
    (torch.gather, (R(3, 5), 1, below(5, 3, 4)), "batch n, batch m -> batch m"),
    (F.layer_norm, (R(3, 4, 6), (6,), R(6), R(6)), "batch n d, d, d -> batch n d"),
    (F.layer_norm, (R(3, 4, 6), (4, 6), R(4, 6)), "batch n d, n d -> batch n d"),
    (F.rms_norm, (R(3, 6), (6,)), "batch d -> batch d"),
    (F.unfold, (R(2, 3, 6, 7), 2), "batch c h w -> batch 4*c (h-1)*(w-1)"),
    (torch.cat, ([R(2, 3), R(4, 3)],), "n d, m d -> n+m d"),
    (torch.reshape, (R(3, 4, 5), (3, 20)), "batch 4 5 -> batch 20"),
]


def by_the_golden_ratio(x):
    """Longer by a number that 21/13 is near."""
    return F.interpolate(x, None, 1.61803)


def one_of_each(x):
    """As many columns as there are kinds."""
    return F.one_hot(x)


def lstm_cell(x, h, c, w, u, bias):
    """One step of an LSTM."""
    i, f, g, o = (x @ w.T + h @ u.T + bias).chunk(4, -1)
    c = f.sigmoid() * c + i.sigmoid() * g.tanh()
    return o.sigmoid() * c.tanh(), c


def attended(x, projections, out, heads):
    """Self-attention, with the three projections as one."""
    q, k, v = (each.unflatten(-1, (heads, -1)).transpose(1, 2) for each in (x @ projections.T).chunk(3, -1))
    return x + F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2) @ out.T


AS_A_PERSON_WOULD += [
    (
        lstm_cell,
        (R(2, 5), R(2, 3), R(2, 3), R(12, 5), R(12, 3), R(12)),
        "batch n, batch k, batch h, 4*h n, 4*h k, 4*h -> batch h, batch h",
    ),
    (attended, (R(3, 5, 6), R(18, 6), R(6, 6), 2), "batch t d, 6*k d, d 2*k -> batch t d"),
]


def gated_step(h, w):
    """A step of a state, by a gate and a candidate whose weights are one."""
    gate, new = (h @ w.T).chunk(2, -1)
    return h + gate.sigmoid() * new.tanh()


AS_A_PERSON_WOULD += [(gated_step, (R(2, 3), R(6, 3)), "batch h, 2*h h -> batch h")]


def in_letters(told):
    """Axes with every name but batch replaced by its place among those met so far."""
    met = {}
    return re.sub(
        r"[a-z]\w*", lambda name: name[0] if name[0] == "batch" else met.setdefault(name[0], f"a{len(met)}"), told
    )


def told(function, example):
    made = harness.declare(function, example=example)
    assert made.operation.name
    arguments, results = list(made.axes.values()), [axes for axes, _ in made.results]
    return " -> ".join(", ".join(" ".join(axes) for axes in side) for side in (arguments, results))


@pytest.mark.filterwarnings("ignore:Using a target size")
@pytest.mark.parametrize(("function", "example", "person"), AS_A_PERSON_WOULD)
def test_the_axes_are_those_that_a_person_would_write(function, example, person):
    assert in_letters(told(function, example)) == in_letters(person)


@pytest.mark.parametrize(
    ("function", "example", "argument", "domain"),
    [
        (torch.log, (above_zero(3, 4),), "x", positive),
        (F.binary_cross_entropy, (torch.rand(3, 4), torch.rand(3, 4)), "input", within(0, 1)),
        (F.one_hot, (below(4, 5), 4), "x", within(0, 3)),
        pytest.param(
            F.batch_norm,
            (R(6, 4), R(4), above_zero(4)),
            "running_var",
            positive,
        ),
    ],
)
def test_a_range_is_told_where_other_values_give_nothing_finite(function, example, argument, domain):
    assert harness.declare(function, example=example).domains.get(argument) == domain


def test_integers_are_indices_of_the_axis_at_which_they_stop():
    classes = harness.declare(F.cross_entropy, example=(R(5, 7), below(7, 5)))
    assert repr(classes.domains["target"]) == f"below({classes.axes['input'][1]!r})"
    rows = harness.declare(F.embedding, example=(below(11, 5, 7), R(11, 6)))
    assert repr(rows.domains["input"]) == f"below({rows.axes['weight'][0]!r})"
    assert rows.operation.differentiable


def test_integers_may_be_indices_of_a_result_and_lengths_along_an_axis():
    values, places = F.max_pool1d(R(2, 3, 10), 2, return_indices=True)
    unpooled = harness.declare(F.max_unpool1d, example=(values, places, 2))
    assert repr(unpooled.domains["indices"]) == "below('2*d')"
    spectra = (
        R(12, 3, 6).log_softmax(-1),
        torch.randint(1, 6, (3, 4)),
        torch.tensor([12, 11, 10]),
        torch.tensor([4, 3, 2]),
    )
    spoken = harness.declare(F.ctc_loss, example=spectra)
    time, said = spoken.axes["log_probs"][0], spoken.axes["targets"][1]
    assert repr(spoken.domains["input_lengths"]) == f"lengths({time!r})"
    assert repr(spoken.domains["target_lengths"]) == f"lengths({said!r})"


def read_without_looking(met):
    def look_up(table, index):
        """The rows of a table, and zeros for what is none of its rows, as a kernel's neighbouring memory."""
        met.append((int(index.min()), int(index.max()), len(table)))
        rows = torch.where((index < len(table))[:, None], table[index.clamp_max(len(table) - 1)], 0)
        return rows * torch.ones_like(rows)

    return look_up


def test_indices_are_told_without_any_that_is_out_of_range():
    met = []
    rows = harness.declare(read_without_looking(met), example=(R(7, 3), torch.tensor([5, 2, 3, 1])))
    assert repr(rows.domains["index"]) == f"below({rows.axes['table'][0]!r})"
    assert all(0 <= least <= most < size for least, most, size in met)


@pytest.mark.parametrize(
    ("function", "example", "place", "axis"),
    [
        (torch.topk, (R(3, 5), 2), 1, -1),
        (torch.median, (R(3, 5, 7), 1), 1, -2),
        (torch.argmax, (R(3, 5), 0), 0, -2),
        (torch.argsort, (R(3, 5),), 0, -1),
    ],
)
def test_results_that_are_indices_of_entries_pick_them(function, example, place, axis):
    told = harness.declare(function, example=example)
    assert told.about == {place: harness.picks("x", axis)}
    assert f"harness.picks('x', {axis})]" in str(told)


def test_whole_numbers_that_pick_nothing_are_equal_or_wrong():
    assert not harness.declare(torch.searchsorted, example=(R(5).sort().values, R(3, 5))).about
    assert not harness.declare(torch.cummax, example=(R(3, 5), 0)).about  # one entry is picked several times


def test_a_result_of_one_dtype_whatever_the_arguments_are_has_it_of_its_own():
    assert not harness.declare(torch.softmax, example=(R(3, 4), -1)).about
    named = {"input": R(3, 4), "dim": -1, "dtype": torch.float32}
    assert repr(harness.declare(torch.softmax, example=named).about) == "{0: dtype('float32')}"
    assert repr(harness.declare(torch.Tensor.cdouble, example=(R(3, 4),)).about) == "{0: dtype('complex128')}"
    assert not harness.declare(torch.view_as_complex, example=(R(3, 4, 2),)).about
    assert repr(harness.declare(numbers_to_halves, example=(below(5, 4),)).about) == "{0: dtype('float32')}"


def test_an_option_that_is_true_or_false_stays_so():
    told = harness.declare(torch.sum, example={"input": R(3, 5), "dim": 1, "keepdim": True})
    assert told.results[0][0] == ("batch", "1")
    assert harness.check(torch.sum, example={"input": R(3, 5), "dim": 1, "keepdim": True}, examples=3)


def test_a_matrix_that_has_to_be_positive_definite_is_told():
    root = R(3, 4, 4)
    told = harness.declare(torch.linalg.cholesky, example=(root @ root.mT + torch.eye(4),))
    assert repr(told.domains["input" if "input" in told.domains else "x"]) == "positive_definite"
    assert repr(harness.declare(torch.linalg.eigvalsh, example=(root @ root.mT,)).domains) == "{'x': symmetric}"


def test_symmetric_is_what_is_so_in_the_example_and_read_in_one_triangle_alone():
    one = R(3, 4, 4)
    assert not harness.declare(torch.linalg.eigvalsh, example=(one,)).domains
    assert not harness.declare(torch.tril, example=(one,)).domains
    assert not harness.declare(torch.linalg.matrix_exp, example=(one + one.mT,)).domains
    assert not harness.declare(torch.softmax, example=(one + one.mT, -1)).domains
    told = harness.declare(torch.linalg.eigvalsh, example=(one + one.mT,))
    assert 'Annotated[Float[Tensor, "batch d d"], harness.symmetric]' in str(told)


def test_a_size_at_which_the_result_has_another_shape_is_none():
    assert harness.declare(torch.cov, example=(R(3, 5),)).sizes == {"n": (2, 1025)}  # of one variable a number
    assert not harness.declare(torch.matmul, example=(R(3, 4), R(4, 5))).sizes


def test_another_number_of_results_is_refused():
    assert "the number of its results is" in refusal(torch.split, (R(6, 5), 2))


def times_a_sum(table, by):
    """The table, times the sum of some numbers."""
    return table * by.sum()


def test_numbers_that_pick_nothing_are_no_indices():
    assert harness.declare(times_a_sum, example=(R(7, 3), torch.tensor([5, 2, 3, 1]))).domains["by"] == within(1, 5)


def test_the_labels_of_a_sequence_are_indices_of_its_classes():
    """CPU kernels of ctc_loss read what lies beside the classes where a label is none of them."""
    torch.manual_seed(0)
    spoken = (
        R(12, 3, 6).log_softmax(-1),
        torch.tensor([[1, 3, 2, 4]] * 3),
        torch.tensor([12, 11, 10]),
        torch.tensor([4, 3, 2]),
    )
    labels = harness.declare(F.ctc_loss, example=spoken)
    assert repr(labels.domains["targets"]) == f"below({labels.axes['log_probs'][2]!r})"


def scaled_by(x, by):
    return x * by


@pytest.mark.parametrize(
    ("by", "domain"),
    [
        (torch.tensor([1, -1, -1, 1, 1, -1, 1]), "among(-1, 1)"),
        (torch.tensor([1.0, -1.0, -1.0, 1.0, 1.0, -1.0, 1.0]), "among(-1, 1)"),
        (torch.tensor([1, 0, 0, 1, 1, 0, 1]), "within(0, 1)"),
        (torch.tensor([1, 5, 9, 1, 2, 7, 4]), "within(1, 9)"),
        (torch.tensor([1, 5]), "within(1, 5)"),
        (torch.tensor([1.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0]), ""),
        (torch.tensor([1.5, -1.5, -1.5, 1.5, 1.5, -1.5, 1.5]), ""),
        (torch.ones(7), ""),
    ],
)
def test_numbers_of_a_few_kinds_are_told_by_a_hole_between_them(by, domain):
    told = harness.declare(scaled_by, example=(R(len(by)), by)).domains
    assert repr(told.get("by", "")).strip("'") == domain


def test_what_hinders_a_gradient_is_said():
    made = harness.declare(F.soft_margin_loss, example=(R(3, 5), R(3, 5).sign()))
    assert not made.differentiable
    assert made.notes == ("differentiable in input alone, so that no gradient is asked",)


def test_a_function_of_chance_is_said_to_be_one():
    assert harness.declare(F.alpha_dropout, example=(R(3, 5), 0.5, True)).notes == (
        "it gives something else at each call",
    )
    assert not harness.declare(F.relu, example=(R(3, 5),)).notes


def test_smallest_sizes_are_those_at_which_it_can_be_called():
    assert harness.declare(F.max_pool1d, example=(R(2, 3, 8), 2)).operation.sizes["d"] == (2, 1025)
    of_its_batch = harness.declare(F.batch_norm, example=(R(2, 3, 4), None, None, None, None, True))
    assert of_its_batch.sizes == {"d": (2, 1025)}  # a batch of two would do as well
    assert harness.declare(F.max_pool1d, example=(R(2, 3, 17), 6)).operation.sizes["d"] == (6, 1025)
    assert harness.declare(torch.kthvalue, example=(R(3, 7), 7)).operation.sizes["d"] == (7, 1025)
    convolution = harness.declare(F.conv1d, example=(R(2, 3, 8), R(4, 3, 3))).operation
    assert convolution.where(d=3, k=3) and not convolution.where(d=2, k=3)
    assert "d" not in harness.declare(F.conv1d, example=(R(2, 3, 8), R(4, 3, 3))).sizes


def test_what_is_no_tensor_is_an_option_with_that_one_value():
    made = harness.declare(F.leaky_relu, example=(R(3, 4), 0.2))
    assert {name: each.values for name, each in made.operation.options.items()} == {"negative_slope": (0.2,)}
    assert "negative_slope: float = 0.2" in str(made)


def test_an_axis_that_cannot_vary_is_said_to_be_fixed():
    made = harness.declare(rotated, example=(R(5, 3),))
    assert made.notes == ("x's axis 1 is always 3",)
    assert str(made).startswith("# x's axis 1 is always 3\n@harness.operation")


def test_a_number_that_is_a_size_is_the_size_of_the_case():
    made = harness.declare(F.layer_norm, example=(R(3, 4, 6), (6,), R(6), R(6)))
    assert not made.operation.options and not made.notes
    assert "return torch.nn.functional.layer_norm(input, (input.shape[2],), weight, bias)" in str(made)
    case = essential(made.operation, 0)[0]
    assert harness.Subject(made.operation, made.operation.own)(case)[0].shape[-1] == case.sizes["d"]


def test_tensors_in_a_list_are_arguments_of_their_own():
    made = harness.declare(torch.cat, example=([R(2, 3), R(4, 3)], 0))
    assert [*made.axes] == ["tensors_0", "tensors_1"] or [*made.axes] == ["x_0", "x_1"]
    assert re.search(r"torch\.cat\(\[(\w+)_0, \1_1\], ", str(made))


def test_a_function_with_a_complex_result_is_differentiable():
    assert harness.declare(torch.fft.rfft, example=(R(3, 8),)).differentiable


def test_trials_warn_of_nothing():
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        harness.declare(F.mse_loss, example=(R(5, 7), R(5, 7)))
    assert not heard


# What is printed


def pasted(function, example):
    """The operation that the printed declaration declares."""

    from jaxtyping import Float

    made = harness.declare(function, example=example)
    names = {
        "harness": harness,
        "torch": torch,
        "Float": Float,
        "Tensor": torch.Tensor,
        "__name__": __name__,
        function.__name__: function,
    }
    exec(compile(str(made), "pasted", "exec"), names)
    return next(each for each in names.values() if isinstance(each, harness.Operation))


def test_what_is_printed_is_a_declaration():
    printed = str(harness.declare(F.linear, example=(R(3, 4), R(5, 4), R(5))))
    assert printed.splitlines()[:2] == [
        "@harness.operation",
        'def linear(x: Float[Tensor, "batch d"], y: Float[Tensor, "n d"], z: Float[Tensor, "n"]) '
        '-> Float[Tensor, "batch n"]:',
    ]


def test_what_is_printed_can_be_pasted():
    example = (R(3, 4), R(5, 4), R(5))
    assert torch.equal(pasted(F.linear, example)(*example), F.linear(*example))


def test_what_is_printed_is_python_where_an_option_stands_before_a_tensor():
    compile(str(harness.declare(F.group_norm, example=(R(3, 8, 6), 2, R(8), R(8)))), "printed", "exec")


def test_a_library_function_is_printed_by_a_name_that_it_has_there():
    assert "return torch.nn.functional.logsigmoid(x)" in str(harness.declare(F.logsigmoid, example=(R(3, 4),)))
    assert "return torch.linalg.inv(x)" in str(harness.declare(torch.linalg.inv, example=(R(3, 4, 4),)))


def test_what_is_printed_for_a_lambda_is_python():
    compile(str(harness.declare(lambda x: x.sin(), example=(R(3, 4),))), "printed", "exec")


def test_what_is_printed_of_lists_and_sizes_can_be_pasted():
    pair = R(2, 3), R(4, 3)
    assert torch.equal(pasted(torch.cat, ([*pair],))(*pair), torch.cat(pair))
    x, scale = R(3, 6), R(6)
    assert torch.equal(pasted(F.rms_norm, (x, (6,), scale))(x, scale), F.rms_norm(x, (6,), scale))


# What is refused


def rotated(x):
    return x @ torch.eye(3, dtype=x.dtype).flip(0)


def distances(x, w):
    return (x[:, None] - w).square().sum(-1)


def without_negatives(x):
    return x[x > 0]


def squares(x):
    return (x[0][:, None] * x[0]).reshape(-1)


def of_one_number(x):
    return x.sum().item()


def refusal(function, example):
    with pytest.raises(DeclarationError) as refused:
        harness.declare(function, example=example)
    told = str(refused.value)
    assert "\n" not in told
    return told


@pytest.mark.parametrize(
    ("function", "example", "words"),
    [
        (
            distances,
            (R(4, 8), R(5, 8), 3),
            ["distances: it does not take the example", "too many positional arguments"],
        ),
        (distances, (R(4, 8), R(5, 7)), ["distances: it can't be called with the example", "size of tensor"]),
        (
            by_the_golden_ratio,
            (R(2, 3, 5),),
            ["axis 2 of result 0", "no plain expression", "declare the operation by hand"],
        ),
        (without_negatives, (R(4, 8),), ["how long its result is follows from the values of x"]),
        (one_of_each, (below(3, 4),), ["how long its result is follows from the values of"]),
        (squares, (R(4, 5),), ["axis 0 of result 0 is 25 long for n 4, d 5, and 36 for d 6, and no plain"]),
    ],
)
def test_an_example_of_which_nothing_can_be_told_is_refused(function, example, words):
    told = refusal(function, example)
    assert told.startswith(f"test_inference.py: {function.__name__}: ")
    assert all(word in told for word in words)


def test_an_example_without_a_tensor_is_refused():
    assert "tensor" in refusal(lambda n: torch.zeros(n), (3,))


def test_a_result_that_is_no_tensor_is_told():
    assert "float" in refusal(of_one_number, (R(3, 4),))


def test_an_example_by_name_is_called_by_name():
    assert harness.declare(distances, example={"w": R(5, 8), "x": R(4, 8)}).results[0][0] == ("batch", "n")
    with pytest.raises(DeclarationError, match="does not take the example"):
        harness.declare(distances, example={"x": R(4, 8), "v": R(5, 8)})


# Like another, by an example

SLOW = (R(7), R(7))


def product(x, w):
    return (x * w).sum()


def by_dot(x, w):
    return torch.dot(x, w)


def whole_blocks(x, w):
    inner = len(x) // 4 * 4
    return x[:inner] @ w[:inner]


@pytest.fixture(scope="module")
def declared():
    return harness.declare(product, example=SLOW)


def test_a_fast_function_that_is_right_passes(declared):
    for name in ("agreement", "gradients", "layouts"):
        cell = cell_of(name, declared.operation, declared.of(by_dot), "float32")
        assert not explore(cell, plan(declared.operation, 10, 0)).verdict.failing, name


def test_a_fast_function_that_is_wrong_is_found_and_explained(declared):
    found = outcome(cell_of("agreement", declared.operation, declared.of(whole_blocks), "float32"), 5, 0)
    assert found.verdict is Verdict.WRONG
    assert "block" in found.counterexample.diagnosis.sentence
    assert found.place == "test_inference.py: whole_blocks"


def test_a_check_by_example_says_what_it_declared():
    checked = harness.check(by_dot, like=product, example=SLOW, dtypes=["float32"], examples=3)
    assert checked
    assert str(checked).startswith("declared from the example:\n\n@harness.operation\ndef product_operation(")
    assert {each.implementation for each in checked.outcomes} == {"by_dot"}


def test_a_fast_function_that_takes_other_arguments_is_refused():
    with pytest.raises(DeclarationError, match="does not take the 2 arguments"):
        harness.check(lambda x: x, like=product, example=SLOW, dtypes=["float32"], examples=1)


@pytest.mark.parametrize("function", [returns, numbered])
def test_a_function_agrees_with_itself_whatever_was_told_of_it(function):
    made = harness.declare(function, example=(R(3, 4),))
    for name in ("batch_invariance", "batch_permutation"):
        if PROPERTIES[name].applies(made.operation):
            cell = cell_of(name, made.operation, made.of(function), "float32")
            assert not explore(cell, essential(made.operation, 0)[:15]).verdict.failing
