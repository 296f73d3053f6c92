"""Who may ask for what over the API: the account concerned signs one plain text that names the act and its object.

The text holds all that matters, so a copy of it does what was signed and nothing else; doing it twice is refused by
the state of the launch. Contracts sign by ERC-1271.
"""

from __future__ import annotations

from mercato.chains import Address, Chain
from mercato.chains.messages import signed
from mercato.core.errors import InvalidInput, MercatoError, Refused, Terminal

ACTIONS = ("apply", "submit", "appeal", "commit", "reveal", "schedule", "abort", "refund", "forfeit")


class NotSigned(MercatoError, Refused, Terminal):
    """The statement was not signed by the account that may make it."""

    code = "not-signed"
    status = 403


def statement(chain: Chain, action: str, about: str, detail: str = "") -> str:
    """Returns the text to sign (EIP-191) for an action about a launch, or about an application's hash.

    `detail` is what else the action takes: a round and a seal, or the second of an opening.
    """
    if action not in ACTIONS:
        raise InvalidInput(f"action was {action!r}", hint=f"known: {', '.join(ACTIONS)}")
    lines = ["Mercato launch", "", f"Action: {action}", f"About: {about}"]
    lines += [f"Detail: {detail}"] if detail else []
    return "\n".join([*lines, f"Chain: {chain.name}", "", "Signing this costs nothing and moves nothing."])


def require(chain: Chain, account: str, text: str, signature: str) -> None:
    """Raises NotSigned unless the account signed the text; `signature` is 0x and hexadecimal digits."""
    try:
        octets = bytes.fromhex(signature.removeprefix("0x"))
    except ValueError:
        raise InvalidInput(f"signature was {signature[:80]!r}", hint="expected 0x and hexadecimal digits") from None
    if not signed(chain, Address(account.lower()), text, octets):
        raise NotSigned(f"signature was not that of {account}", hint="sign the statement with that account")
