"""`mercato compute example`: books of a week in which a fleet that never was served agents that never were.

Everything goes the way that it goes in a gateway: reserved, settled, signed, audited by the toy model, closed into
epochs. Only who serves, what is asked, and the times are made up, and every name says so.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from mercato.compute import roster
from mercato.compute.books import Clerk, Hold, Served, Signer, disputes, epochs, keys
from mercato.compute.books.receipts import digest
from mercato.compute.books.till import Till
from mercato.compute.books.turn import Settle
from mercato.compute.fleet import replies
from mercato.compute.fleet.toy import QUANTISED, Toy
from mercato.compute.gateway.tally import Said
from mercato.compute.model import (
    PROVIDERS,
    REQUESTS,
    SIMULATED,
    Attempt,
    End,
    KeyId,
    Need,
    Offer,
    Price,
    Provider,
    ProviderId,
    Standing,
    Surface,
    Usage,
)
from mercato.compute.testing import ToyChecker
from mercato.compute.verify import exhibit
from mercato.compute.verify.auditor import Auditor
from mercato.compute.verify.record import Judge
from mercato.core.clock import HandClock
from mercato.core.errors import Conflict
from mercato.store.bare import Bare

DAYS = 7
HOURLY = 3  # requests an hour
DOLLARS = 25_000_000
MODELS = ("toy-large", "toy-small")
AGENTS = (("simulated-analyst", "match reports"), ("simulated-analyst", "comments"), ("simulated-trader", "signals"))


@dataclass(frozen=True)
class Member:
    """A provider of the example: how much of the work it gets, prices, milliseconds, and its faults in hundredths."""

    name: str
    weight: int
    prompt: int
    completion: int
    first: int
    token: int
    serves: Toy = field(default_factory=Toy)
    cuts: int = 0
    busy: int = 0
    standing: Standing = Standing.ACTIVE
    audited: int = 15
    stake: int = 0
    id: ProviderId = field(default_factory=PROVIDERS.new)


def members() -> list[Member]:
    """Returns who serves."""
    cheat = Toy(coarse=QUANTISED)
    return [
        Member("simulated-harbour", 8, 180_000, 360_000, 210, 14, stake=5_000_000),
        Member("simulated-meadow", 6, 220_000, 420_000, 120, 9, busy=4, stake=5_000_000),
        Member("simulated-orchard", 4, 160_000, 310_000, 420, 22, cuts=5),
        Member("simulated-quarry", 4, 110_000, 240_000, 150, 8, serves=cheat, audited=30, stake=1_000_000),
        Member("simulated-summit", 1, 200_000, 380_000, 260, 15, standing=Standing.PROBATION, audited=100),
    ]


def fill(url: str, signer: Signer, now: datetime, seed: int = 7) -> int:
    """Writes the week before `now` into books without receipts; returns how many requests. Conflict for others."""
    with Bare(url) as bare:
        if bare.run("SELECT 1 FROM compute_receipt LIMIT 1") or bare.run("SELECT 1 FROM compute_provider LIMIT 1"):
            raise Conflict("books hold providers or receipts already", hint="name a new folder: MERCATO_HOME=DIRECTORY")
    week = Week(url, signer, now - timedelta(days=DAYS), random.Random(seed))
    try:
        week.open()
        return sum(week.hour(close=at % 24 == 23) for at in range(DAYS * 24)) + week.last()
    finally:
        week.close()


class Week:
    """The books of the example while they are written."""

    def __init__(self, url: str, signer: Signer, start: datetime, rng: random.Random) -> None:
        self.clock, self.rng, self.members = HandClock(start), rng, members()
        self.till, self.clerk = Till(url, self.clock, signer), Clerk(url, self.clock, signer)
        self.auditor = Auditor(Till(url, self.clock, signer), ToyChecker(), Judge())
        self.keys: list[tuple[KeyId, str]] = []
        self.asked = 0

    def open(self) -> None:
        """Lets the fleet and the agents in."""
        self.clerk.open()
        now, until = self.clock.now(), self.clock.now() + timedelta(days=DAYS + 1)
        with self.till.bare.transaction():
            for one in self.members:
                provider = Provider(one.id, one.name, one.standing, url=SIMULATED + one.name, region="nowhere")
                roster.save(self.till.bare, provider, now, "made up by `mercato compute example`")
                offers = [
                    Offer(one.id, model, Price(one.prompt * factor, one.completion * factor), 32_768, until=until)
                    for factor, model in zip((4, 1), MODELS, strict=True)
                ]
                roster.offer(self.till.bare, one.id, offers)
        for one in filter(lambda one: one.stake, self.members):
            epochs.stake(self.till, one.id, one.stake, name=f"{one.name}'s stake")
        for account, name in AGENTS:
            self.till.deposit(account, DOLLARS, name=f"{account}, {name}")
            self.keys.append((keys.make(self.till.bare, self.clock, account, name)[0].id, account))

    def hour(self, *, close: bool) -> int:
        """Serves an hour's requests, audits some of them, and closes an epoch at the end of a day."""
        now = self.clock.now()
        count = self.rng.randint(HOURLY - 2, HOURLY + 2)
        self.serve(sorted(now + timedelta(seconds=self.rng.randint(0, 3_000)) for _ in range(count)))
        self.clock.move(now + timedelta(hours=1) - self.clock.now())
        asyncio.run(self.auditor.turn(100))
        if close:
            epochs.release(self.till)
            epochs.close(self.till, timedelta(days=2))
            for one in disputes.listed(self.till.bare)[:1]:
                if one.state is disputes.Outcome.OPEN:
                    disputes.decide(self.till, one.id, uphold=True, by="simulated operator", why="the audits stand")
        return count

    def last(self) -> int:
        """Serves a few more, which no epoch counts yet and nobody has audited."""
        now = self.clock.now()
        self.serve([now] * 4)
        return 4

    def serve(self, moments: Iterable[datetime]) -> None:
        """Reserves and settles a request at each moment."""
        for at in moments:
            self.clock.move(at - self.clock.now())
            key, account = self.rng.choice(self.keys)
            made = self._served(key, at)
            hold = Hold(REQUESTS.at(at, self.rng.getrandbits(60)), key, account, made.asked, 50_000)
            (refused,) = self.clerk.book([hold])
            (receipt,) = self.clerk.book([Settle(hold.request, made)])
            assert refused is None, refused
            assert not isinstance(receipt, Exception), receipt

    def close(self) -> None:
        """Closes the books."""
        self.auditor.close()
        self.clerk.close()
        self.till.close()

    def _served(self, key: KeyId, at: datetime) -> Served:
        """Returns what comes of the next request."""
        self.asked += 1
        with self.till.bare.read():
            may = {it.id for it in roster.everyone(self.till.bare) if it.standing is not Standing.EJECTED}
        found = [one for one in self.members if one.id in may]
        one, model = self.rng.choices(found, [it.weight for it in found])[0], self.rng.choice(MODELS)
        attempts = []
        if self._chance(one.busy):
            attempts.append(Attempt(one.id, at, None, 30, 429, End.UPSTREAM_ERROR, "429"))
            one = self.rng.choice([it for it in found if it is not one])
        question, tokens = f"question {self.asked}", self.rng.randint(40, 160)
        text = " ".join(replies.words(one.serves, question, tokens))
        body = {"model": model, "messages": [{"role": "user", "content": question}], "temperature": 0}
        end = End.TRUNCATED if self._chance(one.cuts) else End.CLIENT_GONE if self._chance(2) else End.DONE
        attempts.append(self._attempt(one, at, tokens, end))
        counted = Usage(self.rng.randint(300, 6_000), tokens)
        claimed = Usage(counted.prompt, tokens + (7 if self._chance(one.cuts) else 0))
        factor = 4 if model == MODELS[0] else 1
        audit = end is End.DONE and self._chance(one.audited)
        need = Need(Surface.CHAT, model, counted.prompt, tokens)
        return Served(
            key, one.id, model, end, digest(question.encode()), digest(text.encode()), claimed, counted,
            Price(one.prompt * factor, one.completion * factor), tuple(attempts), audit,
            exhibit.packed(need, json.dumps(body), [Said(text, end="stop")]) if audit else b"",
        )  # fmt: skip

    def _attempt(self, one: Member, at: datetime, tokens: int, end: End) -> Attempt:
        first = round(one.first * self.rng.uniform(0.7, 2.2))
        error = "truncated" if end is End.TRUNCATED else ""
        return Attempt(one.id, at, first, first + tokens * one.token, 200, end, error)

    def _chance(self, hundredths: int) -> bool:
        return self.rng.randrange(100) < hundredths
