"""Making tokens and looking after them: mints with metadata, supply, frozen accounts, rights that are given up."""

from __future__ import annotations

from mercato.chains.solana.extensions import Extension, MintRules
from mercato.chains.solana.model import TOKEN_2022, Address, Instruction
from mercato.chains.solana.token_2022 import Metadata, hand_over_metadata, mint_size, point_at_metadata, write_metadata
from mercato.chains.solana.tokens import (
    Right,
    associated,
    burn,
    create_account_with_seed,
    create_associated,
    create_mint,
    freeze,
    mint_to,
    set_authority,
    thaw,
)
from mercato.kit.actions import Argument, Catalogue
from mercato.kit.errors import BadArgument
from mercato.kit.solana.actions.holdings import AMOUNT, TOKEN, Token, held, some, token_of
from mercato.kit.solana.plan import Ground, SolanaPlan, plan

ACTIONS = Catalogue()
OWNER = Argument("owner", "base58", "Whose account of the token.")
MOST_DECIMALS = 9  # more leave less than 2**64 / 10**9 whole tokens
TEXTS = {"title": 32, "symbol": 10, "uri": 200}  # bytes that wallets and explorers show
_RIGHTS = {
    "mint": Right.MINT, "freeze": Right.FREEZE, "transfer-fee": Right.TRANSFER_FEE, "close": Right.CLOSE_MINT,
    "permanent-delegate": Right.PERMANENT_DELEGATE, "transfer-hook": Right.TRANSFER_HOOK, "pause": Right.PAUSE,
    "metadata-pointer": Right.METADATA_POINTER,
}  # fmt: skip


@ACTIONS.action(
    "create-mint", "Creates a token with its metadata in the mint (Token-2022).",
    Argument("title", "text", "The token's name, at most 32 bytes."),
    Argument("symbol", "text", "Its symbol, at most 10 bytes."),
    Argument("decimals", "whole", "How many decimals it has, 9 at most."),
    Argument("uri", "text", "Where more about it is said, at most 200 bytes.", "", optional=True),
    Argument("supply", "units", "How much the acting account gets at once, in base units.", "0", optional=True),
    Argument("fixed", "flag", "Whether the rights to make more and to change the metadata are given up at once.", False,
             optional=True),
    Argument("freezable", "flag", "Whether the acting account may freeze others' accounts.", False, optional=True),
    effects="a mint is created and its rent leaves; with `supply`, an account for it too, and the supply comes; "
    "the acting account may make more, unless `fixed`",
)  # fmt: skip
def create(
    ground: Ground, title: str, symbol: str, decimals: int, uri: str, supply: int, fixed: bool, freezable: bool
) -> SolanaPlan:
    """Returns one transaction; the mint's address follows from the account and the intent, and needs no key."""
    texts = {"title": title, "symbol": symbol, "uri": uri}
    for name, text in texts.items():
        if len(text.encode()) > TEXTS[name] or not text.isprintable() or (not text and name != "uri"):
            raise BadArgument(f"{name} was {text!r:.80}", hint=f"printable, at most {TEXTS[name]} bytes")
    if decimals > MOST_DECIMALS or (fixed and not supply):
        raise BadArgument(f"decimals were {decimals}, supply {supply}", hint="9 at most; a fixed supply is above 0")
    says, me, size = Metadata(title, symbol, uri), ground.account, mint_size([Extension.METADATA_POINTER])
    rent = ground.cluster.rent(size + says.size)
    made, account = create_account_with_seed(me, ground.seed, rent, size, TOKEN_2022)
    steps = [
        account, point_at_metadata(made, None if fixed else me, made),
        create_mint(made, decimals, me, me if freezable else None, TOKEN_2022), write_metadata(made, me, me, says),
    ]  # fmt: skip
    if supply:
        mine = associated(me, made, TOKEN_2022)
        steps += [create_associated(me, me, made, TOKEN_2022), mint_to(made, mine, me, some(supply), TOKEN_2022)]
    if fixed:
        steps += [hand_over_metadata(made, me), set_authority(made, me, Right.MINT, None, TOKEN_2022)]
    return plan("Create a token", *steps)


