"""Vesting against a model: nothing before the cliff, linear after it, a part only as the price's gates open."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mercato.chains import Reverted
from mercato.launch.clearing import Q96
from tests.contracts.house import CREATOR, DAY, DOLLAR, FOREVER, PEOPLE, TEAM, TOKEN, House, Sale, allocation
from tests.profiles import examples

TRADER = PEOPLE[2]


@dataclass
class Vesting:
    """The model: terms and how many gates are open."""

    amount: int
    gated_bps: int
    cliff: int
    duration: int
    released: int = field(default=0)

    def free(self, now: int, gates: int) -> int:
        age = min(max(now - self.cliff, 0), self.duration)
        gated = self.amount * self.gated_bps // 10_000
        plain = (self.amount - gated) * age // self.duration
        return plain + min(gated * age // self.duration, gated * gates // 4)


def started(gated_bps: int = 0, cliff: int = 365 * DAY, duration: int = 3 * 365 * DAY) -> tuple[House, Sale, Vesting]:
    house = House()
    part = allocation(TEAM, 300, gated_bps=gated_bps, cliff=cliff, duration=duration)
    sale = house.cleared(allocations=[part])
    return house, sale, Vesting(part["amount"], gated_bps, sale.terms["closes"] + cliff, duration)


def collect(house: House, sale: Sale, model: Vesting) -> None:
    """Releases what is free in the next second, if there is anything."""
    if model.free(house.chain.time() + 1, 0) > model.released:
        sale.vestings[0].send("release", sender=PEOPLE[3])
        model.released = model.free(house.chain.time(), 0)


@given(
    st.integers(0, 10_000),
    st.integers(0, 400 * DAY),
    st.integers(1, 1_000 * DAY),
    st.lists(st.integers(1, 400 * DAY), min_size=1, max_size=6),
)
@settings(max_examples=examples(25))
def test_what_is_released_is_what_time_has_vested(gated_bps: int, cliff: int, duration: int, waits: list[int]) -> None:
    house, sale, model = started(gated_bps, cliff, duration)
    vesting = sale.vestings[0]
    for wait in waits:
        house.chain.mine(seconds=wait)
        collect(house, sale, model)

        assert vesting.read("released") == model.released == sale.token.read("balanceOf", TEAM)
        assert sale.token.read("balanceOf", vesting.address) == model.amount - model.released
        assert vesting.read("releasable") == model.free(house.chain.time(), 0) - model.released


@pytest.mark.parametrize(("days", "share"), [(364, 0), (365 + 365, 3), (4 * 365, 1), (9 * 365, 1)])
def test_a_team_waits_a_year_and_then_three(days: int, share: int) -> None:
    house, sale, model = started()
    house.wait_until(sale.terms["closes"] + days * DAY)

    assert sale.vestings[0].read("releasable") == (model.amount // share if share else 0)


def lift(house: House, sale: Sale, tenths: int) -> None:
    """Buys until the pool's price is so many tenths of the auction's, or a little more."""
    _, raised, sold, *_ = sale.auction.read("result")
    while sale.pool.read("price") * 10 * sold < tenths * raised * Q96:
        house.pay(TRADER, 500 * DOLLAR, sale.pool_address)
        sale.pool.send("buy", 500 * DOLLAR, 0, FOREVER, TRADER, sender=TRADER)


@pytest.mark.parametrize(("tenths", "gates"), [(10, 0), (14, 0), (16, 1), (21, 2), (26, 3), (31, 4), (60, 4)])
def test_each_gate_opens_with_the_average_of_ninety_days(tenths: int, gates: int) -> None:
    house, sale, model = started(5_000, cliff=0, duration=1)
    lift(house, sale, tenths)
    vesting = sale.vestings[0]
    house.chain.mine(seconds=89 * DAY)
    with pytest.raises(Reverted, match="vesting: measuring less than 90 days"):
        vesting.send("measure", sender=TRADER)
    house.chain.mine(seconds=DAY)
    vesting.send("measure", sender=TRADER)
    vesting.send("release", sender=TRADER)

    assert vesting.read("gates") == gates
    assert sale.token.read("balanceOf", TEAM) == model.amount // 2 + model.amount // 2 * gates // 4


@pytest.mark.parametrize(("tenths", "gates"), [(16, 1), (60, 4)])
def test_an_open_gate_releases_no_more_than_time_has_vested(tenths: int, gates: int) -> None:
    house, sale, model = started(5_000, cliff=0, duration=900 * DAY)
    lift(house, sale, tenths)
    house.chain.mine(seconds=90 * DAY)
    sale.vestings[0].send("measure", sender=TRADER)
    for _ in range(4):
        now = house.chain.time()

        assert sale.vestings[0].read("gates") == gates
        assert sale.vestings[0].read("releasable") == model.free(now, gates)
        house.chain.mine(seconds=200 * DAY)


def test_a_gate_that_opened_stays_open_and_a_spike_opens_none() -> None:
    house, sale, _ = started(5_000, cliff=0, duration=1)
    vesting = sale.vestings[0]
    house.chain.mine(seconds=90 * DAY)
    lift(house, sale, 80)
    vesting.send("measure", sender=TRADER)

    assert vesting.read("gates") == 0

    house.chain.mine(seconds=90 * DAY)
    vesting.send("measure", sender=TRADER)
    tokens = sale.token.read("balanceOf", TRADER)
    sale.token.send("approve", sale.pool_address, tokens, sender=TRADER)
    sale.pool.send("sell", tokens, 0, FOREVER, TRADER, sender=TRADER)
    house.chain.mine(seconds=91 * DAY)
    vesting.send("measure", sender=TRADER)

    assert vesting.read("gates") == 4


def test_a_vesting_begins_once_and_its_shared_code_never() -> None:
    house, sale, _ = started()
    terms = (sale.token.address, sale.auction.address, sale.pool_address, CREATOR, TOKEN, 0, 0, 1)

    for vesting in (sale.vestings[0], house.vesting_code):
        with pytest.raises(Reverted, match="vesting: begun already"):
            vesting.send("begin", *terms, sender=CREATOR)


def test_nothing_is_released_before_the_token_is_live() -> None:
    house = House()
    sale = house.launch(allocations=[allocation(TEAM, 300, duration=1)])
    house.wait_until(sale.terms["closes"] + 10)

    with pytest.raises(Reverted, match="token: locked until live"):
        sale.vestings[0].send("release", sender=TEAM)
    with pytest.raises(Reverted, match="vesting: pool is not open"):
        sale.vestings[0].send("measure", sender=TEAM)
