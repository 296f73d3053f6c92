"""Lending and vaults: ERC-4626, and the pool of Aave v3."""

from __future__ import annotations

from mercato.chains import Address
from mercato.kit.actions import Argument, Catalogue, Ground
from mercato.kit.evm.actions.contracts import approvals, ask, step
from mercato.kit.evm.actions.signatures import interface
from mercato.kit.model import Plan

ACTIONS = Catalogue()
VAULT = Argument("vault", "address", "The vault's contract (ERC-4626).")
ASSETS = Argument("assets", "units", "How much of the vault's asset, in base units.")
_VAULT = interface(
    "asset() view returns (address)", "deposit(uint256,address) returns (uint256)",
    "withdraw(uint256,address,address) returns (uint256)", "redeem(uint256,address,address) returns (uint256)",
)  # fmt: skip


@ACTIONS.action(
    "vault-deposit", "Puts an asset into a vault (ERC-4626).", VAULT, ASSETS,
    effects="the assets leave for the vault, shares of it come",
)  # fmt: skip
def vault_deposit(ground: Ground, vault: Address, assets: int) -> Plan:
    """Returns the approval that is needed, and the deposit."""
    asset = Address(ask(ground.chain, vault, _VAULT, "asset"))
    made = step("Deposit", vault, _VAULT, "deposit", assets, ground.account)
    steps = (*approvals(ground.chain, ground.account, asset, vault, assets), made)
    return Plan(steps, _names(ground, vault, asset))


@ACTIONS.action(
    "vault-withdraw", "Takes an amount of the asset out of a vault (ERC-4626).", VAULT, ASSETS,
    effects="the assets come, as many shares as they cost leave",
)  # fmt: skip
def vault_withdraw(ground: Ground, vault: Address, assets: int) -> Plan:
    """Returns one call of `withdraw`."""
    asset = Address(ask(ground.chain, vault, _VAULT, "asset"))
    made = step("Withdraw", vault, _VAULT, "withdraw", assets, ground.account, ground.account)
    return Plan((made,), _names(ground, vault, asset))


@ACTIONS.action(
    "vault-redeem", "Gives shares of a vault (ERC-4626) back for its asset.", VAULT,
    Argument("shares", "units", "How many shares, in base units."),
    effects="the shares leave, what they are worth of the asset comes",
)  # fmt: skip
def vault_redeem(ground: Ground, vault: Address, shares: int) -> Plan:
    """Returns one call of `redeem`."""
    asset = Address(ask(ground.chain, vault, _VAULT, "asset"))
    made = step("Redeem", vault, _VAULT, "redeem", shares, ground.account, ground.account)
    return Plan((made,), _names(ground, vault, asset))


def _names(ground: Ground, *tokens: Address) -> tuple[str, ...]:
    return tuple(f"{ground.chain.name}/erc20:{token}" for token in tokens)
