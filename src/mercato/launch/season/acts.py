"""What people of the season send: bids, second thoughts and claims in auctions, trades in pools."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from mercato.chains import Address, Call, Deployed
from mercato.launch.model import RETAIL
from mercato.launch.season.bidding import Move
from mercato.launch.season.trading import Order

ENDLESS = 2**256 - 1
PATIENCE = 86_400  # seconds for which a trade may wait
Credential = Callable[[Address, Address], bytes]


@dataclass(frozen=True)
class Stage:
    """One launch's contracts as the crowd needs them; `pool` is None until it is live."""

    symbol: str
    dollar: Deployed
    auction: Deployed
    token: Deployed
    pool: Deployed | None = None


def bids(moves: Iterable[Move], stage: Stage, credential: Credential) -> list[Call]:
    """Returns the transactions of moves; `credential` gives the proof for the retail tranche of an auction."""
    acts = list(moves)
    pays = [move for move in acts if move.act in {"bid", "retail"}]
    return [*_topped_up(pays, stage), *(call for move in acts for call in _bid(move, stage, credential))]


def _topped_up(pays: Sequence[Move], stage: Stage) -> list[Call]:
    """Returns what gives bidders the dollars that trading has left too few of: money that was earned elsewhere."""
    needed: dict[Address, int] = {}
    for move in pays:
        needed[move.person.address] = needed.get(move.person.address, 0) + move.amount
    missing = {who: amount - int(stage.dollar.read("balanceOf", who)) for who, amount in needed.items()}
    return [stage.dollar.call("faucet", who, amount, sender=who) for who, amount in missing.items() if amount > 0]


def _bid(move: Move, stage: Stage, credential: Credential) -> list[Call]:
    who, auction = move.person.address, stage.auction
    if move.act == "improve":
        return [auction.call("improve", move.level, move.to, move.amount, sender=who)]
    if move.act == "cancel":
        return [auction.call("cancel", move.level, move.amount, sender=who)]
    approve = stage.dollar.call("approve", auction.address, move.amount, sender=who)
    if move.act == "retail":
        proof = credential(auction.address, who)
        return [approve, auction.call("bid_retail", move.amount, proof, sender=who)]
    return [approve, auction.call("bid", move.level, move.amount, sender=who)]


def positions(moves: Iterable[Move]) -> dict[tuple[Address, int], int]:
    """Returns what each bidder holds at each level after moves, in base units of the dollar."""
    held: dict[tuple[Address, int], int] = {}

    def add(move: Move, level: int, amount: int) -> None:
        key = (move.person.address, level)
        held[key] = held.get(key, 0) + amount

    for move in moves:
        level = RETAIL if move.act == "retail" else move.level
        add(move, level, move.amount if move.act in {"bid", "retail"} else -move.amount)
        if move.act == "improve":
            add(move, move.to, move.amount)
    return {key: amount for key, amount in held.items() if amount}


def claims(moves: Iterable[Move], stage: Stage) -> list[Call]:
    """Returns the claims of all who hold something, each sent by its bidder."""
    return [stage.auction.call("claim", bidder, level, sender=bidder) for bidder, level in sorted(positions(moves))]


class Wallets:
    """Sends trades, with the approvals that they need: once for each person and pool."""

    def __init__(self) -> None:
        self._approved: set[tuple[Address, Address, Address]] = set()
        self._now = 0
        self._paid: dict[tuple[Address, Address], int] = {}

    def trade(self, who: Address, order: Order, stage: Stage, now: int) -> list[Call]:
        """Returns the transactions of a trade; none where the person has nothing to pay with.

        Trades of one moment lie in one block, so what a person pays in one is not there for the next.
        """
        assert stage.pool is not None
        asset = stage.dollar if order.side == "buy" else stage.token
        if now != self._now:
            self._now, self._paid = now, {}
        paid = self._paid.get((who, asset.address), 0)
        amount = min(order.amount, int(asset.read("balanceOf", who)) - paid)
        if amount <= 0:
            return []
        self._paid[who, asset.address] = paid + amount
        act = stage.pool.call(order.side, amount, 1, now + PATIENCE, who, sender=who)
        return [*self._approval(who, asset, stage.pool.address), act]

    def _approval(self, who: Address, asset: Deployed, pool: Address) -> list[Call]:
        key = (who, asset.address, pool)
        if key in self._approved:
            return []
        self._approved.add(key)
        return [asset.call("approve", pool, ENDLESS, sender=who)]
