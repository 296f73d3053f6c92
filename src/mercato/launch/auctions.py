"""What a chain says of an auction: its state, its book, what clearing now would give, and one bidder's positions.

Everything is read at one block. The arithmetic is `clearing`'s, the same as the contract's to the wei.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from mercato.chains import Address, Chain, Deployed, LogQuery
from mercato.chains.errors import BadCall
from mercato.chains.model import Block
from mercato.core.errors import Conflict
from mercato.launch import clearing
from mercato.launch.clearing import RETAIL, Clearing
from mercato.launch.contracts import at
from mercato.launch.model import Contracts, Demand, Launch, Level, Outcome, Position, Preview
from mercato.launch.states import ENDED, ON_CHAIN, State

T = TypeVar("T")
TRIES = 5


@dataclass(frozen=True, slots=True)
class Book:
    """An auction's terms and demand at a block, and what came of it: `found` is a forecast until `final`."""

    block: Block
    state: State
    locks: int
    terms: clearing.Terms
    demand: clearing.Demand
    found: Clearing
    final: bool


class Auctions:
    """Reads auctions on one chain."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain

    def auction(self, launch: Launch) -> Deployed:
        """Returns the auction of a launch; Conflict before it is on the chain."""
        return at(self._chain, "auction", contracts(launch).auction)

    def token(self, launch: Launch) -> Address:
        """Returns the launch's token; Conflict before it is on the chain."""
        return contracts(launch).token

    def state(self, launch: Launch) -> State:
        """Returns what the auction says of itself."""
        return ON_CHAIN[self.auction(launch).read("state")]

    def total(self, launch: Launch) -> int:
        """Returns all money that is bid, in quote base units."""
        found: int = self.auction(launch).read("total")
        return found

    def ends(self, launch: Launch) -> int:
        """Returns when the window ends as far as is known now, in seconds of chain time."""
        found: int = self.auction(launch).read("end")
        return found

    def block(self) -> int:
        """Returns the newest block's number."""
        return self._chain.block().number

    def outcome(self, launch: Launch) -> Outcome | None:
        """Returns how the auction cleared; None before, and where it failed."""
        found = self.auction(launch).read("result")
        return Outcome(found[0], found[1], found[2], found[5]) if found[2] else None

    def book(self, launch: Launch) -> Book:
        """Returns the auction's book at the newest block."""
        auction = self.auction(launch)
        return self._at_one_block(lambda block: _book(auction, block))

    def demand(self, launch: Launch) -> Demand:
        """Returns the book for people: demand by level, what of it is firm, and what clearing now would give."""
        held = self.book(launch)
        firm = held.block.time >= held.locks
        total, found = held.demand.total, held.found
        return Demand(
            levels=tuple(Level(number, price, held.demand.levels[number]) for number, price in _numbered(held)),
            retail=held.demand.retail,
            total=total,
            firm=total if firm else 0,
            cancellable=0 if firm else total,
            clears=not found.failed,
            level=found.k,
            price=_price(found),
            raised=found.raised,
            sold=found.sold,
            block=held.block.number,
            time=held.block.time,
        )

    def preview(self, launch: Launch, level: int, amount: int) -> Preview:
        """Returns what a further bid would get if the auction cleared with it now; Conflict where it takes no bids."""
        held = self.book(launch)
        if held.final:
            raise Conflict(f"auction was {held.state.value!r}", hint="it takes no more bids")
        known_level(level, len(held.terms.prices))
        levels, retail = list(held.demand.levels), held.demand.retail
        if level == RETAIL:
            retail += amount
        else:
            levels[level] += amount
        found = clearing.clear(clearing.Demand(tuple(levels), retail), held.terms)
        fill = clearing.settle(level, amount, found)
        return Preview(level, amount, fill.tokens, fill.charge, fill.refund, _price(found), not found.failed)

    def positions(self, launch: Launch, bidder: Address) -> tuple[Position, ...]:
        """Returns a bidder's positions by level: those that hold money, and those that were paid out."""
        auction = self.auction(launch)
        touched, claimed = self._touched(launch, auction, bidder)
        held = self.book(launch)
        found = []
        for level in sorted(touched):
            amount = auction.read("bids", bidder, level)
            if amount:
                fill = clearing.settle(level, amount, held.found)
                found.append(Position(level, amount, fill.tokens, fill.charge, fill.refund, held.final))
            elif level in claimed:
                tokens, charge, refund = claimed[level]
                found.append(Position(level, charge + refund, tokens, charge, refund, True, True))
        return tuple(found)

    def pool(self, launch: Launch) -> Address | None:
        """Returns where the launch's pool is; None before it graduated."""
        auction = self.auction(launch)
        query = LogQuery(
            contracts(launch).block, self._chain.block().number, frozenset({auction.address}),
            (frozenset({auction.interface.topic("Graduated")}),),
        )  # fmt: skip
        events = [auction.interface.event(log) for log in self._chain.logs(query)]
        return next((Address(event.values["pool"]) for event in events if event), None)

    def _touched(
        self, launch: Launch, auction: Deployed, bidder: Address
    ) -> tuple[set[int], dict[int, tuple[int, int, int]]]:
        """Returns the levels at which a bidder ever had money, and what was paid out there."""
        who = bytes(12) + bytes.fromhex(bidder[2:])
        topics = frozenset(auction.interface.topic(name) for name in ("BidPlaced", "BidImproved", "Claimed"))
        query = LogQuery(
            contracts(launch).block, self._chain.block().number, frozenset({auction.address}),
            (topics, frozenset({who})),
        )  # fmt: skip
        levels: set[int] = set()
        paid: dict[int, tuple[int, int, int]] = {}
        for log in self._chain.logs(query):
            event = auction.interface.event(log)
            values: dict[str, Any] = event.values if event else {}
            levels |= {values[name] for name in ("level", "from_level", "to_level") if name in values}
            if event and event.name == "Claimed":
                paid[values["level"]] = (values["tokens"], values["charge"], values["refund"])
        return levels, paid

    def _at_one_block(self, read: Callable[[Block], T]) -> T:
        """Returns what was read while no block came between; a chain that keeps old states needs one try."""
        for _ in range(TRIES):
            block = self._chain.block()
            try:
                return read(block)
            except BadCall:  # the embedded chain keeps the newest state only, and that is another one by now
                continue
        raise Conflict("blocks came faster than the auction could be read", hint="try again")


