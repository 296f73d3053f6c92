"""What a launch, its graduation and a trade cost, counted by the exact engine under Cancun rules."""

from typing import Any

import pytest

from mercato.chains.model import ZERO
from mercato.chains.testing import local
from mercato.launch.credentials import AllowList
from tests.contracts import uniswap
from tests.contracts.gas import HINT, expected, kept
from tests.contracts.house import CREATOR, DOLLAR, FOREVER, PEOPLE, TOKEN, House, Sale, made

FIRST, SECOND, TRADER, KEEPER = PEOPLE
LP_ONLY: dict[str, Any] = {"allocations": [], "supply": 700_000_000 * TOKEN}


def played(house: House, sale: Sale) -> int:
    """Bids on every level, less than is for sale, and returns the gas of clearing and graduating."""
    house.wait_until(sale.terms["opens"])
    for person in (FIRST, SECOND):  # once for all bids: what happens before is not measured, but takes its time
        house.pay(person, 1_280 * DOLLAR, sale.auction.address)
    for level in range(256):
        sale.auction.send("bid", level, 10 * DOLLAR, sender=PEOPLE[level % 2])
    house.wait_until(sale.terms["closes"])
    return sale.auction.send("clear", sender=KEEPER).gas_used


def launching() -> dict[str, int]:
    """Returns what putting a launch on the chain costs, and making a pool in the two ways."""
    house = House(local("py-evm"))
    code = made(house.chain, "pool", house.dollar.address, TRADER, 4_000, 2_000).address
    receipt = next(
        receipt
        for block in range(house.chain.block().number, 0, -1)
        for receipt in map(house.chain.wait, house.chain.block(block).transactions)
        if receipt.created == code
    )
    full, bare = house.launch(), house.launch(application=b"\x02" * 32, **LP_ONLY)
    return {
        "create a launch with three allocations": full.receipt.gas_used,
        "create a launch without allocations": bare.receipt.gas_used,
        "deploy the pool's code, which a proxy saves": receipt.gas_used,
    }


def with_retail(house: House) -> Sale:
    """Returns an open launch with more retail escrow than its tranche, a quarter of the sale, costs at any level."""
    listed, escrow = AllowList.of([TRADER]), 10**7 * DOLLAR
    gate = made(house.chain, "identity_gate", listed.root, ZERO, escrow)
    sale = house.launch(application=b"\x03" * 32, gate=gate.address, retail_cap=100_000_000 * TOKEN)
    house.wait_until(sale.terms["opens"])
    house.pay(TRADER, escrow, sale.auction.address)
    sale.auction.send("bid_retail", escrow, listed.credential(TRADER), sender=TRADER)
    return sale


def graduating() -> dict[str, int]:
    """Returns what clearing with graduation costs: at the first launch ever, later, and with retail above its cap.

    The last is the dearest: at every level all of retail's escrow would do, and what the cap leaves of it does not.
    """
    house = House(local("py-evm"))
    return {
        "clear and graduate, first ever": played(house, house.launch(application=b"\x01" * 32)),
        "clear and graduate": played(house, house.launch(application=b"\x02" * 32)),
        "clear and graduate, retail above its cap": played(house, with_retail(house)),
    }


def trading() -> dict[str, int]:
    """Returns what trades and claims cost in a pool that is in use."""
    house = House(local("py-evm"))
    sale = house.cleared()
    house.pay(TRADER, 10_000 * DOLLAR, sale.pool_address)
    pool = sale.pool
    found = {}
    for name in ("buy, first of a pool", "buy"):
        found[name] = pool.send("buy", 500 * DOLLAR, 0, FOREVER, TRADER, sender=TRADER).gas_used
    house.chain.mine(seconds=400)
    found["buy that keeps a new observation"] = pool.send("buy", DOLLAR, 0, FOREVER, TRADER, sender=TRADER).gas_used
    sale.token.send("approve", sale.pool_address, 2**256 - 1, sender=TRADER)
    found["sell"] = pool.send("sell", TOKEN, 0, FOREVER, TRADER, sender=TRADER).gas_used
    found["claim the creator's fees"] = pool.send("claim_creator_fees", sender=CREATOR).gas_used
    found["take the escrow's money at once"] = sale.escrow.send("take_at_once", sender=CREATOR).gas_used
    return found


def pairing() -> dict[str, int]:
    """Returns what graduation into a real Uniswap v2 pair costs."""
    v2 = uniswap.opened(House(local("py-evm")))
    plain = played(v2.house, v2.launch(application=b"\x01" * 32))
    squatted = v2.launch(application=b"\x02" * 32)
    pair = v2.squat(squatted, KEEPER)
    v2.house.dollar.send("faucet", pair.address, 10**9, sender=KEEPER)
    pair.send("sync", sender=KEEPER)
    return {
        "clear and graduate into a new v2 pair": plain,
        "clear and graduate into a squatted v2 pair": played(v2.house, squatted),
        "buy through the v2 router": routed(v2, squatted),
    }


def routed(v2: uniswap.V2, sale: Sale) -> int:
    """Returns what a purchase costs in a v2 pair that is in use, to compare with one in the own pool."""
    house = v2.house
    house.pay(TRADER, 10_000 * DOLLAR, v2.router.address)
    path = [house.dollar.address, sale.token.address]
    sent = [
        v2.router.send("swapExactTokensForTokens", 100 * DOLLAR, 0, path, TRADER, FOREVER, sender=TRADER).gas_used
        for _ in range(3)
    ]
    return sent[-1]


@pytest.mark.parametrize("section", [launching, graduating, trading], ids=lambda section: section.__name__)
def test_the_gas_is_what_is_kept(section) -> None:
    measured = section()

    assert measured == expected(section.__name__, measured), HINT


def test_i11_clearing_and_graduating_stays_within_its_bound() -> None:
    assert max(kept()["graduating"].values()) <= 630_000


@pytest.mark.npm
def test_the_gas_with_uniswap_is_what_is_kept(npm: object) -> None:
    measured = pairing()

    assert measured == expected("pairing", measured), HINT


def test_a_proxy_saves_more_than_clearing_and_graduating_cost_together() -> None:
    found = kept()

    assert (
        found["graduating"]["clear and graduate"] * 2
        < found["launching"]["deploy the pool's code, which a proxy saves"]
    )


def test_clearing_and_graduating_together_stay_below_the_bound_of_clearing() -> None:
    assert kept()["graduating"]["clear and graduate"] <= 630_000
