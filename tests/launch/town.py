"""A launch in every state on one embedded chain, and a bidder whose key is known: what pages are tested with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import httpx

from mercato.chains.signing import Key, personal
from mercato.chains.testing import ACCOUNTS, KEYS
from mercato.core.clock import Clock, HandClock
from mercato.launch.application import Application, Terms
from mercato.launch.contracts import at
from mercato.launch.model import Launch
from mercato.launch.settings import LaunchSettings
from mercato.launch.testing import House, application
from mercato.store import Store
from mercato.store.testing import sqlite_store

BIDDER, TEAM = Key(KEYS[3]), Key(KEYS[4])
REVIEWERS = tuple(Key(bytes([number]) * 32) for number in range(1, 13))
DOLLAR = 10**6
TERMS = Terms(floor=1_000_000 * DOLLAR, raise_min=100_000 * DOLLAR)
AGENTS = {
    "live": ("Sparrow", "SPRW", "Repairs flaky tests in open-source repositories and earns bounties for it."),
    "failed": ("Quorum", "QRM", "Summarises governance proposals before a vote, with links to each source."),
    "locked": ("Ledgerline", "LEDGE", "Reconciles treasuries every night and publishes differences with causes."),
    "open": ("Courtside", "COURT", "Watches basketball games, explains them and answers questions about them."),
    "scheduled": ("Tidewatch", "TIDE", "Forecasts power prices on open grids and sells them by the question."),
    "approved": ("Harbour", "HARB", "Books berths for small boats along the coast, by mail and by phone."),
    "declined": ("Pixel Foundry", "PIXF", "Draws game sprites on demand, in the style of a sheet that it is given."),
    "review": ("Atlas Notes", "ATLAS", "Reads papers of climate science and keeps a living review of them."),
    "draft": ("Gridmind", "GRIDM", "Plans the charging of electric fleets from open prices and weather."),
}


@dataclass
class Town:
    """Launches by the state they were brought to."""

    house: House
    launches: dict[str, str] = field(default_factory=dict)
    draws: Random = field(default_factory=lambda: Random(7))

    @classmethod
    def build(cls, store: Store, clock: Clock) -> Town:
        settings = LaunchSettings(reviewers=tuple(key.address for key in REVIEWERS))
        town = cls(House.open(store, clock, settings))
        for build in (town._live, town._failed, town._under_way, town._desk):
            build()
        town.house.room.sync_all()
        return town

    def launch(self, state: str) -> Launch:
        return self.house.room.launch(self.launches[state])

    def crowd(self, launch: Launch, people: int, level: int = 40) -> None:
        """Lets made-up people bid around a level."""
        for _ in range(people):
            bidder = f"0x{self.draws.getrandbits(160):040x}"
            at_level = min(255, max(0, level + self.draws.randint(-20, 20)))
            self.house.bid(launch, bidder, at_level, self.draws.randint(1000, 40_000) * DOLLAR)

    def trade(self, times: int) -> None:
        """Buys and sells in the live token's pool, minutes apart."""
        house, launch = self.house, self.launch("live")
        contracts, trader = house.contracts(launch), ACCOUNTS[5]
        assert contracts.pool is not None
        pool, token = at(house.chain, "pool", contracts.pool), at(house.chain, "agent_token", contracts.token)
        quote = at(house.chain, "test_dollar", house.room.deployment.quote)
        house.fund(trader, 10_000_000 * DOLLAR)
        for contract in (quote, token):
            contract.send("approve", pool.address, 2**255, sender=trader)
        for number in range(times):
            house.chain.mine(seconds=self.draws.randint(60, 900))
            given = 500 * DOLLAR if number % 3 else 4000 * DOLLAR
            pool.send("buy", given, 0, 2**40, trader, sender=trader)
            pool.send("sell", token.read("balanceOf", trader) // 3, 0, 2**40, trader, sender=trader)

    def _live(self) -> None:
        launch = self._scheduled("live")
        self.crowd(launch, 30)
        self.house.bid(launch, BIDDER.address, 90, 900 * DOLLAR)
        self.house.bid(launch, BIDDER.address, 0, 50 * DOLLAR)
        self.house.over(launch)
        self.house.room.keep(launch.id)
        self.house.room.sync(launch.id)
        self.trade(12)

    def _failed(self) -> None:
        launch = self._scheduled("failed")
        self.house.bid(launch, BIDDER.address, 3, 700 * DOLLAR)
        self.house.over(launch)
        self.house.room.keep(launch.id)
        self.house.room.sync(launch.id)

    def _under_way(self) -> None:
        locked = self._scheduled("locked")
        self.crowd(locked, 25)
        self.house.bid(locked, BIDDER.address, 30, 400 * DOLLAR)
        self.house.at(self.house.contracts(locked).locks + 60)
        opened = self._scheduled("open")
        self.crowd(opened, 30)
        self.house.bid(opened, BIDDER.address, 80, 250 * DOLLAR)
        coming = self.house.scheduled(self.wanted("scheduled"), opens=self.house.chain.time() + 86_400)
        self.launches["scheduled"] = coming.id

    def _desk(self) -> None:
        room = self.house.room
        self.launches["approved"] = self.house.approved(self.wanted("approved")).id
        self.launches["declined"] = self.house.declined(self.wanted("declined")).id
        review = room.apply(self.wanted("review"))
        self.house.pay_deposit(review)
        self.launches["review"] = room.submit(review.id).id
        self.launches["draft"] = room.apply(self.wanted("draft"), simulated=True).id

    def _scheduled(self, state: str) -> Launch:
        launch = self.house.scheduled(self.wanted(state))
        self.launches[state] = launch.id
        self.house.to_open(launch)
        return launch

    def wanted(self, state: str, **changes: Any) -> Application:
        """The application behind a state: each of its own team."""
        name, symbol, summary = AGENTS[state]
        applicant = (
            TEAM.address if state in ("draft", "declined") else "0x" + f"{list(AGENTS).index(state) + 16:02x}" * 20
        )
        given = {"name": name, "symbol": symbol, "summary": summary, "applicant": applicant, "terms": TERMS}
        return application(**{**given, **changes})


@contextmanager
def built(folder: Path) -> Iterator[Town]:
    """Builds a town on a store in a folder, closed at the end of the block."""
    store = sqlite_store(folder)
    yield Town.build(store, HandClock(datetime(2026, 3, 2, 12, tzinfo=UTC)))
    store.close()


def sign_in(client: httpx.Client, key: Key) -> None:
    """Begins a session as a wallet does."""
    text = client.post("/api/session/challenge", json={"account": key.address}).json()["message"]
    signature = "0x" + key.digest(personal(text.encode())).hex()
    answer = client.post("/api/session", json={"message": text, "signature": signature})
    assert answer.status_code == 201, answer.text
