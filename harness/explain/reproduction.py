"""A reproduction: a script that shows a counterexample without the harness, for whoever maintains the candidate.

It holds the candidate's source, the case as literal values and what should come out, calls, and prints both with their
largest difference. Of the forms that a script can take, the plainest is chosen that shows the fault when it is run: a
result held against the definition's wherever the fault shows there; otherwise what the property itself looks at; last
of all the property itself, for which the script needs the harness.
"""

from __future__ import annotations

import contextlib
import dataclasses
import io
import platform
import re
import sys
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch

from harness.declare.backends import BACKENDS, Backend
from harness.errors import HarnessError, Unsupported
from harness.explain.excerpt import Excerpt, NoExcerpt, excerpt
from harness.explain.literal import tensor_literal
from harness.explain.visible import visible
from harness.generate.case import Call, Case
from harness.measure.comparison import Comparison, against, allowance, as_array, compare
from harness.measure.gradient import cotangents_like, gradient_reference
from harness.measure.reference import Part, reference, reference_of
from harness.verify.cell import Cell
from harness.verify.exploration import Finding
from harness.verify.subject import ImplementationFault, Subject

_LONGEST = 60_000
"""Characters of a script; an issue on GitHub takes 65,536."""

_BEFORE = (1, 2, 3, 4, 8, 16)
"""How many calls are tried before the one that shows it, where a candidate remembers."""

_MOST_CALLS = 12
"""Derived calls of a property that are held against the definition."""

_PRINTED = re.compile(r"^largest difference: (\S+)$", re.MULTILINE)

_OTHER_FAULTS = (ImplementationFault, Unsupported, HarnessError)


def reproduction(cell: Cell, finding: Finding, diagnosis: str = "") -> str:
    """The script for a shrunk finding."""
    scene = _Scene(cell, finding)
    for form in _forms(scene):
        script = _Script(scene, form, diagnosis)
        shown = script.shown() if len(script.text) <= _LONGEST else 0.0
        if shown and shown >= form.measured / 2:
            return _Script(scene, dataclasses.replace(form, measured=shown), diagnosis).text
    return _Script(scene, _by_the_harness(scene), diagnosis).text


def printed_difference(output: str) -> float | None:
    """The largest difference that a script has printed, None where it did not come to one."""
    found = _PRINTED.findall(output)
    return float(found[-1]) if found else None


def largest_difference(actual: Any, expected: Any) -> float:
    """The largest absolute difference of two results' entries, taken as the scripts take it."""
    actual, expected = as_array(actual), as_array(expected)
    if actual.shape != expected.shape:
        return float("inf")
    wide = complex if expected.dtype.kind == "c" else float
    with np.errstate(all="ignore"):
        same = (actual == expected) | ((actual != actual) & (expected != expected))
        apart = np.where(same, 0.0, np.abs(actual.astype(wide) - expected.astype(wide)))
    return float(np.nan_to_num(apart, nan=np.inf, posinf=np.inf).max(initial=0.0))


@dataclass
class _Recorder(Subject):
    """A subject that keeps the calls that are asked of it."""

    calls: list[Call] = field(default_factory=list)

    def in_place(self, call: Call) -> Any:
        self.calls.append(call.fresh())
        return super().in_place(call)


@dataclass(frozen=True)
class _Scene:
    """A finding, and what the scripts' forms are made from."""

    cell: Cell
    finding: Finding

    @property
    def case(self) -> Case:
        return self.finding.case

    @property
    def backend(self) -> Backend:
        return self.cell.implementation.backend

    @property
    def fails(self) -> bool:
        """Whether no result came that could be compared."""
        return self.finding.comparison is None

    @cached_property
    def call(self) -> Call:
        return self.case.call()

    @cached_property
    def subject(self) -> Subject:
        return Subject(self.cell.operation, self.cell.implementation)

    @cached_property
    def calls(self) -> list[Call]:
        """The calls that the property makes, in their order, up to one that fails."""
        recorder = _Recorder(self.cell.operation, self.cell.implementation)
        with contextlib.suppress(*_OTHER_FAULTS):
            self.cell.prop(recorder, self.case)
        return recorder.calls

    @cached_property
    def excerpt(self) -> Excerpt | NoExcerpt:
        """The candidate's source, or why it can't be had."""
        try:
            return excerpt(self.cell.implementation.function)
        except NoExcerpt as reason:
            return reason

    @cached_property
    def returns_a_tensor(self) -> bool:
        """Whether the candidate returns one tensor as it is, and no tuple of one."""
        with contextlib.suppress(*_OTHER_FAULTS):
            return isinstance(self.subject.raw(self.call), torch.Tensor)
        return True


