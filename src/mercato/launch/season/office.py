"""The season at the launch room's door: the sample teams, reviewers and curator take the steps that everybody takes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from mercato.chains import Address, Call, Deployed, Signer, keccak
from mercato.launch.contracts import at
from mercato.launch.credentials import attestation, attested
from mercato.launch.deployment import Deployment
from mercato.launch.model import Launch, Phase, Request, Review, Seat
from mercato.launch.scorecard import seal
from mercato.launch.season.acts import Stage
from mercato.launch.season.agents import Agent
from mercato.launch.season.applying import application, card, drawn_card, reviewers, salt
from mercato.launch.season.plan import DAY, Plan
from mercato.launch.service import Launches
from mercato.launch.states import State


class Office:
    """Carries the plan's people through the launch room. `attester` signs the identities of simulated people."""

    def __init__(self, plan: Plan, launches: Launches, deployment: Deployment, attester: Signer) -> None:
        self._plan, self._launches, self._deployment, self._attester = plan, launches, deployment, attester
        self._ids: dict[str, str] = {}

    def apply(self, agent: Agent) -> None:
        """Hands in the application, pays the deposit and sends it to review."""
        terms = {"open_seconds": self._plan.open_seconds, "lock_seconds": self._plan.lock_seconds}
        launch = self._launches.apply(application(agent, self._plan.seed, **terms), simulated=True)
        self._ids[agent.symbol] = launch.id
        applicant = Address(launch.application.applicant)
        self.dollar.send("faucet", applicant, self._deployment.deposit_amount, sender=applicant)
        self._signed(self._launches.deposit(launch.id))
        self._launches.submit(launch.id)

    def seal(self, agent: Agent) -> None:
        """Lets the panel seal its cards."""
        launch, seats = self._panel(agent)
        for seat, reviewer in enumerate(seats):
            sealed = seal(launch.id, 1, reviewer, card(agent, seat), self._salt(agent, reviewer))
            self._launches.commit(launch.id, reviewer, sealed)

    def reveal(self, agent: Agent) -> None:
        """Lets the panel open its cards."""
        launch, seats = self._panel(agent)
        for seat, reviewer in enumerate(seats):
            self._launches.reveal(launch.id, reviewer, card(agent, seat), self._salt(agent, reviewer))

    def schedule(self, agent: Agent, opens: int) -> None:
        """Puts an approved launch on the chain; one that reviewers did not approve stays off it."""
        launch = self._launch(agent)
        if launch and launch.state is State.APPROVED:
            self._launches.schedule(launch.id, opens)

    def welcome(self) -> None:
        """Lets the simulated reviewers on panels of people's applications seal and open their cards."""
        ours = set(reviewers(self._plan.seed))
        for launch in self._launches.launches([State.REVIEW]):
            review = self._launches.reviews(launch.id)[-1]
            for seat in (item for item in review.seats if item.reviewer in ours and not launch.simulated):
                self._judge(launch, review, seat)

    def _judge(self, launch: Launch, review: Review, seat: Seat) -> None:
        who, secret = seat.reviewer, salt(self._plan.seed, launch.id, seat.reviewer)
        card = drawn_card(launch.application, who)
        if review.phase is Phase.COMMIT and not seat.commitment:
            self._launches.commit(launch.id, who, seal(launch.id, review.round, who, card, secret))
        elif review.phase is Phase.REVEAL and seat.commitment and seat.card is None:
            self._launches.reveal(launch.id, who, card, secret)

    def settle(self) -> None:
        """Clears and graduates what is due, mirrors every launch on the chain, and gives deposits back."""
        self._launches.keep_all()
        self._launches.settle_deposits()

    def stage(self, agent: Agent) -> Stage | None:
        """Returns an agent's contracts; None while it has none."""
        launch = self._launch(agent)
        if launch is None or launch.contracts is None:
            return None
        chain, held = self._launches.chain, launch.contracts
        pool = at(chain, "pool", held.pool) if held.pool else None
        return Stage(agent.symbol, self.dollar, at(chain, "auction", held.auction),
                     at(chain, "agent_token", held.token), pool)  # fmt: skip

    def dollars(self, grants: Sequence[tuple[Address, int]]) -> list[Call]:
        """Returns the transactions that give people their dollars, from the tap that is open to everybody."""
        return [self.dollar.call("faucet", who, amount, sender=who) for who, amount in grants]

    def credential(self, auction: Address, bidder: Address) -> bytes:
        """Returns an attestation for a simulated person, who is one identity."""
        identity, deadline = keccak(b"simulated person" + bytes.fromhex(bidder[2:])), self._plan.end + 30 * DAY
        said = attestation(self._launches.chain, self._deployment.gate, auction, bidder, identity, deadline)
        return attested(identity, deadline, self._attester.digest(said))

    @cached_property
    def dollar(self) -> Deployed:
        """The test dollar of this chain."""
        return at(self._launches.chain, "test_dollar", self._deployment.quote)

    def _launch(self, agent: Agent) -> Launch | None:
        """Returns an agent's launch, looked up by its application once."""
        if agent.symbol not in self._ids:
            self._ids |= {item.application.symbol: item.id for item in self._launches.launches() if item.simulated}
        known = self._ids.get(agent.symbol)
        return self._launches.launch(known) if known else None

    def _panel(self, agent: Agent) -> tuple[Launch, tuple[str, ...]]:
        launch = self._launch(agent)
        assert launch is not None, "an agent is reviewed after it has applied"
        return launch, tuple(seat.reviewer for seat in self._launches.reviews(launch.id)[0].seats)

    def _signed(self, requests: Sequence[Request]) -> None:
        for request in requests:
            self._launches.chain.send(request.call)

    def _salt(self, agent: Agent, reviewer: str) -> str:
        return salt(self._plan.seed, agent.symbol, reviewer)
