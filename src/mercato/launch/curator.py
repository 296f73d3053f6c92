"""What the curator and the keeper send to the chain: create, abort, clear, graduate, expire, and refund deposits.

Each act looks first at what the chain holds, so that doing it again after a kill neither fails nor happens twice.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from mercato.chains import Address, Chain, Deployed, Receipt
from mercato.chains.abi import succeeded
from mercato.chains.model import ZERO, Hash, LogQuery
from mercato.contracts import load
from mercato.core.errors import Conflict, InvalidInput
from mercato.launch.application import Application
from mercato.launch.checks import LIQUIDITY_BPS
from mercato.launch.clearing import BPS, LEVELS
from mercato.launch.contracts import at, interface
from mercato.launch.deployment import Deployment
from mercato.launch.model import Contracts, Launch
from mercato.launch.states import ON_CHAIN, State

DAY = 86_400
YEAR = 365 * DAY
#: How long a share of the supply is locked: part gated by the price, seconds to the cliff, seconds from there on.
VESTING = {"team": (5000, YEAR, 3 * YEAR), "partner": (0, YEAR, 2 * YEAR), "grants": (0, 0, 0), "community": (0, 0, 0)}
PATIENCE = 7 * DAY
HELD = 1  # the deposit contract's word for a deposit that it still has


@dataclass(frozen=True, slots=True)
class Deposit:
    """What the deposit contract holds of an applicant: how many quote base units, after how many appeals."""

    amount: int
    rounds: int


class Curator:
    """Acts for the house on one deployment. `keeper` pays for what anybody may do."""

    def __init__(self, chain: Chain, deployment: Deployment, keeper: Address | None = None) -> None:
        self._chain, self._deployment = chain, deployment
        self._keeper = keeper or deployment.curator
        self._factory = at(chain, "launch_factory", deployment.factory)
        self._deposits = at(chain, "deposit", deployment.deposit)

    def create(self, launch: Launch, opens: int) -> Contracts:
        """Creates a launch through the factory, or finds the one that is there, and checks what was made.

        `opens` is the second of chain time at which bidding begins. Conflict where the code or the terms are not ours.
        """
        application = launch.application
        key = bytes.fromhex(application.hash[2:])
        if self._factory.read("auction_of", key) == ZERO:
            soonest = self._chain.time() + 60
            if opens < soonest:
                raise InvalidInput(f"opening was {opens}", hint=f"expected second {soonest} of chain time or later")
            self._factory.send("create", self._terms(launch, opens), sender=self._deployment.curator)
        made = self._made(key, application)
        self._verified(launch, made)
        return made

    def abort(self, launch: Launch) -> None:
        """Calls an auction off before it opens; Reverted afterwards. An auction that is off already stays off."""
        auction = self._auction(launch)
        if ON_CHAIN[auction.read("state")] is not State.ABORTED:
            auction.send("abort", sender=self._deployment.curator)

    def keep(self, launch: Launch) -> Receipt | None:
        """Does for an auction what is due and anybody may do: clear, graduate or expire; None where nothing is due.

        A graduation that still fails is left for the next time.
        """
        auction = self._auction(launch)
        state = ON_CHAIN[auction.read("state")]
        if state in (State.LOCKED, State.EXTENDED) and auction.read("due"):
            return self._try(auction, "clear")
        if state is State.CLEARED_PENDING:
            return self._try(auction, "expire") or self._try(auction, "graduate")
        return None

    def deposit(self, application: Application) -> Deposit | None:
        """Returns what is held of the applicant; None where nothing was left, or it was paid out."""
        amount, _, rounds, fate = self._deposits.read("deposits", *_key(application))
        return Deposit(amount, rounds) if fate == HELD else None

    def settle_deposit(self, application: Application, *, forfeit: bool = False) -> Receipt | None:
        """Gives a deposit back, or sends it to the treasury; None where none is held any more."""
        if self.deposit(application) is None:
            return None
        verb = "forfeit" if forfeit else "refund"
        return self._deposits.send(verb, *_key(application), sender=self._deployment.curator)

    def verify(self, launch: Launch) -> list[tuple[str, bool]]:
        """Returns for each contract of a launch whether its code is what the build made, or a proxy of our code."""
        held = launch.contracts
        if held is None:
            return []
        found = [
            ("token", self._chain.code(held.token).startswith(load("agent_token").runtime)),
            ("auction", self._chain.code(held.auction).startswith(load("auction").runtime)),
            ("escrow", self._chain.code(held.escrow) == proxy(self._deployment.escrow_code)),
        ]
        vestings = {"vesting": held.vesting, "partner_vesting": held.partner_vesting}
        code = proxy(self._deployment.vesting_code)
        found += [(name, self._chain.code(place) == code) for name, place in vestings.items() if place]
        pool = [("pool", self._chain.code(held.pool) == proxy(self._deployment.pool_code))] if held.pool else []
        return found + pool

    def _try(self, auction: Deployed, function: str) -> Receipt | None:
        """Sends what would succeed now; None where it would not."""
        call = auction.call(function, sender=self._keeper)
        (outcome,) = self._chain.simulate([call])
        return succeeded(self._chain, self._chain.send(call)) if outcome.succeeded else None

    def _auction(self, launch: Launch) -> Deployed:
        if launch.contracts is None:
            raise Conflict(f"launch {launch.id!r} was {launch.state.value!r}, not on a chain", hint="schedule it first")
        return at(self._chain, "auction", launch.contracts.auction)

    def _terms(self, launch: Launch, opens: int) -> dict[str, Any]:
        """Returns what the factory is asked to make. Every base unit of the supply goes somewhere."""
        application = launch.application
        terms, shares = application.terms, application.allocation
        sale = terms.tokens(shares.sale)
        reserve = sale * LIQUIDITY_BPS // BPS
        graduator = at(self._chain, "graduator", self._deployment.graduator)
        locks = opens + terms.open_seconds
        return {
            "application": bytes.fromhex(application.hash[2:]),
            "name": application.name,
            "symbol": application.symbol,
            "supply": terms.supply,
            "creator": application.applicant,
            "graduator": self._deployment.graduator,
            "gate": self._deployment.gate if terms.retail_bps else ZERO,
            "sale": sale,
            "retail_cap": sale * terms.retail_bps // BPS,
            "raise_min": terms.raise_min,
            "floor_q96": launch.application.terms.price_of(launch.floor_valuation),
            "step_bps": terms.step_bps,
            "levels": LEVELS,
            "min_bid": terms.bid_min,
            "lp_bps": LIQUIDITY_BPS,
            "opens": opens,
            "locks": locks,
            "closes": locks + terms.lock_seconds,
            "at_once_bps": graduator.read("shill_bound_bps"),
            "milestones": [item.share_bps for item in application.milestones],
            "allocations": allocations(application, terms.supply - sale - reserve),
        }

    def _made(self, key: bytes, application: Application) -> Contracts:
        """Returns what the factory made for an application, by its event."""
        topic = self._factory.interface.topic("LaunchCreated")
        query = LogQuery(
            self._deployment.block, self._chain.block().number, frozenset({self._factory.address}),
            (frozenset({topic}), frozenset({key})),
        )  # fmt: skip
        log = self._chain.logs(query)[-1]
        event = self._factory.interface.event(log)
        assert event is not None
        values = event.values
        params = _params(at(self._chain, "auction", values["auction"]))
        vestings = self._vestings(log.transaction)
        return Contracts(
            token=values["token"],
            auction=values["auction"],
            escrow=values["escrow"],
            vesting=vestings.get(application.applicant),
            partner_vesting=vestings.get(application.partner.lower()),
            gate=None if params["gate"] == ZERO else params["gate"],
            pool=None,
            opens=params["opens"],
            locks=params["locks"],
            ends=params["closes"],
            block=log.block,
            transaction=log.transaction,
        )

    def _vestings(self, transaction: Hash) -> dict[str, Address]:
        receipt = self._chain.wait(transaction)
        events = [interface("assembler").event(log) for log in receipt.logs]
        return {event.values["holder"]: event.values["vesting"] for event in events if event and event.name == "Vested"}

    def _verified(self, launch: Launch, made: Contracts) -> None:
        """Raises Conflict unless the factory made what the application says, of the code that was built here."""
        strange = [name for name, sound in self.verify(replace(launch, contracts=made)) if not sound]
        if strange:
            raise Conflict(f"{strange!r} were not of the code that was built", hint="check the deployment")
        params, wanted = _params(at(self._chain, "auction", made.auction)), self._terms(launch, made.opens)
        names = [name for name in wanted if name in params and params[name] != wanted[name]]
        if names:
            raise Conflict(f"auction {made.auction} was made with other {names!r}", hint="check the factory's curator")


def proxy(code: Address) -> bytes:
    """Returns the code of a minimal proxy (EIP-1167) that runs another contract's."""
    return bytes.fromhex(f"363d3d373d3d3d363d73{code[2:]}5af43d82803e903d91602b57fd5bf3")


