"""An excerpt: a function with everything that it needs of its own file, of files beside it and of the harness.

Imports of other packages stay import lines. Decorators that only declare something to the harness are dropped, and so
are annotations, comments, and whatever the function does not use. An operation that is called becomes its definition.
"""

from __future__ import annotations

import ast
import copy
import graphlib
import importlib
import importlib.util
import inspect
import linecache
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np
import torch

from harness.declare.callables import applied, plain
from harness.declare.operation import Operation
from harness.explain.literal import tensor_literal
from harness.explain.names import Renamed, assigned, bound, chain, names_of, singly, used

_LONGEST = 40_000
"""Characters of an excerpt, beyond which it helps nobody."""

_LAST = 1_000_000
"""The line of what comes after everything else of its file."""

Definition = ast.FunctionDef | ast.Lambda
Key = tuple[str, int, int]
"""Where a piece comes from: file, line and column."""


class NoExcerpt(Exception):
    """The source of a function can't be taken over. The message says why."""


@dataclass(frozen=True)
class Excerpt:
    """Source that defines a function under `name`; `imports` must stand before it."""

    name: str
    imports: tuple[str, ...]
    source: str


def excerpt(function: Callable[..., Any]) -> Excerpt:
    """A function's source with all that it uses. Raises NoExcerpt."""
    gathered = _Gathered(_folder_of(function))
    try:
        name = gathered.function(function, "candidate")
        return gathered.excerpt(name)
    except (RecursionError, ImportError) as failure:
        raise NoExcerpt(f"what it uses can't be followed: {failure}") from None


def _folder_of(function: Callable[..., Any]) -> Path | None:
    """The folder whose modules belong to the function, None where they are another package's."""
    code = plain(function)
    path = Path(code.__code__.co_filename) if code is not None else None
    return path.parent.resolve() if path and path.exists() and not _is_installed(path) else None


def _path_of(module: str) -> Path | None:
    """Where a module lies, found without an import of anybody else's package; None where it is built in, or frozen."""
    try:
        origin = importlib.util.find_spec(module.partition(".")[0])
        if origin is None or not origin.origin or _is_installed(Path(origin.origin)):
            return None
        found = importlib.util.find_spec(module)
    except (ImportError, ValueError):
        return None
    return Path(found.origin).resolve() if found and found.origin and found.has_location else None


def _is_installed(path: Path) -> bool:
    return bool({"site-packages", "dist-packages"} & set(path.parts)) or Path(ast.__file__).parent in path.parents


class _File:
    """A file of source: its statements by the names that they bind or change, and the values of those names."""

    def __init__(self, path: str, values: Mapping[str, Any]) -> None:
        self.path, self.values = path, values
        lines = linecache.getlines(path)  # which knows a notebook's cells as well
        if not lines:
            raise NoExcerpt("its source is not in a file")
        try:
            self.tree = ast.parse("".join(lines))
        except (SyntaxError, ValueError):
            raise NoExcerpt(f"{Path(path).name} is not Python as it stands, or no longer") from None
        self.statements: dict[str, list[ast.stmt]] = {}
        for statement in singly(self.tree.body):
            for name in bound(statement):
                if not (isinstance(statement, ast.Expr) and _is_the_harness(values.get(name))):
                    self.statements.setdefault(name, []).append(statement)

    def definition(self, code: CodeType) -> Definition:
        """The definition that was compiled to this code."""
        found = [node for node in ast.walk(self.tree) if _is_of(node, code)]
        if len(found) != 1:
            raise NoExcerpt("its definition can't be told from others on its line")
        return found[0]  # type: ignore[return-value]

    def around(self, node: Definition) -> ast.FunctionDef | None:
        """The function in which a definition stands."""
        outer = [
            each
            for each in ast.walk(self.tree)
            if isinstance(each, ast.FunctionDef) and each is not node and any(child is node for child in ast.walk(each))
        ]
        return max(outer, key=lambda each: each.lineno, default=None)


def _is_of(node: ast.AST, code: CodeType) -> bool:
    if isinstance(node, ast.Lambda):
        names = tuple(argument.arg for argument in (*node.args.posonlyargs, *node.args.args))
        return code.co_name == "<lambda>" and node.lineno == code.co_firstlineno and names == _arguments(code)
    if isinstance(node, ast.FunctionDef):
        first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
        return code.co_name == node.name and first == code.co_firstlineno
    return False


def _arguments(code: CodeType) -> tuple[str, ...]:
    return code.co_varnames[: code.co_argcount]


