"""Words: memos in a transaction, messages outside of one, and Sign-In With Solana."""

from __future__ import annotations

from mercato.chains.errors import BadCall
from mercato.chains.solana import words
from mercato.chains.solana.model import Address, Instruction
from mercato.chains.solana.words import SignIn, signable
from mercato.core.events import Json
from mercato.kit.actions import Argument, Catalogue
from mercato.kit.errors import BadArgument
from mercato.kit.model import Effects, Message
from mercato.kit.solana.plan import Ground, SolanaPlan, plan

ACTIONS = Catalogue()
RESOURCES = 16


@ACTIONS.action(
    "memo", "Writes words into a block, signed by the account, for everybody to read.",
    Argument("text", "text", f"The words, at most {words.MOST_MEMO} bytes."), effects="none but the fee",
)  # fmt: skip
def memo(ground: Ground, text: str) -> SolanaPlan:
    """Returns one transaction."""
    return plan("Write a memo", noted(text, ground.account))


@ACTIONS.action(
    "sign-message", "Signs words as a wallet does, outside of any transaction.",
    Argument("message", "text", "The words."), effects="none on a chain: whoever has the signature can show it",
)  # fmt: skip
def sign_message(ground: Ground, message: str) -> SolanaPlan:
    """Returns the message to sign; BadArgument where its bytes could be taken for a transaction."""
    return _signed({"kind": "words", "text": message}, message)


@ACTIONS.action(
    "sign-in", "Signs the words of a sign-in (SIWS), which no other page can use.",
    Argument("domain", "text", "The host of the page that asks, such as example.org."),
    *(Argument(name, "text", says, "", optional=True) for name, says in (
        ("statement", "What the page says to its users."), ("uri", "The page's address."),
        ("version", "The version that the page asked for, mostly 1."),
        ("chain", "The cluster that the page asked for, such as mainnet."),
        ("nonce", "What the page asked for, so that the words are good once."),
        ("issued", "When, in ISO 8601."), ("expires", "Until when it is good, in ISO 8601."),
        ("valid_from", "From when on it is good, in ISO 8601."), ("request", "The page's name of its request."),
    )),
    Argument("resources", "list", "Addresses that the page lists, as texts.", [], optional=True),
    effects="none on a chain: whoever has the signature can sign in at `domain` as long as it is good",
)  # fmt: skip
def sign_in(ground: Ground, domain: str, resources: list[Json], **asked: str) -> SolanaPlan:
    """Returns the message to sign. What the page did not ask for has to be left out, or it will not know its words."""
    if len(resources) > RESOURCES or not all(isinstance(item, str) for item in resources):
        raise BadArgument(f"resources were {resources!r:.120}", hint=f"at most {RESOURCES} texts")
    try:
        text = SignIn(domain, ground.account, resources=tuple(str(item) for item in resources), **asked).text()
    except BadCall as error:
        raise BadArgument(error.message, hint=error.hint) from None
    return _signed({"kind": "sign-in", "domain": domain, "text": text}, text)


def noted(text: str, *signers: Address) -> Instruction:
    """Returns a memo; BadArgument where it is empty or too long."""
    try:
        return words.memo(text, signers)
    except BadCall as error:
        raise BadArgument(error.message, hint=error.hint) from None


def _signed(shown: dict[str, Json], text: str) -> SolanaPlan:
    try:
        return SolanaPlan(message=Message(signable(text), shown, Effects()))
    except BadCall as error:
        raise BadArgument(error.message, hint=error.hint) from None
