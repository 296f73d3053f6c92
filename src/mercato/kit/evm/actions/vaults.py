"""Lending and vaults: ERC-4626, and the pool of Aave v3."""

from __future__ import annotations

from mercato.chains import Address
from mercato.kit.actions import Argument, Catalogue, Ground
from mercato.kit.evm.actions.contracts import approvals, ask, step
from mercato.kit.evm.actions.signatures import interface
from mercato.kit.model import Plan, Step

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


_LENDER = interface(
    "supply(address,uint256,address,uint16)", "withdraw(address,uint256,address) returns (uint256)",
    "borrow(address,uint256,uint256,uint16,address)", "repay(address,uint256,uint256,address) returns (uint256)",
    "getReserveData(address) view returns ([uint256,uint128,uint128,uint128,uint128,uint128,uint40,uint16,address,"
    "address,address,address,uint128,uint128,uint128])",
)  # fmt: skip
_LENT, _OWED = 8, 10  # places of the tokens for a loan and for a debt in what the pool tells of a reserve
LENDER = Argument("pool", "address", "The pool's contract (Aave v3).")
ASSET = Argument("asset", "address", "The token.")
UNITS = Argument("amount", "units", "How much, in base units.")
_VARIABLE = 2  # the kind of interest; v3 has no other left


@ACTIONS.action(
    "aave-supply", "Lends a token to a pool of Aave v3.", LENDER, ASSET, UNITS,
    effects="the amount leaves, as much of the pool's own token for it comes",
)  # fmt: skip
def aave_supply(ground: Ground, pool: Address, asset: Address, amount: int) -> Plan:
    """Returns the approval that is needed, and the loan."""
    made = step("Supply", pool, _LENDER, "supply", asset, amount, ground.account, 0)
    steps = (*approvals(ground.chain, ground.account, asset, pool, amount), made)
    return _lending(ground, pool, asset, *steps)


@ACTIONS.action(
    "aave-withdraw", "Takes a token back from a pool of Aave v3.", LENDER, ASSET, UNITS,
    effects="the amount comes, as much of the pool's own token for it leaves",
)  # fmt: skip
def aave_withdraw(ground: Ground, pool: Address, asset: Address, amount: int) -> Plan:
    """Returns one call of `withdraw`."""
    made = step("Withdraw", pool, _LENDER, "withdraw", asset, amount, ground.account)
    return _lending(ground, pool, asset, made)


@ACTIONS.action(
    "aave-borrow", "Borrows a token from a pool of Aave v3, at variable interest.", LENDER, ASSET, UNITS,
    effects="the amount comes, and as much of a token that stands for the debt",
)  # fmt: skip
def aave_borrow(ground: Ground, pool: Address, asset: Address, amount: int) -> Plan:
    """Returns one call of `borrow`."""
    made = step("Borrow", pool, _LENDER, "borrow", asset, amount, _VARIABLE, 0, ground.account)
    return _lending(ground, pool, asset, made)


@ACTIONS.action(
    "aave-repay", "Pays a debt to a pool of Aave v3 back.", LENDER, ASSET, UNITS,
    effects="the amount leaves, as much of the token that stands for the debt goes",
)  # fmt: skip
def aave_repay(ground: Ground, pool: Address, asset: Address, amount: int) -> Plan:
    """Returns the approval that is needed, and the payment."""
    made = step("Repay", pool, _LENDER, "repay", asset, amount, _VARIABLE, ground.account)
    steps = (*approvals(ground.chain, ground.account, asset, pool, amount), made)
    return _lending(ground, pool, asset, *steps)


def _lending(ground: Ground, pool: Address, asset: Address, *steps: Step) -> Plan:
    """Returns the plan; the pool's own tokens for loan and debt grow by interest, the asset itself never does."""
    told = ask(ground.chain, pool, _LENDER, "getReserveData", asset)
    own = _names(ground, *(Address(told[place]) for place in (_LENT, _OWED) if told[place] != asset))
    return Plan(steps, (*_names(ground, asset), *own), accruing=own)


def _names(ground: Ground, *tokens: Address) -> tuple[str, ...]:
    return tuple(f"{ground.chain.name}/erc20:{token}" for token in tokens)
