"""Everything that launches stand on, deployed in ten steps: pool code, graduator, escrow, vesting, factory and so on.

`deploy_all` goes on where an earlier run ended: each step is written down before it is sent and after it stands, and
what was sent but never seen is looked for at the address that its nonce gives it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mercato.chains.abi import create_address
from mercato.chains.errors import BadAnswer, Reverted
from mercato.chains.model import ZERO, Address, Call, Chain
from mercato.contracts import Artifact, load
from mercato.core.errors import Conflict, InvalidInput, NotFound
from mercato.launch import record as records
from mercato.launch.contracts import construct
from mercato.launch.record import Pending, Record

PLATFORM_BPS = 200
#: Of the pool's base fee: the creator gets 40 %, the treasury 20 %, the locked liquidity the rest.
CREATOR_FEE_BPS, TREASURY_FEE_BPS = 4000, 2000
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Who is who, and the sums that are fixed at deployment.

    `quote` None deploys the test dollar; `uptime` is the feed of the chain's sequencer, the zero address without one.
    `deposit` and `retail_cap`, what one identity may bid in the retail tranche, are quote base units. `attester` signs
    identities for the gate, `judge` rules on challenged milestones.
    """

    curator: Address
    treasury: Address
    judge: Address
    attester: Address
    quote: Address | None = None
    uptime: Address = ZERO
    deposit: int = 250_000_000
    retail_cap: int = 1_000_000_000

    def settings(self) -> dict[str, str]:
        """Returns the terms as texts, for the record."""
        named = {name: getattr(self, name) for name in self.__slots__}
        return {name: "" if value is None else str(value) for name, value in named.items()}


@dataclass(frozen=True, slots=True)
class Deployment:
    """Where everything stands on one chain, since which block, and who may do what."""

    chain: str
    block: int
    deployer: Address
    curator: Address
    treasury: Address
    deposit_amount: int
    quote: Address
    pool_code: Address
    graduator: Address
    escrow_code: Address
    vesting_code: Address
    token_blueprint: Address
    auction_blueprint: Address
    assembler: Address
    factory: Address
    deposit: Address
    gate: Address

    @classmethod
    def of(cls, record: Record) -> Deployment:
        """Returns the deployment of a finished record; Conflict where steps are missing."""
        missing = [step.name for step in STEPS if step.name not in record.contracts]
        if missing:
            raise Conflict(f"deployment lacks {missing!r}", hint="run `mercato launch deploy` again: it goes on")
        settings = record.settings
        return cls(
            record.chain, record.block, record.deployer, Address(settings["curator"]), Address(settings["treasury"]),
            int(settings["deposit"]), **{step.name: record.contracts[step.name] for step in STEPS},
        )  # fmt: skip


Known = Mapping[str, Address]


@dataclass(frozen=True, slots=True)
class Step:
    """One contract to deploy: its name in the record, its artefact, and its constructor's arguments.

    A blueprint has none: it is the code that a factory creates others from.
    """

    name: str
    artifact: str
    arguments: Callable[[Known, Terms], tuple[object, ...]] | None

    def code(self, known: Known, terms: Terms) -> bytes:
        """Returns the code that creates the contract."""
        made = load(self.artifact)
        return made.blueprint if self.arguments is None else construct(made, *self.arguments(known, terms))

    def stands(self, code: bytes) -> bool:
        """Returns whether the code at an address is this contract's: what was compiled, then its immutables."""
        made: Artifact = load(self.artifact)
        return code.startswith(made.blueprint[-len(made.bytecode) - 3 :] if self.arguments is None else made.runtime)


STEPS = (
    Step("quote", "test_dollar", lambda known, terms: ()),
    Step("pool_code", "pool", lambda known, terms: (
        known["quote"], terms.treasury, CREATOR_FEE_BPS, TREASURY_FEE_BPS)),
    Step("graduator", "graduator", lambda known, terms: (
        known["pool_code"], known["quote"], terms.treasury, PLATFORM_BPS)),
    Step("escrow_code", "escrow", lambda known, terms: (known["quote"], terms.judge)),
    Step("vesting_code", "vesting", lambda known, terms: ()),
    Step("token_blueprint", "agent_token", None),
    Step("auction_blueprint", "auction", None),
    Step("assembler", "assembler", lambda known, terms: (
        known["token_blueprint"], known["auction_blueprint"], known["escrow_code"], known["vesting_code"])),
    Step("factory", "launch_factory", lambda known, terms: (
        known["assembler"], known["quote"], terms.uptime, terms.curator, [known["graduator"]])),
    Step("deposit", "deposit", lambda known, terms: (
        known["quote"], terms.curator, terms.treasury, terms.deposit)),
    Step("gate", "identity_gate", lambda known, terms: (bytes(32), terms.attester, terms.retail_cap)),
)  # fmt: skip
"""What is deployed, in this order: each may name those before it."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A step that is still to be sent: where it will stand, how large its transaction's data is, and what it costs.

    `gas` is what the chain says that it would use; None where it cannot tell.
    """

    name: str
    artifact: str
    address: Address
    octets: int
    gas: int | None