@dataclass(frozen=True)
class _Form:
    """One form of a script.

    cases: calls by the name of the function that makes their arguments; lines: Python that sets `expected`; risky:
    Python that sets `actual`, by a call that may fail; measured: the largest difference that the harness saw, 0 where
    it saw none that has a size; index: the result that is looked at; differ: whether `expected` and `actual` are
    tensors, whose difference is taken; harness: whether the script needs the harness.
    """

    cases: dict[str, Call]
    lines: tuple[str, ...]
    risky: tuple[str, ...]
    measured: float
    index: int = 0
    differ: bool = True
    harness: bool = False


def _forms(scene: _Scene) -> Iterator[_Form]:
    """The forms without the harness, plainest first."""
    if scene.cell.prop.claim:
        return
    plain = list(_plain(scene, [*scene.calls[-1:], scene.call] if scene.fails else [scene.call]))
    yield from plain
    yield from _OF_PROPERTIES.get(scene.cell.prop.name, _nothing)(scene)
    yield from _plain(scene, scene.calls[:_MOST_CALLS])
    yield from _gradients(scene)
    yield from (_after_others(scene, form, count) for form in plain for count in _BEFORE)


def _nothing(scene: _Scene) -> Iterator[_Form]:
    yield from ()


# A result held against the definition's


def _plain(scene: _Scene, calls: list[Call]) -> Iterator[_Form]:
    for call in calls:
        for index, expected, measured in _off(scene, call):
            yield _Form({"case": call}, (f"expected = {_literal(expected)}",), ("actual = call(case())",), measured, index)


def _off(scene: _Scene, call: Call) -> Iterator[tuple[int, Any, float]]:
    """The results of a call that are farther off than they may be: which, what is expected, and how far."""
    found, parts = scene.finding.comparison, _parts(scene, call)
    if found is None:
        yield from ((index, part.expected, float("inf")) for index, part in enumerate(parts))
        return
    told = [index for index, part in enumerate(parts) if part.expected is found.expected]
    if told:
        yield told[0], found.expected, largest_difference(found.actual, found.expected)
        return
    with contextlib.suppress(*_OTHER_FAULTS):
        results = scene.subject(call)
        compared = [compare("", *pair, scene.case, part) for *pair, part in _pairs(results, parts)]
        for index, comparison in sorted(enumerate(compared), key=lambda each: -_excess(each[1])):
            if _excess(comparison) > 1:
                yield index, comparison.expected, largest_difference(comparison.actual, comparison.expected)


def _pairs(results: Any, parts: tuple[Part, ...]) -> Iterator[tuple[Any, Any, Part]]:
    yield from ((result, part.expected, part) for result, part in zip(results, parts, strict=False))


def _parts(scene: _Scene, call: Call) -> tuple[Part, ...]:
    """What the definition makes of a call; nothing where it can't."""
    own = scene.case.tensors
    same = all(
        tensor.shape == own[name].shape and torch.equal(tensor.cpu().nan_to_num(7), own[name].nan_to_num(7))
        for name, tensor in call.arguments.items()
    )
    try:
        return (reference(scene.case) if same else reference_of(call, scene.case)).parts
    except HarnessError:
        return ()


def _excess(comparison: Comparison) -> float:
    """The score over what is allowed, 0 where nothing can be told."""
    if not comparison.is_informative or not comparison.score:
        return 0.0
    return comparison.score / comparison.allowance if comparison.allowance else float("inf")


