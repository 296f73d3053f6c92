"""Builders for whoever tests with launches: sound applications, cards, and a house on an embedded chain."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Generic, TypeVar

from mercato.chains import Address, Chain, Controls, Receipt
from mercato.chains.abi import succeeded
from mercato.chains.evm.local import LocalChain
from mercato.chains.testing import ACCOUNTS, local
from mercato.core.clock import Clock
from mercato.launch import tables
from mercato.launch.application import Application, Member, Milestone, Model, Revenue, Source, Terms, Tool
from mercato.launch.contracts import at
from mercato.launch.deployment import deploy_all
from mercato.launch.model import Contracts, Launch, Request
from mercato.launch.scorecard import CRITERIA, Scorecard, seal
from mercato.launch.service import Launches
from mercato.launch.settings import LaunchSettings
from mercato.store import Store

APPLICANT = "0x" + "a1" * 20
REVIEWERS = tuple(f"0x{number:040x}" for number in range(0xE0, 0xEC))


def application(**changes: Any) -> Application:
    """Returns an application that passes every check, with fields changed: a 1000 dollar floor for the whole supply."""
    sound = Application(
        name="Courtside",
        symbol="COURT",
        summary="An analyst and commentator of basketball: it watches games, explains them and answers questions.",
        applicant=APPLICANT,
        repository="https://git.example/courtside/agent.git",
        commit="0123456789abcdef0123456789abcdef01234567",
        licence="Apache-2.0",
        team=(Member("R. Sample", "maintainer"), Member("S. Sample", "research")),
        models=(Model("open-model-70b", "own servers", True),),
        tools=(Tool("box scores", "a public statistics service, read only"),),
        revenue=Revenue((Source("paid questions", "https://courtside.example/receipts"),), 5000),
        terms=Terms(floor=1_000_000_000, raise_min=100_000_000),
        milestones=(Milestone("The agent answers in public", 5000), Milestone("A season without an outage", 5000)),
        partner="0x" + "b1" * 20,
        grants="0x" + "b2" * 20,
        community="0x" + "b3" * 20,
    )
    return replace(sound, **changes)


def card(score: int = 8, *, floor: int = 1_000_000_000, **scores: int) -> Scorecard:
    """Returns a card with one score for all criteria, some changed, that lets pass half to twice a floor."""
    return Scorecard(
        scores={**dict.fromkeys(CRITERIA, score), **scores},
        floor_low=floor // 2,
        floor_high=floor * 2,
        comment="A word.",
    )


def reviewed(room: Launches, id: str, cards: Sequence[Scorecard]) -> Launch:
    """Lets the present panel seal and open these cards, one each, and returns the launch."""
    review = room.reviews(id)[-1]
    members = [seat.reviewer for seat in review.seats]
    salt = "5a" * 32
    for member, shown in zip(members, cards, strict=True):
        room.commit(id, member, seal(id, review.round, member, shown, salt))
    for member, shown in zip(members, cards, strict=True):
        room.reveal(id, member, shown, salt)
    return room.launch(id)


C = TypeVar("C", bound=Chain)


@dataclass(frozen=True)
class House(Generic[C]):
    """A launch room on a chain of one's own where everything is deployed; its time and its people's money are ours."""

    room: Launches
    chain: C
    controls: Controls
    stranger: Address = ACCOUNTS[9]

    @classmethod
    def open(
        cls,
        store: Store,
        clock: Clock,
        settings: LaunchSettings | None = None,
        chain: LocalChain | None = None,
        record: Path | None = None,
    ) -> House[LocalChain]:
        """Deploys everything to an embedded chain and opens the room on it; the first account has every role."""
        made = chain or local()
        return House.on(store, clock, made, made, settings, record)

    @classmethod
    def on(
        cls,
        store: Store,
        clock: Clock,
        chain: C,
        controls: Controls,
        settings: LaunchSettings | None = None,
        record: Path | None = None,
    ) -> House[C]:
        """Does the same on any chain that somebody holds the controls of."""
        deployment = deploy_all(chain, ACCOUNTS[0], path=record)
        wanted = settings or LaunchSettings(reviewers=REVIEWERS)
        room = Launches(store, chain, clock, wanted, deployment=deployment, keeper=ACCOUNTS[1])
        return House(room, chain, controls)

    def approved(self, wanted: Application) -> Launch:
        """Takes an application through deposit and review."""
        return self._judged(wanted, 8)

    def declined(self, wanted: Application) -> Launch:
        """Takes an application to a panel that does not want it."""
        return self._judged(wanted, 2)

    def scheduled(self, wanted: Application, opens: int | None = None) -> Launch:
        """Takes an application onto the chain."""
        return self.room.schedule(self.approved(wanted).id, opens)

    def pay_deposit(self, launch: Launch) -> None:
        """Lets the applicant leave the deposit, or the bond of an appeal."""
        self.fund(launch.application.applicant, 2 * self.room.deployment.deposit_amount)
        self.sign(self.room.deposit(launch.id))

    def fund(self, account: str, amount: int) -> None:
        """Gives an account quote base units from the faucet."""
        self._quote.send("faucet", account, amount, sender=self.stranger)

    def dollars(self, account: str) -> int:
        """Returns an account's quote base units."""
        found: int = self._quote.read("balanceOf", account)
        return found

    def bid(self, launch: Launch, bidder: str, level: int, amount: int, credential: bytes = b"") -> None:
        """Gives a bidder the money and places the bid."""
        self.fund(bidder, amount)
        self.sign(self.room.prepare_bid(launch.id, bidder, level, amount, credential))

    def sign(self, requests: Iterable[Request]) -> list[Receipt]:
        """Sends prepared transactions as their sender would; Reverted where one is refused."""
        return [succeeded(self.chain, self.chain.send(item.call)) for item in requests]

    def at(self, second: int) -> None:
        """Moves the chain to a second of its time, where that lies ahead."""
        if second > self.chain.time():
            self.controls.mine(seconds=second - self.chain.time())

    def to_open(self, launch: Launch, *, sync: bool = True) -> None:
        """Moves the chain to the opening of a launch."""
        self.at(self.contracts(launch).opens)
        if sync:
            self.room.sync(launch.id)

    def over(self, launch: Launch, *, sync: bool = True) -> None:
        """Moves the chain to the end of a launch's window, as far as it is known now."""
        self.at(at(self.chain, "auction", self.contracts(launch).auction).read("end"))
        if sync:
            self.room.sync(launch.id)

    def contracts(self, launch: Launch) -> Contracts:
        """Returns where a launch stands now."""
        found = self.room.launch(launch.id).contracts
        assert found is not None
        return found

    def lose(self, launch: Launch) -> None:
        """Makes the room look for a launch's auction where there is none, as a broken record would."""
        held = replace(self.contracts(launch), auction=Address("0x" + "dd" * 20))
        with self.room.store.transaction() as tx:
            tables.change(tx, launch.id, contracts=tables.contracts_body(held))

    @property
    def _quote(self) -> Any:
        return at(self.chain, "test_dollar", self.room.deployment.quote)

    def _judged(self, wanted: Application, score: int) -> Launch:
        launch = self.room.apply(wanted)
        self.pay_deposit(launch)
        self.room.submit(launch.id)
        floor = wanted.terms.floor
        return reviewed(self.room, launch.id, [card(score, floor=floor)] * 5)
