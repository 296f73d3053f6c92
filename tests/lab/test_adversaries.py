"""What each attack does, on the books of launches that it attacked."""

import pytest

from mercato.lab.adversaries import ADVERSARIES, BASELINES, Parameters, Place
from mercato.lab.mechanisms import MECHANISMS
from mercato.lab.mechanisms.port import Venue
from mercato.lab.model import ADVERSARY, DOLLAR, HOUR, MINUTE, Outcome, Tape, Trade
from mercato.lab.world import World
from tests.lab import small

TAPE = small.tape(4)
ECONOMY = TAPE.economy
CLOSE = ECONOMY.window_ms


def attack(mechanism: str, adversary: str, tape: Tape = TAPE, **parameters: int) -> tuple[Outcome, Venue]:
    """A run under an attack, and the venue as it was left."""
    venue = MECHANISMS[mechanism](tape.economy)
    point: Parameters = parameters
    attacker = (ADVERSARIES | BASELINES)[adversary](point, Place(tape.seed, venue.block_ms))
    return World(venue, tape, attacker).run((mechanism, adversary)), venue


def own(trades: tuple[Trade, ...]) -> list[Trade]:
    """Those trades that the adversary made."""
    return [trade for trade in trades if trade[0] >= ADVERSARY]


def test_a_latency_sniper_buys_in_the_block_after_the_launch_and_sells_once_when_it_said() -> None:
    outcome, venue = attack("pump", "latency-sniper", size_bps=500, hold_minutes=20)

    assert [at for *_, at in own(outcome.entries)] == [venue.block_ms]
    assert [at for *_, at in own(outcome.exits)] == [venue.block_ms + 20 * MINUTE]
    assert outcome.entries[0][0] == ADVERSARY


def test_a_refused_sniper_tries_the_next_blocks() -> None:
    outcome, venue = attack("clanker-priority", "latency-sniper", size_bps=500, hold_minutes=20)

    assert own(outcome.entries)[0][3] == 2 * venue.block_ms
    assert outcome.actions["adversary-refused"] >= 1


def test_an_insider_buys_in_the_launchs_own_block_from_eight_accounts_and_sells_in_eight_pieces() -> None:
    outcome, _ = attack("pump", "insider-bundler", size_bps=500, hold_minutes=80)
    sales = own(outcome.exits)

    assert {at for *_, at in own(outcome.entries)} == {0}
    assert len({who for who, *_ in own(outcome.entries)}) == 8
    assert sorted({at for *_, at in sales}) == [80 * MINUTE + piece * 10 * MINUTE for piece in range(8)]


def test_a_tax_edge_sniper_waits_until_the_tax_has_fallen_to_its_edge() -> None:
    late, early = (
        own(attack("virtuals-98m", "tax-edge-sniper", size_bps=500, hold_minutes=60, edge_bps=edge)[0].entries)[0][3]
        for edge in (4_000, 7_000)
    )

    assert 20 * MINUTE < early < 60 * MINUTE < late < 98 * MINUTE


def test_a_last_look_comes_in_the_last_blocks_and_only_where_the_price_is_below_its_limit() -> None:
    cheap, venue = attack("lca", "last-look-whale", size_bps=500, hold_minutes=60, limit_bps=1)
    dear, _ = attack("lca", "last-look-whale", size_bps=500, hold_minutes=60, limit_bps=1_000_000)
    trading, _ = attack("pump", "last-look-whale", size_bps=500, hold_minutes=60, limit_bps=1_000_000)

    assert own(cheap.entries) == []
    assert "adversary-bid" not in cheap.actions
    assert dear.actions["adversary-bid"] == 1
    assert [at for *_, at in own(trading.entries)] == [CLOSE - 2 * MECHANISMS["pump"](ECONOMY).block_ms]
    assert venue.closes == CLOSE


def test_a_whale_that_shades_its_bid_never_pays_above_it() -> None:
    outcome, venue = attack("lca", "demand-reducing-whale", size_bps=3_000, limit_bps=30_000)
    limit = ECONOMY.floor_q96 * 3

    assert all(spent << 96 <= limit * tokens for _, tokens, spent, _ in own(outcome.entries))
    assert outcome.actions["adversary-bid"] == 1
    assert venue.ledger.escrow[ADVERSARY] == 0


