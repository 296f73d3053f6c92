"""A kit on an embedded chain with a test dollar, and hostile contracts to try it with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mercato.chains import Address, Chain, Deployed
from mercato.chains.evm.local import LocalChain
from mercato.chains.signing import Key
from mercato.chains.testing import ACCOUNTS, KEYS, local
from mercato.core.clock import Clock
from mercato.core.events import Json
from mercato.kit import Origin, Policy
from mercato.kit.acts import Act
from mercato.kit.evm.actions import catalogue
from mercato.kit.evm.rail import Rail
from mercato.kit.ledger import Ledger
from mercato.kit.service import Kit
from mercato.store import Store
from tests.contracts.house import made

WALLET = Key(KEYS[0])
ME, FRIEND, STRANGER = ACCOUNTS[0], ACCOUNTS[1], ACCOUNTS[2]
NATIVE = "eip155:31337/slip44:60"
DIME = 10**6
DEPLOYER = ACCOUNTS[9]
ANYTHING: dict[str, Any] = {
    "name": "anything", "verdict": "allow", "recipients": ["any"], "contracts": ["any"], "creations": 5,
    "impact_bps": 500, "spend": {"ETH": "any", "USD": "any"},
}  # fmt: skip
#: Words to sign have no effect that a condition covers: a rule names their actions.
WORDS = {"name": "words", "verdict": "allow", "actions": ["sign-message", "sign-in", "login"]}


@dataclass(frozen=True)
class Town:
    """A chain with a dollar, of which the wallet has a thousand."""

    chain: LocalChain
    dollar: Deployed

    @property
    def usd(self) -> str:
        return erc20(self.dollar.address)

    def policy(self, *rules: Mapping[str, Any], assets: Mapping[str, str] | None = None, **more: Any) -> Policy:
        """Returns a policy that knows the dollar, the chain's money, and whatever else has 18 decimals."""
        known = {"USD": {"id": self.usd, "decimals": 6}, "ETH": {"id": NATIVE, "decimals": 18}}
        others = {name: {"id": id, "decimals": 18} for name, id in (assets or {}).items()}
        return Policy.of({"version": 1, "assets": {**known, **others}, "rules": list(rules), **more})

    def kit(self, store: Store, clock: Clock, policy: Policy, chain: Chain | None = None) -> Kit:
        """Returns a kit of the wallet, in the book `agent`."""
        ledger = Ledger(store, clock)
        ledger.open("agent", policy, "operator")
        return Kit(ledger, Rail(chain or self.chain, clock), catalogue(), book="agent", wallet=WALLET)


def town() -> Town:
    """Returns a fresh town."""
    chain = local()
    dollar = made(chain, "test_dollar", sender=DEPLOYER)
    dollar.send("faucet", ME, 1_000 * DIME, sender=DEPLOYER)
    return Town(chain, dollar)


def erc20(address: Address) -> str:
    """Returns the asset's name."""
    return f"eip155:31337/erc20:{address}"


def done(kit: Kit, action: str, arguments: Mapping[str, Json], origin: Origin = Origin.AGENT) -> Act:
    """Lets the kit act, and returns the act."""
    return kit.act(kit.intent(action, arguments, origin=origin))
