"""A pool on its own, with reserves of any size, beside its model."""

from __future__ import annotations

from dataclasses import dataclass, field

from mercato.chains import Address, Deployed
from mercato.chains.evm.local import LocalChain
from mercato.chains.testing import local
from mercato.launch.pool import Pool, Shares, Trade
from tests.contracts.compiled import hostile
from tests.contracts.house import CREATOR, CURATOR, FOREVER, PEOPLE, TREASURY, at, made

TRADER = PEOPLE[0]
MOST = 2**112 - 1
HOUSE = Shares()
SALT = b"\x5a" * 32


@dataclass
class Bench:
    """A pool contract whose two tokens come from a tap, and what the model says of it."""

    chain: LocalChain
    token: Deployed
    quote: Deployed
    pool: Deployed
    model: Pool
    owed: list[int] = field(default_factory=lambda: [0, 0])

    def trade(self, buys: bool, amount: int, *, min_out: int = 0, to: Address = TRADER) -> tuple[Trade, int]:
        """Trades in the next second, on the contract and on the model; returns the model's trade and what came out."""
        asset = self.token if buys else self.quote
        before = asset.read("balanceOf", to)
        self.pool.send("buy" if buys else "sell", amount, min_out, FOREVER, to, sender=TRADER)
        now = self.chain.time()
        trade = self.model.buy(amount, now) if buys else self.model.sell(amount, now)
        self.model = trade.pool
        self.owed = [self.owed[0] + trade.to_creator, self.owed[1] + trade.to_treasury]
        return trade, asset.read("balanceOf", to) - before

    @property
    def reserves(self) -> tuple[int, int]:
        token, quote = self.pool.read("reserves")
        return token, quote


def prepared(maker: Deployed, code: Address, token: Address, salt: bytes = SALT) -> Deployed:
    """Makes a pool that is not open yet, as a graduator does."""
    receipt = maker.send("make", code, salt, token, CREATOR, sender=CURATOR)
    assert isinstance(maker.chain, LocalChain)
    return at(maker.chain, "pool", maker.events(receipt)[0].values["pool"])


def opened(token: int, quote: int, shares: Shares = HOUSE, chain: LocalChain | None = None) -> Bench:
    """Opens a pool with these reserves; the trader has and allows as much of both as there can be."""
    chain = chain or local()
    asset, dollar = made(chain, "test_dollar"), made(chain, "test_dollar")
    code = made(chain, "pool", dollar.address, TREASURY, shares.creator_bps, shares.treasury_bps)
    maker = hostile(chain, "pool_maker")
    pool = prepared(maker, code.address, asset.address)
    for side, reserve in ((asset, token), (dollar, quote)):
        side.send("faucet", pool.address, reserve, sender=CURATOR)
        side.send("faucet", TRADER, 2**120, sender=CURATOR)
        side.send("approve", pool.address, 2**256 - 1, sender=TRADER)
    maker.send("open", pool.address, SALT, token, quote, sender=CURATOR)
    return Bench(chain, asset, dollar, pool, Pool(token, quote, chain.time(), shares))
