"""A script: one form, written out as Python that runs by itself."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import platform
import re
import sys
import textwrap
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch

from harness.candidates import is_candidate
from harness.declare.devices import device_named
from harness.declare.triton_interpreter import interpreted_on_the_cpu, script_lines, watched
from harness.explain.evidence import FAULTS, Evidence, Form
from harness.explain.excerpt import Excerpt, NoExcerpt
from harness.explain.literal import tensor_literal, written
from harness.explain.sentence import sentence
from harness.explain.visible import visible
from harness.generate.case import Call
from harness.verify.beside import modules_beside
from harness.verify.subject import Subject

_PRINTED = re.compile(r"^largest difference: (\S+)$", re.MULTILINE)


def printed_difference(output: str) -> float | None:
    """The largest difference that a script has printed, None where it did not come to one."""
    found = _PRINTED.findall(output)
    return float(found[-1]) if found else None


@dataclass(frozen=True)
class Script:
    """A form, written out."""

    evidence: Evidence
    form: Form
    diagnosis: str = ""

    @property
    def text(self) -> str:
        """The whole script."""
        parts = (self._head, self._imports, self._candidate, self._body, self._ending)
        return "\n\n\n".join(part for part in parts if part) + "\n"

    def because(self, diagnosis: str) -> Script:
        """The same script, which says why in its head."""
        return dataclasses.replace(self, diagnosis=diagnosis)

    def shown(self) -> float:
        """The largest difference that the script prints, run with a candidate that has no memory yet; 0 where it fails.

        It is run as an implementation is, so that it changes nothing for anybody else. Where kernels load or store outside
        of their tensors it is 0 as well: whoever runs the script finds something else there.
        """
        operation = self.evidence.cell.operation
        run = interpreted_on_the_cpu(self._run) if self.evidence.backend.watched else self._run
        runner = dataclasses.replace(operation.own, function=run)
        try:
            with watched() as watch:
                (output,) = Subject(operation, runner).raw(self.evidence.case.plain_call())
        except FAULTS:
            return 0.0
        return 0.0 if watch.faults else printed_difference(output) or 0.0

    def _run(self, **_: Any) -> str:
        """What the script prints."""
        namespace: dict[str, Any] = {"__name__": "__main__"}
        candidate = self._candidate
        if isinstance(self.evidence.excerpt, NoExcerpt):
            namespace[self._name], candidate = self.evidence.cell.implementation.function, ""
        text = "\n\n".join((self._imports, candidate, self._body, self._ending))
        with contextlib.redirect_stdout(io.StringIO()) as told, torch.enable_grad():
            exec(compile(text, "<reproduction>", "exec"), namespace)
        return told.getvalue()

    @cached_property
    def _head(self) -> str:
        """What is wrong, why, and where it was seen, as comments."""
        cell, finding = self.evidence.cell, self.evidence.finding
        told = [
            f"{cell.implementation.key} is {finding.verdict.value.upper()}, by the property {cell.prop.name}: {sentence(finding)}"
        ]
        found = finding.comparison
        if found is not None and not found.exact and found.noise_floor.size and found.noise_floor[found.worst_sample]:
            unit = found.noise_floor[found.worst_sample]
            told.append(
                f"The noise floor, what rounding the arguments to {finding.case.dtype} makes of the result, is {unit:.2g} here."
            )
        if self.diagnosis:
            told.append(f"Why: {self.diagnosis}")
        if self.form.measured:
            told.append(f"Largest difference seen: {self.form.measured:.3g}")
        where = device_named(finding.case.device).title
        versions = [f"{name} {_version(name)}" for name in ("harness", *self._packages) if name in sys.modules]
        told.append(
            f"Found with {', '.join(versions)}, Python {platform.python_version()}, {platform.platform()}, on {where}."
        )
        if self.form.harness:
            told.append("Needs the harness, since this property looks at more than one result.")
        return "\n".join(map(_comment, told))

    @property
    def _packages(self) -> list[str]:
        return list(dict.fromkeys(("torch", "numpy", *self.evidence.backend.packages)))

    @cached_property
    def _imports(self) -> str:
        lines = ["import platform", "import sys"]
        if "b85decode" in self._body:
            lines += ["import base64", "import zlib"]
        if self.form.harness:
            lines += ["from pathlib import Path", "import harness", "import harness.candidates"]
        lines += self.evidence.backend.setup
        if self.evidence.backend.watched and self.evidence.case.device == "cpu":
            lines += script_lines(self._candidate)
        lines += ["import numpy"] * ("numpy." in self._body) + ["import torch"]
        lines += self._settings
        own = (
            self.evidence.excerpt.imports
            if isinstance(self.evidence.excerpt, Excerpt) and self._takes_candidate
            else ()
        )
        return "\n".join([*lines, *(line for line in own if line not in lines)])

    @property
    def _settings(self) -> list[str]:
        """How PyTorch has to multiply, where it would not of itself: TF32 is on for cuDNN, and other math modes are off."""
        case, lines = self.evidence.case, []
        if case.precision.is_mode:
            lines.append(f'torch.set_float32_matmul_precision("{case.precision.products}")')
        return [*lines, *(f"{setting} = {case.precision.is_mode}" for setting in device_named(case.device).settings)]

    @property
    def _takes_candidate(self) -> bool:
        return not (self.form.harness and self.evidence.is_declared)

    @property
    def _name(self) -> str:
        """What the candidate is called in the script."""
        if isinstance(self.evidence.excerpt, Excerpt):
            return self.evidence.excerpt.name
        where = _importable_from(self.evidence)
        return where[1] if where else "candidate"

    @cached_property
    def _candidate(self) -> str:
        """The candidate's source, or where it is."""
        if not self._takes_candidate:
            return ""
        if isinstance(self.evidence.excerpt, Excerpt):
            return self.evidence.excerpt.source
        why = _comment(f"The candidate's source is not here: {self.evidence.excerpt}.")
        where = _importable_from(self.evidence)
        if where is not None:
            return f"{why}\nfrom {where[0]} import {where[1]}"
        return f'{why}\ndef {self._name}(**arguments):\n    raise NotImplementedError("put the candidate here")'

    @cached_property
    def _body(self) -> str:
        cases = [_case(name, self.evidence, call) for name, call in self.form.cases.items()]
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
        given = self.evidence.backend.prepared.replace("{}", self._name) if self._takes_candidate else "None"
        return f"{self._function}({given})"

    @property
    def _call(self) -> str:
        """The candidate called, and its result brought back as a tensor."""
        count, foreign = len(self.evidence.cell.operation.results), not self.evidence.backend.differentiable
        given = "**arguments" if self.evidence.cell.implementation.by_name else "*arguments.values()"
        if count == 1 and not foreign and self.evidence.returns_a_tensor:
            return f"def call(arguments):\n    with torch.no_grad():\n        return candidate({given})\n"
        return _CALL.format(given=given, result=self._result, back=_BACK if foreign else "", picked=self._picked)

    @property
    def _result(self) -> str:
        """How the compared one is taken from the results: what was written to, by its name, or by its place."""
        made, results = self.evidence.cell.implementation, self.evidence.cell.operation.signature.results
        written, index, count = made.mutates or made.out, self.form.index, len(results.domains)
        if written:
            taken = f"arguments[{made.parameter(written)!r}]"
            return f"{taken}[{index}]" if made.out and count > 1 else taken
        placed = f"results[{index}] if isinstance(results, (tuple, list)) and len(results) == {count} else results"
        if not results.names:
            return placed
        name = results.names[index]
        named = f"results[{name!r}] if isinstance(results, dict) else getattr(results, {name!r}, None)"
        return f"{named}\n    if result is None:\n        result = {placed}"

    @property
    def _picked(self) -> str:
        """What takes the place of indices that are right where what they pick is."""
        picks, made = self.evidence.cell.operation.results[self.form.index].picks, self.evidence.cell.implementation
        if picks is None:
            return ""
        source = f"arguments[{made.parameter(picks.argument)!r}]"
        return (
            f"    result = torch.take_along_dim({source}, result.long(), {picks.axis})  # any order of ties will do\n"
        )

    @property
    def _risky(self) -> str:
        lines = "\n".join(self.form.risky)
        if not self.evidence.fails:
            return lines
        return f"try:\n{textwrap.indent(lines, '    ')}\nexcept BaseException as failure:\n    actual = repr(failure)"

    @property
    def _tail(self) -> str:
        """Printing, the same in every script."""
        is_complex = any(
            domain.kind == "complex"
            for domain in (*self.evidence.case.given.values(), *self.evidence.cell.operation.results)
        )
        return _TAIL.format(
            pairs=_PAIRS if is_complex and self.form.differ else "",
            difference=_DIFFERENCE.format(
                wide="complex128" if is_complex else "float64",
                device=device_named(self.evidence.case.device).kind,
            )
            if self.form.differ
            else "if actual == expected:\n    largest = 0.0",
            precision=17 if self.evidence.case.dtype == "float64" else 9,
            packages=tuple(self._packages),
        )


