"""Trades by Jupiter: what `GET /build` of its Swap API, version 2, answers, as instructions for one's own transaction.

The fields are those of the provider's OpenAPI schema (`openapi-spec/swap/v2/swap.yaml` in jup-ag/docs, at 1dda348, of
August 2026). What it answers is data from outside: it must be for what was asked, nobody but the acting account may
have to sign it, and it is tried and judged by its effects before anything is signed.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Protocol

from mercato.chains.errors import BadAnswer
from mercato.chains.evm.answers import items, member
from mercato.chains.solana import answers
from mercato.chains.solana.budget import BUDGET
from mercato.chains.solana.model import Address, Instruction, Meta
from mercato.core.clock import Clock
from mercato.core.settings import Secret

PER_MINUTE, BURST = 60, 5
OCTETS, SECONDS = 1_000_000, 15.0
STEPS, TABLES, ACCOUNTS = 24, 16, 64
SCALE = 10**18  # of a price impact


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants to trade: base units of a token for another, at most so many bps below the quote."""

    sell: Address
    buy: Address
    amount: int
    slippage_bps: int
    taker: Address


@dataclass(frozen=True, slots=True)
class Route:
    """A way to trade: what it should give, what it gives at least, and the instructions for that in their order.

    `num` / `den` is the price before the trade, by the provider's word: so many units bought for those sold. `price` is
    micro-lamports for each unit of computing, None where it offers none.
    """

    quoted: int
    least: int
    num: int
    den: int
    steps: tuple[Instruction, ...]
    tables: tuple[Address, ...]
    price: int | None


class Router(Protocol):
    """Who knows ways to trade."""

    def route(self, wish: Wish) -> Route:
        """Returns a way to trade. SourceError where none could be had, BadAnswer where it is not what was asked."""


class Jupiter(Router):
    """Jupiter's API at `url`, such as https://api.jup.ag/swap/v2. `key` goes into a header, and nowhere else."""

    def __init__(self, clock: Clock, url: str, key: Secret | None = None) -> None:
        from mercato.market.connectors.bucket import TokenBucket
        from mercato.market.connectors.state import MemoryNotebook

        self._clock, self._key, self._url = clock, key or Secret(""), url.rstrip("/")
        self._state, self._bucket = MemoryNotebook(), TokenBucket(PER_MINUTE, BURST, clock)

    def route(self, wish: Wish) -> Route:
        """Returns a way to trade."""
        from mercato.market.connectors.http import Client, Limits
        from mercato.market.connectors.retry import Retries

        asked = {
            "inputMint": wish.sell, "outputMint": wish.buy, "amount": str(wish.amount), "taker": wish.taker,
            "slippageBps": str(wish.slippage_bps),
        }  # fmt: skip
        limits = Limits(
            PER_MINUTE, BURST, total_seconds=SECONDS, max_bytes=OCTETS, redirects=0, retries=Retries(2, 0.5, 2.0)
        )
        secrets = {"x-api-key": self._key}
        with Client(
            "jupiter", limits, self._state, self._clock, user_agent="mercato", secrets=secrets, bucket=self._bucket
        ) as client:
            return read(client.get(f"{self._url}/build", asked).content, wish)


def read(content: bytes, wish: Wish) -> Route:
    """Returns the route of an answer; BadAnswer where it is of another form, or for something else than was asked."""
    try:
        told = json.loads(content, parse_float=Decimal)
    except (ValueError, RecursionError):
        raise BadAnswer(f"Jupiter answered {content[:80]!r}", hint="expected JSON") from None
    quoted, least, amount = (_units(told, name) for name in ("outAmount", "otherAmountThreshold", "inAmount"))
    asked = (wish.sell, wish.buy, wish.amount)
    found = (member(told, "inputMint"), member(told, "outputMint"), amount)
    if found != asked or not quoted:
        raise BadAnswer(f"Jupiter answered for {found!r:.200}, out {quoted}", hint=f"asked was {asked!r}")
    if least * 10_000 < quoted * (10_000 - wish.slippage_bps) - 10_000:
        raise BadAnswer(f"Jupiter's least amount was {least} of {quoted}", hint=f"{wish.slippage_bps} bps were asked")
    steps = [_instruction(one, wish.taker) for one in _ordered(told)]
    if len(steps) > STEPS:
        raise BadAnswer(f"Jupiter's instructions were {len(steps)}", hint=f"at most {STEPS}")
    num, den = _fair(quoted, amount, member(told, "priceImpactPct"))
    return Route(quoted, least, num, den, tuple(steps), _tables(told), _price(told, wish.taker))


