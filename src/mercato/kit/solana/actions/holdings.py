"""Questions that several actions ask first: what a token is, what an owner has of it, and which epoch it is."""

from __future__ import annotations

from dataclasses import dataclass

from mercato.chains.errors import BadAnswer
from mercato.chains.solana.extensions import MintRules, TransferFee, rules
from mercato.chains.solana.model import Account, Address, Cluster
from mercato.chains.solana.stake import CLOCK
from mercato.chains.solana.tokens import PROGRAMS, Mint, TokenAccount, associated, mint, token_account
from mercato.kit.actions import Argument
from mercato.kit.errors import BadArgument
from mercato.kit.solana.plan import Ground

EPOCH = slice(16, 24)  # of the clock's bytes
TOKEN = Argument("token", "base58", "The token's mint.")
AMOUNT = Argument("amount", "units", "How much, in the token's base units.")


@dataclass(frozen=True, slots=True)
class Token:
    """A token: its mint, the program that keeps it, and what the mint's extensions let others do."""

    mint: Address
    program: Address
    state: Mint
    rules: MintRules

    def kept_by(self, owner: Address) -> Address:
        """Returns where an owner keeps it by convention."""
        return associated(owner, self.mint, self.program)


def token_of(cluster: Cluster, address: Address) -> Token:
    """Returns the token of a mint; BadArgument where there is none."""
    account = cluster.accounts([address])[0]
    state = mint(account)
    if account is None or state is None:
        raise BadArgument(f"token was {address!r}, which is no mint", hint="expected the token's mint")
    return Token(address, account.owner, state, rules(account))


def held(ground: Ground, token: Token, owner: Address | None = None) -> TokenAccount:
    """Returns the account in which somebody keeps a token; BadArgument where there is none."""
    who = owner or ground.account
    found = token_account(ground.cluster.accounts([token.kept_by(who)])[0])
    if found is None or found.owner != who:
        raise BadArgument(f"owner was {who!r}, who has no account for {token.mint}", hint="`open-account` makes one")
    return found


def fee_now(cluster: Cluster, token: Token) -> TransferFee | None:
    """Returns what a transfer costs in this epoch; None where the token keeps nothing back."""
    if token.rules.fee is None:
        return None
    clock = cluster.accounts([CLOCK])[0]
    if clock is None or len(clock.data) < EPOCH.stop:
        raise BadAnswer(f"the cluster's clock was {clock!r}", hint="every cluster has one: is the node in order?")
    return token.rules.fee.at(int.from_bytes(clock.data[EPOCH], "little"))


def somebody(wallet: Account | None, to: Address) -> None:
    """BadArgument where what lies at an address is nobody's wallet, so that what is sent there may be lost."""
    if wallet is not None and (wallet.owner in PROGRAMS or wallet.executable):
        raise BadArgument(f"to was {to!r}", hint="expected somebody's wallet: no token account, mint or program")


def some(amount: int) -> int:
    """Returns an amount above 0 that a token can have; BadArgument otherwise."""
    if not 0 < amount < 2**64:
        raise BadArgument(f"amount was {amount}", hint="expected base units above 0 and below 2**64")
    return amount
