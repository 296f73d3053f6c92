"""Values of the kit: what somebody wants, what it would do, and what was decided. The same words on every chain.

Amounts are whole base units, times are aware moments in UTC. Chains, accounts and assets go by their CAIP names.
Text from outside (notes, names, reasons of contracts) is carried to be shown; nothing here decides by it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from hashlib import sha256
from typing import Any, NewType

from mercato.core.events import Json
from mercato.core.ids import Kind

ActId = NewType("ActId", str)
ACTS = Kind("act", ActId)
"""Makes the ids of intents; the act that follows from an intent bears its id."""

FULL_BPS = 10_000


class Origin(StrEnum):
    """Where an intent comes from. What an agent read is no origin: text, gifts and ranks raise nobody's authority."""

    OPERATOR = "operator"
    MANDATE = "mandate"
    AGENT = "agent"


#: Those whose word may hand out allowances and authorities.
TRUSTED = frozenset({Origin.OPERATOR, Origin.MANDATE})


class Verdict(StrEnum):
    """What a policy says of an act."""

    ALLOW = "allow"
    ASK = "ask"
    DENY = "deny"


class Power(StrEnum):
    """What an authority lets its holder do with what is not theirs."""

    OPERATOR = "operator"  # move every item of a collection (ERC-721 and ERC-1155)
    DELEGATE = "delegate"  # spend from one account of a token (SPL), or act by delegated code (EIP-7702)
    OWNER = "owner"  # own a contract, an account or a mint
    MINT = "mint"
    FREEZE = "freeze"
    CODE = "code"  # decide what runs at an address
    CLOSE = "close"  # close an account of a token, or a mint, and keep its lamports
    STAKE = "stake"  # choose the validator that lamports are staked with


@dataclass(frozen=True, slots=True)
class Intent:
    """What somebody wants done: an action by name, with its arguments as JSON. `note` is for people only."""

    id: ActId
    book: str
    account: str
    action: str
    arguments: Mapping[str, Json]
    origin: Origin
    at: datetime
    note: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One transaction before it is signed: what it calls ("" where it creates), with which data and native units."""

    title: str
    to: str
    data: bytes = b""
    value: int = 0


@dataclass(frozen=True, slots=True)
class Trade:
    """The price before a trade: `den` units of what is paid were worth `num` units of what is got."""

    paid: str
    got: str
    num: int
    den: int

    def impact_bps(self, paid: int, got: int) -> int:
        """Returns how much less was got than at that price, rounded up; 10000 where nothing was."""
        fair = paid * self.num
        short = max(fair - max(got, 0) * self.den, 0)
        return min(-(-short * FULL_BPS // fair), FULL_BPS) if fair > 0 else FULL_BPS


@dataclass(frozen=True, slots=True)
class Message:
    """What is signed without a transaction: its digest, what it says in words, and what whoever has it may do."""

    digest: bytes
    shown: Mapping[str, Json]
    effects: Effects


@dataclass(frozen=True, slots=True)
class Plan:
    """What an intent comes to: its steps in order, or a message to sign, whose effects are known beforehand.

    `assets` are looked at besides those that the dry run shows. `accruing` grow by themselves: logs of these
    tell what grew since the last one together with what moves, so that their balances alone are believed.
    """

    steps: tuple[Step, ...] = ()
    assets: tuple[str, ...] = ()
    trade: Trade | None = None
    message: Message | None = None
    accruing: tuple[str, ...] = ()

    def body(self) -> dict[str, Json]:
        """Returns the plan as JSON."""
        return {
            "steps": [
                {"title": step.title, "to": step.to, "data": "0x" + step.data.hex(), "value": str(step.value)}
                for step in self.steps
            ],
            **({"message": dict(self.message.shown)} if self.message else {}),
        }


@dataclass(frozen=True, slots=True)
class Move:
    """How much more (above 0) or less of an asset the account has in the end, fees left aside."""

    asset: str
    units: int


@dataclass(frozen=True, slots=True)
class Payment:
    """What leaves the account for somebody else."""

    asset: str
    to: str
    units: int


@dataclass(frozen=True, slots=True)
class Grant:
    """An allowance of the account: what `spender` could take before and after, until `expires` (Unix seconds)."""

    asset: str
    spender: str
    before: int
    after: int
    expires: int | None = None

    @property
    def widens(self) -> bool:
        """Returns whether the spender could take more than before."""
        return self.after > self.before


@dataclass(frozen=True, slots=True)
class Authority:
    """A power over what is the account's (`subject`), given to or taken from `holder`."""

    power: Power
    subject: str
    holder: str
    given: bool