def _ordered(told: Any) -> list[Any]:
    """Returns the instructions in the order in which the provider wants them; a tip was not asked for."""
    last = told.get("cleanupInstruction")
    return [
        *items(member(told, "setupInstructions")), member(told, "swapInstruction"), *([last] if last else []),
        *items(told.get("otherInstructions") or []),
    ]  # fmt: skip


def _fair(quoted: int, amount: int, impact: object) -> tuple[int, int]:
    """Returns the price before the trade, from what it gives and the part that the provider says is lost to it."""
    try:
        lost = int(Decimal(str(impact)) * SCALE)
    except (InvalidOperation, ValueError, OverflowError):
        lost = SCALE
    if not 0 <= lost < SCALE:
        raise BadAnswer(f"Jupiter's priceImpactPct was {impact!r:.40}", hint="expected a part between 0 and 1")
    return quoted * SCALE, amount * (SCALE - lost)


def _price(told: Any, taker: Address) -> int | None:
    """Returns the price that it offers; what else it says about computing, the rail says itself."""
    for one in items(told.get("computeBudgetInstructions") or []):
        step = _instruction(one, taker)
        if step.program != BUDGET or step.accounts:
            raise BadAnswer(f"Jupiter's budget was for {step.program}", hint=f"expected {BUDGET}")
        if step.data[:1] == b"\3" and len(step.data) == 9:
            return int.from_bytes(step.data[1:], "little")
    return None


def _tables(told: Any) -> tuple[Address, ...]:
    """Returns the lookup tables; what lies in them is read from the chain, not from here."""
    found = told.get("addressesByLookupTableAddress") or {}
    if not isinstance(found, Mapping) or len(found) > TABLES:
        raise BadAnswer(f"Jupiter's lookup tables were {found!r:.80}", hint=f"an object of at most {TABLES}")
    return tuple(answers.address(one) for one in found)


def _instruction(told: Any, taker: Address) -> Instruction:
    accounts, data = items(member(told, "accounts")), member(told, "data")
    if len(accounts) > ACCOUNTS or not isinstance(data, str):
        raise BadAnswer(f"Jupiter's instruction was {told!r:.120}", hint=f"data, and at most {ACCOUNTS} accounts")
    try:
        octets = base64.b64decode(data, validate=True)
    except ValueError:
        raise BadAnswer(f"Jupiter's data were {data!r:.80}", hint="expected base64") from None
    return Instruction(answers.address(member(told, "programId")), tuple(_meta(one, taker) for one in accounts), octets)


def _meta(told: Any, taker: Address) -> Meta:
    address, signer, writable = (
        answers.address(member(told, "pubkey")), member(told, "isSigner"), member(told, "isWritable"),
    )  # fmt: skip
    if not isinstance(signer, bool) or not isinstance(writable, bool):
        raise BadAnswer(f"Jupiter's account was {told!r:.120}", hint="isSigner and isWritable are true or false")
    if signer and address != taker:
        raise BadAnswer(f"Jupiter wants {address} to sign", hint=f"nobody but {taker} does")
    return Meta(address, signer, writable)


def _units(told: Any, name: str) -> int:
    found = member(told, name)
    if isinstance(found, str) and found.isascii() and found.isdigit() and len(found) <= 20 and int(found) < 2**64:
        return int(found)
    raise BadAnswer(f"Jupiter's {name} was {found!r:.40}", hint="expected base units as text")
