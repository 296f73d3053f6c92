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
    Argument("statement", "text", "What it says to its users.", "", optional=True),
    Argument("uri", "text", "The page's address.", "", optional=True),
    Argument("nonce", "text", "What the page asked for, so that the words are good once.", "", optional=True),
    Argument("issued", "text", "When, in ISO 8601.", "", optional=True),
    Argument("expires", "text", "Until when it is good, in ISO 8601.", "", optional=True),
    effects="none on a chain: whoever has the signature can sign in at `domain` as long as it is good",
)  # fmt: skip
def sign_in(
    ground: Ground, domain: str, statement: str, uri: str, nonce: str, issued: str, expires: str
) -> SolanaPlan:  # fmt: skip
    """Returns the message to sign."""
    asked = SignIn(
        domain, ground.account, statement, uri, "1", str(ground.cluster.name), nonce, issued, expires
    )  # fmt: skip
    try:
        text = asked.text()
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
