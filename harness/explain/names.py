"""Names in Python source: those that a statement binds, changes or uses, and others in their place."""

from __future__ import annotations

import ast
import copy
import symtable
from collections.abc import Iterator, Mapping
from typing import Any


def singly(statements: list[Any]) -> Iterator[ast.stmt]:
    """The statements, imports of several names one after another."""
    for statement in statements:
        if isinstance(statement, ast.Import | ast.ImportFrom):
            for alias in statement.names:
                single = copy.copy(statement)
                single.names, single.col_offset = [alias], alias.col_offset
                single.lineno = alias.lineno
                yield single
        else:
            yield statement


def bound(statement: ast.stmt) -> list[str]:
    """The names that a statement at the top of a file binds, or whose values it changes."""
    names: list[str] = []
    match statement:
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            names = [name]
        case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
            names = [alias.asname or alias.name.partition(".")[0] for alias in aliases]
        case ast.Assign(targets=targets):
            names = [name for target in targets for name in _changed(target)]
        case ast.AnnAssign(target=target, value=ast.expr()) | ast.AugAssign(target=target):
            names = _changed(target)
        case ast.Expr(value=ast.Call(func=called)):
            names = [chain(called)[0]]
        case ast.If() | ast.Try() | ast.With() | ast.For() | ast.While() if not _is_for_others(statement):
            names = [name for each in _statements_in(statement) for name in bound(each)]
    return names


def _is_for_others(statement: ast.stmt) -> bool:
    """Whether it is `if __name__ == "__main__"`."""
    return isinstance(statement, ast.If) and "__name__" in ast.unparse(statement.test)


def _statements_in(statement: ast.stmt) -> Iterator[ast.stmt]:
    """The statements of a block and of its handlers."""
    for each in ast.iter_child_nodes(statement):
        if isinstance(each, ast.ExceptHandler):
            yield from each.body
        elif isinstance(each, ast.stmt):
            yield each


def _changed(target: ast.expr) -> list[str]:
    """The names at the roots of what is assigned to: `a`, `a.b`, `a[0]`, `a, b`."""
    if isinstance(target, ast.Tuple | ast.List):
        return [name for each in target.elts for name in _changed(each)]
    while isinstance(target, ast.Attribute | ast.Subscript | ast.Starred):
        target = target.value
    return [target.id] if isinstance(target, ast.Name) else []


def names_of(source: str) -> set[str]:
    """The names that source takes from its file, or gives to it."""
    return used(source) | {name for statement in ast.parse(source).body for name in bound(statement)}


def used(source: str) -> set[str]:
    """The names that source takes from its file, or from Python itself."""
    tables = [symtable.symtable(source, "excerpt", "exec")]
    found: set[str] = set()
    while tables:
        table = tables.pop()
        top = table.get_type() == "module"
        found |= {
            each.get_name() for each in table.get_symbols() if (each.is_referenced() if top else each.is_global())
        }
        tables += table.get_children()
    return found


def assigned(node: ast.AST, name: str) -> ast.expr | None:
    """What a statement assigns to a name: `name = …`, `name: … = …`, `name, other = …, …`."""
    match node:
        case (
            ast.Assign(targets=[ast.Name(id=target)], value=value)
            | ast.AnnAssign(target=ast.Name(id=target), value=value)
        ):
            return value if target == name else None
        case ast.Assign(targets=[ast.Tuple(elts=targets)], value=ast.Tuple(elts=values)) if len(targets) == len(values):
            pairs = zip(targets, values, strict=True)
            return next((value for each, value in pairs if isinstance(each, ast.Name) and each.id == name), None)
    return None


def chain(node: ast.expr) -> tuple[str, list[str]]:
    """The name at the root of `a.b.c` and what follows it; an empty name for anything else."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.insert(0, node.attr)
        node = node.value
    return (node.id if isinstance(node, ast.Name) else ""), parts


class Renamed(ast.NodeTransformer):
    """Exchanges names."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = names

    def visit_Name(self, node: ast.Name) -> ast.AST:
        """Where a name is used or assigned to."""
        return ast.Name(self._names.get(node.id, node.id), node.ctx)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        """Where a function is defined."""
        node.name = self._names.get(node.name, node.name)
        return self.generic_visit(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        """Where a class is defined."""
        node.name = self._names.get(node.name, node.name)
        return self.generic_visit(node)

    def visit_Global(self, node: ast.Global) -> ast.AST:
        """Where a function says that a name is its file's."""
        return ast.Global([self._names.get(name, name) for name in node.names])