def deploy_all(
    chain: Chain,
    deployer: Address,
    terms: Terms | None = None,
    *,
    path: Path | None = None,
    progress: Progress | None = None,
) -> Deployment:
    """Deploys what is missing and returns everything's place; `path` is the record, kept up to date and gone on from.

    Without terms the deployer has every role. Conflict where the record is of another chain, other terms, or names
    contracts that are not there; Reverted where the chain refuses a step.
    """
    terms = terms or Terms(curator=deployer, treasury=deployer, judge=deployer, attester=deployer)
    held = _begun(chain, deployer, terms, path)
    for number, step in enumerate(STEPS):
        if progress:
            progress(step.name, number, len(STEPS))
        if step.name not in held.contracts:
            held = _taken(chain, step, terms, held, path)
    if progress:
        progress("done", len(STEPS), len(STEPS))
    return Deployment.of(held)


def plan(chain: Chain, deployer: Address, terms: Terms | None = None, *, path: Path | None = None) -> list[Planned]:
    """Returns what `deploy_all` would send, and sends nothing."""
    terms = terms or Terms(curator=deployer, treasury=deployer, judge=deployer, attester=deployer)
    held = _begun(chain, deployer, terms, path)
    nonce, known = chain.nonce(deployer), dict(held.contracts)
    calls: list[Call] = []
    found: list[Planned] = []
    for step in (item for item in STEPS if item.name not in held.contracts):
        code = step.code(known, terms)
        known[step.name] = create_address(deployer, nonce + len(calls))
        calls.append(Call(deployer, None, code))
        found.append(Planned(step.name, step.artifact, known[step.name], len(code), None))
    return [replace(item, gas=gas) for item, gas in zip(found, _costs(chain, calls), strict=True)]


def deployed(chain: Chain, path: Path) -> Deployment:
    """Returns the deployment of a record; NotFound where there is none, Conflict where it is not this chain's."""
    held = records.read(path)
    if held is None:
        raise NotFound(f"nothing is deployed on {chain.name}, no record at {path}", hint="run `mercato launch deploy`")
    records.belongs(held, str(chain.name), chain.block(0).hash)
    return Deployment.of(held)


def verify(chain: Chain, deployment: Deployment) -> list[tuple[str, bool]]:
    """Returns for each contract whether the code at its address is what the build made."""
    return [(step.name, step.stands(chain.code(getattr(deployment, step.name)))) for step in STEPS]


def _costs(chain: Chain, calls: Sequence[Call]) -> list[int | None]:
    """Returns the gas of creations one after another, None where unknown: not every node simulates creations."""
    try:
        outcomes = chain.simulate(calls)
    except BadAnswer:
        return [None] * len(calls)
    return [outcome.gas_used if outcome.succeeded else None for outcome in outcomes]


def _begun(chain: Chain, deployer: Address, terms: Terms, path: Path | None) -> Record:
    """Returns the record to go on from: the one in the file, checked against the chain, or a new one."""
    genesis = chain.block(0).hash
    held = records.read(path) if path else None
    if held is None:
        held = Record(str(chain.name), genesis, deployer, chain.block().number, terms.settings())
    records.belongs(held, str(chain.name), genesis)
    if dict(held.settings) != terms.settings():
        differ = sorted(name for name, value in terms.settings().items() if held.settings.get(name) != value)
        raise Conflict(
            f"deployment was begun with other {differ!r}", hint="go on with the same, or name another record"
        )
    for step in STEPS:
        address = held.contracts.get(step.name)
        if address and step.name != "quote" and not step.stands(chain.code(address)):
            raise Conflict(f"record says that {step.name!r} is at {address}, where it is not", hint="mend the record")
    if terms.quote and "quote" not in held.contracts:
        if not chain.code(terms.quote):
            raise InvalidInput(f"quote token was {terms.quote}, where there is no contract", hint="check the address")
        held = replace(held, contracts={"quote": terms.quote})
    return held


def _taken(chain: Chain, step: Step, terms: Terms, held: Record, path: Path | None) -> Record:
    """Sends a step, or finds it where a run that was killed sent it already; returns the record with it."""
    address = _found(chain, step, held)
    if address is None:
        nonce = chain.nonce(held.deployer)
        address = create_address(held.deployer, nonce)
        held = _kept(replace(held, pending=Pending(step.name, address, nonce)), path)
        receipt = chain.wait(chain.send(Call(held.deployer, None, step.code(held.contracts, terms))))
        if not receipt.succeeded:
            raise Reverted(receipt.reason, hint=f"step {step.name!r}, transaction {receipt.transaction}")
        address = receipt.created or address
    if not step.stands(chain.code(address)):
        raise BadAnswer(f"code at {address} is not that of {step.artifact!r}", hint="is this node sound?")
    return _kept(
        replace(
            held,
            contracts={**held.contracts, step.name: address},
            sources={**held.sources, step.artifact: load(step.artifact).source},
            pending=None,
        ),
        path,
    )


def _found(chain: Chain, step: Step, held: Record) -> Address | None:
    waiting = held.pending
    if waiting is None or waiting.step != step.name:
        return None
    return waiting.address if step.stands(chain.code(waiting.address)) else None


def _kept(held: Record, path: Path | None) -> Record:
    if path:
        records.write(path, held)
    return held
