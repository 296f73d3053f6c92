from __future__ import annotations

from collections import Counter
from datetime import date
from fractions import Fraction
from pathlib import Path

import pytest

from mercato.chains import Deployed, LogQuery
from mercato.chains.model import ZERO
from mercato.launch.contracts import at
from mercato.launch.model import Launch
from mercato.launch.season.life import Ended
from mercato.launch.season.progress import Board, Progress
from mercato.launch.states import State
from mercato.market.model import Query
from mercato.store.testing import sqlite_store
from tests.launch.season.conftest import END, Lived, Whole, alive, opened

pytestmark = pytest.mark.xdist_group("season")  # one worker lives the season for all of these
DAY = date(2026, 11, 21)
FATES = {
    "COURT": State.LIVE, "TIDAL": State.LIVE, "MEND": State.LIVE, "QUORM": State.LIVE, "ATLAS": State.LIVE,
    "NITE": State.FAILED, "MARGN": State.OPEN, "LEDGR": State.SCHEDULED, "MOONR": State.DECLINED,
    "GHOST": State.DECLINED,
}  # fmt: skip


WHOLE_PLATFORM = {"chain": "all", "platform": "mercato", "basis": "cap", "own_token": "with", "mode": "home"}


def launches(season: Whole) -> dict[str, Launch]:
    return {item.application.symbol: item for item in season.economy.launches.launches()}


def balances(season: Whole, token: Deployed) -> Counter[str]:
    """Every balance of a token, added up from its transfers alone."""
    chain = season.economy.chain
    topic = token.interface.topic("Transfer")
    held: Counter[str] = Counter()
    for log in chain.logs(LogQuery(0, chain.block().number, frozenset({token.address}), (frozenset({topic}),))):
        event = token.interface.event(log)
        assert event is not None
        giver, taker, amount = event.values.values()
        held[giver] -= amount
        held[taker] += amount
    return held


def auction_of(season: Whole, launch: Launch) -> Deployed:
    assert launch.contracts is not None
    return at(season.economy.chain, "auction", launch.contracts.auction)


def claimed(season: Whole, launch: Launch) -> list[dict[str, int]]:
    auction = auction_of(season, launch)
    query = LogQuery(
        0, season.economy.chain.block().number, frozenset({auction.address}),
        (frozenset({auction.interface.topic("Claimed")}),),
    )  # fmt: skip
    events = [auction.interface.event(log) for log in season.economy.chain.logs(query)]
    return [dict(event.values) for event in events if event]


def first_day(progress: Progress) -> None:
    """Ends a season when its second day begins."""
    if progress.day == 2:
        raise Ended


def test_every_agent_comes_to_the_end_that_the_script_has_in_mind(season: Whole) -> None:
    assert {symbol: item.state for symbol, item in launches(season).items()} == FATES
    assert all(item.simulated for item in launches(season).values())


def test_nothing_that_anybody_sent_was_refused(season: Whole) -> None:
    assert [receipt.reason for receipt in season.economy.world.refused] == []


def test_the_same_seed_gives_the_same_chain_to_the_last_hash(season: Whole, lived: Lived) -> None:
    assert lived().economy.chain.block().hash == season.economy.chain.block().hash


def test_another_seed_gives_another_chain_from_the_first_day(season: Whole, tmp_path: Path) -> None:
    store = sqlite_store(tmp_path)
    economy = opened(tmp_path, store, seed=8)
    life, _ = alive(tmp_path, store, economy, [])
    life.board = Board([first_day])
    with pytest.raises(Ended):
        life.season()
    reached = economy.chain.block()
    economy.close()
    store.close()

    assert reached.hash != season.economy.chain.block(reached.number).hash


@pytest.mark.nightly
def test_another_seed_brings_most_agents_to_the_market_too(lived: Lived) -> None:
    other = lived(seed=8)

    assert Counter(item.state for item in launches(other).values())[State.LIVE] >= 4


@pytest.mark.parametrize("symbol", [name for name, state in FATES.items() if state is State.LIVE])
def test_supplies_add_up_and_unsold_tokens_are_gone(season: Whole, symbol: str) -> None:
    launch = launches(season)[symbol]
    assert launch.contracts is not None
    assert launch.outcome is not None
    token = at(season.economy.chain, "agent_token", launch.contracts.token)
    held = balances(season, token)
    issued = -held.pop(ZERO)

    assert sum(held.values()) == issued == token.read("totalSupply")
    assert min(held.values()) >= 0
    assert sum(row["tokens"] for row in claimed(season, launch)) <= launch.outcome.sold


