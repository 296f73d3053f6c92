"""Stake: made, delegated to a validator, ended, taken out."""

from __future__ import annotations

from mercato.chains.solana import stake as program
from mercato.chains.solana.model import Address
from mercato.chains.solana.stake import STAKE, VOTE, StakeAccount, stake_account
from mercato.chains.solana.tokens import create_account_with_seed
from mercato.kit.actions import Argument, Catalogue
from mercato.kit.errors import BadArgument
from mercato.kit.solana.actions.holdings import some
from mercato.kit.solana.plan import Ground, SolanaPlan, plan

ACTIONS = Catalogue()
STAKED = Argument("stake", "base58", "The stake account.")
VOTER = Argument("validator", "base58", "The validator's vote account.")


@ACTIONS.action(
    "stake-create", "Makes a stake account, and delegates it where a validator is named.",
    Argument("amount", "units", "How much, in lamports, above the account's rent."),
    Argument("validator", "base58", "The validator's vote account.", optional=True),
    effects="the amount and the rent leave for a stake account that is created, which the acting account may delegate "
    "and take back",
)  # fmt: skip
def create(ground: Ground, amount: int, validator: Address | None) -> SolanaPlan:
    """Returns one transaction; the account's address follows from the acting account and the intent."""
    me, lamports = ground.account, ground.cluster.rent(program.SIZE) + some(amount)
    made, account = create_account_with_seed(me, ground.seed, lamports, program.SIZE, STAKE)
    steps = [account, program.initialize(made, me, me)]
    if validator is not None:
        steps.append(program.delegate(made, _voter(ground, validator), me))
    return plan("Make a stake", *steps)


@ACTIONS.action(
    "stake-delegate", "Delegates a stake account to a validator.", STAKED, VOTER,
    effects="none on balances: the stake begins to work for the validator with the next epoch",
)  # fmt: skip
def delegate(ground: Ground, stake: Address, validator: Address) -> SolanaPlan:
    """Returns one transaction."""
    _mine(ground, stake, "staker")
    return plan("Delegate a stake", program.delegate(stake, _voter(ground, validator), ground.account))


@ACTIONS.action(
    "stake-deactivate", "Ends a stake's delegation.", STAKED,
    effects="none on balances: the stake can be taken out once the epoch is over",
)  # fmt: skip
def deactivate(ground: Ground, stake: Address) -> SolanaPlan:
    """Returns one transaction."""
    if _mine(ground, stake, "staker").delegation is None:
        raise BadArgument(f"stake was {stake!r}, which is not delegated", hint="`stake-withdraw` takes it out")
    return plan("End a delegation", program.deactivate(stake, ground.account))


@ACTIONS.action(
    "stake-withdraw", "Takes lamports out of a stake account that is not delegated, or no more.",
    STAKED, Argument("amount", "units", "How much, in lamports; left out, all, and the account is closed.",
                     optional=True),
    effects="the amount comes",
)  # fmt: skip
def withdraw(ground: Ground, stake: Address, amount: int | None) -> SolanaPlan:
    """Returns one transaction."""
    _mine(ground, stake, "withdrawer")
    lamports = some(ground.cluster.balance(stake) if amount is None else amount)
    return plan("Take a stake out", program.withdraw(stake, ground.account, ground.account, lamports))


def _mine(ground: Ground, stake: Address, role: str) -> StakeAccount:
    found = stake_account(ground.cluster.accounts([stake])[0])
    if found is None:
        raise BadArgument(f"stake was {stake!r}, which is no stake account", hint="`stake-create` makes one")
    holder = found.staker if role == "staker" else found.withdrawer
    if holder != ground.account:
        raise BadArgument(f"stake was {stake!r}, whose {role} is {holder}", hint=f"expected {ground.account}")
    return found


def _voter(ground: Ground, validator: Address) -> Address:
    account = ground.cluster.accounts([validator])[0]
    if account is None or account.owner != VOTE:
        raise BadArgument(f"validator was {validator!r}", hint="expected a vote account, not the node's own address")
    return validator
