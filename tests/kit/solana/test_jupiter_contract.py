"""Contract tests of Jupiter's `GET /build`: answers of the form that the provider publishes, over HTTP on this machine.

The pool is an account of somebody who lets the taker move its tokens, so that trades of the answer happen on the
embedded cluster. Nothing here asks the provider; the test that does is marked `live`.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from mercato.chains.errors import BadAnswer
from mercato.chains.solana.budget import limit_units, offer_price
from mercato.chains.solana.lookup import lookup_table
from mercato.chains.solana.model import SOL, TOKEN, Address, Instruction, Meta
from mercato.chains.solana.testing import issue
from mercato.chains.solana.tokens import (
    WRAPPED,
    Right,
    approve_delegate,
    associated,
    close_account,
    create_associated,
    set_authority,
    sync_native,
    transfer_lamports,
    transfer_tokens,
)
from mercato.core.clock import HandClock, SystemClock
from mercato.core.errors import SourceError
from mercato.core.events import Json
from mercato.core.settings import Secret, load
from mercato.kit import Payment, Policy
from mercato.kit.errors import BadArgument, Denied
from mercato.kit.service import Kit
from mercato.kit.settings import KitSettings
from mercato.kit.solana.actions import catalogue
from mercato.kit.solana.jupiter import Jupiter, Wish, read
from mercato.market.connectors.testing import RecordedSource, Reply, reply
from mercato.store import Store
from tests.kit.solana.acting import RENT, act, moved, opened
from tests.kit.solana.ground import ANYTHING, FRIEND, ME, STRANGER, STRANGER_KEY, WALLET, Town, token, town

SCHEMA = json.loads((Path(__file__).parent / "jupiter_build.json").read_text())
KEY = "key-that-must-not-be-seen"
USDC = Address("EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v")


@dataclass
class Exchange:
    """A pool of dollars and coins at two coins for a dollar, and the API that offers it."""

    town: Town
    coin: Address
    api: RecordedSource

    def pay_in(self, units: int) -> Instruction:
        mine, pool = (associated(who, self.town.dollar) for who in (ME, STRANGER))
        return transfer_tokens(mine, pool, self.town.dollar, ME, units, 6)

    def pay_out(self, units: int) -> Instruction:
        mine, pool = (associated(who, self.coin) for who in (ME, STRANGER))
        return transfer_tokens(pool, mine, self.coin, ME, units, 6)

    def answer(self, **changes: Any) -> dict[str, Any]:
        """What the provider would answer to somebody who sells 1,000 units of dollars for coins."""
        told = {
            "inputMint": self.town.dollar, "outputMint": self.coin, "inAmount": "1000", "outAmount": "1990",
            "otherAmountThreshold": "1980", "swapMode": "ExactIn", "slippageBps": 50, "priceImpactPct": "0.005",
            "routePlan": [], "computeBudgetInstructions": [shown(offer_price(1_500))],
            "setupInstructions": [shown(create_associated(ME, ME, self.coin))],
            "swapInstruction": shown(self.pay_in(1_000)), "cleanupInstruction": None,
            "otherInstructions": [shown(self.pay_out(1_990))], "tipInstruction": None,
            "addressesByLookupTableAddress": None,
            "blockhashWithMetadata": {
                "blockhash": [1] * 32, "lastValidBlockHeight": 300,
                "fetchedAt": {"secs_since_epoch": 1_780_000_000, "nanos_since_epoch": 5},
            },
            **changes,
        }  # fmt: skip
        jsonschema.validate(told, SCHEMA)
        return told

    def kit(self, store: Store, clock: HandClock, policy: Policy | None = None) -> Kit:
        own = {"COIN": self.coin, "WSOL": WRAPPED}
        kit = self.town.kit(store, clock, policy) if policy else opened(self.town, store, clock, **own)
        kit.actions = catalogue(Jupiter(SystemClock(), self.api.url, Secret(KEY)))
        return kit

    def offer(self, **changes: Any) -> None:
        self.api.play("/build", reply(self.answer(**changes)))

    def swap(self, kit: Kit, **changes: Json) -> Any:
        given: dict[str, Json] = {"sell": self.town.dollar, "buy": self.coin, "amount": "1000", **changes}
        return act(kit, "swap-jupiter", **given)


def shown(item: Instruction) -> dict[str, Any]:
    """An instruction as the provider writes it."""
    accounts = [{"pubkey": one.address, "isSigner": one.signer, "isWritable": one.writable} for one in item.accounts]
    return {"programId": item.program, "accounts": accounts, "data": base64.b64encode(item.data).decode()}


def paid_into(account: Address, owner: Address, lamports: int) -> list[Instruction]:
    """What wraps SOL; nothing where it is 0."""
    steps = [
        create_associated(owner, owner, WRAPPED),
        transfer_lamports(owner, account, lamports),
        sync_native(account),
    ]
    return steps if lamports else [transfer_lamports(owner, owner, 1)]


@pytest.fixture
def exchange() -> Iterator[Exchange]:
    made = town()
    coin = issue(made.cluster, STRANGER_KEY, 10**9)
    pool = associated(STRANGER, coin)
    opens = create_associated(STRANGER, STRANGER, made.dollar)
    made.run(opens, approve_delegate(pool, coin, ME, STRANGER, 10**9, 6))
    with RecordedSource() as api:
        yield Exchange(made, coin, api)


def test_a_trade_is_tried_judged_and_booked_as_it_happened(sqlite: Store, clock: HandClock, exchange: Exchange) -> None:
    exchange.offer()
    made = exchange.swap(exchange.kit(sqlite, clock))

    assert moved(made) == {exchange.town.usd: -1_000, token(exchange.coin): 1_990, "SOL": -RENT}
    assert made.effects.payments == (Payment(exchange.town.usd, STRANGER, 1_000),)
    assert made.effects.impact_bps == 50
    assert made.effects.fee > 5_000  # the price that the provider offers
    asked = exchange.api.seen[-1]
    assert asked.query == {
        "inputMint": [exchange.town.dollar], "outputMint": [exchange.coin], "amount": ["1000"], "taker": [ME],
        "slippageBps": ["50"],
    }  # fmt: skip
    assert asked.headers["x-api-key"] == KEY


def test_a_trade_may_name_accounts_by_lookup_tables(sqlite: Store, clock: HandClock, exchange: Exchange) -> None:
    kit, pool = exchange.kit(sqlite, clock), associated(STRANGER, exchange.coin)
    [table] = act(kit, "create-lookup-table", addresses=[pool]).effects.creations
    # What the answer says of the table's addresses is not believed: the chain says something else.
    exchange.offer(addressesByLookupTableAddress={table: [FRIEND]}, priceImpactPct="0")

    made = exchange.swap(kit)

    assert moved(made)[token(exchange.coin)] == 1_990
    found = lookup_table(exchange.town.cluster.accounts([Address(table)])[0])
    assert found
    assert found.addresses == (pool,)


@pytest.mark.parametrize("wrapped", [0, SOL])
def test_the_price_of_a_trade_is_without_rent_and_what_lay_wrapped_before(
    sqlite: Store, clock: HandClock, exchange: Exchange, wrapped: int
) -> None:
    kit, mine = exchange.kit(sqlite, clock), associated(ME, WRAPPED)
    exchange.town.run(*paid_into(mine, ME, wrapped), by=WALLET)
    # 100,000 lamports for 200,000 coins, and an account for the coin, whose rent is twenty times that. What is wrapped
    # for the trade goes to the pool; what is left wrapped comes back.
    pay = transfer_tokens(mine, associated(STRANGER, WRAPPED), WRAPPED, ME, 100_000, 9)
    exchange.town.run(create_associated(STRANGER, STRANGER, WRAPPED))
    opens = [create_associated(ME, ME, exchange.coin), *paid_into(mine, ME, 100_000)]
    exchange.offer(
        inputMint=WRAPPED, inAmount="100000", outAmount="200000", otherAmountThreshold="199000", priceImpactPct="0",
        setupInstructions=[shown(one) for one in opens], swapInstruction=shown(pay),
        cleanupInstruction=shown(close_account(mine, ME, ME)), otherInstructions=[shown(exchange.pay_out(200_000))],
    )  # fmt: skip

    made = exchange.swap(kit, sell=WRAPPED, amount="100000")

    assert made.effects.impact_bps == 0
    assert Payment(token(WRAPPED), STRANGER, 100_000) in made.effects.payments
    assert moved(made)[token(exchange.coin)] == 200_000
    assert moved(made)["SOL"] == wrapped + (RENT if wrapped else 0) - 100_000 - RENT


def test_an_offer_below_what_one_wants_at_least_is_refused(sqlite: Store, clock: HandClock, exchange: Exchange) -> None:
    exchange.offer()
    kit = exchange.kit(sqlite, clock)

    with pytest.raises(BadArgument, match="least was 1981, offered is 1980"):
        exchange.swap(kit, least="1981")
    assert moved(exchange.swap(kit, least="1980"))[token(exchange.coin)] == 1_990


def test_sol_that_is_bought_comes_unwrapped(sqlite: Store, clock: HandClock, exchange: Exchange) -> None:
    mine, pool = (associated(who, WRAPPED) for who in (ME, STRANGER))
    exchange.town.run(
        *paid_into(pool, STRANGER, SOL), approve_delegate(pool, WRAPPED, ME, STRANGER, SOL, 9), by=STRANGER_KEY
    )
    exchange.offer(
        outputMint=WRAPPED, outAmount="50000", otherAmountThreshold="49800", priceImpactPct="0",
        setupInstructions=[shown(create_associated(ME, ME, WRAPPED))],
        cleanupInstruction=None,
        otherInstructions=[
            shown(transfer_tokens(pool, mine, WRAPPED, ME, 50_000, 9)), shown(close_account(mine, ME, ME))
        ],
    )  # fmt: skip

    made = exchange.swap(exchange.kit(sqlite, clock), buy=WRAPPED)

    assert moved(made) == {exchange.town.usd: -1_000, "SOL": 50_000}
    assert made.effects.payments == (Payment(exchange.town.usd, STRANGER, 1_000),)
    assert made.effects.impact_bps == 0


def test_what_comes_worse_than_the_price_is_refused_by_the_policy(
    sqlite: Store, clock: HandClock, exchange: Exchange
) -> None:
    exchange.offer(otherInstructions=[shown(exchange.pay_out(1_500))])

    with pytest.raises(Denied, match="bps worse than the pool's price"):
        exchange.swap(exchange.kit(sqlite, clock))


def test_an_answer_that_smuggles_an_authority_is_refused(sqlite: Store, clock: HandClock, exchange: Exchange) -> None:
    steal = set_authority(associated(ME, exchange.town.dollar), ME, Right.CLOSE, STRANGER)
    exchange.offer(otherInstructions=[shown(exchange.pay_out(1_990)), shown(steal)])
    trades = {**ANYTHING, "spend": {"SOL": "1", "USD": "any"}}
    kit = exchange.kit(sqlite, clock, exchange.town.policy(trades))

    with pytest.raises(Denied, match=f"close for {STRANGER}"):
        exchange.swap(kit)
    assert exchange.town.units(ME) == 10**9


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"inAmount": "999"}, "answered for"),
        ({"outputMint": str(FRIEND)}, "answered for"),
        ({"outAmount": "0", "otherAmountThreshold": "0"}, "answered for"),
        ({"outAmount": "1.5"}, "outAmount was '1.5'"),
        ({"outAmount": str(2**64)}, "outAmount was '18446744073709551616'"),
        ({"outAmount": "0" * 4_000 + "1990"}, "outAmount was '0000"),
        ({"otherAmountThreshold": "1900"}, "least amount was 1900 of 1990"),
        ({"priceImpactPct": "2"}, "priceImpactPct was '2'"),
        ({"priceImpactPct": "much"}, "priceImpactPct was 'much'"),
        ({"priceImpactPct": "NaN"}, "priceImpactPct was 'NaN'"),
        ({"addressesByLookupTableAddress": {"nowhere": []}}, "base 58 of the node was 'nowhere'"),
        ({"computeBudgetInstructions": [shown(Instruction(TOKEN, (), b"\3"))]}, f"budget was for {TOKEN}"),
        ({"swapInstruction": shown(Instruction(TOKEN, (Meta(FRIEND, signer=True),), b""))}, f"wants {FRIEND} to sign"),
        ({"setupInstructions": [shown(Instruction(TOKEN, (), b""))] * 30}, "instructions were 32"),
        ({"swapInstruction": {"programId": TOKEN, "accounts": [], "data": "&"}}, "data were '&'"),
        ({"swapInstruction": shown(Instruction(TOKEN, (Meta(FRIEND),) * 65, b""))}, "instruction was"),
        ({"addressesByLookupTableAddress": {str(number): [] for number in range(17)}}, "lookup tables were"),
    ],
)
def test_an_answer_to_something_else_is_refused(exchange: Exchange, changes: dict[str, Any], said: str) -> None:
    exchange.offer(**changes)
    wish = Wish(exchange.town.dollar, exchange.coin, 1_000, 50, ME)

    with pytest.raises(BadAnswer, match=said):
        Jupiter(SystemClock(), exchange.api.url).route(wish)


@pytest.mark.parametrize(
    "name", ["inputMint", "outputMint", "inAmount", "outAmount", "otherAmountThreshold", "priceImpactPct",
             "setupInstructions", "swapInstruction"],
)  # fmt: skip
def test_an_answer_without_what_is_needed_is_refused(exchange: Exchange, name: str) -> None:
    told = {key: value for key, value in exchange.answer().items() if key != name}

    with pytest.raises(BadAnswer):
        read(json.dumps(told).encode(), Wish(exchange.town.dollar, exchange.coin, 1_000, 50, ME))


def test_only_a_price_is_taken_from_what_it_says_of_computing(exchange: Exchange) -> None:
    wish = Wish(exchange.town.dollar, exchange.coin, 1_000, 50, ME)
    for budget, price in (([limit_units(9)], None), ([limit_units(9), offer_price(7)], 7), ([], None)):
        told = exchange.answer(computeBudgetInstructions=[shown(one) for one in budget])
        assert read(json.dumps(told).encode(), wish).price == price


@pytest.mark.parametrize("content", [b"", b"[]", b"no route", b'{"error": "no route"}'])
def test_what_is_no_answer_is_refused(content: bytes) -> None:
    with pytest.raises(BadAnswer):
        read(content, Wish(FRIEND, STRANGER, 1, 50, ME))


def test_a_provider_that_refuses_or_falls_silent_is_an_error_without_the_key(
    sqlite: Store, clock: HandClock, exchange: Exchange
) -> None:
    kit = exchange.kit(sqlite, clock)
    for answer in (Reply(b'{"error":"no"}', 400), Reply(b"x" * 1_100_000)):
        exchange.api.play("/build", answer)
        with pytest.raises(SourceError) as refused:
            exchange.swap(kit)
        assert KEY not in f"{refused.value!r} {refused.value.hint} {refused.value.facts}"


def test_trades_that_cannot_be_right_are_not_even_asked_for(
    sqlite: Store, clock: HandClock, exchange: Exchange
) -> None:
    kit = exchange.kit(sqlite, clock)

    for changes in ({"buy": exchange.town.dollar}, {"buy": FRIEND}, {"slippage_bps": 10_001}, {"amount": "0"}):
        with pytest.raises(BadArgument):
            exchange.swap(kit, **changes)
    assert exchange.api.seen == []


@pytest.mark.live
def test_the_provider_still_answers_as_it_publishes() -> None:
    wanted = load(KitSettings, partial=True).of(KitSettings)
    route = Jupiter(SystemClock(), wanted.jupiter_url, wanted.jupiter_key).route(
        Wish(WRAPPED, USDC, 10**8, 50, WALLET.address)
    )

    assert route.steps
    assert 0 < route.least <= route.quoted
