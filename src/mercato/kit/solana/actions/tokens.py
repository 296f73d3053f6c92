"""Tokens of the classic program and of Token-2022: sending them, the accounts they lie in, delegates, wrapped SOL."""

from __future__ import annotations

from mercato.chains.solana.extensions import wants_memo
from mercato.chains.solana.model import SYSTEM, Address, Instruction
from mercato.chains.solana.token_2022 import transfer_with_fee
from mercato.chains.solana.tokens import (
    WRAPPED,
    approve_delegate,
    close_account,
    create_associated,
    revoke_delegate,
    sync_native,
    token_account,
    transfer_lamports,
    transfer_tokens,
)
from mercato.kit.actions import Argument, Catalogue
from mercato.kit.errors import BadArgument
from mercato.kit.solana.actions.holdings import AMOUNT, TOKEN, Token, fee_now, held, some, somebody, token_of
from mercato.kit.solana.actions.speaking import noted
from mercato.kit.solana.plan import Ground, SolanaPlan, plan

ACTIONS = Catalogue()
MEMO = Argument("memo", "text", "Words that stand beside it in the block, for everybody to read.", optional=True)


@ACTIONS.action(
    "transfer", "Sends a token (SPL or Token-2022).",
    TOKEN, Argument("to", "base58", "Whose it will be: a wallet, not a token account."), AMOUNT, MEMO,
    effects="the amount of the token leaves for `to`, who gets it less the token's transfer fee; "
    "rent for an account leaves too, where `to` has none",
)  # fmt: skip
def transfer(ground: Ground, token: Address, to: Address, amount: int, memo: str | None) -> SolanaPlan:
    """Returns one transaction; where the token has a transfer fee it states the fee, so that no other is taken."""
    found = token_of(ground.cluster, token)
    mine, yours = found.kept_by(ground.account), found.kept_by(to)
    _sendable(ground, found)
    wallet, there = ground.cluster.accounts([to, yours])
    somebody(wallet, to)
    if to == ground.account:
        raise BadArgument(f"to was {to!r}, the acting account", hint="expected somebody else's wallet")
    if wants_memo(there) and memo is None:
        raise BadArgument("memo was not given", hint="who gets it takes transfers with a memo only")
    state = token_account(there)
    if state is not None and state.owner != to:
        raise BadArgument(f"to was {to!r}, whose account for the token is somebody else's by now", hint="ask them")
    opens = () if state else (create_associated(ground.account, to, token, found.program),)
    said = (noted(memo),) if memo is not None else ()
    moved = _moved(ground, found, mine, yours, some(amount))
    return plan("Send a token", *opens, *said, moved)


@ACTIONS.action(
    "open-account", "Makes the account in which somebody keeps a token (associated token account).",
    TOKEN, Argument("owner", "base58", "Whose it will be; left out, the acting account's.", optional=True),
    effects="an account is created, its rent leaves",
)  # fmt: skip
def open_account(ground: Ground, token: Address, owner: Address | None) -> SolanaPlan:
    """Returns one transaction; BadArgument where the account is there."""
    found, who = token_of(ground.cluster, token), owner or ground.account
    if ground.cluster.accounts([found.kept_by(who)])[0] is not None:
        raise BadArgument(f"owner was {who!r}, who has an account for {token}", hint="there is nothing to do")
    return plan("Open an account", create_associated(ground.account, who, token, found.program))


@ACTIONS.action(
    "close-account", "Closes an empty token account, or one of wrapped SOL with all that is in it.",
    TOKEN, effects="the account's lamports come back, wrapped SOL with them",
)  # fmt: skip
def close(ground: Ground, token: Address) -> SolanaPlan:
    """Returns one transaction; BadArgument where something is left that would be lost."""
    found = token_of(ground.cluster, token)
    state = held(ground, found)
    if state.amount and state.native is None:
        raise BadArgument(f"token was {token!r}, of which {state.amount} are left", hint="send or burn them first")
    return plan(
        "Close an account", close_account(found.kept_by(ground.account), ground.account, ground.account, found.program)
    )


@ACTIONS.action(
    "approve", "Lets somebody move a token (its one delegate), up to an amount and until it is revoked.",
    TOKEN, Argument("spender", "base58", "Who may move it."), AMOUNT,
    effects="an allowance of `spender`, in place of any other; nothing moves yet",
)  # fmt: skip
def approve(ground: Ground, token: Address, spender: Address, amount: int) -> SolanaPlan:
    """Returns one transaction."""
    found = token_of(ground.cluster, token)
    held(ground, found)
    if spender in (SYSTEM, ground.account):
        raise BadArgument(f"spender was {spender!r}", hint="expected somebody else")
    mine, decimals = found.kept_by(ground.account), found.state.decimals
    step = approve_delegate(mine, token, spender, ground.account, some(amount), decimals, found.program)
    return plan("Allow moving", step)


@ACTIONS.action(
    "revoke", "Takes the allowance of a token's delegate back.", TOKEN, effects="the delegate may move nothing more"
)
def revoke(ground: Ground, token: Address) -> SolanaPlan:
    """Returns one transaction."""
    found = token_of(ground.cluster, token)
    held(ground, found)
    step = revoke_delegate(found.kept_by(ground.account), ground.account, found.program)
    return plan("Take the allowance back", step)


@ACTIONS.action(
    "wrap", "Turns SOL into its token, wrapped SOL.", Argument("amount", "units", "How much, in lamports."),
    effects="as much of the token comes as SOL leaves; rent for its account leaves too, where there is none",
)  # fmt: skip
def wrap(ground: Ground, amount: int) -> SolanaPlan:
    """Returns one transaction. `close-account` of the token turns all of it back."""
    found = token_of(ground.cluster, WRAPPED)
    mine = found.kept_by(ground.account)
    opens = create_associated(ground.account, ground.account, WRAPPED, found.program)
    return plan("Wrap SOL", opens, transfer_lamports(ground.account, mine, some(amount)), sync_native(mine))


def _sendable(ground: Ground, token: Token) -> None:
    """BadArgument where the token, or the account's own part of it, cannot be sent at all."""
    rules, mine = token.rules, held(ground, token)
    for stops, why in (
        (not rules.transferable, "it is bound to its holder"),
        (rules.paused, "all its transfers are stopped"),
        (rules.hook is not None, f"it runs the program {rules.hook} in each transfer, which nobody here can judge"),
        (mine.state == "frozen", "the account's part of it is frozen"),
    ):
        if stops:
            raise BadArgument(f"token was {token.mint!r}: {why}", hint="`token-risk` tells what others may do to it")


def _moved(ground: Ground, token: Token, mine: Address, yours: Address, amount: int) -> Instruction:
    fee, decimals = fee_now(ground.cluster, token), token.state.decimals
    if fee is not None:
        return transfer_with_fee(mine, yours, token.mint, ground.account, amount, decimals, fee.of(amount))
    return transfer_tokens(mine, yours, token.mint, ground.account, amount, decimals, token.program)
