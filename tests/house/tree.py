"""A source tree as the laws see it: its files and their syntax, without importing anything."""

import ast
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path

SKIPPED = frozenset(
    {".git", ".venv", ".cache", "__pycache__", ".mypy_cache", ".ruff_cache", ".hypothesis", "site", "dist", "build",
     "static", "artifacts", "node_modules", ".import_linter_cache", ".pytest_cache", "htmlcov"}
)  # fmt: skip
CODE = frozenset({".py", ".vy", ".vyi", ".ts", ".css", ".html", ".j2", ".js"})


def files(root: Path) -> Iterator[Path]:
    """Every file of the tree that people keep, in a stable order."""
    for folder, inner, names in os.walk(root):
        inner[:] = sorted(name for name in inner if name not in SKIPPED)
        for name in sorted(set(names) - SKIPPED):
            yield Path(folder) / name


def modules(root: Path, *tops: str) -> Iterator[tuple[Path, ast.Module]]:
    """Every Python file below some folders with its syntax."""
    for path in files(root):
        if path.suffix == ".py" and (not tops or path.relative_to(root).parts[0] in tops):
            yield path, parse(path)


@cache
def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


@cache
def nodes(tree: ast.Module) -> list[ast.AST]:
    """Every node of a module; most laws look at them all, so they are gathered once."""
    return list(ast.walk(tree))


def package(root: Path) -> Path:
    return root / "src" / "mercato"


def room(root: Path, path: Path) -> str:
    """The room that a source file belongs to."""
    return path.relative_to(package(root)).parts[0].removesuffix(".py")


def place(root: Path, path: Path, line: int = 0) -> str:
    return f"{path.relative_to(root).as_posix()}" + (f":{line}" if line else "")


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def imported(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Every module that is imported, wherever: `from a import b` names both a and a.b."""
    for node in nodes(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module, node.lineno
            yield from ((f"{node.module}.{alias.name}", node.lineno) for alias in node.names)


def classes(tree: ast.Module) -> Iterator[ast.ClassDef]:
    for node in nodes(tree):
        if isinstance(node, ast.ClassDef):
            yield node


def calls(function: ast.AST) -> set[str]:
    """The last names of everything that a function calls."""
    return {ast.unparse(node.func).split(".")[-1] for node in ast.walk(function) if isinstance(node, ast.Call)}
