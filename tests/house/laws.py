"""The laws of code. Each takes the root of a tree and returns what breaks it, with file and line."""

import ast
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.house.tree import CODE, calls, classes, files, functions, imported, modules, nodes, package, place, room

FILE_LINES, FILE_SOFT, FUNCTION_LINES, ERRORS = 500, 300, 60, 8
ENVIRONMENT = frozenset({"os.environ", "os.environb", "os.getenv", "os.getenvb"})
EMPTY_NAMES = frozenset({"manager", "managers", "helper", "helpers", "util", "utils"})
WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
BARE_SUPPRESSION = re.compile(r"# (noqa(: [A-Z0-9, ]+)?|type: ignore(\[[a-z, -]+\])?)\s*$")
CHECKS = ("raises", "warns", "fail", "check", "expect", "assert", "to_be", "to_have", "agree", "same", "verify")

Law = Callable[[Path], Iterator[str]]


def files_keep_their_budget(root: Path) -> Iterator[str]:
    yield from (f"{where} has {count} lines, at most {FILE_LINES}" for where, count in long_files(root, FILE_LINES))


def long_files(root: Path, limit: int) -> Iterator[tuple[str, int]]:
    for path in files(root):
        if path.suffix in CODE:
            count = path.read_text(encoding="utf-8").count("\n")
            if count > limit:
                yield place(root, path), count


def functions_keep_their_budget(root: Path) -> Iterator[str]:
    for path, tree in modules(root):
        for function in functions(tree):
            count = (function.end_lineno or function.lineno) - function.lineno + 1
            if count > FUNCTION_LINES:
                where = place(root, path, function.lineno)
                yield f"{where} {function.name} has {count} lines, at most {FUNCTION_LINES}"


def rooms_offer_few_errors(root: Path) -> Iterator[str]:
    counted = Counter(room(root, path) for path, _ in errors(root))
    yield from (f"room {name!r} declares {n} errors, at most {ERRORS}" for name, n in counted.items() if n > ERRORS)


def errors(root: Path) -> list[tuple[Path, ast.ClassDef]]:
    """Every class that descends from MercatoError, by the names of its bases."""
    found = [(path, node) for path, tree in modules(root, "src") for node in classes(tree)]
    known, before = {"MercatoError"}, 0
    while len(known) > before:
        before = len(known)
        known |= {node.name for _, node in found if known & {ast.unparse(base).split(".")[-1] for base in node.bases}}
    return [(path, node) for path, node in found if node.name in known]


def names_say_something(root: Path) -> Iterator[str]:
    for path, tree in modules(root):
        if path.stem in EMPTY_NAMES:
            yield f"{place(root, path)} is named after nothing"
        for node in (*classes(tree), *functions(tree)):
            words = [word.lower() for word in WORDS.findall(node.name)] or [node.name]
            # A class may speak of a base rate, but is not a base of something.
            ends = {words[0], words[-1]} if words[1:2] != ["rate"] else {words[-1]}
            if EMPTY_NAMES & set(words) or (isinstance(node, ast.ClassDef) and "base" in ends):
                yield f"{place(root, path, node.lineno)} {node.name!r} is named after nothing"


def no_float_beside_money(root: Path) -> Iterator[str]:
    money = package(root) / "core" / "money.py"
    for path, tree in modules(root, "src"):
        if path != money and "mercato.core.money" not in {name for name, _ in imported(tree)}:
            continue
        for node in nodes(tree):
            literal = isinstance(node, ast.Constant) and isinstance(node.value, float | complex)
            named = isinstance(node, ast.Name) and node.id in {"float", "complex"}
            quoted = isinstance(node, ast.Constant) and node.value == "float"
            if isinstance(node, ast.Constant | ast.Name) and (literal or named or quoted):
                yield f"{place(root, path, node.lineno)} has a float beside money"


def only_settings_reads_the_environment(root: Path) -> Iterator[str]:
    for path, tree in modules(root, "src"):
        if path == package(root) / "core" / "settings.py":
            continue
        found = {line for name, line in imported(tree) if name in ENVIRONMENT}
        attributes = [node for node in nodes(tree) if isinstance(node, ast.Attribute)]
        found |= {node.lineno for node in attributes if ast.unparse(node) in ENVIRONMENT}
        yield from (f"{place(root, path, line)} reads the environment" for line in sorted(found))


def tests_are_plain(root: Path) -> Iterator[str]:
    for path, tree in modules(root, "tests"):
        for name, line in imported(tree):
            if name.split(".")[0] == "mock" or name.startswith("unittest"):
                yield f"{place(root, path, line)} imports {name!r}; write a fake or use the real thing"
        for function in functions(tree):
            if function.name.startswith("test_"):
                inside = [node for node in ast.walk(function) if isinstance(node, ast.If | ast.Match)]
                yield from (f"{place(root, path, node.lineno)} {function.name} decides something" for node in inside)


def tests_claim_something(root: Path) -> Iterator[str]:
    for path, tree in modules(root, "tests"):
        claims = {function.name for function in functions(tree) if _asserts(function)}
        for function in functions(tree):
            if function.name.startswith("test_") and not _asserts(function) and not calls(function) & claims:
                yield f"{place(root, path, function.lineno)} {function.name} asserts nothing"


def _asserts(function: ast.AST) -> bool:
    plain = any(isinstance(node, ast.Assert) for node in ast.walk(function))
    return plain or any(word in call for call in calls(function) for word in CHECKS)


def suppressions_say_why(root: Path) -> Iterator[str]:
    for path, _ in modules(root):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            if BARE_SUPPRESSION.search(line):
                yield f"{place(root, path, number)} silences a check without a reason beside it"


LAWS: tuple[Law, ...] = (
    files_keep_their_budget,
    functions_keep_their_budget,
    rooms_offer_few_errors,
    names_say_something,
    no_float_beside_money,
    only_settings_reads_the_environment,
    suppressions_say_why,
    tests_are_plain,
    tests_claim_something,
)
