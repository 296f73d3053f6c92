"""Pool trades of whole runs, made again on Uniswap v2's own bytecode: equal to the wei."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from mercato.chains import Deployed, deploy
from mercato.chains.model import ZERO
from mercato.chains.testing import local
from mercato.lab.adversaries import BASELINES, Place
from mercato.lab.mechanisms.doppler import Doppler
from mercato.lab.mechanisms.market import Market
from mercato.lab.model import Economy
from mercato.lab.study import load
from mercato.lab.tape import draw
from mercato.lab.world import World
from tests.contracts.house import CURATOR, FOREVER, PEOPLE, made
from tests.contracts.uniswap import CORE, PERIPHERY, build

pytestmark = pytest.mark.npm

TRADER = PEOPLE[0]
RICH = 2**111


class Recorded(Doppler):
    """The auction with every trade in its pool, in order: what was given, what was received."""

    def __init__(self, economy: Economy) -> None:
        super().__init__(economy)
        self.trades: list[tuple[bool, int, int]] = []
        self.opening = (0, 0)

    def opens(self, pool: Market, quote: int, tokens: int) -> None:
        super().opens(pool, quote, tokens)
        self.opening = (quote, tokens)

    def buy(self, who: int, spend: int, least: int = 0) -> int:
        got = super().buy(who, spend, least)
        self.trades += [(True, spend, got)] * (got > 0 and self.pooled)
        return got

    def sell(self, who: int, tokens: int, least: int = 0) -> int:
        got = super().sell(who, tokens, least)
        self.trades += [(False, tokens, got)] * (got > 0 and self.pooled)
        return got


@dataclass
class Pair:
    """A router with one pair of two tokens that come from a tap."""

    router: Deployed
    token: Deployed
    quote: Deployed

    @classmethod
    def opened(cls, tokens: int, quote: int) -> Pair:
        """Deploys Uniswap and adds the first liquidity."""
        chain = local()
        factory, router = build(CORE, "UniswapV2Factory"), build(PERIPHERY, "UniswapV2Router02")
        code = [bytes.fromhex(part["bytecode"].removeprefix("0x")) for part in (factory, router)]
        made_factory = deploy(chain, factory["abi"], code[0], CURATOR, sender=CURATOR)
        made_router = deploy(chain, router["abi"], code[1], made_factory.address, ZERO, sender=CURATOR)
        pair = cls(made_router, made(chain, "test_dollar"), made(chain, "test_dollar"))
        for side in (pair.token, pair.quote):
            side.send("faucet", TRADER, RICH, sender=CURATOR)
            side.send("approve", made_router.address, 2**256 - 1, sender=TRADER)
        sides = (pair.token.address, pair.quote.address, tokens, quote, 0, 0, TRADER, FOREVER)
        made_router.send("addLiquidity", *sides, sender=TRADER)
        return pair

    def trade(self, buys: bool, given: int) -> int:
        """Returns what came out of a trade."""
        path = [self.quote.address, self.token.address] if buys else [self.token.address, self.quote.address]
        asset = self.token if buys else self.quote
        before: int = asset.read("balanceOf", TRADER)
        self.router.send("swapExactTokensForTokens", given, 0, path, TRADER, FOREVER, sender=TRADER)
        after: int = asset.read("balanceOf", TRADER)
        return after - before


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_pools_trades_are_those_of_the_pair_to_the_wei(seed: int) -> None:
    study = load()
    tape = draw(seed, study.people, study.value)
    venue = Recorded(tape.economy)
    World(venue, tape, BASELINES["none"]({}, Place(seed, venue.block_ms))).run(("doppler", "none"))
    quote, tokens = venue.opening
    pair = Pair.opened(tokens, quote)

    assert len(venue.trades) > 20
    assert [pair.trade(buys, given) for buys, given, _ in venue.trades] == [got for _, _, got in venue.trades]