def contracts(launch: Launch) -> Contracts:
    """Returns where a launch stands; Conflict before it is on the chain."""
    if launch.contracts is None:
        raise Conflict(f"launch {launch.id!r} was {launch.state.value!r}, not on a chain", hint="schedule it first")
    return launch.contracts


def known_level(level: int, levels: int) -> int:
    """Returns a level that an auction has, or the one that stands for retail; Conflict for any other."""
    if level != RETAIL and not 0 <= level < levels:
        raise Conflict(f"level was {level!r}", hint=f"expected 0 to {levels - 1}, or {RETAIL} for retail")
    return level


def _book(auction: Deployed, block: Block) -> Book:
    def read(function: str) -> Any:
        return auction.read(function, at=block.number)

    names = [part["name"] for entry in auction.interface.abi if entry.get("name") == "params"
             for part in entry["outputs"][0]["components"]]  # fmt: skip
    params = dict(zip(names, read("params"), strict=True))
    prices = clearing.grid(params["floor_q96"], params["step_bps"], params["levels"])
    terms = clearing.Terms(params["sale"], params["retail_cap"], params["raise_min"], prices)
    demand = clearing.Demand(tuple(read("demands")[: params["levels"]]), read("retail_demand"))
    state = ON_CHAIN[read("state")]
    final = state in ENDED or state is State.CLEARED_PENDING
    found = Clearing(*read("result")) if final else clearing.clear(demand, terms)
    return Book(block, state, params["locks"], terms, demand, found, final)


def _numbered(held: Book) -> list[tuple[int, int]]:
    return list(enumerate(held.terms.prices))


def _price(found: Clearing) -> int:
    """Returns the clearing price in Q96, rounded down; 0 where nothing clears."""
    return found.raised * clearing.Q96 // found.sold if found.sold else 0


def sale(launch: Launch) -> int:
    """Returns the tokens for sale, in base units."""
    return launch.application.terms.tokens(launch.application.allocation.sale)
