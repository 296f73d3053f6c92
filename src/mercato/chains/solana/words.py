"""Words on Solana: memos, which stand in a transaction, and messages that are signed outside of one.

A signature of a message is one of a transaction too if its bytes are one, so those are never signed as words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mercato.chains.errors import BadCall
from mercato.chains.solana.messages import signers_of
from mercato.chains.solana.model import MEMO, Address, Instruction, Meta

MOST_MEMO = 566  # bytes that a memo with one signer may have, by what the program's logging costs
FEW = 4_096  # bytes of words that are signed
"""More would be a document; wallets show a screen."""


@dataclass(frozen=True, slots=True)
class SignIn:
    """What a page asks to be signed in with: Sign-In With Solana (SIWS), its fields in the order of its grammar.

    Times are text in ISO 8601.
    """

    domain: str
    address: Address
    statement: str = ""
    uri: str = ""
    version: str = ""
    chain: str = ""
    nonce: str = ""
    issued: str = ""
    expires: str = ""
    valid_from: str = ""
    request: str = ""
    resources: tuple[str, ...] = ()

    def text(self) -> str:
        """Returns the words that are signed; BadCall where a field has a line break, which could pose as another."""
        given = (self.domain, self.statement, self.uri, self.version, self.chain, self.nonce, self.issued)
        for item in (*given, self.expires, self.valid_from, self.request, *self.resources):
            if not item.isprintable():
                raise BadCall(f"field was {item!r:.80}", hint="one line of printable letters")
        if not self.domain:
            raise BadCall("domain was ''", hint="who asks for the sign-in")
        head = f"{self.domain} wants you to sign in with your Solana account:\n{self.address}"
        named = {
            "URI": self.uri, "Version": self.version, "Chain ID": self.chain, "Nonce": self.nonce,
            "Issued At": self.issued, "Expiration Time": self.expires, "Not Before": self.valid_from,
            "Request ID": self.request,
        }  # fmt: skip
        fields = [f"{name}: {value}" for name, value in named.items() if value]
        fields += ["Resources:", *(f"- {item}" for item in self.resources)] if self.resources else []
        parts = [head, *([self.statement] if self.statement else []), *(["\n".join(fields)] if fields else [])]
        return "\n\n".join(parts)


def memo(text: str, signers: Sequence[Address] = ()) -> Instruction:
    """Writes words into the block's logs (Memo program, version 2); each of `signers` has to sign for them."""
    octets = text.encode()
    if not 0 < len(octets) <= MOST_MEMO:
        raise BadCall(f"memo was {text!r:.80}", hint=f"1 to {MOST_MEMO} bytes")
    return Instruction(MEMO, tuple(Meta(item, signer=True) for item in signers), octets)


def signable(text: str) -> bytes:
    """Returns the bytes of words to sign; BadCall where they could be taken for a transaction."""
    octets = text.encode()
    if not 0 < len(octets) <= FEW:
        raise BadCall(f"words were {text!r:.80}", hint=f"1 to {FEW} bytes")
    if any(not letter.isprintable() and letter not in "\n\t" for letter in text) or _transaction(octets):
        raise BadCall(f"words were {text!r:.80}", hint="printable letters, tabs and line breaks")
    return octets


def _transaction(octets: bytes) -> bool:
    try:
        return bool(signers_of(octets))
    except BadCall:
        return False
