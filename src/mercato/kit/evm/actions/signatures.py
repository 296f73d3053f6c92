"""Interfaces from signatures: `balanceOf(address) view returns (uint256)`; a struct is written as `[type,type]`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from mercato.chains import Interface

_SIGNATURE = re.compile(r"(\w+)\((.*?)\)(?: (view))?(?: returns \((.*)\))?")


@cache
def interface(*signatures: str) -> Interface:
    """Returns the interface of functions that are written as `name(type,type) view returns (type)`."""
    return Interface([_entry(item) for item in signatures])


def _entry(text: str) -> Mapping[str, Any]:
    found = _SIGNATURE.fullmatch(text)
    assert found, f"signature was {text!r}"
    name, inputs, view, outputs = found.groups()
    return {
        "type": "function", "name": name, "stateMutability": "view" if view else "nonpayable",
        "inputs": _parts(inputs), "outputs": _parts(outputs or ""),
    }  # fmt: skip


def _parts(types: str) -> list[dict[str, Any]]:
    return [_part(item) for item in _split(types)]


def _part(kind: str) -> dict[str, Any]:
    if not kind.startswith("["):
        return {"name": "", "type": kind}
    inner, _, array = kind[1:].rpartition("]")  # a struct is written as [type,type]
    return {"name": "", "type": "tuple" + array, "components": _named(_split(inner))}


def _named(types: Iterable[str]) -> list[dict[str, Any]]:
    return [{**_part(item), "name": f"m{place}"} for place, item in enumerate(types)]


def _split(types: str) -> list[str]:
    """Returns the types between commas that lie outside brackets of structs."""
    found, depth, start = [], 0, 0
    for place, letter in enumerate(types):
        opens = letter == "[" and types[place + 1 : place + 2] != "]"
        depth += opens
        if letter == "]" and depth and types[place - 1] != "[":
            depth -= 1
        if letter == "," and not depth:
            found.append(types[start:place])
            start = place + 1
    return [*found, types[start:]] if types else []