def allocations(application: Application, rest: int) -> list[dict[str, object]]:
    """Returns who gets what of the tokens that are not sold; `rest` is all of it, the last one gets what is over."""
    holders = {
        "team": application.applicant,
        "partner": application.partner.lower(),
        "grants": application.grants.lower(),
        "community": application.community.lower(),
    }
    shares = application.allocation.shares()
    named = [name for name in holders if shares[name]]
    amounts = {name: application.terms.tokens(shares[name]) for name in named}
    if named:
        amounts[named[-1]] += rest - sum(amounts.values())
    found = []
    for name in named:
        gated, cliff, duration = VESTING[name]
        found.append({
            "holder": holders[name], "amount": amounts[name], "gated_bps": gated, "cliff": cliff, "duration": duration,
        })  # fmt: skip
    return found


def _key(application: Application) -> tuple[bytes, Address]:
    """Returns where the deposit contract keeps the applicant's own deposit."""
    return bytes.fromhex(application.hash[2:]), Address(application.applicant)


def _params(auction: Deployed) -> dict[str, Any]:
    """Returns what an auction was created with, by name."""
    (entry,) = (item for item in auction.interface.abi if item.get("name") == "params")
    names = [part["name"] for part in entry["outputs"][0]["components"]]
    return dict(zip(names, auction.read("params"), strict=True))