def _is_the_harness(value: Any) -> bool:
    """Whether a value belongs to the harness' own way of declaring things, and not to a computation."""
    module = value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", None) or ""
    return isinstance(value, Operation) or str(module).partition(".")[0] == "harness"


class _Gathered:
    """What has been gathered so far: pieces of source by where they come from, import lines, and whose every name is."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._files: dict[str, _File] = {}
        self._pieces: dict[Key, str] = {}
        self._imports: dict[str, None] = {}
        self._owners: dict[str, str] = {}
        self._imported: dict[tuple[str, str], tuple[str, str]] = {}
        self._renamed: dict[tuple[str, str], str] = {}
        self._met: set[tuple[str, str]] = set()
        self._after: dict[str, set[str]] = {}

    def excerpt(self, name: str) -> Excerpt:
        """Everything gathered, file after file in the order of their imports, each in the order of its lines."""
        try:
            order = list(graphlib.TopologicalSorter(self._after).static_order())
        except graphlib.CycleError:
            raise NoExcerpt("its files import one another") from None
        keys = sorted(self._pieces, key=lambda key: (order.index(key[0]), *key[1:]))
        source = "\n\n\n".join(self._spelled(key) for key in keys if self._pieces[key])
        if len(source) > _LONGEST:
            raise NoExcerpt(f"it takes {len(source):,} characters of source with all that it uses")
        return Excerpt(name, tuple(self._imports), source)

    # Names

    def need(self, file: _File, name: str) -> None:
        """Gather whatever a name of a file stands for."""
        if (file.path, name) in self._met:
            return
        self._met.add((file.path, name))
        if name in file.statements:
            for statement in file.statements[name]:
                self._take(file, statement)
        elif name == "__file__":
            raise NoExcerpt("it reads files that lie beside its own")
        elif name in file.values and not name.startswith("__"):
            self._of_value(file, name, file.values[name])

    def need_of(self, file: _File, module: str, name: str, called: str) -> None:
        """Gather a name of another module, which is `called` so in the file and is taken over before it."""
        other = self._file_of(module)
        if name not in other.statements and name not in other.values:
            raise NoExcerpt(f"{name} is not in {module}")
        if other is not file:
            self._after[file.path].add(other.path)
            self._imported[file.path, called] = other.path, name
        self.need(other, name)

    def takes_over(self, module: str) -> bool:
        """Whether a module is written out and not imported: the harness' own, and those beside the function."""
        if module.partition(".")[0] == "harness":
            return True
        path = _path_of(module) if self._folder else None
        return path is not None and path.parent == self._folder

    def _owned(self, name: str, owner: str) -> None:
        """Note whose a name is; a file in which it means something else than elsewhere calls it otherwise."""
        first = self._owners.setdefault(name, owner)
        if first == owner:
            return
        path = next((each for each in (owner, first) if each in self._files), None)
        if path is None:
            raise NoExcerpt(f"two things that it uses are called {name}")
        self._renamed[path, name] = f"{name}_of_{Path(path).stem}"

    def _spelled(self, key: Key) -> str:
        """A piece of source with the names that its file calls otherwise."""
        source, other = self._pieces[key], {}
        for name in names_of(source):
            meant = (key[0], name)
            while meant in self._imported:
                meant = self._imported[meant]
            other[name] = self._renamed.get(meant, meant[1])
        same = all(name == now for name, now in other.items())
        return source if same else ast.unparse(Renamed(other).visit(ast.parse(source)))

    def _file(self, path: str, values: Mapping[str, Any]) -> _File:
        if path not in self._files:
            self._files[path] = _File(path, values)
            self._after[path] = set()
        return self._files[path]

    def _file_of(self, module: str) -> _File:
        there = importlib.import_module(module)
        return self._file(str(there.__file__), vars(there))

    # Statements

    def _take(self, file: _File, statement: ast.stmt) -> None:
        key = (file.path, statement.lineno, statement.col_offset)
        if isinstance(statement, ast.Import | ast.ImportFrom):
            self.take_import(file, statement)
        elif key not in self._pieces:
            self._check(file, statement)
            self._put(file, key, statement, bound(statement))

    def _check(self, file: _File, statement: ast.stmt) -> None:
        for name in bound(statement):
            if isinstance(file.values.get(name), Operation) and not isinstance(statement, ast.FunctionDef):
                raise NoExcerpt(f"operation {name} is not declared by a function of that name")

    def _put(self, file: _File, key: Key, node: ast.stmt, names: list[str], given: tuple[str, ...] = ()) -> None:
        """Keep a statement, and gather what it uses apart from the names that are `given`."""
        self._pieces[key] = ""
        freed = _Freed(self, file).visit(copy.deepcopy(node))
        self._pieces[key] = ast.unparse(ast.fix_missing_locations(freed))
        for name in names:
            self._owned(name, file.path)
        for name in sorted(used(self._pieces[key]) - set(given)):
            self.need(file, name)

    def take_import(self, file: _File, statement: ast.Import | ast.ImportFrom) -> None:
        """Keep an import of another package; follow one of a module that is taken over."""
        (alias,) = statement.names
        name = alias.asname or alias.name
        if isinstance(statement, ast.Import):
            if self.takes_over(alias.name):
                raise NoExcerpt(f"it uses the module {alias.name} as a value")
            self._import(ast.unparse(statement), name if alias.asname else name.partition(".")[0])
            return
        module = _absolute(statement, file)
        if not self.takes_over(module):
            line = f"from {module} import {alias.name}" + (f" as {alias.asname}" if alias.asname else "")
            self._import(line, name)
            return
        self.need_of(file, module, alias.name, name)

    def _import(self, line: str, name: str) -> None:
        if line != "from __future__ import annotations":
            self._imports[line] = None
            self._owned(name, f"import {name}" if line.startswith("import ") and " as " not in line else line)

    # Values

    def function(self, function: Callable[..., Any], called: str) -> str:
        """Gather a function by its code; returns its name in the excerpt, which is `called` where it has none."""
        if (made := applied(function)) is not None:
            return f"{self._class(made)}.apply"
        unwrapped = inspect.unwrap(function)
        if not isinstance(unwrapped, FunctionType):
            raise NoExcerpt("it is no Python function")
        code = unwrapped.__code__
        if unwrapped.__name__ == "__call__" or _is_installed(Path(code.co_filename)):
            raise NoExcerpt("it is another package's")
        file = self._file(code.co_filename, unwrapped.__globals__)
        node = file.definition(code)
        key, name = (file.path, node.lineno, node.col_offset), called if isinstance(node, ast.Lambda) else node.name
        if key not in self._pieces:
            given = code.co_freevars
            self._put(file, key, _statement(node, name, file, function), [name], given)
            for variable, cell in zip(given, unwrapped.__closure__ or (), strict=True):
                if variable != name:
                    self._of_value(file, variable, cell.cell_contents, file.around(node))
        return name

    def _class(self, made: type[torch.autograd.Function]) -> str:
        """Gather a class by its name; returns it."""
        forward = plain(made.forward)
        if forward is None or _is_installed(Path(forward.__code__.co_filename)):
            raise NoExcerpt("it is another package's")
        module = sys.modules[made.__module__]
        file = self._file(str(module.__file__), vars(module))
        if file.values.get(made.__name__) is not made:
            raise NoExcerpt(f"its class {made.__name__} is not at the level of its module")
        self.need(file, made.__name__)
        return made.__name__

    def _of_value(self, file: _File, name: str, value: Any, around: ast.FunctionDef | None = None) -> None:
        """Gather a name by its value: what a function has captured, or was defined in another cell of a notebook."""
        written = _written(value)
        if isinstance(value, ModuleType):
            if self.takes_over(value.__name__):
                raise NoExcerpt(f"it uses the module {value.__name__} as a value")
            self._import(f"import {value.__name__} as {name}", name)
        elif isinstance(value, FunctionType):
            made = self.function(value, name)
            if made != name:
                self._pieces[file.path, _LAST, len(self._pieces)] = f"{name} = {made}"
                self._owned(name, file.path)
        elif written is not None:
            self._import("import torch", "torch")
            self._pieces[file.path, 0, len(self._pieces)] = f"{name} = {written}"
            self._owned(name, f"{name} = {written}")
        else:
            self._first_value(file, name, around)

    def _first_value(self, file: _File, name: str, around: ast.FunctionDef | None) -> None:
        """Gather something that changes by the one statement that made it, where that takes nothing from around it."""
        inside = list(ast.walk(around)) if around else []
        local = {each.id for each in inside if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)}
        local |= {each.arg for each in inside if isinstance(each, ast.arg)}
        made = [value for each in inside if (value := assigned(each, name)) is not None]
        if len(made) != 1 or used(ast.unparse(made[0])) & local:
            raise NoExcerpt(f"it has captured {name}, which can't be written down")
        statement = ast.Assign([ast.Name(name, ast.Store())], made[0])
        self._put(file, (file.path, made[0].lineno, made[0].col_offset), statement, [name])