def test_a_whale_buys_in_parts_where_the_sale_is_by_trades() -> None:
    outcome, _ = attack("pump", "demand-reducing-whale", size_bps=1_000, limit_bps=1_000_000)

    assert len(own(outcome.entries)) == 12
    assert min(at for *_, at in own(outcome.exits)) >= CLOSE + 3 * HOUR


@pytest.mark.parametrize("mechanism", ["lca", "easyauction", "cca-linear", "lbp"])
def test_a_pool_open_sniper_is_first_in_the_block_after_the_pool_opened(mechanism: str) -> None:
    outcome, venue = attack(mechanism, "pool-open-sniper", size_bps=500, hold_minutes=30)
    after = [trade for trade in outcome.entries if trade[3] > outcome.closed]

    assert after[0] == own(outcome.entries)[0]
    assert after[0][3] - outcome.closed <= 10 * MINUTE + venue.block_ms


def test_identities_cost_where_bids_are_taken_and_nowhere_else() -> None:
    bidding, _ = attack("lca", "sybil", size_bps=2_000, accounts=8, identity_dollars=25)
    trading, _ = attack("pump", "sybil", size_bps=2_000, accounts=8, identity_dollars=25)

    assert bidding.costs == 8 * 25 * DOLLAR
    assert trading.costs == 0
    assert len({who for who, *_ in own(trading.entries)}) == 8


def test_a_wash_trader_buys_in_six_steps_and_sells_all_each_time() -> None:
    outcome, _ = attack("virtuals-60s", "wash-trader", size_bps=500, cycles=2, wait_minutes=10)

    assert len({at for *_, at in own(outcome.entries)}) == 12
    assert len({at for *_, at in own(outcome.exits)}) == 2


def test_passing_liquidity_stays_where_anybody_may_add_some_and_sells_again_where_nobody_may() -> None:
    joined, _ = attack("easyauction", "jit-lp", size_bps=500, stay_minutes=60)
    refused, venue = attack("lca", "jit-lp", size_bps=500, stay_minutes=60)

    assert joined.actions["adversary-join"] == 1
    assert joined.actions["adversary-leave"] == 1
    assert own(joined.exits)[0][3] - own(joined.entries)[0][3] == 60 * MINUTE
    assert "adversary-join" not in refused.actions
    assert own(refused.exits)[0][3] - own(refused.entries)[0][3] == venue.block_ms


def test_a_griefer_shows_demand_and_takes_it_back_where_it_may_and_dumps_elsewhere() -> None:
    shown, _ = attack("lca", "griefer", size_bps=2_000, times=1)
    dumped, _ = attack("pump", "griefer", size_bps=2_000, times=2)

    assert shown.actions["adversary-cancel"] == 1
    assert own(shown.entries) == []
    assert shown.profit == 0
    assert len(own(dumped.entries)) == len(own(dumped.exits)) == 2


def test_a_placebo_rolls_the_dice_of_its_seed() -> None:
    once, again, other = (own(attack("pump", "placebo", small.tape(seed))[0].entries) for seed in (4, 4, 5))

    assert once == again
    assert once != other


def test_probes_spend_the_same_in_the_first_block_and_ten_minutes_later() -> None:
    early, late = (attack("pump", name)[0] for name in ("probe-early", "probe-late"))

    assert early.charged[ADVERSARY] == late.charged[ADVERSARY] == 200 * DOLLAR
    assert own(late.entries)[0][3] == 10 * MINUTE
    assert own(early.entries)[0][1] > own(late.entries)[0][1]


def test_probes_of_an_auction_get_the_same_whenever_they_come() -> None:
    early, late = (own(attack("lca", name)[0].entries) for name in ("probe-early", "probe-late"))

    assert early == late


def test_a_shill_bids_at_its_time_and_sells_an_hour_after_the_close() -> None:
    outcome, _ = attack("lca", "seller-shill", size_bps=500, at_minutes=600)

    assert outcome.actions["adversary-bid"] == 4
    assert {at for *_, at in own(outcome.exits)} == {outcome.closed + HOUR}


def test_nobody_does_nothing() -> None:
    outcome, _ = attack("lca", "none")

    assert not any(name.startswith("adversary") for name in outcome.actions)