@pytest.mark.parametrize("symbol", [name for name, state in FATES.items() if state is State.LIVE])
def test_auctions_pay_out_what_they_took_but_for_the_dust(season: Whole, symbol: str) -> None:
    launch = launches(season)[symbol]
    rows = claimed(season, launch)
    assert launch.outcome is not None
    auction = auction_of(season, launch)
    left = season.economy.office.dollar.read("balanceOf", auction.address)

    assert sum(row["charge"] for row in rows) >= launch.outcome.raised
    assert 0 <= left <= len(rows)


def test_the_failed_auction_refunded_every_dollar(season: Whole) -> None:
    nite = launches(season)["NITE"]
    rows = claimed(season, nite)

    assert len(rows) > 10
    assert {(row["tokens"], row["charge"]) for row in rows} == {(0, 0)}
    assert season.economy.office.dollar.read("balanceOf", auction_of(season, nite).address) == 0


def test_nobody_spends_a_dollar_that_the_tap_did_not_give(season: Whole) -> None:
    dollar = season.economy.office.dollar
    held = balances(season, dollar)
    made = -held.pop(ZERO)

    assert min(held.values()) >= 0
    assert sum(held.values()) == made == dollar.read("totalSupply")


@pytest.mark.parametrize("symbol", [name for name, state in FATES.items() if state is State.LIVE])
def test_pools_hold_their_reserves_and_their_price_moved(season: Whole, symbol: str) -> None:
    launch = launches(season)[symbol]
    assert launch.contracts is not None
    assert launch.contracts.pool is not None
    assert launch.outcome is not None
    pool = at(season.economy.chain, "pool", launch.contracts.pool)
    token, quote = pool.read("reserves")

    assert at(season.economy.chain, "agent_token", launch.contracts.token).read("balanceOf", pool.address) >= token
    assert season.economy.office.dollar.read("balanceOf", pool.address) >= quote
    assert Fraction(quote, token) != Fraction(launch.outcome.raised, launch.outcome.sold)


def test_progress_goes_from_the_first_day_to_the_last_and_names_what_happens(season: Whole) -> None:
    living = [item for item in season.told if item.stage == "living"]

    assert [item.done for item in living] == sorted(item.done for item in living)
    assert (living[0].day, living[-1].day >= living[-1].days) == (1, True)
    assert {"trading", "Courtside applies", "bids on Night Owl"} <= {item.doing for item in living}
    assert season.told[-1].stage == "measuring"


@pytest.mark.parametrize(
    ("metric", "figure", "dims"),
    [
        ("sector-level", "level", {}),
        ("dominance", "share", {"by": "chain", "mode": "home", "key": "eip155:31337"}),
        ("platform-share", "share", WHOLE_PLATFORM),
        ("rebounds", "risen-share", {"band": "all"}),
        ("drawdown", "drawdown", {"of": "level"}),
        ("sector-index", "index", {"variant": "all-members"}),
        ("mindshare", "share", {"narrative": "ai"}),
    ],
)  # fmt: skip
def test_the_market_has_figures_of_it_and_each_says_that_it_is_simulated(
    season: Whole, metric: str, figure: str, dims: dict[str, str]
) -> None:
    found = season.market.metric(metric, Query(DAY)).figure(figure, **dims)

    assert found.value is not None
    assert "simulated" in found.flags


def test_thirty_days_of_each_pool_are_there_with_volume_depth_and_a_supply_of_the_best_tier(season: Whole) -> None:
    (asset,) = (item for item in season.market.assets() if item.symbol == "COURT")
    query = Query(DAY, params={"asset": asset.asset_id})
    (daily,) = (grid for grid in season.market.metric("token", query).grids if grid.name == "daily")
    rows = [dict(zip(daily.columns, row, strict=True)) for row in daily.rows]

    assert asset.home_chain == "eip155:31337"
    assert len([row for row in rows if row["price"] and row["volume"]]) >= 30
    assert {row["supply_tier"] for row in rows} == {"A"}
    assert season.market.metric("rebounds", Query(DAY)).figure("tokens", band="all").value == "5"


def test_a_figure_leads_to_the_logs_that_it_was_made_of(season: Whole) -> None:
    level = season.market.metric("sector-level", Query(DAY)).figure("level")
    evidence = season.market.figure(level.id)
    (document,) = evidence["inputs"]["raw"]

    assert document["source"] == "simulated:local"
    assert document["request"].startswith("logs of 5 pools on eip155:31337, blocks 0 to ")


def test_it_ends_at_the_moment_that_was_asked_for(season: Whole) -> None:
    assert season.economy.chain.time() == END
