"""An auction on an embedded chain with everything around it that it needs, for settling cases, benches and tests.

The graduator accepts what it is given and makes no pool, so that gas and amounts are the auction's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from mercato.chains import Address, Call, Deployed, deploy
from mercato.chains.abi import succeeded
from mercato.chains.evm.local import LocalChain
from mercato.chains.model import ZERO
from mercato.contracts import load
from mercato.launch.clearing import AMOUNT_LIMIT, RETAIL
from mercato.launch.credentials import AllowList

OPERATOR = Address("0x" + "0e" * 20)
# Answers 1 to everything: PUSH1 1, PUSH0, MSTORE, PUSH1 32, PUSH0, RETURN behind eleven bytes that deploy it.
ACCEPTING = bytes.fromhex("6760015f5260205ff35f5260086018f3")
STATES = ("SCHEDULED", "OPEN", "LOCKED", "EXTENDED", "CLEARED_PENDING", "LIVE", "FAILED", "ABORTED")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sale:
    """The terms of an auction on a stage; amounts in base units, the window in seconds from now."""

    sale: int
    floor_q96: int
    retail_cap: int = 0
    raise_min: int = 0
    step_bps: int = 200
    levels: int = 256
    min_bid: int = 1
    lp_bps: int = 7500
    opens: int = 1_000
    locks: int = 2_000
    closes: int = 3_000


@dataclass(frozen=True)
class Stage:
    """An auction and its surroundings. `window` is when it opens, locks and closes, in seconds since 1970."""

    chain: LocalChain
    quote: Deployed
    token: Deployed
    auction: Deployed
    window: tuple[int, int, int]
    deployed_gas: int

    def at(self, time: int) -> None:
        """Makes a block at this second, where the newest one is older."""
        if (ahead := time - self.chain.time()) > 0:
            self.chain.mine(seconds=ahead)

    def open(self) -> None:
        """Goes to the first second of the window."""
        self.at(self.window[0])

    def over(self) -> None:
        """Goes past the end of the window, as it is known now."""
        self.at(self.auction.read("end"))

    def fund(self, bidder: Address, amount: int) -> None:
        """Gives a bidder quote, and the auction their whole allowance."""
        self.quote.send("faucet", bidder, amount, sender=bidder)
        self.quote.send("approve", self.auction.address, 2**256 - 1, sender=bidder)

    def state(self) -> str:
        """Returns the auction's state by name."""
        return STATES[self.auction.read("state")]


def stage(
    chain: LocalChain,
    sale: Sale,
    *,
    retail: Sequence[Address] = (),
    retail_cap_each: int = AMOUNT_LIMIT,
    quote: Deployed | None = None,
    graduator: Address | None = None,
    uptime: Address = ZERO,
) -> Stage:
    """Returns an auction before its window. `retail` are the bidders on the allow-list of its gate."""
    dollar = quote or made(chain, "test_dollar")
    token = made(chain, "agent_token", "Agent", "AGENT")
    gate = made(chain, "identity_gate", AllowList.of(retail).root, ZERO, retail_cap_each).address if retail else ZERO
    start = chain.time()
    params: dict[str, Any] = {field.name: getattr(sale, field.name) for field in fields(sale)}
    params |= {name: start + params[name] for name in ("opens", "locks", "closes")}
    around = {"token": token.address, "quote": dollar.address, "gate": gate, "uptime": uptime, "curator": OPERATOR}
    params |= around | {"graduator": graduator or accepting(chain)}
    auction = made(chain, "auction", params)
    spent = chain.block().gas_used
    token.send("issue", auction.address, [auction.address], [auction.read("allotment")], sender=OPERATOR)
    return Stage(chain, dollar, token, auction, (params["opens"], params["locks"], params["closes"]), spent)


def made(chain: LocalChain, name: str, *args: object) -> Deployed:
    """Returns one of the house's contracts, created by the operator."""
    artifact = load(name)
    return deploy(chain, artifact.abi, artifact.bytecode, *args, sender=OPERATOR)


def accepting(chain: LocalChain) -> Address:
    """Returns a graduator that takes everything and makes no pool."""
    created = succeeded(chain, chain.send(Call(OPERATOR, None, ACCEPTING))).created
    assert created is not None
    return created


def bid(on: Stage, bidder: Address, level: int, amount: int, credential: bytes = b"") -> int:
    """Places a bid, a retail one with its credential, and returns its gas."""
    if level == RETAIL:
        return on.auction.send("bid_retail", amount, credential, sender=bidder).gas_used
    return on.auction.send("bid", level, amount, sender=bidder).gas_used
