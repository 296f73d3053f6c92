"""What the auction costs its users, on the exact engine, with 21,000 and calldata included."""

from __future__ import annotations

import pytest

from mercato.chains import Address
from mercato.chains.evm.local import LocalChain
from mercato.launch.clearing import RETAIL
from mercato.launch.credentials import AllowList
from mercato.launch.stage import OPERATOR, Stage, bid, stage
from tests.contracts.auctions import DOLLAR, ORDINARY, who
from tests.contracts.gas import HINT, expected

LISTED = [who(number) for number in range(60, 64)]
#: Most gas per action, from the specification of the auction.
BOUNDS = {
    "bid first of all": 132_000,
    "bid on a new level": 98_000,
    "bid on a used level": 98_000,
    "bid raised": 98_000,
    "bid of retail": 98_000,
    "improve": 84_000,
    "cancel": 53_000,
    "claim of a winner": 71_000,
    "claim of a loser": 54_000,
    "clear 256 levels": 630_000,
}


def open_stage() -> Stage:
    on = stage(LocalChain(engine="py-evm"), ORDINARY, retail=LISTED)
    for person in (*(who(number) for number in range(10)), *LISTED):
        on.fund(person, 10**7 * DOLLAR)
    on.open()
    return on


@pytest.fixture(scope="module")
def measured() -> dict[str, int]:
    """The gas of a life of one auction: every level bid on, two winners, a marginal bid, a loser, retail."""
    on, gas = open_stage(), {}

    def send(name: str, function: str, *args: object, sender: Address) -> None:
        gas[f"{name}"] = on.auction.send(function, *args, sender=sender).gas_used

    send("bid first of all", "bid", 200, 1_000 * DOLLAR, sender=who(0))
    send("bid on a new level", "bid", 100, 1_000 * DOLLAR, sender=who(1))
    send("bid on a used level", "bid", 100, 1_000 * DOLLAR, sender=who(2))
    send("bid raised", "bid", 100, 1_000 * DOLLAR, sender=who(2))
    send("improve", "improve", 100, 150, 1_000 * DOLLAR, sender=who(1))
    send("improve a part", "improve", 100, 151, 500 * DOLLAR, sender=who(2))
    send("cancel", "cancel", 150, 1_000 * DOLLAR, sender=who(1))
    send("bid of retail", "bid_retail", 100 * DOLLAR, AllowList.of(LISTED).credential(LISTED[0]), sender=LISTED[0])
    for level in range(256):
        bid(on, who(4), level, 148 * DOLLAR)
    bid(on, who(5), 0, 50 * DOLLAR)
    bid(on, who(6), 1, 50 * DOLLAR)
    on.over()
    send("clear 256 levels", "clear", sender=OPERATOR)
    assert on.auction.read("result")[0] == 1
    send("claim of a winner", "claim", who(0), 200, sender=who(0))
    send("claim at the margin", "claim", who(6), 1, sender=who(6))
    send("claim of a loser", "claim", who(5), 0, sender=who(5))
    send("claim of retail", "claim", LISTED[0], RETAIL, sender=LISTED[0])
    return gas | {"deploy": on.deployed_gas}


@pytest.mark.parametrize("name", BOUNDS)
def test_no_action_costs_more_than_its_bound(name: str, measured: dict[str, int]) -> None:
    assert measured[name] <= BOUNDS[name]


def test_gas_is_what_the_repository_says(measured: dict[str, int]) -> None:
    assert expected("bidding", measured) == measured, HINT


def test_i11_clearing_costs_the_same_however_many_bidders_there_are() -> None:
    spent = set()
    for bidders in (1, 40):
        on = open_stage()
        for number in range(bidders):
            on.quote.send("faucet", who(100 + number), 10**5 * DOLLAR, sender=OPERATOR)
            on.quote.send("approve", on.auction.address, 10**5 * DOLLAR, sender=who(100 + number))
            bid(on, who(100 + number), 7, 80_000 * DOLLAR // bidders)
        on.over()
        spent.add(on.auction.send("clear", sender=OPERATOR).gas_used)

    assert len(spent) == 1


def test_i11_clearing_without_enough_demand_is_bounded_too() -> None:
    on = open_stage()
    for level in range(256):
        bid(on, who(4), level, 100 * DOLLAR)
    on.over()

    assert on.auction.send("clear", sender=OPERATOR).gas_used <= 630_000
    assert on.auction.read("result")[0] == 0
