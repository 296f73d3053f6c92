"""JSON schemas that come with a request: bounded in depth, and free of references that lead back to themselves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from mercato.compute.errors import Declined

MOST_NODES, MOST_REFERENCES = 5_000, 300
UNTAKEN = ("$dynamicRef", "$recursiveRef")


def check(schema: Any, param: str, depth: int) -> None:
    """Raises Declined where a schema is no object, is nested deeper than `depth`, is very large, refers to another
    document, or contains itself by its references: what reads such a schema need not come to an end."""
    if not isinstance(schema, dict):
        raise Declined(f"{param} was {_kind(schema)}, not a JSON schema", param=param, hint="send an object")
    edges: dict[str, set[str]] = {}
    for count, (place, node) in enumerate(_nodes(schema, param, depth), 1):
        if count > MOST_NODES:
            raise Declined(f"{param} had more than {MOST_NODES} parts", param=param, hint="send a smaller schema")
        for name in ("$ref", *UNTAKEN):
            if isinstance(target := node.get(name), str):
                edges.setdefault(place, set()).add(_local(target, name, param))
        if len(edges) > MOST_REFERENCES:
            raise Declined(f"{param} had more than {MOST_REFERENCES} references", param=param, hint="inline some")
    _ends(edges, param)


def _local(target: str, name: str, param: str) -> str:
    """Returns where a reference leads within the schema, as a JSON pointer."""
    pointer = unquote(target)
    if name in UNTAKEN or not (pointer == "#" or pointer.startswith("#/")):
        message = f"{param} referred by {name} to {target[:100]!r}"
        raise Declined(message, param=param, hint="refer to a part of the same schema, such as #/$defs/item")
    return pointer


def _nodes(schema: dict[str, Any], param: str, depth: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yields every object with its JSON pointer, without recursion of our own."""
    waiting: list[tuple[str, Any, int]] = [("#", schema, 0)]
    while waiting:
        place, node, level = waiting.pop()
        if level > depth:
            raise Declined(f"{param} was nested more than {depth} levels", param=param, hint="flatten it")
        if isinstance(node, dict):
            yield place, node
            waiting += [(f"{place}/{_escaped(key)}", child, level + 1) for key, child in node.items()]
        elif isinstance(node, list):
            waiting += [(f"{place}/{at}", child, level + 1) for at, child in enumerate(node)]


def _ends(edges: dict[str, set[str]], param: str) -> None:
    """Raises where following references comes back to where one was. What lies below a target counts as its own."""
    below = {target: _inside(target, edges) for targets in edges.values() for target in targets}
    done: set[str] = set()
    for start in sorted(below):
        if start in done:
            continue
        path = [start]
        seen = {start}
        waiting = [iter(sorted(below[start]))]
        while waiting:
            following = next(waiting[-1], None)
            if following is None:
                waiting.pop()
                done.add(path[-1])
                seen.discard(path.pop())
            elif following in seen:
                raise Declined(f"{param} contained itself through {following[:100]!r}", param=param, hint=_HINT)
            elif following not in done:
                path.append(following)
                seen.add(following)
                waiting.append(iter(sorted(below.get(following, ()))))


_HINT = "unroll the recursion to a fixed depth"


def _inside(target: str, edges: dict[str, set[str]]) -> set[str]:
    """Returns what the part of the schema at `target` refers to."""
    root = target.rstrip("/")
    return {to for place, tos in edges.items() if place == root or place.startswith(root + "/") for to in tos}


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")


def _kind(value: Any) -> str:
    return type(value).__name__
