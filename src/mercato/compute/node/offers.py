"""What a node offers, signed: one document lists all its offers and replaces the one before it.

    {"kind": "offers", "gateway": "gw.example", "key": "…", "seq": 1, "issued": ms, "until": ms,
     "offers": [{"model": …, "price": {"prompt": 200000, "completion": 600000}, …}], "signature": "…"}

It holds for minutes, so a node that is gone drops out by itself; sending it again is the node's heartbeat. It names
the gateway that it is for, and its number rises, so that neither another gateway nor an old price can be had with it.
An offer has all of its fields but those of `_TOLD`, which came later and are there only where the node tells them: so
documents of before are read as ever, and what they do not tell is unknown.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from mercato.compute.model import PARTS, Offer, Price, ProviderId, canonical
from mercato.compute.node.keyfile import NodeKey, verifies
from mercato.compute.node.wording import inner, items, number, text
from mercato.core.errors import InvalidInput
from mercato.core.events import Json

PURPOSE = "offers"
LONGEST = timedelta(minutes=15)  # that an offer may hold
SKEW = timedelta(minutes=1)  # by which two clocks may differ
MOST_OFFERS, MOST_FEATURES, MOST_ENGINE = 64, 16, 16
MOST_PRICE = 10**12  # a million dollars for a million tokens
MOST_CONTEXT, MOST_CONCURRENCY = 10**8, 4_096
_NAME, _FEATURE, _HASH = re.compile(r"[\w.:/@+-]{1,200}"), re.compile(r"[a-z0-9_]{1,32}"), re.compile(r"[0-9a-f]{64}|")
_FIELDS = {"model", "upstream", "price", "context", "features", "quant", "weights", "concurrency"}
_TOLD = {"tokenizer", "template", "engine"}
_PRICES = {"prompt", "completion", "cached"}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = 253_402_300_799_000  # the end of the year 9999, in milliseconds


@dataclass(frozen=True, slots=True)
class Offering:
    """A document of offers that was found good: by whom, for which gateway, its number, and until when it holds."""

    key: str
    gateway: str
    seq: int
    issued: datetime
    until: datetime
    offers: tuple[Offer, ...]
    signature: str


def signed(
    offers: Sequence[Offer], key: NodeKey, *, gateway: str, seq: int, issued: datetime, until: datetime
) -> dict[str, Json]:
    """Returns a document of these offers, signed; none of them withdraws all that were made before."""
    body: dict[str, Json] = {
        "kind": PURPOSE,
        "gateway": gateway,
        "key": key.public,
        "seq": seq,
        "issued": millis(issued),
        "until": millis(until),
        "offers": [_written(offer) for offer in offers],
    }
    return body | {"signature": key.sign(PURPOSE, canonical(body))}


def verified(
    body: Mapping[str, Json], *, key: str, gateways: frozenset[str], after: int, now: datetime, provider: ProviderId
) -> Offering:
    """Returns the offers in a document, as those of this provider; InvalidInput says what is wrong with it.

    `key` is the one whose holder sent it, `gateways` are the names that this gateway goes by, `after` is the number
    of the last document, which this one has to exceed.
    """
    found = _read(body)
    if found.key != key:
        raise InvalidInput(f"offers were of the key {found.key!r}", hint="a node offers with its own key only")
    if found.gateway not in gateways:
        raise InvalidInput(f"offers were for {found.gateway!r}", hint=f"expected one of {', '.join(sorted(gateways))}")
    _timely(found, after, now)
    bare = {name: value for name, value in body.items() if name != "signature"}
    if not verifies(key, PURPOSE, canonical(bare), found.signature):
        raise InvalidInput("offers were not signed by their key", hint="sign the canonical JSON without `signature`")
    return replace(found, offers=tuple(replace(offer, provider=provider) for offer in found.offers))


def _timely(found: Offering, after: int, now: datetime) -> None:
    if found.seq <= after:
        raise InvalidInput(f"offers had the number {found.seq}", hint=f"expected one above {after}: they were replayed")
    if found.issued > now + SKEW:
        raise InvalidInput(f"offers were of {found.issued.isoformat()}, in the future", hint="set the node's clock")
    if found.until <= now:
        raise InvalidInput(f"offers held until {found.until.isoformat()}, which is over", hint="sign them anew")
    if found.until - found.issued > LONGEST:
        raise InvalidInput(f"offers were to hold for {found.until - found.issued}", hint=f"at most {LONGEST}")


def _read(body: Mapping[str, Json]) -> Offering:
    if body.get("kind") != PURPOSE or len(body) != 8:
        raise InvalidInput(f"offers had the fields {sorted(body)!r:.200}", hint="see the example of this format")
    signature = text(body, "signature", most=128, least=128)
    until = _moment(body, "until")
    offers = tuple(
        _offer(inner(item, "an offer"), until, signature) for item in items(body, "offers", most=MOST_OFFERS)
    )
    if len({offer.model for offer in offers}) < len(offers):
        raise InvalidInput("offers named a model twice", hint="one offer for each model")
    return Offering(
        key=text(body, "key", most=64, least=64),
        gateway=text(body, "gateway", most=255, least=1),
        seq=number(body, "seq", 1, 2**53),
        issued=_moment(body, "issued"),
        until=until,
        offers=offers,
        signature=signature,
    )


def _offer(body: Mapping[str, Json], until: datetime, signature: str) -> Offer:
    if set(body) - _TOLD != _FIELDS:
        raise InvalidInput(f"an offer had the fields {sorted(body)!r:.200}", hint=f"expected {sorted(_FIELDS)}")
    features = items(body, "features", most=MOST_FEATURES)
    if not all(isinstance(item, str) and _FEATURE.fullmatch(item) for item in features):
        raise InvalidInput(f"features were {features!r:.120}", hint="words such as 'tools' or 'json_schema'")
    return Offer(
        provider=ProviderId(""),
        model=_name(body, "model"),
        price=_price(inner(body.get("price"), "a price")),
        context=number(body, "context", 1, MOST_CONTEXT),
        upstream=_name(body, "upstream"),
        features=frozenset(str(item) for item in features),
        quant=text(body, "quant", most=32),
        concurrency=number(body, "concurrency", 1, MOST_CONCURRENCY),
        until=until,
        signature=signature,
        engine=_engine(inner(body.get("engine", {}), "engine")),
        **{part: _hash(body, part) for part in PARTS if part in body},
    )


def _hash(body: Mapping[str, Json], part: str) -> str:
    value = text(body, part, most=64)
    if not _HASH.fullmatch(value):
        raise InvalidInput(f"{part} was {value!r}", hint="a SHA-256 as hexadecimal, or ''")
    return value


def _engine(body: Mapping[str, Json]) -> tuple[tuple[str, str], ...]:
    if len(body) > MOST_ENGINE or not all(_FEATURE.fullmatch(name) for name in body):
        raise InvalidInput(f"engine had the parameters {sorted(body)!r:.200}", hint="words such as 'kv_cache_dtype'")
    return tuple((name, text(body, name, most=64, least=1)) for name in sorted(body))


def _name(body: Mapping[str, Json], field: str) -> str:
    value = text(body, field, most=200, least=1)
    if not _NAME.fullmatch(value):
        raise InvalidInput(f"{field} was {value!r}", hint="letters, digits and any of . : / @ + - _")
    return value


def _price(body: Mapping[str, Json]) -> Price:
    if not set(body) <= _PRICES:
        raise InvalidInput(f"a price had the fields {sorted(body)!r:.200}", hint=f"expected some of {sorted(_PRICES)}")
    cached = None if body.get("cached") is None else number(body, "cached", 0, MOST_PRICE)
    return Price(number(body, "prompt", 0, MOST_PRICE), number(body, "completion", 0, MOST_PRICE), cached)


def _written(offer: Offer) -> dict[str, Json]:
    price: dict[str, Json] = {"prompt": offer.price.prompt, "completion": offer.price.completion}
    told: dict[str, Json] = {part: hash for part, hash in offer.parts.items() if part in _TOLD}
    if offer.engine:
        told["engine"] = dict(offer.engine)
    return told | {
        "model": offer.model,
        "upstream": offer.upstream or offer.model,
        "price": price if offer.price.cached is None else price | {"cached": offer.price.cached},
        "context": offer.context,
        "features": [*sorted(offer.features)],
        "quant": offer.quant,
        "weights": offer.weights,
        "concurrency": offer.concurrency,
    }


def millis(moment: datetime) -> int:
    """Returns a moment as signed documents have it: milliseconds since 1970."""
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def _moment(body: Mapping[str, Json], field: str) -> datetime:
    return _EPOCH + timedelta(milliseconds=number(body, field, 0, LATEST))
