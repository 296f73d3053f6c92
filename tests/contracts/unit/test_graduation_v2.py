"""Graduation into real Uniswap v2 pairs, also where somebody was there first and did what can be done to a pair."""

from collections.abc import Callable

import pytest

from mercato.chains import Deployed, Reverted
from tests.contracts.house import DOLLAR, FOREVER, PEOPLE, TREASURY, Sale
from tests.contracts.uniswap import DEAD, V2, opened

pytestmark = pytest.mark.npm
FIRST, SECOND, STRANGER, KEEPER = PEOPLE
BIDS = (FIRST, 10, 40_000 * DOLLAR), (SECOND, 20, 30_000 * DOLLAR)
Game = Callable[[V2, Sale], None]


@pytest.fixture
def v2(npm: object) -> V2:
    return opened()


def graduated(v2: V2, *games: Game, order: int = 0) -> Sale:
    """Returns a cleared launch; each game is played in its pair while the auction is open."""
    sale = v2.launch(application=bytes([order + 1]) * 32)
    v2.house.wait_until(sale.terms["opens"])
    for game in games:
        game(v2, sale)
    for person, level, amount in BIDS:
        v2.house.bid(sale, person, level, amount)
    v2.house.wait_until(sale.terms["closes"])
    sale.auction.send("clear", sender=KEEPER)
    return sale


def expected(sale: Sale) -> tuple[int, int]:
    """Returns the reserves that formula (6) asks for."""
    _, raised, sold, *_ = sale.auction.read("result")
    lp_quote = raised * 7_500 // 10_000
    return lp_quote * sold // raised, lp_quote


def squat(v2: V2, sale: Sale) -> None:
    v2.squat(sale, STRANGER)


def donate(amount: int) -> Game:
    def play(v2: V2, sale: Sale) -> None:
        v2.house.dollar.send("faucet", v2.pair(sale).address, amount, sender=STRANGER)

    return play


def sync(v2: V2, sale: Sale) -> None:
    v2.pair(sale).send("sync", sender=STRANGER)


def skim(v2: V2, sale: Sale) -> None:
    """Skimming moves both tokens, and the agent's is locked yet: whoever gave cannot take it back."""
    with pytest.raises(Reverted, match="TRANSFER_FAILED"):
        v2.pair(sale).send("skim", STRANGER, sender=STRANGER)


GAMES: dict[str, tuple[Game, ...]] = {
    "nobody was there": (),
    "squatted": (squat,),
    "squatted and given a unit": (squat, donate(1)),
    "squatted and given": (squat, donate(1_000 * DOLLAR)),
    "given a unit and synced": (squat, donate(1), sync),
    "given little and synced": (squat, donate(50), sync),
    "given and synced": (squat, donate(1_000 * DOLLAR), sync),
    "given more than the raise and synced": (squat, donate(10_000_000 * DOLLAR), sync),
    "synced and given again": (squat, donate(1_000 * DOLLAR), sync, donate(777)),
    "given, synced, given, skimmed": (squat, donate(1_000 * DOLLAR), sync, donate(777), skim, donate(3), sync),
    "synced empty": (squat, sync, skim, sync),
}


@pytest.mark.parametrize("name", GAMES)
@pytest.mark.parametrize("order", [0, 1, 2])
def test_the_pair_opens_at_the_clearing_price_whatever_was_done_to_it(v2: V2, name: str, order: int) -> None:
    """Of several launches the token sorts before the dollar in some and behind it in others."""
    sale = graduated(v2, *GAMES[name], order=order)
    pair = v2.pair(sale)

    assert sale.state == "LIVE"
    assert v2.reserves(sale) == expected(sale)
    assert pair.read("balanceOf", v2.locker.address) == pair.read("totalSupply") - DEAD
    assert v2.locker.read("locked", pair.address) > 0
    assert v2.house.dollar.read("balanceOf", v2.graduator.address) == 0
    assert sale.token.read("balanceOf", v2.graduator.address) == 0


def test_both_orders_of_the_two_tokens_were_tried(v2: V2) -> None:
    tokens = [v2.launch(application=bytes([order + 1]) * 32).token.address for order in range(3)]

    assert len({token < v2.house.dollar.address for token in tokens}) == 2


def test_what_was_given_to_spoil_the_price_goes_to_the_escrow(v2: V2) -> None:
    gift = 10_000_000 * DOLLAR
    sale = graduated(v2, squat, donate(gift), sync)
    raised = sale.auction.read("result")[1]

    assert v2.house.dollar.read("balanceOf", TREASURY) == raised * 200 // 10_000
    assert v2.house.dollar.read("balanceOf", sale.escrow.address) == (
        raised - raised * 7_500 // 10_000 - raised * 200 // 10_000 + gift
    )


def test_nobody_gets_shares_of_the_pair_before_it_opens(v2: V2) -> None:
    sale = v2.launch()
    pair = v2.squat(sale, STRANGER)
    v2.house.dollar.send("faucet", pair.address, 1_000 * DOLLAR, sender=STRANGER)

    with pytest.raises(Reverted):
        pair.send("mint", STRANGER, sender=STRANGER)
    assert pair.read("totalSupply") == 0


def test_the_locker_can_do_nothing(v2: V2) -> None:
    changing = [part for part in v2.locker.interface.abi if part.get("stateMutability") not in ("view", "pure")]

    assert changing == []


def test_the_shares_cannot_be_taken_by_anybody(v2: V2) -> None:
    sale = graduated(v2)
    pair = v2.pair(sale)
    shares = pair.read("balanceOf", v2.locker.address)

    for thief in (STRANGER, TREASURY, KEEPER):
        with pytest.raises(Reverted):
            pair.send("transferFrom", v2.locker.address, thief, shares, sender=thief)
        with pytest.raises(Reverted):
            pair.send("burn", thief, sender=thief)


def trade(v2: V2, sale: Sale, token_in: Deployed, token_out: Deployed, amount: int) -> int:
    """Swaps through the real router for the stranger; returns what came out."""
    before = token_out.read("balanceOf", STRANGER)
    token_in.send("approve", v2.router.address, amount, sender=STRANGER)
    path = [token_in.address, token_out.address]
    v2.router.send("swapExactTokensForTokens", amount, 0, path, STRANGER, FOREVER, sender=STRANGER)
    return int(token_out.read("balanceOf", STRANGER)) - int(before)


def test_the_real_router_trades_in_the_pair_and_the_locked_liquidity_grows(v2: V2) -> None:
    sale = graduated(v2)
    v2.house.dollar.send("faucet", STRANGER, 1_000 * DOLLAR, sender=STRANGER)
    token, quote = v2.reserves(sale)
    bought = trade(v2, sale, v2.house.dollar, sale.token, 1_000 * DOLLAR)
    back = trade(v2, sale, sale.token, v2.house.dollar, bought)
    after = v2.reserves(sale)

    assert bought > 0
    assert back < 1_000 * DOLLAR
    assert after[0] * after[1] > token * quote