def of_the_end(evidence: Evidence, seconds: float) -> str:
    """A script for a case that ends its process: it makes the call in a child, and says how that ended."""
    form = Form({"case": evidence.call}, (), (), 0.0, differ=False)
    script = Script(evidence, form, "")
    ending = _CHILD.format(
        prepared=evidence.backend.prepared.replace("{}", script._name),
        seconds=seconds,
        waiting="".join(f"\n    {line}" for line in device_named(evidence.case.device).waiting),
    )
    parts = (
        script._head,
        f"import subprocess\n{script._imports}\nfrom torch import inf, nan",
        script._candidate,
        _case("case", evidence, evidence.call),
        ending,
    )
    return "\n\n\n".join(part for part in parts if part) + "\n"


_CHILD = """\
if sys.argv[1:] == ["child"]:
    candidate = {prepared}
    candidate(**case()){waiting}
else:
    try:
        ended = subprocess.run([sys.executable, __file__, "child"], timeout={seconds}).returncode
        print(f"the call ended with exit status {{ended}}" + ("" if ended >= 0 else ", which is a signal"))
    except subprocess.TimeoutExpired:
        print("the call did not return within {seconds} s and was stopped")"""

_CALL = """\
def call(arguments):
    with torch.no_grad():
        results = candidate({given})
    result = {result}
{back}{picked}    return result
"""

