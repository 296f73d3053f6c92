"""Words of the compute room: who serves which model at which price, what was asked, and what is owed for it.

Money is whole micro-dollars. Prices are micro-dollars per million tokens, so that a token may cost less than one.
Times are aware moments in UTC. Text from providers and users is carried and counted; nothing here decides by it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NewType

from mercato.core.events import Json
from mercato.core.ids import Kind
from mercato.core.money import Round

ProviderId = NewType("ProviderId", str)
RequestId = NewType("RequestId", str)
AuditId = NewType("AuditId", str)
DisputeId = NewType("DisputeId", str)
KeyId = NewType("KeyId", str)
PROVIDERS = Kind("prov", ProviderId)
REQUESTS = Kind("req", RequestId)
AUDITS = Kind("audit", AuditId)
DISPUTES = Kind("dispute", DisputeId)
KEYS = Kind("key", KeyId)

MILLION = 1_000_000
PARTS = ("weights", "tokenizer", "template")
"""What a model is made of: nodes offer and attest the hashes of these, and specs say which are right."""
SIMULATED = "simulated:"
"""How the address of a provider begins that was made up, to show what pages look like; nothing is there."""


class Surface(StrEnum):
    """What a request asks for, by the path of OpenAI's API that takes it."""

    CHAT = "chat"
    COMPLETIONS = "completions"
    EMBEDDINGS = "embeddings"
    RESPONSES = "responses"


class Standing(StrEnum):
    """Where a provider stands. Only those on probation and the active ones are asked."""

    PENDING = "pending"
    PROBATION = "probation"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    EJECTED = "ejected"
    EXITING = "exiting"


class End(StrEnum):
    """How the work on a request ended."""

    DONE = "done"
    TRUNCATED = "truncated"  # the upstream stopped before its own end
    CLIENT_GONE = "client-gone"
    UPSTREAM_ERROR = "upstream-error"
    TIMEOUT = "timeout"


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one answer: read, of these read from a cache, and written."""

    prompt: int = 0
    completion: int = 0
    cached: int = 0

    def least(self, other: Usage) -> Usage:
        """Returns what is paid for: the lesser count of each kind; cached ones are never fewer than claimed."""
        prompt = min(self.prompt, other.prompt)
        return Usage(prompt, min(self.completion, other.completion), min(max(self.cached, other.cached), prompt))

    def body(self) -> dict[str, Json]:
        """Returns the counts as JSON."""
        return {"prompt": self.prompt, "completion": self.completion, "cached": self.cached}


@dataclass(frozen=True, slots=True)
class Price:
    """Micro-dollars for a million tokens read, written, and read from a cache (None: as any that is read)."""

    prompt: int
    completion: int
    cached: int | None = None

    def of(self, usage: Usage, *, round: Round) -> int:
        """Returns what an answer costs in micro-dollars: up for who pays, down for who is paid."""
        parts = self.parts(usage)
        return -(-parts // MILLION) if round is Round.UP else parts // MILLION

    def parts(self, usage: Usage) -> int:
        """Returns what an answer costs, exactly, in millionths of a micro-dollar."""
        cheap = self.prompt if self.cached is None else self.cached
        return (usage.prompt - usage.cached) * self.prompt + usage.cached * cheap + usage.completion * self.completion


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """A model as it should be served. Hashes are SHA-256 as hexadecimal text: of each part those that are right, none
    where any is. `engine` are parameters that change answers, by name, and `features` what an offer has to have.
    `strict` takes no offer that does not tell what is asked for here."""

    id: str
    context: int
    weights: tuple[str, ...] = ()
    tokenizer: tuple[str, ...] = ()
    template: tuple[str, ...] = ()
    quant: str = ""
    engine: Mapping[str, str] = field(default_factory=dict)
    strict: bool = False
    features: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Offer:
    """A provider's word to serve a model: price, limits, and until when it holds. `features` are such as `tools`,
    `json_schema`, `embeddings`, `logprobs`, `seed`. `upstream` is the model's name at the provider. Hashes are SHA-256
    as hexadecimal text; they, `quant` and the parameters of its `engine` are "" or missing where it does not tell.
    `tee` is what its machine has proven to us and still holds: nothing, `hardware` or `attested`."""

    provider: ProviderId
    model: str
    price: Price
    context: int
    upstream: str = ""
    features: frozenset[str] = frozenset()
    quant: str = ""
    weights: str = ""
    concurrency: int = 16
    until: datetime | None = None
    signature: str = ""
    tokenizer: str = ""
    template: str = ""
    engine: tuple[tuple[str, str], ...] = ()
    tee: str = ""

    @property
    def parts(self) -> dict[str, str]:
        """Returns the hashes that it tells, by what they are of."""
        told = {"weights": self.weights, "tokenizer": self.tokenizer, "template": self.template}
        return {part: hash for part, hash in told.items() if hash}


@dataclass(frozen=True, slots=True)
class Provider:
    """Who serves. `url` is where, "" for one that dials in by its tunnel; `key` is its Ed25519 public key as hex, ""
    for an upstream of the settings that signs nothing; `zdr` promises that no prompt is kept."""

    id: ProviderId
    name: str
    standing: Standing
    url: str = ""
    key: str = ""
    region: str = ""
    zdr: bool = False
    stake: int = 0


@dataclass(frozen=True, slots=True)
class Wish:
    """What a request says of who may answer it: the object `provider` of its body, with OpenRouter's words.

    `max_price` bounds both prices, `min_quality` is in ten-thousandths, `verify` is none, sampled or always. `hedge` is
    after how many milliseconds a second provider is asked as well, None for never. `tee` is what a machine must have
    proven: nothing, `hardware` or `attested`.
    """

    order: tuple[str, ...] = ()
    only: frozenset[str] = frozenset()
    ignore: frozenset[str] = frozenset()
    max_price: Price | None = None
    sort: str = ""
    min_quality: int = 0
    zdr: bool = False
    verify: str = "sampled"
    fallbacks: bool = True
    hedge: int | None = None
    tee: str = ""


@dataclass(frozen=True, slots=True)
class Need:
    """What a request needs of an offer, read from its body: `prompt` and `completion` are bounds on tokens, and
    `prefix` names the start of its prompt, so that one conversation may stay where its cache is."""

    surface: Surface
    model: str
    prompt: int
    completion: int
    features: frozenset[str] = frozenset()
    wish: Wish = field(default_factory=Wish)
    prefix: str = ""
    stream: bool = False


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try at one provider: when, milliseconds to the first byte and to the end, what came, and how it ended.

    `error` is "" or the class of what went wrong, such as `429`, `connect`, `first-byte`, `protocol`.
    """

    provider: ProviderId
    at: datetime
    first_ms: int | None
    whole_ms: int
    status: int
    end: End
    error: str = ""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was served and what it cost, in one chain of hashes for each worker of the gateway (`lane`).

    `asked` and `answered` are SHA-256 of what was sent and delivered; `charged` is what the user paid, `earned` what
    the provider may get, both in micro-dollars. `signature` is the gateway's over `hash`, `countersigned` the
    provider's, where it signs.
    """

    request: RequestId
    lane: str
    seq: int
    at: datetime
    key: KeyId
    provider: ProviderId
    model: str
    end: End
    asked: str
    answered: str
    claimed: Usage
    counted: Usage
    price: Price
    charged: int
    earned: int
    previous: str
    hash: str = ""
    signature: str = ""
    countersigned: str = ""


def canonical(body: Mapping[str, Json]) -> bytes:
    """Returns JSON in its one spelling, which is what is hashed and signed: sorted keys, no spaces, no floats."""
    return json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False).encode()
