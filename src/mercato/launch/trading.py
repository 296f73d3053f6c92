"""Trades in a launch's own pool: what one would give now, and the transactions for a wallet to sign.

The quote is the pool's own formula at one block; the transaction names the least that it may give, so that whoever
trades in between cannot make it worse than that.
"""

from __future__ import annotations

from dataclasses import dataclass

from mercato.chains import Address, Chain
from mercato.core.errors import Conflict, InvalidInput
from mercato.launch.clearing import BPS
from mercato.launch.contracts import at
from mercato.launch.model import Launch
from mercato.launch.pool import Pool

PATIENCE = 1200  # seconds of chain time until a prepared trade is void
SHORTEST, LONGEST = 60, 86_400  # what else may be asked for


@dataclass(frozen=True, slots=True)
class Quoted:
    """What a trade would do now. Buying gives quote and receives tokens, selling the other way; the fee is quote.

    `impact_ppm` is how much worse than the present price it is, fee included, in parts per million; `price` is the one
    before the trade and `after` the one that it leaves behind, in Q96.
    """

    buys: bool
    given: int
    received: int
    fee: int
    fee_ppm: int
    impact_ppm: int
    price: int
    after: int
    block: int


def place(launch: Launch) -> Address:
    """Returns where a launch's pool is; Conflict before it is live."""
    if launch.contracts is None or launch.contracts.pool is None:
        raise Conflict(
            f"launch was {launch.state.value!r}, without a pool", hint="a pool opens when the price is found"
        )
    return launch.contracts.pool


def quoted(chain: Chain, launch: Launch, buys: bool, given: int) -> Quoted:
    """Returns what a trade would give at the newest block; InvalidInput for an amount that no pool takes."""
    pool = at(chain, "pool", place(launch))
    block = chain.block()
    tokens, quote = pool.read("reserves")
    now = Pool(tokens, quote, pool.read("opened_at"))
    trade = now.buy(given, block.time) if buys else now.sell(given, block.time)
    return Quoted(
        buys, given, trade.received, trade.fee, now.fee_ppm(block.time), trade.impact_ppm(now), now.price,
        trade.pool.price, block.number,
    )  # fmt: skip


def least(found: Quoted, slippage_bps: int) -> int:
    """Returns the least that a trade may give, `slippage_bps` below what it would give now, rounded down."""
    if not 0 <= slippage_bps < BPS:
        raise InvalidInput(f"slippage was {slippage_bps!r} basis points", hint=f"expected 0 to {BPS - 1}")
    return found.received * (BPS - slippage_bps) // BPS


def void_after(chain: Chain, patience: int) -> int:
    """Returns the second of chain time from which a trade that is prepared now is void."""
    if not SHORTEST <= patience <= LONGEST:
        raise InvalidInput(f"patience was {patience!r} seconds", hint=f"expected {SHORTEST} to {LONGEST}")
    return chain.time() + patience


def balances(chain: Chain, launch: Launch, quote: Address, holder: Address) -> tuple[int, int]:
    """Returns what an account holds of the quote token and of the launch's token, in base units of each."""
    if launch.contracts is None:
        raise Conflict(
            f"launch was {launch.state.value!r}, without a token", hint="a token is made when it is scheduled"
        )
    own: int = at(chain, "agent_token", launch.contracts.token).read("balanceOf", holder)
    return at(chain, "test_dollar", quote).read("balanceOf", holder), own