_BACK = """\
    if not isinstance(result, torch.Tensor) and hasattr(result, "__array__"):
        result = torch.from_numpy(numpy.array(result))
"""

_PAIRS = """
if isinstance(actual, torch.Tensor) and actual.is_complex() and not expected.is_complex():
    expected = torch.view_as_complex(expected.contiguous())  # of pairs of numbers"""

_TAIL = """{pairs}
torch.set_printoptions(precision={precision})
print("expected:", expected, sep="\\n")
print("actual:", actual, sep="\\n")
largest = float("inf")  # where nothing came that could be compared
{difference}
print(f"largest difference: {{largest:.3g}}")
versions = [f"{{name}} {{sys.modules[name].__version__}}" for name in {packages} if name in sys.modules]
print("versions:", ", ".join([*versions, f"Python {{platform.python_version()}}", platform.platform()]))"""

_DIFFERENCE = """\
kind = lambda tensor: (tensor.shape, tensor.layout, tensor.is_floating_point(), tensor.is_complex())
if isinstance(actual, torch.Tensor) and kind(actual) == kind(expected) and actual.device.type == {device!r}:
    actual, expected = (tensor.detach().cpu().to(torch.{wide}) for tensor in (actual, expected))
    same = (actual == expected) | (actual.isnan() & expected.isnan())
    apart = torch.where(same, 0.0, (actual - expected).abs()).nan_to_num(nan=largest, posinf=largest)
    largest = max(apart.flatten().tolist(), default=0.0)"""


def _case(name: str, evidence: Evidence, call: Call) -> str:
    """A function that makes a call's arguments, new ones each time, by the names that the candidate has for them."""
    made, signature = evidence.cell.implementation, evidence.cell.operation.signature
    tensors = {
        each: _reversed(tensor)
        if each in call.reversed
        else evidence.backend.received.replace("{}", tensor_literal(tensor))
        for each, tensor in call.arguments.items()
    }
    given = signature.assembled(tensors, {each: repr(value) for each, value in call.options.items()}, call.sizes)
    if made.out:
        memory = [tensor_literal(each.tensor) for each in evidence.subject.memory(call)]
        given[made.out] = memory[0] if len(memory) == 1 else memory
    lines = "".join(f"        {made.parameter(each)}={written(value)},\n" for each, value in given.items())
    return f"def {name}():\n    return dict(\n{lines}    )\n"


def _reversed(tensor: torch.Tensor) -> str:
    """A numpy array with negative strides."""
    return f"numpy.flip({tensor_literal(tensor.flip(tuple(range(tensor.ndim))))}.numpy())"


def _version(package: str) -> str:
    return str(getattr(sys.modules[package], "__version__", "?"))


def _comment(text: str) -> str:
    """A sentence as lines of a comment, whatever it contains."""
    return "\n".join(f"# {line}" for line in textwrap.wrap(visible(text), 110, break_on_hyphens=False))


def _importable_from(evidence: Evidence) -> tuple[str, str] | None:
    """The module from which a candidate can be imported, and its name there; None where there is none."""
    operation, implementation = evidence.cell.operation, evidence.cell.implementation
    libraries = [sys.modules[name] for name in _LIBRARIES if name in sys.modules]
    for module in (*modules_beside(operation, implementation), *libraries):
        for name, value in vars(module).items():
            if value is implementation.function and module.__name__ != "__main__" and name.isidentifier():
                file = str(module.__file__)
                return (Path(file).stem if is_candidate(module.__name__) else module.__name__), name
    return None


_LIBRARIES = ("torch", "torch.nn.functional", "numpy")
"""Where builtins are found, which do not say where they can be imported from."""