def _after_others(scene: _Scene, form: _Form, count: int) -> _Form:
    """The same after calls with other values, for a candidate that remembers."""
    before = f"for _ in range({count}):\n    call(other())  # it does not show without calls before"
    cases = {**form.cases, "other": scene.case.another().call()}
    return dataclasses.replace(form, cases=cases, lines=(*form.lines, before))


# What a property itself looks at


def _gradients(scene: _Scene) -> Iterator[_Form]:
    """The gradient in one argument, against the definition's."""
    if not (scene.cell.operation.differentiable and scene.backend.differentiable):
        return
    with contextlib.suppress(*_OTHER_FAULTS):
        parts = gradient_reference(scene.case).parts
        names = [name for name, domain in scene.cell.operation.tensors.items() if domain.kind == "float"]
        shapes = scene.subject.expected_shapes(scene.call)
        directions = cotangents_like(tuple(torch.zeros(shape, dtype=torch.float64) for shape in shapes))
        for name, expected, measured in _off_gradients(scene, names, parts):
            yield _gradient(scene, name, f"expected = {_literal(expected)}", directions, "", measured)


def _off_gradients(scene: _Scene, names: list[str], parts: tuple[Part, ...]) -> Iterator[tuple[str, Any, float]]:
    if scene.fails:
        yield names[0], parts[0].expected, float("inf")
        return
    _, found = scene.subject.gradients(scene.case)
    compared = {name: compare("", *pair, scene.case, part) for name, (*pair, part) in zip(names, _pairs(found.values(), parts), strict=True)}
    for name, comparison in sorted(compared.items(), key=lambda each: -_excess(each[1])):
        if _excess(comparison) > 1:
            yield name, comparison.expected, largest_difference(comparison.actual, comparison.expected)


def _gradient(scene: _Scene, name: str, expected: str, directions: Any, rows: str, measured: float) -> _Form:
    """The gradient in one argument of the results' products with `directions`."""
    floats = [each for each, domain in scene.cell.operation.tensors.items() if domain.kind == "float"]
    literals = "".join(f"{tensor_literal(each)}, " for each in directions)
    lines = (
        expected,
        "arguments = case()",
        f"for name in {floats!r}:\n    arguments[name].requires_grad_()",
        f"directions = ({literals})  # in which the results are differentiated",
    )
    risky = (
        "results = candidate(**arguments)",
        "results = results if isinstance(results, (tuple, list)) else (results,)",
        "for result, direction in zip(results, directions):\n    if result.requires_grad:\n"
        "        result.backward(direction.to(result), retain_graph=True)",
        f"wanted = arguments[{name!r}]",
        "actual = torch.zeros_like(wanted) if wanted.grad is None else wanted.grad",
        *([f"actual = actual{rows}"] if rows else ()),
    )
    return _Form({"case": scene.call}, lines, risky, measured)


def _gradient_leak(scene: _Scene) -> Iterator[_Form]:
    """The gradient of one sample's result in the other samples."""
    call, parts = scene.call, _parts(scene, scene.call)
    if scene.fails or call.batch_size < 2:
        return
    chosen = scene.case.seed % call.batch_size
    others = [sample for sample in range(call.batch_size) if sample != chosen]
    directions = [torch.zeros(part.expected.shape, dtype=torch.float64) for part in parts]
    for direction, part in zip(directions, parts, strict=True):
        if part.axis is not None:
            direction.select(part.axis, chosen).fill_(1)
    for name in call.operation.batched:
        axis = call.operation.tensors[name].axis_of("batch", call.options)
        if axis is not None and call.arguments[name].is_floating_point():
            shape = call.arguments[name].index_select(axis, torch.tensor(others, device=scene.case.device)).shape
            expected = f"expected = torch.zeros({tuple(shape)}, dtype=torch.float64)"
            yield _gradient(scene, name, expected, directions, _rows(axis, others), 0.0)


def _two_calls(scene: _Scene, given: Call, rows: list[int] | None, wanted: Call, of: list[int] | None) -> Iterator[_Form]:
    """Rows of one call's results against rows of another's."""
    found = scene.finding.comparison
    for index, domain in enumerate(scene.cell.operation.results):
        axis = domain.axis_of("batch", given.options)
        if found is not None and (axis is not None or rows is of is None):
            yield _Form(
                {"case": given, "other": wanted},
                (f"expected = call(other()){_rows(axis, of)}",),
                (f"actual = call(case()){_rows(axis, rows)}",),
                largest_difference(found.actual, found.expected),
                index,
            )


