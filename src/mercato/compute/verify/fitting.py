"""Whether a value fits a JSON schema, as far as every engine that writes by a schema holds to it.

Engines differ in which keywords they know, and pass over the others. Only those are looked at here that all of them
know: a value that does not fit by these was not written by the schema. Where it is not clear, the value fits.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

STEPS = 50_000  # parts of schema and value that are compared: a schema may ask for very many
ANY = ("anyOf", "oneOf")
KINDS: Mapping[str, tuple[type, ...]] = {
    "object": (dict,), "array": (list,), "string": (str,), "integer": (int, float), "number": (int, float),
    "boolean": (bool,), "null": (type(None),),
}  # fmt: skip


def misfit(value: Any, schema: Any) -> str:
    """Returns why a value does not fit a schema, "" where it does; in words that tell nothing of either."""
    try:
        return next(_Walk(schema).misfits(value, schema), "")
    except (_TooMuch, RecursionError):
        return ""


class _TooMuch(Exception):
    """There is more to compare than a schema of people's needs."""


class _Walk:
    """One comparison with a schema whose references lead into `root`."""

    def __init__(self, root: Any) -> None:
        self._root, self._left = root, STEPS

    def misfits(self, value: Any, schema: Any) -> Iterator[str]:
        """Yields what does not fit."""
        self._left -= 1
        if self._left < 0:
            raise _TooMuch
        if not isinstance(schema, dict) or (value is None and schema.get("nullable") is True):
            return
        if isinstance(target := schema.get("$ref"), str):  # what stands beside it counts in some versions only
            yield from self.misfits(value, self._at(target))
            return
        yield from _shape(value, schema)
        for parts in (schema.get(name) for name in ANY):
            if isinstance(parts, list) and parts and all(next(self.misfits(value, one), "") for one in parts):
                yield "a value is nothing of what it may be"
        if isinstance(value, dict):
            yield from self._members(value, schema)
        elif isinstance(value, list):
            start = len(schema["prefixItems"]) if isinstance(schema.get("prefixItems"), list) else 0
            for one in value[start:]:
                yield from self.misfits(one, schema.get("items"))

    def _members(self, value: dict[str, Any], schema: Mapping[str, Any]) -> Iterator[str]:
        known = schema.get("properties")
        known = known if isinstance(known, dict) else {}
        required = schema.get("required")
        for name in required if isinstance(required, list) else ():
            if isinstance(name, str) and name not in value:
                yield "an object lacks a member"
        for name, one in value.items():
            if name in known:
                yield from self.misfits(one, known[name])
            elif schema.get("additionalProperties") is False and "patternProperties" not in schema:
                yield "an object has a member too many"

    def _at(self, target: str) -> Any:
        """Returns the part of the schema that a reference leads to; None where there is none."""
        found = self._root
        for name in target.removeprefix("#").split("/")[1:]:
            name = name.replace("~1", "/").replace("~0", "~")
            if isinstance(found, list) and name.isdecimal() and int(name) < len(found):
                found = found[int(name)]
            else:
                found = found.get(name) if isinstance(found, dict) else None
        return found


def _shape(value: Any, schema: Mapping[str, Any]) -> Iterator[str]:
    """Yields what is wrong with a value's kind, or with the value as one of a few."""
    kind = schema.get("type")
    kinds = [kind] if isinstance(kind, str) else kind if isinstance(kind, list) else []
    if kinds and not any(_is(value, one) for one in kinds):
        yield "a value is of another type"
    choices = schema["enum"] if isinstance(schema.get("enum"), list) else [schema["const"]] if "const" in schema else []
    if choices and not any(_same(value, one) for one in choices):
        yield "a value is none of those to choose from"


def _is(value: Any, kind: Any) -> bool:
    if kind not in KINDS:
        return True
    if isinstance(value, bool):
        return bool(kind == "boolean")
    if kind == "integer" and isinstance(value, float):
        return value % 1 == 0
    return isinstance(value, KINDS[kind])


def _same(one: Any, other: Any) -> bool:
    """Whether two JSON values are equal, where 1 is not true."""
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)
