"""The laws of doors: what a room offers is little, listed and explained."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.house.tree import files, package, parse, place

NAMES = 15


def doors_say_what_the_room_is_for(root: Path) -> Iterator[str]:
    for path, tree in doors(root):
        if len(ast.get_docstring(tree) or "") < 10:
            yield f"{place(root, path)} does not say what the room is for"


def doors_are_small_and_listed(root: Path) -> Iterator[str]:
    for path, tree in doors(root):
        where, held, offered = place(root, path), namespace(tree), listed(tree)
        if len(offered) > NAMES:
            yield f"{where} offers {len(offered)} names, at most {NAMES}"
        yield from (f"{where} lists {name!r} twice" for name in sorted({n for n in offered if offered.count(n) > 1}))
        yield from (f"{where} lists {name!r}, which is not there" for name in sorted(set(offered) - held))
        if path.parent.parent == package(root):
            yield from (f"{where} holds {name!r}, which is not listed" for name in sorted(held - set(offered)))


def offers_are_explained(root: Path) -> Iterator[str]:
    for path, tree in doors(root):
        silent = [name for name in listed(tree) if not documented(root, tree, name)]
        yield from (f"{place(root, path)} offers {name!r} without a docstring" for name in silent)


def doors(root: Path) -> Iterator[tuple[Path, ast.Module]]:
    yield from ((path, parse(path)) for path in files(package(root)) if path.name == "__init__.py")


def listed(tree: ast.Module) -> list[str]:
    """The names in `__all__`; none where there is no such list."""
    lists = [node for node in tree.body if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"]
    return [str(name) for node in lists for name in ast.literal_eval(node.value)]


def namespace(tree: ast.Module) -> set[str]:
    """The public names that a door holds: defined, assigned or imported from Mercato, type checking included."""
    found: set[str] = set()
    for node in statements(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("mercato"):
            found |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            found |= targets(node)
    return {name for name in found if not name.startswith("_")}


def statements(tree: ast.Module) -> list[ast.stmt]:
    """The statements of a module, those under a plain `if` included."""
    return [item for top in tree.body for item in (top.body if isinstance(top, ast.If) else [top])]


def targets(node: ast.Assign | ast.AnnAssign) -> set[str]:
    places = node.targets if isinstance(node, ast.Assign) else [node.target]
    return {ast.unparse(place) for place in places}


def documented(root: Path, tree: ast.Module, name: str) -> bool:
    """Whether what a module offers under a name carries a docstring, wherever it is defined."""
    body = statements(tree)
    for number, node in enumerate(body):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name:
            return ast.get_docstring(node) is not None
        if isinstance(node, ast.Assign | ast.AnnAssign) and name in targets(node):
            after = body[number + 1 : number + 2]
            return any(isinstance(item, ast.Expr) and isinstance(item.value, ast.Constant) for item in after)
        if isinstance(node, ast.ImportFrom) and name in {alias.asname or alias.name for alias in node.names}:
            return documented_elsewhere(root, str(node.module), name)
    return False


def documented_elsewhere(root: Path, module: str, name: str) -> bool:
    """The same for a name imported from another module; modules themselves and names not of ours pass."""
    home = source(root, module)
    return home is None or source(root, f"{module}.{name}") is not None or documented(root, parse(home), name)


def source(root: Path, dotted: str) -> Path | None:
    """The file of a module of ours, or None."""
    base = root / "src" / Path(*dotted.split("."))
    found = [path for path in (base.with_suffix(".py"), base / "__init__.py") if path.exists()]
    return found[0] if found else None


LAWS = (doors_say_what_the_room_is_for, doors_are_small_and_listed, offers_are_explained)
