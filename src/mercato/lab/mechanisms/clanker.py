"""Clanker v4: all tokens in one Uniswap v4 pool, guarded for its first seconds. Base, blocks of 2 s.

Sources, read 2026-11-22: clanker.gitbook.io at github.com/clanker-devco/DOCS e533702 (2026-07-10): "mev-modules" with
ClankerMevDescendingFees and ClankerSniperAuctionV2, "clanker.world deployments"; github.com/clanker-devco/v4-contracts
at b004c2e (2025-11-07), `src/mev-modules`, `src/hooks/ClankerHookV2.sol`; clanker-sdk, `POOL_POSITIONS.Project`.

(1) LP fee = end + (start - end) * left**2, left = (30 - (elapsed - 1)) / 30 in 1e-18, whole seconds; none in second 0
(2) start 66.6777 %, end 5 %, in 30 s; then 1 %, the static default
(3) buying: Clanker takes p / (1 + p) of the quote, p = LP fee / 5; the LP fee is taken of the rest
(4) selling: the LP fee is taken of the tokens, Clanker takes p of the quote that comes out
(5) priority auction: at most 5 places, the first in block 2 after deployment, the next 2 blocks after a place was sold;
    only who pays trades in such a block, at the start fee, nobody in between; creator 80 %, Clanker 20 % of payments;
    when a block finds no buyer, or after the 5th, the fee falls as in (1) from the last place on, without the second

LP fees belong to the creator and are not part of the liquidity. The recommended positions keep their widths in ticks;
the default starting capitalisation ($40,000) is scaled to the reviewed floor.
"""

from __future__ import annotations

from collections import defaultdict
from math import isqrt

from mercato.lab.mechanisms.market import PPM, Market, Trading
from mercato.lab.mechanisms.ticks import Ranges, for_tokens, sqrt_at
from mercato.lab.model import Q96, Economy, Phase

START_PPM, END_PPM, STATIC_PPM = 666_777, 50_000, 10_000
DECAY_SECONDS = 30
WAD = 10**18
PLACES, APART = 5, 2
#: Ticks above the start, and the part of the supply in 1/10000.
POSITIONS = (
    (0, 16_400, 1_000),
    (16_400, 75_400, 5_000),
    (28_400, 75_400, 1_500),
    (75_400, 110_400, 2_000),
    (89_400, 110_400, 500),
)