@ACTIONS.action(
    "mint", "Makes more of a token whose mint authority the account is.",
    TOKEN, AMOUNT, Argument("to", "base58", "Who gets it; left out, the acting account.", optional=True),
    effects="the supply grows, and comes, or goes to `to`; rent for an account leaves, where there is none",
)  # fmt: skip
def make(ground: Ground, token: Address, amount: int, to: Address | None) -> SolanaPlan:
    """Returns one transaction."""
    found, who = token_of(ground.cluster, token), to or ground.account
    _holds(ground, found, "mint", found.state.authority)
    opens = create_associated(ground.account, who, token, found.program)
    made = mint_to(token, found.kept_by(who), ground.account, some(amount), found.program)
    return plan("Make more of a token", opens, made)


@ACTIONS.action("burn", "Destroys units of a token that the account has.", TOKEN, AMOUNT, effects="the amount is gone")
def destroy(ground: Ground, token: Address, amount: int) -> SolanaPlan:
    """Returns one transaction."""
    found = token_of(ground.cluster, token)
    held(ground, found)
    step = burn(found.kept_by(ground.account), token, ground.account, some(amount), found.program)
    return plan("Burn a token", step)


@ACTIONS.action(
    "freeze", "Stops somebody's account of a token whose freeze authority the account is.",
    TOKEN, OWNER, effects="none on the acting account: `owner` can neither send nor get the token",
)  # fmt: skip
def stop(ground: Ground, token: Address, owner: Address) -> SolanaPlan:
    """Returns one transaction."""
    found = token_of(ground.cluster, token)
    _holds(ground, found, "freeze", found.state.freezer)
    held(ground, found, owner)
    return plan("Freeze an account", freeze(found.kept_by(owner), token, ground.account, found.program))


@ACTIONS.action(
    "thaw", "Lets a frozen account of a token send and get again.",
    TOKEN, OWNER, effects="none on the acting account: `owner` can send and get the token again",
)  # fmt: skip
def let_go(ground: Ground, token: Address, owner: Address) -> SolanaPlan:
    """Returns one transaction."""
    found = token_of(ground.cluster, token)
    _holds(ground, found, "freeze", found.state.freezer)
    held(ground, found, owner)
    return plan("Thaw an account", thaw(found.kept_by(owner), token, ground.account, found.program))


@ACTIONS.action(
    "revoke-authority", "Gives a right over a mint up for ever, so that nobody has it any more.",
    TOKEN, Argument("right", "text", f"One of {', '.join([*_RIGHTS, 'metadata'])}."),
    effects="the acting account's authority is taken away; nobody gets it",
)  # fmt: skip
def renounce(ground: Ground, token: Address, right: str) -> SolanaPlan:
    """Returns one transaction; BadArgument where the account has not that right."""
    found = token_of(ground.cluster, token)
    if right not in (*_RIGHTS, "metadata"):
        raise BadArgument(f"right was {right!r:.80}", hint=f"one of {', '.join([*_RIGHTS, 'metadata'])}")
    _holds(ground, found, right, holders(found)[right])
    return plan("Give a right up", _renounced(ground, found, right))


def holders(token: Token) -> dict[str, Address | None]:
    """Returns who has each right over a mint, by the right's name."""
    rules: MintRules = token.rules
    return {
        "mint": token.state.authority, "freeze": token.state.freezer, "close": rules.closer,
        "transfer-fee": rules.fee.authority if rules.fee else None, "permanent-delegate": rules.delegate,
        "transfer-hook": rules.hook_authority, "pause": rules.pauser, "metadata-pointer": rules.pointer_authority,
        "metadata": rules.metadata.authority if rules.metadata else None,
    }  # fmt: skip


def _renounced(ground: Ground, token: Token, right: str) -> Instruction:
    if right == "metadata":
        return hand_over_metadata(token.mint, ground.account)
    return set_authority(token.mint, ground.account, _RIGHTS[right], None, token.program)


def _holds(ground: Ground, token: Token, right: str, holder: Address | None) -> None:
    if holder != ground.account:
        raise BadArgument(f"{right} authority of {token.mint} was {holder}", hint=f"expected {ground.account}")
