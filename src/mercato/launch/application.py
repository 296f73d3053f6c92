"""What a team hands in: who it is, what its agent runs on, how it earns, and the terms of its auction.

An application is a frozen value with a canonical text, and its SHA-256 is what the deposit and the factory are told,
so that what reviewers read is provably what was launched.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, TypeVar

from mercato.core.errors import InvalidInput
from mercato.launch.clearing import BPS, Q96, ceiling

HOUR = 3600
WEIGHTS = ("sale", "liquidity", "team", "partner", "grants", "community")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Member:
    """Someone of the team: a name, what they do, and where they are known."""

    name: str
    role: str
    link: str = ""


@dataclass(frozen=True, slots=True)
class Model:
    """A model that the agent thinks with: its name, who serves it, and whether its weights are open."""

    name: str
    provider: str
    open_weights: bool


@dataclass(frozen=True, slots=True)
class Tool:
    """Something that the agent may do: its name and what it reaches."""

    name: str
    reaches: str


@dataclass(frozen=True, slots=True)
class Source:
    """A source of revenue, and what shows that it exists ("" for a plan)."""

    name: str
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class Revenue:
    """How the agent earns, and the share for holders in basis points: it may later be raised and never lowered."""

    sources: tuple[Source, ...]
    holders_bps: int


@dataclass(frozen=True, slots=True)
class Milestone:
    """What the team will have done before a part of the escrow is paid: basis points of the escrowed raise."""

    title: str
    share_bps: int


@dataclass(frozen=True, slots=True)
class Allocation:
    """Who gets the supply, in basis points that add up to 10000."""

    sale: int = 4000
    liquidity: int = 3000
    team: int = 1500
    partner: int = 500
    grants: int = 500
    community: int = 500

    def shares(self) -> dict[str, int]:
        """Returns the shares by name, in the order of the declaration."""
        return {name: getattr(self, name) for name in WEIGHTS}


@dataclass(frozen=True, slots=True)
class Terms:
    """The auction. Supply in base units of the token, money in base units of the quote token, times in seconds.

    `floor` is what the whole supply is worth at the lowest price level; `retail_bps` is the part of the sale that
    identity-gated bidders may take at the clearing price.
    """

    floor: int
    raise_min: int
    supply: int = 10**27
    step_bps: int = 200
    retail_bps: int = 2500
    bid_min: int = 5_000_000
    open_seconds: int = 18 * HOUR
    lock_seconds: int = 6 * HOUR

    @property
    def floor_price(self) -> int:
        """Returns the price of level 0 in Q96: quote base units per token base unit times 2^96, rounded up."""
        return self.price_of(self.floor)

    def price_of(self, valuation: int) -> int:
        """Returns the price in Q96, rounded up, at which the whole supply is worth `valuation` quote base units."""
        return ceiling(valuation * Q96, self.supply)

    def tokens(self, share: int) -> int:
        """Returns a share of the supply, `share` in basis points, in base units of the token, rounded down."""
        return self.supply * share // BPS


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """Everything that a team hands in. `applicant` is the account that pays the deposit and receives the team's part.

    `commit` is the 40-digit revision of `repository` that reviewers read.
    """

    name: str
    symbol: str
    summary: str
    applicant: str
    repository: str
    commit: str
    licence: str
    team: tuple[Member, ...]
    models: tuple[Model, ...]
    tools: tuple[Tool, ...]
    revenue: Revenue
    terms: Terms
    milestones: tuple[Milestone, ...]
    allocation: Allocation = field(default_factory=Allocation)
    partner: str = ""
    grants: str = ""
    community: str = ""
    website: str = ""

    def body(self) -> dict[str, Any]:
        """Returns the application as JSON values; integers of money as text, so that no reader rounds them."""
        body = asdict(self)
        terms = body["terms"]
        body["terms"] = {name: str(value) if name in _MONEY else value for name, value in terms.items()}
        return body

    def text(self) -> str:
        """Returns the canonical text: JSON with sorted keys and no spaces."""
        return json.dumps(self.body(), ensure_ascii=False, sort_keys=True, separators=(",", ":"))

    @property
    def hash(self) -> str:
        """Returns the SHA-256 of the canonical text as 0x and 64 digits: the application's name on the chain."""
        return "0x" + hashlib.sha256(self.text().encode()).hexdigest()

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Application:
        """Returns the application of JSON values; InvalidInput names the field that was wrong.

        Only the shape is looked at here; what is sensible is for the checks to say.
        """
        given = dict(body)
        made: dict[str, Any] = {
            "team": _list(given.pop("team", None), "team", Member),
            "models": _list(given.pop("models", None), "models", Model),
            "tools": _list(given.pop("tools", None), "tools", Tool),
            "milestones": _list(given.pop("milestones", None), "milestones", Milestone),
            "revenue": _revenue(given.pop("revenue", None)),
            "allocation": _value(given.pop("allocation", {}), "allocation", Allocation),
            "terms": _value(given.pop("terms", None), "terms", Terms),
        }
        known = {item.name for item in fields(cls)}
        if strange := sorted(set(given) - known):
            raise InvalidInput(f"application has the field {strange[0]!r}", hint=f"fields: {', '.join(sorted(known))}")
        for name in sorted(known - set(made)):
            made[name] = _text(given.get(name, _DEFAULTS.get(name)), name)
        made["applicant"] = made["applicant"].lower()
        return cls(**made)


