"""Ed25519 keys of one's own. They are never printed, compared by their value, copied out or pickled."""

from __future__ import annotations

import json
from typing import NoReturn

from mercato.chains.errors import BadCall
from mercato.chains.solana import base58
from mercato.chains.solana.model import Address, Signer
from mercato.core.errors import InvalidInput
from mercato.core.settings import Hidden, Secret


class SolanaKey(Signer):
    """Signs with a 32-byte seed, or with 64 bytes of seed and public key, as wallets export them.

    A `Secret` holds them in base 58, or as the JSON list of numbers that Solana's tools write. BadCall for anything
    else, and where seed and public key do not belong together.
    """

    __slots__ = ("_pair", "address")

    def __init__(self, secret: bytes | Secret) -> None:
        from solders.keypair import Keypair

        octets = secret = Hidden(secret if isinstance(secret, bytes) else _unhidden(secret))
        try:
            self._pair = Keypair.from_seed(octets) if len(octets) == 32 else Keypair.from_bytes(octets)
        except BaseException as error:  # solders raises what it catches in Rust as it is
            if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
                raise
            raise BadCall("key was not one of ed25519", hint="expected 32 or 64 bytes, in base 58") from None
        self.address: Address = Address(str(self._pair.pubkey()))

    @classmethod
    def new(cls) -> SolanaKey:
        """Returns a fresh key from the system's randomness."""
        import secrets

        return cls(secrets.token_bytes(32))

    def message(self, message: bytes) -> bytes:
        """Returns the 64-byte signature of a message."""
        return bytes(self._pair.sign_message(message))

    def __repr__(self) -> str:
        return f"SolanaKey(of {getattr(self, 'address', 'nobody: it is not made yet')})"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a key is not pickled; hand over the name of its setting instead")


def _unhidden(secret: Secret) -> bytes:
    text = secret.reveal().strip()
    try:
        return bytes(json.loads(text)) if text.startswith("[") else base58.decode(text)
    except (InvalidInput, TypeError, ValueError):
        return b""  # refused by its length, without showing it