def _rows(axis: int | None, rows: list[int] | None) -> str:
    return "" if axis is None or rows is None else f"[{':, ' * axis}{rows}]"


def _layouts(scene: _Scene) -> Iterator[_Form]:
    if len(scene.calls) == 2:
        here, plain = scene.calls
        yield from _two_calls(scene, here, None, plain, None)


def _batch_invariance(scene: _Scene) -> Iterator[_Form]:
    if not scene.calls:
        return
    whole, *derived = scene.calls
    size = whole.batch_size
    taken = [*([i] for i in sorted({0, size // 2, size - 1})), list(range(1, size))]
    for call, rows in zip(derived, taken, strict=False):
        yield from _two_calls(scene, call, None if len(rows) == call.batch_size else rows, whole, rows)


def _batch_permutation(scene: _Scene) -> Iterator[_Form]:
    if len(scene.calls) == 2:
        turned, whole = scene.calls
        yield from _two_calls(scene, turned, None, whole, list(range(whole.batch_size))[::-1])


def _batch_leak(scene: _Scene) -> Iterator[_Form]:
    if len(scene.calls) == 2:
        after, before = scene.calls
        others = [sample for sample in range(before.batch_size) if sample != before.batch_size // 2]
        yield from _two_calls(scene, after, others, before, others)


def _repeatability(scene: _Scene) -> Iterator[_Form]:
    for form in _two_calls(scene, scene.call, None, scene.call, None):
        again = dataclasses.replace(form, cases={"case": scene.call}, lines=("expected = call(case())",))
        yield again
        yield from (_after_others(scene, again, count) for count in _BEFORE)


def _inputs_unmodified(scene: _Scene) -> Iterator[_Form]:
    for name in scene.call.arguments:
        told = (f"expected, actual = (torch.as_tensor(each[{name!r}]) for each in (kept, arguments))",)
        yield _Form({"case": scene.call}, ("kept, arguments = case(), case()",), ("call(arguments)", *told), 0.0)


def _result_dtype(scene: _Scene) -> Iterator[_Form]:
    for index, domain in enumerate(scene.cell.operation.results):
        wanted = f"torch.{scene.case.dtype}, {scene.case.device!r}"
        risky = ("result = call(case())", "actual = result.dtype, result.device.type")
        if domain.kind == "float":
            yield _Form({"case": scene.call}, (f"expected = {wanted}",), risky, 0.0, index, differ=False)


def _nonfinite(scene: _Scene) -> Iterator[_Form]:
    """Where the result is finite, apart from what lies beyond the dtype."""
    limit = torch.finfo(getattr(torch, scene.case.dtype)).max
    for index, part in enumerate(_parts(scene, scene.call)):
        with np.errstate(all="ignore"):
            told = ~(np.isfinite(part.expected) & (np.abs(part.expected) > limit))
        among = "" if told.all() else f" & {_literal(told)}"
        lines = (f"expected = {_literal(np.isfinite(part.expected))}{among}  # where it is finite",)
        yield _Form({"case": scene.call}, lines, (f"actual = call(case()).isfinite(){among}",), 1.0, index)


_OF_PROPERTIES: dict[str, Callable[[_Scene], Iterator[_Form]]] = {
    "batch_gradient_leak": _gradient_leak,
    "batch_invariance": _batch_invariance,
    "batch_leak": _batch_leak,
    "batch_permutation": _batch_permutation,
    "gradients": _gradients,
    "inputs_unmodified": _inputs_unmodified,
    "layouts": _layouts,
    "nonfinite_propagation": _nonfinite,
    "repeatability": _repeatability,
    "result_dtype": _result_dtype,
}
"""The forms of those properties that look at something else than one result against the definition's."""


# The property itself


def _by_the_harness(scene: _Scene) -> _Form:
    """Ask the property of the rebuilt case."""
    cell, found = scene.cell, scene.finding.comparison
    lines = (
        *_operation_lines(scene),
        f"case = harness.Case.rebuild({scene.case.record()!r}, {{operation.name: operation}})",
        *_property_lines(scene),
        "subject = harness.Subject(operation, implementation)",
    )
    if found is None:
        risky: tuple[str, ...] = ("prop(subject, case)", "actual = expected")
        return _Form({}, (*lines, 'expected = "no error"'), risky, float("inf"), differ=False, harness=True)
    label = found.label
    risky = (
        f"compared = next(each for each in prop(subject, case) if each.label == {label!r})",
        "print(compared.label)",
        "expected, actual = (torch.as_tensor(each.astype(compared.actual.dtype)) for each in (compared.expected, compared.actual))",
    )
    measured = largest_difference(found.actual, found.expected)
    return _Form({}, lines, risky, measured, harness=True)


def _operation_lines(scene: _Scene) -> Iterator[str]:
    """How the script comes by the operation and the implementation."""
    operation, implementation = scene.cell.operation, scene.cell.implementation
    for module in sorted({operation.module, implementation.function.__module__}):
        if module.startswith("harness_candidate_"):
            yield f'made = harness.candidates.candidates(Path("{_file_of(scene)}"))  # lies beside this script'
    if operation.module.startswith("harness_candidate_"):
        yield f"operation = next(each for each in made.operations if each.name == {operation.name!r})"
    else:
        yield f"operation = harness.catalogue()[{operation.name!r}]"
    if _is_declared(scene):
        yield f"implementation = operation.find({implementation.name!r})"
    else:
        dtypes = "".join(f"{dtype}, " for dtype in implementation.dtypes)
        yield (
            "implementation = harness.declare.implementation.implementation_of(operation.name, operation.parameters, "
            f"candidate, {implementation.backend.name!r}, {implementation.name!r}, ({dtypes}))"
        )


def _is_declared(scene: _Scene) -> bool:
    operation, implementation = scene.cell.operation, scene.cell.implementation
    return implementation.name == "definition" or operation.implementations.get(implementation.name) is implementation


def _property_lines(scene: _Scene) -> Iterator[str]:
    prop = scene.cell.prop
    if prop.module.startswith("harness_properties_"):
        yield "from harness.verify.battery import every_claim, every_property"
        yield "known = [*every_property(), *(each.own for each in every_claim() if each.own)]"
        yield f"prop = next(each for each in known if each.name == {prop.name!r})"
    else:
        yield f"from {prop.module} import {prop.name} as prop"


def _file_of(scene: _Scene) -> str:
    code = getattr(scene.cell.implementation.function, "__code__", None)
    return Path(code.co_filename).name.replace('"', "") if code else "candidate.py"


# The script


@dataclass(frozen=True)
class _Script:
    """A form, written out."""

    scene: _Scene
    form: _Form
    diagnosis: str

    @property
    def text(self) -> str:
        """The whole script."""
        parts = (self._head, self._imports, self._candidate, self._body, self._ending)
        return "\n\n\n".join(part for part in parts if part) + "\n"

    def shown(self) -> float:
        """The largest difference that the script prints, run with a candidate that has no memory yet; 0 where it fails.

        It is run as an implementation is, so that it changes nothing for anybody else.
        """
        runner = dataclasses.replace(self.scene.cell.implementation, function=self._run, backend=BACKENDS["torch"])
        try:
            output = Subject(self.scene.cell.operation, runner).raw(self.scene.call)
        except _OTHER_FAULTS:
            return 0.0
        return printed_difference(output) or 0.0

    def _run(self, **_: Any) -> str:
        """What the script prints."""
        namespace: dict[str, Any] = {"__name__": "__main__"}
        candidate = self._candidate
        if isinstance(self.scene.excerpt, NoExcerpt):
            namespace[self._name], candidate = self.scene.cell.implementation.function, ""
        text = "\n\n".join((self._imports, candidate, self._body, self._ending))
        with contextlib.redirect_stdout(io.StringIO()) as told, torch.enable_grad():
            exec(compile(text, "<reproduction>", "exec"), namespace)
        return told.getvalue()

    @cached_property
    def _head(self) -> str:
        """What is wrong, why, and where it was seen, as comments."""
        from harness.explain.counterexample import sentence  # which imports this module

        cell, finding = self.scene.cell, self.scene.finding
        told = [f"{cell.implementation.key} is {finding.verdict.value.upper()}, by the property {cell.prop.name}: {sentence(finding)}"]
        found = finding.comparison
        if found is not None and not found.exact and found.unit.size and found.unit[found.worst_sample]:
            unit = found.unit[found.worst_sample]
            told.append(f"u, the error that rounding the arguments to {finding.case.dtype} makes unavoidable, is {unit:.2g} here.")
        if self.diagnosis:
            told.append(f"Why: {self.diagnosis}")
        if self.form.measured:
            told.append(f"Largest difference seen: {self.form.measured:.3g}")
        where = "cpu" if finding.case.device == "cpu" else torch.cuda.get_device_name()
        versions = [f"{name} {_version(name)}" for name in ("harness", *self._packages) if name in sys.modules]
        told.append(f"Found with {', '.join(versions)}, Python {platform.python_version()}, {platform.platform()}, on {where}.")
        if self.form.harness:
            told.append("Needs the harness, since this property looks at more than one result.")
        lines = [line for each in told for line in textwrap.wrap(visible(each), 110, break_on_hyphens=False)]
        return "\n".join(f"# {line}" for line in lines)

    @property
    def _packages(self) -> list[str]:
        return list(dict.fromkeys(("torch", "numpy", *self.scene.backend.packages)))

    @cached_property
    def _imports(self) -> str:
        lines = ["import platform", "import sys"]
        if "b85decode" in self._body:
            lines += ["import base64", "import zlib"]
        if self.form.harness:
            lines += ["from pathlib import Path", "import harness", "import harness.candidates"]
        if self.scene.backend.name == "keras":
            lines += ["import os", 'os.environ.setdefault("KERAS_BACKEND", "torch")']
        lines += ["import numpy"] * ("numpy." in self._body) + ["import torch"]
        if "jax" in self.scene.backend.packages:
            lines += ["import jax", 'jax.config.update("jax_enable_x64", True)']
        own = self.scene.excerpt.imports if isinstance(self.scene.excerpt, Excerpt) and self._takes_candidate else ()
        return "\n".join([*lines, *(line for line in own if line not in lines)])

    @property
    def _takes_candidate(self) -> bool:
        return not (self.form.harness and _is_declared(self.scene))

    @property
    def _name(self) -> str:
        """What the candidate is called in the script."""
        if isinstance(self.scene.excerpt, Excerpt):
            return self.scene.excerpt.name
        name = str(getattr(self.scene.cell.implementation.function, "__name__", ""))
        return name if name.isidentifier() else "candidate"

    @cached_property
    def _candidate(self) -> str:
        """The candidate's source, or where it is."""
        if not self._takes_candidate:
            return ""
        if isinstance(self.scene.excerpt, Excerpt):
            return self.scene.excerpt.source
        function = self.scene.cell.implementation.function
        why = "\n".join(f"# {line}" for line in textwrap.wrap(f"The candidate's source is not here: {visible(str(self.scene.excerpt))}.", 110))
        if getattr(sys.modules.get(function.__module__), self._name, None) is function and function.__module__ != "__main__":
            stem = _file_of(self.scene).removesuffix(".py")
            module = stem if function.__module__.startswith("harness_candidate_") else function.__module__
            return f"{why}\nfrom {module} import {self._name}"
        return f'{why}\ndef {self._name}(**arguments):\n    raise NotImplementedError("put the candidate here")'

    @cached_property
    def _body(self) -> str:
        cases = [_case(name, call, self.scene.backend) for name, call in self.form.cases.items()]
        steps = "\n".join((*self.form.lines, self._risky))
        body = "\n".join((*cases, *([self._call] if "call(" in steps else []), steps))
        if re.search(r"\b(inf|nan)\b", body):
            body = f"from torch import inf, nan\n\n{body}"
        return f"def {self._function}(candidate):\n" + textwrap.indent(f"{body}\n{self._tail}", "    ")

    @cached_property
    def _function(self) -> str:
        """The name of the script's own function, which nothing of the candidate's has."""
        name = "reproduce"
        while name in self._candidate:
            name += "_"
        return name

    @property
    def _ending(self) -> str:
        return f"{self._function}({self._name if self._takes_candidate else None})"

    @property
    def _call(self) -> str:
        """The candidate called, and its result brought back as a tensor."""
        count, foreign = len(self.scene.cell.operation.results), not self.scene.backend.differentiable
        if count == 1 and not foreign and self.scene.returns_a_tensor:
            return "def call(arguments):\n    with torch.no_grad():\n        return candidate(**arguments)\n"
        several = f"isinstance(results, (tuple, list)) and len(results) == {count}"
        back = "    if not isinstance(result, torch.Tensor) and hasattr(result, '__array__'):\n        result = torch.from_numpy(numpy.array(result))\n"
        return (
            "def call(arguments):\n    with torch.no_grad():\n        results = candidate(**arguments)\n"
            f"    result = results[{self.form.index}] if {several} else results\n{back if foreign else ''}    return result\n"
        )

    @property
    def _risky(self) -> str:
        lines = "\n".join(self.form.risky)
        if not self.scene.fails:
            return lines
        return f"try:\n{textwrap.indent(lines, '    ')}\nexcept BaseException as failure:\n    actual = repr(failure)"

    @property
    def _tail(self) -> str:
        """Printing, the same in every script."""
        kinds = [domain.kind for domain in self.scene.cell.operation.results]
        return _TAIL.format(
            difference=_DIFFERENCE.format(wide="complex128" if "complex" in kinds else "float64", device=self.scene.case.device)
            if self.form.differ
            else "if actual == expected:\n    largest = 0.0",
            precision=17 if self.scene.case.dtype == "float64" else 9,
            packages=tuple(self._packages),
        )


_TAIL = """
torch.set_printoptions(precision={precision})
print("expected:", expected, sep="\\n")
print("actual:", actual, sep="\\n")
largest = float("inf")  # where nothing came that could be compared
{difference}
print(f"largest difference: {{largest:.3g}}")
versions = [f"{{name}} {{sys.modules[name].__version__}}" for name in {packages} if name in sys.modules]
print("versions:", ", ".join([*versions, f"Python {{platform.python_version()}}", platform.platform()]))"""

_DIFFERENCE = """\
kind = lambda tensor: (tensor.shape, tensor.layout, tensor.is_floating_point())
if isinstance(actual, torch.Tensor) and kind(actual) == kind(expected) and actual.device.type == {device!r}:
    actual, expected = (tensor.detach().cpu().to(torch.{wide}) for tensor in (actual, expected))
    same = (actual == expected) | (actual.isnan() & expected.isnan())
    apart = torch.where(same, 0.0, (actual - expected).abs()).nan_to_num(nan=largest, posinf=largest)
    largest = max(apart.flatten().tolist(), default=0.0)"""


def _case(name: str, call: Call, backend: Backend) -> str:
    """A function that makes a call's arguments, new ones each time."""
    tensors = {each: _RECEIVED.get(backend.name, "{}.numpy()").format(tensor_literal(tensor)) for each, tensor in call.arguments.items()}
    given = tensors | {each: repr(value) for each, value in call.options.items()}
    lines = "".join(f"        {each}={value},\n" for each, value in given.items())
    return f"def {name}():\n    return dict(\n{lines}    )\n"


_RECEIVED = {
    "torch": "{}",
    "gpytorch": "{}",
    "kornia": "{}",
    "jax": "jax.device_put({}.numpy())",
    "equinox": "jax.device_put({}.numpy())",
}
"""How a backend takes a tensor over, in plain Python; by default as a numpy array."""


def _literal(array: Any) -> str:
    wide = np.array(array, dtype=np.float64 if array.dtype.kind == "f" else None)
    return tensor_literal(torch.from_numpy(wide))


def _version(package: str) -> str:
    return str(getattr(sys.modules[package], "__version__", "?"))