_MONEY = frozenset({"floor", "raise_min", "supply", "bid_min"})
_DEFAULTS = {"partner": "", "grants": "", "community": "", "website": ""}
_LETTERS, _ITEMS = 4000, 50
_LIMIT = 2**256
_PLAIN = re.compile(r"[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]*")


def _text(value: object, place: str) -> str:
    if not isinstance(value, str):
        raise InvalidInput(f"{place} was {value!r}", hint="expected text")
    if len(value) > _LETTERS:
        raise InvalidInput(f"{place} was {len(value)} letters long", hint=f"at most {_LETTERS}")
    plain(value, place)
    return value.strip()


def plain(text: str, place: str) -> None:
    """Raises InvalidInput unless a text is hashed, stored and shown alike everywhere."""
    if not _PLAIN.fullmatch(text):
        raise InvalidInput(f"{place} was {text!a:.80}", hint="no control characters, nor halves of surrogate pairs")


def _list(value: object, place: str, kind: type[T]) -> tuple[T, ...]:
    if not isinstance(value, list | tuple):
        raise InvalidInput(f"{place} was {value!r}", hint="expected a list")
    if len(value) > _ITEMS:
        raise InvalidInput(f"{place} has {len(value)} entries", hint=f"at most {_ITEMS}")
    return tuple(_value(item, f"{place}[{number}]", kind) for number, item in enumerate(value))


def _revenue(value: object) -> Revenue:
    if not isinstance(value, Mapping):
        raise InvalidInput(f"revenue was {value!r}", hint="expected an object with sources and holders_bps")
    plain = {name: item for name, item in value.items() if name != "sources"}
    sources = _list(value.get("sources"), "revenue.sources", Source)
    made = _value({**plain, "sources": ()}, "revenue", Revenue)
    return Revenue(sources, made.holders_bps)


def _value(value: object, place: str, kind: type[T]) -> T:
    """Returns a flat value of JSON values, each of the type that its field declares."""
    if not isinstance(value, Mapping):
        raise InvalidInput(f"{place} was {value!r}", hint="expected an object")
    known = {item.name: item.type for item in fields(kind)}  # type: ignore[arg-type] # kind is always one of the dataclasses above
    if strange := sorted(str(name) for name in set(value) - set(known)):
        raise InvalidInput(f"{place} has the field {strange[0]!r}", hint=f"fields: {', '.join(known)}")
    made = {name: _cell(item, f"{place}.{name}", str(known[name])) for name, item in value.items()}
    try:
        return kind(**made)
    except TypeError:
        missing = [name for name in known if name not in made]
        raise InvalidInput(f"{place} lacked one of {missing!r}", hint="give it") from None


def _cell(value: object, place: str, kind: str) -> object:
    if kind == "str":
        return _text(value, place)
    if kind == "bool":
        if not isinstance(value, bool):
            raise InvalidInput(f"{place} was {value!r}", hint="expected true or false")
        return value
    if kind == "int":
        return whole(value, place)
    return value


def whole(value: object, place: str) -> int:
    """Returns a whole number from 0 to 2^256 - 1 that came as a number or as text; InvalidInput names its place."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 78:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < _LIMIT:
        raise InvalidInput(f"{place} was {value!r}"[:200], hint="expected a whole number, as digits")
    return value
