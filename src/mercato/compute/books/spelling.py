"""Entries of the log that every request writes, spelled as `canonical` would, in a third of its time.

What is hashed has one spelling: sorted keys, no spaces. Tests hold that these are those.
"""

from __future__ import annotations

from collections.abc import Iterable
from json.encoder import encode_basestring_ascii as quoted

from mercato.compute.books.words import Hold, Served
from mercato.compute.model import Attempt, Usage


def held(hold: Hold, lane: str, seq: int, at: str, previous: str) -> str:
    """Returns the entry of a reserve."""
    return (
        f'{{"account":{quoted(hold.account)},"at":"{at}","key":{quoted(hold.key)},"kind":"held","lane":{quoted(lane)},'
        f'"limit":{hold.limit},"need":{quoted(hold.need_hash)},"previous":"{previous}",'
        f'"request":{quoted(hold.request)},"seq":{seq}}}'
    )


def settled(
    request: str, lane: str, seq: int, at: str, key: str, it: Served, charged: int, earned: int, previous: str
) -> str:  # fmt: skip
    """Returns the entry of a receipt."""
    price = it.price
    cached = "null" if price.cached is None else price.cached
    return (
        f'{{"answered":{quoted(it.answered)},"asked":{quoted(it.asked)},"at":"{at}","charged":{charged},'
        f'"claimed":{_usage(it.claimed)},"counted":{_usage(it.counted)},"earned":{earned},'
        f'"end":"{it.end.value}","key":{quoted(key)},"kind":"settled","lane":{quoted(lane)},'
        f'"model":{quoted(it.model)},"previous":"{previous}",'
        f'"price":{{"cached":{cached},"completion":{price.completion},"prompt":{price.prompt}}},'
        f'"provider":{quoted(it.provider)},"request":{quoted(request)},"seq":{seq}}}'
    )


def tried(attempts: Iterable[Attempt]) -> str:
    """Returns attempts as JSON text."""
    return f"[{','.join(map(_attempt, attempts))}]"


def _usage(it: Usage) -> str:
    return f'{{"cached":{it.cached},"completion":{it.completion},"prompt":{it.prompt}}}'


def _attempt(it: Attempt) -> str:
    first = "null" if it.first_ms is None else it.first_ms
    return (
        f'{{"provider":{quoted(it.provider)},"at":"{it.at.isoformat()}","first_ms":{first},"whole_ms":{it.whole_ms},'
        f'"status":{it.status},"end":"{it.end.value}","error":{quoted(it.error)}}}'
    )
