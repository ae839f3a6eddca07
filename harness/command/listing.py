"""`harness list`: operations, implementations, properties, and what is unavailable here and why."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from harness.candidates import Candidates, candidates
from harness.catalogue import catalogue, choose
from harness.command.importing import rehearse_import
from harness.command.options import examples, json_option
from harness.command.run import complete_operations
from harness.declare.backends import BACKENDS
from harness.declare.operation import Operation
from harness.execute.fork_server import begin
from harness.explain.known_causes import causes_in, every_cause
from harness.generate.layouts import LAYOUTS
from harness.generate.patterns import PATTERNS
from harness.generate.precision import PRECISIONS
from harness.record.listed import listed
from harness.registry import OURS, origin_of
from harness.report.outputs import OUTPUTS
from harness.verify.property import Property
from harness.verify.suite import every_property

IMPORT_SECONDS = 60.0
"""How long a file may take to be imported."""

_EXAMPLES = examples(
    ("harness list", "every operation"),
    ("harness list linear", "one operation, its implementations and properties"),
    ("harness list mine.py", "what a file declares, and what would be asked of it"),
    ("harness list --json", "for a script, with options, sizes and dtypes"),
)


@click.command(name="list", epilog=_EXAMPLES)
@click.argument("operations", nargs=-1, shell_complete=complete_operations, metavar="[OPERATION|FILE]...")
@json_option
def listing(operations: tuple[str, ...], as_json: bool) -> None:
    """List operations with their implementations and properties, and what is unavailable here and why.

    A FILE stands for what it declares, with the properties that it states itself.
    """
    files = [name for name in operations if name.endswith(".py")]
    brought = [_brought(Path(file)) for file in files]
    names = [name for name in operations if name not in files]
    chosen = [each for found in brought for each in found.operations]
    chosen += choose(names, catalogue()) if names or not files else []
    stated = [*every_property(), *(prop for found in brought for prop in found.properties)]
    if as_json:
        click.echo(json.dumps([_entry(operation, stated) for operation in chosen], indent=2))
        return
    console = Console(highlight=False)
    table = Table("operation", "implementations", "properties")
    for operation in chosen:
        table.add_row(_head(operation), _implementations(operation), ", ".join(_properties(operation, stated)))
    console.print(table)
    added = Table("kind", "name", "from")
    for kind, name, origin in _additions(chosen, stated):
        added.add_row(kind, name, origin)
    if added.row_count:
        console.print(added)


def _additions(chosen: list[Operation], stated: list[Property]) -> Iterator[tuple[str, str, str]]:
    """What is not the harness' own: of which kind it is, its name, and the package or file that brings it."""
    declared: list[tuple[str, str, str]] = [("operation", each.name, origin_of(each.module)) for each in chosen]
    declared += [("property", each.name, origin_of(each.module)) for each in stated]
    beside = (
        cause
        for module in {each.module: sys.modules[each.module] for each in chosen}.values()
        for cause in causes_in(module)
    )
    causes = dict.fromkeys((*every_cause(), *beside))
    declared += [("cause", each.name, origin_of(each.module)) for each in causes]
    for registry in (BACKENDS, PRECISIONS, PATTERNS, LAYOUTS, OUTPUTS):
        declared += [(registry.kind, name, registry.origin(name)) for name in registry]
    yield from (each for each in declared if each[2] != OURS)


def _head(operation: Operation) -> Text:
    arguments = [f"\n{name}: {domain.words}" for name, domain in operation.tensors.items()]
    return Text.assemble((operation.name, "bold"), "\n", operation.summary, ("".join(arguments), "dim"))


def _implementations(operation: Operation) -> Text:
    lines = Text()
    for made in operation.implementations.values():
        missing = made.unavailable()
        lines.append(
            f"{made.name} ({made.backend.name})" + (f": unavailable, {missing}" if missing else "") + "\n",
            "dim" if missing else "",
        )
    lines.rstrip()
    return lines


def _brought(file: Path) -> Candidates:
    """What a file declares, which is imported in a process of its own first."""
    begin()
    rehearse_import(file, IMPORT_SECONDS, None)
    return candidates(file)


def _properties(operation: Operation, stated: Iterable[Property]) -> list[str]:
    there = (operation.own, *operation.implementations.values())
    asked = (prop for prop in stated if prop.applies(operation))
    return [prop.name for prop in asked if any(prop.declared(operation, made) for made in there)]


def _entry(operation: Operation, stated: Iterable[Property]) -> dict[str, Any]:
    return {
        "operation": operation.name,
        "from": origin_of(operation.module),
        "summary": operation.summary,
        "arguments": {name: domain.words for name, domain in operation.tensors.items()},
        "results": [domain.words for domain in operation.results],
        "options": {name: list(domain.values) for name, domain in operation.options.items()},
        "sizes": operation.sizes,
        "implementations": [
            {
                "name": made.name,
                "backend": made.backend.name,
                "dtypes": listed(made).dtypes,
                "unavailable": made.unavailable(),
            }
            for made in operation.implementations.values()
        ],
        "properties": _properties(operation, stated),
    }