class _Freed(ast.NodeTransformer):
    """Frees a statement of the harness: of its decorators, its names and its imports; and of annotations."""

    def __init__(self, gathered: _Gathered, file: _File) -> None:
        self._gathered, self._file = gathered, file

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        """Without decorators that declare something, and without annotations where nobody reads them."""
        node.decorator_list = [each for each in node.decorator_list if not self._declares(each)]
        if not node.decorator_list:
            node.returns = None
            arguments = node.args
            for each in (
                *arguments.posonlyargs,
                *arguments.args,
                *arguments.kwonlyargs,
                arguments.vararg,
                arguments.kwarg,
            ):
                if each is not None:
                    each.annotation = None
        return self.generic_visit(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        """Its fields keep their annotations, as text."""
        for each in node.body:
            if isinstance(each, ast.AnnAssign):
                each.annotation = ast.Constant(ast.unparse(each.annotation))
        return self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        """A plain assignment, unless it is a field of a class."""
        if isinstance(node.annotation, ast.Constant):
            return self.generic_visit(node)
        return self.generic_visit(ast.Assign([node.target], node.value)) if node.value else ast.Pass()

    def visit_Import(self, node: ast.Import) -> ast.AST:
        """Within a function: the name is gathered where it is used."""
        kept = [alias for alias in node.names if not self._gathered.takes_over(alias.name)]
        return ast.Import(kept) if kept else ast.Pass()

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST:
        """Within a function: of a module that is taken over, the name stands for all functions."""
        module = _absolute(node, self._file)
        if not self._gathered.takes_over(module):
            return ast.ImportFrom(module, node.names, 0)
        for single in singly([node]):
            self._gathered.take_import(self._file, single)  # type: ignore[arg-type]
        return ast.Pass()

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        """`harness.Unsupported` and `module.function` by their own names, `operation.definition` by the operation's."""
        root, parts = chain(node)
        value = self._file.values.get(root)
        if isinstance(value, ModuleType) and self._gathered.takes_over(value.__name__):
            while parts and isinstance(value, ModuleType):
                module, root = value, parts.pop(0)
                value = getattr(module, root, None)
            if isinstance(value, ModuleType):
                raise NoExcerpt(f"it uses the module {value.__name__} as a value")
            called = root if root not in self._file.statements else f"{module.__name__.replace('.', '_')}_{root}"
            self._gathered.need_of(self._file, module.__name__, root, called)
            root = called
        elif not isinstance(value, Operation):
            return self.generic_visit(node)
        if isinstance(value, Operation) and parts and parts.pop(0) != "definition":
            raise NoExcerpt(f"it uses the declaration of operation {root}")
        made: ast.expr = ast.Name(root, ast.Load())
        for part in parts:
            made = ast.Attribute(made, part, ast.Load())
        return made

    def _declares(self, decorator: ast.expr) -> bool:
        root, _ = chain(decorator.func if isinstance(decorator, ast.Call) else decorator)
        return _is_the_harness(self._file.values.get(root))


def _statement(node: Definition, name: str, file: _File, function: Callable[..., Any]) -> ast.stmt:
    """A definition as a statement, with the decorators that made the function what it is."""
    if isinstance(node, ast.Lambda):
        return ast.copy_location(ast.Assign([ast.Name(name, ast.Store())], node), node)
    wrapped = inspect.unwrap(function) is not function
    made = copy.deepcopy(node)
    if not wrapped:
        made.decorator_list = []
    elif file.values.get(name) is not function:
        made.decorator_list = made.decorator_list[1:]  # the outermost made something else of it
    return made


def _written(value: Any) -> str | None:
    """A value that nobody changes, as Python; None for any other."""
    if isinstance(value, np.ndarray | np.generic) and np.asarray(value).dtype.kind in "fiub":
        return f"{tensor_literal(torch.from_numpy(np.array(value)))}.numpy()"
    if isinstance(value, torch.Tensor):
        return tensor_literal(value)
    if isinstance(value, float):
        return repr(value) if np.isfinite(value) else f"float({str(value)!r})"
    if isinstance(value, tuple) and type(value) is tuple:
        parts = [_written(part) for part in value]
        return f"({''.join(f'{part}, ' for part in parts)})" if None not in parts else None
    return repr(value) if value is None or isinstance(value, bool | int | str | bytes | torch.dtype) else None


def _absolute(statement: ast.ImportFrom, file: _File) -> str:
    """The full name of the module that is imported from."""
    relative = "." * statement.level + (statement.module or "")
    package = file.values.get("__package__") or ""
    try:
        return importlib.util.resolve_name(relative, package)
    except ImportError:
        raise NoExcerpt(f"it imports {relative}, which is in no package") from None
