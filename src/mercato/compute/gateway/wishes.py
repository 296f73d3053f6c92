"""The object `provider` of a request: who may answer it, and how that is checked."""

from __future__ import annotations

from typing import Any

from mercato.compute.errors import Declined
from mercato.compute.gateway.numbers import integer
from mercato.compute.model import Price, Wish

NAMES = frozenset(
    {"order", "only", "ignore", "max_price", "sort", "min_quality", "zdr", "verify", "allow_fallbacks",
     "data_collection", "hedge", "tee"}
)  # fmt: skip
SORTS = frozenset({"", "price", "latency", "throughput"})
CHECKS = frozenset({"none", "sampled", "always"})
MACHINES = frozenset({"hardware", "attested"})
MOST_NAMES, MOST_PRICE = 100, 10**15
#: Milliseconds after which a second provider may be asked: where none are told, at least, and at most.
HEDGE, LEAST_HEDGE, MOST_HEDGE = 1_000, 100, 600_000
_PLAIN = Wish()


def read(value: Any) -> Wish:
    """Returns the wishes of a request; Declined for words that we do not know, because a wish is never dropped."""
    if value is None:
        return _PLAIN
    if not isinstance(value, dict):
        raise _wrong("", value, "send an object")
    for name in value:
        if name not in NAMES:
            raise _wrong(name, value[name], f"known names are {', '.join(sorted(NAMES))}")
    if value.get("allow_fallbacks") is False and value.get("hedge"):
        raise _wrong("hedge", value["hedge"], "allow fallbacks: a hedge asks a second provider")
    collection = value.get("data_collection", "allow")
    if collection not in ("allow", "deny"):
        raise _wrong("data_collection", collection, "say allow or deny")
    return Wish(
        order=tuple(_names(value, "order")),
        only=frozenset(_names(value, "only")),
        ignore=frozenset(_names(value, "ignore")),
        max_price=_price(value.get("max_price")),
        sort=_word(value, "sort", SORTS, ""),
        min_quality=_whole(value, "min_quality", 10_000),
        zdr=_yes(value, "zdr", default=False) or collection == "deny",
        verify=_word(value, "verify", CHECKS, "sampled"),
        fallbacks=_yes(value, "allow_fallbacks", default=True),
        hedge=_hedge(value.get("hedge")),
        tee=_machine(value.get("tee")),
    )


def _names(value: dict[str, Any], name: str) -> list[str]:
    found = value.get(name, [])
    if not isinstance(found, list) or len(found) > MOST_NAMES or not all(isinstance(one, str) for one in found):
        raise _wrong(name, found, f"send a list of at most {MOST_NAMES} names or ids of providers")
    return found


def _price(value: Any) -> Price | None:
    if value is None:
        return None
    hint = 'send {"prompt": …, "completion": …} in whole micro-dollars for a million tokens'
    if not isinstance(value, dict) or not value or not set(value) <= {"prompt", "completion"}:
        raise _wrong("max_price", value, hint)
    prompt, completion = (integer(value.get(name, MOST_PRICE)) for name in ("prompt", "completion"))
    if (
        prompt is None
        or completion is None
        or not 0 <= min(prompt, completion) <= max(prompt, completion) <= MOST_PRICE
    ):
        raise _wrong("max_price", value, hint)
    return Price(prompt, completion)


def _hedge(value: Any) -> int | None:
    if value is None or value is False:
        return None
    found = HEDGE if value is True else integer(value)
    if found is None or not LEAST_HEDGE <= found <= MOST_HEDGE:
        raise _wrong("hedge", value, f"say true, or {LEAST_HEDGE} to {MOST_HEDGE} milliseconds")
    return found


def _machine(value: Any) -> str:
    if value is None or value is False:
        return ""
    found = "attested" if value is True else value
    if not isinstance(found, str) or found not in MACHINES:
        raise _wrong("tee", value, f"say true, or one of {', '.join(sorted(MACHINES))}")
    return found


def _whole(value: dict[str, Any], name: str, most: int) -> int:
    found = integer(value.get(name, 0))
    if found is None or not 0 <= found <= most:
        raise _wrong(name, value[name], f"send a whole number from 0 to {most}")
    return found


def _word(value: dict[str, Any], name: str, words: frozenset[str], default: str) -> str:
    found = value.get(name, default)
    if not isinstance(found, str) or found not in words:
        raise _wrong(name, found, f"use one of {', '.join(sorted(words - {''}))}")
    return found


def _yes(value: dict[str, Any], name: str, *, default: bool) -> bool:
    found = value.get(name, default)
    if not isinstance(found, bool):
        raise _wrong(name, found, "say true or false")
    return found


def _wrong(name: str, value: Any, hint: str) -> Declined:
    param = f"provider.{name}" if name else "provider"
    return Declined(f"{param[:80]} was {repr(value)[:80]}", param=param[:80], hint=hint)
