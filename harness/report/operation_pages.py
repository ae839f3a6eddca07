"""Pages of operations: one in Markdown for each, made of its declaration and its docstrings."""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Callable, Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from harness.declare.axes import Axis
from harness.declare.domain import TensorDomain
from harness.declare.operation import Operation
from harness.declare.structure import name_of
from harness.generate.patterns import patterns_for
from harness.report.folder import Folder
from harness.verify.claim import Claim
from harness.verify.suite import every_claim, every_property
from harness.verify.support import served_dtypes


def write_pages(operations: Iterable[Operation], folder: Path) -> list[Path]:
    """Write the pages of operations into a folder; returns the paths.

    Raises InfrastructureError where somebody else's file, or a link, is in the way.
    """
    pages = operation_pages(operations)
    with Folder(folder) as made:
        for name, text in pages.items():
            made.write(name, text)
    return [folder / name for name in pages]


def operation_pages(operations: Iterable[Operation]) -> dict[str, str]:
    """By file name, the page of every operation and a `README.md` that lists them."""
    chosen = sorted(operations, key=lambda operation: operation.name)
    pages = {f"{operation.name}.md": operation_page(operation) for operation in chosen}
    return pages | {"README.md": _template("operations.md").render(operations=chosen, claims_of=_claims_of)}


def operation_page(operation: Operation) -> str:
    """One operation's page: what it computes, its domain, edges, implementations, properties and claims."""
    return _template("operation.md").render(
        operation=operation,
        about=_prose(inspect.getdoc(operation.definition) or ""),
        definition=_source(operation.definition),
        claims=_claims_of(operation),
        properties=[prop for prop in every_property() if prop.applies(operation)],
        implementations=[(made, _sentence(made.function)) for made in operation.implementations.values()],
    )


@lru_cache(maxsize=4)
def _template(name: str) -> Any:
    made = Environment(
        loader=PackageLoader("harness.report", "templates"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters.update(
        axes=_axes, cell=_cell, condition=_condition, dtypes=served_dtypes, filling=_filling, sentence=_sentence
    )
    return made.get_template(name)


def _claims_of(operation: Operation) -> list[Claim]:
    """The claims about an operation."""
    return [claim for claim in every_claim() if claim.of and claim.is_about(operation)]


def _axes(axes: Iterable[Axis]) -> str:
    """Axes as jaxtyping writes them."""
    written = " ".join(axis.text for axis in axes)
    return f"`{written}`" if written else "none"


def _filling(domain: TensorDomain, operation: Operation) -> str:
    """What fills a tensor argument."""
    if domain.constraint is not None:
        return f"value patterns, brought into the domain: {domain.constraint}"
    if domain.structure is None:
        return f"value patterns ({', '.join(patterns_for(operation))})"
    return f"`{name_of(domain.structure)}`: {_sentence(domain.structure)}"


def _condition(where: Callable[..., bool]) -> str:
    """What sizes and options must fulfil to go together."""
    about = ", ".join(f"`{name}`" for name in inspect.signature(where).parameters)
    told = _sentence(where)
    return f"A condition ties {about}: {told}" if told else f"A condition ties {about}."


def _sentence(function: object) -> str:
    """The first paragraph of a docstring, in a line."""
    return " ".join((inspect.getdoc(function) or "").partition("\n\n")[0].split())


def _prose(text: str) -> str:
    """Text as Markdown shows it: outside of code, an index in brackets is no link."""
    return re.sub(r"`[^`]*`|\[", lambda found: found[0] if len(found[0]) > 1 else r"\[", text)


def _cell(text: object) -> str:
    """Text that may stand in a cell of a Markdown table."""
    return _prose(str(text)).replace("|", "\\|").replace("\n", " ")


def _source(function: Any) -> str:
    try:
        source = textwrap.dedent(inspect.getsource(function))
    except OSError:
        return ""
    return source[source.index("def ") :].rstrip()