@dataclass(frozen=True, slots=True)
class Written:
    """A log in words: who wrote it, the event's name or its topic, and its values as text. Data, to be shown."""

    contract: str
    event: str
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Effects:
    """Everything that a plan would do to its account, or did. `gaps` say what could not be established.

    `contracts` are those that it calls, `creations` what it brings into being. `fee` is the most that it may cost in
    `fee_asset`, or what it did cost. `impact_bps` is how much worse than the pool's own price a trade comes out.
    """

    moves: tuple[Move, ...] = ()
    payments: tuple[Payment, ...] = ()
    grants: tuple[Grant, ...] = ()
    authorities: tuple[Authority, ...] = ()
    creations: tuple[str, ...] = ()
    contracts: tuple[str, ...] = ()
    fee_asset: str = ""
    fee: int = 0
    impact_bps: int | None = None
    logs: tuple[Written, ...] = ()
    gaps: tuple[str, ...] = ()

    @property
    def idle(self) -> bool:
        """Returns whether nothing on a chain would change, as far as is known."""
        found = self.contracts or self.moves or self.payments or self.grants or self.authorities or self.creations
        return not (found or self.gaps or self.fee)

    @cached_property
    def spent(self) -> Mapping[str, int]:
        """What leaves the account by asset, the fee with it; added up once, though every rule asks."""
        found = {move.asset: -move.units for move in self.moves if move.units < 0}
        if self.fee:
            found[self.fee_asset] = found.get(self.fee_asset, 0) + self.fee
        return found

    def body(self) -> dict[str, Json]:
        """Returns the effects as JSON; whole numbers that may be large are text."""
        return {
            "moves": [{"asset": item.asset, "units": str(item.units)} for item in self.moves],
            "payments": [{"asset": item.asset, "to": item.to, "units": str(item.units)} for item in self.payments],
            "grants": [
                {"asset": item.asset, "spender": item.spender, "before": str(item.before), "after": str(item.after),
                 "expires": item.expires}
                for item in self.grants
            ],
            "authorities": [
                {"power": item.power.value, "subject": item.subject, "holder": item.holder, "given": item.given}
                for item in self.authorities
            ],
            "creations": list(self.creations), "contracts": list(self.contracts), "fee_asset": self.fee_asset,
            "fee": str(self.fee), "impact_bps": self.impact_bps, "gaps": list(self.gaps),
            "logs": [
                {"contract": item.contract, "event": item.event, "values": dict(item.values)} for item in self.logs
            ],
        }  # fmt: skip

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Effects:
        """Returns the effects that `body` wrote."""
        return cls(
            moves=tuple(Move(item["asset"], int(item["units"])) for item in body["moves"]),
            payments=tuple(Payment(item["asset"], item["to"], int(item["units"])) for item in body["payments"]),
            grants=tuple(
                Grant(item["asset"], item["spender"], int(item["before"]), int(item["after"]), item["expires"])
                for item in body["grants"]
            ),
            authorities=tuple(
                Authority(Power(item["power"]), item["subject"], item["holder"], item["given"])
                for item in body["authorities"]
            ),
            creations=tuple(body["creations"]),
            contracts=tuple(body["contracts"]),
            fee_asset=body["fee_asset"],
            fee=int(body["fee"]),
            impact_bps=body["impact_bps"],
            logs=tuple(Written(item["contract"], item["event"], item["values"]) for item in body["logs"]),
            gaps=tuple(body["gaps"]),
        )


@dataclass(frozen=True, slots=True)
class Reserve:
    """What an act needs of a budget: `units` of `cap` within the last `seconds` (None: ever), counted by `scope`."""

    budget: str
    scope: str
    asset: str
    units: int
    cap: int
    seconds: int | None


@dataclass(frozen=True, slots=True)
class Decision:
    """What a policy said: the rule that decided ("" where none fitted), why, and what has to be reserved."""

    verdict: Verdict
    rule: str
    why: str
    policy: str
    reserves: tuple[Reserve, ...] = ()
    approvers: tuple[str, ...] = ()


_SPELLED = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def canonical(body: object) -> str:
    """Returns JSON in its one spelling: sorted keys, no spaces, no numbers but whole ones."""
    return _SPELLED.encode(body)


def digest(body: object) -> str:
    """Returns the SHA-256 of a value's canonical JSON, as hexadecimal text."""
    return sha256(canonical(body).encode()).hexdigest()


def within(fresh: Effects, agreed: Effects) -> str:
    """Returns "" where an act does no more than was agreed to, otherwise what exceeds it."""
    allowed = agreed.spent
    for asset, units in fresh.spent.items():
        if units > allowed.get(asset, 0):
            return f"it would spend {units} of {asset}, agreed were {allowed.get(asset, 0)}"
    least = {move.asset: move.units for move in agreed.moves if move.units > 0}
    gained = {move.asset: move.units for move in fresh.moves}
    for asset, units in least.items():
        if gained.get(asset, 0) * 100 < units * 99:
            return f"it would bring {gained.get(asset, 0)} of {asset}, agreed were {units}"
    paid = _paid(agreed)
    for whom, units in _paid(fresh).items():
        # What a trade spends may go through its own contracts in other parts than before.
        if whom not in paid or (units > paid[whom] and whom[1] not in agreed.contracts):
            return f"it would pay {units} of {whom[0]} to {whom[1]}, agreed were {paid.get(whom, 0)}"
    for name, new, old in (
        ("allowance", _gives(fresh), _gives(agreed)),
        ("authority", set(fresh.authorities), set(agreed.authorities)),
        ("contract", set(fresh.contracts), set(agreed.contracts)),
        ("creation", range(len(fresh.creations)), range(len(agreed.creations))),
    ):
        if more := [item for item in new if item not in old]:
            return f"it does what was not agreed to: {name} {more[0]}"
    return "; ".join(fresh.gaps)


def _paid(effects: Effects) -> Mapping[tuple[str, str], int]:
    found: Counter[tuple[str, str]] = Counter()
    for item in effects.payments:
        found[item.asset, item.to] += item.units
    return found


def _gives(effects: Effects) -> set[Grant]:
    return {item for item in effects.grants if item.widens}
