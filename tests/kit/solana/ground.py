"""A kit on an embedded cluster with a test dollar of the classic token program, and whatever actions a test makes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from mercato.chains.solana.extensions import Extension
from mercato.chains.solana.keys import SolanaKey
from mercato.chains.solana.local import LocalCluster
from mercato.chains.solana.model import TOKEN_2022, Address, Cluster, Instruction
from mercato.chains.solana.testing import issue, keys, local, signed
from mercato.chains.solana.token_2022 import mint_size
from mercato.chains.solana.tokens import (
    associated,
    create_account,
    create_associated,
    create_mint,
    mint_to,
    token_account,
)  # fmt: skip
from mercato.core.clock import Clock
from mercato.core.errors import MercatoError
from mercato.core.events import Json
from mercato.kit import Origin, Policy
from mercato.kit.actions import Catalogue
from mercato.kit.acts import Act
from mercato.kit.ledger import Ledger
from mercato.kit.service import Kit
from mercato.kit.solana.actions import catalogue
from mercato.kit.solana.plan import Ground, SolanaPlan, Transaction
from mercato.kit.solana.rail import Rail
from mercato.store import Store

WALLET, FRIEND_KEY, STRANGER_KEY = keys()[:3]
ME, FRIEND, STRANGER = WALLET.address, FRIEND_KEY.address, STRANGER_KEY.address
CHAIN = "solana:H1jXFdTQ8KxuBKm1pbJwe1vkWqVNR2DU"
NATIVE = f"{CHAIN}/slip44:501"
DIME = 10**6
ANYTHING: dict[str, Any] = {
    "name": "anything", "verdict": "allow", "recipients": ["any"], "contracts": ["any"], "creations": 5,
    "impact_bps": 500, "spend": {"SOL": "any", "USD": "any"},
}  # fmt: skip
#: Words to sign have no effect that a condition covers: a rule names their actions.
WORDS = {"name": "words", "verdict": "allow", "actions": ["sign-message", "sign-in", "login"]}


@dataclass(frozen=True)
class Town:
    """A cluster with a dollar, of which the wallet has a thousand; the friend has an account for it."""

    cluster: LocalCluster
    dollar: Address

    @property
    def usd(self) -> str:
        return token(self.dollar)

    def policy(self, *rules: Mapping[str, Any], assets: Mapping[str, str] | None = None, **more: Any) -> Policy:
        """Returns a policy that knows the dollar, SOL, and whatever else has 6 decimals."""
        known = {"USD": {"id": self.usd, "decimals": 6}, "SOL": {"id": NATIVE, "decimals": 9}}
        others = {name: {"id": id, "decimals": 6} for name, id in (assets or {}).items()}
        return Policy.of({"version": 1, "assets": {**known, **others}, "rules": list(rules), **more})

    def kit(
        self, store: Store, clock: Clock, policy: Policy, *instructions: Instruction, cluster: Cluster | None = None,
        signers: tuple[SolanaKey, ...] = (), price: int = 0,
    ) -> Kit:  # fmt: skip
        """Returns a kit of the wallet, in the book `agent`; its action `do` is what the instructions are."""
        ledger = Ledger(store, clock)
        ledger.open("agent", policy, "operator")
        actions = doing(*instructions, signers=signers)
        return Kit(ledger, Rail(cluster or self.cluster, clock, price=price), actions, book="agent", wallet=WALLET)

    def program(self, of: Address) -> Address:
        """Returns the program of a token."""
        account = self.cluster.accounts([of])[0]
        assert account is not None, "a token has a mint"
        return account.owner

    def purse(self, owner: Address, of: Address) -> Address:
        """Returns where an owner usually keeps a token."""
        return associated(owner, of, self.program(of))

    def units(self, owner: Address, of: Address | None = None, program: Address | None = None) -> int:
        """Returns the base units that an owner has in the usual account."""
        at = associated(owner, of or self.dollar, *([program] if program else []))
        found = token_account(self.cluster.accounts([at])[0])
        return found.amount if found else 0

    def run(self, *instructions: Instruction, by: SolanaKey = STRANGER_KEY, more: tuple[SolanaKey, ...] = ()) -> None:
        """Lets somebody else do something."""
        self.cluster.wait(self.cluster.send_raw(signed(self.cluster, instructions, by, *more)))


def doing(*instructions: Instruction, signers: tuple[SolanaKey, ...] = ()) -> Catalogue:
    """Returns the actions, and one more that comes to the instructions: what a hostile site would have one sign."""
    found = catalogue()

    @found.action("do", "Does what a test wants.", effects="whatever it is")
    def do(ground: Ground) -> SolanaPlan:
        return SolanaPlan(transactions=(Transaction("Do it", instructions, signers),))

    return found


def town() -> Town:
    """Returns a fresh town."""
    cluster = local()
    dollar = issue(cluster, WALLET, 1_000 * DIME)
    made = Town(cluster, dollar)
    made.run(create_associated(STRANGER, FRIEND, dollar))
    return made


def extended(town: Town, amount: int, **made: Callable[[Address], Instruction]) -> Address:
    """Returns a token of Token-2022 with extensions, by their names, of which the wallet has an amount."""
    key, kinds = SolanaKey.new(), [Extension[name.upper()] for name in made]
    at, size = key.address, mint_size(kinds)
    create = create_account(STRANGER, at, town.cluster.rent(size), size, TOKEN_2022)
    minting = [
        create_associated(STRANGER, who, at, TOKEN_2022) for who in (ME, FRIEND)
    ] + [mint_to(at, associated(ME, at, TOKEN_2022), STRANGER, amount, TOKEN_2022)]  # fmt: skip
    rules = [of(at) for of in made.values()]
    town.run(create, *rules, create_mint(at, 6, STRANGER, None, TOKEN_2022), more=(key,))
    town.run(*minting)
    return at


def token(mint: Address) -> str:
    """Returns the asset's name."""
    return f"{CHAIN}/token:{mint}"


def done(kit: Kit, action: str, arguments: Mapping[str, Json] | None = None, origin: Origin = Origin.AGENT) -> Act:
    """Lets the kit act, and returns the act."""
    return kit.act(kit.intent(action, arguments or {}, origin=origin))


def at(name: str, happens: Callable[[], object], times: int = 10**9, after: int = 0) -> Callable[[str], None]:
    """Returns what lets something happen before a question to the cluster: so many times, after so many of it."""
    asked = [0]

    def before(question: str) -> None:
        if question == name:
            asked[0] += 1
            if after < asked[0] <= after + times:
                happens()

    return before


def failing(name: str, kind: type[MercatoError], after: int = 0) -> Callable[[str], None]:
    """Returns what makes one question to the cluster fail, after so many of it."""

    def fails() -> None:
        raise kind(f"{name} fails", hint="a test does this")

    return at(name, fails, after=after)
