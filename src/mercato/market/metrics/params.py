"""Reading a query's own parameters: text in, checked values out, with the valid values in every refusal."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Collection, Sequence

from mercato.core.errors import InvalidInput
from mercato.market.model import InputSet, Query


def known(query: Query, names: Collection[str]) -> None:
    """Raises InvalidInput where the query carries a parameter that this metric does not read."""
    if strange := sorted(set(query.params) - set(names)):
        raise InvalidInput(
            f"parameters were {strange!r}", hint=f"this metric reads {', '.join(sorted(names)) or 'none'}"
        )


def number(query: Query, name: str, default: float | None, low: float, high: float) -> float | None:
    """Returns a parameter as a number within low..high, or `default` where it is absent."""
    text = query.params.get(name)
    if text is None or not text.strip():
        return default
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not low <= value <= high:
        raise InvalidInput(f"{name} was {text!r}", hint=f"give a number from {low:g} to {high:g}")
    return value


def given(query: Query, name: str, default: float, low: float, high: float) -> float:
    """Returns a parameter as a number within low..high; `default` where it is absent, so never None."""
    value = number(query, name, default, low, high)
    return default if value is None else value


def choice(query: Query, name: str, options: Sequence[str]) -> str:
    """Returns a parameter that is one of `options`; the first one where it is absent."""
    value = query.params.get(name) or options[0]
    if value not in options:
        raise InvalidInput(f"{name} was {value!r}", hint=f"give one of {', '.join(options)}")
    return value


def words(query: Query, name: str) -> tuple[str, ...]:
    """Returns a comma-separated parameter as its distinct words, in order."""
    return tuple(dict.fromkeys(word.strip() for word in query.params.get(name, "").split(",") if word.strip()))


def pairs(query: Query, name: str, between: str) -> dict[str, str]:
    """Returns a parameter such as `a=b,c=d` as a mapping; `between` is the sign inside a pair."""
    found: dict[str, str] = {}
    for word in words(query, name):
        left, sign, right = word.rpartition(between)
        if not (left and sign and right):
            raise InvalidInput(f"{name} held {word!r}", hint=f"give pairs such as a{between}b, separated by commas")
        found[left.strip()] = right.strip()
    return found


def together(*sets: InputSet) -> InputSet:
    """Returns the input sets of several scopes as one; a single set stays itself."""
    if len(sets) == 1:
        return sets[0]
    digest = hashlib.sha256("\n".join(item.hash for item in sets).encode()).hexdigest()
    shas = sorted({sha for item in sets for sha in item.raw_shas})
    return InputSet(digest, tuple(shas), sets[0].universe, sum(item.rows for item in sets))
