"""A run of the lab's auction, replayed act by act on the contracts of an embedded chain."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

from mercato.chains import Address, Deployed, Interface
from mercato.chains.model import ZERO, Call, Hash
from mercato.contracts import load
from mercato.lab.mechanisms.auction import Auction, own_pool
from mercato.lab.mechanisms.auctions import BASE_MS, rules_of
from mercato.lab.mechanisms.lca import Levels
from mercato.lab.model import Economy
from mercato.launch.clearing import RETAIL
from mercato.launch.credentials import AllowList
from tests.contracts.auctions import who
from tests.contracts.house import CURATOR, FOREVER, House, Sale, made

RICH = 2**80
GAS = 3_000_000


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that succeeded: when, the contract's function, whose it is, its numbers."""

    second: int
    name: str
    who: int
    numbers: tuple[int, ...]


class Recorded(Auction):
    """The auction as it is on chain, with everything that was done in order."""

    book: Levels

    def __init__(self, economy: Economy) -> None:
        super().__init__(economy, Levels(rules_of(economy)), BASE_MS, own_pool)
        self.retail_most = self.book.rules.each
        self.acts: list[Act] = []

    def bid(self, who: int, amount: int, limit: int | None, retail: bool = False) -> int | None:
        ticket = super().bid(who, amount, limit, retail)
        if ticket is not None:
            level = self.book.level_of(ticket)
            self._did("bid_retail", who, amount) if level == RETAIL else self._did("bid", who, level, amount)
        return ticket

    def raise_bid(self, ticket: int, amount: int, limit: int | None) -> bool:
        who, before, held = self.book.whose(ticket) or 0, self.book.level_of(ticket), self.book.amount_of(ticket)
        if not super().raise_bid(ticket, amount, limit):
            return False
        after = self.book.level_of(ticket)
        if after != before:
            self._did("improve", who, before, after, held)
        if amount:
            self._did("bid_retail", who, amount) if after == RETAIL else self._did("bid", who, after, amount)
        return True

    def cancel(self, ticket: int) -> bool:
        who, level, held = self.book.whose(ticket) or 0, self.book.level_of(ticket), self.book.amount_of(ticket)
        done = super().cancel(ticket)
        if done:
            self._did("cancel", who, level, held)
        return done

    def buy(self, who: int, spend: int, least: int = 0) -> int:
        got = super().buy(who, spend, least)
        if got:
            self._did("buy", who, spend, least, FOREVER)
        return got

    def sell(self, who: int, tokens: int, least: int = 0) -> int:
        got = super().sell(who, tokens, least)
        if got:
            self._did("sell", who, tokens, least, FOREVER)
        return got

    def _did(self, name: str, who: int, *numbers: int) -> None:
        self.acts.append(Act(self.now // 1_000, name, who, numbers))


class Replay:
    """The contracts of one launch on an embedded chain; `play` does there what was done in the lab."""

    def __init__(self, venue: Recorded) -> None:
        self.venue, self.house = venue, House()
        self.chain = self.house.chain
        self.people = sorted({act.who for act in venue.acts})
        retail = [who(act.who) for act in venue.acts if act.name == "bid_retail"]
        self.listed = AllowList.of(retail or [CURATOR])
        self.sale = self._launch()
        self._sent: list[Hash] = []

    def play(self) -> Sale:
        """Replays everything, each act in the second in which it was done; returns the launch."""
        self.chain.automine = False
        self._fund()
        opens, ended = int(self.sale.terms["opens"]), self.venue.book.closes // 1_000
        acts = sorted(
            [*self.venue.acts, Act(ended, "settle", 0, ())], key=lambda act: (act.second, act.name != "settle")
        )
        for second, group in groupby(acts, key=lambda act: act.second):
            for act in group:
                self._do(act)
            self._mine(opens + second - self.chain.time())
        return self.sale

    def _launch(self) -> Sale:
        rules = self.venue.book.rules
        gate = made(self.chain, "identity_gate", self.listed.root, ZERO, rules.each)
        opens = self.chain.time() + 3_600
        return self.house.launch(
            gate=gate.address, sale=rules.sale, retail_cap=rules.retail_cap, raise_min=rules.raise_min,
            floor_q96=rules.floor, min_bid=rules.least,
            opens=opens, locks=opens + rules.locks, closes=opens + rules.closes,
        )  # fmt: skip

    def _fund(self) -> None:
        """Gives everybody dollars, and the auction and the pool their allowances."""
        for person in self.people:
            self._send(person, self.house.dollar, "faucet", who(person), RICH)
            for spender in (self.sale.auction.address, self.sale.pool_address):
                self._send(person, self.house.dollar, "approve", spender, 2**256 - 1)
            self._send(person, self.sale.token, "approve", self.sale.pool_address, 2**256 - 1)
        self._mine(1)

    def _settle(self) -> None:
        """Clears, and claims for everybody."""
        self._send(0, self.sale.auction, "clear")
        for (person, level), held in self.venue.book.held.items():
            if held:
                self._send(0, self.sale.auction, "claim", who(person), level)

    def _do(self, act: Act) -> None:
        person = who(act.who)
        if act.name in ("buy", "sell"):
            self._send(act.who, Deployed(self.chain, POOL, self.sale.pool_address), act.name, *act.numbers, person)
        elif act.name == "bid_retail":
            self._send(act.who, self.sale.auction, act.name, *act.numbers, self.listed.credential(person))
        elif act.name == "settle":
            self._settle()
        else:
            self._send(act.who, self.sale.auction, act.name, *act.numbers)

    def _send(self, person: int, to: Deployed, name: str, *args: object) -> None:
        data = to.interface.encode(name, *args)
        self._sent.append(self.chain.send(Call(who(person), to.address, data, gas=GAS)))

    def _mine(self, seconds: int) -> None:
        self.chain.mine(seconds=seconds)
        for sent in self._sent:
            receipt = self.chain.wait(sent)
            assert receipt.succeeded, receipt.reason
        self._sent.clear()


POOL = Interface(load("pool").abi)


def balance(token: Deployed, account: Address) -> int:
    """Returns what an account holds."""
    return int(token.read("balanceOf", account))