def falling(left_seconds: int) -> int:
    """Returns the LP fee in ppm with so many seconds of the fall left, formula (1)."""
    left = left_seconds * WAD // DECAY_SECONDS
    return END_PPM + (START_PPM - END_PPM) * (left * left // WAD) // WAD


class Ladder(Market):
    """Positions in a pool whose fee the venue sets before each trade: `fee` in ppm, None while nobody may trade."""

    __slots__ = ("fee", "fees", "quoted", "ranges", "tokens")

    def __init__(self, start: int, supply: int, fees: defaultdict[str, int]) -> None:
        edges = [(start * sqrt_at(low) // Q96, start * sqrt_at(high) // Q96, bps) for low, high, bps in POSITIONS]
        positions = [(low, high, for_tokens(supply * bps // 10_000, low, high)) for low, high, bps in edges]
        self.ranges = Ranges(edges[0][0], positions)
        self.fees = fees
        self.fee: int | None = None
        self.quoted, self.tokens = 0, supply

    @classmethod
    def opening(cls, economy: Economy, fee: int | None = None) -> Ladder:
        """Returns the positions of a launch at the reviewed floor."""
        made = cls(isqrt(economy.floor_q96 << 96), economy.supply, defaultdict(int))
        made.fee = fee
        return made

    def price(self) -> int:
        """Returns the marginal price, Q96."""
        return self.ranges.sqrt**2 >> 96

    def reserves(self) -> tuple[int, int]:
        """Returns the constant product that the present range is a part of."""
        return self.ranges.reserves()

    def held(self) -> tuple[int, int]:
        """Returns quote in the positions, and tokens with the LP fees taken in them."""
        return self.quoted, self.tokens

    def quote(self, spend: int, now: int) -> int:
        """Returns the tokens for `spend`, formula (3)."""
        net = self._net(spend)[0]
        return self.ranges.bought(net)[0] if net > 0 else 0

    def worth(self, tokens: int, now: int) -> int:
        """Returns the quote for `tokens`, formula (4)."""
        if self.fee is None:
            return 0
        gross = self.ranges.sold(tokens - -(-tokens * self.fee // PPM))[0]
        return gross - gross * (self.fee // 5) // PPM

    def buy(self, spend: int, now: int, least: int) -> tuple[int, int]:
        """Buys for all of `spend`; refused where the positions end."""
        net, clanker = self._net(spend)
        tokens, used, sqrt = self.ranges.bought(net) if net > 0 else (0, 0, 0)
        if tokens <= 0 or tokens < least or used < net:
            return 0, 0
        self.ranges.sqrt = sqrt
        self.quoted, self.tokens = self.quoted + net, self.tokens - tokens
        self.fees["protocol"] += clanker
        self.fees["creator"] += spend - clanker - net
        return tokens, spend

    def sell(self, tokens: int, now: int, least: int) -> int:
        """Sells `tokens`."""
        if self.fee is None:
            return 0
        gross, _, sqrt = self.ranges.sold(tokens - -(-tokens * self.fee // PPM))
        got = gross - gross * (self.fee // 5) // PPM
        if got <= 0 or got < least:
            return 0
        self.ranges.sqrt = sqrt
        self.quoted, self.tokens = self.quoted - gross, self.tokens + tokens
        self.fees["protocol"] += gross - got
        return got

    def _net(self, spend: int) -> tuple[int, int]:
        if self.fee is None:
            return 0, 0
        share = self.fee // 5
        clanker = spend * (share * WAD // (PPM + share)) // WAD
        left = spend - clanker
        return left - -(-left * self.fee // PPM), clanker


class Clanker(Trading):
    """The pool with the falling fee, or with places in the first blocks sold to who pays most."""

    def __init__(self, economy: Economy, auctioned: bool = False) -> None:
        super().__init__(economy)
        self.ladder = Ladder(isqrt(economy.floor_q96 << 96), economy.supply, self.ledger.fees)
        self.market = self.ladder
        self.idle = (0, 0)
        self.auctioned = auctioned
        self.falls_from: int | None = None if auctioned else 1
        self.sold_at = self.places = 0
        self.next_block = APART
        self.offers: dict[int, int] = {}

    def advance(self, at: int) -> None:
        """Moves time and sets the fee."""
        self.now = at
        if at < 0:
            return
        block = at // self.block_ms
        if self.falls_from is None and block > self.next_block:
            self.falls_from = self.sold_at
        if self.falls_from is None:
            self.ladder.fee = None
            return
        elapsed = at // 1_000 - self.falls_from
        self.ladder.fee = None if elapsed < 0 else STATIC_PPM
        if 0 <= elapsed < DECAY_SECONDS + self.auctioned:
            self.ladder.fee = falling(DECAY_SECONDS - elapsed)

    def phase(self) -> Phase:
        """Returns "primary" while the guard stands, "pool" after it."""
        if self.now < 0:
            return "before"
        guarded = self.falls_from is None or self.now // 1_000 - self.falls_from < DECAY_SECONDS
        return "primary" if guarded else "pool"

    def tip(self, who: int, amount: int) -> bool:
        """Offers `amount` for the place in the present block; what is bought or sold next by `who` takes it."""
        if self.falls_from is not None or self.now // self.block_ms != self.next_block or amount < 0:
            return False
        self.offers[who] = amount
        return True

    def buy(self, who: int, spend: int, least: int = 0) -> int:
        """Returns the tokens bought; in a block whose place is for sale only for who offered the most."""
        paid = self._takes(who)
        tokens = super().buy(who, spend, least)
        if paid is not None:
            self._sold(who, paid, bool(tokens))
        return tokens

    def traded(self) -> None:
        """Counts what lies in the pool as raised."""
        self.raised = self.ladder.quoted

    def _takes(self, who: int) -> int | None:
        best = max(self.offers.values(), default=None) if self.offers else None
        if best is None or self.offers.get(who) != best:
            return None
        self.ladder.fee = START_PPM
        return best

    def _sold(self, who: int, paid: int, done: bool) -> None:
        """Books the payment for a place and sets when the next is sold, formula (5)."""
        self.ladder.fee = None
        if not done:
            return
        self.offers.clear()
        self.ledger.charged[who] += paid
        self.ledger.fees["protocol"] += paid // 5
        self.ledger.fees["creator"] += paid - paid // 5
        self.places += 1
        self.sold_at = self.now // 1_000
        self.next_block = self.now // self.block_ms + APART
        if self.places == PLACES:
            self.falls_from = self.sold_at
