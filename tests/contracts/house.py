"""A house for launches on a chain in this process: every contract that a launch needs, and whole launches on demand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mercato.chains import Address, Deployed, Interface, deploy
from mercato.chains.evm.local import LocalChain
from mercato.chains.model import ZERO, Call, Receipt
from mercato.chains.testing import ACCOUNTS, local
from mercato.contracts import load
from mercato.launch.clearing import Q96

CURATOR, TREASURY, CREATOR, JUDGE, TEAM, PARTNER, *PEOPLE = ACCOUNTS
DOLLAR = 10**6
TOKEN = 10**18
DAY = 86_400
HOUR = 3_600
STATES = ("SCHEDULED", "OPEN", "LOCKED", "EXTENDED", "CLEARED_PENDING", "LIVE", "FAILED", "ABORTED")
FOREVER = 2**32 - 1


def made(chain: LocalChain, name: str, *args: object, sender: Address = CURATOR) -> Deployed:
    """Deploys one of our contracts."""
    artifact = load(name)
    return deploy(chain, artifact.abi, artifact.bytecode, *args, sender=sender)


def at(chain: LocalChain, name: str, address: str) -> Deployed:
    """Returns one of our contracts where it is already."""
    return Deployed(chain, Interface(load(name).abi), Address(address))


def blueprint(chain: LocalChain, name: str) -> Address:
    """Deploys a contract as a blueprint."""
    receipt = chain.wait(chain.send(Call(CURATOR, None, load(name).blueprint)))
    assert receipt.created is not None
    return receipt.created


@dataclass(frozen=True)
class Sale:
    """One launch and the contracts that belong to it."""

    token: Deployed
    auction: Deployed
    escrow: Deployed
    graduator: Deployed
    vestings: tuple[Deployed, ...]
    terms: Mapping[str, Any]
    receipt: Receipt

    @property
    def chain(self) -> LocalChain:
        return self.auction.chain  # type: ignore[return-value]  # these tests make only local chains

    @property
    def state(self) -> str:
        return STATES[int(self.auction.read("state"))]

    @property
    def pool_address(self) -> Address:
        return Address(self.graduator.read("pool_of", self.auction.address, self.token.address))

    @property
    def pool(self) -> Deployed:
        return at(self.chain, "pool", self.pool_address)


class House:
    """A chain with the dollar, the own pool's graduator and the factory; `launch` puts a launch on it."""

    def __init__(
        self, chain: LocalChain | None = None, *, creator_bps: int = 4_000, quote: Deployed | None = None
    ) -> None:
        self.chain = chain or local()
        self.dollar = quote or made(self.chain, "test_dollar")
        self.pool_code = made(self.chain, "pool", self.dollar.address, TREASURY, creator_bps, 2_000)
        self.graduator = made(self.chain, "graduator", self.pool_code.address, self.dollar.address, TREASURY, 200)
        self.escrow_code = made(self.chain, "escrow", self.dollar.address, JUDGE)
        self.vesting_code = made(self.chain, "vesting")
        self.assembler = made(
            self.chain,
            "assembler",
            blueprint(self.chain, "agent_token"),
            blueprint(self.chain, "auction"),
            self.escrow_code.address,
            self.vesting_code.address,
        )
        self.factory = self.factory_with(self.graduator)

    def factory_with(self, *graduators: Deployed) -> Deployed:
        """Deploys a factory whose launches may end in these graduators."""
        addresses = [graduator.address for graduator in graduators]
        return made(self.chain, "launch_factory", self.assembler.address, self.dollar.address, ZERO, CURATOR, addresses)

    def terms(self, **changes: Any) -> dict[str, Any]:
        """Returns the terms of an ordinary launch that opens in an hour, but for `changes`."""
        now = self.chain.time()
        terms: dict[str, Any] = {
            "application": b"\x01" * 32,
            "name": "Court Side",
            "symbol": "COURT",
            "supply": 1_000_000_000 * TOKEN,
            "creator": CREATOR,
            "graduator": self.graduator.address,
            "gate": ZERO,
            "sale": 400_000_000 * TOKEN,
            "retail_cap": 0,
            "raise_min": 1_000 * DOLLAR,
            "floor_q96": 500 * DOLLAR * Q96 // (10_000_000 * TOKEN),
            "step_bps": 200,
            "levels": 256,
            "min_bid": 5 * DOLLAR,
            "lp_bps": 7_500,
            "opens": now + HOUR,
            "locks": now + 19 * HOUR,
            "closes": now + 25 * HOUR,
            "at_once_bps": 60,
            "milestones": [4_000, 3_000, 3_000],
            "allocations": [
                allocation(TEAM, 150, gated_bps=5_000, cliff=365 * DAY, duration=3 * 365 * DAY),
                allocation(PARTNER, 50, cliff=365 * DAY, duration=2 * 365 * DAY),
                allocation(TREASURY, 100),
            ],
        }
        return terms | changes

    def launch(self, *, factory: Deployed | None = None, **changes: Any) -> Sale:
        """Creates a launch and returns its contracts."""
        factory = factory or self.factory
        terms = self.terms(**changes)
        receipt = factory.send("create", terms, sender=CURATOR)
        created = next(event.values for event in factory.events(receipt) if event.name == "LaunchCreated")
        vested = [event.values for event in map(self.assembler.interface.event, receipt.logs) if event]
        return Sale(
            token=at(self.chain, "agent_token", created["token"]),
            auction=at(self.chain, "auction", created["auction"]),
            escrow=at(self.chain, "escrow", created["escrow"]),
            graduator=at(self.chain, "graduator", terms["graduator"]),
            vestings=tuple(at(self.chain, "vesting", values["vesting"]) for values in vested if "vesting" in values),
            terms=terms,
            receipt=receipt,
        )

    def pay(self, person: Address, amount: int, spender: str) -> None:
        """Gives somebody dollars and lets `spender` take them."""
        self.dollar.send("faucet", person, amount, sender=person)
        self.dollar.send("approve", spender, amount, sender=person)

    def bid(self, sale: Sale, person: Address, level: int, amount: int) -> None:
        """Places a bid with dollars from the tap."""
        self.pay(person, amount, sale.auction.address)
        sale.auction.send("bid", level, amount, sender=person)

    def wait_until(self, time: int) -> None:
        """Moves the chain to a second."""
        self.chain.mine(seconds=max(time - self.chain.time(), 1))

    def cleared(self, *bids: tuple[Address, int, int], **changes: Any) -> Sale:
        """Returns a launch after its window, cleared: each bid is who, level and dollars in wei."""
        sale = self.launch(**changes)
        self.wait_until(sale.terms["opens"])
        for person, level, amount in bids or ((PEOPLE[0], 10, 40_000 * DOLLAR), (PEOPLE[1], 20, 30_000 * DOLLAR)):
            self.bid(sale, person, level, amount)
        self.wait_until(sale.terms["closes"])
        sale.auction.send("clear", sender=PEOPLE[3])
        return sale


def allocation(holder: str, millions: int, *, gated_bps: int = 0, cliff: int = 0, duration: int = 0) -> dict[str, Any]:
    """Returns one allocation of millions of tokens."""
    return {
        "holder": holder,
        "amount": millions * 1_000_000 * TOKEN,
        "gated_bps": gated_bps,
        "cliff": cliff,
        "duration": duration,
    }
